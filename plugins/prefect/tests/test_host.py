"""Prefect as a host of devinotify: the conformance suite, by an automation's action and by a task with retries."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING, Any, cast
from uuid import uuid4

from devinotify.testing import HostSuite, Told
from prefect.blocks.abstract import NotificationBlock, NotificationError
from prefect.server.events.actions import ActionFailed, SendNotification
from prefect.server.utilities.messaging import create_consumer, create_publisher
from pydantic import PrivateAttr

from devinotify_prefect import DevinoNotification
from tests.servers import PATIENCE

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


def test_prefect_repeats_what_ends_in_any_other_error() -> None:
    """Prefect's own consumer delivers an action four times that ends in an error which is not its own failure."""
    delivered: list[object] = []

    async def main() -> None:
        over = asyncio.Event()

        async def act(message: object) -> None:
            delivered.append(message)
            if len(delivered) == 4:
                over.set()
            raise RuntimeError

        async with create_publisher("devinotify") as publisher:
            consuming = asyncio.create_task(create_consumer("devinotify").run(act))
            await asyncio.sleep(0)
            await publisher.publish_data(b"action", {})
            async with asyncio.timeout(PATIENCE):
                await over.wait()
            consuming.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await consuming

    asyncio.run(main())
    assert 4 == len(delivered)
