"""Workers killed and stopped: the sandbox judges that nobody is sent to twice, the rows that nobody is lost.

``DEVINOTIFY_SOAK`` multiplies how many kills there are, and how long the others last.
"""

from __future__ import annotations

import contextlib
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from devinotify.exceptions import DevinotifyError, InvalidInput
from devinotify.outbox import Outbox, RowState
from devinotify.sandbox import Sandbox
from tests.outbox.postgres.test_database import run
from tests.outbox.support import accepted, arrivals, message, numbers

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

pytestmark = [pytest.mark.once, pytest.mark.untraced]

SOAK = int(os.environ.get("DEVINOTIFY_SOAK", "1"))
KILLS = 25 * SOAK
SECONDS = 3 * SOAK
WORKERS, BATCH, CONNECTIONS = 4, 5, 2

# One that has read everything once, and gives birth to a worker with each line that it reads.
NURSERY = f"""
import os, sys
from devinotify import Notifier, Worker, hookimpl, make_plugin_manager
url, outbox, gate = sys.argv[1:]

class Gate:
    @hookimpl(wrapper=True)
    def devinotify_send_message(self, message, channel):
        print("claimed", flush=True)
        os.read(int(gate), 1)
        return (yield)

def work(kind):
    plugins = make_plugin_manager(*[Gate()] * (kind == "gate"), discover=False)
    with Notifier(url, outbox=outbox, plugins=plugins) as notifier:
        Worker(notifier, batch={BATCH}, connections=1 if kind == "gate" else {CONNECTIONS}, nap=0.02).run()

while line := os.read(0, 5):
    child = os.fork()
    if not child:
        work(line.decode().strip())
        os._exit(0)
    print(child, flush=True)
    import signal
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
"""


class Nursery:
    """Gives birth to workers in processes of their own, in milliseconds."""

    def __init__(self, gateway: Sandbox, url: str) -> None:
        shut, self._gate = os.pipe()
        self.process = subprocess.Popen(
            [sys.executable, "-c", NURSERY, gateway.url, url, str(shut)],
            pass_fds=[shut],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            bufsize=0,
            start_new_session=True,
        )
        os.close(shut)

    def open_gate(self) -> None:
        """Let one send go."""
        os.write(self._gate, b"!")

    def hear(self) -> str:
        """Return the next line of whoever writes to its output."""
        assert self.process.stdout is not None
        return self.process.stdout.readline().decode().strip()

    def worker(self, kind: str = "work") -> int:
        """Return the process of a new worker."""
        assert self.process.stdin is not None
        self.process.stdin.write(f"{kind}\n".encode())
        return int(self.hear())

    def end(self) -> None:
        """Kill all."""
        if self.process.returncode is None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.communicate(timeout=60)
            os.close(self._gate)


@pytest.fixture
def gateway() -> Iterator[Sandbox]:
    """Give a gateway that takes some milliseconds for each request."""
    with Sandbox(keep=200_000, balance="1000000") as found:
        found.add_fault("latency", seconds=0.01)
        yield found


@pytest.fixture
def nursery(gateway: Sandbox, url: str) -> Iterator[Nursery]:
    """Give a nursery of workers on the outbox."""
    found = Nursery(gateway, url)
    yield found
    found.end()


def bury(url: str, pid: int | None = None) -> None:
    """Let a worker, or all, have given the last sign of life long ago."""
    run(url, f"UPDATE ~workers SET seen_at = 0 WHERE pid = coalesce({pid or 'NULL'}, pid)")  # noqa: S608 - a number


def test_workers_are_killed_at_any_moment(gateway: Sandbox, nursery: Nursery, url: str) -> None:
    """Nobody is sent to twice, nobody is left out, and what may have been sent is unknown: some rows a kill."""
    chance = random.Random(15)
    fed = 0
    with Outbox(url) as outbox:
        stored = outbox.register(message())
        pids = [nursery.worker() for _ in range(WORKERS)]
        for _ in range(KILLS):
            if outbox.counts().queued < 500:
                outbox.extend(stored, numbers(2000, 79160000000 + fed))
                fed += 2000
            time.sleep(chance.uniform(0, 0.1))  # the moment is to be any
            victim = chance.randrange(WORKERS)
            os.kill(pids[victim], signal.SIGKILL)
            bury(url, pids[victim])
            outbox.recover()
            pids[victim] = nursery.worker()
        until = time.monotonic() + 120
        while outbox.counts().queued:
            assert time.monotonic() < until
            time.sleep(0.05)  # other processes work, and tell nobody
        nursery.end()
        bury(url)
        outbox.recover()
        states = {row.recipient: row.state for row in outbox}
    sent = arrivals(gateway)
    by_state = Counter(states.values())
    assert (fed, fed, 1) == (len(states), by_state.total(), max(sent.values()))
    assert {RowState.ACCEPTED, RowState.DELIVERED, RowState.UNKNOWN} >= set(by_state)
    assert {each for each, state in states.items() if state is not RowState.UNKNOWN} <= set(sent)
    assert by_state[RowState.UNKNOWN] <= (KILLS + WORKERS) * BATCH * CONNECTIONS


