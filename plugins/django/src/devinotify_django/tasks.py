"""For Django's tasks, of Django 6 or by ``django_tasks`` before: ``send_sms.enqueue("Hello", "+79161234567")``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from devinotify_django import conf
from devinotify_django.sending import enqueue_sms

if TYPE_CHECKING:
    from collections.abc import Sequence

try:
    from django.tasks import task
except ImportError:  # Django 5.2
    from django_tasks import task


@task(takes_context=True)
def send_sms(context: Any, text: str, to: str | Sequence[str], using: str = conf.DEFAULT) -> dict[str, int]:  # noqa: ANN401 - the backport's or Django's
    """Store a message for ``devinotify_worker``; return how many recipients were refused.

    Under the id of the task's result: a task that is run twice sends once.
    """
    enqueued = enqueue_sms(text, to, using, key=f"task {context.task_result.id}")
    return {"refused": len(enqueued.refused)}
