"""The quota: the token bucket and the daily cap, by a clock that the tests move."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devinotify_logging.quota import Go, Pause, Quota, QuotaLimits, Wait, full, spend
from devinotify_logging.settings import Rate

Grant = Go | Wait | Pause

LIMITS = QuotaLimits(Rate(5, 60), 3, 100)


def ask(
    quota: Quota, now: float, segments: int = 1, *, limits: QuotaLimits = LIMITS, day: int = 0, to: int = 1
) -> tuple[Quota, Grant]:
    """Ask for a message."""
    return spend(quota, limits, now, day, segments, to)


def test_burst_then_rate() -> None:
    """Three go out at once, the fourth after twelve seconds."""
    quota = full(0, 0)
    grants = []
    for _ in range(4):
        quota, grant = ask(quota, 0)
        grants.append(grant)
    assert [Go(), Go(), Go(), Wait(12.0)] == grants
    _, grant = ask(quota, 12.0)
    assert Go() == grant


def test_cap_keeps_room_for_the_notice() -> None:
    """With a cap of 5 two alerts of 2 segments go out, and the fifth segment is the notice's."""
    limits = QuotaLimits(Rate(1000, 1), 1000, 5)
    quota = full(0, 0)
    grants = []
    for _ in range(4):
        quota, grant = ask(quota, 0, 2, limits=limits)
        grants.append(grant)
    assert [Go(), Go(), Pause(notify=True), Pause(notify=False)] == grants
    assert 5 == quota.spent


def test_every_recipient_counts() -> None:
    """Three recipients cost three times as much, the notice too."""
    limits = QuotaLimits(Rate(1000, 1), 1000, 10)
    quota, first = ask(full(0, 0), 0, 2, limits=limits, to=3)
    quota, second = ask(quota, 0, 2, limits=limits, to=3)
    assert (Go(), Pause(notify=True), 9) == (first, second, quota.spent)


def test_cap_too_small_for_the_notice() -> None:
    """Where not even the notice fits, nothing is sent."""
    limits = QuotaLimits(Rate(1, 1), 1, 1)
    quota, grant = ask(full(0, 0), 0, limits=limits, to=2)
    assert (Pause(notify=False), 0) == (grant, quota.spent)


def test_new_day_begins_anew() -> None:
    """The day after the pause alerts go out again."""
    limits = QuotaLimits(Rate(1000, 1), 1000, 1)
    quota, paused = ask(full(0, 0), 0, limits=limits)
    assert Pause(notify=True) == paused
    limits = QuotaLimits(Rate(1000, 1), 1000, 10)
    _, grant = ask(quota, 86400, limits=limits, day=1)
    assert Go() == grant


def test_pause_is_told_once() -> None:
    """Once paused nothing goes out on that day: no second notice, and no smaller alert that would still have fitted."""
    limits = QuotaLimits(Rate(1000, 1), 1000, 10)
    quota, _ = ask(full(0, 0), 0, 4, limits=limits)
    quota, first = ask(quota, 1, 6, limits=limits)
    later = [ask(quota, 2 + number, segments, limits=limits)[1] for number, segments in enumerate((6, 1, 3))]
    assert (Pause(notify=True), [Pause(notify=False)] * 3, 5) == (first, later, quota.spent)


@pytest.mark.parametrize(("used", "expected"), [(2.5, 6.0), (3.0, 12.0), (2.25, 3.0), (2.0, None)])
def test_wait_with_a_part_of_a_token(used: float, expected: float | None) -> None:
    """Who has a part of a token waits for the rest of it alone."""
    _, grant = ask(Quota(used, 0.0, 0, 0, 0), 0)
    assert (Go() if expected is None else Wait(expected)) == grant


def test_closing_takes_in_advance() -> None:
    """The last message of a process may be one too many; a second may not, and the next alert waits for both."""
    quota = Quota(3.0, 0.0, 0, 0, 0)
    quota, closing = spend(quota, LIMITS, 0, 0, 1, closing=True)
    quota, again = spend(quota, LIMITS, 0, 0, 1, closing=True)
    _, alert = ask(quota, 0)
    assert (Go(), Wait(12.0), Wait(24.0)) == (closing, again, alert)


def test_closing_keeps_the_daily_limit() -> None:
    """Not even the last message exceeds the day's segments."""
    _, grant = spend(Quota(0.0, 0.0, 0, 100, 0), LIMITS, 0, 0, 1, closing=True)
    assert Pause(notify=False) == grant


def test_others_limits() -> None:
    """Of two handlers with one quota each is held to its own limits: what one has used, the other may not use again."""
    small, great = QuotaLimits(Rate(5, 60), 1, 5), QuotaLimits(Rate(5, 60), 4, 100)
    quota, first = ask(full(0, 0), 0, 4, limits=small)
    quota, second = ask(quota, 0, 1, limits=small)
    quota, third = ask(quota, 0, limits=great)
    _, fourth = ask(quota, 60, limits=small)
    assert (Go(), Pause(notify=True), Go(), Pause(notify=False)) == (first, second, third, fourth)
    assert (2.0, 6) == (quota.used, quota.spent)


def test_clock_put_back_refills_nothing() -> None:
    """A clock that jumps back gives no tokens, and does not stop the refill from there on."""
    quota = Quota(3.0, 1000.0, 0, 0, 0)
    quota, grant = ask(quota, 400.0)
    assert Wait(12.0) == grant
    _, grant = ask(quota, 412.0)
    assert Go() == grant


@pytest.mark.parametrize("rate", [Rate(1, 3), Rate(7, 60), Rate(0.3, 11)])
def test_wait_is_long_enough(rate: Rate) -> None:
    """Whoever waits as long as was said may go, whatever the rounding."""
    limits = QuotaLimits(rate, 1, 10**6)
    quota, now = full(0, 0), 1.7e9
    for _ in range(200):
        quota, grant = ask(quota, now, limits=limits)
        if isinstance(grant, Wait):
            now += grant.seconds + 1e-6
            quota, grant = ask(quota, now, limits=limits)
            assert Go() == grant


@given(
    st.lists(st.tuples(st.floats(0, 5000), st.integers(1, 5), st.integers(1, 3)), max_size=100),
    st.integers(1, 60),
    st.integers(1, 5),
)
def test_never_more_than_allowed(asked: list[tuple[float, int, int]], daily: int, burst: int) -> None:
    """In any stretch of time no more go out than burst and rate allow, and on no day more segments than the cap."""
    limits = QuotaLimits(Rate(5, 60), burst, daily)
    quota, now = full(0, 0), 0.0
    sent: list[float] = []
    spent: dict[int, int] = {}
    for pause, segments, to in asked:
        now += pause
        day = int(now // 86400)
        quota, grant = ask(quota, now, segments, limits=limits, day=day, to=to)
        if isinstance(grant, Go):
            sent.append(now)
            spent[day] = spent.get(day, 0) + segments * to
        elif isinstance(grant, Pause) and grant.notify:
            spent[day] = spent.get(day, 0) + to
    assert all(total <= daily for total in spent.values())
    for first, start in enumerate(sent):
        for last, end in enumerate(sent[first:], first):
            assert last - first + 1 <= burst + (end - start) * 5 / 60 + 1e-6
