"""After a failover or a restored backup: what the server may not know of is not sent again until a person says so."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
import pytest
from click.testing import CliRunner

from devinotify import Notifier, Worker
from devinotify.cli.app import cli
from devinotify.exceptions import DevinotifyError, Verdict
from devinotify.outbox import Outbox, RowState
from devinotify.outbox.postgres.failover import COPIED, FAILED_OVER, MISSED
from devinotify.outbox.postgres.heartbeat import BEAT
from devinotify.outbox.postgres.store import PostgresStore
from devinotify.sandbox import Sandbox
from tests.docs.pages import ROOT, blocks
from tests.outbox.postgres.proxy import Proxy
from tests.outbox.support import accepted, arrivals, claim, message, numbers
from tests.postgres_server import PASSWORD, Server, fresh, needs_server, running
from tests.waiting import ended, wait_until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from devinotify.outbox import Batch

pytestmark = [pytest.mark.once(traced=True), needs_server]


@pytest.fixture
def primary() -> Iterator[Server]:
    """Give a server of this test's own."""
    with running() as found:
        yield found


@pytest.fixture
def standby(primary: Server) -> Iterator[Server]:
    """Give a standby of it."""
    with running(of=primary) as found:
        yield found


def whichever(*servers: Server, **settings: str) -> str:
    """Return the URL of that one of the servers which takes changes."""
    hosts = ",".join(f"127.0.0.1:{server.port}" for server in servers)
    more = "".join(f"&{name}={value}" for name, value in settings.items())
    return f"postgresql://tester:{PASSWORD}@{hosts}/postgres?target_session_attrs=read-write{more}"


def ask(server: Server, question: str) -> object:
    """Return the one value that a statement gives."""
    with psycopg.connect(server.url(), autocommit=True) as connection:
        line = connection.execute(question.encode()).fetchone()
        return None if line is None else line[0]


def caught_up(primary: Server, standby: Server) -> None:
    """Wait until the standby has all that the primary has."""
    now = ask(primary, "SELECT pg_current_wal_flush_lsn()::text")
    wait_until(lambda: ask(standby, f"SELECT pg_last_wal_replay_lsn() >= '{now}'"))


def fail_over_without(primary: Server, standby: Server, work: Callable[[], None]) -> None:
    """Have the standby take over that knows nothing of some work: it was asynchronous, and behind."""
    caught_up(primary, standby)
    standby.stop("fast")
    work()
    primary.stop()
    standby.start()
    standby.promote()


@pytest.mark.untraced
def test_what_an_asynchronous_standby_has_not_heard_of_is_not_sent_again(primary: Server, standby: Server) -> None:
    """What was sent stands in the queue again; nothing of it goes out until a person says so, and new messages wait."""
    url = whichever(primary, standby)
    with Sandbox() as gateway, Notifier(gateway.url, outbox=url) as notifier:
        notifier.enqueue("disk full", numbers(20))
        fail_over_without(primary, standby, lambda: Worker(notifier).run(once=True))
        once = Counter(numbers(20))
        assert once == arrivals(gateway)
        with Outbox(url) as outbox:
            assert ({RowState.QUEUED}, FAILED_OVER) == ({row.state for row in outbox}, outbox.held())
            outbox.enqueue(message(*numbers(1, 79170000000)))
        with Notifier(gateway.url, outbox=url) as other:
            with pytest.raises(DevinotifyError, match=r"failed over.*outbox resume") as told:
                Worker(other).run(once=True)
            assert (Verdict.NOT_SENT, once) == (told.value.verdict, arrivals(gateway))
            with Outbox(url) as outbox:
                outbox.resume()
                assert outbox.held() is None
            Worker(other).run(once=True)
        # The person's decision: these get it twice.
        assert once + once + Counter(numbers(1, 79170000000)) == arrivals(gateway)


