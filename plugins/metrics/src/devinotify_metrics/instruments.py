"""Every instrument as data: its name, kind and unit by OpenTelemetry's conventions, and what it says."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from opentelemetry.metrics import CallbackOptions, Counter, Histogram, Meter, Observation

    Callback = Callable[[CallbackOptions], Iterable[Observation]]


class Attribute:
    """The attributes of measurements and spans: few values each, and nothing personal in any."""

    CHANNEL: Final = "devinotify.channel"
    """The channel's name, of the very step: never ``sms-viber`` where it was the SMS."""
    OPERATION: Final = "devinotify.operation"
    """What was asked of the channel, in the words of ``Client``: ``send``, ``send_bulk``, ``send_by_time_zone``, …."""
    VERDICT: Final = "devinotify.verdict"
    """``accepted``, ``rejected``, ``not_sent`` or ``unknown``."""
    STATUS: Final = "devinotify.status"
    """A ``DeliveryStatus``."""
    ERROR: Final = "error.type"
    """The class of the error, by OpenTelemetry's own convention; absent where there is none."""
    RECIPIENTS: Final = "devinotify.recipients"
    """How many recipients a send had; on spans alone."""
    SEGMENTS: Final = "devinotify.segments"
    """How many segments a send took; on spans alone."""


class InstrumentKind(StrEnum):
    """What an instrument does with what it is told."""

    COUNTER = "counter"
    HISTOGRAM = "histogram"
    GAUGE = "gauge"


@dataclass(frozen=True, slots=True)
class Instrument:
    """One instrument; ``unit`` is UCUM (seconds are ``s``), ``boundaries`` a histogram's bucket limits in it."""

    name: str
    kind: InstrumentKind
    unit: str
    description: str
    attributes: tuple[str, ...]
    boundaries: tuple[float, ...] = ()


# OpenTelemetry's boundaries for requests, and one more at the default timeout.
_REQUEST_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10, 30)
# From the second that a delivery takes at best to the day after which most messages have expired.
_DELIVERY_SECONDS = (1, 2, 5, 10, 30, 60, 120, 300, 600, 1800, 3600, 14400, 86400)
# 2000 characters, the longest text, are 30 segments in Cyrillic.
_SEGMENT_COUNTS = (1, 2, 3, 4, 6, 8, 10, 15, 20, 30)

SENDS = Instrument(
    "devinotify.sends",
    InstrumentKind.COUNTER,
    "{message}",
    "messages by what became of their sending: one for each recipient and step",
    (Attribute.CHANNEL, Attribute.VERDICT, Attribute.ERROR),
)
SEGMENTS = Instrument(
    "devinotify.segments",
    InstrumentKind.COUNTER,
    "{segment}",
    "segments of accepted messages, as the gateway bills them",
    (Attribute.CHANNEL,),
)
MESSAGE_SEGMENTS = Instrument(
    "devinotify.message.segments",
    InstrumentKind.HISTOGRAM,
    "{segment}",
    "segments of each accepted message",
    (Attribute.CHANNEL,),
    _SEGMENT_COUNTS,
)
SEND_DURATION = Instrument(
    "devinotify.send.duration",
    InstrumentKind.HISTOGRAM,
    "s",
    "time that a channel took to send one message, to however many recipients; the verdict is the worst of theirs",
    (Attribute.CHANNEL, Attribute.OPERATION, Attribute.VERDICT, Attribute.ERROR),
    _REQUEST_SECONDS,
)
STATUS_CHANGES = Instrument(
    "devinotify.status_changes",
    InstrumentKind.COUNTER,
    "{change}",
    "delivery states that were news, as wait or the worker saw them",
    (Attribute.CHANNEL, Attribute.STATUS),
)
COST = Instrument(
    "devinotify.cost",
    InstrumentKind.COUNTER,
    "{currency}",
    "price of messages whose state was seen, in the account's currency; each message counts once",
    (Attribute.CHANNEL,),
)
DELIVERY_DURATION = Instrument(
    "devinotify.delivery.duration",
    InstrumentKind.HISTOGRAM,
    "s",
    "time from the network's taking a message over until the report that decided its delivery",
    (Attribute.CHANNEL, Attribute.STATUS),
    _DELIVERY_SECONDS,
)

QUEUE_DEPTH = Instrument(
    "devinotify.queue.depth",
    InstrumentKind.GAUGE,
    "{message}",
    "rows of the outbox that wait to be sent, those before a new try among them",
    (),
)
QUEUE_AGE = Instrument(
    "devinotify.queue.age",
    InstrumentKind.GAUGE,
    "s",
    "time for which the oldest of them has waited; 0 where nothing waits",
    (),
)

INSTRUMENTS: Mapping[str, Instrument] = MappingProxyType(
    {
        instrument.name: instrument
        for instrument in (
            SENDS,
            SEGMENTS,
            MESSAGE_SEGMENTS,
            SEND_DURATION,
            STATUS_CHANGES,
            COST,
            DELIVERY_DURATION,
            QUEUE_DEPTH,
            QUEUE_AGE,
        )
    }
)
"""Every instrument, by its name."""


def make_counter(meter: Meter, instrument: Instrument) -> Counter:
    """Return the meter's counter for it."""
    return meter.create_counter(instrument.name, instrument.unit, instrument.description)


def make_histogram(meter: Meter, instrument: Instrument) -> Histogram:
    """Return the meter's histogram for it, with the bucket limits that fit what it measures."""
    return meter.create_histogram(
        instrument.name,
        instrument.unit,
        instrument.description,
        explicit_bucket_boundaries_advisory=instrument.boundaries,
    )


def make_gauge(meter: Meter, instrument: Instrument, callback: Callback) -> None:
    """Make the meter's gauge for it, whose value ``callback`` tells when it is asked for."""
    meter.create_observable_gauge(instrument.name, [callback], instrument.unit, instrument.description)
