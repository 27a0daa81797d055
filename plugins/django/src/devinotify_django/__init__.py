"""SMS in Django, through the Devino Telecom HTTP API by devinotify."""

from __future__ import annotations

from devinotify_django.codes import CodeLimitReached, send_code
from devinotify_django.notifiers import get as get_notifier
from devinotify_django.sending import aenqueue_sms, asend_sms, enqueue_sms, send_sms
from devinotify_django.signals import sms_outcome, sms_received, sms_status

__all__ = [
    "CodeLimitReached",
    "aenqueue_sms",
    "asend_sms",
    "enqueue_sms",
    "get_notifier",
    "send_code",
    "send_sms",
    "sms_outcome",
    "sms_received",
    "sms_status",
]
