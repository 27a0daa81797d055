"""The plan: what is told before anything is sent."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from devinotify import Notifier, hookimpl, make_plugin_manager
from devinotify.bulk import Campaign, End
from devinotify.exceptions import InvalidSchedule, PluginError
from devinotify.outbox import RowState
from tests.bulk.conftest import numbers

if TYPE_CHECKING:
    from pathlib import Path

    from devinotify.models import Message
    from devinotify.sandbox import Sandbox
    from tests.bulk.conftest import Write

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
