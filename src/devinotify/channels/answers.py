"""Whether what a channel or a hook answers is of the types that it should be, all the way down. Pure.

Nothing checks what a plugin puts into a dataclass, and an id that is a number would break a worker only when it
writes it down, after the send.
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import TypeGuard

from devinotify.exceptions import DevinotifyError, Verdict
from devinotify.models import Attempt, DeliveryStatus, Outcome, Receipt, SmsState, ViberState


def is_outcomes(answer: object) -> TypeGuard[list[Outcome]]:
    """Whether an answer is a list of outcomes whose parts are of the right types."""
    return isinstance(answer, list) and all(map(is_outcome, answer))


def is_outcome(value: object) -> TypeGuard[Outcome]:
    """Whether a value is an outcome whose parts are of the right types."""
    return (
        isinstance(value, Outcome)
        and isinstance(value.recipient, str)
        and isinstance(value.verdict, Verdict)
        and isinstance(value.channel, str)
        and (value.receipt is None or is_receipt(value.receipt))
        and (value.error is None or isinstance(value.error, DevinotifyError))
        and isinstance(value.attempts, tuple)
        and _are_attempts(value.attempts, value.receipt)
        and (value.state is None or is_state(value.state))
        and (value.row is None or type(value.row) is int)
    )


def _are_attempts(values: tuple[object, ...], known: Receipt | None) -> bool:
    # An attempt mostly has its outcome's own receipt, which has been looked at: this is done for every message.
    for value in values:
        if not (
            isinstance(value, Attempt)
            and isinstance(value.channel, str)
            and isinstance(value.verdict, Verdict)
            and (value.receipt is known or value.receipt is None or is_receipt(value.receipt))
            and (value.error is None or isinstance(value.error, DevinotifyError))
        ):
            return False
    return True


def is_receipt(value: object) -> TypeGuard[Receipt]:
    """Whether a value is a receipt whose parts are of the right types."""
    return (
        isinstance(value, Receipt)
        and isinstance(value.recipient, str)
        and _is_ids(value.message_ids)
        and (value.segments is None or type(value.segments) is int)
        and isinstance(value.channel, str)
        and (value.sent_at is None or _is_instant(value.sent_at))
        and isinstance(value.resends, bool)
    )


def _is_ids(value: object) -> bool:
    if not isinstance(value, tuple):
        return False
    for each in value:  # noqa: SIM110 - three times as quick as all() over a generator, for every message
        if not isinstance(each, str):
            return False
    return True


def is_state(value: object) -> TypeGuard[SmsState]:
    """Whether a value is a delivery state whose parts are of the right types."""
    return (
        isinstance(value, SmsState)
        and isinstance(value.status, DeliveryStatus)
        and type(value.code) is int
        and (value.price is None or (isinstance(value.price, Decimal) and value.price.is_finite()))
        and all(
            moment is None or _is_instant(moment)
            for moment in (value.created_at, value.submitted_at, value.reported_at, value.updated_at)
        )
        and (
            not isinstance(value, ViberState)
            or (isinstance(value.resent_sms, tuple) and all(map(is_state, value.resent_sms)))
        )
    )


def _is_instant(value: object) -> bool:
    return isinstance(value, datetime) and value.utcoffset() is not None


def described(answer: object) -> str:
    """Return what an answer is, for an error: its type, and where it is a list of the right things with wrong parts."""
    kind = type(answer).__name__
    if isinstance(answer, list) and all(isinstance(each, Outcome) for each in answer):
        return "outcomes with parts of the wrong type"
    return f"{kind} with parts of the wrong type" if isinstance(answer, SmsState) else kind
