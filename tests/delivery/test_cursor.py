"""Which incoming messages are new: the rules apart from clocks and stores."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from devinotify.delivery import cursor as cursors
from devinotify.models import IncomingSms
from tests.tables import table

NOON = datetime(2026, 1, 15, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


def sms(name: str, at: datetime | None = NOON) -> IncomingSms:
    """Return a message."""
    return IncomingSms(name, "STOP", "79161234567", "1234", at)


@table(
    "cursor, since, until",
    [
        (NOON, NOON - cursors.LATE, NOON + cursors.AHEAD),
        (NOON - 3 * HOUR, NOON - 3 * HOUR - cursors.LATE, NOON + cursors.AHEAD),
        (NOON + HOUR, NOON + HOUR - cursors.LATE, NOON + HOUR + cursors.AHEAD),
        (NOON - 2 * cursors.REACH, NOON - cursors.REACH, NOON + cursors.AHEAD),
        (NOON + 30 * cursors.AHEAD, NOON - cursors.SILENCE - cursors.LATE, NOON + cursors.AHEAD),
    ],
    ids=["now", "a while ago", "a little ahead", "years ago", "a month ahead"],
)
def test_period(cursor: datetime, since: datetime, until: datetime) -> None:
    """It goes back behind the cursor, never further than messages are kept, and round one that cannot be."""
    assert (since, until) == cursors.period(cursor, NOON)


def test_what_is_untold_comes_in_the_order_of_its_time() -> None:
    """Those told of only where they are owed to somebody, and those without a time in the end."""
    undated, old, young = sms("undated", None), sms("old", NOON - HOUR), sms("young")
    found = cursors.untold({"u": undated, "y": young, "o": old, "t": sms("told")}, {"t", "o"}, {"o"})
    assert [("o", old), ("y", young), ("u", undated)] == list(found.items())


def test_who_is_not_here_is_owed_a_message_for_a_week() -> None:
    """Who is here for as long as the gateway keeps it."""
    both, here = frozenset({"a", "b"}), frozenset({"a"})
    week = cursors.SILENCE
    assert [both, here] == [cursors.still_owed(both, here, NOON, NOON + week + late) for late in (0 * HOUR, HOUR)]


@table(
    "at, expected",
    [(NOON - HOUR, NOON - HOUR), (None, NOON), (NOON + HOUR, NOON)],
    ids=["dated", "undated", "from times to come"],
)
def test_a_time_that_cannot_be_is_the_periods_end(at: datetime | None, expected: datetime) -> None:
    """So long it is certainly remembered as the gateway tells of it."""
    assert expected == cursors.kept_until(sms("a", at), cursors.Period(NOON - 2 * HOUR, NOON))


@table(
    "times, expected",
    [
        ([], NOON - HOUR),
        ([NOON - HOUR / 2, NOON - HOUR / 3, None], NOON - HOUR / 3),
        ([NOON + HOUR], NOON),
        ([NOON - 2 * HOUR], NOON - HOUR),
    ],
    ids=["nothing came", "the newest", "not beyond now", "never back"],
)
def test_the_cursor_moves_to_the_newest(times: list[datetime | None], expected: datetime) -> None:
    """By the gateway's times, and by ours no further."""
    messages = [sms(str(number), at) for number, at in enumerate(times)]
    assert expected == cursors.advanced(NOON - HOUR, messages, NOON)


def test_the_cursor_follows_a_long_silence() -> None:
    """Or each question would be about a longer time."""
    assert NOON - cursors.SILENCE == cursors.advanced(NOON - 30 * cursors.SILENCE, [], NOON)


def test_what_is_out_of_reach_is_forgotten() -> None:
    """Unless the gateway still tells of it, by whatever clock."""
    told = {"old": NOON - HOUR, "odd": NOON - HOUR, "young": NOON}
    assert ["old"] == cursors.outlived(told, {"odd"}, cursors.Period(NOON - HOUR / 2, NOON))
