"""What the page on PostgreSQL shows, in each language, run as it stands there: by roles that may do no more."""

from __future__ import annotations

from typing import TYPE_CHECKING

import psycopg
import pytest

from devinotify import Notifier
from devinotify.exceptions import DevinotifyError, InvalidInput, Verdict
from devinotify.outbox import Outbox
from devinotify.sandbox import Sandbox
from tests.docs.pages import ROOT, blocks
from tests.outbox.support import accepted, claim, message, numbers
from tests.postgres_server import PASSWORD

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.docs.pages import Block
    from tests.postgres_server import Server

pytestmark = pytest.mark.once

ENGLISH, RUSSIAN = (
    [block for block in blocks(ROOT / page) if block.kind in {"py", "sql"}]
    for page in ("docs/how-to/postgresql.md", "docs/ru/how-to/postgresql.md")
)
"""What each page shows: a program, a call of the function, and what is granted to whom."""

ROLES = ("sms_owner", "sms_worker", "sms_program")


class App:
    """A database of a program's own, and the URL of each role."""

    def __init__(self, server: Server) -> None:
        self._url = server.url("app")
        self.run = psycopg.connect(self._url, autocommit=True).execute
        self.close = self.run.__self__.close  # type: ignore[attr-defined]  # a bound method's

    def url(self, role: str) -> str:
        """Return the URL of a role."""
        return self._url.replace("tester", role)


@pytest.fixture
def app(server: Server) -> Iterator[App]:
    """Give the database with the page's roles, the schema made by the first and granted to the others."""
    with psycopg.connect(server.url(), autocommit=True) as administrator:
        administrator.execute("DROP DATABASE IF EXISTS app")
        administrator.execute("CREATE DATABASE app")
        for role in ROLES:
            administrator.execute(f"DROP ROLE IF EXISTS {role}")
            administrator.execute(f"CREATE ROLE {role} LOGIN PASSWORD '{PASSWORD}'")
        found = App(server)
        create, rest = ENGLISH[2].code.split("\n", 1)
        found.run(create)
        Outbox(found.url("sms_owner")).close()
        found.run(rest)
        found.run("CREATE TABLE orders (id integer); GRANT INSERT ON orders TO sms_program")
        yield found
        found.run("DROP OWNED BY sms_owner, sms_worker, sms_program")
        found.close()
        administrator.execute("DROP DATABASE app")


@pytest.mark.parametrize(
    ("page", "text"), [(ENGLISH, "Order 42 is paid"), (RUSSIAN, "Заказ 42 оплачен")], ids=["en", "ru"]
)
def test_the_program_enqueues_in_its_transaction(app: App, page: list[Block], text: str) -> None:
    """With a role that may do nothing else, and the worker sends it."""
    url = app.url("sms_program")
    with Sandbox() as gateway, Notifier(str(gateway.url), outbox=url) as notifier:
        exec(page[0].code, {"psycopg": psycopg, "notifier": notifier, "DATABASE": url})  # noqa: S102 - the page's own
    with Outbox(app.url("sms_worker")) as outbox:
        batch = claim(outbox)
        assert (text, 1) == (batch.stored.message.text, len(outbox.settle(batch, accepted(batch))))


@pytest.mark.parametrize("page", [ENGLISH, RUSSIAN], ids=["en", "ru"])
def test_the_function_is_called_as_it_is_shown(app: App, page: list[Block]) -> None:
    """Once it is new, and then it is known."""
    with psycopg.connect(app.url("sms_program")) as connection:
        lines = [connection.execute(page[1].code).fetchall() for _ in range(2)]
    assert [[(1, "+79161234567", False)], [(1, "+79161234567", True)]] == lines


def test_the_worker_does_all_that_workers_do(app: App) -> None:
    """It may neither make nor change a table."""
    with Outbox(app.url("sms_worker"), max_rows=100) as outbox:
        outbox.enqueue(message(*numbers(2)), account="me@host/rest", key="k")
        batch = claim(outbox, 1)
        outbox.settle(batch, accepted(batch))
        outbox.remember("a", "b")
        assert (1, 0, 1) == (outbox.counts().accepted, outbox.recover(), outbox.forget([1]))
    with psycopg.connect(app.url("sms_worker")) as connection, pytest.raises(psycopg.errors.InsufficientPrivilege):
        connection.execute("ALTER TABLE devinotify.rows ADD COLUMN a integer")


@pytest.mark.parametrize("table", ["messages", "rows", "queue", "claims", "workers", "accounts", "notes", "tokens"])
def test_the_program_reads_nothing(app: App, table: str) -> None:
    """Neither a text nor a number."""
    with psycopg.connect(app.url("sms_program")) as connection, pytest.raises(psycopg.errors.InsufficientPrivilege):
        connection.execute(f"SELECT * FROM devinotify.{table}")  # noqa: S608 - our own words


def test_the_program_enqueues_by_a_connection_alone(app: App) -> None:
    """Without one it would need more privileges, and is told so."""
    with Outbox(app.url("sms_program")) as outbox, pytest.raises(DevinotifyError, match="lacks a privilege") as told:
        outbox.enqueue(message())
    assert (Verdict.NOT_SENT, False) == (told.value.verdict, told.value.retryable)


def test_who_was_not_given_the_function_is_told(app: App) -> None:
    """It runs with its owner's privileges, so it is for those who were given it."""
    app.run("REVOKE EXECUTE ON FUNCTION devinotify.enqueue FROM sms_program")
    url = app.url("sms_program")
    with (
        Outbox(url) as outbox,
        psycopg.connect(url) as connection,
        pytest.raises(DevinotifyError, match="lacks a privilege"),
    ):
        outbox.enqueue(message(), connection=connection)
    with pytest.raises(InvalidInput, match="may not make it"):
        Outbox(app.url("sms_program") + "?schema=other")
