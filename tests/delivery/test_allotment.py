"""Whom limits leave room for, by values: the counts before and after, and what is told of them."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

from devinotify.delivery.allotment import Charge, allot, charge, charges, corrected, keys
from devinotify.limits import Count, Limit, Price
from devinotify.models import Message
from tests.strategies import limits

if TYPE_CHECKING:
    from collections.abc import Sequence

NOW = datetime(2036, 1, 15, 12, tzinfo=UTC)
PEOPLE = tuple(f"+7916123456{number}" for number in range(5))


def against(*written: str, price: Decimal | None = None) -> list[Charge]:
    """Return what counts against these limits."""
    return [charge(Limit.parse(each), NOW, None if price is None else Price(price)) for each in written]


def counts(of: Sequence[Charge], used: int, recipient: str = "") -> dict[str, str]:
    """Return the texts that say that so much of each is used."""
    return {one.key(recipient): str(used) for one in of}


def test_the_first_ones_have_the_room() -> None:
    """As many as there is room for are sent to, in the order of the message; the others learn which limit it is."""
    of = against("9/day", "100/month")
    found = allot(of, 2, PEOPLE, counts(of[:1], 4))
    assert PEOPLE[:2] == found.admitted
    assert dict.fromkeys(PEOPLE[2:], of[0]) == found.refused
    assert {of[0].key(""): "8 9", of[1].key(""): "4"} == found.counts


def test_nobody_is_counted_where_there_is_no_room() -> None:
    """A limit that is used up, or that the gateway has billed more than, changes nothing."""
    of = against("9/day", "100/month")
    for used in (8, 9, 20):
        found = allot(of, 2, PEOPLE, counts(of[:1], used))
        assert ((), {}, []) == (found.admitted, found.counts, found.near)


def test_each_recipient_has_a_count_of_his_own() -> None:
    """Who has had enough is left out, and takes no room from the others."""
    of = against("2/day recipient", "3 messages/day")
    kept = counts(of[:1], 2, PEOPLE[0])
    found = allot(of, 7, PEOPLE, kept)
    assert (PEOPLE[1:4], {PEOPLE[0]: of[0], PEOPLE[4]: of[1]}) == (found.admitted, found.refused)
    assert {of[0].key(to): "1" for to in PEOPLE[1:4]} | {of[1].key(""): "3 3"} == found.counts


def test_money_is_counted_by_the_price() -> None:
    """A message costs its segments by the price; what costs nothing is never over."""
    of = against("10 RUB/day", price=Decimal("2.5"))
    found = allot(of, 3, PEOPLE, {})
    assert (PEOPLE[:1], {of[0].key(""): "7.5"}) == (found.admitted, found.counts)
    assert PEOPLE == allot(against("10 RUB/day", price=Decimal(0)), 3, PEOPLE, {}).admitted


def test_four_fifths_are_told_once() -> None:
    """The first to pass them tells, and who comes later when the limit was raised; a recipient's is not told."""
    of = against("10/day", "1/day recipient")
    first = allot(of, 1, PEOPLE[:3], counts(of[:1], 5))
    assert ["8 of 10 segments/day used, until 00:00 on 2036-01-16 (UTC)"] == list(map(str, first.near))
    kept = {key: str(text) for key, text in first.counts.items()}
    assert [] == allot(of, 1, PEOPLE[3:4], kept).near
    (raised,) = against("11/day")
    assert [Decimal(9)] == [usage.used for usage in allot([raised], 1, PEOPLE[3:4], kept).near]


def test_a_limit_is_on_what_it_names() -> None:
    """A sender's and a tag's count what has them alone; the account's and a recipient's count everything."""
    every = [
        Limit.parse(each) for each in ("1/day", "1/day recipient", "1/day sender:ME", "1/day tag:sale", "1/day tag:x")
    ]
    message = Message("Hello", PEOPLE, tags=frozenset({"sale", "urgent"}))
    assert every[:4] == [each.limit for each in charges(every, message, "ME", None, NOW)]
    plain = charges(every, Message("Hello", PEOPLE), "OTHER", None, NOW)
    assert every[:2] == [each.limit for each in plain]


def test_a_key_tells_neither_number_nor_name() -> None:
    """It begins with the end of its period, and each scope and name has its own."""
    of = against("1/day", "1/month", "1/day recipient", "1/day tag:sale", "1 messages/day")
    found = [one.key(PEOPLE[0]) for one in of]
    assert len(found) == len(set(found))
    assert ["2036-01-16", "2036-02-01"] == [key.partition(" ")[0] for key in found[:2]]
    assert not any(PEOPLE[0][1:] in key or "sale" in key for key in found)


def test_what_was_not_sent_is_given_back() -> None:
    """What the gateway bills in place of what was expected counts; nothing is less than nothing, and goes away."""
    of = against("100/day", "100 messages/day", "9/day recipient")
    kept = counts(of[:2], 10) | counts(of[2:], 1, PEOPLE[0])
    found = corrected(of, 2, {PEOPLE[0]: 0, PEOPLE[1]: 3}, kept)
    assert {
        of[0].key(""): "9",
        of[1].key(""): "9",
        of[2].key(PEOPLE[0]): None,
        of[2].key(PEOPLE[1]): None,
    } == found


@given(
    some=st.lists(limits, min_size=1, max_size=4, unique_by=lambda limit: limit.rule),
    segments=st.integers(1, 12),
    price=st.sampled_from([Decimal("0.5"), Decimal(3)]),
    rounds=st.integers(1, 4),
)
def test_no_limit_is_ever_passed(some: list[Limit], segments: int, price: Decimal, rounds: int) -> None:
    """However often it is asked for, no count is above its limit, and giving all back leaves nothing but a word."""
    of = [charge(limit, NOW, Price(price)) for limit in some]
    kept: dict[str, str] = {}
    sent: list[str] = []
    for _ in range(rounds):
        found = allot(of, segments, PEOPLE, kept)
        assert set(PEOPLE) == {*found.admitted, *found.refused}
        kept |= {key: text for key, text in found.counts.items() if text is not None}
        sent += found.admitted
    amounts = {one.key(to): one.limit.amount for one in of for to in PEOPLE}
    assert all(Count.read(text).used <= amounts[key] for key, text in kept.items())
    for to in sent:
        kept |= {key: str(text or "0") for key, text in corrected(of, segments, {to: 0}, kept).items()}
    assert {Decimal(0)} >= {Count.read(kept.get(key)).used for key in keys(of, PEOPLE)}
