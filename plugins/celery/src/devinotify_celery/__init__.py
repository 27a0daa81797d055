"""SMS and Viber from Celery's tasks, by devinotify: at most once, whatever the broker does."""

from __future__ import annotations

from devinotify_celery import starting  # noqa: F401 - connected as it is imported
from devinotify_celery.bell import BEAT_SCHEDULE, ring
from devinotify_celery.notifiers import get_notifier
from devinotify_celery.task import DevinoTask
from devinotify_celery.tasks import drain, notify, send_sms, watch

__all__ = [
    "BEAT_SCHEDULE",
    "DevinoTask",
    "drain",
    "get_notifier",
    "notify",
    "ring",
    "send_sms",
    "watch",
]
