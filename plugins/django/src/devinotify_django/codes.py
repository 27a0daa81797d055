"""One-time codes: sent with a limit, never delivered late, and never reported as failed where they may arrive."""

from __future__ import annotations

import logging
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from devinotify import InvalidInput, Verdict
from django.core.exceptions import PermissionDenied

from devinotify_django import conf, notifiers
from devinotify_django.addresses import current_address
from devinotify_django.sending import send_sms

if TYPE_CHECKING:
    from devinotify import Outcome

log: logging.Logger = logging.getLogger(__name__)

HOUR = 3600.0
TAGS = ("urgent", "one-time")
"""Not held back at night, and of no use after its validity: on a fallback too, and not to be queued again either."""


class CodeLimitReached(InvalidInput, PermissionDenied):
    """The number, or the address that asks, has had its codes of this hour: nothing was sent.

    A PermissionDenied too, so that a view that does not look for it answers 403.
    """


def send_code(code: str, to: str, using: str = conf.DEFAULT, *, address: str | None = None) -> Outcome | None:
    """Send a one-time code in the text of the account's ``TEMPLATE``; otherwise as ``send_code_text``."""
    return send_code_text(conf.account(using).otp.text(code), to, using, address=address)


def send_code_text(text: str, to: str, using: str = conf.DEFAULT, *, address: str | None = None) -> Outcome | None:
    """Send a text with a one-time code in it; return its Outcome, ``None`` where a worker sends it (``QUEUED``).

    What was refused or did not leave raises its DevinotifyError. What may have left (``unknown``) does not: the code
    may arrive, and whoever takes an error for a failure makes it useless. It is delivered within ``VALIDITY`` or never.
    ``address`` is where on the internet the code was asked from; without one it is what ``AddressMiddleware`` knows.
    Raises CodeLimitReached where number or address have had their codes of this hour.
    """
    otp = conf.account(using).otp
    count(to, using, address=address)
    if otp.queued:
        # By the deadline it is delivered or never: what goes out late has a validity of what is left until then.
        until = datetime.now(UTC) + timedelta(minutes=otp.validity)
        # Not a part of the transaction: a view that is rolled back has still promised a code.
        notifier = notifiers.get(using, validity=otp.validity)
        stored = notifiers.store(notifier, using, text, to, tags=TAGS, deadline=until)
        for error in stored.refused.values():
            raise error
        return None
    (outcome,) = send_sms(text, to, using, validity=otp.validity, tags=TAGS)
    if outcome.verdict in (Verdict.REJECTED, Verdict.NOT_SENT) and outcome.error is not None:
        raise outcome.error
    if outcome.verdict is Verdict.UNKNOWN:
        log.warning("a one-time code may or may not have been sent: %s", outcome.error)
    return outcome


def count(to: str, using: str = conf.DEFAULT, *, address: str | None = None) -> None:
    """Count one more code for a number and an address in the outbox; raise CodeLimitReached where that is too many."""
    if notifiers.recorder is not None:
        return  # tests ask for as many as they like
    otp = conf.account(using).otp
    number = next(iter(notifiers.get(using).resolve(to)))  # one, however it is written
    address = address or current_address()
    outbox = notifiers.outbox(using)
    # The address first: one that is over its limit would use up the codes of whoever has the number.
    if address and not outbox.allow(f"code from {address}", otp.address_limit, HOUR):
        raise CodeLimitReached("this address has had its one-time codes of this hour")
    if not outbox.allow(f"code to {number}", otp.limit, HOUR):
        raise CodeLimitReached("this number has had its one-time codes of this hour")
