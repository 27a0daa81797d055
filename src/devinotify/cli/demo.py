"""``devinotify demo``: the main job in a few seconds, on an embedded gateway, with no account."""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from devinotify.cli import output
from devinotify.cli.exits import ExitCode, worst
from devinotify.cli.options import json_option
from devinotify.models import DeliveryStatus, ViberState
from devinotify.models import worst as worst_status
from devinotify.translation import N_, _

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from rich.table import Table

    from devinotify.gateway.client import Client
    from devinotify.models import Receipt, SmsState

PATIENCE = 30.0
"""Seconds until the demo gives up; it needs about three."""
POLL = 0.1
"""Seconds between two looks at the states."""

LOG_WIDTH = 120
"""Columns of the table where it goes into a log in place of a terminal; a narrower terminal gets less of it."""


class Sample(NamedTuple):
    """A message of the demo: the client's operation that sends it, its recipient and its text."""

    resource: str
    operation: str
    recipient: str
    text: str


SAMPLES: tuple[Sample, ...] = (
    Sample("sms", "send", "+79161234567", "Hello from devinotify"),
    Sample(
        "sms",
        "send",
        "+79161234568",
        "Привет из devinotify! Кириллица идёт в кодировке UCS-2: в одну SMS входит 70 символов, а в каждую часть"
        " длинного сообщения — 67.",
    ),
    Sample("viber", "send", "+79161234569", "Привет, Viber!"),
    # The sandbox's number of somebody without Viber, so that the platform's resend is seen at work.
    Sample("viber", "send_with_resend", "+79000000024", N_("No Viber here, so this comes as SMS")),
)

NEXT_STEPS = (
    ("devinotify sandbox", N_("starts a gateway that stays, with a page that shows what arrives, and prints its URL")),
    (
        "export DEVINOTIFY_URL='devino://demo:demo@DEVINO?gateway=http://127.0.0.1:8026/rest'",
        N_("names that gateway, in another terminal; 'devino://LOGIN:PASSWORD@SENDER' names a real account"),
    ),
    ('devinotify send "Hello" +79161234567', N_("sends through it")),
)


@dataclass(slots=True)
class Sent:
    """A message on its way: its receipt, and what the gateway has said of it so far."""

    sample: Sample
    sender: str
    receipt: Receipt
    states: tuple[SmsState, ...] = ()
    history: list[DeliveryStatus] = field(default_factory=list)

    def look(self, client: Client) -> None:
        """Ask the gateway, and note the status where it is a new one."""
        if self.is_final:
            return
        resource: Callable[[str], SmsState] = getattr(client, self.sample.resource).state
        self.states = tuple(map(resource, self.receipt.message_ids))
        if self.status not in self.history[-1:]:
            self.history.append(self.status)

    @property
    def resent(self) -> tuple[SmsState, ...]:
        """The SMS that the platform sent in place of a failed Viber message."""
        return tuple(sms for state in self.states if isinstance(state, ViberState) for sms in state.resent_sms)

    @property
    def status(self) -> DeliveryStatus:
        """The status of the whole message."""
        if not self.states:
            return DeliveryStatus.QUEUED
        return worst_status(
            [state.whole_status if isinstance(state, ViberState) else state.status for state in self.states]
        )

    @property
    def is_final(self) -> bool:
        """Whether its delivery is decided; a failed Viber message is not before its SMS is."""
        waits_for_sms = self.receipt.resends and not self.resent and not self.status.is_delivered
        return self.status.is_final and not waits_for_sms

    @property
    def segments(self) -> int:
        """Units that are billed: SMS segments, or one for a Viber message, and those of its resend."""
        return len(self.receipt.message_ids) + len(self.resent)

    @property
    def price(self) -> Decimal:
        """What the gateway tells of a price so far, of a Viber message that failed as of the SMS in its place.

        Whether the first of these is charged for, no document of the provider's says.
        """
        return sum((state.price for state in (*self.states, *self.resent) if state.price is not None), Decimal())

    @property
    def channel(self) -> str:
        """The channel, and the one that it was resent on."""
        return (
            _("{first}, then {second}", first=self.sample.resource, second="sms")
            if self.resent
            else self.sample.resource
        )

    @property
    def exit_code(self) -> ExitCode:
        """0 where it was delivered, 6 where it ended otherwise, 5 where it is still open."""
        if not self.is_final:
            return ExitCode.UNKNOWN
        return ExitCode.ACCEPTED if self.status.is_delivered else ExitCode.UNDELIVERED


