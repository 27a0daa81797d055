"""A message from a Notifier to a worker, with the database between them."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

import psycopg
import pytest
from click.testing import CliRunner

from devinotify import Notifier, Worker, hookimpl, make_plugin_manager
from devinotify.cli.app import cli
from devinotify.outbox import Outbox, RowState
from devinotify.outbox.location import VARIABLE
from devinotify.outbox.postgres.location import parse_location
from devinotify.outbox.postgres.session import quoted
from devinotify.url import parse
from tests.outbox.support import NUMBER
from tests.postgres_server import PASSWORD

if TYPE_CHECKING:
    from collections.abc import Generator

    from devinotify.channels.protocol import Channel
    from devinotify.models import Message
    from devinotify.sandbox import Sandbox
    from tests.postgres_server import Server

pytestmark = pytest.mark.once(traced=True)


@pytest.mark.parametrize("by", ["--outbox", VARIABLE, "url"])
def test_what_a_notifier_enqueues_a_worker_sends(
    gateway: Sandbox, url: str, by: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However the database is named, and its password is shown nowhere."""
    account = str(gateway.url)
    with Notifier(account, outbox=url) as notifier:
        assert {"+79161234567": 1} == dict(notifier.enqueue("disk full", "8 916 123-45-67").rows)
    named = parse(account).with_options(outbox=url).to_url() if by == "url" else account
    monkeypatch.setenv("DEVINOTIFY_URL", named)
    if by == VARIABLE:
        monkeypatch.setenv(VARIABLE, url)
    option = ["--outbox", url] if by == "--outbox" else []
    sent = CliRunner().invoke(cli, ["worker", "--once", *option])
    listed = CliRunner().invoke(cli, ["outbox", "list", *option])
    assert (0, 0) == (sent.exit_code, listed.exit_code), sent.output + listed.output
    assert PASSWORD not in sent.output + listed.output
    with Outbox(url) as outbox:
        assert [True] == [row.state in (RowState.ACCEPTED, RowState.DELIVERED) for row in outbox]


class _Stops:
    """Stops the database when a message has gone out."""

    def __init__(self, server: Server) -> None:
        self._server = server

    @hookimpl(wrapper=True)
    def devinotify_send_message(self, message: Message, channel: Channel) -> Generator[None, Any, Any]:
        """Let the message go out, and the database go away."""
        found = yield
        self._server.stop()
        return found


class _Starts(logging.Handler):
    """Starts the database again when the worker has said twice that it keeps what it has; ends it once that is told."""

    def __init__(self, server: Server) -> None:
        super().__init__()
        self._server = server
        self.worker: Worker | None = None
        self.heard = 0

    def emit(self, record: logging.LogRecord) -> None:
        """Do what the message is about."""
        if "not recorded yet" in record.getMessage():
            self.heard += 1
            if self.heard == 2:
                self._server.start()
        elif record.getMessage().startswith("batch") and self.worker is not None:
            self.worker.stop()


def test_a_worker_keeps_what_it_has_sent_until_the_database_is_back(gateway: Sandbox, server: Server, url: str) -> None:
    """It is written down then, and nothing is sent again."""
    plugins = make_plugin_manager()
    plugins.register(_Stops(server))
    starts = _Starts(server)
    logger = logging.getLogger("devinotify")
    logger.addHandler(starts)
    logger.setLevel(logging.INFO)
    try:
        with Notifier(str(gateway.url), outbox=url, plugins=plugins) as notifier:
            notifier.enqueue("disk full", ["8 916 123-45-67", "8 916 123-45-68"])
            starts.worker = Worker(notifier, nap=0.1)
            starts.worker.run()
    finally:
        logger.setLevel(logging.NOTSET)
        logger.removeHandler(starts)
        if starts.heard < 2:
            server.start()
    with Outbox(url) as outbox:
        counts = outbox.counts()
        assert (2, 2) == (len(gateway.messages()), counts.accepted + counts.delivered)
    assert starts.heard >= 2


@pytest.mark.parametrize(
    ("text", "channel", "error"),
    [("a" * 5000, "sms", "InvalidText"), ("text", "carrier-pigeon", "InvalidURL"), ("text", "sms", None)],
    ids=["too-long", "no-such-channel", "good"],
)
def test_what_the_function_does_not_check_the_worker_does(
    gateway: Sandbox, url: str, text: str, channel: str, error: str | None
) -> None:
    """Such a row is not sent, and says why; the worker goes on."""
    with Notifier(str(gateway.url), outbox=url) as notifier:
        worker = Worker(notifier)
        with psycopg.connect(parse_location(url).conninfo) as connection:
            connection.execute(
                f"SELECT {quoted(parse_location(url).schema)}enqueue(%s, %s, %s, channel => %s)".encode(),
                (text, [NUMBER], notifier.url.account, channel),
            )
        worker.run(once=True)
        (row,) = worker.outbox
    assert (error is None, error, int(error is None)) == (
        row.state in (RowState.ACCEPTED, RowState.DELIVERED),
        row.error,
        len(gateway.messages()),
    )
