"""The adapter of allauth's own tests, with our mixin before it."""

from __future__ import annotations

from typing import Any

from tests.projects.common.adapters import AccountAdapter  # allauth's own, in whose folder this runs

from devinotify_django.allauth import PhoneAdapterMixin

made_up: dict[str, str] = {}
"""The numbers of allauth's tests, which no numbering plan has, by those that stand for them at the gateway."""


def real(phone: str) -> str:
    """Return a number that a message can be sent to for one that is made up."""
    number = f"+7916{phone[-7:]}"
    made_up[number] = phone
    return number


class Adapter(PhoneAdapterMixin, AccountAdapter):
    """Sends by devinotify what allauth's tests have put into a list."""

    def send_verification_code_sms(self, user: Any, phone: str, code: str, **options: Any) -> None:
        """Send a code."""
        super().send_verification_code_sms(user, real(phone), code, **options)

    def send_unknown_account_sms(self, phone: str, **options: Any) -> None:
        """Tell that there is no account."""
        super().send_unknown_account_sms(real(phone), **options)

    def send_account_already_exists_sms(self, phone: str) -> None:
        """Tell that there is one."""
        super().send_account_already_exists_sms(real(phone))
