"""The channels that are one step: SMS, Viber, Viber with the platform's own resend, and none at all."""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, ClassVar, cast

from devinotify import phones
from devinotify import text as texts
from devinotify.channels.batch import BATCH, accepted, deliver, failed
from devinotify.channels.protocol import OwnChannel, check_schedule
from devinotify.exceptions import DevinotifyError
from devinotify.gateway import checks
from devinotify.gateway.client import BULK_LIMIT
from devinotify.models import DeliveryStatus, Receipt, SmsState, combine
from devinotify.phones.number import are_e164
from devinotify.redact import Secret, mask_number

if TYPE_CHECKING:
    from collections.abc import Awaitable, Iterable, Sequence

    from devinotify.gateway.aio.resources import Ready
    from devinotify.gateway.client import Client
    from devinotify.models import Message, Outcome
    from devinotify.phones import NormalizedMany
    from devinotify.redact import Secrets

log: logging.Logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Direct(OwnChannel):
    """What the one-step channels share: the constraints, and one request for one recipient or for a batch.

    They touch nothing but the client, so that an event loop may send on them itself (``send_awaited``).

    ``segmented`` says that a text is billed by segments, so that the settings about them hold; ``schedulable`` that
    it takes a ``send_at``.
    """

    segmented: ClassVar[bool] = True
    schedulable: ClassVar[bool] = True

    name: str
    constraints: checks.Constraints

    @property
    def max_length(self) -> int:
        """Characters that a text may have, counted by code points."""
        return self.constraints.max_length

    def check_sender(self, sender: str) -> None:
        """Raise InvalidSender where the channel does not take the sender."""
        self.constraints.check_sender(sender)

    def send(self, message: Message, client: Client) -> list[Outcome]:
        """Send the message, in bulk where it has several recipients, and answer one Outcome each, in order."""
        return [*self.outcomes(message, client)]

    def outcomes(self, message: Message, client: Client) -> Sequence[Outcome]:
        """Do what ``send`` does; of a bulk that was accepted the outcomes are made when they are asked for."""
        given = message.recipients
        try:
            check_schedule(self, message)
        except DevinotifyError as error:
            return [failed(self.name, recipient, error) for recipient in given]
        if len(given) == 1:
            return [self._to_one(Secret(given[0]), message, client)]

        def post(some: Secrets[str]) -> Iterable[Receipt]:
            return (self._one(Secret(*some), message, client),) if len(some) == 1 else self._many(some, message, client)

        if are_e164(given) and len(set(given)) == len(given):
            return deliver(self.name, given, post, batch=self._batch(message))
        # What comes from a plugin or an outbox may name one number in two ways, or not be a number.
        read = phones.normalize_many(given, region=client.url.region)
        numbers = [number.e164 for number in read.numbers]
        return self._as_given(given, read, deliver(self.name, numbers, post, batch=self._batch(message)))

    async def send_awaited(self, message: Message, client: Ready) -> list[Outcome]:
        """Send a message that has one recipient by the client of an event loop, and answer what ``send`` does."""
        recipient = Secret(message.recipients[0])
        # The operations are those of the blocking client; what they answer is awaited.
        blocking = cast("Client", client)
        try:
            receipt = await cast("Awaitable[Receipt]", self._one(recipient, message, blocking))
        except DevinotifyError as error:
            return [failed(self.name, str(recipient), error)]
        return [accepted(self.name, str(recipient), receipt)]

    def _to_one(self, recipient: Secret, message: Message, client: Client) -> Outcome:
        try:
            receipt = self._one(recipient, message, client)
        except DevinotifyError as error:
            return failed(self.name, str(recipient), error)
        return accepted(self.name, str(recipient), receipt)

    def _as_given(self, given: Sequence[str], read: NormalizedMany, outcomes: Sequence[Outcome]) -> list[Outcome]:
        """Return one Outcome for each recipient as it was given, from those of the distinct numbers."""
        found = dict(zip(read.positions, outcomes, strict=True))
        for error in read.refused:
            assert error.position is not None  # noqa: S101 - in a list each has its place
            found[error.position] = failed(self.name, given[error.position], error)
        return [
            replace(found[read.duplicates.get(position, position)], recipient=recipient)
            for position, recipient in enumerate(given)
        ]

    def state(self, receipt: Receipt, client: Client) -> SmsState:
        """Return the state of the message: the worst of its parts."""
        raise NotImplementedError

    def _batch(self, message: Message) -> int:  # noqa: ARG002 - SMS needs it
        return BATCH

    def _one(self, recipient: Secret, message: Message, client: Client) -> Receipt:
        raise NotImplementedError

    def _many(self, recipients: Secrets[str], message: Message, client: Client) -> Iterable[Receipt]:
        raise NotImplementedError


