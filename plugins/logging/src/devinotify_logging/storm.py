"""Storm control: which records become messages, and what is said of the others. Pure; the caller brings the clock.

Equal records inside a window are one message, and a later one that tells how many there were. What the limits do not
let out at once is held, the most severe first; what cannot even be held is counted and told as a number. Every record
is in exactly one of ``held``, ``shown``, ``repeated`` and ``suppressed``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from devinotify_logging.records import Event, RecordKind

MOST_HELD = 20
"""Kinds of records that wait for their turn at most: at five a minute, what is behind them would come too late."""
HELD_FOR = 600.0
"""Seconds after which a held record is old news, and is told as a number."""
FRESH = 1.0
"""Seconds for which a first record goes out by itself; one that was held longer goes out with those that repeat it."""
MOST_KINDS = 2000
"""Windows that are open at a time at most, so that memory stays flat however many kinds of records there are."""


class Alert(NamedTuple):
    """A message to be: an event, and of how many equal records in how many seconds it is the first to tell.

    ``suppressed`` and ``dropped`` are other records, that nobody was shown. So the numbers of all messages add up.
    With ``times`` of 0 it is about records that were left to somebody else, who may not have told of them.
    """

    event: Event
    times: int
    seconds: float
    suppressed: int = 0
    dropped: int = 0


class Rest(NamedTuple):
    """What cannot be told any more but in one last message: events and how often, the most severe first.

    ``untold`` is the number of all records that nobody was shown, ``dropped`` of those that the queue had no room for.
    """

    events: tuple[tuple[Event, int], ...]
    untold: int
    dropped: int


@dataclass(slots=True)
class _Window:
    """The records of one kind since ``opened``: how many of them nobody was told of yet, and the one to tell of."""

    first: Event
    event: Event
    opened: float
    due_since: float
    untold: int = 1
    shown: bool = False  # whether its first record was
    left_elsewhere: bool = False  # whether somebody else was left a number of its records, to tell of


class Storm:
    """The windows, one for each kind of record; ``window`` is in seconds, and 0 lets every record be a message."""

    def __init__(self, window: float) -> None:
        self._window = window
        self._windows: dict[RecordKind | int, _Window] = {}
        self._due: dict[
            RecordKind | int, _Window
        ] = {}  # those with something to tell: a first record, or those that followed
        self._number = 0
        self._chosen: RecordKind | int = 0
        self._untold_suppressed = 0
        self._told_dropped = 0
        self.shown: int = 0
        self.repeated: int = 0
        self.suppressed: int = 0

    @property
    def held(self) -> int:
        """Records that wait to be shown, or to be told as a number."""
        return sum(window.untold for window in list(self._windows.values()))  # a copy: another thread may ask

    def offer(self, event: Event, now: float) -> None:
        """Take in a record that was logged."""
        key: RecordKind | int = event.kind
        if not self._window:
            self._number += 1
            key = self._number
        window = self._windows.get(key)
        if window is not None:
            self._tick(key, window, now)
            window = self._windows.get(key)
        if window is None:
            self._windows[key] = self._due[key] = _Window(event, event, now, now)
            self._bound()
            return
        window.untold += 1
        window.event = event  # what is told later is the latest of them

    def tick(self, now: float, *, ending: bool = False) -> None:
        """End the windows whose time is over, or with ``ending`` all of them; give up what was held too long."""
        for key, window in list(self._windows.items()):
            self._tick(key, window, now, ending=ending)

    def next_due(self) -> float | None:
        """Return when the next window ends, on the caller's clock, or ``None``."""
        ends = (window.opened + self._window for key, window in self._windows.items() if key not in self._due)
        return min(ends, default=None)

    def next_alert(self, now: float, dropped: int = 0) -> Alert | None:
        """Return the most severe alert that is due, of several the one that waits longest; ``taken`` takes it out.

        ``dropped`` is how many records were dropped before they came here, ever; those not told yet are in the alert.
        """
        if not self._due:
            return None
        self._chosen = min(self._due, key=lambda key: _urgency(self._due[key]))
        window = self._due[self._chosen]
        untold = max(0, dropped - self._told_dropped)
        alone = not window.shown and now - window.opened < FRESH
        return Alert(
            window.first if alone else window.event,
            1 if alone else window.untold,
            now - window.opened,
            self._untold_suppressed,
            untold,
        )

    def taken(self, alert: Alert, now: float) -> None:
        """Note that the alert that ``next_alert`` returned last goes out: its records are told."""
        key = self._chosen
        window = self._due.pop(key)
        first = 0 if window.shown else 1
        self.shown += first
        self.repeated += alert.times - first
        self._untold_suppressed -= alert.suppressed
        self._told_dropped += alert.dropped
        if not self._window:
            del self._windows[key]
            return
        # Behind its first record the window goes on; behind a number it begins anew.
        if not first or alert.times > 1 or now - window.opened >= self._window:
            window.opened = now
        window.untold -= alert.times
        window.shown = True
        window.left_elsewhere = False

    def told_elsewhere(self, alert: Alert, now: float, seconds: float, *, ending: bool = False) -> None:
        """Note that somebody else tells of the alert that ``next_alert`` returned last, in so many ``seconds``.

        Its window ends then, to look whether that was done; with ``ending`` it is over.
        """
        key = self._chosen
        window = self._due.pop(key)
        self.repeated += alert.times
        window.untold -= alert.times
        if not window.untold and (ending or not seconds):
            del self._windows[key]
            return
        window.opened = now + seconds - self._window
        window.shown = True
        window.left_elsewhere = bool(seconds) and not ending

    def close_up(self, dropped: int = 0) -> Rest:
        """Give up everything that is due, and return it together with what was only counted so far: it is told."""
        due = sorted(self._due.values(), key=_urgency)
        events = tuple((window.event, window.untold) for window in due if window.untold)
        self.give_up()
        rest = Rest(events, self._untold_suppressed, max(0, dropped - self._told_dropped))
        self._untold_suppressed = 0
        self._told_dropped += rest.dropped
        return rest

    def give_up(self) -> None:
        """Count everything that is due as suppressed: no message can go out for it."""
        for key in list(self._due):
            self._suppress(key)

    def _tick(self, key: RecordKind | int, window: _Window, now: float, *, ending: bool = False) -> None:
        if key in self._due:
            if now - window.due_since > HELD_FOR:
                self._suppress(key)
        elif ending or now - window.opened >= self._window:
            if window.untold or window.left_elsewhere:
                self._due[key] = window
                window.due_since = now
            else:
                del self._windows[key]

    def _bound(self) -> None:
        if len(self._due) > MOST_HELD:
            self._suppress(max(self._due, key=lambda key: _urgency(self._due[key])))
        if len(self._windows) > MOST_KINDS:
            self._suppress(next(iter(self._windows)))

    def _suppress(self, key: RecordKind | int) -> None:
        window = self._windows.pop(key)
        self._due.pop(key, None)
        self.suppressed += window.untold
        self._untold_suppressed += window.untold


def _urgency(window: _Window) -> tuple[int, float]:
    return -window.first.level, window.due_since
