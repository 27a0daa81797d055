"""Runs one scenario and reports everything that a test may want to look at."""

from __future__ import annotations

import logging
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, quote_plus

from devinotify.exceptions import DevinotifyError, Verdict
from tests.faults.server import LOGIN, PASSWORD, Exchange, FaultServer, answer, handshake

if TYPE_CHECKING:
    from devinotify import Client
    from tests.faults.certificates import Certificates
    from tests.faults.scenarios import Scenario

NUMBER = "79161234567"
TEXT = "Код подтверждения: zebra-сундук"

SETTINGS_FROM_OUTSIDE = (
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "ALL_PROXY",
    "NO_PROXY",
    "REQUESTS_CA_BUNDLE",
    "CURL_CA_BUNDLE",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
)
"""Variables, in either case, that change how a client connects."""

LOGGERS = ("", "devinotify", "urllib3", "urllib3.connectionpool", "requests", "charset_normalizer", "http.client")


@dataclass(slots=True)
class Report:
    """What became of one send.

    ``error`` is the class that was raised, ``None`` where the send was accepted, and ``verdict`` is ``None``
    where it is no error of ours; ``shown`` is everything
    that a log or a traceback would show; ``secrets`` what must not be in it; ``operations`` lists the
    requests received after the send began, ``connections`` counts the connections made since; ``seconds``
    is what the send took.
    """

    verdict: Verdict | None
    error: type[Exception] | None = None
    shown: str = ""
    secrets: tuple[str, ...] = ()
    operations: list[str] = field(default_factory=list)
    partly: int = 0
    connections: int = 0
    seconds: float = 0.0


def run(certificates: Certificates, kind: Callable[..., Any], scenario: Scenario, over: str, *, kept: bool) -> Report:
    """Return the report of a scenario over ``plain`` or ``tls``, on a connection that was kept or a fresh one.

    Where a busy machine made no connection within the deadline, the fault was not met: it is met anew, twice at most.
    """
    for _ in range(2):
        report = met(certificates, kind, scenario, over, kept=kept)
        if report.connections <= scenario.connections:
            return report
    return met(certificates, kind, scenario, over, kept=kept)


def met(certificates: Certificates, kind: Callable[..., Any], scenario: Scenario, over: str, *, kept: bool) -> Report:
    """Return the report of one try of a scenario."""
    with (
        FaultServer(certificates.good if over == "tls" else None) as server,
        kind(
            login=LOGIN,
            password=PASSWORD,
            sender="Acme",
            gateway=server.base,
            ca=str(certificates.ca),
            timeout=scenario.timeout,
        ) as client,
    ):
        # Logged in, and with a connection that is kept or is not, so that the fault meets the send itself.
        server.play("user/balance", answer if kept else leaving)
        client.user.balance()
        if scenario.act is not None:
            server.play("viber/send" if scenario.viber else "sms/send", scenario.act)
        if scenario.door is not None:
            server.doors = [handshake, scenario.door(certificates)]
        if scenario.arrange is not None:
            scenario.arrange(server)
        return watch(client, server, viber=scenario.viber)


def leaving(exchange: Exchange) -> None:
    """Answer well and end the connection as announced."""
    answer(exchange, close=True)


def watch(client: Client, server: FaultServer, *, viber: bool = False) -> Report:
    """Send one message and report what came of it and what was shown on the way."""
    before, connections = len(server.requests), server.connections
    report = Report(Verdict.ACCEPTED)
    with logs() as lines:
        started = time.monotonic()
        try:
            shown = repr((client.viber if viber else client.sms).send(NUMBER, TEXT))
        except DevinotifyError as error:
            report.verdict, report.error = error.verdict, type(error)
            shown = everything_about(error)
        except Exception as error:  # noqa: BLE001 - an error that is none of ours is what the tests must see
            report.verdict, report.error = None, type(error)
            shown = everything_about(error)
        report.seconds = time.monotonic() - started
    report.shown = "\n".join([shown, repr(client), *lines])
    report.secrets = secrets_of(server)
    report.operations = [request.operation for request in server.requests[before:]]
    report.partly = server.partly
    report.connections = server.connections - connections
    return report


def send_from_threads(client: Client, count: int) -> list[Verdict]:
    """Send one message to a number of its own from each of ``count`` threads, all at once; return their verdicts."""
    ready = threading.Barrier(count)

    def one(index: int) -> Verdict:
        ready.wait(60)
        try:
            client.sms.send(f"7916{index:07d}", TEXT)
        except DevinotifyError as error:
            return error.verdict
        return Verdict.ACCEPTED

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(one, range(count)))


def secrets_of(server: FaultServer) -> tuple[str, ...]:
    """Return what no log and no error may hold, as it is and escaped: password, session ids, number and text."""
    plain = (PASSWORD, TEXT, TEXT.split()[-1], "сундук", NUMBER[1:], *server.issued)
    return tuple(dict.fromkeys(form(secret) for secret in plain for form in (str, quote, quote_plus, repr)))


def everything_about(error: BaseException) -> str:
    """Return what any handler could show of an error: its texts, attributes, tracebacks, causes and hidden contexts."""
    pieces = ["".join(traceback.format_exception(error))]
    pending: list[BaseException | None] = [error]
    seen: set[int] = set()
    while pending:
        current = pending.pop()
        if current is None or id(current) in seen:
            continue
        seen.add(id(current))
        pieces += [str(current), repr(current), repr(current.args), repr(vars(current))]
        pending += [current.__cause__, current.__context__]
    return "\n".join(pieces)


@contextmanager
def logs() -> Iterator[list[str]]:
    """Give the lines that all loggers write at DEBUG meanwhile."""
    lines: list[str] = []

    class Collector(logging.Handler):
        """Keeps every line."""

        def emit(self, record: logging.LogRecord) -> None:
            """Keep one line, and what its traceback would show."""
            lines.append(self.format(record) + repr(record.args))

    collector = Collector(logging.DEBUG)
    levels = {name: logging.getLogger(name).level for name in LOGGERS}
    for name in LOGGERS:
        logging.getLogger(name).setLevel(logging.DEBUG)
    logging.getLogger().addHandler(collector)
    try:
        yield lines
    finally:
        logging.getLogger().removeHandler(collector)
        for name, level in levels.items():
            logging.getLogger(name).setLevel(level)
