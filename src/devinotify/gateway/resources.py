"""The 14 operations of the gateway as methods of three resources, for every kind of client.

A method makes a call of its arguments and has the client perform it: what comes back, a result or something to await,
is the client's affair, and the signatures here are those of the blocking one.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Protocol, TypeVar

from devinotify.gateway import calls
from devinotify.redact import hide

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from decimal import Decimal

    from devinotify.gateway.calls import Call
    from devinotify.models import BulkReceipt, IncomingSms, Receipt, SmsState, SmsStatistics, ViberState
    from devinotify.phones import PhoneNumber
    from devinotify.url import DevinoURL

R = TypeVar("R")


class Owner(Protocol):
    """The client that resources belong to: its settings, and what performs a call for it."""

    url: DevinoURL

    def call(self, call: Call[R], /) -> R:
        """Perform one operation."""


class Resource:
    """What the three resources share: the client and its settings."""

    def __init__(self, client: Owner) -> None:
        self._client = client
        self._url = client.url
        self._call = client.call

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {self._client!r}>"


class User(Resource):
    """The account."""

    def balance(self) -> Decimal:
        """Return the account's balance in its own currency; raises GatewayError, UnexpectedResponse, TransportError."""
        return self._call(calls.balance())


class Sms(Resource):
    """SMS: sending, states, incoming messages, statistics.

    Every send raises InvalidInput where its own checks refuse, and otherwise an error whose ``verdict`` is
    ``rejected``, ``not_sent`` or ``unknown``. ``validity`` is in minutes, 0 to 10,080, where 0 is the gateway's
    default; ``sender`` is at most 11 Latin characters or 15 digits; a text has at most 2000 characters. A time of
    sending that has passed is refused; it goes out in UTC, as the document says, where an older page of the vendor's
    had GMT+03:00: try one message first.
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
        to, text = hide(to), hide(text)
        return self._call(
            calls.sms_send(self._url, to, text, _now(), sender=sender, send_at=send_at, validity=validity)
        )

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
        to, text = hide(to), hide(text)
        return self._call(
            calls.sms_send_by_time_zone(self._url, to, text, local_time, _now(), sender=sender, validity=validity)
        )

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
        recipients, text = hide(recipients), hide(text)
        return self._call(
            calls.sms_send_bulk(self._url, recipients, text, _now(), sender=sender, send_at=send_at, validity=validity)
        )

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
        recipients, text = hide(recipients), hide(text)
        return self._call(
            calls.sms_send_by_time_zone_to_addresses(
                self._url, recipients, text, local_time, _now(), sender=sender, validity=validity
            )
        )

    def state(self, message_id: str) -> SmsState:
        """Return what the gateway knows of one segment; 48 hours after its sending that is nothing any more."""
        message_id = hide(message_id)
        return self._call(calls.sms_state(message_id))

    def incoming(self, since: datetime, until: datetime) -> list[IncomingSms]:
        """Return the messages received between two aware instants, at most one year back.

        The period is asked for in whole seconds, those that its ends lie in included. One that brings more than a reply
        may hold (1 MB) is asked for in halves until each fits; a message of both halves is given once. Raises
        OutcomeUnknown where a single second brings too many.
        """
        return self._call(calls.sms_incoming(since, until, _now()))

    def statistics(self, start: datetime, end: datetime) -> SmsStatistics:
        """Return counts of segments between two aware instants at most 90 days apart, in whole seconds.

        They are asked for in UTC; the document names no zone, and the vendor's own Python client sends local times.
        """
        return self._call(calls.sms_statistics(start, end))


class Viber(Resource):
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
        to, text, optional = hide(to), hide(text), hide(optional)
        return self._call(
            calls.viber_send(self._url, to, text, _now(), sender=sender, validity=validity, optional=optional)
        )

    def send_bulk(
        self,
        recipients: Iterable[str | PhoneNumber],
        text: str,
        *,
        sender: str | None = None,
        validity: int | None = None,
        optionals: Sequence[str] | None = None,
    ) -> BulkReceipt:
        """Send one text to many numbers by Viber alone; all or nothing where a number is refused."""
        recipients, text, optionals = hide(recipients), hide(text), hide(optionals)
        return self._call(
            calls.viber_send_bulk(
                self._url, recipients, text, _now(), sender=sender, validity=validity, optionals=optionals
            )
        )

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
        to, text, optional = hide(to), hide(text), hide(optional)
        return self._call(
            calls.viber_send(
                self._url, to, text, _now(), sender=sender, validity=validity, optional=optional, resend=True
            )
        )

    def send_with_resend_bulk(
        self,
        recipients: Iterable[str | PhoneNumber],
        text: str,
        *,
        sender: str | None = None,
        validity: int | None = None,
        optionals: Sequence[str] | None = None,
    ) -> BulkReceipt:
        """Send one text to many numbers by Viber with the platform's resend; all or nothing where one is refused."""
        recipients, text, optionals = hide(recipients), hide(text), hide(optionals)
        return self._call(
            calls.viber_send_bulk(
                self._url,
                recipients,
                text,
                _now(),
                sender=sender,
                validity=validity,
                optionals=optionals,
                resend=True,
            )
        )

    def state(self, message_id: str) -> ViberState:
        """Return what the gateway knows of one Viber message, and of the SMS that were sent in its place."""
        message_id = hide(message_id)
        return self._call(calls.viber_state(message_id))


def _now() -> datetime:
    return datetime.now(UTC)