def _due(message: Message) -> datetime | None:
    """Return when the message is to go out, ``None`` for at once: so where its time passed while it was queued."""
    at = message.send_at
    return None if at is None or checks.has_passed(at, datetime.now(UTC)) else at


class SmsChannel(Direct):
    """SMS, at once, at an instant, or by the recipient's own clock."""

    __slots__ = ()

    def state(self, receipt: Receipt, client: Client) -> SmsState:
        """Return the state of the message: the worst of its segments, one request each."""
        return combine([client.sms.state(message_id) for message_id in receipt.message_ids])

    def _batch(self, message: Message) -> int:
        return max(1, min(BATCH, BULK_LIMIT // texts.count_segments(message.text)))

    def _one(self, recipient: Secret, message: Message, client: Client) -> Receipt:
        at, sender, validity = _due(message), message.sender, message.validity
        if at is not None and at.utcoffset() is None:
            return client.sms.send_by_time_zone(recipient, message.text, at, sender=sender, validity=validity)
        return client.sms.send(recipient, message.text, sender=sender, send_at=at, validity=validity)

    def _many(self, recipients: Secrets[str], message: Message, client: Client) -> Iterable[Receipt]:
        at, sender, validity = _due(message), message.sender, message.validity
        if at is not None and at.utcoffset() is None:
            return client.sms.send_by_time_zone_to_addresses(
                recipients, message.text, at, sender=sender, validity=validity
            )
        return client.sms.send_bulk(recipients, message.text, sender=sender, send_at=at, validity=validity)


class ViberChannel(Direct):
    """Viber alone; it cannot be scheduled."""

    __slots__ = ()
    segmented = False
    schedulable = False

    def state(self, receipt: Receipt, client: Client) -> SmsState:
        """Return the state of the message, with the SMS that were sent in its place where the platform resends."""
        states = [client.viber.state(message_id) for message_id in receipt.message_ids]
        return combine([replace(state, resends=True) for state in states] if receipt.resends else states)

    def _one(self, recipient: Secret, message: Message, client: Client) -> Receipt:
        return client.viber.send(recipient, message.text, sender=message.sender, validity=message.validity)

    def _many(self, recipients: Secrets[str], message: Message, client: Client) -> Iterable[Receipt]:
        return client.viber.send_bulk(recipients, message.text, sender=message.sender, validity=message.validity)


class ViberSmsChannel(ViberChannel):
    """Viber, and the platform itself sends an SMS where Viber fails."""

    __slots__ = ()
    segmented = True

    @property
    def billed_as(self) -> tuple[str, str]:
        """Viber first, and the SMS in its place."""
        return VIBER.name, SMS.name

    def _one(self, recipient: Secret, message: Message, client: Client) -> Receipt:
        return client.viber.send_with_resend(recipient, message.text, sender=message.sender, validity=message.validity)

    def _many(self, recipients: Secrets[str], message: Message, client: Client) -> Iterable[Receipt]:
        return client.viber.send_with_resend_bulk(
            recipients, message.text, sender=message.sender, validity=message.validity
        )


class NullChannel(Direct):
    """Accepts everything, sends nothing, and logs it masked: for staging."""

    __slots__ = ()

    def outcomes(self, message: Message, client: Client) -> list[Outcome]:
        """Check the message as SMS would, log it, and accept it."""
        try:
            text = self.constraints.check_text(message.text)
            self.check_sender(message.sender or client.url.sender)
        except DevinotifyError as error:
            return [failed(self.name, recipient, error) for recipient in message.recipients]
        segments = texts.count_segments(text)
        now = datetime.now(UTC)
        outcomes = []
        for recipient in message.recipients:
            log.info("null channel: %d segments to %s are not sent", segments, mask_number(recipient))
            receipt = Receipt(recipient, (), segments, self.name, estimated_segments=segments, sent_at=now)
            outcomes.append(accepted(self.name, recipient, receipt))
        return outcomes

    async def send_awaited(self, message: Message, client: Ready) -> list[Outcome]:
        """Do what ``send`` does, which waits for nothing."""
        return self.send(message, cast("Client", client))

    def state(self, receipt: Receipt, client: Client) -> SmsState:  # noqa: ARG002 - the protocol has both
        """Return ``delivered``, so that what waits for it goes on; the description says that nothing was sent."""
        return SmsState(DeliveryStatus.DELIVERED, 0, "null channel: nothing was sent")


SMS = SmsChannel("sms", checks.SMS)
VIBER = ViberChannel("viber", checks.VIBER)
VIBER_SMS = ViberSmsChannel("viber-sms", checks.VIBER)
NULL = NullChannel("null", checks.SMS)