@click.command("demo")
@json_option
def command(*, as_json: bool) -> ExitCode:
    """Send SMS and Viber to an embedded gateway and watch them arrive.

    It needs no account, and nothing leaves this machine. The exit code is 0 only when all were delivered:
    6 says that one ended otherwise, 5 that one was still under way after half a minute.
    """
    return demonstrate(SAMPLES, as_json=as_json)


def demonstrate(samples: Sequence[Sample], *, as_json: bool, patience: float = PATIENCE) -> ExitCode:
    """Send these messages, show what became of them within ``patience`` (seconds), and return the worst code."""
    from devinotify.gateway.client import Client
    from devinotify.sandbox import Sandbox

    with Sandbox() as sandbox, Client(sandbox.url) as client:
        messages = [_send(client, sample._replace(text=_(sample.text))) for sample in samples]
        if not as_json and sys.stdout.isatty():
            _watch_live(client, messages, patience)
        else:
            _watch(client, messages, patience, lambda: None)
    code = worst(message.exit_code for message in messages)
    if as_json:
        output.emit(_document(messages, code))
        return code
    if not sys.stdout.isatty():
        output.show(_table(messages), LOG_WIDTH)
    output.write(_closing(messages))
    return code


def _send(client: Client, sample: Sample) -> Sent:
    send: Callable[[str, str], Receipt] = getattr(getattr(client, sample.resource), sample.operation)
    return Sent(sample, client.url.sender, send(sample.recipient, sample.text))


def _watch(client: Client, messages: Sequence[Sent], patience: float, show: Callable[[], None]) -> None:
    """Ask for the states until all are decided, or the patience is over."""
    deadline = time.monotonic() + patience
    while True:
        for message in messages:
            message.look(client)
        show()
        if all(message.is_final for message in messages) or time.monotonic() >= deadline:
            return
        time.sleep(POLL)  # the gateway has no way to tell


def _watch_live(client: Client, messages: Sequence[Sent], patience: float) -> None:
    from rich.live import Live

    with Live(_table(messages), console=output.console(), auto_refresh=False) as live:
        _watch(client, messages, patience, lambda: live.update(_table(messages), refresh=True))


def _table(messages: Sequence[Sent]) -> Table:
    """Return the table; where it would leave no room for the texts, without the sender and the former statuses."""
    is_wide = output.console(LOG_WIDTH).width >= LOG_WIDTH
    rows = [
        {
            N_("channel"): message.channel,
            **({N_("sender"): message.sender} if is_wide else {}),
            N_("recipient"): message.receipt.recipient,
            N_("text"): message.sample.text,
            N_("segments"): message.segments,
            N_("price"): message.price,
            N_("status"): " > ".join(map(_, message.history)) if is_wide else message.status,
        }
        for message in messages
    ]
    return output.table(tuple(rows[0]), [tuple(row.values()) for row in rows])


def _delivered(messages: Sequence[Sent]) -> int:
    return sum(message.exit_code is ExitCode.ACCEPTED for message in messages)


def _closing(messages: Sequence[Sent]) -> str:
    steps = "\n".join(f"  {command}\n      {_(meaning)}" for command, meaning in NEXT_STEPS)
    closing = _(
        "{delivered} of {count} messages delivered, by a gateway inside this process: nothing left this machine.",
        delivered=_delivered(messages),
        count=len(messages),
    )
    if any(message.resent for message in messages):
        closing += "\n" + _(
            "The price is what the gateway tells of each message, of the Viber message that failed too: the provider's"
            " documents do not say whether it charges for that one."
        )
    return f"{closing}\n\n{_('Next:')}\n{steps}"


def _document(messages: Sequence[Sent], code: ExitCode) -> dict[str, Any]:
    results = [
        {
            "channel": message.sample.resource,
            "resent_as_sms": bool(message.resent),
            "sender": message.sender,
            "recipient": message.receipt.recipient,
            "text": message.sample.text,
            "message_ids": message.receipt.message_ids,
            "segments": message.segments,
            "price": message.price,
            "status": message.status,
            "history": message.history,
        }
        for message in messages
    ]
    return {"delivered": _delivered(messages), "results": results, "exit_code": code}
