"""What the outbox in PostgreSQL costs, beside its peers. Figures are printed (``-s``), never asserted.

On a server with Debian's settings, ``fsync`` on: it stands on the same two cores as what is measured. BENCH_ROWS,
BENCH_SNAPSHOT and BENCH_TURNS in the environment make it quicker, and coarser.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import secrets
import shutil
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
import pytest

from devinotify.delivery.worker import Worker
from devinotify.models import DeliveryStatus, Message
from devinotify.notifier import Notifier
from devinotify.outbox import Outbox
from devinotify.outbox.postgres.location import parse_location
from tests.benchmarks import queues
from tests.benchmarks.ratios import report
from tests.benchmarks.test_outbox import MESSAGE, p50s
from tests.outbox.support import accepted, claim, numbers, state
from tests.postgres_server import needs_server, running

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.postgres_server import Server

pytestmark = needs_server

ACCOUNT = "devino://login:password@SENDER?channel=null"
DRAINED = int(os.environ.get("BENCH_ROWS", "100000"))
SNAPSHOT = int(os.environ.get("BENCH_SNAPSHOT", "400000"))  # rows that are claimed under one
JOBS = 500  # of a peer that does them one by one
TURNS = int(os.environ.get("BENCH_TURNS", "3"))
FAKETIME = Path("/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1")


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    """Give a server that keeps what it has promised."""
    with running() as found:
        found.set(fsync="on", full_page_writes="on", shared_buffers="128MB")
        found.stop("fast")
        found.start()
        yield found


@pytest.fixture
def url(server: Server) -> str:
    """Give the URL of a schema of its own."""
    return server.url(schema=f"bench_{secrets.token_hex(6)}")


def fill(outbox: Outbox, account: str, rows: int) -> float:
    """Return the seconds that it takes to queue one text for so many recipients."""
    message = outbox.register(Message(MESSAGE.text, (), channel="null"), account=account)
    recipients = numbers(rows)
    begun = time.perf_counter()
    for start in range(0, rows, 50_000):
        outbox.extend(message, recipients[start : start + 50_000])
    return time.perf_counter() - begun


def drain(place: str, rows: int) -> float:
    """Return the seconds in which a whole worker sends so many rows to nobody, in batches of 1,000."""
    with Outbox(place, max_rows=None) as outbox, Notifier(ACCOUNT) as notifier:
        fill(outbox, notifier.url.account, rows)
        worker = Worker(notifier, outbox, batch=1000, connections=1)
        begun = time.perf_counter()
        worker.run(once=True)
        taken = time.perf_counter() - begun
        assert 0 == outbox.counts().queued
        return taken


def test_drain_against_its_peers(server: Server, tmp_path: Path) -> None:
    """One worker, rows a second: the peers do nothing for each job, one at a time, and we send batches to nobody."""
    plain = server.url()
    turns = itertools.count()

    def procrastinate() -> float:
        queues.procrastinate_batches(plain, JOBS, JOBS)
        return JOBS / queues.procrastinate_drain(plain)

    def celery() -> float:
        with queues.redis() as broker:
            return JOBS / queues.celery_drain(broker, JOBS)

    candidates: dict[str, Callable[[], float]] = {
        "PostgreSQL": lambda: DRAINED / drain(server.url(schema=f"drain_{next(turns)}"), DRAINED),
        "SQLite": lambda: DRAINED / drain(str(tmp_path / f"{next(turns)}.db"), DRAINED),
        "pgqueuer": lambda: 10 * JOBS / queues.pgqueuer_drain(plain, 10 * JOBS, 100),
        "Procrastinate": procrastinate,
        "Celery on Redis": celery,
    }
    if shutil.which("redis-server") is None:
        del candidates["Celery on Redis"]
    seen: dict[str, list[float]] = {name: [] for name in candidates}
    for _ in range(TURNS):
        for name, rate in candidates.items():
            seen[name].append(rate())
            print(f"\n{name} {seen[name][-1]:,.0f} a second", end="", flush=True)
    rates = {name: statistics.median(found) for name, found in seen.items()}
    print("\n" + ", ".join(f"{name} {rate:,.0f} a second" for name, rate in rates.items()))
    targets = {"Procrastinate": 40, "Celery on Redis": 15, "pgqueuer": 1.2, "SQLite": 0.5}
    for name, target in targets.items():
        if name in rates:
            ratio = rates["PostgreSQL"] / rates[name]
            report(f"drain against {name}", ratio, f"at least {target}", ratio >= target)


_WORKER = """
import sys, time
from devinotify.delivery.worker import Worker, rare_collections
from devinotify.notifier import Notifier
from devinotify.outbox import Outbox
with Outbox(sys.argv[1]) as outbox, Notifier(sys.argv[2]) as notifier:
    worker = Worker(notifier, outbox, batch=1000, connections=1)
    print("ready", flush=True)
    input()
    begun = time.perf_counter()
    with rare_collections():
        worker.run(once=True)
    print(time.perf_counter() - begun, flush=True)
