"""The gateway's error codes, delivery states and Viber words, as data. Pure.

Source: the API's published tables (error codes, SMS states, Viber states, Viber error words).
"""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING

from devinotify import exceptions as errors
from devinotify.exceptions import Verdict
from devinotify.models import DeliveryStatus

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class ErrorCode:
    """One row of the error table: what a code means and what may be done about it.

    ``verdict`` is that of a send. ``read_retryable`` says whether a read (balance, state, incoming,
    statistics) is worth repeating; a send is repeated only where ``needs_login``, once, after a new login.
    """

    code: int
    http_status: int
    meaning: str
    error: type[errors.GatewayError]
    verdict: Verdict
    read_retryable: bool = False
    needs_login: bool = False


ERRORS: Mapping[int, ErrorCode] = MappingProxyType(
    {
        row.code: row
        for row in (
            ErrorCode(1, 400, "Argument cannot be null or empty", errors.ArgumentMissing, Verdict.REJECTED),
            ErrorCode(2, 400, "Invalid argument", errors.InvalidArgument, Verdict.REJECTED),
            ErrorCode(3, 400, "Invalid session id", errors.InvalidSession, Verdict.REJECTED, needs_login=True),
            ErrorCode(4, 401, "Unauthorized access", errors.Unauthorized, Verdict.REJECTED, needs_login=True),
            ErrorCode(5, 403, "Not enough credits", errors.NotEnoughCredits, Verdict.REJECTED),
            ErrorCode(6, 400, "Invalid operation", errors.InvalidOperation, Verdict.REJECTED),
            ErrorCode(7, 403, "Forbidden", errors.Forbidden, Verdict.REJECTED),
            ErrorCode(8, 500, "Gateway error", errors.GatewayFailure, Verdict.UNKNOWN, read_retryable=True),
            ErrorCode(
                9, 500, "Internal server error", errors.InternalServerError, Verdict.UNKNOWN, read_retryable=True
            ),
        )
    }
)


@dataclass(frozen=True, slots=True)
class State:
    """One row of a state table: the gateway's number, our status, and its meaning in both languages."""

    code: int
    status: DeliveryStatus
    meaning: str
    description: str


def _table(*rows: State) -> Mapping[int, State]:
    return MappingProxyType({row.code: row for row in rows})


SMS_STATES = _table(
    State(-1, DeliveryStatus.SENT, "handed to the mobile network", "Отправлено (передано в мобильную сеть)"),
    State(-2, DeliveryStatus.QUEUED, "queued", "В очереди"),
    State(-98, DeliveryStatus.STOPPED, "stopped", "Остановлено"),
    State(0, DeliveryStatus.DELIVERED, "delivered", "Доставлено"),
    State(10, DeliveryStatus.REJECTED, "bad sender address", "Неверно введен адрес отправителя"),
    State(11, DeliveryStatus.REJECTED, "bad recipient address", "Неверно введен адрес получателя"),
    State(41, DeliveryStatus.REJECTED, "recipient address not allowed", "Недопустимый адрес получателя"),
    State(42, DeliveryStatus.REJECTED, "rejected by the SMS centre", "Отклонено смс-центром"),
    State(46, DeliveryStatus.EXPIRED, "expired", "Просрочено (истек срок жизни сообщения)"),
    State(47, DeliveryStatus.DELETED, "deleted", "Удалено"),
    State(48, DeliveryStatus.REJECTED, "rejected by the platform", "Отклонено Платформой"),
    State(69, DeliveryStatus.REJECTED, "rejected", "Отклонено"),
    State(99, DeliveryStatus.UNKNOWN, "unknown", "Неизвестный"),
    State(255, DeliveryStatus.UNKNOWN, "not yet known, or older than 48 hours", "Неизвестный"),
)

VIBER_STATES = _table(
    State(0, DeliveryStatus.QUEUED, "sending", "Отправляется"),
    State(1, DeliveryStatus.SENT, "sent", "Отправлено"),
    State(2, DeliveryStatus.DELIVERED, "delivered, not read", "Доставлено, не прочитано"),
    State(3, DeliveryStatus.READ, "delivered, read", "Доставлено, прочитано"),
    State(4, DeliveryStatus.UNDELIVERED, "not delivered", "Не доставлено"),
    State(5, DeliveryStatus.FAILED, "error", "Ошибка"),
    State(6, DeliveryStatus.UNKNOWN, "unknown", "Неизвестный"),
    State(7, DeliveryStatus.EXPIRED, "expired", "Просрочено"),
    State(8, DeliveryStatus.READ, "link visited", "Выполнен переход по ссылке"),
)