def test_an_outcome_reaches_rows_whose_claim_was_lost(
    primary: Server, standby: Server, caplog: pytest.LogCaptureFixture
) -> None:
    """They stand in the queue as if nobody had claimed them: the worker that has sent them tells, so they stay unsent.

    One that another has claimed since a person said so is that one's to tell.
    """
    url = whichever(primary, standby)
    claimed: list[Batch] = []
    with Outbox(url) as worker, Outbox(url) as other:
        for _ in range(2):
            worker.enqueue(message(*numbers(3)))
        fail_over_without(primary, standby, lambda: claimed.extend(claim(worker) for _ in range(2)))
        first, second = claimed
        told = worker.settle(first, accepted(first))
        why = other.held()
        other.resume()
        taken = claim(other, 1)
        late = worker.settle(second, accepted(second))
        rows = {row.id: (row.state, row.attempts) for row in other}
        assert (MISSED, None) == (why, other.claim(2, rows=[row.id for row in first.rows]))
    gone = {row.id for row in taken.rows}
    assert {row.id for row in first.rows} == set(told)
    assert {row.id for row in second.rows} - gone == set(late)
    assert {(RowState.ACCEPTED, 1)} == {rows[number] for number in (*told, *late)}
    assert ({(RowState.CLAIMED, 1)}, True) == (
        {rows[number] for number in gone},
        "what became of 1 row is not taken" in caplog.text,
    )


@pytest.mark.untraced
def test_an_outcome_reaches_no_row_that_has_only_the_same_id(primary: Server, standby: Server) -> None:
    """The standby gives ids to others that it never heard were taken."""
    url = whichever(primary, standby)
    lost: list[Batch] = []

    def send() -> None:
        worker.enqueue(message(*numbers(100), text="lost"))
        lost.append(claim(worker))

    with Outbox(url) as worker:
        worker.enqueue(message())
        first = claim(worker)
        worker.settle(first, accepted(first))
        fail_over_without(primary, standby, send)
        with Outbox(url) as other:
            there = [row.id for row in other.enqueue(message(*numbers(100)))]
        told = worker.settle(lost[0], accepted(lost[0]))
        assert (True, {}, 100) == (
            bool({row.id for row in lost[0].rows} & set(there)),
            told,
            worker.counts().queued,
        )


def store(notifier: Notifier) -> None:
    """Have a message stored."""
    notifier.enqueue("lost", numbers(1))


@pytest.mark.untraced
def test_a_worker_that_lives_through_it_says_so_once_and_goes_on_after(
    primary: Server, standby: Server, caplog: pytest.LogCaptureFixture
) -> None:
    """It waits for the database, and then for the person, without a word more than is needed."""
    url = whichever(primary, standby)
    with Sandbox() as gateway, Notifier(gateway.url, outbox=url) as notifier:
        worker = Worker(notifier, nap=0.02)
        thread = threading.Thread(target=worker.run)
        thread.start()
        try:
            notifier.enqueue("up", numbers(1))
            wait_until(lambda: arrivals(gateway))
            fail_over_without(primary, standby, lambda: store(notifier))
            with Outbox(url) as outbox:
                wait_until(outbox.held)
                outbox.enqueue(message(*numbers(1, 79170000000)))
                wait_until(lambda: sum("nothing is sent" in each.message for each in caplog.records))
                # Many tries more are made meanwhile.
                time.sleep(0.3)
                held = [each.message for each in caplog.records if "nothing is sent" in each.message]
                before = arrivals(gateway)
                outbox.resume()
            wait_until(lambda: arrivals(gateway) - before)
        finally:
            worker.stop()
            ended(thread)
    assert (1, False, Counter(numbers(1, 79170000000))) == (len(held), PASSWORD in held[0], arrivals(gateway) - before)


@pytest.mark.untraced
def test_trust_goes_on_at_once(primary: Server, standby: Server) -> None:
    """Where every standby has all that was committed, a failover needs nobody."""
    trusting = whichever(primary, standby, failover="trust")
    with Outbox(trusting) as outbox:
        outbox.enqueue(message(*numbers(3)))
        batch = claim(outbox, 1)
        caught_up(primary, standby)
        primary.stop()
        standby.promote()
        assert (None, 1) == (outbox.held(), len(claim(outbox, 1)))
        # What was under way is still this worker's.
        assert outbox.holds(batch)
        assert [RowState.ACCEPTED] == list(outbox.settle(batch, accepted(batch)).values())


