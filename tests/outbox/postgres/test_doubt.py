"""A commit whose answer is lost: found out, never guessed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from devinotify.exceptions import DevinotifyError, Verdict
from devinotify.outbox import Outbox, RowState
from tests.outbox.postgres.proxy import Cut, Proxy
from tests.outbox.support import accepted, claim, message, numbers

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.postgres_server import Server

COMMITS = (Cut.COMMIT, Cut.ANSWER)

pytestmark = pytest.mark.once


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


@pytest.mark.parametrize("cut", COMMITS)
def test_many_are_stored_once(outbox: Outbox, proxy: Proxy, cut: Cut) -> None:
    """Done again where it was not made, and not where it was."""
    proxy.cut = cut
    rows = outbox.enqueue(message(*numbers(3)))
    assert (True, [row.id for row in rows], 3) == (proxy.is_done(), [row.id for row in outbox], len(outbox))


@pytest.mark.parametrize("cut", COMMITS)
def test_a_claim_is_the_claimants(outbox: Outbox, proxy: Proxy, cut: Cut) -> None:
    """No row is left claimed for nobody, and what was claimed can be settled."""
    outbox.enqueue(message(*numbers(3)))
    claimed = outbox.enqueue(message(text="second"))
    proxy.cut = cut
    batch = claim(outbox)
    assert (True, 3, 3) == (proxy.is_done(), len(batch), outbox.counts().claimed)
    assert [RowState.ACCEPTED] * 3 == list(outbox.settle(batch, accepted(batch)).values())
    assert [row.id for row in claimed] == [row.id for row in claim(outbox).rows]


@pytest.mark.parametrize("cut", COMMITS)
def test_an_outcome_is_settled_once(outbox: Outbox, proxy: Proxy, cut: Cut) -> None:
    """Each row says that it took its outcome, and was tried once."""
    outbox.enqueue(message(*numbers(2)))
    batch = claim(outbox)
    proxy.cut = cut
    states = outbox.settle(batch, accepted(batch))
    assert ([RowState.ACCEPTED] * 2, [1, 1], 0) == (
        list(states.values()),
        [row.attempts for row in outbox],
        outbox.counts().claimed,
    )


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
