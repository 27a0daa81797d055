"""What becomes of a message, as tables: the fates, their magic numbers and their timelines. Pure.

A magic number is ``+7 900 000-00-EE``, a valid Russian mobile, with one of the endings ``EE`` below. Every
other number is delivered, unless the control API gave it a fate.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

MAGIC_PREFIX = "790000000"
"""A magic number is these nine digits and a fate's two-digit ending."""

SENT_AFTER = 0.2
"""Seconds from the sending until the network has the message, where nothing goes wrong."""

ENDS_AFTER = 1.0
"""Seconds from the sending until its report arrives."""


class TimelineStep(NamedTuple):
    """A state that a message reaches so many seconds after its sending."""

    after: float
    state: int


class Transition(NamedTuple):
    """A state and the instant it was, or will be, reached (seconds since the epoch)."""

    at: float
    state: int


@dataclass(frozen=True, slots=True)
class Lifecycle:
    """The states in which a channel's messages begin, are under way, have arrived, and end with their validity."""

    queued: int
    sent: int
    expired: int
    delivered: int

    @property
    def open(self) -> tuple[int, int]:
        """The states that the end of the validity cuts short."""
        return (self.queued, self.sent)


LIFECYCLES: Mapping[str, Lifecycle] = MappingProxyType(
    {
        "sms": Lifecycle(queued=-2, sent=-1, expired=46, delivered=0),
        "viber": Lifecycle(queued=0, sent=1, expired=7, delivered=2),
    }
)

RESENT_AFTER = frozenset({4, 5, 7})
"""The Viber states after which the platform sends an SMS instead."""


@dataclass(frozen=True, slots=True)
class NumberFate:
    """One fate: its magic ending, what it means, and its timeline on either channel.

    ``refusal`` is the Code with which a send to the number is refused instead, ``word`` the Viber
    operations' word for the same. ``answer`` is what the phone says when the message has arrived.
    """

    name: str
    ending: str
    meaning: str
    sms: tuple[TimelineStep, ...] = ()
    viber: tuple[TimelineStep, ...] = ()
    refusal: int | None = None
    word: str | None = None
    answer: str = ""

    def steps(self, channel: str) -> tuple[TimelineStep, ...]:
        """Return its timeline on a channel, ``sms`` or ``viber``."""
        return self.viber if channel == "viber" else self.sms


def _ends(sent: int, *states: int) -> tuple[TimelineStep, ...]:
    later = (TimelineStep(ENDS_AFTER + index, state) for index, state in enumerate(states))
    return (TimelineStep(SENT_AFTER, sent), *later)


def _sms(*states: int) -> tuple[TimelineStep, ...]:
    return _ends(-1, *states)


def _viber(*states: int) -> tuple[TimelineStep, ...]:
    return _ends(1, *states)


def _refused_by_platform(state: int) -> tuple[TimelineStep, ...]:
    return (TimelineStep(SENT_AFTER, state),)


DELIVERED = "delivered"

