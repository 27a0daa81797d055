"""The client: the 14 operations of the gateway as methods, checked before they are sent.

``Client`` joins what is apart: ``checks`` (limits), ``wire`` (build and parse), ``session`` (login) and
``transport`` (one exchange). It adds the one rule that they share: what is repeated, and what never is.
"""

from __future__ import annotations

import random
import time
from datetime import UTC, datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any, Self, TypeVar

from devinotify import phones
from devinotify import text as texts
from devinotify import url as urls
from devinotify.exceptions import DevinotifyError, GatewayError, InvalidInput, InvalidURL, NotSent, TransportError
from devinotify.gateway import checks, wire
from devinotify.gateway.session import Session
from devinotify.gateway.transport import Transport
from devinotify.models import BulkReceipt, Receipt
from devinotify.retry import Backoff

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from decimal import Decimal
    from types import TracebackType

    from devinotify.models import IncomingSms, SmsState, SmsStatistics, ViberState
    from devinotify.phones import PhoneNumber
    from devinotify.url import DevinoURL

T = TypeVar("T")

NOT_SENT_AGAIN = Backoff(0.1, jitter=0.5, tries=3)
"""How a request that provably never left is tried again."""
READ_AGAIN = Backoff(0.1, jitter=0.5, tries=2)
"""How a read that failed for a passing reason is tried again."""
SEND_AGAIN = Backoff(0.0, tries=0)
"""How a send is tried again that may have left, or was refused: it is not."""
LONGEST_RETRY_AFTER = 5.0
"""Seconds that a read waits at most when the gateway asks for a pause."""
BULK_LIMIT = 20_000
"""Ids that one bulk may bring back (recipients times segments), so that its reply stays under the limit of 1 MB."""

_LAST_ZONE = timezone(timedelta(hours=-12))  # where any wall-clock time comes last


