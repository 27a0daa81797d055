"""The stop list: what counts of several wishes, and what all who share an outbox see."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import permutations
from typing import TYPE_CHECKING

from devinotify import Outbox
from hypothesis import given
from hypothesis import strategies as st

from devinotify_opt_out import Entry, StopList
from devinotify_opt_out.stop_list import settled

if TYPE_CHECKING:
    from pathlib import Path

NUMBER, OTHER = "+79161234567", "+79161234568"
NOON = datetime(2026, 1, 15, 12, tzinfo=UTC)
entries = st.builds(
    Entry,
    st.booleans(),
    st.integers(0, 3).map(lambda hours: NOON + timedelta(hours=hours)),
    st.sampled_from(["word", "hand"]),
    st.sampled_from("abc"),
)


@given(st.lists(entries, min_size=1, max_size=4))
def test_the_order_of_wishes_does_not_matter(wishes: list[Entry]) -> None:
    """Nor how often each is told: the last one counts, by its own time, and at the same time the one that stops."""
    results = set()
    for order in permutations(wishes):
        known = None
        for wish in (*order, *order[:1]):
            known = settled(known, wish)
        assert known is not None
        results.add((known.out, known.at))
    latest = max(wish.at for wish in wishes)
    assert {(any(wish.out for wish in wishes if wish.at == latest), latest)} == results


def test_who_says_it_again_began_with_the_first() -> None:
    """So that one confirmation is enough; who comes back and goes again begins anew."""
    first, again, back, gone = (
        Entry(out=out, at=NOON + timedelta(hours=hours), by="word", message=str(hours))
        for hours, out in enumerate([True, True, False, True], 1)
    )
    assert ("1", "3", "4") == (
        settled(first, again).message,
        settled(settled(first, again), back).message,
        settled(settled(first, back), gone).message,
    )


@given(entries)
def test_an_entry_is_stored_as_it_is(entry: Entry) -> None:
    """What comes back is what was written."""
    assert entry == Entry.decode(entry.encode())


def test_all_who_share_an_outbox_see_it(tmp_path: Path) -> None:
    """Whoever has put a number on it, and whoever takes it off."""
    with Outbox(tmp_path / "a.db") as first, Outbox(tmp_path / "a.db") as second, Outbox(tmp_path / "b.db") as third:
        assert 1 == StopList(first).set([NUMBER, NUMBER], out=True, by="hand")
        seen = [StopList(each).among([NUMBER, OTHER]) for each in (first, second, third)]
        assert [{NUMBER}, {NUMBER}, set()] == seen
        assert (1, 0, set()) == (
            StopList(second).set([NUMBER, OTHER], out=False, by="hand"),
            StopList(second).set([NUMBER], out=False, by="hand"),
            StopList(first).among([NUMBER]),
        )
        assert ([], 1) == (list(StopList(first)), len(list(first.bucket("opt-out").items())))
