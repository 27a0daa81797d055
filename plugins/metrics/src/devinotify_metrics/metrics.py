"""The plugin: watches sends by a wrapper, outcomes and delivery states as an observer."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterable, Mapping
from contextlib import nullcontext
from functools import cache
from importlib.metadata import version
from types import MappingProxyType
from typing import TYPE_CHECKING

from devinotify import (
    Attempt,
    Channel,
    InvalidPhoneNumber,
    Message,
    Outbox,
    Outcome,
    Receipt,
    SmsState,
    Verdict,
    hookimpl,
    phones,
)
from opentelemetry import metrics, trace
from opentelemetry.trace import SpanKind, Status, StatusCode

from devinotify_metrics import instruments
from devinotify_metrics.deduplication import Deduplicator
from devinotify_metrics.instruments import Attribute, make_counter, make_gauge, make_histogram
from devinotify_metrics.queue import Queue

if TYPE_CHECKING:
    from opentelemetry.metrics import MeterProvider
    from opentelemetry.trace import Span, TracerProvider

SCOPE = "devinotify_metrics"
"""The instrumentation scope, by which OpenTelemetry tells our data from others'."""
VERSION = version("devinotify-metrics")
"""The scope's version: this plugin's."""

OPERATIONS: Mapping[tuple[bool, bool], str] = MappingProxyType(
    {
        (False, False): "send",
        (True, False): "send_bulk",
        (False, True): "send_by_time_zone",
        (True, True): "send_by_time_zone_to_addresses",
    }
)
"""(Several recipients, by the recipient's wall clock) -> the operation, in the words of ``Client``."""

RESENDING = "viber-sms"
"""The channel whose receipts say that the platform resends, and otherwise look like those of ``viber``."""

_WORST = (Verdict.UNKNOWN, Verdict.REJECTED, Verdict.NOT_SENT, Verdict.ACCEPTED)
"""The verdicts, the one that most wants looking at first."""


