"""For django-allauth: a mixin for the account adapter, which sends what allauth has to say to phones."""

from __future__ import annotations

from typing import Any

from devinotify_django import conf
from devinotify_django.codes import count, send_code, send_code_text


class PhoneAdapterMixin:
    """Stands before ``DefaultAccountAdapter`` among the bases of your adapter, which keeps the numbers itself.

    The texts may be empty: nothing is sent then. With ``"QUEUED": True`` in ``OTP`` an answer takes the same time
    whether there is an account or not; without, it does where both texts are sent.
    """

    devinotify_using: str = conf.DEFAULT
    devinotify_unknown_account_text: str = "There is no account with this number."
    devinotify_account_already_exists_text: str = "There is an account with this number already."

    def send_verification_code_sms(self, user: Any, phone: str, code: str, **options: Any) -> None:  # noqa: ANN401, ARG002 - allauth's
        """Send a code; raise what ``send_code`` raises."""
        send_code(code, phone, self.devinotify_using)

    def send_unknown_account_sms(self, phone: str, **options: Any) -> None:  # noqa: ANN401, ARG002 - allauth's
        """Tell who asked for a code that there is no account."""
        self._tell(self.devinotify_unknown_account_text, phone)

    def send_account_already_exists_sms(self, phone: str) -> None:
        """Tell who signs up that there is an account."""
        self._tell(self.devinotify_account_already_exists_text, phone)

    def _tell(self, text: str, phone: str) -> None:
        if text:
            send_code_text(text, phone, self.devinotify_using)
        else:
            count(phone, self.devinotify_using)  # as many answers as there are to a number with an account
