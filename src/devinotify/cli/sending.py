"""What ``send`` and ``viber`` share: where text and recipients come from, the send through Notifier, its report."""

from __future__ import annotations

import sys
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, TypeVar

import click

from devinotify.cli import errors, inputs, output
from devinotify.cli.exits import BY_VERDICT, ExitCode, of_error, worst
from devinotify.cli.options import Number, Whole, sender_of_url
from devinotify.exceptions import InvalidPhoneNumber, InvalidURL, Verdict
from devinotify.gateway.codes import SMS_MAX_VALIDITY
from devinotify.hookspecs import hookimpl
from devinotify.redact import mask_number
from devinotify.translation import N_, _, ngettext, told

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime

    from devinotify.models import Message, Outcome
    from devinotify.url import DevinoURL

F = TypeVar("F", bound="Callable[..., object]")

SHORTEST_POLL = 0.2
"""Seconds between two looks at a delivery that is waited for, at least."""
_MOST_BYTES = 64 * 1024
"""Bytes of stdin that are read: several times the longest text in UTF-8, and little enough for an endless pipe."""


def message_arguments(command: F) -> F:
    """Add TEXT and TO, ``--to``, ``--title``, ``--tag``, ``--sender``, ``--validity`` and ``--wait``."""
    decorators: tuple[Callable[[F], F], ...] = (
        click.option(
            "--wait",
            type=Number(N_("seconds")),
            metavar="SECONDS",
            help="Wait at most so long for the delivery, and take the later steps of a fallback. Exit code 0 then says"
            " delivered, 6 undelivered, 5 also still under way.",
        ),
        click.option(
            "--validity",
            type=Whole(0, SMS_MAX_VALIDITY, N_("minutes")),
            metavar="MINUTES",
            help="Give up delivering after so many minutes.",
        ),
        click.option(
            "--tag", "tags", metavar="TAG", multiple=True, help="A tag for plugins, such as urgent; may be repeated."
        ),
        click.option("--title", help="A line to put before the text."),
        click.option("--sender", help="Send from this name in place of the URL's."),
        click.option(
            "--to", metavar="NUMBER", multiple=True, help="A recipient, or an alias of a plugin's; may be repeated."
        ),
        click.argument("recipients", nargs=-1, metavar="[TO]..."),
        click.argument("text", required=False, metavar="[TEXT]"),
    )
    for decorate in decorators:
        command = decorate(command)
    return command


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What is to be sent, as it was given; ``None`` leaves a setting to the URL.

    ``send_at`` is aware, or naive for the recipient's own clock; ``validity`` is in minutes, ``wait`` in seconds.
    """

    text: str
    recipients: tuple[str, ...]
    channel: str | None = None
    title: str | None = None
    tags: tuple[str, ...] = ()
    sender: str | None = None
    validity: int | None = None
    send_at: datetime | None = None
    transliterate: bool | None = None
    max_segments: int | None = None
    wait: float | None = None

    def settings(self) -> dict[str, Any]:
        """Return what it sets in place of the URL, by the names that the URL's settings have."""
        names = ("channel", "sender", "validity", "transliterate", "max_segments")
        return {name: value for name in names if (value := getattr(self, name)) is not None}


@dataclass(frozen=True, slots=True)
class Delivery:
    """What became of an order: one Outcome per distinct recipient, in order of first appearance.

    ``channel`` is the one that was used and ``text`` what went out, title, transliteration and plugins included;
    ``later`` says when a scheduled or held message goes out, by recipient: an aware instant, or a naive time of the
    recipient's own clock. ``waited`` says that the delivery was waited for, ``interrupted`` that this was broken off.
    """

    channel: str
    text: str
    outcomes: tuple[Outcome, ...]
    later: Mapping[str, datetime] = field(default_factory=dict)
    waited: bool = False
    interrupted: bool = False

    @property
    def exit_code(self) -> ExitCode:
        """The code of the worst outcome, or that of an interrupt."""
        return ExitCode.INTERRUPTED if self.interrupted else worst(map(self._code, self.outcomes))

    @property
    def unassigned_ids(self) -> tuple[str, ...]:
        """Message ids that the gateway's reply does not let us tell apart by recipient."""
        receipts = [outcome.receipt for outcome in self.outcomes if outcome.receipt is not None]
        return tuple(dict.fromkeys(each for receipt in receipts for each in receipt.unassigned_ids))

    def _code(self, outcome: Outcome) -> ExitCode:
        if outcome.error is not None:
            return of_error(outcome.error)
        if outcome.verdict is not Verdict.ACCEPTED or not self.waited:
            return BY_VERDICT[outcome.verdict]
        if outcome.status is None or not outcome.status.is_final:
            return ExitCode.UNKNOWN
        return ExitCode.ACCEPTED if outcome.status.is_delivered else ExitCode.UNDELIVERED


