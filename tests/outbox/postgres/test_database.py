"""The database under an outbox: made once, lost and found again, shared by processes and threads."""

from __future__ import annotations

import os
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import psycopg
import pytest

from devinotify import Notifier
from devinotify.exceptions import DevinotifyError, InvalidInput, Verdict
from devinotify.outbox import Outbox, RowState
from devinotify.outbox.memory import MemoryStore
from devinotify.outbox.outbox import REQUEST_SECONDS
from devinotify.outbox.postgres.heartbeat import DEAD_AFTER, MOST_SPARE
from devinotify.outbox.postgres.location import parse_location
from devinotify.outbox.postgres.migration import NEWEST
from devinotify.outbox.postgres.session import quoted
from devinotify.outbox.postgres.store import PostgresStore
from tests.outbox.support import accepted, claim, message, numbers
from tests.postgres_server import PASSWORD
from tests.waiting import ended

if TYPE_CHECKING:
    from devinotify.outbox.store import Transaction
    from tests.postgres_server import Server

pytestmark = pytest.mark.once(traced=True)


def run(url: str, statement: str) -> list[tuple[object, ...]]:
    """Run a statement, as an administrator would, in which ``~`` stands for the schema."""
    where = parse_location(url)
    with psycopg.connect(where.conninfo, autocommit=True) as connection:
        cursor = connection.execute(statement.replace("~", quoted(where.schema)).encode())
        return cursor.fetchall() if cursor.description else []


def cut(url: str) -> None:
    """End all other connections to the server."""
    run(
        url,
        "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND usename <> ''",
    )


def test_two_that_make_the_schema_at_once_make_one(url: str) -> None:
    """Both have it then, with each step made once."""
    with ThreadPoolExecutor(4) as pool:
        for opened in pool.map(Outbox, [url] * 4):
            opened.close()
    versions = [(number,) for number in range(1, NEWEST + 1)]
    assert versions == run(url, "SELECT number FROM ~version ORDER BY number")


def test_a_newer_schema_is_left_alone(url: str) -> None:
    """An older devinotify would not understand it."""
    Outbox(url).close()
    run(url, "INSERT INTO ~version VALUES (99, now())")
    with pytest.raises(InvalidInput, match="newer devinotify"):
        Outbox(url)


def test_a_role_that_may_not_make_it_is_told(server: Server, url: str) -> None:
    """The role that works needs no right to make tables, but then somebody else must have made them."""
    run(url, f"DROP ROLE IF EXISTS worker; CREATE ROLE worker LOGIN PASSWORD '{PASSWORD}'")
    with pytest.raises(InvalidInput, match="may not make it"):
        Outbox(url.replace("tester", "worker"))


def test_the_role_that_works_need_not_own_anything(url: str) -> None:
    """It reads and changes lines, and makes no table."""
    Outbox(url).close()
    schema = parse_location(url).schema
    run(
        url,
        f"DROP ROLE IF EXISTS clerk; CREATE ROLE clerk LOGIN PASSWORD '{PASSWORD}';"
        f" GRANT USAGE ON SCHEMA {schema} TO clerk;"
        f" GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA {schema} TO clerk;"
        " GRANT USAGE, SELECT ON SEQUENCE ~ids TO clerk",
    )
    with Outbox(url.replace("tester", "clerk"), max_rows=100) as outbox:
        outbox.enqueue(message(), account="me@host/rest")
        batch = claim(outbox)
        outbox.settle(batch, accepted(batch))
        assert (1, 0, 1) == (outbox.counts().accepted, outbox.recover(), outbox.forget([1]))
    run(url, "DROP OWNED BY clerk; DROP ROLE clerk")


def test_a_database_has_room_for_all(url: str) -> None:
    """A bound is set where somebody asks for one; a store in memory has one."""
    with Outbox(url) as outbox, Outbox(MemoryStore()) as small, Outbox(url, max_rows=2) as bounded:
        assert (None, 1_000_000, 2) == tuple(each._room._most for each in (outbox, small, bounded))


def test_times_are_the_databases(url: str) -> None:
    """An hour more or less on this machine's clock changes nothing."""
    with Outbox(url) as outbox:
        (row,) = outbox.enqueue(message())
        batch = claim(outbox)
        outbox.settle(batch, accepted(batch))
        ((now,),) = run(url, "SELECT extract(epoch FROM clock_timestamp())::float8")
        assert isinstance(now, float)
        assert (True, True) == (0 <= now - (row.next_attempt_at or 0) < 30, abs(outbox._store.now() - now) < 30)