UNLISTED_SMS_STATES = _table(
    State(-97, DeliveryStatus.DELETED, "deleted", "Удалено"),
    State(-40, DeliveryStatus.QUEUED, "waiting", "Ожидает отправки"),
    State(-30, DeliveryStatus.SENT, "on its way to the network", "Передаётся в мобильную сеть"),
    State(-20, DeliveryStatus.SENT, "on its way to the recipient", "Передаётся абоненту"),
    State(-10, DeliveryStatus.SENT, "sent", "Отправлено"),
)
"""States that the API's table lacks: the vendor's own client knows the first, the SOAP twin of the API the others."""


def sms_status(code: int) -> DeliveryStatus:
    """Return our status for an SMS state; a code outside the tables is UNKNOWN."""
    row = SMS_STATES.get(code) or UNLISTED_SMS_STATES.get(code)
    return row.status if row is not None else DeliveryStatus.UNKNOWN


def viber_status(code: int) -> DeliveryStatus:
    """Return our status for a Viber state; a code outside the table is UNKNOWN."""
    return VIBER_STATES[code].status if code in VIBER_STATES else DeliveryStatus.UNKNOWN


@dataclass(frozen=True, slots=True)
class ViberWord:
    """One of the words that the Viber operations refuse with; the word decides, whatever Code comes with it."""

    word: str
    meaning: str
    verdict: Verdict = Verdict.REJECTED
    of_account: bool = False
    """Whether it refuses the account, and so whatever it sends."""


VIBER_WORDS: Mapping[str, ViberWord] = MappingProxyType(
    {
        row.word: row
        for row in (
            ViberWord("error-address-format", "the recipient's number is invalid"),
            ViberWord("error-address-not-specified", "no recipient was given"),
            ViberWord("error-address-unknown", "the account may not send to this range of numbers"),
            ViberWord("error-content-not-specified", "the text is empty"),
            ViberWord("error-subject-format", "the sender is invalid"),
            ViberWord("error-subject-not-specified", "no sender was given"),
            ViberWord("error-subject-unknown", "the account may not send from this sender"),
            ViberWord("error-system", "the Viber service failed", Verdict.UNKNOWN),
            ViberWord("error-validity-period-seconds-format", "the validity is invalid"),
            # Not in the API's own table: words of the vendor's other Viber API.
            ViberWord("not-permitted", "the account may not send on Viber", of_account=True),
            ViberWord("error-account-locked", "the account is locked", of_account=True),
            ViberWord("error-route-not-found", "the account has no route to Viber", of_account=True),
        )
    }
)

SUCCESS_CODES = frozenset({0, 200})
"""Codes that the vendor's own clients take for success: never a refusal, whatever the status they come with."""

OPEN_STATUSES = frozenset({408, 425, 444, 460, 499})
"""Statuses from 300 to 499 after which a request may have been processed all the same.

They say that somebody on the way lost patience, or was lost itself: 444 and 499 are nginx's, 460 is a load balancer's.
"""

TEMPORARY_STATUSES = OPEN_STATUSES | {429}
"""Statuses from 300 to 499 that a later request may not meet again."""

SESSION_LIFETIME = 120 * 60
"""Seconds that a session id is valid."""

STATE_LIFETIME = 48 * 3600
"""Seconds after the sending for which the gateway tells a message's state."""

SMS_MAX_LENGTH = 2000
"""Characters of an SMS text, counted by code points."""

SMS_MAX_VALIDITY = 7 * 24 * 60
"""Minutes that an SMS may be valid: a week. The API names no limit, and no network keeps one longer."""

VIBER_MAX_LENGTH = 1000
"""Characters of a Viber text, counted by code points."""

VIBER_MAX_VALIDITY = 1440
"""Minutes that a Viber message may be valid; the least is 1."""

SENDER_MAX_LATIN = 11
"""Latin characters of an alphanumeric sender."""

SENDER_MAX_DIGITS = 15
"""Digits of a numeric sender."""