def read_text(given: str | None, region: str) -> str:
    """Return the text: the argument, or stdin for ``-`` and where there is none; raise a usage error otherwise."""
    if given is not None and given != inputs.STDIN:
        _refuse_number(given, region)
        return given
    if given is None and sys.stdin.isatty():
        raise click.UsageError(_("no text: give it as the first argument, or on stdin"))
    return inputs.read_text(sys.stdin.buffer, "stdin", _MOST_BYTES)


def _refuse_number(text: str, region: str) -> None:
    """Refuse a phone number in the text's place: a swapped command line would send it to somebody."""
    from devinotify import phones
    from devinotify.exceptions import InvalidInput

    try:
        phones.normalize(text, region)
    except InvalidInput:
        return
    raise click.UsageError(_("the text is a phone number: the text comes first, or - for stdin, then the recipients"))


def recipients_of(given: Sequence[str], options: Sequence[str], targets: Sequence[str]) -> tuple[str, ...]:
    """Return the recipients of the command line, else the targets of the URL; raise a usage error for none."""
    found = (*given, *options) or tuple(targets)
    if not found:
        raise click.UsageError(_("no recipient: give numbers behind the text, with --to, or in the URL"))
    return found


class _Sent:
    """Takes note of the first text that goes out, and of when each recipient's does."""

    def __init__(self) -> None:
        self.text: str | None = None
        self.later: dict[str, datetime] = {}

    @hookimpl
    def devinotify_outcome_recorded(self, message: Message, outcome: Outcome) -> None:
        """Note text and time."""
        self.text = message.text if self.text is None else self.text
        if message.send_at is not None and outcome.verdict is Verdict.ACCEPTED:
            self.later[outcome.recipient] = message.send_at


def deliver(settings: DevinoURL, order: Order, *, before_waiting: Callable[[Sequence[Outcome]], None]) -> Delivery:
    """Send one text through the plugins, several recipients in one request; what is refused here is left out.

    ``before_waiting`` is told what was sent where its delivery is waited for: whatever ends that, the ids are known.
    Never raises for a recipient's failure. Raises a usage error for an unknown channel, InvalidSender for a --sender
    that it does not take, InvalidURL for one on the URL, InvalidInput for an outbox that cannot be used.
    """
    from devinotify.notifier import Notifier
    from devinotify.plugins import make_plugin_manager

    given = order.settings()
    if order.wait is not None:
        given["poll"] = min(settings.poll, max(order.wait / 10, SHORTEST_POLL))
    sent = _Sent()
    with nullcontext() if order.sender is not None else sender_of_url():
        try:
            opened = Notifier(settings.with_options(**given), plugins=make_plugin_manager(sent))
        except InvalidURL as error:  # the URL has been read by now: an option's value, or no channel's name
            raise click.UsageError(told(error)) from None
    with opened as notifier:
        outcomes = notifier.notify(
            order.text, order.recipients, title=order.title, tags=order.tags, send_at=order.send_at
        )
        interrupted = False
        if order.wait is not None:
            try:  # from the first id that is told: whoever has read it may break the wait off
                before_waiting(outcomes)
                outcomes = notifier.wait(outcomes, order.wait)
            except KeyboardInterrupt:
                interrupted = True
        channel = notifier.url.channel
    return Delivery(
        channel=channel,
        text=order.text if sent.text is None else sent.text,
        outcomes=tuple(_placed(outcome, order.recipients) for outcome in outcomes),
        later=sent.later,
        waited=order.wait is not None,
        interrupted=interrupted,
    )


def _placed(outcome: Outcome, recipients: Sequence[str]) -> Outcome:
    """Return the outcome of a number that was refused with its place on the command line, counted from 0."""
    error = outcome.error
    if not isinstance(error, InvalidPhoneNumber) or outcome.recipient not in recipients:
        return outcome
    place = recipients.index(outcome.recipient)
    found = InvalidPhoneNumber(f"recipients[{place}] {error}", reason=error.reason, masked=error.masked, position=place)
    return replace(outcome, error=found)


def carry_out(settings: DevinoURL, order: Order, *, as_json: bool) -> ExitCode:
    """Send an order and print what became of it: results on stdout, a line per error on stderr; return the exit code.

    The code tells what became of the messages, whether or not the results could be written.
    """
    delivery = deliver(settings, order, before_waiting=(lambda _: None) if as_json else _say_ids)
    if as_json:
        output.emit(document(delivery))
    else:
        _show(delivery)
    output.forgive()
    return delivery.exit_code


def _say_ids(outcomes: Sequence[Outcome]) -> None:
    for outcome in outcomes:
        if outcome.receipt is not None:
            number, ids = mask_number(outcome.recipient), _ids(outcome)
            output.say(_("accepted, waiting for the delivery: {number}, ids {ids}", number=number, ids=ids))