class Metrics:
    """A plugin that measures; give it to ``make_plugin_manager`` with providers of your own, or install it.

    Without ``meter_provider`` and ``tracer_provider`` it reports to those of the process, whenever they are set.
    ``clock`` answers seconds that only go forward. ``remember`` is how many messages are kept in mind, by a hash of
    their ids, so that none is counted twice.
    """

    def __init__(
        self,
        meter_provider: MeterProvider | None = None,
        tracer_provider: TracerProvider | None = None,
        *,
        clock: Callable[[], float] = time.perf_counter,
        remember: int = 10_000,
    ) -> None:
        self._providers = (meter_provider, tracer_provider)
        self._unmeasured: Message | None = None  # the last one whose outcomes nobody wanted
        meter = metrics.get_meter(SCOPE, VERSION, meter_provider)
        self._tracer = trace.get_tracer(SCOPE, VERSION, tracer_provider)
        self._clock = clock
        self._deduplicator = Deduplicator(remember)
        self._sends = make_counter(meter, instruments.SENDS)
        self._segments = make_counter(meter, instruments.SEGMENTS)
        self._message_segments = make_histogram(meter, instruments.MESSAGE_SEGMENTS)
        self._send_duration = make_histogram(meter, instruments.SEND_DURATION)
        self._status_changes = make_counter(meter, instruments.STATUS_CHANGES)
        self._cost = make_counter(meter, instruments.COST)
        self._delivery_duration = make_histogram(meter, instruments.DELIVERY_DURATION)
        self._queue = Queue()
        make_gauge(meter, instruments.QUEUE_DEPTH, self._queue.depth)
        make_gauge(meter, instruments.QUEUE_AGE, self._queue.age)

    def watch(self, outbox: Outbox | None) -> None:
        """Report how much waits in this outbox; with ``None`` in the one that ``DEVINOTIFY_OUTBOX`` names."""
        self._queue.watch(outbox)

    def close(self) -> None:
        """Close the outbox that the gauges opened; the next look opens it again."""
        self._queue.close()

    # Outermost of the wrappers, so that the time is what the caller waits for.
    @hookimpl(wrapper=True, tryfirst=True)
    def devinotify_send_message(
        self, message: Message, channel: Channel
    ) -> Generator[None, list[Outcome], list[Outcome]]:
        """Put a span round the send, and record how long it took."""
        traced = self._is_traced()
        if not traced and not self._is_measured():
            self._unmeasured = message
            return (yield)
        by_time_zone = message.send_at is not None and message.send_at.utcoffset() is None
        attributes: dict[str, str | int] = {
            Attribute.CHANNEL: channel.name,
            Attribute.OPERATION: OPERATIONS[len(message.recipients) > 1, by_time_zone],
        }
        started = self._clock()
        # What an exception says may be personal, so it is not recorded as OpenTelemetry would.
        span_of_send = (
            self._tracer.start_as_current_span(
                f"send {channel.name}",
                kind=SpanKind.CLIENT,
                attributes={**attributes, Attribute.RECIPIENTS: len(message.recipients)},
                record_exception=False,
                set_status_on_exception=False,
            )
            if traced
            else nullcontext(trace.INVALID_SPAN)
        )
        with span_of_send as span:
            try:
                outcomes = yield
            except Exception as error:
                self._ended(span, attributes, Verdict.NOT_SENT, error, started)
                raise
            verdict, worst = _worst(outcomes)
            self._ended(span, attributes, verdict, worst, started)
            span.set_attribute(Attribute.SEGMENTS, sum(_segments(outcome.receipt) or 0 for outcome in outcomes))
            return outcomes

    def _ended(
        self,
        span: Span,
        attributes: Mapping[str, str | int],
        verdict: Verdict,
        error: Exception | None,
        started: float,
    ) -> None:
        results = {Attribute.VERDICT: str(verdict), **_error_type(error)}
        span.set_attributes(results)
        if verdict is not Verdict.ACCEPTED:
            span.set_status(Status(StatusCode.ERROR))
        self._send_duration.record(self._clock() - started, {**attributes, **results})

    @hookimpl
    def devinotify_outcome_recorded(self, message: Message, outcome: Outcome) -> None:
        """Count each step of the outcome, and its segments; what never became a message is none."""
        # Asked once for a message, which may have a thousand outcomes: OpenTelemetry looks into the environment.
        if message is self._unmeasured:
            return
        if not self._is_measured():
            self._unmeasured = message
            return
        self._unmeasured = None
        if isinstance(outcome.error, InvalidPhoneNumber) or not phones.is_e164(outcome.recipient):
            return
        for attempt in outcome.attempts or (Attempt(outcome.channel, outcome.verdict, outcome.receipt, outcome.error),):
            channel = {Attribute.CHANNEL: attempt.channel}
            self._sends.add(1, {**channel, Attribute.VERDICT: str(attempt.verdict), **_error_type(attempt.error)})
            segments = _segments(attempt.receipt)
            if segments is not None:
                self._segments.add(segments, channel)
                self._message_segments.record(segments, channel)

    def _is_measured(self) -> bool:
        return not _is_idle(type(self._providers[0] or metrics.get_meter_provider()))

    def _is_traced(self) -> bool:
        return not _is_idle(type(self._providers[1] or trace.get_tracer_provider()))

    @hookimpl
    def devinotify_status_changed(self, receipt: Receipt, state: SmsState) -> None:
        """Count the change, and what the message cost; note how long its delivery took once that is decided."""
        news = self._deduplicator.enter(receipt, state)
        channel = {Attribute.CHANNEL: RESENDING if receipt.resends else receipt.channel}
        if news.cost:
            self._cost.add(float(news.cost), channel)
        if news.status is None:
            return
        status = {**channel, Attribute.STATUS: str(news.status)}
        self._status_changes.add(1, status)
        if news.decided and state.submitted_at is not None and state.reported_at is not None:
            seconds = (state.reported_at - state.submitted_at).total_seconds()
            self._delivery_duration.record(max(0.0, seconds), status)


@cache
def _is_idle(provider: type) -> bool:
    """Whether a provider is of the API itself, which stands in until there is one, or does nothing: nobody listens."""
    return provider.__module__.startswith(("opentelemetry.metrics", "opentelemetry.trace"))


def _segments(receipt: Receipt | None) -> int | None:
    return None if receipt is None else receipt.segments


def _error_type(error: Exception | None) -> dict[str, str]:
    return {} if error is None else {Attribute.ERROR: type(error).__name__}


def _worst(outcomes: Iterable[Outcome]) -> tuple[Verdict, Exception | None]:
    """Return the worst verdict, and an error that came with it."""
    errors: dict[Verdict, Exception | None] = {}
    for outcome in outcomes:
        errors.setdefault(outcome.verdict, outcome.error)
    verdict = next((verdict for verdict in _WORST if verdict in errors), Verdict.ACCEPTED)
    return verdict, errors.get(verdict)