def test_the_command_line_shows_it_and_lets_it_go_on(primary: Server) -> None:
    """Why it is held, what it risks, and nothing to resume a second time; the password is shown nowhere."""
    with Outbox(primary.url()) as outbox:
        outbox.enqueue(message(*numbers(3)))
    primary.dump_and_load("devinotify")

    def run(*arguments: str) -> str:
        ended = CliRunner().invoke(cli, ["outbox", *arguments, "--outbox", primary.url()])
        assert (0, False) == (ended.exit_code, PASSWORD in ended.output), ended.output
        return ended.stdout if "--json" in arguments else ended.output

    listed, working = run("list"), run("workers")
    document = json.loads(run("list", "--json"))
    resumed = run("resume")
    assert ([True, True], COPIED, [True, True], "nothing was held back\n", None) == (
        [
            all(word in each for word in ("devinotify outbox resume", "may have been sent"))
            for each in (listed, working)
        ],
        document["held"],
        [word in resumed for word in ("3 queued rows", "will arrive twice")],
        run("resume").splitlines(keepends=True)[-1],
        json.loads(run("resume", "--json"))["held"],
    )


PAGES = ("docs/how-to/postgresql.md", "docs/ru/how-to/postgresql.md")


@pytest.mark.untraced
def test_the_commands_of_the_page(primary: Server) -> None:
    """Run as they stand there, of a queue that was restored they drop the one row that is named and let the rest go."""
    with Outbox(primary.url()) as outbox:
        outbox.enqueue(message(*numbers(3)))
        dropped = next(iter(outbox)).id
    primary.dump_and_load("devinotify")
    code, russian = (
        block.code for page in PAGES for block in blocks(ROOT / page) if "devinotify outbox resume" in block.code
    )
    assert [line.partition("#")[0].rstrip() for line in code.splitlines()] == [
        line.partition("#")[0].rstrip() for line in russian.splitlines()
    ]
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", code.replace("ROW", str(dropped))],
        env={
            **os.environ,
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
            "DEVINOTIFY_OUTBOX": primary.url(),
        },
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert (0, True) == (done.returncode, "nothing is sent until `devinotify outbox resume`" in done.stderr), (
        done.stderr
    )
    with Outbox(primary.url()) as outbox:
        assert (None, [RowState.QUEUED] * 2) == (outbox.held(), [row.state for row in outbox])


@pytest.mark.untraced
@pytest.mark.parametrize("trust", ["", "&failover=trust"])
def test_a_dump_that_was_loaded_holds_claims(primary: Server, trust: str) -> None:
    """On the same server or another, as when a copy is tried out: it is not to send what the original has sent."""
    url = primary.url() + (trust and "?" + trust[1:])
    with Outbox(url) as outbox:
        outbox.enqueue(message())
    primary.dump_and_load("devinotify")
    with Outbox(url) as outbox:
        assert COPIED == outbox.held()
        with pytest.raises(DevinotifyError, match="is a copy of another"):
            outbox.claim()
        outbox.resume()
        assert 1 == len(claim(outbox))


def test_a_snapshot_of_the_disk_that_was_put_back_is_noticed_by_who_lived_through_it(primary: Server) -> None:
    """The server itself knows nothing of it; a process misses what it has committed, and tells all others."""
    with Outbox(primary.url()) as outbox, Outbox(primary.url()) as other:
        outbox.enqueue(message(*numbers(2)))
        claim(other, 1)
        snapshot = primary.snapshot()
        claim(outbox, 1)
        primary.restore(snapshot)
        for each in (outbox, other, outbox):
            with pytest.raises(DevinotifyError, match="has lost what was committed"):
                each.claim()
        assert MISSED == other.held()
        other.resume()
        # Its sign of life is of later than the snapshot.
        with pytest.raises(DevinotifyError, match="taken for dead"):
            outbox.claim()
        assert 1 == len(claim(outbox))


@pytest.mark.untraced
def test_a_restart_holds_nothing(primary: Server) -> None:
    """Neither a clean nor a sudden one loses what was committed."""
    with Outbox(primary.url()) as outbox:
        outbox.enqueue(message(*numbers(3)))
        for mode in ("fast", "immediate"):
            claim(outbox, 1)
            primary.stop(mode)
            primary.start()
            assert outbox.held() is None
        assert 1 == len(claim(outbox, 1))


# --- synchronous standbys


