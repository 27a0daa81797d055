"""The tasks, shared by all apps: ``app.autodiscover_tasks(["devinotify_celery"])`` finds them here."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

from celery import shared_task
from devinotify import Worker

from devinotify_celery import settings
from devinotify_celery.notifiers import get_notifier
from devinotify_celery.task import DevinoTask

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from devinotify_celery.task import Recipients

LONGEST = 10.0
"""Seconds after which a bell's task ends and rings again, so that no worker waits long for it when it is to stop."""
LIMIT = 3600
"""Seconds: no app's own time limit ends a bell's task amid its requests, whose outcomes would be unknown."""
_BELL: dict[str, Any] = {
    "ignore_result": True,
    # A bell that was lost, or came twice, changes nothing: there is nothing to deliver again.
    "acks_late": False,
    "time_limit": LIMIT,
    "soft_time_limit": LIMIT,
    "longest": LONGEST,
}


@shared_task(name="devinotify.notify", base=DevinoTask, bind=True)
def notify(
    self: DevinoTask,
    text: str,
    to: Recipients = None,
    *,
    using: str = settings.DEFAULT,
    title: str | None = None,
    channel: str | None = None,
    tags: str | Iterable[str] = (),
    send_at: datetime | str | None = None,
    deadline: datetime | str | None = None,
) -> list[dict[str, Any]]:
    """Send a text on the account's channel, or another: see ``DevinoTask.notify``."""
    return self.notify(
        text, to, using=using, title=title, channel=channel, tags=tags, send_at=send_at, deadline=deadline
    )


@shared_task(name="devinotify.send_sms", base=DevinoTask, bind=True)
def send_sms(
    self: DevinoTask,
    text: str,
    to: Recipients = None,
    *,
    using: str = settings.DEFAULT,
    title: str | None = None,
    tags: str | Iterable[str] = (),
    send_at: datetime | str | None = None,
    deadline: datetime | str | None = None,
) -> list[dict[str, Any]]:
    """Send a text as an SMS, whatever the account's channel is: see ``DevinoTask.notify``."""
    return self.notify(text, to, using=using, title=title, channel="sms", tags=tags, send_at=send_at, deadline=deadline)


@shared_task(name="devinotify.drain", bind=True, **_BELL)
def drain(self: Any, using: str = settings.DEFAULT) -> None:  # noqa: ANN401 - celery brings no types
    """Send what is due in the outbox, and nothing else: the bell."""
    if _work(self, using, sends=True, looks=False):
        self.apply_async((using,))


@shared_task(name="devinotify.watch", bind=True, **_BELL)
def watch(self: Any, using: str = settings.DEFAULT) -> None:  # noqa: ANN401 - as above
    """Look at the deliveries that are due, and take the steps of fallbacks that follow."""
    if _work(self, using, sends=False, looks=True):
        self.apply_async((using,))


def _work(task: Any, using: str, *, sends: bool, looks: bool) -> bool:  # noqa: ANN401 - as above
    """Work through what is due in the outbox; return whether there may be more: it took too long for one task."""
    worker = Worker(get_notifier(using, app=task.app), sends=sends, looks=looks)
    over = threading.Event()

    def stop() -> None:
        over.set()
        worker.stop()

    timer = threading.Timer(task.longest, stop)
    timer.daemon = True
    timer.start()
    try:
        worker.run(once=True)
    finally:
        timer.cancel()
    return over.is_set()
