"""Prometheus: a process with the SDK's exporter, scraped over HTTP."""

from __future__ import annotations

import re
import urllib.request

import pytest
from devinotify import Notifier, Outbox, make_plugin_manager
from devinotify.sandbox import Sandbox
from opentelemetry.exporter.prometheus import PrometheusMetricReader
from opentelemetry.sdk.metrics import MeterProvider
from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, start_http_server

from devinotify_metrics import INSTRUMENTS, Instrument, Metrics
from devinotify_metrics.instruments import InstrumentKind

NUMBERS = ["+79161234567", "+79031234567"]
TEXT = "Everything half price"
SUFFIXES = {
    ("counter", "s"): "_seconds_total",
    ("histogram", "s"): "_seconds",
    ("counter", ""): "_total",
    ("gauge", "s"): "_seconds",
}


@pytest.fixture(scope="module")
def scraped(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Return what a scrape brings after two deliveries."""
    reader = PrometheusMetricReader()
    provider = MeterProvider(metric_readers=[reader], shutdown_on_exit=False)
    server, thread = start_http_server(0, addr="127.0.0.1", registry=REGISTRY)
    try:
        metrics = Metrics(provider)
        plugins = make_plugin_manager(metrics, discover=False)
        outbox = Outbox(tmp_path_factory.mktemp("outbox") / "outbox.db")
        with outbox, Sandbox() as gateway, Notifier(gateway.url, plugins=plugins, poll=0.05) as notifier:
            notifier.wait(notifier.notify(TEXT, NUMBERS), timeout=60)
            metrics.watch(outbox)
            address = f"http://127.0.0.1:{server.server_port}/metrics"
            with urllib.request.urlopen(address, timeout=60) as answer:
                assert CONTENT_TYPE_LATEST.split(";")[0] in answer.headers["Content-Type"]
                return str(answer.read().decode())
    finally:
        server.shutdown()
        server.server_close()
        thread.join(60)
        provider.shutdown()


@pytest.mark.parametrize("instrument", INSTRUMENTS.values(), ids=list(INSTRUMENTS))
def test_has_every_instrument(scraped: str, instrument: Instrument) -> None:
    """Each instrument is scraped by the name that Prometheus' conventions make of it."""
    unit = instrument.unit if instrument.unit == "s" else ""
    name = instrument.name.replace(".", "_") + SUFFIXES.get((instrument.kind, unit), "")
    series = "_count" if instrument.kind is InstrumentKind.HISTOGRAM else ""
    assert f"# TYPE {name} {instrument.kind}\n" in scraped
    label = 'devinotify_channel="sms"' if instrument.attributes else "otel_scope_name="
    assert re.search(rf"^{name}{series}{{{label}", scraped, re.MULTILINE)


def test_has_the_values(scraped: str) -> None:
    """Two messages of a segment each cost five."""
    values = dict(re.findall(r"^devinotify_(sends|segments|cost)_total{.*} (.*)$", scraped, re.MULTILINE))
    assert {"sends": "2.0", "segments": "2.0", "cost": "5.0"} == values


def test_has_no_personal_data(scraped: str) -> None:
    """No number, text or password is scraped."""
    assert [] == [secret for secret in (*(number[1:] for number in NUMBERS), TEXT, "demo") if secret in scraped]
