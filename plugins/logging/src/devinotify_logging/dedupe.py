"""Equal records of several handlers or processes: one tells, the others count. Pure; the caller brings the clock.

A window belongs to whoever told of its records last. Until it ends the others leave their numbers in it; afterwards
whoever is there first tells of all of them, and it is theirs.
"""

from __future__ import annotations

from typing import NamedTuple


class Window(NamedTuple):
    """Since when (seconds since the epoch) records of a kind are counted, who told of them, how many are not told."""

    opened: float
    owner: str
    untold: int


class Elsewhere(NamedTuple):
    """Somebody else has told of an equal record; what was counted is left there for so many ``seconds``."""

    seconds: float


class Nothing(NamedTuple):
    """Somebody else has told of everything that there was to tell."""


def claim(
    window: Window | None, now: float, length: float, times: int, owner: str, *, insist: bool = False
) -> tuple[Window | None, int | Elsewhere | Nothing]:
    """Return the window after ``owner`` asked to tell of ``times`` records, and what came of it.

    A number is that of all records to be told; the window is then as it was, and ``told`` is due if the message goes
    out. ``insist`` tells at once: nobody comes later. A clock that was put back by more than a window ends it.
    """
    others = 0 if window is None else window.untold
    if window is not None and window.owner != owner and not insist:
        left = length - (now - window.opened)
        if 0 < left <= 2 * length:
            return window._replace(untold=others + times), Elsewhere(min(left, length))
    return window, times + others or Nothing()


def told(now: float, owner: str) -> Window:
    """Return the window of a kind that ``owner`` tells of now."""
    return Window(now, owner, 0)
