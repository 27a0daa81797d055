"""What a channel is: the protocol that built-in ones and a plugin's share, and what stands between them and the rest.

Whatever a channel answers or raises becomes outcomes here, so that nothing of the wrong type goes any further: what
it was doing when it failed may have been sent.
"""

from __future__ import annotations

import logging
import re
from types import MappingProxyType
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from devinotify.accepted import recipients_of
from devinotify.channels.answers import described, is_outcomes, is_state
from devinotify.channels.batch import failed
from devinotify.exceptions import DevinotifyError, InvalidSchedule, PluginError, Verdict
from devinotify.gateway.departure import require_departure
from devinotify.text.checks import check_length
from devinotify.url import CHANNEL

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from devinotify.gateway.client import Client
    from devinotify.models import Message, Outcome, Receipt, SmsState

log: logging.Logger = logging.getLogger(__name__)


@runtime_checkable
class Channel(Protocol):
    """A way to reach recipients: ``sms``, ``viber``, or one that a plugin brings.

    ``send`` answers one Outcome per recipient of the message, in their order, and never raises for a
    recipient's failure. ``state`` reads what became of an accepted message. What a channel cannot do is told by its
    attributes, never by its name.
    """

    @property
    def name(self) -> str:
        """The name that URLs and ``notify`` use."""

    @property
    def max_length(self) -> int:
        """Characters that a text may have, counted by code points."""

    @property
    def segmented(self) -> bool:
        """Whether a text is billed by segments, so that ``max_segments`` and ``transliterate`` apply to it."""

    @property
    def schedulable(self) -> bool:
        """Whether a message may have a ``send_at``."""

    def check_sender(self, sender: str) -> None:
        """Raise InvalidSender where this channel does not take the sender."""

    def send(self, message: Message, client: Client) -> list[Outcome]:
        """Send the message and answer one Outcome per recipient, in order."""

    def state(self, receipt: Receipt, client: Client) -> SmsState:
        """Return the state of an accepted message: the worst of its parts."""


class OwnChannel:
    """The base of the core's own channels: they answer what the client made, which is not looked at once more."""

    __slots__ = ()

    @property
    def billed_as(self) -> tuple[str, str] | None:
        """The channels that both messages are billed as, where the gateway resends by itself; else ``None``."""
        return None

    def outcomes(self, message: Message, client: Client) -> Sequence[Outcome]:
        """Do what ``send`` does, whose list is made when somebody asks for one of them where that is dear."""
        return self.send(message, client)

    def send(self, message: Message, client: Client) -> list[Outcome]:
        """Send the message and answer one Outcome per recipient, in order."""
        raise NotImplementedError


_NAME = re.compile(CHANNEL).fullmatch

MEMBERS: Mapping[str, tuple[str, Callable[[object], bool]]] = MappingProxyType(
    {
        "name": ("a name", lambda value: isinstance(value, str)),
        "max_length": ("a number of characters", lambda value: type(value) is int and value > 0),
        "segmented": ("True or False", lambda value: isinstance(value, bool)),
        "schedulable": ("True or False", lambda value: isinstance(value, bool)),
        "check_sender": ("a function", callable),
        "send": ("a function", callable),
        "state": ("a function", callable),
    }
)
"""What a channel must have, and of what kind it is."""


def check_channel(channel: object) -> None:
    """Return where ``channel`` has all that the protocol names; raise ValueError that names what it lacks."""
    missing = [member for member in MEMBERS if not hasattr(channel, member)]
    if missing:
        raise ValueError(
            f"the channel {type(channel).__name__} has no {' and no '.join(missing)}: see devinotify.Channel"
        )
    name = channel.name  # type: ignore[attr-defined]  # it has one, and of any type
    if not isinstance(name, str) or not _NAME(name):
        raise ValueError("a channel's name is of lower-case letters, digits, - and _, and begins with a letter")
    for member, (kind, accepts) in MEMBERS.items():
        if not accepts(getattr(channel, member)):  # a name of the table
            raise ValueError(f"the channel {name}: {member} must be {kind}")


def billed_as(channel: Channel) -> tuple[str, str] | None:
    """Return as which channels the two messages of one on which the gateway resends by itself are billed.

    ``None`` for any other channel, a plugin's among them.
    """
    return channel.billed_as if isinstance(channel, OwnChannel) else None


def check_message(channel: Channel, message: Message) -> None:
    """Return where the channel takes a text of this length, and a ``send_at`` where there is one.

    Raises InvalidText or InvalidSchedule. To be asked before anything is stored or sent.
    """
    check_length(message.text, channel.max_length)
    check_schedule(channel, message)


def check_schedule(channel: Channel, message: Message) -> None:
    """Return where the channel can send when the message is to go out; raise InvalidSchedule."""
    if message.send_at is not None and not channel.schedulable:
        raise InvalidSchedule(f"the channel {channel.name} cannot send later: it has no send_at")


def send_on(channel: Channel, message: Message, client: Client) -> Sequence[Outcome]:
    """Send on the channel and return one Outcome per recipient, in order, whatever the channel raises or answers.

    What it raises but a DevinotifyError leaves the outcomes ``unknown``, and so does an answer of the wrong types;
    a recipient that it left out is ``unknown``.
    """
    try:
        if isinstance(channel, OwnChannel):  # whose answers are sound
            return complete(message, channel.outcomes(message, client), channel.name)
        require_departure()  # the client asks for our own, right before a request; what a plugin's does is unknown
        answer: object = channel.send(message, client)
    except DevinotifyError as error:
        return [failed(channel.name, recipient, error) for recipient in message.recipients]
    except Exception as error:  # noqa: BLE001 - a channel of a plugin's may raise anything, and may have sent
        return broken(channel, message, f"raised {type(error).__name__}", error)
    if is_outcomes(answer):
        return complete(message, answer, channel.name)
    return broken(channel, message, f"answered {described(answer)} in place of a list of outcomes")


def broken(channel: Channel, message: Message, what: str, cause: Exception | None = None) -> list[Outcome]:
    """Return the outcomes of a send that ended as none may, and log ``what`` its channel did: ``unknown``."""
    fault = PluginError(
        f"the channel {channel.name} {what} while it was sending",
        plugin=channel.name,
        hook="send",
        verdict=Verdict.UNKNOWN,
    )
    fault.__cause__ = cause
    log.error("%s", fault)
    return [failed(channel.name, recipient, fault) for recipient in message.recipients]


def read_state(channel: Channel, receipt: Receipt, client: Client) -> SmsState:
    """Return the state that the channel tells; raise PluginError for an answer of the wrong types."""
    state: object = channel.state(receipt, client)
    if not is_state(state):
        raise PluginError(
            f"the channel {channel.name} answered {described(state)} in place of a state",
            plugin=channel.name,
            hook="state",
            verdict=Verdict.UNKNOWN,
        )
    return state


def complete(message: Message, outcomes: Sequence[Outcome], channel: str) -> Sequence[Outcome]:
    """Return the outcomes in the order of the recipients; one that the answer left out is unknown."""
    if recipients_of(outcomes) == message.recipients:
        return outcomes
    found = {outcome.recipient: outcome for outcome in outcomes}
    error = PluginError(
        "no outcome was answered for the recipient", hook="devinotify_send_message", verdict=Verdict.UNKNOWN
    )
    return [
        found[recipient] if recipient in found else failed(channel, recipient, error)
        for recipient in message.recipients
    ]
