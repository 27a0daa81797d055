"""Prefect as a host of devinotify: the conformance suite, by an automation's action and by a task with retries."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, cast
from uuid import uuid4

from devinotify.testing import HostSuite, Told
from prefect.blocks.abstract import NotificationBlock, NotificationError
from prefect.server.events.actions import ActionFailed, SendNotification
from pydantic import PrivateAttr

from devinotify_prefect import DevinoNotification

if TYPE_CHECKING:
    from collections.abc import Sequence


class _Action(SendNotification):
    """Prefect's action as it is, but for the server from which it has its block and the run that it tells of."""

    _block: NotificationBlock = PrivateAttr()

    async def _get_notification_block(self, triggered_action: object) -> NotificationBlock:
        return self._block

    async def render(self, triggered_action: object) -> list[str]:
        return [self.subject, self.body]


class TestAutomation(HostSuite):
    """The server repeats an action that ends in any error but the one that it counts as a failure."""

    def send(self, url: str, text: str, to: Sequence[str]) -> Told:
        """Act, on an event loop of its own."""
        action = _Action(block_document_id=uuid4(), subject="", body=text)
        action._block = DevinoNotification(url=url, to=list(to))
        try:
            asyncio.run(action.act(cast("Any", None)))
        except ActionFailed:
            return Told(sent=False)
        except Exception:  # noqa: BLE001 - whatever it is, the server's consumer puts the action back
            return Told(sent=False, again=True)
        return Told(sent=True)


class TestTask(HostSuite):
    """A task with retries does again whatever raises; what does not raise is told to the log."""

    def send(self, url: str, text: str, to: Sequence[str]) -> Told:
        """Notify as a task does that is no coroutine."""
        try:
            DevinoNotification(url=url, to=list(to)).notify(text)
        except NotificationError:
            return Told(sent=False, again=True)
        return Told(sent=None)
