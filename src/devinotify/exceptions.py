"""Every error that devinotify raises, and the four verdicts on a send.

::

    DevinotifyError                      .operation  .verdict  .retryable
    ├── InvalidInput                     refused here, nothing was sent (also a ValueError)
    │   ├── InvalidPhoneNumber           .reason  .position  .masked
    │   ├── InvalidSender
    │   ├── InvalidText
    │   ├── InvalidSchedule
    │   ├── InvalidURL
    │   ├── Suppressed                   the recipient has opted out
    │   └── LimitExceeded                a limit leaves no room: .limit  .resets_at
    ├── GatewayError                     the gateway said no: .code  .http_status  .description
    │   ├── ArgumentMissing       1
    │   ├── InvalidArgument       2
    │   ├── InvalidSession        3
    │   ├── Unauthorized          4
    │   ├── NotEnoughCredits      5
    │   ├── InvalidOperation      6
    │   ├── Forbidden             7
    │   ├── GatewayFailure        8
    │   ├── InternalServerError   9
    │   └── ViberRejected                .reason, one of the documented error-… words
    ├── UnexpectedResponse               the reply could not be understood: .http_status  .excerpt  .message_ids
    ├── TransportError
    │   ├── NotSent                      provably never reached the gateway: safe to resend
    │   └── OutcomeUnknown               the request may have been processed: never resent by itself
    └── PluginError                      a hook raised or returned the wrong type: .plugin  .hook

Messages, reprs and attributes hold no secret, session id, full number or message text.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from datetime import datetime


class Verdict(StrEnum):
    """What is known about a send, in one of four words that are never mixed up."""

    ACCEPTED = "accepted"
    """The gateway took the message and returned its ids."""
    REJECTED = "rejected"
    """The gateway refused the message; nothing was sent."""
    NOT_SENT = "not_sent"
    """The request provably never reached the gateway, or was refused by our own checks."""
    UNKNOWN = "unknown"
    """The message may or may not have been sent; nobody but its sender may decide to send it again."""


class DevinotifyError(Exception):
    """The base of every error here; ``except DevinotifyError`` catches all of them.

    ``operation`` names the gateway operation (``"Sms/Send"``) or is ``None`` where none was under way;
    ``verdict`` says what became of the message; ``retryable`` is true where the same call is safe to
    repeat and may succeed; ``retry_after`` is the pause in seconds that the gateway or a limit asks for, or ``None``.
    """

    default_verdict: ClassVar[Verdict] = Verdict.UNKNOWN
    default_retryable: ClassVar[bool] = False

    operation: str | None
    verdict: Verdict
    retryable: bool
    retry_after: float | None = None
    hint: str
    """What to do next, where an error has more to say of that than its class has."""

    def __init__(
        self,
        message: str = "",
        *,
        operation: str | None = None,
        verdict: Verdict | None = None,
        retryable: bool | None = None,
    ) -> None:
        super().__init__(message)
        self.operation = operation
        self.verdict = self.default_verdict if verdict is None else verdict
        self.retryable = self.default_retryable if retryable is None else retryable


def told(error: BaseException) -> str:
    """Return what may be told of any error: the words of one that is not ours may hold a text or a number."""
    return str(error) if isinstance(error, DevinotifyError) else type(error).__name__


def copied(error: DevinotifyError) -> DevinotifyError:
    """Return an error that is the same in all it says, so that what is changed in one is not in the other."""
    # Not by copy.copy, which calls the constructor, and that of a plugin's class may take what it likes.
    kind = type(error)
    same = kind.__new__(kind, *error.args)
    same.__dict__.update(error.__dict__)
    return same


def unadvised(error: InvalidURL) -> InvalidURL:
    """Return an error about a file that a URL names: to write another URL would not mend it."""
    error.hint = "`ls -l` shows whether it is there, and who may read it."
    return error


class InvalidInput(DevinotifyError, ValueError):
    """Refused by our own checks; nothing was sent."""

    default_verdict = Verdict.NOT_SENT


class InvalidPhoneNumber(InvalidInput):
    """The recipient is not a number that a message can be sent to.

    ``reason`` is one of the words of ``devinotify.phones.Reason``, ``masked`` the number as it may be
    shown, ``position`` its place in a list, counted from 0, or ``None`` for a single number.
    """

    def __init__(
        self,
        message: str = "",
        *,
        reason: str = "not_a_number",
        masked: str = "***",
        position: int | None = None,
        operation: str | None = None,
    ) -> None:
        super().__init__(message, operation=operation)
        self.reason = reason
        self.masked = masked
        self.position = position


class InvalidSender(InvalidInput):
    """The sender is neither at most 11 Latin characters nor at most 15 digits."""


class InvalidText(InvalidInput):
    """The text is empty, too long for the channel, or not encodable."""


class InvalidSchedule(InvalidInput):
    """A date or a validity is out of its limits, or aware where a wall clock is asked for, or naive where not."""


class InvalidURL(InvalidInput):
    """The ``devino://`` URL, or a setting given in its place, is wrong; the message names the part.

    ``hint`` is what to do next, or nothing.
    """

    hint: str = ""


class Suppressed(InvalidInput):
    """The recipient has opted out, or may get no more for now: what a hook ``screen_recipients`` refuses with.

    ``reason`` is a word for the cause that reports can put into words of theirs: ``opted_out``, or ``excluded`` for
    whom a campaign leaves out; ``None`` for another.
    """

    def __init__(
        self,
        message: str = "",
        *,
        reason: str | None = None,
        operation: str | None = None,
        verdict: Verdict | None = None,
        retryable: bool | None = None,
    ) -> None:
        super().__init__(message, operation=operation, verdict=verdict, retryable=retryable)
        self.reason = reason


class LimitExceeded(InvalidInput):
    """A limit on what may be sent leaves no room for the message; nothing was sent.

    ``limit`` is the limit as it is written, and ``resets_at`` (aware) when its next period begins, in ``retry_after``
    seconds by the clock that counts: before, it is of no use to try again; ``None`` where it would never have room.
    What is queued waits for that moment by itself.
    """

    def __init__(
        self,
        message: str = "",
        *,
        limit: str = "",
        resets_at: datetime | None = None,
        retry_after: float | None = None,
        operation: str | None = None,
        verdict: Verdict | None = None,
        retryable: bool | None = None,
    ) -> None:
        super().__init__(message, operation=operation, verdict=verdict, retryable=retryable)
        self.limit = limit
        self.resets_at = resets_at
        self.retry_after = retry_after


class GatewayError(DevinotifyError):
    """The gateway said no, in its own error format.

    ``code`` is the documented number (``None`` where the gateway gave none), ``http_status`` the HTTP
    status, ``description`` the gateway's own words, scrubbed of numbers.
    """

    default_verdict = Verdict.REJECTED

    def __init__(
        self,
        message: str = "",
        *,
        code: int | None = None,
        http_status: int | None = None,
        description: str = "",
        operation: str | None = None,
        verdict: Verdict | None = None,
        retryable: bool | None = None,
    ) -> None:
        super().__init__(message, operation=operation, verdict=verdict, retryable=retryable)
        self.code = code
        self.http_status = http_status
        self.description = description


class ArgumentMissing(GatewayError):
    """Code 1: an argument is null or empty."""


class InvalidArgument(GatewayError):
    """Code 2: an argument is invalid, a recipient's number for one."""


