"""Events over time: none is lost, and the axis fits, be it seconds or years."""

from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from devinotify.bulk.timeline import KEPT, MOST_BINS, Timeline
from tests.tables import table

NOON = 1_769_601_600  # 2026-01-28 12:00 UTC
EVENTS = st.lists(st.tuples(st.sampled_from("ab"), st.floats(0, 4e9) | st.floats(NOON, NOON + 100)), min_size=1)


def test_what_happened_within_a_second_is_seen_at_that_second() -> None:
    """The line rises over the second, and lies flat where nothing happened."""
    timeline = Timeline(("sent", "delivered"))
    timeline.add("sent", [NOON + 0.2] * 5)
    timeline.add("delivered", [NOON + 2.9] * 3)
    curve = timeline.curve()
    assert curve is not None
    assert ([NOON, NOON + 1, NOON + 2, NOON + 3], {"sent": [0, 5, 5, 5], "delivered": [0, 0, 0, 3]}) == (
        curve.times,
        curve.until,
    )


def test_what_never_happened_has_no_line() -> None:
    """Nothing was delivered yet."""
    timeline = Timeline(("sent", "delivered"))
    assert None is timeline.curve()
    timeline.add("sent", [NOON])
    curve = timeline.curve()
    assert curve is not None
    assert ["sent"] == list(curve.until)


@table("seconds, width", [(16, 1), (3600, 60), (3 * 86_400, 3600), (400 * 86_400, 2 * 86_400)])
def test_the_axis_fits_the_campaign(seconds: int, width: int) -> None:
    """Seconds for one that took a quarter of a minute, an hour for one of three days."""
    timeline = Timeline(("sent",))
    for step in range(1001):
        timeline.add("sent", [NOON + seconds * step / 1000])
    curve = timeline.curve()
    assert curve is not None
    assert {width} == {then - one for one, then in zip(curve.times, curve.times[1:], strict=False)}


@given(EVENTS)
def test_no_event_is_lost(events: list[tuple[str, float]]) -> None:
    """Each line begins at nothing, never falls, and ends at all there were, within the points that a curve may have."""
    timeline = Timeline("ab")
    for kind, moment in events:
        timeline.add(kind, [moment])
    curve = timeline.curve()
    assert curve is not None
    assert Counter(kind for kind, _ in events) == {kind: line[-1] for kind, line in curve.until.items()}
    assert all(line[0] == 0 and sorted(line) == line for line in curve.until.values())
    assert len(curve.times) <= MOST_BINS + 1
    assert curve.times[0] <= min(moment for _, moment in events) <= max(at for _, at in events) <= curve.times[-1]


def test_memory_does_not_grow_with_the_days() -> None:
    """However long it all takes, so many spans are counted apart at most, and no event is lost."""
    timeline = Timeline(("sent",))
    for step in range(3 * KEPT):
        timeline.add("sent", [NOON + 7 * step])
    curve = timeline.curve()
    assert curve is not None
    assert (True, 3 * KEPT) == (len(timeline._bins["sent"]) <= KEPT, curve.until["sent"][-1])
