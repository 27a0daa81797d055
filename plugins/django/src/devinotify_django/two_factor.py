"""For django-two-factor-auth: ``TWO_FACTOR_SMS_GATEWAY = "devinotify_django.two_factor.Gateway"``."""

from __future__ import annotations

from typing import Any

from devinotify_django import conf
from devinotify_django.codes import send_code


class Gateway:
    """Sends the tokens of phone devices; ``using`` is the entry of ``DEVINOTIFY``."""

    using: str = conf.DEFAULT

    def send_sms(self, device: Any, token: str) -> None:  # noqa: ANN401 - two-factor has no types
        """Send a token as a one-time code; raise what ``send_code`` raises."""
        send_code(str(token), device.number.as_e164, self.using)