class Client:
    """A client of the gateway: ``client.user``, ``client.sms`` and ``client.viber``; thread-safe, a context manager.

    Made from a ``devino://`` URL, or from ``login``, ``password`` and ``sender``; settings given by keyword
    come before those on the URL. ``timeout`` is in seconds, ``validity`` (of messages that name none) in minutes.
    Nothing is sent on construction; the first operation logs in. Raises InvalidURL for bad settings.

    A send is repeated only when it provably never left (up to 3 times) or when the gateway asked for a new
    login (once). Whatever else goes wrong is raised, with its ``verdict``.
    """

    def __init__(
        self,
        url: str | DevinoURL | None = None,
        *,
        login: str | None = None,
        password: str | None = None,
        sender: str | None = None,
        gateway: str | None = None,
        region: str | None = None,
        timeout: float | None = None,
        ca: str | None = None,
        insecure: bool | None = None,
        validity: int | None = None,
    ) -> None:
        given = {
            "login": login,
            "password": password,
            "sender": sender,
            "gateway": gateway if gateway is None else gateway.rstrip("/"),
            "region": region,
            "timeout": timeout,
            "ca": ca,
            "insecure": insecure,
            "validity": validity,
        }
        self.url = _settings(url, {name: value for name, value in given.items() if value is not None})
        self._transport = Transport(self.url.gateway, timeout=self.url.timeout, ca=self.url.ca)
        self._session = Session(self._log_in)
        self._sleep = time.sleep
        self.user = User(self)
        self.sms = Sms(self)
        self.viber = Viber(self)

    def __repr__(self) -> str:
        return f"<Client {self.url}>"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections and forget the session; using the client again opens new ones."""
        self._transport.close()
        self._session.forget()

    def call(self, operation: wire.Operation[T], values: Mapping[str, wire.Value], *, recipients: int = 1) -> T:
        """Perform one operation within a session, renewing it once where the gateway asks for that."""
        try:
            session_id = self._session.current()
        except DevinotifyError as error:
            raise wire.login_failure(error, operation) from error.__cause__
        try:
            return self._exchange(operation, {**values, "SessionID": session_id}, recipients)
        except GatewayError as refusal:
            if not wire.needs_login(refusal):
                raise
        try:
            session_id = self._session.renewed(session_id)
        except DevinotifyError as error:
            raise wire.login_failure(error, operation) from error.__cause__
        return self._exchange(operation, {**values, "SessionID": session_id}, recipients)

    def _log_in(self) -> str:
        return self._exchange(wire.LOGIN, {"Login": self.url.login, "Password": self.url.password}, 1)

    def _exchange(self, operation: wire.Operation[T], values: Mapping[str, wire.Value], recipients: int) -> T:
        request = wire.build(operation, values)
        attempts = 0
        while True:
            try:
                reply = self._transport.exchange(request)
                return wire.interpret(operation, reply, recipients=recipients, sent=values)
            except TransportError as error:
                error.operation = operation.name
                if not operation.is_send and not isinstance(error, NotSent):
                    error.retryable = True  # a read may be repeated whether or not it was processed
                failure: DevinotifyError = error
            except DevinotifyError as error:
                failure = error
            attempts += 1
            again = _repetition(failure, operation)
            if not failure.retryable or not again.allows(attempts):
                raise failure
            # The jitter is no secret.
            pause = again.pause(attempts, random.random())  # noqa: S311
            self._sleep(max(pause, min(failure.retry_after or 0.0, LONGEST_RETRY_AFTER)))


def _settings(url: str | DevinoURL | None, given: dict[str, Any]) -> DevinoURL:
    if url is None:
        missing = [name for name in ("login", "password", "sender") if name not in given]
        if missing:
            raise InvalidURL(f"{' and '.join(missing)} missing: give a devino:// URL, or login, password and sender")
        return urls.DevinoURL(**given)
    parsed = url if isinstance(url, urls.DevinoURL) else urls.parse(url)
    return parsed.with_options(**given)


def _repetition(failure: DevinotifyError, operation: wire.Operation[Any]) -> Backoff:
    if isinstance(failure, NotSent):
        return NOT_SENT_AGAIN
    return SEND_AGAIN if operation.is_send else READ_AGAIN


class _Resource:
    """What the three resources share: the client and its settings."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {self._client!r}>"

    def _number(self, recipient: str | PhoneNumber) -> PhoneNumber:
        return phones.normalize(recipient, region=self._client.url.region)

    def _numbers(self, recipients: Iterable[str | PhoneNumber], segments: int) -> list[PhoneNumber]:
        if isinstance(recipients, str | bytes):
            raise InvalidInput("recipients must be a list of numbers, not one text")
        found = phones.normalize_many(recipients, region=self._client.url.region)
        if found.refused:
            raise found.refused[0]
        if not found.numbers:
            raise InvalidInput("the list of recipients is empty")
        if len(found.numbers) * segments > BULK_LIMIT:
            raise InvalidInput(
                f"{len(found.numbers)} recipients of {segments} segments are too many for one bulk:"
                f" split the list so that recipients times segments stay at {BULK_LIMIT} or below"
            )
        return list(found.numbers)

    def _fields(
        self, limits: checks.Limits, text: str, sender: str | None, validity: int | None
    ) -> dict[str, wire.Value]:
        settings = self._client.url
        return {
            "Data": limits.check_text(text),
            "SourceAddress": limits.check_sender(settings.sender if sender is None else sender),
            "Validity": limits.check_validity(settings.validity if validity is None else validity),
        }


class User(_Resource):
    """The account."""

    def balance(self) -> Decimal:
        """Return the account's balance in its own currency; raises GatewayError, UnexpectedResponse, TransportError."""
        return self._client.call(wire.BALANCE, {})