FATES: Mapping[str, NumberFate] = MappingProxyType(
    {
        fate.name: fate
        for fate in (
            NumberFate(
                DELIVERED, "00", "delivered, on Viber not read yet; every ordinary number's fate", _sms(0), _viber(2)
            ),
            NumberFate("queued", "02", "stays queued until its validity ends", (), ()),
            NumberFate("sent", "03", "stays with the network until its validity ends", _sms(), _viber()),
            NumberFate(
                "slow",
                "04",
                "delivered after a minute",
                (TimelineStep(5, -1), TimelineStep(60, 0)),
                (TimelineStep(5, 1), TimelineStep(60, 2)),
            ),
            NumberFate("no-credits", "05", "the send is refused: not enough credits", refusal=5),
            NumberFate(
                "sender-not-allowed",
                "06",
                "the send is refused: the sender is not allowed",
                refusal=6,
                word="error-subject-unknown",
            ),
            NumberFate(
                "forbidden",
                "07",
                "the send is refused: the account may not send to this range",
                refusal=7,
                word="error-address-unknown",
            ),
            NumberFate("gateway-error", "08", "the send fails: gateway error", refusal=8, word="error-system"),
            NumberFate("server-error", "09", "the send fails: internal server error", refusal=9),
            NumberFate("bad-sender", "10", "SMS: bad sender address", _refused_by_platform(10), _viber(5)),
            NumberFate("bad-recipient", "11", "SMS: bad recipient address", _refused_by_platform(11), _viber(4)),
            NumberFate("opts-out", "12", "delivered, and answered with STOP", _sms(0), _viber(2), answer="STOP"),
            NumberFate("read", "23", "delivered, on Viber read a second later", _sms(0), _viber(2, 3)),
            NumberFate("not-a-viber-user", "24", "Viber: not delivered; SMS: delivered", _sms(0), _viber(4)),
            NumberFate("viber-error", "25", "Viber: error; SMS: delivered", _sms(0), _viber(5)),
            NumberFate("viber-unknown", "26", "Viber: unknown; SMS: delivered", _sms(0), _viber(6)),
            NumberFate("viber-expired", "27", "Viber: expired; SMS: delivered", _sms(0), _viber(7)),
            NumberFate("clicked", "28", "delivered, on Viber read and its link visited", _sms(0), _viber(2, 3, 8)),
            NumberFate("not-allowed", "41", "SMS: recipient address not allowed", _refused_by_platform(41), _viber(4)),
            NumberFate("rejected-by-centre", "42", "SMS: rejected by the SMS centre", _sms(42), _viber(4)),
            NumberFate("unreachable", "44", "Viber: not delivered; SMS: expired", _sms(46), _viber(4)),
            NumberFate("expired", "46", "expired, without waiting for the validity to end", _sms(46), _viber(7)),
            NumberFate("deleted", "47", "SMS: deleted", _sms(47), _viber(5)),
            NumberFate(
                "rejected-by-platform", "48", "SMS: rejected by the platform", _refused_by_platform(48), _viber(5)
            ),
            NumberFate(
                "lost",
                "55",
                "never gets into the database: state 255; Viber: unknown",
                (TimelineStep(0, 255),),
                _viber(6),
            ),
            NumberFate("rejected", "69", "SMS: rejected", _sms(69), _viber(5)),
            NumberFate("stopped", "98", "SMS: stopped", (TimelineStep(SENT_AFTER, -98),), _viber(5)),
            NumberFate("unknown", "99", "unknown on both channels", _sms(99), _viber(6)),
        )
    }
)

MAGIC_NUMBERS: Mapping[str, NumberFate] = MappingProxyType(
    {MAGIC_PREFIX + fate.ending: fate for fate in FATES.values()}
)
"""Digits of each magic number -> its fate."""


MAX_STEPS = 50
"""Steps that a timeline of one's own may have."""
MAX_DELAY = 366 * 86400.0
"""Seconds after the sending that its last step may lie."""


def steps_of(given: Iterable[tuple[float, int]], states: Mapping[int, object]) -> tuple[TimelineStep, ...]:
    """Return a timeline of one's own: pairs of seconds after the sending and a state of the channel's table.

    Raises ValueError for an unknown state, and for seconds that are negative, endless or run backwards.
    """
    steps = tuple(TimelineStep(float(after), state) for after, state in given)
    if len(steps) > MAX_STEPS:
        raise ValueError(f"must have at most {MAX_STEPS} steps")
    if any(step.state not in states for step in steps):
        raise ValueError(f"must name states of the table: {', '.join(map(str, sorted(states)))}")
    delays = [step.after for step in steps]
    if not all(0 <= after <= MAX_DELAY for after in delays) or delays != sorted(delays):
        raise ValueError(f"must have seconds from 0 to {MAX_DELAY:.0f} that never run backwards")
    return steps


def forced(fate: NumberFate, channel: str, past: Iterable[Transition], now: float) -> tuple[Transition, ...]:
    """Return a message's states where its fate is fulfilled at once: the ``past`` ones, then the fate's own, now."""
    states = list(past)
    known = {transition.state for transition in states}
    coming = [Transition(now, step.state) for step in fate.steps(channel)]
    # The last one always counts: a message that is forced to be what it once was is that again.
    return (*states, *(step for step in coming[:-1] if step.state not in known), *coming[-1:])


def timeline(
    steps: Iterable[TimelineStep], life: Lifecycle, *, created: float, due: float, expires: float
) -> tuple[Transition, ...]:
    """Return the states of a message with their instants, the first at its creation.

    It is queued until ``due``, then takes the steps. One that is still under way at ``expires`` expires.
    """
    states = [Transition(created, life.queued)]
    for step in steps:
        at = due + step.after
        if at >= expires and states[-1].state in life.open:
            break
        states.append(Transition(at, step.state))
    if states[-1].state in life.open:
        states.append(Transition(expires, life.expired))
    return tuple(states)
