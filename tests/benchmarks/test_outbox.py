"""What the outbox costs. Figures are printed (``-s``), never asserted."""

from __future__ import annotations

import contextlib
import sqlite3
import statistics
import threading
import time
from typing import TYPE_CHECKING

from devinotify.exceptions import Verdict
from devinotify.models import Message, Outcome, Receipt
from devinotify.outbox import Outbox
from tests.outbox.support import numbers

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

ROUNDS = 40
EACH = 100
DRAINED = 100_000
MOST_RATIO = 1.5  # the bound that the project sets itself
MOST_DRAIN = 1.5  # seconds of CPU
MESSAGE = Message("ERROR web-17: disk full on /var/lib/postgresql, 0 bytes free of 512 GB", ("+79161234567",))


def p50s(*works: Callable[[], object], rounds: int = ROUNDS) -> list[float]:
    """Return the median of each work in microseconds, taken in turns so that a noisy machine is noisy for all."""
    taken: list[list[int]] = [[] for _ in works]
    for _ in range(rounds):
        for work, times in zip(works, taken, strict=True):
            for _ in range(EACH):
                begun = time.perf_counter_ns()
                work()
                times.append(time.perf_counter_ns() - begun)
    return [statistics.median(times) / 1000 for times in taken]


def test_enqueue_against_a_bare_insert(tmp_path: Path) -> None:
    """One enqueued message costs at most 1.5 times an insert of the same text and number, both committed one by one."""
    bare = sqlite3.connect(tmp_path / "bare.db", isolation_level=None)
    with contextlib.closing(bare), Outbox(tmp_path / "outbox.db") as outbox:
        for pragma in ("journal_mode=WAL", "synchronous=NORMAL"):
            bare.execute(f"PRAGMA {pragma}")
        bare.execute("CREATE TABLE queue (id INTEGER PRIMARY KEY, recipient TEXT, text TEXT, state TEXT, created REAL)")

        def insert() -> None:
            bare.execute(
                "INSERT INTO queue (recipient, text, state, created) VALUES (?, ?, ?, ?)",
                (MESSAGE.recipients[0], MESSAGE.text, "queued", time.time()),
            )

        keys = iter(range(1_000_000))
        base, plain, keyed = p50s(
            insert, lambda: outbox.enqueue(MESSAGE), lambda: outbox.enqueue(MESSAGE, key=str(next(keys)))
        )
    print(
        f"\nenqueue p50 {plain:.1f} µs, bare insert {base:.1f} µs: {plain / base:.2f} times (at most {MOST_RATIO});"
        f" with a key {keyed:.1f} µs: {keyed / base:.2f} times"
    )


def test_draining_a_campaign(tmp_path: Path) -> None:
    """100,000 queued rows of one message are claimed and settled in batches of 500 with under 1.5 s of CPU."""
    with Outbox(tmp_path / "outbox.db") as outbox:
        begun = time.process_time()
        rows = outbox.enqueue(Message("hello", numbers(DRAINED)))
        enqueued = time.process_time() - begun
        spent, batches = 0.0, 0
        while True:
            begun = time.process_time()
            batch = outbox.claim(500)
            spent += time.process_time() - begun
            if batch is None:
                break
            outcomes = [
                Outcome(each, Verdict.ACCEPTED, "sms", Receipt(each, ("579700854169272358",), 1))
                for each in batch.message.recipients
            ]
            begun = time.process_time()
            outbox.settle(batch, outcomes)
            spent += time.process_time() - begun
            batches += 1
        begun = time.perf_counter()
        counts = outbox.counts()
        counted = time.perf_counter() - begun
    print(
        f"\n{DRAINED} rows: enqueue {enqueued:.2f} s, claim + settle {spent:.2f} s of CPU in {batches} batches"
        f" (at most {MOST_DRAIN} s), counts {counted * 1000:.0f} ms"
    )
    assert (len(rows), DRAINED) == (DRAINED, counts.accepted)


def test_threads_share_one_connection(tmp_path: Path) -> None:
    """Four threads that enqueue at once, over one connection under a lock and over one each under SQLite's."""

    def run(outboxes: list[Outbox]) -> tuple[float, float]:
        worst: list[float] = []

        def work(outbox: Outbox) -> None:
            times = []
            for _ in range(500):
                begun = time.perf_counter()
                outbox.enqueue(MESSAGE)
                times.append(time.perf_counter() - begun)
            worst.append(max(times))

        threads = [threading.Thread(target=work, args=(outbox,)) for outbox in outboxes]
        begun = time.perf_counter()
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return time.perf_counter() - begun, max(worst)

    with contextlib.ExitStack() as stack:
        shared = stack.enter_context(Outbox(tmp_path / "shared.db"))
        apart = [stack.enter_context(Outbox(tmp_path / "apart.db")) for _ in range(4)]
        results = {"one connection": run([shared] * 4), "four": run(apart)}
    for name, (whole, longest) in results.items():
        print(f"\n2000 enqueues from 4 threads over {name}: {whole * 1000:.0f} ms, the longest {longest * 1000:.1f} ms")