class Sms(_Resource):
    """SMS: sending, states, incoming messages, statistics.

    Every send raises InvalidInput where its own checks refuse, and otherwise an error whose ``verdict`` is
    ``rejected``, ``not_sent`` or ``unknown``. ``validity`` is in minutes; ``sender`` is at most 11 Latin
    characters or 15 digits; a text has at most 2000 characters.
    """

    def send(
        self,
        to: str | PhoneNumber,
        text: str,
        *,
        sender: str | None = None,
        send_at: datetime | None = None,
        validity: int | None = None,
    ) -> Receipt:
        """Send one text to one number and return the Receipt; ``send_at`` is an aware instant, ``None`` is now."""
        number = self._number(to)
        values = self._fields(checks.SMS, text, sender, validity)
        at = None if send_at is None else checks.check_instant(send_at, "send_at")
        return self._one(wire.SMS_SEND, number, values, text, at or datetime.now(UTC), at)

    def send_by_time_zone(
        self,
        to: str | PhoneNumber,
        text: str,
        local_time: datetime,
        *,
        sender: str | None = None,
        validity: int | None = None,
    ) -> Receipt:
        """Send one text when the recipient's own clock shows the naive ``local_time``; return the Receipt."""
        number = self._number(to)
        values = self._fields(checks.SMS, text, sender, validity)
        at = checks.check_local_time(local_time)
        return self._one(wire.SMS_SEND_BY_TIME_ZONE, number, values, text, _latest(at), at)

    def send_bulk(
        self,
        recipients: Iterable[str | PhoneNumber],
        text: str,
        *,
        sender: str | None = None,
        send_at: datetime | None = None,
        validity: int | None = None,
    ) -> BulkReceipt:
        """Send one text to many numbers in one request and return a Receipt for each distinct one, in order.

        All or nothing: where one number is refused, here or by the gateway, nothing is sent. At most
        20,000 recipients times segments.
        """
        values = self._fields(checks.SMS, text, sender, validity)
        at = None if send_at is None else checks.check_instant(send_at, "send_at")
        return self._many(wire.SMS_SEND_BULK, recipients, values, text, at or datetime.now(UTC), at)

    def send_by_time_zone_to_addresses(
        self,
        recipients: Iterable[str | PhoneNumber],
        text: str,
        local_time: datetime,
        *,
        sender: str | None = None,
        validity: int | None = None,
    ) -> BulkReceipt:
        """Send one text to each number when its own clock shows the naive ``local_time``; else as ``send_bulk``."""
        values = self._fields(checks.SMS, text, sender, validity)
        at = checks.check_local_time(local_time)
        return self._many(wire.SMS_SEND_BY_TIME_ZONE_TO_ADDRESSES, recipients, values, text, _latest(at), at)

    def state(self, message_id: str) -> SmsState:
        """Return what the gateway knows of one segment; 48 hours after its sending that is nothing any more."""
        known = self._client.call(wire.SMS_STATE, {"messageId": checks.check_message_id(message_id)})
        return wire.named(known, message_id)

    def incoming(self, since: datetime, until: datetime) -> list[IncomingSms]:
        """Return the messages received between two aware instants, at most one year back."""
        start, end = checks.check_incoming_period(since, until, datetime.now(UTC))
        return self._client.call(wire.SMS_INCOMING, {"minDateUTC": start, "maxDateUTC": end})

    def statistics(self, start: datetime, end: datetime) -> SmsStatistics:
        """Return counts of segments between two aware instants at most 90 days apart."""
        first, last = checks.check_statistics_period(start, end)
        return self._client.call(wire.SMS_STATISTICS, {"startDateTime": first, "endDateTime": last})

    def _one(
        self,
        operation: wire.Operation[tuple[str, ...]],
        number: PhoneNumber,
        values: dict[str, wire.Value],
        text: str,
        sent_at: datetime,
        send_date: datetime | None,
    ) -> Receipt:
        ids = self._client.call(operation, {**values, "DestinationAddress": number.digits, "SendDate": send_date})
        return Receipt(
            recipient=number.e164,
            message_ids=ids,
            segments=len(ids),
            estimated_segments=texts.count_segments(text),
            sent_at=sent_at,
        )

    def _many(
        self,
        operation: wire.Operation[tuple[str, ...]],
        recipients: Iterable[str | PhoneNumber],
        values: dict[str, wire.Value],
        text: str,
        sent_at: datetime,
        send_date: datetime | None,
    ) -> BulkReceipt:
        segments = texts.count_segments(text)
        numbers = self._numbers(recipients, segments)
        ids = self._client.call(
            operation,
            {**values, "DestinationAddresses": [number.digits for number in numbers], "SendDate": send_date},
            recipients=len(numbers),
        )
        return BulkReceipt(
            recipients=tuple(number.e164 for number in numbers),
            message_ids=ids,
            estimated_segments=segments,
            sent_at=sent_at,
        )


