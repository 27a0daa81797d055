"""What is measured: a Notifier, the sandbox gateway, and OpenTelemetry's SDK reading what the plugin reports."""

from __future__ import annotations

import itertools
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Generator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from devinotify import (
    Channel,
    DeliveryStatus,
    DevinotifyError,
    Forbidden,
    Message,
    NotEnoughCredits,
    Notifier,
    Outbox,
    Outcome,
    PluginError,
    Receipt,
    SmsState,
    Verdict,
    hookimpl,
    make_plugin_manager,
)
from devinotify.sandbox import Sandbox
from opentelemetry.metrics import CallbackOptions, NoOpMeterProvider
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import HistogramDataPoint, InMemoryMetricReader, NumberDataPoint
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import NoOpTracerProvider, SpanKind, StatusCode

from devinotify_metrics import INSTRUMENTS, Metrics, plugin, queue
from devinotify_metrics.metrics import OPERATIONS

if TYPE_CHECKING:
    from opentelemetry.util.types import Attributes

ONE, TWO, NOT_ON_VIBER = "+79161234567", "+79031234567", "+79000000024"
NO_CREDITS, NO_SENDER, LOST_ANSWER = "+79000000005", "+79000000006", "+79000000009"
TEXT = "Тайный текст для вас"
SMS, VIBER = {"devinotify.channel": "sms"}, {"devinotify.channel": "viber"}
START = datetime(2026, 1, 15, 9, tzinfo=UTC)

Points = list[tuple[dict[str, Any], float]]


@pytest.fixture
def server(devino_sandbox: Sandbox) -> Sandbox:
    """Return the gateway as it is at its start: that of devinotify's own pytest plugin."""
    return devino_sandbox


@dataclass
class Bench:
    """A gateway, a notifier with the plugin, and what the plugin reported."""

    gateway: Sandbox
    plugin: Metrics
    reader: InMemoryMetricReader
    exporter: InMemorySpanExporter
    outbox: str

    def notifier(self, *plugins: object) -> Notifier:
        """Return a notifier with these plugins and the one that is tested."""
        manager = make_plugin_manager(*plugins, self.plugin, discover=False)
        return Notifier(self.gateway.url, plugins=manager, poll=0.05, outbox=self.outbox)

    def metrics(self) -> dict[str, Any]:
        """Return what was measured since the last time, by instrument."""
        data = self.reader.get_metrics_data()
        metrics = [] if data is None else [one for part in data.resource_metrics for one in part.scope_metrics]
        return {metric.name: metric for scope in metrics for metric in scope.metrics}

    def points(self, name: str) -> Points:
        """Return the attributes and the sum of each of an instrument's series."""
        metric = self.metrics().get(name)
        found: Points = []
        for point in [] if metric is None else metric.data.data_points:
            assert isinstance(point, NumberDataPoint | HistogramDataPoint)
            value = point.sum if isinstance(point, HistogramDataPoint) else point.value
            found.append((dict(point.attributes or {}), value))
        return sorted(found, key=repr)

    def span(self) -> ReadableSpan:
        """Return the one span."""
        (span,) = self.exporter.get_finished_spans()
        return span


