"""Events over time, counted in bounded memory, and their curve on an axis that fits, be it seconds or a month. Pure."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

MOST_BINS = 240
"""Steps that a curve has at most: more could not be told apart."""
KEPT = 5_000
"""Spans of time in which events are counted apart at most, of each kind."""
_DAY = 86_400
_WIDTHS = (1, 5, 15, 60, 300, 900, 3600, 10_800, 21_600, 43_200, _DAY)
"""Seconds of a span, each a part of the next; behind the last, it is doubled."""


class Curve(NamedTuple):
    """How many events there were until each of ``times`` (seconds since the epoch), by kind."""

    times: Sequence[int]
    until: Mapping[str, Sequence[int]]


class Timeline:
    """Counts events of each of ``kinds``; spans of time grow wider as there are more of them."""

    def __init__(self, kinds: Iterable[str]) -> None:
        self._width = 1
        self._bins: dict[str, Counter[int]] = {kind: Counter() for kind in kinds}

    def add(self, kind: str, moments: Iterable[float]) -> None:
        """Count events at these instants, in seconds since the epoch: many at once, which is far quicker."""
        bins, width = self._bins[kind], self._width
        bins.update([int(moment // width) for moment in moments])
        while len(self._bins[kind]) > KEPT:
            self._widen(wider(self._width))

    def curve(self) -> Curve | None:
        """Return the curve of the kinds that have events, or ``None`` where there is none.

        Each begins at nothing and rises over the span in which something happened. The last point is behind the last
        event, and none is lost; a span is a second long, or as long as it takes for ``MOST_BINS`` of them to be enough.
        """
        places = [place for bins in self._bins.values() for place in bins]
        if not places:
            return None
        width, first, last = self._width, min(places), max(places)
        while last - first + 1 > MOST_BINS:
            wide = wider(width)
            first, last, width = first * width // wide, last * width // wide, wide
        until = {}
        for kind, bins in self._bins.items():
            rises: Counter[int] = Counter()
            for place, count in bins.items():
                rises[place * self._width // width] += count
            if bins:
                line = [0]
                for place in range(first, last + 1):
                    line.append(line[-1] + rises[place])
                until[kind] = line
        return Curve([place * width for place in range(first, last + 2)], until)

    def _widen(self, wide: int) -> None:
        for kind, bins in self._bins.items():
            found: Counter[int] = Counter()
            for place, count in bins.items():
                found[place * self._width // wide] += count
            self._bins[kind] = found
        self._width = wide


def wider(width: int) -> int:
    """Return the next span of time that holds a whole number of these."""
    return next((each for each in _WIDTHS if each > width), 2 * width)
