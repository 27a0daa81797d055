"""The outbox in PostgreSQL, which a fleet has: real workers on Redis, and messages of the caller's own transaction."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
from devinotify.sandbox import Sandbox
from psycopg.conninfo import conninfo_to_dict

from devinotify_celery import notifiers, notify, ring
from tests import postgres
from tests.brokers import PATIENCE
from tests.conftest import NUMBER
from tests.workers import Shop, busy, states, wait_for

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests import brokers
    from tests.workers import Process


@pytest.fixture(scope="module")
def databases() -> Iterator[Callable[[], postgres.Database]]:
    """Run a PostgreSQL server, and give what gives databases on it."""
    with postgres.running() as fresh:
        yield fresh


@pytest.fixture
def database(databases: Callable[[], postgres.Database]) -> postgres.Database:
    """Give a database whose outbox is not there yet."""
    return databases()


@pytest.fixture
def shop(redis: brokers.Redis, gateway: Sandbox, database: postgres.Database, tmp_path: Path) -> Shop:
    """Give a shop whose broker and outbox have nothing in them, and that soon knows of a process that was killed."""
    redis.flush()
    return Shop(tmp_path, broker=redis.url, url=gateway.url, outbox=database.outbox, worker_lost_wait=0.5)


def wait_for_tasks(worker: Process, name: str, times: int) -> None:
    """Wait until so many tasks of this name have ended well."""
    ended = re.compile(rf"Task {re.escape(name)}\[[^]]+\] succeeded")
    wait_for(lambda: len(ended.findall(worker.written())) >= times)


def test_a_task_sends_once(shop: Shop, client: Any, gateway: Sandbox) -> None:
    """One that the broker brings twice is told of the first, and no worker warns of a file on one machine."""
    with shop.worker() as worker:
        first = notify.delay("Hello", NUMBER)
        (told,) = first.get(timeout=PATIENCE)
        notify.apply_async(("Hello", NUMBER), task_id=first.id)
        wait_for_tasks(worker, "devinotify.notify", 2)
        assert ("accepted", 2) == (told["verdict"], worker.written().count(f": {[told]}"))
        assert "one machine" not in worker.written()
    assert ["Hello"] == [each.text for each in gateway.messages()]


def test_what_is_enqueued_in_a_transaction_goes_out_after_its_commit(
    shop: Shop, client: Any, gateway: Sandbox, database: postgres.Database
) -> None:
    """A bell before it finds nothing, one after it sends, and one more changes nothing."""
    with shop.worker() as worker, database.connect() as connection:
        notifiers.get_notifier(app=client).enqueue("Thank you", NUMBER, key="order-1001", connection=connection)
        ring()
        wait_for_tasks(worker, "devinotify.drain", 1)
        assert [] == gateway.messages()
        connection.commit()
        ring()
        wait_for_tasks(worker, "devinotify.drain", 2)
        assert ["Thank you"] == [each.text for each in gateway.messages()]
        assert ["accepted"] == states(client)
        ring()
        wait_for_tasks(worker, "devinotify.drain", 3)
    assert ["Thank you"] == [each.text for each in gateway.messages()]


DJANGO = """
import json
import sys
from django.conf import settings
settings.configure(
    DATABASES={"default": {"ENGINE": "django.db.backends.postgresql", **json.loads(sys.argv[3])}},
    DEVINOTIFY={"default": {"URL": sys.argv[1], "OUTBOX": sys.argv[2]}},
)
import django
django.setup()
from django.db import connection, transaction
from celery import Celery
from devinotify_celery import get_notifier, ring
app = Celery("shop", broker="memory://")
app.conf.task_always_eager = True
for failed in (True, False):
    with transaction.atomic():
        get_notifier().enqueue("Thank you", "+79161234567", key="order-1001", connection=connection.connection)
        ring()
        transaction.set_rollback(failed)
    print([str(row.state) for row in get_notifier().following().outbox])
"""


def test_in_django_what_is_rolled_back_is_never_sent(gateway: Sandbox, database: postgres.Database) -> None:
    """Nothing is left of it; the same order, tried again and committed, goes out."""
    parts = conninfo_to_dict(database.url)
    names = {"NAME": "dbname", "USER": "user", "PASSWORD": "password", "HOST": "host", "PORT": "port"}
    settings = {name: str(parts.get(part, "")) for name, part in names.items()}
    done = subprocess.run(
        [sys.executable, "-c", DJANGO, gateway.url, database.outbox, json.dumps(settings)],
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert ["[]", "['accepted']"] == done.stdout.splitlines(), done.stderr
    assert ["Thank you"] == [each.text for each in gateway.messages()]


def test_a_process_killed_between_request_and_reply(shop: Shop, client: Any, database: postgres.Database) -> None:
    """Its task comes again, and is ``unknown`` once the process counts as dead: one request has been made."""
    with Sandbox() as slow:  # of its own, which forgets at its end a request that is still under way
        shop.variables["SHOP_URL"] = slow.url
        slow.add_fault("latency", number=NUMBER, seconds=PATIENCE)
        with shop.worker():
            result = notify.delay("Hello", NUMBER)
            wait_for(lambda: slow.faults()[0].hits)
            (killed,) = busy(client)
            os.kill(killed, signal.SIGKILL)
            # The 90 seconds for which its last sign of life counts are over.
            with database.connect() as connection:
                connection.execute("UPDATE workers SET seen_at = seen_at - 90 WHERE pid = %s", (killed,))
            assert "unknown" == result.get(timeout=PATIENCE)[0]["verdict"]
            assert ["unknown"] == states(client)
        assert 1 == slow.faults()[0].hits