def _show(delivery: Delivery) -> None:
    outcomes = delivery.outcomes
    if len(outcomes) > 1 or outcomes[0].receipt is not None:
        columns = [*_COLUMNS, *(_STEPS if any(len(outcome.attempts) > 1 for outcome in outcomes) else ())]
        if delivery.later:
            columns.append((N_("goes out"), lambda outcome: _due(delivery.later.get(outcome.recipient))))
        columns += _STATUS if delivery.waited else ()
        rows = ([cell(outcome) for _, cell in columns] for outcome in outcomes)
        output.show(output.table([name for name, _ in columns], rows))
    if delivery.unassigned_ids:
        ids = " ".join(delivery.unassigned_ids)
        output.write(_("message ids that cannot be told apart by recipient: {ids}", ids=ids))
    receipt = next((outcome.receipt for outcome in outcomes if outcome.receipt is not None), None)
    if receipt is not None and receipt.estimate_differs:
        output.write(
            ngettext(
                "the gateway bills {count:,} segment where {expected} were expected",
                "the gateway bills {count:,} segments where {expected} were expected",
                receipt.segments or 0,
                expected=receipt.estimated_segments,
            )
        )
    # One failure of the whole request is one error, however many recipients share it.
    shared: dict[int, list[Outcome]] = {}
    for outcome in outcomes:
        if outcome.error is not None:
            shared.setdefault(id(outcome.error), []).append(outcome)
    for failed in shared.values():
        output.say(_line(failed))
    if delivery.interrupted:
        output.say(_("interrupted; what was accepted is on its way all the same: `devinotify state` tells of it"))


def _due(moment: datetime | None) -> str:
    if moment is None:
        return _("now")
    if moment.utcoffset() is None:
        return _("{time} by the recipient's clock", time=moment.isoformat(" ", "minutes"))
    return output.moment(moment)


def _ids(outcome: Outcome) -> str:
    return " ".join(outcome.receipt.message_ids) if outcome.receipt else ""


_Column = tuple[str, "Callable[[Outcome], object]"]

_COLUMNS: tuple[_Column, ...] = (
    (N_("recipient"), lambda outcome: outcome.recipient),
    (N_("verdict"), lambda outcome: _words(outcome.verdict)),
    (N_("segments"), lambda outcome: outcome.receipt and outcome.receipt.segments),
    (N_("message ids"), _ids),
)
_STEPS: tuple[_Column, ...] = (
    (N_("steps"), lambda outcome: ", ".join(f"{each.channel} {_(_words(each.verdict))}" for each in outcome.attempts)),
)
_STATUS: tuple[_Column, ...] = ((N_("status"), lambda outcome: outcome.status),)
"""What the table shows: heading and cell."""


def _words(verdict: Verdict) -> str:
    return verdict.replace("_", " ")


def _line(failed: Sequence[Outcome]) -> str:
    error = failed[0].error
    assert error is not None  # noqa: S101 - only failures come here, for the type checker
    several = ngettext("({count:,} recipient)", "({count:,} recipients)", len(failed)) if len(failed) > 1 else ""
    ids = " ".join(getattr(error, "message_ids", ()))
    verdict = " ".join(filter(None, (_(_words(failed[0].verdict)), several)))
    listed = _("The reply listed these ids: {ids}", ids=ids) if ids else ""
    return f"{verdict}: {errors.sentence(error, sending=True)} {listed}".rstrip()


def _local_time(moment: datetime | None) -> dict[str, str]:
    return {} if moment is None or moment.utcoffset() is not None else {"local_time": moment.isoformat()}


def document(delivery: Delivery) -> dict[str, Any]:
    """Return the delivery for JSON; numbers and the text are in full, errors masked."""
    results = [
        {
            "recipient": outcome.recipient,
            "verdict": outcome.verdict,
            "message_ids": outcome.receipt.message_ids if outcome.receipt else (),
            "segments": outcome.receipt.segments if outcome.receipt else None,
            "estimated_segments": outcome.receipt.estimated_segments if outcome.receipt else None,
            "sent_at": outcome.receipt.sent_at if outcome.receipt else None,
            **_local_time(delivery.later.get(outcome.recipient)),
            "status": outcome.status,
            "attempts": [{"channel": each.channel, "verdict": each.verdict} for each in outcome.attempts],
            "error": None if outcome.error is None else errors.document(outcome.error, sending=True),
        }
        for outcome in delivery.outcomes
    ]
    extra = {"unassigned_ids": delivery.unassigned_ids} if delivery.unassigned_ids else {}
    return {
        "channel": delivery.channel,
        "text": delivery.text,
        "results": results,
        **extra,
        "exit_code": delivery.exit_code,
    }