class InvalidSession(GatewayError):
    """Code 3: the session id is malformed or unknown."""


class Unauthorized(GatewayError):
    """Code 4: wrong login or password, or a session that has expired."""


class NotEnoughCredits(GatewayError):
    """Code 5: the balance does not cover the message."""


class InvalidOperation(GatewayError):
    """Code 6: the operation is not possible; also an invalid sender."""


class Forbidden(GatewayError):
    """Code 7: the account may not do this."""


class GatewayFailure(GatewayError):
    """Code 8: the gateway failed; what became of a send is unknown."""

    default_verdict = Verdict.UNKNOWN


class InternalServerError(GatewayError):
    """Code 9: the service failed; what became of a send is unknown."""

    default_verdict = Verdict.UNKNOWN


class ViberRejected(GatewayError):
    """The Viber service refused with one of its words; ``reason`` is the word, such as ``error-address-format``."""

    def __init__(
        self,
        message: str = "",
        *,
        reason: str = "",
        code: int | None = None,
        http_status: int | None = None,
        description: str = "",
        operation: str | None = None,
        verdict: Verdict | None = None,
        retryable: bool | None = None,
    ) -> None:
        super().__init__(
            message,
            code=code,
            http_status=http_status,
            description=description,
            operation=operation,
            verdict=verdict,
            retryable=retryable,
        )
        self.reason = reason


class UnexpectedResponse(DevinotifyError):
    """The reply could not be understood: HTML, truncated, or of the wrong type.

    ``excerpt`` is its start, redacted and short. ``message_ids`` holds the ids of a reply that listed
    fewer of them than there were recipients; it is empty otherwise.
    """

    def __init__(
        self,
        message: str = "",
        *,
        http_status: int | None = None,
        excerpt: str = "",
        message_ids: tuple[str, ...] = (),
        operation: str | None = None,
        verdict: Verdict | None = None,
        retryable: bool | None = None,
    ) -> None:
        super().__init__(message, operation=operation, verdict=verdict, retryable=retryable)
        self.http_status = http_status
        self.excerpt = excerpt
        self.message_ids = message_ids


class TransportError(DevinotifyError):
    """The exchange with the gateway broke below HTTP."""


class NotSent(TransportError):
    """The request provably never reached the gateway: DNS, refused, connect timeout, TLS handshake. Safe to resend."""

    default_verdict = Verdict.NOT_SENT
    default_retryable = True


class OutcomeUnknown(TransportError):
    """The request had begun to leave when the exchange broke, so it may have been processed."""


class PluginError(DevinotifyError):
    """A hook raised or returned the wrong type; ``plugin`` and ``hook`` name which."""

    default_verdict = Verdict.NOT_SENT

    def __init__(
        self,
        message: str = "",
        *,
        plugin: str = "",
        hook: str = "",
        operation: str | None = None,
        verdict: Verdict | None = None,
        retryable: bool | None = None,
    ) -> None:
        super().__init__(message, operation=operation, verdict=verdict, retryable=retryable)
        self.plugin = plugin
        self.hook = hook
