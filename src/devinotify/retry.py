"""How long to wait before something is tried again, and how often: one value that every retry in the house uses. Pure.

Whoever retries keeps its own numbers, its own clock and its own random numbers; the rule is here, once.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Backoff:
    """Pauses that grow from ``first`` by ``factor`` to ``most``, in seconds, each shortened by chance.

    ``jitter`` is the share of a pause that chance may take off, 0 to 1: it keeps those who failed together from coming
    back together. ``tries`` is how often something is tried again at most, ``None`` is without an end. Raises
    ValueError for numbers that make no sense.
    """

    first: float
    factor: float = 2.0
    most: float = float("inf")
    jitter: float = 0.0
    tries: int | None = None

    def __post_init__(self) -> None:
        if not 0 <= self.first <= self.most:
            raise ValueError("the first pause is 0 seconds or more, and not longer than the longest")
        if not 1 <= self.factor < float("inf"):
            raise ValueError("pauses grow by a factor of 1 or more")
        if not 0 <= self.jitter <= 1:
            raise ValueError("the jitter is a share: 0 to 1")
        if self.tries is not None and self.tries < 0:
            raise ValueError("the tries are 0 or more, or None")

    def pause(self, attempts: int, random: float = 1.0) -> float:
        """Return the seconds to wait after so many attempts (1 or more) that failed.

        ``random`` is a number from 0 to 1, which gives the shortest pause and the longest; the longest if left out.
        """
        try:
            grown = min(self.first * float(self.factor) ** (max(attempts, 1) - 1), self.most)
        except OverflowError:
            grown = self.most if self.first else 0.0
        share = 1.0 - self.jitter * (1.0 - random)
        return grown * share if share else 0.0  # of a pause without end too, where inf * 0 is not a number

    def allows(self, attempts: int) -> bool:
        """Whether something that was attempted so often (1 or more) and failed may be tried again."""
        return self.tries is None or attempts <= self.tries
