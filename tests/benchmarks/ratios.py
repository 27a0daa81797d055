"""Side-by-side measuring: the candidates take turns in one run, and their medians are compared.

Turns, because these machines are shared: whatever slows one candidate slows the other as well.
"""

from __future__ import annotations

import gc
import statistics
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


def side_by_side(
    candidates: Mapping[str, Callable[[], object]],
    *,
    rounds: int = 15,
    clock: Callable[[], float] = time.process_time,
) -> dict[str, float]:
    """Return each candidate's median seconds per call over ``rounds`` turns taken in rotation, after one warm-up."""
    for run in candidates.values():
        run()
    taken: dict[str, list[float]] = {name: [] for name in candidates}
    for _ in range(rounds):
        for name, run in candidates.items():
            gc.collect()  # what one candidate leaves behind is not the next one's to pay for
            start = clock()
            run()
            taken[name].append(clock() - start)
    return {name: statistics.median(values) for name, values in taken.items()}


def report(what: str, ratio: float, target: str, met: bool) -> None:
    """Print one line of the figures: what was compared, the ratio, its target, and whether it was met."""
    print(f"\n{what}: {ratio:.3g} (target {target}; {'met' if met else 'NOT met'})")
