"""The one rule of repetition: how long the pauses are, and when they end."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devinotify import Backoff
from tests.tables import table

backoffs = st.builds(
    Backoff,
    first=st.floats(0, 100),
    factor=st.floats(1, 10),
    most=st.floats(100, 1e6) | st.just(math.inf),
    jitter=st.floats(0, 1),
    tries=st.none() | st.integers(0, 20),
)
chances = st.floats(0, 1)
attempts = st.integers(1, 5000)


def test_pauses_double_to_the_longest() -> None:
    """Without more than a first and a longest pause, each is twice the one before."""
    assert [1.0, 2.0, 4.0, 5.0, 5.0] == [Backoff(1.0, most=5.0).pause(number) for number in range(1, 6)]


def test_pauses_grow_by_their_factor() -> None:
    """Another factor makes them grow otherwise, a factor of 1 not at all."""
    assert [2.0, 6.0, 18.0] == [Backoff(2.0, 3.0).pause(number) for number in range(1, 4)]
    assert [2.0, 2.0, 2.0] == [Backoff(2.0, 1.0).pause(number) for number in range(1, 4)]


@table("chance, pause", [(0.0, 2.0), (0.5, 3.0), (1.0, 4.0)])
def test_chance_takes_off_a_share(chance: float, pause: float) -> None:
    """With a jitter of a half, a pause is drawn from its half to its whole."""
    assert pause == Backoff(4.0, jitter=0.5).pause(1, chance)


@table("tries, expected", [(0, [False] * 3), (2, [True, True, False]), (None, [True] * 3)])
def test_tries_are_counted(tries: int | None, expected: list[bool]) -> None:
    """So many repetitions are allowed, after the first attempt."""
    assert expected == [Backoff(1.0, tries=tries).allows(number) for number in (1, 2, 3)]


@given(backoff=backoffs, attempts=attempts, chance=chances)
def test_a_pause_keeps_its_bounds(backoff: Backoff, attempts: int, chance: float) -> None:
    """No pause is negative, longer than the longest, or shorter than chance may make the first."""
    pause = backoff.pause(attempts, chance)
    assert backoff.first * (1 - backoff.jitter) * (1 - 1e-9) <= pause <= backoff.most


@given(backoff=backoffs, attempts=attempts, chance=chances)
def test_a_later_pause_is_not_shorter(backoff: Backoff, attempts: int, chance: float) -> None:
    """With the same luck, pauses only grow."""
    assert backoff.pause(attempts, chance) <= backoff.pause(attempts + 1, chance)


@given(backoff=backoffs, attempts=attempts, chances=st.tuples(chances, chances))
def test_a_larger_number_gives_a_longer_pause(backoff: Backoff, attempts: int, chances: tuple[float, float]) -> None:
    """The whole pause is the longest that chance leaves."""
    low, high = (backoff.pause(attempts, chance) for chance in sorted(chances))
    assert low <= high <= backoff.pause(attempts)


@table("first", [0.0, 1.0])
def test_a_number_beyond_all_pauses_is_the_longest(first: float) -> None:
    """However often something failed, the pause can be reckoned."""
    assert min(first * 9.0, 9.0) == Backoff(first, 10.0, 9.0).pause(100_000)


def test_no_share_of_a_pause_without_end_is_none() -> None:
    """Where pauses grow past all numbers, the least luck with a jitter of 1 still gives a number: no pause."""
    assert [0.0, 0.0, math.inf] == [
        Backoff(1.0, 10.0, jitter=1.0).pause(*each) for each in ((5, 0), (310, 0), (310, 0.5))
    ]


@table(
    "values, words",
    [
        ({"first": -1.0}, "first pause"),
        ({"first": 2.0, "most": 1.0}, "first pause"),
        ({"first": math.nan}, "first pause"),
        ({"first": 1.0, "factor": 0.5}, "factor"),
        ({"first": 1.0, "factor": math.inf}, "factor"),
        ({"first": 1.0, "jitter": 1.5}, "jitter"),
        ({"first": 1.0, "jitter": -0.1}, "jitter"),
        ({"first": 1.0, "tries": -1}, "tries"),
    ],
)
def test_numbers_without_a_sense_are_refused(values: dict[str, float], words: str) -> None:
    """A pause below nothing or a share above the whole is a mistake in the program."""
    with pytest.raises(ValueError, match=words):
        Backoff(**values)  # type: ignore[arg-type]  # what is refused