@pytest.fixture
def bench(server: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Bench:
    """Return a bench on a gateway at its start; the plugin's clock goes a quarter of a second from look to look."""
    reader, exporter = InMemoryMetricReader(), InMemorySpanExporter()
    tracers = TracerProvider(shutdown_on_exit=False)
    tracers.add_span_processor(SimpleSpanProcessor(exporter))
    ticks = itertools.count(0.0, 0.25)
    meters = MeterProvider([reader], shutdown_on_exit=False)
    metrics = Metrics(meters, tracers, clock=lambda: next(ticks))
    return Bench(server, metrics, reader, exporter, str(tmp_path_factory.mktemp("outbox") / "outbox.db"))


def test_counts_sends(bench: Bench) -> None:
    """Each recipient is a message with its channel and its verdict."""
    with bench.notifier() as notifier:
        notifier.notify(TEXT, [ONE, TWO])
        notifier.notify(TEXT, ONE, channel="viber")
    accepted = {"devinotify.verdict": "accepted"}
    assert [({**SMS, **accepted}, 2), ({**VIBER, **accepted}, 1)] == bench.points("devinotify.sends")


@pytest.mark.parametrize(
    ("number", "verdict", "error"),
    [
        (NO_CREDITS, "rejected", "NotEnoughCredits"),
        (NO_SENDER, "rejected", "InvalidOperation"),
        (LOST_ANSWER, "unknown", "InternalServerError"),
    ],
)
def test_counts_failures_by_their_error(bench: Bench, number: str, verdict: str, error: str) -> None:
    """What was not accepted has its verdict and the class of its error."""
    with bench.notifier() as notifier:
        notifier.notify(TEXT, number)
    assert [({**SMS, "devinotify.verdict": verdict, "error.type": error}, 1)] == bench.points("devinotify.sends")


def test_counts_what_never_left(bench: Bench) -> None:
    """What is refused here is a message that was not sent."""
    with bench.notifier() as notifier:
        notifier.notify("x" * 2001, ONE)
    expected = {**SMS, "devinotify.verdict": "not_sent", "error.type": "InvalidText"}
    assert [(expected, 1)] == bench.points("devinotify.sends")


@pytest.mark.parametrize("number", ["12", "nobody", "+7 495 123-45-67", "+74951234567"])
def test_what_is_no_number_is_no_message(bench: Bench, number: str) -> None:
    """A recipient that nothing can be sent to is not counted, as the README says; the others are."""
    with bench.notifier() as notifier:
        outcomes = notifier.notify(TEXT, [number, ONE])
    assert [Verdict.NOT_SENT, Verdict.ACCEPTED] == [outcome.verdict for outcome in outcomes]
    assert [({**SMS, "devinotify.verdict": "accepted"}, 1)] == bench.points("devinotify.sends")


def test_tells_what_waits(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """Depth and age of the queue, of the outbox that is watched: none before there is one, 0 once it is empty."""
    monkeypatch.delenv("DEVINOTIFY_OUTBOX", raising=False)
    assert [] == bench.points("devinotify.queue.depth")
    with bench.notifier() as notifier, Outbox(bench.outbox) as outbox:
        bench.plugin.watch(outbox)
        assert ([({}, 0)], [({}, 0)]) == (bench.points("devinotify.queue.depth"), bench.points("devinotify.queue.age"))
        notifier.enqueue(TEXT, [ONE, TWO])
        ((_, age),) = bench.points("devinotify.queue.age")
        assert ([({}, 2)], True) == (bench.points("devinotify.queue.depth"), 0 < age < 60)
        bench.plugin.watch(None)


def test_a_step_that_waits_is_told(bench: Bench) -> None:
    """The second step of a message that was ordered waits like any other; the order, which has begun, does not."""
    with Outbox(bench.outbox) as outbox:
        bench.plugin.watch(outbox)
        outbox.enqueue(Message(TEXT, (ONE,), channel="sms-viber"), watch=False)
        order = outbox.claim()
        first = outbox.begin(Message(TEXT, (ONE,), channel="sms-viber"), channel="sms", fallback=True, orders={ONE: 1})
        assert order is not None
        assert first is not None
        outbox.settle(first, [Outcome(ONE, Verdict.REJECTED, "sms", error=Forbidden("no", code=7))])
        outbox.step_later(first.rows, "viber", not_before=datetime.now(UTC) + timedelta(hours=1))
        assert [({}, 1)] == bench.points("devinotify.queue.depth")
        bench.plugin.watch(None)


def test_tells_what_waits_where_the_environment_says(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """The installed plugin looks at DEVINOTIFY_OUTBOX, never makes a file, and is silent where it is none of ours."""
    path = Path(bench.outbox)
    monkeypatch.setenv("DEVINOTIFY_OUTBOX", bench.outbox)
    before = bench.points("devinotify.queue.depth"), path.exists()
    path.write_text("no database")
    broken = bench.points("devinotify.queue.depth")
    path.unlink()
    with bench.notifier() as notifier:
        notifier.enqueue(TEXT, ONE)
    assert (([], False), [], [({}, 1)]) == (before, broken, bench.points("devinotify.queue.depth"))
    bench.plugin.close()


def test_tells_what_waits_in_a_database(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """DEVINOTIFY_OUTBOX may name a database, which is opened as it is written; one that is away tells nothing."""
    opened: list[object] = []

    def open_outbox(location: object) -> Outbox:
        opened.append(location)
        return Outbox(bench.outbox)

    monkeypatch.setenv("DEVINOTIFY_OUTBOX", "postgresql://nobody@127.0.0.1:1/none")
    away = bench.points("devinotify.queue.depth")
    monkeypatch.setattr(queue, "Outbox", open_outbox)
    with bench.notifier() as notifier:
        notifier.enqueue(TEXT, ONE)
    assert ([], [({}, 1)]) == (away, bench.points("devinotify.queue.depth"))
    assert ["postgresql://nobody@127.0.0.1:1/none"] == opened
    bench.plugin.close()


def test_a_database_that_is_away_is_waited_for_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each try may take seconds, and both gauges are read by whoever scrapes; the next reading tries again."""
    tries: list[object] = []
    now = [0.0]

    def away(location: object) -> Outbox:
        tries.append(location)
        now[0] += 5
        raise DevinotifyError("away")

    monkeypatch.setattr(queue, "Outbox", away)
    looked_at = queue.Queue({"DEVINOTIFY_OUTBOX": "postgresql://db/away"}, monotonic=lambda: now[0])
    gauges = (looked_at.depth, looked_at.age)
    assert [(), ()] == [gauge(CallbackOptions()) for gauge in gauges]
    assert 1 == len(tries)
    assert [(), ()] == [gauge(CallbackOptions()) for gauge in reversed(gauges)]
    assert 2 == len(tries)
    now[0] += 5
    assert () == looked_at.age(CallbackOptions())
    assert 3 == len(tries)


def test_the_scope_has_a_version(bench: Bench) -> None:
    """Spans and measurements say which version of the plugin they are of."""
    with bench.notifier() as notifier:
        notifier.notify(TEXT, ONE)
    scope = bench.span().instrumentation_scope
    data = bench.reader.get_metrics_data()
    assert data is not None
    scopes = {part.scope.version for one in data.resource_metrics for part in one.scope_metrics}
    assert scope is not None
    assert ({version("devinotify-metrics")}, version("devinotify-metrics")) == (scopes, scope.version)


def test_counts_each_step_of_a_fallback(bench: Bench) -> None:
    """An SMS that was refused and the Viber message after it are two messages, each on its channel."""
    bench.gateway.set_fate(ONE, "forbidden")
    with bench.notifier() as notifier:
        (outcome,) = notifier.notify(TEXT, ONE, channel="sms-viber")
    steps = [(attempt.channel, attempt.verdict) for attempt in outcome.attempts]
    counted = [
        (attributes["devinotify.channel"], attributes["devinotify.verdict"])
        for attributes, _ in bench.points("devinotify.sends")
    ]
    assert [("sms", "rejected"), ("viber", "rejected")] == steps == counted


def test_counts_a_later_step_of_a_fallback(bench: Bench) -> None:
    """A Viber message that follows an SMS in ``wait`` is counted when it is sent, and the SMS not again."""
    bench.gateway.set_fate(ONE, "expired")
    with bench.notifier() as notifier:
        notifier.wait(notifier.notify(TEXT, ONE, channel="sms-viber"), timeout=60)
    accepted = {"devinotify.verdict": "accepted"}
    assert [({**SMS, **accepted}, 1), ({**VIBER, **accepted}, 1)] == bench.points("devinotify.sends")


def test_counts_segments(bench: Bench) -> None:
    """The segments of accepted messages add up, and each message's are in the histogram."""
    with bench.notifier() as notifier:
        notifier.notify("я" * 71, [ONE, TWO])
        notifier.notify("я" * 70, ONE)
        notifier.notify("я" * 71, NO_CREDITS)
    measured = bench.metrics()
    (total,) = measured["devinotify.segments"].data.data_points
    (each,) = measured["devinotify.message.segments"].data.data_points
    assert (5, SMS) == (total.value, total.attributes)
    assert (3, 5, 1, 2) == (each.count, each.sum, each.min, each.max)
    assert INSTRUMENTS["devinotify.message.segments"].boundaries == each.explicit_bounds


@pytest.mark.parametrize(
    ("recipients", "send_at", "operation"),
    [
        ([ONE], None, "send"),
        ([ONE, TWO], None, "send_bulk"),
        ([ONE], datetime(2030, 1, 1, 9), "send_by_time_zone"),  # noqa: DTZ001 - a wall clock
        ([ONE, TWO], datetime(2030, 1, 1, 9), "send_by_time_zone_to_addresses"),  # noqa: DTZ001 - a wall clock
        ([ONE], datetime(2030, 1, 1, 9, tzinfo=UTC), "send"),
        ([ONE, TWO], datetime(2030, 1, 1, 9, tzinfo=UTC), "send_bulk"),
    ],
)
def test_times_sends_by_operation(
    bench: Bench, recipients: list[str], send_at: datetime | None, operation: str
) -> None:
    """One send is one measurement, however many recipients it has, with the client's word for it."""
    with bench.notifier() as notifier:
        notifier.notify(TEXT, recipients, send_at=send_at)
        assert callable(getattr(notifier.client.sms, operation))
    expected = {**SMS, "devinotify.operation": operation, "devinotify.verdict": "accepted"}
    assert [(expected, 0.25)] == bench.points("devinotify.send.duration")


def test_every_operation_is_the_clients(bench: Bench) -> None:
    """The table of operations names methods of ``client.sms``, each once."""
    with bench.notifier() as notifier:
        assert 4 == len({getattr(notifier.client.sms, name).__name__ for name in OPERATIONS.values()})


def test_times_failures_by_the_worst_verdict(bench: Bench) -> None:
    """A send that ended differently for its recipients has the verdict that most wants looking at."""
    with bench.notifier(_Answers({ONE: Verdict.ACCEPTED, TWO: Verdict.REJECTED})) as notifier:
        notifier.notify(TEXT, [ONE, TWO])
    ((attributes, _),) = bench.points("devinotify.send.duration")
    assert ("rejected", "NotEnoughCredits") == (attributes["devinotify.verdict"], attributes["error.type"])


def test_counts_outcomes_without_attempts(bench: Bench) -> None:
    """A plugin that answers in the sender's place need not tell of attempts: the outcome is the one step."""
    with bench.notifier(_Answers({ONE: Verdict.ACCEPTED})) as notifier:
        notifier.notify(TEXT, ONE)
    assert [({**SMS, "devinotify.verdict": "accepted"}, 1)] == bench.points("devinotify.sends")


def test_counts_status_changes_and_cost(bench: Bench) -> None:
    """Each new state is counted, and the price once, whoever looks and however often."""
    with bench.notifier() as notifier:
        outcomes = notifier.notify("я" * 71, [ONE, TWO])
        notifier.wait(outcomes, timeout=60)
        notifier.wait(outcomes, timeout=60)
    changes = {
        attributes["devinotify.status"]: count for attributes, count in bench.points("devinotify.status_changes")
    }
    assert (2, [(SMS, 10.0)]) == (changes["delivered"], bench.points("devinotify.cost"))


def test_times_deliveries(bench: Bench) -> None:
    """The time of a delivery is the network's: from taking the message over until its report."""
    with bench.notifier() as notifier:
        notifier.wait(notifier.notify(TEXT, ONE), timeout=60)
    ((attributes, seconds),) = bench.points("devinotify.delivery.duration")
    assert {**SMS, "devinotify.status": "delivered"} == attributes
    assert pytest.approx(0.8) == seconds


@pytest.mark.parametrize(
    ("submitted", "reported", "expected"),
    [(0, 60, [60.0]), (60, 0, [0.0]), (None, 60, []), (0, None, [])],
)
def test_delivery_needs_both_dates(
    bench: Bench, submitted: int | None, reported: int | None, expected: list[float]
) -> None:
    """Without one of the dates there is nothing to measure; dates in the wrong order measure 0."""
    submitted_at, reported_at = (
        None if seconds is None else START + timedelta(seconds=seconds) for seconds in (submitted, reported)
    )
    state = SmsState(DeliveryStatus.EXPIRED, 46, submitted_at=submitted_at, reported_at=reported_at)
    bench.plugin.devinotify_status_changed(Receipt(ONE, ("1",), 1), state)
    assert expected == [seconds for _, seconds in bench.points("devinotify.delivery.duration")]


def test_costs_of_a_resend(bench: Bench) -> None:
    """Viber with the platform's resend costs both, on its own channel."""
    with bench.notifier() as notifier:
        notifier.wait(notifier.notify(TEXT, NOT_ON_VIBER, channel="viber-sms"), timeout=60)
    assert [({"devinotify.channel": "viber-sms"}, 4.0)] == bench.points("devinotify.cost")


def test_every_instrument_is_used(bench: Bench) -> None:
    """Each instrument reports, with its own unit and description and no attribute that it does not name."""
    with bench.notifier() as notifier:
        notifier.wait(notifier.notify(TEXT, [ONE, NO_CREDITS]), timeout=60)
        notifier.wait(notifier.notify(TEXT, ONE), timeout=60)
        bench.plugin.watch(notifier.following().outbox)
        measured = bench.metrics()
    assert set(INSTRUMENTS) == set(measured)
    for name, instrument in INSTRUMENTS.items():
        metric = measured[name]
        used = {key for point in metric.data.data_points for key in point.attributes}
        assert (instrument.unit, instrument.description) == (metric.unit, metric.description)
        assert set() == used - set(instrument.attributes)


# --- spans


def test_span_of_a_send(bench: Bench) -> None:
    """A send is a client span with the measurement's attributes and the counts."""
    with bench.notifier() as notifier:
        notifier.notify("я" * 71, [ONE, TWO])
    span = bench.span()
    expected: Attributes = {
        **SMS,
        "devinotify.operation": "send_bulk",
        "devinotify.verdict": "accepted",
        "devinotify.recipients": 2,
        "devinotify.segments": 4,
    }
    assert ("send sms", SpanKind.CLIENT, StatusCode.UNSET) == (span.name, span.kind, span.status.status_code)
    assert expected == span.attributes


def test_span_of_a_failure(bench: Bench) -> None:
    """A send that was refused is an error with its class, and none of its words."""
    with bench.notifier() as notifier:
        notifier.notify(TEXT, NO_CREDITS)
    span = bench.span()
    assert (StatusCode.ERROR, None, ()) == (span.status.status_code, span.status.description, span.events)
    assert "NotEnoughCredits" == (span.attributes or {})["error.type"]


def test_span_of_an_exception(bench: Bench) -> None:
    """A plugin that raises in the sender's place is an error, which goes on to whoever handles it."""
    with bench.notifier(_Raises()) as notifier:
        (outcome,) = notifier.notify(TEXT, ONE)
    span = bench.span()
    assert (Verdict.NOT_SENT, PluginError) == (outcome.verdict, type(outcome.error))
    assert (StatusCode.ERROR, None, ()) == (span.status.status_code, span.status.description, span.events)
    assert ("not_sent", "PluginError") == tuple(
        (span.attributes or {})[key] for key in ("devinotify.verdict", "error.type")
    )


def test_span_is_the_parent_of_what_is_inside(bench: Bench) -> None:
    """Spans that are started while it sends, such as those of HTTP instrumentation, are its children."""
    inside = _Traces(bench.exporter)
    with bench.notifier(inside) as notifier:
        notifier.notify(TEXT, ONE)
    child, parent = bench.exporter.get_finished_spans()
    assert child.parent is not None
    assert parent.context is not None
    assert ("inside", parent.context.span_id) == (child.name, child.parent.span_id)


# --- no personal data


def test_has_no_personal_data(bench: Bench) -> None:
    """Nothing that is exported holds a number, a text, a title, a sender, an id, a login or a password."""
    with Sandbox(login="Jonathan", password="a+b==13%!", sender="SHOPNAME") as gateway:
        bench.gateway = gateway
        gateway.set_fate(TWO, "expired")
        with bench.notifier(_Raises(only="viber-sms")) as notifier:
            outcomes = [
                outcome
                for channel in ("sms", "viber", "sms-viber", "viber-sms", "null")
                for outcome in notifier.notify(TEXT, [ONE, TWO, "12"], title="Заголовок", channel=channel)
            ]
            notifier.wait(outcomes, timeout=60)
            # What our own checks refuse is told with its text as well.
            assert [Verdict.NOT_SENT] == [outcome.verdict for outcome in notifier.notify(TEXT * 1000, ONE)]
        ids = [message_id for message in gateway.messages() for message_id in message.message_ids]
    data = bench.reader.get_metrics_data()
    assert data is not None
    exported = data.to_json() + "".join(span.to_json() for span in bench.exporter.get_finished_spans())
    secrets = [TEXT, "Тайный", "Заголовок", "Jonathan", "a+b==13%!", "SHOPNAME", *ids]
    secrets += [number[start : start + 7] for number in (ONE, TWO) for start in range(6)]
    # Times, durations and ids of spans have digits enough to hold any seven by chance.
    told = re.sub(r'time_unix_nano": \d+|\d+\.\d+|0x[0-9a-f]+', "", exported)
    readable = told.encode().decode("unicode_escape", "replace") + told
    assert [] == [secret for secret in secrets if secret in readable]
    assert len(ids) >= 6


# --- installed


def test_installed() -> None:
    """The entry point brings the plugin into every manager, by the name that DEVINOTIFY_DISABLE_PLUGINS takes."""
    assert plugin is make_plugin_manager().get_plugin("metrics")


def test_without_an_sdk(server: Sandbox) -> None:
    """Where no provider is set the installed plugin changes nothing."""
    with Notifier(server.url, poll=0.05) as notifier:
        (outcome,) = notifier.wait(notifier.notify(TEXT, ONE), timeout=60)
    assert DeliveryStatus.DELIVERED is outcome.status


LATER = """
from devinotify import Notifier
from opentelemetry import metrics, trace
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

reader, spans = InMemoryMetricReader(), InMemorySpanExporter()
tracers = TracerProvider()
tracers.add_span_processor(SimpleSpanProcessor(spans))
with Notifier("devino://demo:demo@DEVINO/79161234567?channel=null") as notifier:
    notifier.notify("1")
    metrics.set_meter_provider(MeterProvider([reader]))
    notifier.notify("2")
    trace.set_tracer_provider(tracers)
    notifier.notify("3")
(scope,) = reader.get_metrics_data().resource_metrics[0].scope_metrics
values = {one.name: one.data.data_points[0] for one in scope.metrics}
print(values["devinotify.sends"].value, values["devinotify.send.duration"].count, len(spans.get_finished_spans()))
"""


def test_providers_that_are_set_later() -> None:
    """What the process sets while it runs is told of all that comes after."""
    done = subprocess.run([sys.executable, "-c", LATER], capture_output=True, text=True, timeout=60, check=True)
    assert "2 2 1" == done.stdout.strip()


def test_a_provider_that_does_nothing(server: Sandbox) -> None:
    """The API's own providers, which measure nothing, change nothing."""
    metrics = Metrics(NoOpMeterProvider(), NoOpTracerProvider())
    with Notifier(server.url, plugins=make_plugin_manager(metrics, discover=False)) as notifier:
        (outcome,) = notifier.notify(TEXT, ONE)
    assert Verdict.ACCEPTED is outcome.verdict


def test_counts_from_many_threads(bench: Bench) -> None:
    """States that several threads see at once cost once."""
    from concurrent.futures import ThreadPoolExecutor
    from decimal import Decimal

    states = [SmsState(DeliveryStatus.SENT, -1, price=Decimal("2.50"))] * 8
    receipts = [Receipt(ONE, (str(number),), 1) for number in range(50)]
    with ThreadPoolExecutor(8) as pool:
        for receipt in receipts:
            list(pool.map(bench.plugin.devinotify_status_changed, [receipt] * 8, states))
    assert [(SMS, 125.0)] == bench.points("devinotify.cost")


# --- plugins that stand in


class _Answers:
    """Answers in the sender's place, with a verdict for each recipient."""

    def __init__(self, verdicts: dict[str, Verdict]) -> None:
        self._verdicts = verdicts

    @hookimpl(tryfirst=True)
    def devinotify_send_message(self, message: Message) -> list[Outcome]:
        """Return the outcomes, without attempts."""
        return [
            Outcome(recipient, verdict, message.channel, error=None if verdict == "accepted" else NotEnoughCredits())
            for recipient, verdict in self._verdicts.items()
        ]


class _Raises:
    """Raises in the sender's place, with words that nobody may see."""

    def __init__(self, only: str = "") -> None:
        self._only = only

    @hookimpl(tryfirst=True)
    def devinotify_send_message(self, message: Message, channel: Channel) -> list[Outcome] | None:
        """Raise, on the one channel where one is named."""
        if self._only and channel.name != self._only:
            return None
        raise RuntimeError(f"{message.recipients} {message.text}")


class _Traces:
    """Starts a span while a message is sent, as instrumentation of HTTP does."""

    def __init__(self, exporter: InMemorySpanExporter) -> None:
        provider = TracerProvider(shutdown_on_exit=False)
        provider.add_span_processor(SimpleSpanProcessor(exporter))
        self._tracer = provider.get_tracer("tests")

    @hookimpl(wrapper=True)
    def devinotify_send_message(self) -> Generator[None, list[Outcome], list[Outcome]]:
        """Start and end a span round the send."""
        with self._tracer.start_as_current_span("inside"):
            return (yield)


def test_stand_ins_are_hooks() -> None:
    """The plugins above implement the hook that they are meant for."""
    implemented = Counter(
        hook
        for stand_in in (_Answers({}), _Raises(), _Traces(InMemorySpanExporter()))
        for loaded in make_plugin_manager(stand_in, discover=False).loaded()[-1:]
        for hook in loaded.hooks
    )
    assert {"devinotify_send_message": 3} == implemented
