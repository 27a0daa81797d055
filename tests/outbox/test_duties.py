"""What one of all who share an outbox does alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.outbox.conftest import Place


def test_a_duty_is_that_of_whoever_asks_first(place: Place) -> None:
    """For as long as it lives; another duty is another's."""
    first, second = place.open(), place.open()
    assert [True, False, True] == [each.take_on("feeder") for each in (first, second, first)]
    assert [True, False] == [each.take_on("sweeper") for each in (second, first)]


def test_a_duty_of_the_dead_is_taken_over(place: Place) -> None:
    """By the first who asks then."""
    first, second, third = place.open(), place.open(), place.open()
    first.take_on("feeder")
    place.kill(first)
    assert [True, False, True] == [each.take_on("feeder") for each in (second, third, second)]


def test_a_duty_is_given_up_at_the_end(place: Place) -> None:
    """Nobody waits for who has closed the outbox."""
    first, second = place.open(), place.open()
    first.take_on("feeder")
    first.close()
    assert second.take_on("feeder")


def test_a_duty_that_is_laid_down_is_anybodys(place: Place) -> None:
    """By whose it is alone: what another lays down is not his."""
    first, second, third = place.open(), place.open(), place.open()
    first.take_on("feeder")
    second.lay_down("feeder")
    assert (False, True) == (second.take_on("feeder"), first.take_on("feeder"))
    third.take_on("sweeper")
    third.lay_down("feeder")
    first.lay_down("feeder")
    assert (True, False) == (second.take_on("feeder"), first.take_on("feeder"))
