"""A worker's steps: each is one question where all is as it mostly is, and comes to the same where it is not."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from devinotify.outbox import Outbox, RowState
from tests.outbox.postgres.test_database import run
from tests.outbox.support import Clock, accepted, claim, failed, message, not_sent, numbers

if TYPE_CHECKING:
    from collections.abc import Iterator

    from devinotify.models import Outcome

pytestmark = pytest.mark.once(traced=True)


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Give what is asked on any connection from now on."""
    found: list[str] = []
    execute = psycopg.Connection.execute

    def told(self: psycopg.Connection[Any], query: Any, *rest: Any) -> Any:  # noqa: ANN401 - psycopg's own
        found.append(query)
        return execute(self, query, *rest)

    monkeypatch.setattr(psycopg.Connection, "execute", told)
    return found


@pytest.fixture
def outbox(url: str) -> Iterator[Outbox]:
    """Give an outbox that has made a step by now: the first one looks at the server."""
    with Outbox(url) as found:
        begin(found)
        yield found


def begin(outbox: Outbox) -> None:
    """Make both steps once."""
    outbox.enqueue(message(text="before"))
    batch = claim(outbox)
    outbox.settle(batch, accepted(batch))


def test_each_step_is_one_question(outbox: Outbox, asked: list[str]) -> None:
    """Whose answer is that of the commit."""
    outbox.enqueue(message(*numbers(3)))
    asked.clear()
    batch = claim(outbox)
    claimed = len(asked)
    outbox.settle(batch, accepted(batch))
    assert (1, 1, 3) == (claimed, len(asked) - claimed, outbox.counts().accepted - 1)


def test_an_account_is_claimed_for_by_one_question(outbox: Outbox, asked: list[str]) -> None:
    """Once its number is known."""
    for _ in range(2):
        outbox.enqueue(message(), account="me@host/rest")
        asked.clear()
        batch = outbox.claim(account="me@host/rest")
    assert (1, 1) == (len(asked), len(batch or ()))


def test_what_is_nobodys_becomes_the_accounts(outbox: Outbox) -> None:
    """With the whole message, as by a transaction."""
    outbox.enqueue(message(), account="me@host/rest")
    outbox.claim(account="me@host/rest")
    outbox.enqueue(message(*numbers(2)))
    batch = outbox.claim(1, account="me@host/rest")
    assert batch is not None
    stored = outbox.message(batch.stored.id)
    assert ("me@host/rest", "me@host/rest") == (batch.stored.account, stored and stored.account)
    assert None is outbox.claim(account="other@host/rest")


def test_what_is_late_ends(url: str) -> None:
    """It is told, and the rest is claimed."""
    clock = Clock(1000)
    with Outbox(url, clock=clock) as outbox:
        begin(outbox)
        ended: list[str] = []
        outbox.on_end = lambda rows: ended.extend(row.recipient for row in rows)
        late, timely = numbers(2)
        number = outbox.register(message())
        outbox.extend(number, [late], deadline=datetime.fromtimestamp(1010, UTC))
        outbox.extend(number, [timely])
        clock.now = 1020
        assert [timely] == [row.recipient for row in claim(outbox).rows]
        assert ([late], 1) == (ended, outbox.counts().not_sent)


def test_what_ended_otherwise_is_written_down(outbox: Outbox) -> None:
    """In a part of a batch, and of all of it."""
    outbox.enqueue(message(*numbers(3)))
    batch = claim(outbox)
    outbox.settle(batch, accepted(batch)[:1])
    outbox.settle(batch, failed(batch, not_sent())[1:])
    assert [RowState.ACCEPTED, RowState.ACCEPTED, RowState.QUEUED, RowState.QUEUED] == [row.state for row in outbox]


def test_what_is_not_watched_is_settled_where_it_stands(outbox: Outbox, url: str) -> None:
    """On its page there is room for what it becomes, so that no index is told of another place."""
    outbox.extend(outbox.register(message()), numbers(3000))
    size = "SELECT pg_relation_size('~rows'), pg_indexes_size('~rows')"
    before = run(url, size)
    while (batch := outbox.claim(1000)) is not None:
        outbox.settle(batch, [_without_ids(each) for each in accepted(batch)])
    assert (before, 3001) == (run(url, size), outbox.counts().accepted)


def _without_ids(outcome: Outcome) -> Outcome:
    assert outcome.receipt is not None
    return replace(outcome, receipt=replace(outcome.receipt, message_ids=()))


def test_nothing_is_written_where_nothing_is_due(outbox: Outbox, url: str) -> None:
    """And the next step finds all as it was."""
    assert None is outbox.claim()
    begin(outbox)
    assert [(0, 0, 1)] == run(
        url, "SELECT (SELECT count(*) FROM ~queue), (SELECT count(*) FROM ~claims), (SELECT count(*) FROM ~tokens)"
    )


def test_a_role_may_have_other_transactions(url: str, asked: list[str]) -> None:
    """Steps are made in one that is begun, then: in a serializable one they would fail beside others."""
    with Outbox(f"{url}&options=-c%20default_transaction_isolation%3Dserializable") as outbox:
        begin(outbox)
        outbox.enqueue(message(*numbers(2)))
        asked.clear()
        batch = claim(outbox)
        outbox.settle(batch, accepted(batch))
        assert (2, 3) == (len([each for each in asked if each.startswith("BEGIN")]), outbox.counts().accepted)
