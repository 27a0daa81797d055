"""Dates as people write them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

import click
import pytest

from devinotify.cli.options import Moment, Money, WallClock, settings_of
from tests.tables import table

if TYPE_CHECKING:
    from tests.cli.conftest import Run


@table(
    "written, expected",
    [
        ("2026-01-31T09:00:00+03:00", datetime(2026, 1, 31, 6, 0, tzinfo=UTC)),
        ("2026-01-31T09:00:00Z", datetime(2026, 1, 31, 9, 0, tzinfo=UTC)),
        (" 2026-01-31T09:00:00Z ", datetime(2026, 1, 31, 9, 0, tzinfo=UTC)),
    ],
)
def test_an_iso_time_with_an_offset_is_that_instant(written: str, expected: datetime) -> None:
    """The offset decides."""
    assert expected == Moment(past=True).convert(written, None, None)


@table("written", ["2026-01-31T09:00", "2026-01-31"])
def test_an_iso_time_without_an_offset_is_this_machines(written: str) -> None:
    """A time without an offset is read in this machine's zone."""
    assert datetime.fromisoformat(written).astimezone() == Moment(past=True).convert(written, None, None)


@table(
    "written, span",
    [
        *(("30s", 30), ("90m", 5400), ("24H", 86400), ("7d", 7 * 86400), ("2w", 14 * 86400)),
        *(("1.5h", 5400), ("90 min", 5400), (" 2 weeks ", 14 * 86400)),
    ],
)
@table("past", [True, False])
def test_a_duration_is_counted_from_now(written: str, span: int, past: bool) -> None:
    """A duration goes back for a period that has passed, and ahead for a send."""
    before = datetime.now(UTC)
    found = Moment(past=past).convert(written, None, None)
    after = datetime.now(UTC)
    distance = timedelta(seconds=-span if past else span)
    assert before + distance <= found <= after + distance


def test_a_datetime_is_itself() -> None:
    """A default that is a datetime already passes through."""
    now = datetime.now(UTC)
    assert now == Moment(past=True).convert(now, None, None)


@table(
    "written", ["yesterday", "", "24", "1e3", "999999999w", "1e999w", "2026-13-01", "7x", "0001-01-01T00:00:00+14:00"]
)
def test_other_words_are_refused(written: str) -> None:
    """What is neither a date nor a duration, or lies beyond the calendar, is a usage error."""
    with pytest.raises(click.BadParameter):
        Moment(past=True).convert(written, None, None)


def test_a_wall_clock_is_naive() -> None:
    """The recipient's own time has no offset."""
    assert datetime(2026, 1, 31, 9, 0) == WallClock().convert("2026-01-31T09:00", None, None)  # noqa: DTZ001 - naive


def test_a_wall_clock_passes_through() -> None:
    """A naive datetime passes through."""
    nine = datetime(2026, 1, 31, 9, 0)  # noqa: DTZ001 - naive is the point
    assert nine == WallClock().convert(nine, None, None)


@table("written", ["2026-01-31T09:00Z", "noon"])
def test_a_wall_clock_with_an_offset_is_refused(written: str) -> None:
    """An instant is no wall clock, and a word is neither."""
    with pytest.raises(click.BadParameter):
        WallClock().convert(written, None, None)


def test_settings_need_a_url() -> None:
    """Without a URL the error says how to give one, and how to do without."""
    with pytest.raises(click.UsageError, match=r"DEVINOTIFY_URL.*devinotify sandbox"):
        settings_of(None)


@table(
    "arguments, words",
    [
        (("send", "Hi", "+79161234567", "--validity", "abc"), "give minutes, a whole number from 0 to 10080"),
        (("send", "Hi", "+79161234567", "--wait", "abc"), "give seconds, a number from 0"),
        (("send", "Hi", "+79161234567", "--validity", "-1"), "-1 is not in the range"),
        (("bulk", "x", "--rate", "abc"), "give recipients a second, a number above 0"),
        (("bulk", "x", "--rate", "0"), "0.0 is not in the range"),
        (("bulk", "x", "--limit", "1.5"), "give a whole number from 1"),
        (("bulk", "x", "--batch", "all"), "give a whole number from 1 to 1000"),
    ],
)
def test_a_number_that_is_none_is_told_what_belongs_there(run: Run, arguments: tuple[str, ...], words: str) -> None:
    """In the words of whoever types it, and not those of the library that reads it."""
    result = run(*arguments)
    assert (2, True) == (result.exit_code, words in result.stderr)


@table("written", ["2,50", "2.50", " 2,5 ", "2.500"])
def test_an_amount_may_have_a_decimal_comma(written: str) -> None:
    """As our own output shows it in Russian."""
    assert Decimal("2.5") == Money().convert(written, None, None)


@table("written", ["1,000", "1,000.50", "2,", ",5", "2,5,1", "-2,50"])
def test_a_comma_that_may_group_digits_is_refused(written: str) -> None:
    """A thousand is not one."""
    with pytest.raises(click.BadParameter):
        Money().convert(written, None, None)


@table("group", ["config", "outbox"])
def test_a_group_without_a_command_shows_its_help_as_it_is(run: Run, group: str) -> None:
    """Line by line, on stderr: it is a wrong use all the same."""
    result, asked = run(group), run(group, "--help")
    assert (2, asked.output.strip()) == (result.exit_code, result.stderr.strip())
