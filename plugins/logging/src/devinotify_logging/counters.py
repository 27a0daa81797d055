"""What became of records and messages, counted while several threads log and one sends."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from devinotify_logging.storm import Storm


class Counters(NamedTuple):
    """What became of records and messages in this process.

    Each record that was logged is in exactly one of these, so that they add up to ``offered`` whenever nothing moves:

    ``ignored``: devinotify's own, or taken by another handler for the same people
    ``dropped``: the queue was full
    ``queued``
    ``held``: waits for the limits or for the end of its window
    ``shown``
    ``repeated``: told as a number of equal ones, here or by another handler or process
    ``suppressed``: only counted, or paused

    ``messages`` were handed out with ``segments`` in all, over all recipients. The rest are outcomes, one for each
    recipient and try.
    """

    offered: int = 0
    ignored: int = 0
    dropped: int = 0
    queued: int = 0
    held: int = 0
    shown: int = 0
    repeated: int = 0
    suppressed: int = 0
    messages: int = 0
    segments: int = 0
    accepted: int = 0
    rejected: int = 0
    not_sent: int = 0
    unknown: int = 0


@dataclass(slots=True)
class State:
    """What a sender keeps count of, and begins anew after a fork."""

    storm: Storm
    offered: int = 0
    ignored: int = 0
    dropped: int = 0
    put: int = 0
    taken: int = 0
    messages: int = 0
    segments: int = 0
    unsent: int = 0
    outcomes: dict[str, int] = field(default_factory=dict)
    failures: set[str] = field(default_factory=set)
    faults: set[str] = field(default_factory=set)
    lock: threading.RLock = field(default_factory=threading.RLock)

    def admit(self, most: int) -> bool:
        """Count a record that was logged; return whether it may be queued, where at most ``most`` are."""
        with self.lock:
            self.offered += 1
            if self.put - self.taken >= most:
                self.dropped += 1
                return False
            self.put += 1
            return True

    def ignore(self) -> None:
        """Count a record that must not become an alert."""
        with self.lock:
            self.offered += 1
            self.ignored += 1

    def note(self, verdict: str) -> None:
        """Count what became of one try for one recipient."""
        with self.lock:
            self.outcomes[verdict] = self.outcomes.get(verdict, 0) + 1

    def counters(self) -> Counters:
        """Return the counters as they stand."""
        return Counters(
            self.offered,
            self.ignored,
            self.dropped,
            self.put - self.taken,
            self.storm.held,
            self.storm.shown,
            self.storm.repeated,
            self.storm.suppressed,
            self.messages,
            self.segments,
            *(self.outcomes.get(verdict, 0) for verdict in Counters._fields[-4:]),
        )
