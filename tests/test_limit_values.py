"""Limits and prices as people write them, and the periods that they are for."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devinotify.exceptions import InvalidInput
from devinotify.limits import Limit, Period, Price, Prices, Scope, check_limits
from tests.strategies import limits, prices
from tests.tables import table


@given(limit=limits)
def test_a_limit_reads_back_the_same(limit: Limit) -> None:
    """Whatever a limit is, what it is written as says the same, for people and for a URL."""
    assert (limit, limit) == (Limit.parse(str(limit)), Limit.parse(limit.compact()))


@given(price=prices)
def test_prices_read_back_the_same(price: Prices) -> None:
    """Whatever prices are, what they are written as says the same."""
    assert price == Prices.parse(str(price))


@table(
    "written, limit",
    [
        ("1000/day", Limit(Decimal(1000), "segments", Period.DAY)),
        ("1000 Segments / day", Limit(Decimal(1000), "segments", Period.DAY)),
        ("1 segment/day", Limit(Decimal(1), "segments", Period.DAY)),
        ("99.50rub/month", Limit(Decimal("99.5"), "RUB", Period.MONTH)),
        ("3/day recipient", Limit(Decimal(3), "messages", Period.DAY, Scope.RECIPIENT)),
        ("3 segments/day,recipient", Limit(Decimal(3), "segments", Period.DAY, Scope.RECIPIENT)),
        ("5/month, tag: a, b:c", Limit(Decimal(5), "segments", Period.MONTH, Scope.TAG, "a, b:c")),
        ("5/month sender:My Shop", Limit(Decimal(5), "segments", Period.MONTH, Scope.SENDER, "My Shop")),
        ("5/month account", Limit(Decimal(5), "segments", Period.MONTH)),
    ],
)
def test_a_limit_may_be_written_in_many_ways(written: str, limit: Limit) -> None:
    """Spaces, commas and letters of either case are forgiven; what is left out has its default."""
    assert limit == Limit.parse(written)


@table(
    "written, words",
    [
        ("", "write an amount, a unit and a period"),
        ("day", "write an amount"),
        ("1.2.3/day", "the amount is not a number"),
        ("./day", "the amount is not a number"),
        ("0/day", "more than 0"),
        ("1000000000000000/day", "less than 10 to the 15th"),
        ("1.5 messages/day", "a limit of messages is a whole number"),
        ("1 apples/day", "'apples' is not a unit: give segments, messages or a currency"),
        ("1/week", "'week' is not a period: give day or month"),
        ("1/day everybody", "'everybody' is not what a limit is on: give account or recipient or sender or tag"),
        ("1/day sender", "write sender:NAME"),
        ("1/day recipient:x", "recipient stands without a name"),
        ("1/p@ssw0rd", "what is written is not a period"),
    ],
)
def test_what_is_not_a_limit_is_told(written: str, words: str) -> None:
    """The error names the part that is wrong, and shows nothing that is not a word."""
    with pytest.raises(InvalidInput, match=words):
        Limit.parse(written)


@table(
    "fields",
    [
        (Decimal(1), "rubles", Period.DAY),
        (Decimal(1), "segments", Period.DAY, Scope.TAG),
        (Decimal(1), "segments", Period.DAY, Scope.ACCOUNT, "x"),
        (Decimal(1), "segments", Period.DAY, Scope.TAG, " x"),
        (Decimal(1), "segments", Period.DAY, Scope.TAG, "x;y"),
        (Decimal(1), "segments", Period.DAY, Scope.TAG, "\ud800"),
        (1, "segments", Period.DAY),
        (Decimal("NaN"), "RUB", Period.DAY),
    ],
)
def test_a_limit_that_makes_no_sense_is_refused(fields: tuple[object, ...]) -> None:
    """One that is made in code is checked like one that is written."""
    with pytest.raises(InvalidInput):
        Limit(*fields)  # type: ignore[arg-type]  # the wrong types are what is tried


def test_a_price_may_be_a_channels() -> None:
    """A channel's own price goes before that of all others."""
    found = Prices.parse("2.50, Viber:1.20")
    assert [Decimal("1.2"), Decimal("2.5")] == [found.of("viber"), found.of("sms")]
    assert None is Prices.parse("viber:1").of("sms")


@table(
    "written, resent, besides",
    [
        ("2.50,viber:1.50", "2.5", "1.5"),
        ("sms:2,viber:1", "2", "1"),
        ("viber:1", None, "1"),
        ("2", "2", "2"),
        ("2.50,viber:1.50,viber-sms:4", "4", "0"),
    ],
)
def test_where_the_gateway_resends_two_are_paid_for(written: str, resent: str | None, besides: str) -> None:
    """Viber, and an SMS besides; a price of the channel's own is that of both."""
    prices = Prices.parse(written)
    expected = None if resent is None else Price(Decimal(resent), Decimal(besides))
    assert expected == prices.whole("viber-sms", ("viber", "sms"))
    assert {None, Decimal(0)} >= {one and one.besides for one in map(prices.whole, ("sms", "viber"))}


@table("written", ["", "x", "1,2", "-1", "1e5", "sms:", ":1", "sms:1,sms:2", "sms:NaN", "\ud800:1"])
def test_what_is_not_a_price_is_refused(written: str) -> None:
    """A price is an amount, for each channel one."""
    with pytest.raises(InvalidInput):
        Prices.parse(written)


def test_no_price_at_all_is_refused() -> None:
    """Prices made in code hold one at least, and amounts alone."""
    for fields in ((None, ()), (Decimal(-1), ()), (Decimal("Infinity"), ()), (2, ())):
        with pytest.raises(InvalidInput):
            Prices(*fields)


def test_limits_of_one_kind_contradict_each_other() -> None:
    """Two limits on the same are refused; a day's and a month's are not on the same."""
    check_limits([Limit.parse("1/day"), Limit.parse("2/month")], None)
    with pytest.raises(InvalidInput, match="limits on the same"):
        check_limits([Limit.parse("1/day"), Limit.parse("2/day")], None)


moments = st.datetimes(datetime(1990, 1, 1), datetime(2100, 1, 1)).flatmap(  # noqa: DTZ001 - made aware below
    lambda moment: st.sampled_from(["UTC", "Europe/Moscow", "America/Sao_Paulo", "Pacific/Apia", "Africa/Cairo"]).map(
        lambda zone: moment.replace(tzinfo=ZoneInfo(zone))
    )
)


@given(moment=moments, period=st.sampled_from(Period))
def test_a_period_holds_its_moments(moment: datetime, period: Period) -> None:
    """Each moment lies in its period, and the next one begins where it ends."""
    begun, over = period.begun(moment), period.over(moment)
    assert begun <= moment < over
    assert (over, begun) == (period.begun(over), period.begun(over - timedelta(days=1)))


def test_a_day_is_that_of_the_zone() -> None:
    """Midnight is where the zone's clock shows it, and a month ends with its last day."""
    evening = datetime(2036, 1, 31, 23, tzinfo=ZoneInfo("UTC")).astimezone(ZoneInfo("Europe/Moscow"))
    assert "2036-02-01T00:00:00+03:00" == Period.DAY.begun(evening).isoformat()
    assert "2036-03-01T00:00:00+03:00" == Period.MONTH.over(evening).isoformat()


def test_a_decimal_comma_in_a_price_is_explained() -> None:
    """Commas part prices on a URL, and the message says how the decimal sign is written."""
    with pytest.raises(InvalidInput, match=r"its decimal sign is a point: 2\.5"):
        Prices.parse("2,5")
