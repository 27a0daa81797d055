"""For django-sendsms: ``SENDSMS_BACKEND = "devinotify_django.sendsms.SmsBackend"``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sendsms.backends.base import BaseSmsBackend

from devinotify_django import conf
from devinotify_django.relaying import relay

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


class SmsBackend(BaseSmsBackend):
    """Sends django-sendsms's messages; each has ``devinotify_outcomes`` afterwards, before anything is raised."""

    supports_meta_data = True
    """openwisp-radius asks for this before it gives ``meta_data``."""

    def __init__(self, fail_silently: bool = False, using: str = conf.DEFAULT, **options: Any) -> None:  # noqa: ANN401 - django-sendsms's
        super().__init__(fail_silently=fail_silently, **options)
        self.using = using

    def send_messages(self, messages: Iterable[Any], meta_data: Mapping[str, Any] | None = None) -> int:
        """Send each message, and return how many were accepted for everybody.

        ``meta_data`` may name the entry of ``DEVINOTIFY`` as ``using``; what else is in it is not for us.
        """
        using = (meta_data or {}).get("using", self.using)
        sent = 0
        for message in messages:
            sent += relay(
                message,
                message.body,
                message.to,
                using=using,
                sender=message.from_phone,
                fail_silently=self.fail_silently,
            )
        return sent