@pytest.fixture(scope="module")
def pair() -> Iterator[tuple[Server, Server]]:
    """Give a primary whose commits wait for its standby."""
    with running() as primary, running(of=primary) as standby:
        primary.set(synchronous_standby_names="'*'")
        primary.reload()
        yield primary, standby


@pytest.fixture
def synchronous(pair: tuple[Server, Server]) -> Server:
    """Give the primary, once both are there."""
    primary, standby = pair
    wait_until(lambda: ask(primary, "SELECT sync_state = 'sync' FROM pg_stat_replication"))
    caught_up(primary, standby)
    return primary


@pytest.fixture
def follower(pair: tuple[Server, Server]) -> Server:
    """Give its standby, which each test leaves running."""
    return pair[1]


def waiting(server: Server) -> bool:
    """Whether a commit waits for a standby."""
    return bool(ask(server, "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'SyncRep'"))


def give_up(server: Server, how: str = "cancel") -> None:
    """End the wait of a commit, as an administrator may."""
    wait_until(lambda: waiting(server))
    ask(server, f"SELECT pg_{how}_backend(pid) FROM pg_stat_activity WHERE wait_event = 'SyncRep'")  # noqa: S608 - ours


def test_a_claim_that_no_standby_has_confirmed_is_not_sent(synchronous: Server, follower: Server) -> None:
    """Its wait was cancelled: it is in the database, and put back when the standby is."""
    with Outbox(synchronous.url(schema=fresh())) as outbox, ThreadPoolExecutor(1) as pool:
        outbox.enqueue(message(*numbers(3)))
        outbox._store.enlist()
        follower.stop("fast")
        claiming = pool.submit(outbox.claim)
        give_up(synchronous)
        wait_until(lambda: waiting(synchronous))  # to put it back
        follower.start()
        with pytest.raises(DevinotifyError, match="no standby has confirmed") as told:
            claiming.result(60)
        assert (Verdict.NOT_SENT, True, 3) == (told.value.verdict, told.value.retryable, outbox.counts().queued)
        assert 3 == len(claim(outbox))


def test_a_message_that_no_standby_has_confirmed_is_unknown(synchronous: Server, follower: Server) -> None:
    """One or many: they may be stored, and may be lost."""
    with Outbox(synchronous.url(schema=fresh())) as outbox, ThreadPoolExecutor(1) as pool:
        outbox.enqueue(message())
        follower.stop("fast")
        for recipients in (1, 2):
            enqueueing = pool.submit(outbox.enqueue, message(*numbers(recipients)))
            give_up(synchronous)
            with pytest.raises(DevinotifyError, match="no standby has confirmed") as told:
                enqueueing.result(60)
            assert Verdict.UNKNOWN == told.value.verdict
        follower.start()


def test_an_outcome_that_no_standby_has_confirmed_stands(
    synchronous: Server, follower: Server, caplog: pytest.LogCaptureFixture
) -> None:
    """It has happened; should it be lost with the server, its claim is not, and the row is unknown then."""
    with Outbox(synchronous.url(schema=fresh())) as outbox, ThreadPoolExecutor(1) as pool:
        outbox.enqueue(message())
        batch = claim(outbox)
        follower.stop("fast")
        settling = pool.submit(outbox.settle, batch, accepted(batch))
        give_up(synchronous)
        assert [RowState.ACCEPTED] == list(settling.result(60).values())
        assert "no standby has confirmed" in caplog.text
        follower.start()


def test_a_claim_whose_connection_was_ended_in_its_wait_waits_on(synchronous: Server, follower: Server) -> None:
    """That it was committed is found out, but it counts no sooner than a standby has it, too."""
    with Outbox(synchronous.url(schema=fresh())) as outbox, ThreadPoolExecutor(1) as pool:
        outbox.enqueue(message(*numbers(3)))
        outbox._store.enlist()
        follower.stop("fast")
        claiming = pool.submit(outbox.claim)
        give_up(synchronous, "terminate")
        wait_until(lambda: waiting(synchronous))  # with the question whether it was made
        assert not claiming.done()
        follower.start()
        batch = claiming.result(60)
        assert (3, True) == (len(batch or ()), batch is not None and outbox.holds(batch))


