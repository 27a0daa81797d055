"""The plan: what is told before anything is sent."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from devinotify import Notifier, hookimpl, make_plugin_manager
from devinotify.bulk import Campaign
from devinotify.exceptions import InvalidSchedule, PluginError
from tests.bulk.conftest import numbers

if TYPE_CHECKING:
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