"""


def together(script: list[str], *environments: dict[str, str]) -> list[float]:
    """Return the number that each process prints; they begin when the last of them is ready."""
    with contextlib.ExitStack() as stack:
        processes = [
            stack.enter_context(
                subprocess.Popen(
                    [sys.executable, "-c", *script],
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    text=True,
                    env={**os.environ, **own},
                )
            )
            for own in environments
        ]
        for process in processes:
            assert process.stdout is not None
            process.stdout.readline()
        for process in processes:
            assert process.stdin is not None
            process.stdin.write("\n")
            process.stdin.flush()
        return [float(process.communicate(timeout=300)[0]) for process in processes]


def drained_by(url: str, workers: int) -> float:
    """Return the seconds in which so many processes drain the rows together."""
    with Outbox(url) as outbox, Notifier(ACCOUNT) as notifier:
        fill(outbox, notifier.url.account, DRAINED)
    return max(together([_WORKER, url, ACCOUNT], *[{}] * workers))


def test_two_workers_against_one(server: Server) -> None:
    """Two processes drain the same rows, on two cores that they share with the server."""
    taken = {
        workers: statistics.median(
            drained_by(server.url(schema=f"workers_{workers}_{turn}"), workers) for turn in range(TURNS)
        )
        for workers in (1, 2)
    }
    ratio = taken[1] / taken[2]
    report("two workers against one", ratio, "at least 1.3", ratio >= 1.3)


def test_latencies_against_a_bare_commit(url: str) -> None:
    """What one message takes, committed one by one, against a row inserted by itself over psycopg."""
    bare = psycopg.connect(parse_location(url).conninfo, autocommit=True)
    bare.execute("CREATE TABLE bare (id bigserial PRIMARY KEY, recipient text, text text, state text, made float8)")
    with bare, Outbox(url) as outbox:

        def insert() -> None:
            bare.execute(
                "INSERT INTO bare (recipient, text, state, made) VALUES (%s, %s, %s, %s)",
                (MESSAGE.recipients[0], MESSAGE.text, "queued", time.time()),
            )

        def claim_and_settle() -> None:
            batch = claim(outbox, 1)
            outbox.settle(batch, accepted(batch))

        outbox.enqueue_many([MESSAGE] * 2000)
        base, enqueued, claimed = p50s(insert, lambda: outbox.enqueue(MESSAGE), claim_and_settle, rounds=15)
        bare.execute("DROP TABLE bare")
    print(f"\nbare commit {base:.0f} µs, enqueue {enqueued:.0f} µs, claim(1) and settle {claimed:.0f} µs")
    report("enqueue p50 against a bare commit", enqueued / base, "at most 1.5", enqueued / base <= 1.5)
    report("claim(1) and settle p50 against it", claimed / base, "at most 5", claimed / base <= 5)


def test_a_campaigns_feed(server: Server) -> None:
    """``extend`` by 50,000, rows a second, against ``batch_defer`` of Procrastinate by 10,000."""
    ours, theirs = [], []
    for turn in range(TURNS):
        with Outbox(server.url(schema=f"feed_{turn}")) as outbox:
            ours.append(DRAINED / fill(outbox, "me@host/rest", DRAINED))
        theirs.append(20_000 / queues.procrastinate_batches(server.url(), 20_000, 10_000))
        with psycopg.connect(server.url(), autocommit=True) as connection:
            connection.execute("TRUNCATE procrastinate_jobs CASCADE")
    ratio = statistics.median(ours) / statistics.median(theirs)
    print(f"\nextend {statistics.median(ours):,.0f} rows a second, batch_defer {statistics.median(theirs):,.0f}")
    report("extend against batch_defer", ratio, "at least 6", ratio >= 6)


def test_claims_under_a_held_snapshot(url: str) -> None:
    """Somebody's dump keeps all that is deleted: the last of 400,000 rows take no longer than the first."""
    times, settled = [], []
    with Outbox(url) as outbox, psycopg.connect(parse_location(url).conninfo) as dump:
        fill(outbox, "me@host/rest", SNAPSHOT)
        dump.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        dump.execute("SELECT 1")
        while True:
            begun = time.perf_counter()
            batch = outbox.claim(1000)
            taken = time.perf_counter() - begun
            if batch is None:
                break
            times.append(taken)
            begun = time.perf_counter()
            outbox.settle(batch, accepted(batch))
            settled.append(time.perf_counter() - begun)
    first, last = (statistics.median(some) for some in (times[: len(times) // 10], times[-len(times) // 10 :]))
    print(f"\nclaim(1000): {first * 1000:.1f} ms at first, {last * 1000:.1f} ms at last")
    report("claim(1000) with a snapshot held, last against first", last / first, "at most 1.5", last / first <= 1.5)


def test_log_written_for_a_message(url: str) -> None:
    """Bytes of WAL that claim and settle come to, full pages after a checkpoint included."""
    with Outbox(url, poll=0) as outbox, psycopg.connect(parse_location(url).conninfo, autocommit=True) as watcher:

        def position() -> int:
            line = watcher.execute("SELECT pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0')::bigint").fetchone()
            assert line is not None
            return int(line[0])

        before = position()
        fill(outbox, "me@host/rest", DRAINED)
        fed = (position() - before) / DRAINED
        watcher.execute("CHECKPOINT")
        before = position()
        while (batch := outbox.claim(1000)) is not None:
            outbox.settle(batch, accepted(batch))
        sent = (position() - before) / DRAINED
        before = position()
        for row in outbox.watch_due(1000):
            outbox.record_state(row, state(DeliveryStatus.DELIVERED))
        looked = (position() - before) / 1000
        size = watcher.execute(
            "SELECT sum(pg_total_relation_size(c.oid))::bigint FROM pg_class c"
            " JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = %s AND c.relkind = 'r'",
            (parse_location(url).schema,),
        ).fetchone()
    assert size is not None
    print(f"\nWAL a message: {fed:.0f} bytes to queue, {sent:.0f} to claim and settle, {looked:.0f} to look", end="")
    print(f"; on the disk {size[0] / DRAINED:.0f} bytes a row")
    report("WAL of claim and settle, bytes a message", sent, "at most 1000", sent <= 1000)


_PACED = """
import sys, time
from devinotify.outbox import Outbox
number = int(sys.argv[2])
with Outbox(sys.argv[1]) as outbox:
    print("ready", flush=True)
    input()
    until = time.monotonic() + float(sys.argv[3])
    sent = 0
    while True:
        wait = outbox.reserve(number)
        if time.monotonic() + wait >= until:
            break
        time.sleep(wait)
        sent += number
    print(sent, flush=True)
"""


@pytest.mark.skipif(not FAKETIME.exists(), reason="libfaketime is not installed")
def test_six_processes_keep_one_pace(url: str) -> None:
    """Over 30 seconds, with clocks an hour off either way; each gets its share."""
    rate, batch, seconds = 600.0, 20, 30.0
    with Outbox(url) as outbox:
        outbox.set_pace(rate)
    sent = together(
        [_PACED, url, str(batch), str(seconds)],
        *({"LD_PRELOAD": str(FAKETIME), "FAKETIME": f"{hours:+d}h"} for hours in (-1, -1, 0, 0, 1, 1)),
    )
    off = abs(sum(sent) - rate * seconds)
    shares = [100 * each / sum(sent) for each in sent]
    print(
        f"\n{sum(sent):.0f} of {rate * seconds:.0f} in {seconds:.0f} s; shares", *(f"{share:.1f} %" for share in shares)
    )
    most = 0.02 * rate * seconds + batch
    report("shared pace, messages off", off, f"at most {most:.0f}", off <= most)
    report("the smallest share, in percent", min(shares), "10 to 25", 10 <= min(shares) and max(shares) <= 25)