def test_a_worker_that_stood_still_past_its_lease_sends_nothing(gateway: Sandbox, nursery: Nursery, url: str) -> None:
    """Stopped after its claim, taken for dead, and woken: another has given its rows up."""
    with Outbox(url) as outbox:
        outbox.enqueue(message(*numbers(3)))
        pid = nursery.worker("gate")
        assert "claimed" == nursery.hear()
        os.kill(pid, signal.SIGSTOP)
        bury(url, pid)
        assert 3 == outbox.recover()
        os.kill(pid, signal.SIGCONT)
        nursery.open_gate()
        outbox.enqueue(message(text="second"))
        assert "claimed" == nursery.hear()  # it goes on, as a new one
        # Its own word, that nothing left, comes late and is taken.
        assert ([], [RowState.NOT_SENT] * 3) == (gateway.messages(), [row.state for row in outbox.rows(limit=3)])


def test_a_worker_that_stood_still_in_time_sends(gateway: Sandbox, nursery: Nursery, url: str) -> None:
    """Stopped and woken while nobody took it for dead."""
    with Outbox(url) as outbox:
        outbox.enqueue(message(*numbers(3)))
        pid = nursery.worker("gate")
        assert "claimed" == nursery.hear()
        os.kill(pid, signal.SIGSTOP)
        assert 0 == outbox.recover()
        os.kill(pid, signal.SIGCONT)
        nursery.open_gate()
        assert gateway.wait(lambda: len(gateway.messages()) == 3, 60)


def test_all_at_once_lock_nobody_out(url: str) -> None:
    """Claims, settlements, retries, removals and recoveries beside each other: none fails, and every row is there.

    Where two lock each other out all the same, the server ends one of them, and it is done again.
    """
    until = time.monotonic() + SECONDS
    added, removed, lock = 0, 0, threading.Lock()

    def work(seed: int) -> None:
        nonlocal added, removed
        chance = random.Random(seed)
        with Outbox(url) as outbox:

            def some(*states: RowState) -> list[int]:
                found = [row.id for row in outbox.rows(states=states, limit=60, after=chance.randrange(500))]
                chance.shuffle(found)
                return found[:20]

            def enqueue() -> None:
                nonlocal added
                rows = outbox.enqueue(message(*chance.sample(pool_of_numbers, 10), text=f"text {chance.random()}"))
                with lock:
                    added += len(rows)

            def send() -> None:
                try:
                    batch = outbox.claim(20)
                except DevinotifyError as error:
                    if "taken for dead" in str(error):
                        return
                    raise
                if batch is not None and chance.random() < 0.7:
                    outbox.settle(batch, accepted(batch)[: chance.randrange(1, 21)])
                if batch is not None and chance.random() < 0.5:
                    outbox.release(batch)

            def forget() -> None:
                nonlocal removed
                with contextlib.suppress(InvalidInput):  # claimed since
                    gone = outbox.forget(some(RowState.ACCEPTED, RowState.QUEUED))
                    with lock:
                        removed += gone

            def retry() -> None:
                with contextlib.suppress(InvalidInput):  # gone on, or forgotten since
                    outbox.retry(some(RowState.UNKNOWN), force=True)

            def die() -> None:
                # A worker that is taken for dead while it works.
                run(url, f"UPDATE ~workers SET seen_at = 0 WHERE name = '{outbox._store.worker}'")  # noqa: S608 - ours
                outbox.recover()

            turns: list[Callable[[], object]] = [enqueue, send, send, forget, retry, outbox.recover, outbox.watch_due]
            while time.monotonic() < until:
                (die if chance.random() < 0.02 else chance.choice(turns))()

    pool_of_numbers = numbers(2000)
    with ThreadPoolExecutor(6) as pool:
        for done in pool.map(work, range(6)):
            assert done is None
    with Outbox(url) as outbox:
        assert (added - removed, added) == (len(outbox), outbox.counts().offered)
        ((waiting, queued, claimed),) = run(
            url,
            "SELECT (SELECT count(*) FROM ~queue), (SELECT count(*) FROM ~rows WHERE state = 0),"
            " (SELECT coalesce(sum(array_length(rows, 1)), 0) FROM ~claims)",
        )
    # Of what has not ended each stands in the queue or in one claim.
    assert queued == waiting + claimed  # type: ignore[operator]
