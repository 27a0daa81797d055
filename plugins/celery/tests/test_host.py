"""Celery as a host of devinotify: the conformance suite, by the task and by the outbox with its bell."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from celery import Celery
from devinotify import DevinotifyError, RowState
from devinotify.testing import HostSuite, Told

from devinotify_celery import drain, get_notifier, notifiers, notify

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

SENT = (RowState.ACCEPTED, RowState.DELIVERED)


class _Apps:
    """Apps by account, whose tasks run in place."""

    apps: dict[str, Any]
    folder: Path

    @pytest.fixture(autouse=True)
    def _app_folder(self, tmp_path: Path) -> Iterator[None]:
        self.apps, self.folder = {}, tmp_path
        yield
        notifiers.shared.close()
        for app in self.apps.values():
            app.close()

    def app(self, url: str) -> Any:
        """Return the app of an account."""
        if url not in self.apps:
            made = Celery(f"shop{len(self.apps)}", broker="memory://", backend="cache+memory://", set_as_current=False)
            made.conf.update(devinotify_url=url, devinotify_outbox=str(self.folder / f"{len(self.apps)}.db"))
            made.conf.task_always_eager = True
            self.apps[url] = made
        return self.apps[url]


class TestNotify(_Apps, HostSuite):
    """A task that sends; a failure that is worth it is tried again by whoever called it."""

    def send(self, url: str, text: str, to: Sequence[str]) -> Told:
        """Run the task in place."""
        result = self.app(url).tasks[notify.name].apply((text, list(to)))
        if isinstance(result.result, DevinotifyError):
            return Told(sent=False, again=result.result.retryable)
        return Told(sent=all(each["verdict"] == "accepted" for each in result.result))


class TestBell(_Apps, HostSuite):
    """A view that enqueues and rings the bell, whose task sends."""

    def send(self, url: str, text: str, to: Sequence[str]) -> Told:
        """Enqueue, and have the bell's task run."""
        notifier = get_notifier(app=self.app(url))
        enqueued = notifier.enqueue(text, list(to))
        self.app(url).tasks[drain.name].apply()
        outbox = notifier.following().outbox
        states = [row.state for row in map(outbox.get, enqueued.rows.values()) if row is not None]
        if RowState.CLAIMED in states:
            return Told(sent=None)  # another thread's bell is at it
        return Told(sent=all(state in SENT for state in states) and not enqueued.refused)
