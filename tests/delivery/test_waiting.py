"""Waiting: what is to be sent comes before what is only looked at."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, cast

import pytest

from devinotify.channels.batch import accepted, failed
from devinotify.delivery import waiting
from devinotify.delivery.looking import RATE
from devinotify.delivery.turns import Turns
from devinotify.delivery.waiting import Waiting
from devinotify.exceptions import OutcomeUnknown
from devinotify.models import DeliveryStatus, Receipt, SmsState
from tests.plain_channel import PlainChannel

if TYPE_CHECKING:
    from devinotify.channels.protocol import Channel
    from devinotify.delivery.tracking import Tracker
    from devinotify.gateway.client import Client
    from devinotify.models import Outcome

LOOK = 20.0
"""Seconds that a look takes at this gateway."""
NUMBERS = [f"+7916000000{digit}" for digit in range(10)]


class Slow(PlainChannel):
    """A clock, and a channel and a fallback's tracker each of whose looks takes long by it."""

    name = "slow"

    def __init__(self) -> None:
        self.now = 1000.0
        self.looks: list[tuple[float, str]] = []
        self.takes = LOOK

    def monotonic(self) -> float:
        """Return the time."""
        return self.now

    def sleep(self, seconds: float) -> None:
        """Let time pass."""
        self.now += seconds

    def state(self, receipt: Receipt, client: object) -> SmsState:
        """Look for long, and find it under way."""
        self._look(receipt.recipient)
        return SmsState(DeliveryStatus.SENT, -1)

    def look(self, outcome: Outcome) -> tuple[Outcome, bool]:
        """Look at a fallback, which takes its step where that is due."""
        self._look("step")
        return outcome, False

    def _look(self, what: str) -> None:
        self.looks.append((self.now - 1000.0, what))
        self.now += self.takes


@pytest.fixture
def slow(monkeypatch: pytest.MonkeyPatch) -> Slow:
    """Give the slow gateway, whose time is the waiting's."""
    made = Slow()
    monkeypatch.setattr(waiting, "time", made)
    return made


def wait(slow: Slow, outcomes: list[Outcome], timeout: float, turns: Turns | None = None) -> list[tuple[float, str]]:
    """Wait, and return who was looked at when, in seconds from the start."""
    Waiting(
        cast("Client", None),
        {"slow": cast("Channel", slow)}.__getitem__,
        fallbacks={"a-b"},
        tracker=lambda: cast("Tracker", slow),
        observe=lambda *_: None,
        poll=1.0,
        patience=50.0,
        turns=Turns(int(RATE)) if turns is None else turns,
    ).wait(outcomes, timeout)
    return slow.looks


def taken(channel: str, recipient: str, *, ago: float = 0.0, ids: tuple[str, ...] = ("1",)) -> Outcome:
    """Return an outcome that was accepted so many seconds ago."""
    at = datetime.now(UTC) - timedelta(seconds=ago)
    return accepted(channel, recipient, Receipt(recipient, ids, 1, channel, sent_at=at))


def plain(number: str) -> Outcome:
    """Return an outcome that was accepted just now."""
    return taken("slow", number)


def test_a_step_that_falls_due_comes_before_the_looks(slow: Slow) -> None:
    """Ten looks of twenty seconds each would keep it waiting for minutes: it waits for the one under way."""
    looks = wait(slow, [*(taken("slow", number) for number in NUMBERS), taken("a-b", NUMBERS[0])], 400)
    steps = [at for at, what in looks if what == "step"]
    assert 50 <= steps[0] < 50 + LOOK


@pytest.mark.parametrize("overdue", [True, False], ids=["patience is over", "the first step is unknown"])
def test_a_step_that_is_due_comes_first(slow: Slow, overdue: bool) -> None:
    """Whatever stands before it in the list."""
    due = taken("a-b", NUMBERS[0], ago=60) if overdue else failed("a-b", NUMBERS[0], OutcomeUnknown("?"))
    looks = wait(slow, [*(taken("slow", number) for number in NUMBERS), due], 400)
    assert "step" == looks[0][1]


@pytest.mark.parametrize("timeout", [0, 30])
def test_looks_keep_to_the_pace_of_the_vendor(slow: Slow, timeout: float) -> None:
    """Ten requests a second, however many deliveries are waited for; a message with two ids takes two of them."""
    slow.takes = 0.0
    long = [taken("slow", number, ids=("1", "2")) for number in NUMBERS[5:]]
    looks = wait(slow, [*map(plain, NUMBERS[:5] * 3), *long], timeout)
    requests = [at for at, what in looks for _ in range(1 + (what in NUMBERS[5:]))]
    assert len(requests) >= 25
    assert 10 >= max(sum(at <= other < at + 1 - 1e-6 for other in requests) for at in requests)


def test_a_turn_that_comes_too_late_is_not_waited_for(slow: Slow) -> None:
    """Others have taken the turns of the next minute: the wait ends when its time is over."""
    slow.takes = 0.0
    turns = Turns(10)
    turns.take(600, slow.now)
    assert ([], 1005.0) == (wait(slow, [plain(NUMBERS[0])], 5, turns), slow.now)


def test_a_step_does_not_wait_for_a_turn(slow: Slow) -> None:
    """Somebody waits for that message."""
    turns = Turns(10)
    turns.take(600, slow.now)
    assert (0.0, "step") == wait(slow, [taken("a-b", NUMBERS[0], ago=60)], 5, turns)[0]


def test_without_time_each_is_looked_at_once(slow: Slow) -> None:
    """A step that would fall due meanwhile is no reason for another look."""
    looks = wait(slow, [*(taken("slow", number) for number in NUMBERS), taken("a-b", NUMBERS[0], ago=40)], 0)
    assert sorted([*NUMBERS, "step"]) == sorted(what for _, what in looks)


def test_what_is_decided_is_looked_at_no_more(slow: Slow, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not even when its step would have been due."""

    def delivered(outcome: Outcome) -> tuple[Outcome, bool]:
        slow._look("step")
        return replace(outcome, state=SmsState(DeliveryStatus.DELIVERED, 0)), True

    monkeypatch.setattr(slow, "look", delivered)
    looks = wait(slow, [taken("a-b", NUMBERS[0]), taken("slow", NUMBERS[1])], 200)
    assert 1 == [what for _, what in looks].count("step")
