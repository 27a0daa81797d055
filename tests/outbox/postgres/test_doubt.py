"""A commit whose answer is lost: found out, never guessed."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from devinotify import Notifier, Worker
from devinotify.exceptions import DevinotifyError, Verdict
from devinotify.outbox import Outbox, Row, RowState
from devinotify.sandbox import Sandbox
from tests.outbox.postgres.proxy import Cut, Proxy
from tests.outbox.support import accepted, arrivals, claim, message, numbers
from tests.waiting import ended, wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.postgres_server import Server

COMMITS = (Cut.COMMIT, Cut.ANSWER)
ALONE = (Cut.REQUEST, Cut.STATEMENT)
STEPS = (*COMMITS, *ALONE)

pytestmark = pytest.mark.once(traced=True)


@pytest.fixture
def proxy(server: Server) -> Iterator[Proxy]:
    """Give a proxy before the server."""
    with Proxy(server.port) as found:
        yield found


@pytest.fixture
def outbox(server: Server, url: str, proxy: Proxy) -> Iterator[Outbox]:
    """Give an outbox that reaches the server by the proxy."""
    with Outbox(url.replace(str(server.port), str(proxy.port))) as found:
        yield found


def begin_for(outbox: Outbox, cut: Cut) -> None:
    """Have a worker's steps made as ``cut`` has them: the first is a transaction that is begun, and not those after."""
    if cut in ALONE:
        outbox.enqueue(message(text="before"))
        batch = claim(outbox)
        outbox.settle(batch, accepted(batch))


@pytest.mark.parametrize("cut", COMMITS)
def test_many_are_stored_once(outbox: Outbox, proxy: Proxy, cut: Cut) -> None:
    """Done again where it was not made, and not where it was."""
    proxy.cut = cut
    rows = outbox.enqueue(message(*numbers(3)))
    assert (True, [row.id for row in rows], 3) == (proxy.is_done(), [row.id for row in outbox], len(outbox))


@pytest.mark.parametrize("cut", STEPS)
def test_a_claim_is_the_claimants(outbox: Outbox, proxy: Proxy, cut: Cut) -> None:
    """No row is left claimed for nobody, and what was claimed can be settled."""
    begin_for(outbox, cut)
    outbox.enqueue(message(*numbers(3)))
    claimed = outbox.enqueue(message(text="second"))
    proxy.cut = cut
    batch = claim(outbox)
    assert (True, 3, 3) == (proxy.is_done(), len(batch), outbox.counts().claimed)
    assert [RowState.ACCEPTED] * 3 == list(outbox.settle(batch, accepted(batch)).values())
    assert [row.id for row in claimed] == [row.id for row in claim(outbox).rows]


def lose(proxy: Proxy, cut: Cut) -> None:
    """Have a commit or its answer lost, and nobody there who could say which."""
    proxy.cut, proxy.away = cut, True


@pytest.mark.parametrize("cut", STEPS)
def test_a_claim_that_nobody_can_tell_of_is_put_back(outbox: Outbox, proxy: Proxy, cut: Cut) -> None:
    """Nothing of it is sent: it may be tried again, and all can be claimed once the database is back."""
    begin_for(outbox, cut)
    outbox.enqueue(message(*numbers(3)))
    outbox._store.enlist()
    lose(proxy, cut)
    for _ in range(2):
        with pytest.raises(DevinotifyError) as told:
            outbox.claim()
        assert (Verdict.NOT_SENT, True, True) == (told.value.verdict, told.value.retryable, proxy.is_done())
    proxy.away = False
    batch = claim(outbox)
    assert (3, [1] * 3, 3) == (len(batch), [row.attempts for row in batch.rows], outbox.counts().claimed)


@pytest.mark.parametrize("cut", STEPS)
def test_it_is_put_back_by_who_finds_nothing_else(outbox: Outbox, proxy: Proxy, url: str, cut: Cut) -> None:
    """An idle worker asks whether there is anything before it claims: what it has to put back is something."""
    begin_for(outbox, cut)
    assert outbox.claim() is None
    with Outbox(url) as other:
        other.enqueue(message(*numbers(3)))
    outbox._store.enlist()
    lose(proxy, cut)
    with pytest.raises(DevinotifyError):
        outbox.claim()
    proxy.away = False
    taken: list[Row] = []

    def all_taken() -> bool:
        if (batch := outbox.claim()) is not None:
            taken.extend(batch.rows)
        return len(taken) == 3

    # The server may not have noticed yet that the connection is gone, and keep for it what it was about to claim.
    wait_until(all_taken)


@pytest.mark.parametrize("cut", [Cut.ANSWER, Cut.STATEMENT])
def test_what_is_put_back_at_the_end_is_queued(outbox: Outbox, proxy: Proxy, url: str, cut: Cut) -> None:
    """Closed before it claimed again: nothing of it was sent, and nothing is said to be unknown."""
    begin_for(outbox, cut)
    outbox.enqueue(message(*numbers(3)))
    outbox._store.enlist()
    lose(proxy, cut)
    with pytest.raises(DevinotifyError):
        outbox.claim()
    with Outbox(url) as other:
        assert 3 == other.counts().claimed
        proxy.away = False
        outbox.close()
        assert (3, 0) == (other.counts().queued, other.counts().unknown)