class Viber(_Resource):
    """Viber: sending, with or without the platform's resend as SMS, and states.

    ``validity`` is 1 to 1440 minutes; ``sender`` is at most 11 Latin letters or digits (for a resend the
    SMS sender of the same name); a text has at most 1000 characters. ``optional`` is a free parameter of the
    caller's, kept by the platform; a bulk takes one per recipient. Errors are as for SMS.
    """

    def send(
        self,
        to: str | PhoneNumber,
        text: str,
        *,
        sender: str | None = None,
        validity: int | None = None,
        optional: str | None = None,
    ) -> Receipt:
        """Send one text to one number by Viber alone and return the Receipt."""
        return self._one(wire.VIBER_SEND, to, text, sender, validity, optional, resends=False)

    def send_bulk(
        self,
        recipients: Sequence[str | PhoneNumber],
        text: str,
        *,
        sender: str | None = None,
        validity: int | None = None,
        optionals: Sequence[str] | None = None,
    ) -> BulkReceipt:
        """Send one text to many numbers by Viber alone; all or nothing where a number is refused."""
        return self._many(wire.VIBER_SEND_BULK, recipients, text, sender, validity, optionals, resends=False)

    def send_with_resend(
        self,
        to: str | PhoneNumber,
        text: str,
        *,
        sender: str | None = None,
        validity: int | None = None,
        optional: str | None = None,
    ) -> Receipt:
        """Send one text by Viber, which the platform sends as SMS where Viber fails, and return the Receipt."""
        return self._one(wire.VIBER_SEND_WITH_RESEND, to, text, sender, validity, optional, resends=True)

    def send_with_resend_bulk(
        self,
        recipients: Sequence[str | PhoneNumber],
        text: str,
        *,
        sender: str | None = None,
        validity: int | None = None,
        optionals: Sequence[str] | None = None,
    ) -> BulkReceipt:
        """Send one text to many numbers by Viber with the platform's resend; all or nothing where one is refused."""
        return self._many(wire.VIBER_SEND_WITH_RESEND_BULK, recipients, text, sender, validity, optionals, resends=True)

    def state(self, message_id: str) -> ViberState:
        """Return what the gateway knows of one Viber message, and of the SMS that were sent in its place."""
        known = self._client.call(wire.VIBER_STATE, {"messageId": checks.check_message_id(message_id)})
        return wire.named(known, message_id)

    def _one(
        self,
        operation: wire.Operation[tuple[str, ...]],
        to: str | PhoneNumber,
        text: str,
        sender: str | None,
        validity: int | None,
        optional: str | None,
        *,
        resends: bool,
    ) -> Receipt:
        number = self._number(to)
        values = self._fields(checks.VIBER, text, sender, validity)
        sent_at = datetime.now(UTC)
        ids = self._client.call(operation, {**values, "DestinationAddress": number.digits, "Optional": optional})
        return Receipt(
            recipient=number.e164,
            message_ids=ids,
            segments=len(ids),
            channel="viber",
            sent_at=sent_at,
            resends=resends,
        )

    def _many(
        self,
        operation: wire.Operation[tuple[str, ...]],
        recipients: Sequence[str | PhoneNumber],
        text: str,
        sender: str | None,
        validity: int | None,
        optionals: Sequence[str] | None,
        *,
        resends: bool,
    ) -> BulkReceipt:
        values = self._fields(checks.VIBER, text, sender, validity)
        given = list(recipients) if not isinstance(recipients, str | bytes) else recipients
        numbers = self._numbers(given, 1)
        if optionals is not None:
            checks.check_optionals(optionals, len(given))
            # Duplicates are dropped, so each number keeps the parameter of its first appearance.
            first: dict[PhoneNumber, str] = {}
            for recipient, optional in zip(given, optionals, strict=True):
                first.setdefault(self._number(recipient), optional)
            optionals = [first[number] for number in numbers]
        sent_at = datetime.now(UTC)
        ids = self._client.call(
            operation,
            {**values, "DestinationAddresses": [number.digits for number in numbers], "Optionals": optionals},
            recipients=len(numbers),
        )
        return BulkReceipt(
            recipients=tuple(number.e164 for number in numbers),
            message_ids=ids,
            channel="viber",
            sent_at=sent_at,
            resends=resends,
        )


def _latest(local_time: datetime) -> datetime:
    """Return the last instant at which some clock shows ``local_time``, so that no state is given up too early."""
    return local_time.replace(tzinfo=_LAST_ZONE).astimezone(UTC)
