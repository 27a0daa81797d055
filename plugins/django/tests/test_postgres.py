"""An outbox in Django's own PostgreSQL database: messages are a part of the request's transaction."""

from __future__ import annotations

import sys
import urllib.error
from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest
from devinotify import InvalidInput, Outbox
from django.core.checks import run_checks
from django.core.management import ManagementUtility
from django.db import connections, transaction

from devinotify_django import databases, enqueue_sms
from tests.project import NUMBER
from tests.serving import served
from tests.test_commands import run
from tests.test_servers import ask

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from devinotify.sandbox import Sandbox

    from tests import postgres


@pytest.fixture(scope="module")
def shop(server: postgres.Server) -> Iterator[postgres.Server]:
    """Have the server's database as Django's alias ``shop``."""
    connections.settings["shop"] = {**connections.settings["default"], **server.database()}
    yield server
    connections["shop"].close()
    del connections["shop"]
    del connections.settings["shop"]


@pytest.fixture
def outbox(shop: postgres.Server, configure: Callable[..., None]) -> Iterator[Outbox]:
    """Yield the outbox as another process sees it, with nothing in it."""
    configure(OUTBOX=shop.url)
    with Outbox(shop.url) as opened:
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


@pytest.mark.skipif(sys.platform == "win32", reason="gunicorn does not run there")
def test_a_view_with_atomic_requests(gateway: Sandbox, outbox: Outbox, server: postgres.Server, tmp_path: Path) -> None:
    """A request that fails takes its message with it; that of one that does not is in its transaction, and is sent."""
    database = server.database(ATOMIC_REQUESTS=True)
    command = ("gunicorn", "--timeout", "120", "-w", "1", "-b", "127.0.0.1:{port}", "application:wsgi")
    with served(gateway, tmp_path, *command, outbox=server.url, database=database) as url:
        with pytest.raises(urllib.error.HTTPError) as failed:
            ask(f"{url}/order?fail")
        with failed.value:
            assert (500, []) == (failed.value.code, list(outbox))
        assert "ordered, 1 stored" == ask(f"{url}/order")
    assert 1 == len(outbox)
    assert "in the outbox: 1 accepted" in run("devinotify_worker", "--once")
    assert ["Thank you"] == [each.text for each in gateway.messages()]


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
        ("postgresql://me@db.example.com:1/?host=127.0.0.1&port={port}&dbname=postgres&schema=sms", True),
        ("postgresql:///postgres?host=/tmp&port={port}", False),
        ("postgresql://me@127.0.0.1:x/postgres", False),
    ],
)
def test_whose_database(shop: postgres.Server, location: str | None, here: bool) -> None:
    """An outbox is in Django's database where server and name are the same, whoever the user is."""
    assert here is databases.holds("shop", location and location.format(port=shop.port))


@pytest.mark.parametrize(
    ("host", "location", "here"),
    [
        ("/var/run/postgresql", "postgresql:///shop?host=/var/run/postgresql", True),
        ("/var/run/postgresql/", "postgresql://%2Fvar%2Frun%2Fpostgresql/shop", True),
        ("/var/run/postgresql", "postgresql://%2Fvar%2Frun%2Fpostgresql:5433/shop", False),
        ("/var/run/postgresql", "postgresql://%2Ftmp/shop", False),
        ("/var/run/postgresql", "postgresql://127.0.0.1/shop", False),
        ("DB.example.com", "postgresql://db.Example.com/shop?failover=trust", True),
        ("db.example.com", "postgresql://db.example.com/Shop", False),
        ("", "postgresql:///shop", True),
    ],
)
def test_whose_server(monkeypatch: pytest.MonkeyPatch, host: str, location: str, here: bool) -> None:
    """A server is told by its socket's folder, and by its name, in whatever way that is written."""
    settings = {"HOST": host, "PORT": "", "NAME": "shop", "OPTIONS": {"sslmode": "prefer"}}
    wrapper = SimpleNamespace(vendor="postgresql", settings_dict=settings)
    monkeypatch.setattr(databases, "connections", {"default": wrapper})
    assert here is databases.holds("default", location)


def test_sqlite_holds_none() -> None:
    """A database that is not PostgreSQL holds no outbox."""
    assert not databases.holds("default", "postgresql://me@127.0.0.1/shop")


TAKE_BACK = """
DO $$ DECLARE function regprocedure; BEGIN
    FOR function IN SELECT oid::regprocedure FROM pg_proc
        WHERE pronamespace = 'older'::regnamespace AND proname NOT IN ('add', 'enqueue')
    LOOP EXECUTE 'DROP FUNCTION ' || function; END LOOP;
END $$;
ALTER TABLE older.rows DROP COLUMN own_deadline;
ALTER TABLE older.rows RESET (fillfactor)
"""
"""What versions after 6 have brought."""


def test_migrate_upgrades_an_older_schema(
    gateway: Sandbox, shop: postgres.Server, configure: Callable[..., None], capsys: pytest.CaptureFixture[str]
) -> None:
    """An outbox that an earlier version has made is refused until then, and serves afterwards."""
    url = f"{shop.url}?schema=older"
    Outbox(url).close()
    with connections["shop"].cursor() as cursor:
        cursor.execute("DELETE FROM older.version WHERE number > 6")  # before a worker had functions
        cursor.execute(TAKE_BACK)
    with pytest.raises(InvalidInput):
        Outbox(url)
    configure(URL=f"{gateway.url}&channel=sms-viber", OUTBOX=url)
    assert ["devinotify.E009"] == [found.id for found in run_checks() if "devinotify" in found.id]
    # As manage.py runs it: not kept from it by what the checks find.
    ManagementUtility(["manage.py", "devinotify_migrate"]).execute()
    assert " is ready" in capsys.readouterr().out
    with Outbox(url) as opened:
        assert [] == list(opened)