@pytest.mark.parametrize("off", [-3600.0, 3600.0])
def test_when_a_message_went_out_is_the_databases_time(url: str, monkeypatch: pytest.MonkeyPatch, off: float) -> None:
    """And patience runs from it: the machine that has sent may be an hour off. A time that was named is kept."""
    monkeypatch.setattr(time, "time", lambda real=time.time: real() + off)
    named = datetime.now(UTC) + timedelta(hours=5)
    with Outbox(url) as outbox:
        outbox.enqueue(message(), patience=60, fallback=True)
        outbox.enqueue(replace(message(), send_at=named), patience=60, fallback=True)
        for at in (datetime.fromtimestamp(time.time(), UTC), named):
            batch = claim(outbox)
            outbox.settle(batch, accepted(batch, at=at))
        now, scheduled = list(outbox)
        ((there,),) = run(url, "SELECT extract(epoch FROM clock_timestamp())::float8")
    assert isinstance(there, float)
    assert now.sent_at is not None
    assert (True, now.sent_at + 60) == (0 <= there - now.sent_at < 30, now.patience_until)
    assert (named.timestamp(), named.timestamp() + 60) == (scheduled.sent_at, scheduled.patience_until)


def test_an_idle_connection_that_was_cut_is_made_again(url: str) -> None:
    """A restart or a failover between two calls costs nothing: nothing was under way."""
    with Outbox(url) as outbox:
        outbox.enqueue(message())
        for _ in range(2):
            cut(url)
            outbox.enqueue(message())
        cut(url)
        assert 3 == len(outbox)
        cut(url)
        assert 1 == len(claim(outbox))


def test_a_connection_that_is_lost_before_its_commit_changes_nothing(url: str) -> None:
    """It is done again, once, on another."""
    with Outbox(url) as outbox:
        tries = []

        def work(transaction: Transaction) -> None:
            transaction.remember("a", "b")
            tries.append(1)
            if len(tries) == 1:
                cut(url)
                transaction.remember("a", "c")

        outbox._store.write("test", work)
        assert (2, "b") == (len(tries), outbox.recall("a"))


def test_a_database_that_is_away_is_not_sent(server: Server, url: str) -> None:
    """Nothing was stored, the error says so without the password, and it goes on when the database is back."""
    with Outbox(url) as outbox:
        outbox.enqueue(message())
        batch = claim(outbox)
        server.stop()
        try:
            with pytest.raises(DevinotifyError, match="no connection") as told:
                outbox.enqueue(message())
            assert (Verdict.NOT_SENT, True, "outbox.enqueue") == (
                told.value.verdict,
                told.value.retryable,
                told.value.operation,
            )
            assert PASSWORD not in str(told.value)
        finally:
            server.start()
        # The outcome that the worker has kept is settled now.
        outbox.settle(batch, accepted(batch))
        assert [RowState.ACCEPTED] == [row.state for row in outbox]


@pytest.mark.parametrize("text", ["a\0b", "half \ud83d"])
def test_what_postgresql_cannot_keep_is_refused(url: str, text: str) -> None:
    """A NUL character and half a character: nothing is stored, and the text is not shown."""
    with Outbox(url) as outbox:
        for recipients in (numbers(1), numbers(2)):
            with pytest.raises(InvalidInput, match="cannot keep") as told:
                outbox.enqueue(message(*recipients, text=text))
            assert "half \ud83d" not in str(told.value)
        assert 0 == len(outbox)


def test_a_child_has_a_connection_of_its_own(url: str) -> None:
    """Neither the parent's is used nor closed."""
    with Outbox(url) as outbox:
        outbox.enqueue(message())
        child = os.fork()
        if not child:
            os._exit(0 if 1 == len(outbox) else 1)
        assert 0 == os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        assert 1 == len(outbox)


