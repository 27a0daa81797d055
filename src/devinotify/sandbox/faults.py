"""Faults on demand, as a table of kinds and a register of what is armed: what goes wrong, where, and how often.

A fault strikes the requests of an operation (or all) that concern a number (or any), with a probability, at
most so many times, and for so long by the sandbox's clock. The first armed fault that strikes decides;
latencies add up besides. Pure but for the random numbers, which a seed repeats.
"""

from __future__ import annotations

import secrets
from collections import deque
from dataclasses import dataclass, field
from random import Random
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

from devinotify.gateway.codes import ERRORS
from devinotify.sandbox.operations import OPERATIONS

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping

ANY = "*"
"""In place of an operation or a number: all of them."""

MAX_LATENCY = 300.0
"""Seconds that a latency may take: past every client's patience."""
MAX_LIMIT = 10_000
MAX_LASTS = 366 * 86400.0
MAX_TIMES = 10**6
MAX_SEED = 2**63 - 1
STATUSES = range(300, 600)
"""HTTP statuses that a fault may answer with; a 2xx would not be a fault."""


@dataclass(frozen=True, slots=True)
class FaultKind:
    """One kind of fault: what it does, and the arguments of its own with their defaults (``None``: required).

    Of those in ``either`` one is used: the one that is given, or else the first with its default. ``accepts``
    says whether the request is carried out all the same, unless the fault says otherwise; ``None`` where the
    kind leaves no choice.
    """

    name: str
    does: str
    own: Mapping[str, float | None] = field(default_factory=dict)
    either: tuple[str, ...] = ()
    accepts: bool | None = False


LATENCY = "latency"
EXPIRED_SESSION = "expired-session"
RATE = "rate"
WINDOW = 1.0
"""Seconds over which requests are counted for a rate."""
VENDORS_RATE = 10
"""Requests a second that the vendor names for another API of the same platform."""

KINDS: Mapping[str, FaultKind] = MappingProxyType(
    {
        kind.name: kind
        for kind in (
            FaultKind(LATENCY, "waits before it answers", {"seconds": None}, accepts=None),
            FaultKind("error", "answers a Code of the error table", {"code": 8}),
            FaultKind("status", "answers an HTTP status with an empty body", {"status": 503}),
            FaultKind("html", "answers an HTML page, as a proxy in between does", {"status": 502}),
            FaultKind(
                RATE,
                "refuses what comes past so many requests a second, with an HTTP status or a code such as 7",
                {"limit": VENDORS_RATE, "status": 429, "code": None},
                either=("status", "code"),
            ),
            FaultKind(EXPIRED_SESSION, "answers SessionID expired and ends the session", accepts=None),
            FaultKind("reset", "resets the connection in place of an answer"),
            FaultKind("drop", "closes the connection in place of an answer", accepts=True),
            FaultKind("half", "closes the connection halfway through the answer", accepts=True),
            FaultKind("outage", "resets every connection for as long as it lasts", {"lasts": None}, accepts=None),
        )
    }
)
"""Every kind by its name. Latency and accepted faults carry the request out; the others do not."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault; ``accepts`` says whether the request is carried out all the same.

    ``lasts`` and ``seconds`` are seconds. Raises ValueError for what makes no sense.
    """

    kind: str
    operation: str = ANY
    number: str = ANY
    probability: float = 1.0
    seed: int | None = None
    times: int | None = None
    lasts: float | None = None
    seconds: float | None = None
    code: int | None = None
    status: int | None = None
    limit: int | None = None
    accepts: bool | None = None

    def __post_init__(self) -> None:
        kind = KINDS.get(self.kind)
        if kind is None:
            raise ValueError(f"no such kind of fault; there are: {', '.join(KINDS)}")
        for name, good, needs in _CHECKS:
            value = getattr(self, name)
            if value is not None and not good(value):
                raise ValueError(f"{name} must be {needs}")
        self._settle_either(kind)
        for name in ("seconds", "code", "status", "limit"):
            if name in kind.either:
                continue
            if getattr(self, name) is None and name in kind.own:
                object.__setattr__(self, name, kind.own[name])
            if (getattr(self, name) is None) is (name in kind.own):
                raise ValueError(f"{name} is {'missing' if name in kind.own else f'not an argument of {self.kind}'}")
        if self.lasts is None and "lasts" in kind.own:
            raise ValueError("lasts is missing")
        if kind.accepts is None and self.accepts is not None:
            raise ValueError(f"accepts is not an argument of {self.kind}")

    def _settle_either(self, kind: FaultKind) -> None:
        given = [name for name in kind.either if getattr(self, name) is not None]
        if len(given) > 1:
            raise ValueError(f"{' and '.join(given)} cannot both be answered: give one of them")
        if kind.either and not given:
            object.__setattr__(self, kind.either[0], kind.own[kind.either[0]])

    @property
    def carries_out(self) -> bool:
        """Whether the request is carried out all the same."""
        if self.accepts is not None:
            return self.accepts
        return KINDS[self.kind].accepts or self.kind == LATENCY


_NAMES = {operation.name.lower(): operation.name for operation in OPERATIONS}

