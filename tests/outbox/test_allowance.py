"""``Outbox.allow``: so many uses of a name in a span of time, counted once for all who share the outbox."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from devinotify.exceptions import InvalidInput
from devinotify.outbox import Outbox, allowance
from tests.outbox.support import NUMBER
from tests.tables import table

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.outbox.conftest import Place, Places
    from tests.outbox.support import Clock


def test_no_more_than_allowed(outbox: Outbox) -> None:
    """So many are allowed, and no more."""
    assert [True, True, False, False] == [outbox.allow(NUMBER, 2, 60) for _ in range(4)]


def test_each_name_for_itself(outbox: Outbox) -> None:
    """What one name has used is none of another's."""
    assert [True, True] == [outbox.allow(name, 1, 60) for name in ("one", "two")]


def test_again_when_it_is_over(outbox: Outbox, clock: Clock) -> None:
    """A use counts for its span of time, by the outbox's clock, and a refused one does not count."""
    assert outbox.allow(NUMBER, 1, 60)
    clock.now += 59
    assert not outbox.allow(NUMBER, 1, 60)
    clock.now += 2
    assert outbox.allow(NUMBER, 1, 60)


def test_several_uses_are_counted_or_none(outbox: Outbox) -> None:
    """Where some of them would be too many, none is counted; no use is always allowed."""
    assert [True, False, True, False, True] == [outbox.allow(NUMBER, 3, 60, uses=uses) for uses in (2, 2, 1, 1, 0)]


def test_what_is_given_back_does_not_count(outbox: Outbox, clock: Clock) -> None:
    """The last uses are those that were not made; the earlier ones count as they did, and no more than all can go."""
    assert outbox.allow(NUMBER, 3, 60)
    clock.now += 30
    assert outbox.allow(NUMBER, 3, 60, uses=2)
    outbox.give_back(NUMBER, uses=2)
    assert [True, False] == [outbox.allow(NUMBER, 3, 60, uses=uses) for uses in (2, 1)]
    clock.now += 31
    assert [True, False] == [outbox.allow(NUMBER, 3, 60), outbox.allow(NUMBER, 3, 60)]
    outbox.give_back(NUMBER, uses=9)
    outbox.give_back("nobody")
    assert outbox.allow(NUMBER, 3, 60, uses=3)


def test_what_one_counts_another_gives_back(place: Place) -> None:
    """It is one count for all who share the outbox."""
    one, other = place.open(), place.open()
    assert [True, False] == [one.allow(NUMBER, 1, 60), other.allow(NUMBER, 1, 60)]
    other.give_back(NUMBER)
    assert one.allow(NUMBER, 1, 60)


@table("ask", [lambda box: box.allow(NUMBER, 1, 60, uses=-1), lambda box: box.give_back("", uses=-1)])
def test_uses_are_a_count(ask: Callable[[Outbox], object], places: Places) -> None:
    """A negative number of them is refused."""
    outbox = places().open()
    with pytest.raises(InvalidInput, match="uses"):
        ask(outbox)


def test_one_count_for_all(place: Place) -> None:
    """Those who ask at the same time, each by an outbox of its own, get no more than allowed between them."""
    outboxes = [place.open() for _ in range(4)]
    with ThreadPoolExecutor(4) as pool:
        allowed = list(pool.map(lambda number: outboxes[number % 4].allow(NUMBER, 5, 3600), range(24)))
    assert 5 == sum(allowed)


def test_within_is_seconds(outbox: Outbox) -> None:
    """A span that is none is refused."""
    with pytest.raises(InvalidInput, match="within"):
        outbox.allow(NUMBER, 1, -1)


def test_forgets_and_tells_no_name() -> None:
    """What is kept does not tell the name, and holds nothing that is over."""
    note, who = allowance.note_of(NUMBER)
    kept = allowance.take('{"other":[5.0]}', who, now=10.0, most=1, within=60)
    assert f'{{"{who}":[70.0]}}' == kept
    assert NUMBER not in note + kept


def test_what_is_given_back_leaves_nothing() -> None:
    """A name whose uses are all given back is forgotten."""
    _, who = allowance.note_of(NUMBER)
    assert "{}" == allowance.untake(f'{{"{who}":[70.0],"other":[5.0]}}', who, now=10.0, uses=1)


def test_names_share_texts() -> None:
    """However many names there are, a store keeps a thousand texts for them."""
    notes = {allowance.note_of(f"+7916{number:07d}")[0] for number in range(20_000)}
    assert allowance.PARTS == len(notes)
