"""Which posts are one message, and which are another."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from devinotify_webhook import keys
from devinotify_webhook.alerts import instant, notification
from tests.support import alert, payload

WINDOW = 600.0
NOON = instant("2026-11-28T12:00:00Z") or 0.0


def key_of(document: dict[str, Any], receiver: str = "oncall", window: float = WINDOW) -> keys.Key:
    """Return the key of a posted notification."""
    told = notification(document)
    return keys.of_alerts(receiver, told, told.alerts, window)


BASE = payload(alert("A"), alert("B"))


def test_the_order_of_alerts_is_nothing() -> None:
    """The same alerts in another order are the same message."""
    assert key_of(BASE) == key_of(payload(alert("B"), alert("A")))


def test_both_peers_write_times_alike() -> None:
    """A start is an instant, whatever zone it is written in."""
    one, other = (payload(alert(starts=starts)) for starts in ("2026-11-28T10:00:00Z", "2026-11-28T13:00:00.0+03:00"))
    assert key_of(one) == key_of(other)


@pytest.mark.parametrize(
    "other",
    [
        payload(alert("A")),
        payload(alert("A"), alert("C")),
        payload(alert("A"), alert("B", status="resolved")),
        payload(alert("A"), alert("B", starts="2026-11-28T10:00:01Z")),
        payload(alert("A"), alert("B"), group="{}:{}"),
        payload(alert("A"), alert("B"), notification_reason="repeat interval elapsed"),
    ],
)
def test_what_makes_another_message(other: dict[str, Any]) -> None:
    """One alert less, another one, a resolved one, one that began anew, another group, a repeat."""
    assert key_of(BASE).base != key_of(other).base


def test_another_receiver_is_another_message() -> None:
    """Each receiver gets its own."""
    assert key_of(BASE).base != key_of(BASE, "others").base


@pytest.mark.parametrize("reason", ["first notification", "new alerts added", "some alerts resolved", ""])
def test_news_is_news_whatever_it_is_called(reason: str) -> None:
    """One peer may call news what is the first for the other: the alerts tell whether it is the same."""
    assert key_of(BASE) == key_of({**BASE, "notification_reason": reason})


@settings(max_examples=200, deadline=None)
@given(
    first=st.floats(0, 10**7),
    later=st.floats(0, WINDOW - 0.001),
    anchor=st.sampled_from([0.0, NOON, NOON + 0.5]),
)
def test_within_a_window_it_is_one(first: float, later: float, anchor: float) -> None:
    """Two posts less than a window apart have one key, or the later one looks into the window of the first."""
    key = keys.Key("k", WINDOW, anchor)
    assert key.at(NOON + first) in (key.at(NOON + first + later), key.before(NOON + first + later))


@settings(max_examples=200, deadline=None)
@given(first=st.floats(0, 10**7), later=st.floats(WINDOW + 0.001, 10**6))
def test_after_a_window_it_is_another(first: float, later: float) -> None:
    """A post more than a window later never has the first one's key."""
    key = keys.Key("k", WINDOW, NOON)
    assert key.at(NOON + first) != key.at(NOON + first + later)


@settings(max_examples=200, deadline=None)
@given(
    window=st.floats(0.5, 10**5),
    number=st.integers(0, 1000),
    before=st.floats(0.001, 0.499),
    after=st.floats(0.001, 0.499),
    anchor=st.sampled_from([0.5, NOON]),
)
def test_no_border_is_crossed_unseen(window: float, number: int, before: float, after: float, anchor: float) -> None:
    """Two posts with a border between them, and little time, are both near it: one of them is let through."""
    key, near = keys.Key("k", window, anchor), min(keys.NEAR, window / 2)
    border = anchor + (number + 0.5) * window
    one, other = border - before * near, border + after * near
    assert key.at(one) == key.before(other)
    assert (near, near) == (key.near(one), key.near(other))


def test_near_a_border() -> None:
    """A border is near for seconds on either side of it, and where there are no windows none is."""
    key = keys.Key("k", WINDOW, NOON)
    border = NOON + WINDOW / 2
    asked = (border - 5.1, border - 4.9, border, border + 4.9, border + 5.1)
    assert [None, keys.NEAR, keys.NEAR, keys.NEAR, None] == [key.near(now) for now in asked]
    assert (0.5, None) == (keys.Key("k", 1).near(NOON), keys.given("sms", "order 17").near(NOON))


def test_a_window_is_laid_by_the_alerts() -> None:
    """Just after an alert has begun, or was resolved, no border is near."""
    for document, at in (
        (payload(alert()), "2026-11-28T10:00:00Z"),
        (payload(alert(status="resolved")), "2026-11-28T10:05:00Z"),
    ):
        key, begun = key_of(document), instant(at) or 0.0
        assert key.at(begun) == key.at(begun + WINDOW / 2 - 1) == key.at(begun - WINDOW / 2 + 1)


def test_a_key_of_ones_own_is_for_ever() -> None:
    """A key that is given is one message, whenever it comes again; each receiver has its own."""
    key = keys.given("sms", "order 17")
    assert (key.at(0), None) == (key.at(10**9), key.before(0))
    assert key != keys.given("others", "order 17")


def test_texts() -> None:
    """The same text to the same people is one message, in whatever order they are named."""
    assert keys.of_text("a", "t", ["1", "2"], None, 5) == keys.of_text("a", "t", ["2", "1"], None, 5)
    assert keys.of_text("a", "t", ["1"], None, 5) != keys.of_text("a", "t", ["1"], "title", 5)
