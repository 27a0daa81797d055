"""Equal records of several: who tells, and that every one of them is told once."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from devinotify_logging.dedupe import Elsewhere, Nothing, Window, claim, told


def test_first_tells() -> None:
    """Where nobody has told, whoever asks does."""
    assert (None, 1) == claim(None, 100, 60, 1, "a")
    assert Window(100, "a", 0) == told(100, "a")


def test_second_leaves_its_number() -> None:
    """As long as the window is open, the others leave what they have."""
    window = Window(100, "a", 0)
    assert (Window(100, "a", 3), Elsewhere(20)) == claim(window, 140, 60, 3, "b")
    assert (Window(100, "a", 5), Elsewhere(20)) == claim(Window(100, "a", 2), 140, 60, 3, "b")


def test_whoever_comes_when_it_ends() -> None:
    """Afterwards the first to come tells of all of them; where there are none, there is nothing to tell."""
    assert (Window(100, "a", 4), 5) == claim(Window(100, "a", 4), 160, 60, 1, "b")
    assert (Window(100, "a", 0), Nothing()) == claim(Window(100, "a", 0), 160, 60, 0, "b")


def test_owner_and_who_insists() -> None:
    """Whoever told last may tell again, and so may one who will not come back."""
    window = Window(100, "a", 4)
    assert [5, 5] == [claim(window, 110, 60, 1, "a")[1], claim(window, 110, 60, 1, "b", insist=True)[1]]


def test_clock_that_was_put_back() -> None:
    """A window that was opened well in the future is over; a clock that is set right by a little ends none."""
    found = [claim(Window(100, "a", 0), now, 60, 1, "b")[1] for now in (39, 99.5)]
    assert [1, Elsewhere(60)] == found


@given(st.lists(st.tuples(st.floats(0, 100), st.sampled_from("abc"), st.integers(0, 5)), max_size=60))
def test_every_record_is_told_once(asked: list[tuple[float, str, int]]) -> None:
    """However they come, what was told and what is left add up to what there was, and no two tell in one window."""
    window, now, total = None, 0.0, 0
    last: tuple[float, str] | None = None
    for pause, owner, times in asked:
        now += pause
        window, found = claim(window, now, 60, times, owner)
        if isinstance(found, int):
            assert last is None or last[1] == owner or now - last[0] >= 60
            window, last, total = told(now, owner), (now, owner), total + found
    assert sum(times for _, _, times in asked) == total + (window.untold if window else 0)
