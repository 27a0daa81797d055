"""An in-memory twin of the client: takes what channels send, and refuses what it is told to, as the gateway would."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import count
from typing import TYPE_CHECKING, cast

from devinotify import text as texts
from devinotify.exceptions import DevinotifyError, InvalidArgument
from devinotify.models import BulkReceipt, DeliveryStatus, Receipt, SmsState, ViberState
from devinotify.url import parse

if TYPE_CHECKING:
    from collections.abc import Callable

    from devinotify import Client

URL = "devino://login:password@SENDER"


@dataclass(frozen=True, slots=True)
class Request:
    """One request: the operation, its recipients, and the rest of its arguments."""

    operation: str
    recipients: tuple[str, ...]
    text: str
    arguments: dict[str, object] = field(default_factory=dict)


def bad_number() -> DevinotifyError:
    """Return what the gateway says to a bad number."""
    return InvalidArgument("Invalid destination address", code=2, http_status=400)


class Twin:
    """Stands in for ``Client``: ``requests`` are those that were made, ``sent`` whom a message went out to.

    A request with one of ``culprits`` among its recipients is refused with ``refusal()``; ``before`` may raise.
    """

    def __init__(
        self,
        culprits: frozenset[str] = frozenset(),
        refusal: Callable[[], DevinotifyError] = bad_number,
        before: Callable[[Request], object] = repr,
        url: str = URL,
    ) -> None:
        self.url = parse(url)
        self.requests: list[Request] = []
        self.sent: list[str] = []
        self.states: dict[str, SmsState] = {}
        self.sms = Resource(self, "sms")
        self.viber = Resource(self, "viber")
        self._culprits = culprits
        self._refusal = refusal
        self._before = before
        self._ids = count(1)

    def close(self) -> None:
        """Close nothing."""

    def take(self, request: Request, segments: int) -> tuple[str, ...]:
        """Take a request as the gateway would, and return its message ids."""
        self.requests.append(request)
        self._before(request)
        if self._culprits.intersection(request.recipients):
            raise self._refusal()
        self.sent += request.recipients
        return tuple(f"id-{next(self._ids)}" for _ in range(segments * len(request.recipients)))


class Resource:
    """The operations of ``client.sms`` or ``client.viber``."""

    def __init__(self, twin: Twin, channel: str) -> None:
        self._twin = twin
        self._channel = channel

    def _post(self, operation: str, to: str | Sequence[str], text: str, **arguments: object) -> tuple[str, ...]:
        recipients = (to,) if isinstance(to, str) else tuple(to)
        segments = texts.count_segments(text) if self._channel == "sms" else 1
        return self._twin.take(Request(f"{self._channel}.{operation}", recipients, text, arguments), segments)

    def _one(self, operation: str, to: str, text: str, **arguments: object) -> Receipt:
        ids = self._post(operation, to, text, **arguments)
        resends = "resend" in operation
        return Receipt(to, ids, len(ids), self._channel, sent_at=datetime.now(UTC), resends=resends)

    def _many(self, operation: str, to: Sequence[str], text: str, **arguments: object) -> BulkReceipt:
        ids = self._post(operation, to, text, **arguments)
        resends = "resend" in operation
        return BulkReceipt(tuple(to), ids, self._channel, sent_at=datetime.now(UTC), resends=resends)

    def send(self, to: str, text: str, **arguments: object) -> Receipt:
        """Send one text to one number."""
        return self._one("send", to, text, **arguments)

    def send_by_time_zone(self, to: str, text: str, local_time: datetime, **arguments: object) -> Receipt:
        """Send by the recipient's clock."""
        return self._one("send_by_time_zone", to, text, local_time=local_time, **arguments)

    def send_with_resend(self, to: str, text: str, **arguments: object) -> Receipt:
        """Send by Viber, or SMS."""
        return self._one("send_with_resend", to, text, **arguments)

    def send_bulk(self, to: Sequence[str], text: str, **arguments: object) -> BulkReceipt:
        """Send one text to many."""
        return self._many("send_bulk", to, text, **arguments)

    def send_by_time_zone_to_addresses(
        self, to: Sequence[str], text: str, local_time: datetime, **arguments: object
    ) -> BulkReceipt:
        """Send one text to many by their clocks."""
        return self._many("send_by_time_zone_to_addresses", to, text, local_time=local_time, **arguments)

    def send_with_resend_bulk(self, to: Sequence[str], text: str, **arguments: object) -> BulkReceipt:
        """Send to many by Viber, or SMS."""
        return self._many("send_with_resend_bulk", to, text, **arguments)

    def state(self, message_id: str) -> SmsState:
        """Return the state that a test has set, or delivered."""
        kind = SmsState if self._channel == "sms" else ViberState
        return self._twin.states.get(message_id, kind(DeliveryStatus.DELIVERED, 0, message_id=message_id))


def as_client(twin: Twin) -> Client:
    """Return the twin as what it stands in for."""
    return cast("Client", twin)
