"""Daily windows as they are written."""

from __future__ import annotations

from datetime import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devinotify.exceptions import InvalidInput
from devinotify.window import Window
from tests.tables import table

MINUTES = st.integers(0, 1439).map(lambda minute: time(minute // 60, minute % 60))


@table(
    "written, expected",
    [
        ("10-20", Window(time(10), time(20))),
        ("10:30-20:00", Window(time(10, 30), time(20))),
        (" 9 - 21:15 ", Window(time(9), time(21, 15))),
        ("18-24", Window(time(18), time())),
        ("0-24:00", None),
    ],
)
def test_read(written: str, expected: Window | None) -> None:
    """Hours, or hours and minutes; 24 is midnight; the whole day is not a window."""
    if expected is None:
        with pytest.raises(InvalidInput, match="the whole day: leave it out"):
            Window.parse(written)
    else:
        assert expected == Window.parse(written)


@table(
    "written, why",
    [
        ("", "'' is not a window: write it as 10-20 or 10:30-20:00, by the recipient's clock"),
        ("10", "'10' is not a window"),
        ("10-20-30", "is not a window"),
        ("ten-20", "is not a window"),
        ("25-26", "25 is not a time of the day: a window is from 0:00 to 23:59 at most"),
        ("10:75-20", "10:75 is not a time of the day"),
        ("10-24:01", "24:01 is not a time of the day: a window is from 0:00 to 24:00 at most"),
        ("20-10", "the window 20:00-10:00 closes before it opens"),
        ("10-10", "the window 10:00-10:00 is empty: it closes as it opens"),
    ],
)
def test_what_is_wrong_is_named(written: str, why: str) -> None:
    """Each fault has its own words."""
    with pytest.raises(InvalidInput) as raised:
        Window.parse(written)
    assert why in str(raised.value)


@given(opens=MINUTES, closes=MINUTES, shown=MINUTES)
def test_is_read_as_it_is_written(opens: time, closes: time, shown: time) -> None:
    """A window is read back as it was, and a time is in it from its opening up to, and without, its closing."""
    if closes <= opens and closes != time():
        with pytest.raises(InvalidInput):
            Window(opens, closes)
    elif opens != closes:
        window = Window(opens, closes)
        assert window == Window.parse(str(window))
        assert (opens <= shown and (shown < closes or closes == time())) == (shown in window)
