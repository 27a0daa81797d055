"""For django-sms: ``SMS_BACKEND = "devinotify_django.sms.SmsBackend"``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sms.backends.base import BaseSmsBackend

from devinotify_django import conf
from devinotify_django.relaying import relay

if TYPE_CHECKING:
    from collections.abc import Iterable


class SmsBackend(BaseSmsBackend):
    """Sends django-sms's messages; each has ``devinotify_outcomes`` afterwards, before anything is raised."""

    def __init__(self, fail_silently: bool = False, using: str = conf.DEFAULT, **options: Any) -> None:  # noqa: ANN401 - django-sms's
        super().__init__(fail_silently=fail_silently, **options)
        self.using = using

    def send_messages(self, messages: Iterable[Any]) -> int:
        """Send each message, and return how many were accepted for everybody."""
        sent = 0
        for message in messages:
            sent += relay(
                message,
                message.body,
                message.recipients,
                using=self.using,
                sender=message.originator,
                fail_silently=self.fail_silently,
            )
        return sent