def test_workers_share_what_is_queued(url: str) -> None:
    """No row is claimed twice, and none is left."""
    with Outbox(url) as first:
        stored = first.register(message())
        first.extend(stored, numbers(2000))
    taken: list[int] = []
    lock = threading.Lock()

    def work() -> None:
        with Outbox(url) as outbox:
            while batch := outbox.claim(50):
                with lock:
                    taken.extend(row.id for row in batch.rows)
                outbox.settle(batch, accepted(batch))

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    ended(*threads)
    with Outbox(url) as outbox:
        assert (2000, 2000, 2000) == (len(taken), len(set(taken)), outbox.counts().accepted)


def test_a_worker_that_was_taken_for_dead_goes_on_as_a_new_one(url: str) -> None:
    """Its claims were given up; it may not claim under its old name, and late truth still wins."""
    with Outbox(url) as slow, Outbox(url) as other:
        slow.enqueue(message())
        slow.enqueue(message(text="second"))
        batch = claim(slow, 1)
        run(url, "UPDATE ~workers SET seen_at = seen_at - 91")
        assert (True, 1, False) == (slow.holds(batch), other.recover(), slow.holds(batch))
        with pytest.raises(DevinotifyError, match="taken for dead") as told:
            slow.claim()
        assert (Verdict.NOT_SENT, True) == (told.value.verdict, told.value.retryable)
        assert 1 == len(claim(slow))
        slow.settle(batch, accepted(batch))
        assert [RowState.ACCEPTED, RowState.CLAIMED] == [row.state for row in slow]


def test_a_worker_that_stood_still_gives_a_sign_before_it_sends(url: str) -> None:
    """Whose line is still there goes on; by its own clock it knows when to ask."""
    with Outbox(url) as outbox:
        outbox.enqueue(message())
        batch = claim(outbox)
        store = outbox._store
        assert isinstance(store, PostgresStore)
        beating = store._heartbeats[0]
        beating._heard -= DEAD_AFTER - REQUEST_SECONDS + 1
        run(url, "UPDATE ~workers SET seen_at = 0")
        assert not beating.is_alive(REQUEST_SECONDS)
        assert (True, True) == (outbox.holds(batch), beating.is_alive(REQUEST_SECONDS))
        assert [(True,)] == run(url, "SELECT seen_at > 0 FROM ~workers")
        beating._heard -= DEAD_AFTER
        run(url, "DELETE FROM ~workers")
        assert not outbox.holds(batch)


@pytest.mark.parametrize("seconds", [5.0, 60.0, 600.0])
def test_a_request_leaves_only_as_long_as_its_worker_lives_to_its_end(url: str, seconds: float) -> None:
    """The younger the last sign of life has to be, the longer a request may take; a minute and some is the most."""
    with Outbox(url) as outbox, Notifier(f"devino://a:b@DEVINO?timeout={seconds}") as notifier:
        assert outbox is notifier.following(outbox).outbox
        outbox.enqueue(message())
        batch = claim(outbox)
        store = outbox._store
        assert isinstance(store, PostgresStore)
        beating = store._heartbeats[0]
        signs = []
        for age in (DEAD_AFTER - min(seconds, MOST_SPARE) - 5, DEAD_AFTER - min(seconds, MOST_SPARE) + 1):
            beating._heard = time.monotonic() - age
            run(url, "UPDATE ~workers SET seen_at = 0")
            assert outbox.holds(batch)
            signs += run(url, "SELECT seen_at > 0 FROM ~workers")
        assert [(False,), (True,)] == signs


def test_a_live_worker_is_known_by_its_heartbeat(url: str) -> None:
    """From its first claim until it closes; and nobody recovers from it."""
    with Outbox(url) as watcher:
        assert not watcher.senders_alive()
        with Outbox(url) as worker:
            worker.enqueue(message())
            claim(worker)
            assert (True, 0) == (watcher.senders_alive(), watcher.recover())
        assert not watcher.senders_alive()


def test_the_name_shows_no_password(url: str) -> None:
    """Neither the outbox nor its errors do."""
    with Outbox(url) as outbox:
        assert (False, True) == (PASSWORD in repr(outbox), ":***@" in outbox.name)
    with pytest.raises(InvalidInput, match="it is closed") as told:
        outbox.enqueue(message())
    assert PASSWORD not in str(told.value)


def test_a_setting_that_libpq_does_not_know_is_told(url: str) -> None:
    """As a mistake of the URL, not as a database that is away."""
    with pytest.raises(InvalidInput, match="does not know"):
        Outbox(f"{url}&scheme=x")