@pytest.mark.parametrize("cut", COMMITS)
def test_a_step_that_nobody_can_tell_of_is_taken_once(outbox: Outbox, proxy: Proxy, cut: Cut) -> None:
    """It is queued for whoever sends next, or was never begun, and can be."""
    outbox.enqueue(message(), fallback=True)
    batch = claim(outbox)
    outbox.settle(batch, accepted(batch))
    lose(proxy, cut)
    with pytest.raises(DevinotifyError) as told:
        outbox.go_on(batch.rows, "viber")
    assert (Verdict.NOT_SENT, True, True) == (told.value.verdict, told.value.retryable, proxy.is_done())
    proxy.away = False
    step = outbox.go_on(batch.rows, "viber") or claim(outbox)
    assert (["viber"], None, 2) == ([row.channel for row in step.rows], outbox.claim(), len(outbox))


@pytest.mark.parametrize("cut", STEPS)
def test_a_worker_lives_through_a_doubt(url: str, server: Server, proxy: Proxy, cut: Cut) -> None:
    """Whatever moment the database goes in: each gets his message, once, when it is back."""
    where = url.replace(str(server.port), str(proxy.port))
    with Sandbox() as gateway, Notifier(gateway.url, outbox=where) as notifier, Outbox(url) as other:
        worker = Worker(notifier, nap=0.02)
        thread = threading.Thread(target=worker.run)
        thread.start()
        try:
            for count in range(1, 7):
                if count > 1:  # when it has begun, and is connected
                    proxy.cut, proxy.away = cut, True
                other.enqueue(message(f"+7916000000{count}"))
                wait_until(proxy.is_done)
                proxy.away = False
                wait_until(lambda: len(arrivals(gateway)) == count)  # noqa: B023 - called before the next turn
        finally:
            worker.stop()
            ended(thread)
        counts = other.counts()
    assert (6, 1, 0) == (len(arrivals(gateway)), max(arrivals(gateway).values()), counts.unknown + counts.claimed)


@pytest.mark.parametrize("cut", STEPS)
def test_an_outcome_is_settled_once(outbox: Outbox, proxy: Proxy, cut: Cut) -> None:
    """Each row says that it took its outcome, and was tried once."""
    outbox.enqueue(message(*numbers(2)))
    batch = claim(outbox)
    proxy.cut = cut
    # What is not all alike is settled in a transaction that is begun.
    states: dict[int, RowState] = {}
    for part in (2,) if cut in ALONE else (1, 1):
        states |= outbox.settle(batch, accepted(batch)[len(states) : len(states) + part])
    assert (True, [RowState.ACCEPTED] * 2, [1, 1], 0) == (
        proxy.is_done(),
        list(states.values()),
        [row.attempts for row in outbox],
        outbox.counts().claimed,
    )


@pytest.mark.parametrize("cut", ALONE)
def test_an_outcome_that_nobody_can_tell_of_can_be_told_again(outbox: Outbox, proxy: Proxy, cut: Cut) -> None:
    """The error says that it is not known; the row is what it became, once, when the database is back."""
    outbox.enqueue(message())
    batch = claim(outbox)
    lose(proxy, cut)
    with pytest.raises(DevinotifyError, match="is not known") as told:
        outbox.settle(batch, accepted(batch))
    assert (Verdict.UNKNOWN, True, True) == (told.value.verdict, told.value.retryable, proxy.is_done())
    proxy.away = False
    outbox.settle(batch, accepted(batch))
    assert [(RowState.ACCEPTED, 1)] == [(row.state, row.attempts) for row in outbox]


def test_what_a_claim_told_too_late_is_queued_again(outbox: Outbox, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C comes with the answer: nobody has the batch, and whoever claims next gets it."""
    begin_for(outbox, Cut.STATEMENT)
    fetchone = psycopg.Cursor.fetchone

    def interrupted(self: psycopg.Cursor[Any]) -> Any:  # noqa: ANN401 - psycopg's own
        line = fetchone(self)
        if line is not None and len(line) > 10:
            monkeypatch.undo()
            raise KeyboardInterrupt
        return line

    outbox.enqueue(message(*numbers(2)))
    monkeypatch.setattr(psycopg.Cursor, "fetchone", interrupted)
    with pytest.raises(KeyboardInterrupt):
        outbox.claim()
    assert (None, 2, 2) == (outbox.held(), len(claim(outbox)), outbox.counts().claimed)


def test_a_key_tells_whether_a_single_message_was_stored(outbox: Outbox, proxy: Proxy) -> None:
    """It is stored once, and its row is returned."""
    outbox.enqueue(message())
    proxy.cut = Cut.STATEMENT
    (row,) = outbox.enqueue(message(), key="k")
    assert (True, [row], 2) == (proxy.is_done(), outbox.find("k"), len(outbox))


def test_without_a_key_it_is_unknown(outbox: Outbox, proxy: Proxy) -> None:
    """The error says so; whoever enqueues again may store it twice."""
    outbox.enqueue(message())
    proxy.cut = Cut.STATEMENT
    with pytest.raises(DevinotifyError, match="was made is not known") as told:
        outbox.enqueue(message())
    assert (Verdict.UNKNOWN, 2) == (told.value.verdict, len(outbox))


def test_an_interrupt_while_a_commit_is_answered_holds_nothing(outbox: Outbox, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C comes with the answer: which transaction was the last is not known then, and none is missed."""
    execute = psycopg.Connection.execute

    def interrupted(self: psycopg.Connection[Any], query: Any, *rest: Any) -> Any:  # noqa: ANN401 - psycopg's own
        done = execute(self, query, *rest)
        if query == "COMMIT":
            monkeypatch.undo()
            raise KeyboardInterrupt
        return done

    outbox.register(message())
    monkeypatch.setattr(psycopg.Connection, "execute", interrupted)
    with pytest.raises(KeyboardInterrupt):
        outbox.register(message())
    outbox.enqueue(message())
    assert (None, 1) == (outbox.held(), len(claim(outbox)))
