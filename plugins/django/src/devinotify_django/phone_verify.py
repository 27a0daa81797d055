"""For django-phone-verify: ``"BACKEND": "devinotify_django.phone_verify.Backend"`` in ``PHONE_VERIFICATION``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from devinotify import DevinotifyError
from phone_verify.backends.base import BaseBackend
from rest_framework.exceptions import APIException, Throttled

from devinotify_django import conf
from devinotify_django.codes import CodeLimitReached, send_code_text

if TYPE_CHECKING:
    from collections.abc import Iterable


class SmsUnavailable(APIException):
    """The code has not been sent: the API answers 503."""

    status_code = 503
    default_detail = "The code could not be sent. Try again later."
    default_code = "sms_unavailable"


class Backend(BaseBackend):
    """Sends phone-verify's texts as one-time codes; ``OPTIONS`` may name the entry of ``DEVINOTIFY`` as ``using``.

    What was refused or did not leave is answered with 503, and more than are allowed with 429.
    """

    def __init__(self, **options: Any) -> None:  # noqa: ANN401 - phone-verify's
        super().__init__(**options)
        self.using: str = options.get("using", conf.DEFAULT)
        # What phone-verify catches it logs with the number in full, and answers as if the code were on its way.
        self.exception_class: tuple[type[BaseException], ...] = ()
        self._code: str | None = None

    def generate_message(self, security_code: str, context: Any = None) -> str | None:  # noqa: ANN401 - phone-verify's
        """Note the code of the text that phone-verify is about to make, and leave that to it."""
        self._code = security_code
        written: str | None = super().generate_message(security_code, context)
        return written

    def send_sms(self, number: str, message: str) -> None:
        """Send a text with a code in it, with the last line that browsers look for where ``OTP`` has a ``DOMAIN``."""
        code = self._code
        if code is not None and code in message:
            message = conf.account(self.using).otp.with_domain(message, code)
        try:
            send_code_text(message, number, self.using)
        except CodeLimitReached as error:
            raise Throttled(detail=str(error)) from error
        except DevinotifyError as error:
            raise SmsUnavailable from error

    def send_bulk_sms(self, numbers: Iterable[str], message: str) -> None:
        """Send a text to several numbers, one after the other."""
        for number in numbers:
            self.send_sms(number, message)
