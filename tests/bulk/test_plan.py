"""The plan: what is told before anything is sent."""

from __future__ import annotations

import heapq
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from devinotify import Notifier, hookimpl, make_plugin_manager
from devinotify.bulk import Campaign, End, Journal, Speed, outlook
from devinotify.bulk.plan import LEAST, PER_RECIPIENT, estimate_seconds
from devinotify.cli import plans
from devinotify.delivery.rate_limit import Pace
from devinotify.exceptions import InvalidSchedule, PluginError
from devinotify.outbox import RowState
from tests.bulk.conftest import numbers
from tests.outbox.support import Clock

if TYPE_CHECKING:
    from pathlib import Path

    from devinotify.models import Message
    from devinotify.sandbox import Sandbox
    from tests.bulk.conftest import Begin, Write

MORNING = datetime(2099, 1, 1, 8, tzinfo=UTC)


class Quiet:
    """Holds back every message until a morning, or refuses it."""

    def __init__(self, fault: Exception | None = None) -> None:
        self.fault = fault
        self.asked = 0

    @hookimpl
    def devinotify_prepare_message(self, message: Message) -> list[Message]:
        """Answer as at night."""
        self.asked += 1
        if self.fault is not None:
            raise self.fault
        return [replace(message, send_at=MORNING)]


def notifier(gateway: Sandbox, plugin: Quiet) -> Notifier:
    """Return a Notifier on the gateway, with the plugin."""
    return Notifier(gateway.url, plugins=make_plugin_manager(plugin))


def test_quiet_hours_are_told_before(gateway: Sandbox, write: Write) -> None:
    """The plan says until when messages would be held back; nothing is sent for that."""
    with (
        notifier(gateway, Quiet()) as night,
        Campaign(night, write("\n".join(numbers(3)), "a.txt"), text="Hi") as campaign,
    ):
        plan = campaign.plan()
    assert (MORNING, None, []) == (plan.held, plan.refused, gateway.messages())


@pytest.mark.parametrize(("fault", "kind"), [(None, InvalidSchedule), (ValueError("no"), PluginError)])
def test_what_would_be_refused_is_told_before(
    gateway: Sandbox, write: Write, fault: Exception | None, kind: type[Exception]
) -> None:
    """A channel that cannot send later, held back at night, and a plugin that fails."""
    with (
        notifier(gateway, Quiet(fault)) as night,
        Campaign(night, write("\n".join(numbers(3)), "a.txt"), text="Hi", channel="viber") as campaign,
    ):
        plan = campaign.plan()
    assert (None, True) == (plan.held, isinstance(plan.refused, kind))


def test_a_campaign_on_viber_at_night_goes_on_in_the_morning(gateway: Sandbox, write: Write, tmp_path: Path) -> None:
    """The plan warns, all are not sent for that reason, the end says it and what to do, and that goes on."""
    some = write("\n".join(numbers(3)), "a.txt")
    options: dict[str, Any] = {"text": "Hi", "channel": "viber", "journal": tmp_path / "c.db"}
    with notifier(gateway, Quiet()) as night, Campaign(night, some, **options) as campaign:
        refused, result = campaign.plan().refused, campaign.run()
    assert (InvalidSchedule, End.DONE, 3, []) == (type(refused), result.end, result.tally.not_sent, gateway.messages())
    assert [RowState.NOT_SENT] == list(result.reasons)
    with Notifier(gateway.url) as morning, Campaign(morning, some, **options) as campaign:
        same = campaign.run()
    with Notifier(gateway.url) as morning, Campaign(morning, some, **options) as campaign:
        again = campaign.run(retry=[RowState.NOT_SENT, RowState.REJECTED])
    assert (3, 3, {}, 3) == (same.tally.not_sent, again.tally.accepted, again.reasons, len(gateway.messages()))


# --- how long it takes


def simulated(recipients: int, size: int, speed: Speed, latency: float) -> float:
    """Return when the last request of a campaign is answered: the connections and the pace are its own, the clock not.

    Each request takes ``latency`` seconds, and a little for each recipient.
    """
    clock = Clock(0.0)
    pace = Pace(speed, clock)
    under_way: list[float] = []
    while recipients:
        if len(under_way) == speed.connections:
            clock.now = max(clock.now, heapq.heappop(under_way))
            pace.leave()
        while pace.wait:  # a sum of floats may fall short of it by a hair
            clock.now += pace.wait
        batch = min(size, recipients)
        assert pace.enter(batch)
        recipients -= batch
        heapq.heappush(under_way, clock.now + latency + batch * PER_RECIPIENT)
    return max(under_way, default=0.0)


@given(
    recipients=st.integers(0, 20_000),
    personal=st.booleans(),
    connections=st.integers(1, 32),
    batch=st.integers(1, 1000),
    rate=st.none() | st.floats(1.0, 5000.0),
    latency=st.floats(0.0, 30.0),
)
@example(recipients=30, personal=False, connections=8, batch=500, rate=None, latency=0.01)
@example(recipients=9, personal=True, connections=8, batch=500, rate=None, latency=10.0)
@example(recipients=100, personal=False, connections=8, batch=500, rate=10.0, latency=10.0)
@example(recipients=501, personal=False, connections=8, batch=500, rate=None, latency=0.2)
def test_the_time_is_near_what_a_campaign_takes(
    recipients: int, personal: bool, connections: int, batch: int, rate: float | None, latency: float
) -> None:
    """Whatever the rate, the connections, the batch and the gateway: within a quarter and two seconds of it."""
    speed = Speed(connections, batch, rate)
    size = 1 if personal else speed.size
    estimate = estimate_seconds(recipients, size, speed, latency)
    taken = simulated(recipients, size, speed, max(latency, LEAST))
    assert abs(estimate - taken) <= 0.25 * taken + 2.0, (estimate, taken)


@pytest.mark.parametrize(
    ("rate", "latency", "told"), [(None, 0.0, "a second"), (1.0, 0.0, "30 s"), (None, 30.0, "30 s")]
)
def test_the_time_is_told_in_words(
    begin: Begin, monkeypatch: pytest.MonkeyPatch, rate: float | None, latency: float, told: str
) -> None:
    """Thirty recipients take a second where nothing is slow, half a minute at one a second or on a slow gateway."""
    monkeypatch.setattr(
        "devinotify.bulk.campaign.ask_account",
        lambda client: outlook.Account(round_trip=latency),  # noqa: ARG005 - it is not asked
    )
    plan = begin("\n".join(numbers(30)), name="a.txt", journal=None).plan(Speed(rate=rate))
    assert told == dict(plans.plan_rows(plan))["takes about"]


@pytest.mark.parametrize(("rate", "seconds", "batch"), [(None, 100, 10), (5.0, 200, 5), (50.0, 100, 10)])
def test_the_pace_of_the_journal_is_the_plans(
    begin: Begin, tmp_path: Path, rate: float | None, seconds: int, batch: int
) -> None:
    """A campaign is no faster than all who send beside it may be together, whatever it is asked for."""
    campaign = begin("\n".join(numbers(1001)), name="a.txt")
    campaign.run(Speed(limit=1, batch=1))
    with Journal(tmp_path / "campaign.db") as journal:
        journal.outbox.set_pace(10)
    plan = campaign.plan(Speed(rate=rate), ask=False)
    assert (seconds, batch, 1000) == (int(plan.seconds), plan.batch, plan.now)
