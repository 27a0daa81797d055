"""Laws over what is valid and what is nearly so: one that refuses all it is tried with holds nothing."""

from __future__ import annotations

import functools
from collections import Counter
from collections.abc import Callable
from typing import Any

Law = Callable[..., None]

FEW = 50
"""Tries of which the shares are chance; the laws are tried in full under the oldest Python alone."""
LEAST = 1 / 32
"""The part of the tries that must meet each end: less than chance leaves of the fifth that each law meets of either."""


def both_ways(*decorators: Callable[[Law], Law]) -> Callable[[Callable[..., bool]], Law]:
    """Make a law of what tells whether it read what it was given; it fails where it hardly met one of the two ends.

    ``decorators`` are Hypothesis's ``given``, and ``settings`` where they differ from all others'.
    """

    def made(read: Callable[..., bool]) -> Law:
        ends: Counter[bool] = Counter()

        @functools.wraps(read)
        def counted(*args: Any, **more: Any) -> None:  # noqa: ANN401 - passed on
            ends[read(*args, **more)] += 1

        law: Law = counted
        for decorator in decorators:
            law = decorator(law)

        @functools.wraps(law)
        def tried(*args: Any, **more: Any) -> None:  # noqa: ANN401 - passed on
            ends.clear()
            law(*args, **more)
            tries = ends.total()
            assert tries < FEW or min(ends[True], ends[False]) >= LEAST * tries, f"{ends[True]} of {tries} were read"

        return tried

    return made
