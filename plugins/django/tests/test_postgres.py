"""An outbox in Django's own PostgreSQL database: messages are a part of the request's transaction."""

from __future__ import annotations

from io import StringIO
from typing import TYPE_CHECKING

import pytest
from devinotify import InvalidInput, Outbox
from django.core.management import call_command
from django.db import connections, transaction

from devinotify_django import databases, enqueue_sms
from tests import postgres
from tests.project import NUMBER

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

pytestmark = pytest.mark.skipif(postgres.programs() is None, reason="no PostgreSQL is installed")


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    """Yield the port of a server, whose database is Django's alias ``shop``."""
    with postgres.running() as port:
        connections.settings["shop"] = {
            **connections.settings["default"],
            "ENGINE": "django.db.backends.postgresql",
            "HOST": "127.0.0.1",
            "PORT": str(port),
            "NAME": "postgres",
            "USER": "tester",
            "PASSWORD": postgres.PASSWORD,
        }
        yield port
        connections["shop"].close()
        del connections["shop"]
        del connections.settings["shop"]


@pytest.fixture
def outbox(port: int, configure: Callable[..., None]) -> Iterator[Outbox]:
    """Yield the outbox as another process sees it, with nothing in it."""
    location = f"postgresql://tester:{postgres.PASSWORD}@127.0.0.1:{port}/postgres"
    configure(OUTBOX=location)
    with Outbox(location) as opened:
        opened.forget(list(opened))
        yield opened


def test_is_committed_with_the_request(outbox: Outbox) -> None:
    """The rows are known at once, and there for others when the transaction commits."""
    with transaction.atomic(using="shop"):
        enqueued = enqueue_sms("Hello", NUMBER, database="shop")
        assert [] == list(outbox)
    assert list(enqueued.rows.values()) == [row.id for row in outbox]


def test_is_rolled_back_with_the_request(outbox: Outbox) -> None:
    """A transaction that is rolled back takes its messages with it."""
    with transaction.atomic(using="shop"):
        assert enqueue_sms("Hello", NUMBER, database="shop").rows
        transaction.set_rollback(True, using="shop")
    assert [] == list(outbox)


def test_is_rolled_back_with_a_savepoint(outbox: Outbox) -> None:
    """So does an inner block; what came before it stays."""
    with transaction.atomic(using="shop"):
        enqueue_sms("One", NUMBER, database="shop")
        with transaction.atomic(using="shop"):
            enqueue_sms("Two", NUMBER, database="shop")
            transaction.set_rollback(True, using="shop")
    assert 1 == len(outbox)


def test_other_transaction(outbox: Outbox) -> None:
    """In a transaction of another database it is stored after that one's commit."""
    with transaction.atomic():
        assert {} == enqueue_sms("Hello", NUMBER).rows
        assert [] == list(outbox)
    assert 1 == len(outbox)


@pytest.mark.parametrize(
    ("location", "here"),
    [
        (None, False),
        ("/var/lib/shop/sms.db", False),
        ("postgresql://me@127.0.0.1:{port}/postgres", True),
        ("postgres://me@localhost:{port}/postgres", True),
        ("postgresql://me@127.0.0.1:{port}/other", False),
        ("postgresql://me@127.0.0.1:1/postgres", False),
        ("postgresql://me@db.example.com:{port}/postgres", False),
    ],
)
def test_whose_database(port: int, location: str | None, here: bool) -> None:
    """An outbox is in Django's database where server and name are the same, whoever the user is."""
    assert here is databases.holds("shop", location and location.format(port=port))


def test_sqlite_holds_none() -> None:
    """A database that is not PostgreSQL holds no outbox."""
    assert not databases.holds("default", "postgresql://me@127.0.0.1/shop")


def test_migrate_upgrades_an_older_schema(port: int, configure: Callable[..., None]) -> None:
    """An outbox that an earlier version has made is refused until then, and serves afterwards."""
    url = f"postgresql://tester:{postgres.PASSWORD}@127.0.0.1:{port}/postgres?schema=older"
    Outbox(url).close()
    with connections["shop"].cursor() as cursor:
        cursor.execute("DELETE FROM older.version WHERE number = (SELECT max(number) FROM older.version)")
        cursor.execute("DROP INDEX older.rows_story")
        cursor.execute("ALTER TABLE older.rows DROP COLUMN story")
    with pytest.raises(InvalidInput):
        Outbox(url)
    configure(OUTBOX=url)
    call_command("devinotify_migrate", stdout=StringIO())
    with Outbox(url) as opened:
        assert [] == list(opened)