_CHECKS: tuple[tuple[str, Callable[[float], bool], str], ...] = (
    ("probability", lambda value: 0 <= value <= 1, "from 0 to 1"),
    ("seed", lambda value: 0 <= value <= MAX_SEED, f"from 0 to {MAX_SEED}"),
    ("times", lambda value: 1 <= value <= MAX_TIMES, f"from 1 to {MAX_TIMES}"),
    ("lasts", lambda value: 0 < value <= MAX_LASTS, f"more than 0 and at most {MAX_LASTS:.0f} seconds"),
    ("seconds", lambda value: 0 <= value <= MAX_LATENCY, f"from 0 to {MAX_LATENCY:.0f}"),
    ("code", lambda value: value in ERRORS, f"a code of the error table: {', '.join(map(str, ERRORS))}"),
    ("limit", lambda value: 1 <= value <= MAX_LIMIT, f"from 1 to {MAX_LIMIT} requests a second"),
    ("status", lambda value: value in STATUSES, f"from {STATUSES[0]} to {STATUSES[-1]}"),
)
"""Argument, what is right, and how to say so."""


def operation_name(name: str) -> str:
    """Return an operation's name in the table's spelling, or ``*``; raises ValueError for no such operation."""
    if name == ANY:
        return ANY
    if name.lower() not in _NAMES:
        raise ValueError(f"operation must be * or one of: {', '.join(_NAMES.values())}")
    return _NAMES[name.lower()]


@dataclass(slots=True)
class ArmedFault:
    """A fault at work: its number, its own random numbers, when it ends, and how often it has struck."""

    id: int
    fault: Fault
    until: float | None
    random: Random
    hits: int = 0
    passed: deque[float] = field(default_factory=deque)
    """The instants of the requests that a rate let through within its window."""
    held: set[Callable[[], None]] = field(default_factory=set)
    """What lets the requests go on that its latency holds: called when it is disarmed."""
    disarmed: bool = False

    def disarm(self) -> None:
        """Hold nothing any more."""
        self.disarmed = True
        for let_go in self.held:
            let_go()

    def over(self, now: float) -> bool:
        """Return whether its time or its count is up."""
        spent = self.fault.times is not None and self.hits >= self.fault.times
        return spent or (self.until is not None and now >= self.until)

    def concerns(self, operation: str, numbers: Collection[str], *, in_session: bool) -> bool:
        """Return whether it is meant for a request: by its operation and the digits of the numbers it is about."""
        fault = self.fault
        if fault.kind == EXPIRED_SESSION and not in_session:
            return False  # A login needs no session, and what stands below /rest/v2 has none.
        return fault.operation in (ANY, operation) and (fault.number == ANY or fault.number in numbers)

    def strikes(self, now: float) -> bool:
        """Return whether it strikes this time, and count it; one random number is drawn each time it might."""
        if self.fault.limit is not None and self._lets_through(now, self.fault.limit):
            return False
        struck = self.random.random() < self.fault.probability
        self.hits += struck
        return struck

    def _lets_through(self, now: float, limit: int) -> bool:
        while self.passed and self.passed[0] <= now - WINDOW:
            self.passed.popleft()
        if len(self.passed) >= limit:
            return False
        self.passed.append(now)
        return True


class Strike(NamedTuple):
    """What goes wrong with one request: latencies to wait for, one after the other, then a fault or none."""

    latencies: tuple[ArmedFault, ...]
    fault: Fault | None


class Faults:
    """The armed faults, at most ``most``, in the order in which they were armed."""

    def __init__(self, most: int = 1000) -> None:
        self._most = most
        self._armed: dict[int, ArmedFault] = {}
        self._count = 0

    def __bool__(self) -> bool:
        return bool(self._armed)

    def __iter__(self) -> Iterator[ArmedFault]:
        return iter(self._armed.values())

    def add(self, fault: Fault, now: float) -> ArmedFault:
        """Arm a fault as of now; its random numbers are the seed's, or nobody's where it has none."""
        if len(self._armed) >= self._most:
            raise ValueError(f"more than {self._most} faults are armed already; remove some first")
        self._count += 1
        seed = secrets.randbits(64) if fault.seed is None else fault.seed
        until = None if fault.lasts is None else now + fault.lasts
        # No secret hangs on these numbers; what counts is that a seed repeats them.
        armed = ArmedFault(self._count, fault, until, Random(seed))  # noqa: S311
        self._armed[armed.id] = armed
        return armed

    def remove(self, number: int) -> bool:
        """Disarm a fault by its number and return whether it was there."""
        armed = self._armed.pop(number, None)
        if armed is not None:
            armed.disarm()
        return armed is not None

    def clear(self) -> None:
        """Disarm every fault."""
        while self._armed:
            self._armed.popitem()[1].disarm()

    @property
    def by_number(self) -> bool:
        """Whether a fault is meant for one number, so that a request's numbers have to be known."""
        return any(armed.fault.number != ANY for armed in self)

    def plan(self, operation: str, numbers: Collection[str], now: float, *, in_session: bool = True) -> Strike | None:
        """Return what goes wrong with a request, or ``None`` for nothing."""
        latencies: list[ArmedFault] = []
        chosen, struck = None, False
        for armed in tuple(self):
            if armed.over(now) or not armed.concerns(operation, numbers, in_session=in_session):
                continue
            if armed.fault.kind == LATENCY:
                if armed.strikes(now):
                    latencies.append(armed)
                    struck = True
            elif chosen is None and armed.strikes(now):
                chosen, struck = armed.fault, True
        return Strike(tuple(latencies), chosen) if struck else None