@pytest.mark.parametrize("alone", [False, True])
def test_a_claim_that_waits_for_its_standby_is_put_back_once_that_has_it(
    synchronous: Server, follower: Server, *, alone: bool
) -> None:
    """Its answer was lost, and nobody could tell of it: nobody sees the claim before, and its rows are queued after."""
    with Proxy(synchronous.port) as proxy, ThreadPoolExecutor(1) as pool:
        url = synchronous.url(schema=fresh()).replace(str(synchronous.port), str(proxy.port))
        with Outbox(url) as outbox:
            outbox._store.enlist()
            if alone:  # a worker's first claim is a transaction that is begun, and those after are not
                outbox.enqueue(message(text="before"))
                batch = claim(outbox)
                outbox.settle(batch, accepted(batch))
            outbox.enqueue(message(*numbers(3)))
            follower.stop("fast")
            claiming = pool.submit(outbox.claim)
            wait_until(lambda: under_way(synchronous) == 1)
            proxy.drop()
            with pytest.raises(DevinotifyError, match="is not sent") as told:
                claiming.result(60)
            assert (Verdict.NOT_SENT, True, 1) == (told.value.verdict, told.value.retryable, under_way(synchronous))
            proxy.away = False
            found: list[Batch | None] = []

            def claimed() -> bool:
                with suppress(DevinotifyError):  # as long as it is waited for
                    found.append(outbox.claim())
                return bool(found)

            again = pool.submit(wait_until, claimed)
            wait_until(lambda: under_way(synchronous) == 2)
            follower.start()
            again.result(60)
            rows = [] if found[0] is None else found[0].rows
            assert ([1] * 3, 3) == ([row.attempts for row in rows], outbox.counts().claimed)


def under_way(server: Server) -> int:
    """Return how many claims wait for a standby, and commits of what puts them back, or for such a claim's commit."""
    question = (
        "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'transactionid'"
        " OR wait_event = 'SyncRep' AND (query = 'COMMIT' OR query LIKE '%.take(%')"
    )
    return int(str(ask(server, question)))


def test_a_sign_of_life_that_no_standby_has_confirmed_is_none(synchronous: Server, follower: Server) -> None:
    """A worker sends no longer than its last committed one allows."""
    with Outbox(synchronous.url(schema=fresh())) as outbox, ThreadPoolExecutor(1) as pool:
        outbox._store.enlist()
        store = outbox._store
        assert isinstance(store, PostgresStore)
        (beating,) = store._heartbeats
        heard = beating._heard
        follower.stop("fast")
        beat = pool.submit(beating._beat, BEAT, beating.name)
        give_up(synchronous)
        with pytest.raises(DevinotifyError, match="no standby has confirmed"):
            beat.result(60)
        assert heard == beating._heard
        follower.start()


@pytest.mark.untraced
def test_a_synchronous_failover_loses_nothing(synchronous: Server, follower: Server) -> None:
    """Nobody is sent to twice, and nobody is left out, with a claim under way in the midst of it."""
    url = whichever(synchronous, follower, failover="trust")
    with Sandbox() as gateway, Notifier(gateway.url, outbox=url) as notifier:
        notifier.enqueue("disk full", numbers(500))
        worker = Worker(notifier, batch=10, connections=2, nap=0.02)
        thread = threading.Thread(target=worker.run)
        thread.start()
        try:
            wait_until(lambda: len(gateway.messages()) > 100)
            synchronous.stop()
            follower.promote()
            wait_until(lambda: worker_is_done(url))
        finally:
            worker.stop()
            ended(thread)
        sent = arrivals(gateway)
        with Outbox(url) as outbox:
            states = {row.recipient: row.state for row in outbox}
    assert (500, 1) == (len(states), max(sent.values()))
    # Sent and told so, or not sent and not told otherwise: what was under way may be unknown.
    assert set(numbers(500)) - set(sent) <= {each for each, state in states.items() if state is RowState.UNKNOWN}


def worker_is_done(url: str) -> bool:
    """Whether nothing is left to send."""
    try:
        with Outbox(url) as outbox:
            counts = outbox.counts()
    except DevinotifyError:  # it has not taken over yet
        return False
    return not counts.queued + counts.claimed
