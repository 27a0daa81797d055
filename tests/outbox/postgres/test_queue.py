"""The queue as several see it: committed out of order, and with a snapshot that somebody holds."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from devinotify.outbox import Outbox
from devinotify.outbox.postgres.location import parse_location
from devinotify.outbox.postgres.store import PostgresStore
from devinotify.outbox.settlement import match
from tests.outbox.support import accepted, claim, message, numbers

if TYPE_CHECKING:
    from collections.abc import Callable

    from devinotify.outbox.postgres.transaction import PostgresTransaction

pytestmark = pytest.mark.once(traced=True)


def test_what_is_committed_late_is_claimed(url: str) -> None:
    """Its ids are lower than those that have been claimed and listed by then: nothing goes by the last id alone."""
    store = PostgresStore(url, look_every=3600.0)  # the head is looked at only where nothing else is left
    with Outbox(store) as outbox, psycopg.connect(parse_location(url).conninfo) as program:
        (late,) = outbox.enqueue(message(), connection=program)
        for _ in range(2):
            outbox.enqueue(message())
        first = claim(outbox)
        outbox.settle(first, accepted(first))
        listed = [row.id for row in outbox]
        program.commit()
        rest = []
        while (batch := outbox.claim()) is not None:
            rest += [row.id for row in batch.rows]
            outbox.settle(batch, accepted(batch))
        assert (True, True) == (late.id < min(listed), late.id in rest)
        assert (3, [late.id, *listed]) == (outbox.counts().accepted, [row.id for row in outbox])


def test_a_listing_has_all_that_was_there_when_it_began(url: str) -> None:
    """Each row once. One with a lower id that is committed meanwhile is in the next listing, by whatever page."""
    with Outbox(url, page=1) as outbox, psycopg.connect(parse_location(url).conninfo) as program:
        rows = [row.id for row in outbox.enqueue(message(*numbers(2)))]
        (late,) = outbox.enqueue(message(), connection=program)
        rows += [row.id for row in outbox.enqueue(message(*numbers(2)))]
        listing = iter(outbox)
        listed = [next(listing).id for _ in range(3)]
        program.commit()
        listed += [row.id for row in listing]
        assert (rows, sorted([*rows, late.id])) == (listed, [row.id for row in outbox])
        assert late.id not in [row.id for row in outbox.rows(after=listed[2])]


def plans(store: PostgresStore, work: Callable[[PostgresTransaction], object]) -> dict[str, dict[str, Any]]:
    """Return how each statement of a change was carried out, by the statement, those inside of functions included."""
    told: list[str] = []

    def explained(transaction: PostgresTransaction) -> None:
        connection = transaction._session.connection
        connection.execute("LOAD 'auto_explain'")
        for setting, value in {
            "auto_explain.log_min_duration": "0",
            "auto_explain.log_analyze": "on",
            "auto_explain.log_buffers": "on",
            "auto_explain.log_format": "json",
            "auto_explain.log_level": "notice",
            "auto_explain.log_nested_statements": "on",
        }.items():
            connection.execute("SELECT set_config(%s, %s, true)", (setting, value))
        connection.add_notice_handler(heard)
        try:
            work(transaction)
        finally:
            connection.remove_notice_handler(heard)

    def heard(diagnostic: psycopg.errors.Diagnostic) -> None:
        told.append(str(diagnostic.message_primary))

    store.write("explain", explained)
    found = [json.loads(text[text.index("{") :]) for text in told]
    return {each["Query Text"]: each["Plan"] for each in found}


def step(plans: dict[str, dict[str, Any]], words: str) -> dict[str, Any]:
    """Return the plan of the one statement that has these words in it."""
    (plan,) = (plan for statement, plan in plans.items() if words in statement)
    return plan


HEADS, AHEAD = "AS whose", "ahead AS MATERIALIZED"


def test_a_claim_reads_no_more_where_a_snapshot_is_held(url: str) -> None:
    """The lines of what was claimed stay for as long as it is held: by its place, a claim does not read them again."""
    store = PostgresStore(url, look_every=3600.0)
    with Outbox(store) as outbox, psycopg.connect(parse_location(url).conninfo) as analyst:
        outbox.extend(outbox.register(message()), numbers(10_000))
        analyst.execute("BEGIN ISOLATION LEVEL REPEATABLE READ")
        analyst.execute("SELECT 1 FROM pg_class LIMIT 1")
        for _ in range(18):
            claim(outbox, 500)
        worker, read = store.enlist(), []
        for reset in (False, True):
            if reset:
                store._positions.reset()
            plan = step(plans(store, lambda transaction: transaction.take(worker, 1, None)), HEADS)
            read.append(int(plan["Shared Hit Blocks"] + plan["Shared Read Blocks"]))
        by_place, from_the_head = read
        assert (True, True) == (by_place < 25, from_the_head > 4 * by_place), read


def read_most(plan: dict[str, Any]) -> int:
    """Return how many lines the greediest step of a plan has found."""
    return max([int(plan["Actual Rows"]), *map(read_most, plan.get("Plans", ()))])


def kinds(plan: dict[str, Any]) -> set[str]:
    """Return the kinds of steps in a plan."""
    return {str(plan["Node Type"])}.union(*map(kinds, plan.get("Plans", ())))


def test_a_claim_reads_a_long_queue_no_further_than_it_takes(url: str) -> None:
    """In its index's order, up to the last row of the batch: what waits behind that is neither read nor sorted."""
    store = PostgresStore(url)
    with Outbox(store) as outbox:
        outbox.extend(outbox.register(message()), numbers(10_000))
        worker = store.enlist()
        found = plans(store, lambda transaction: transaction.take(worker, 100, None))
        assert (1, 100) == (read_most(step(found, HEADS)), read_most(step(found, AHEAD)))


def test_plans_that_are_kept_are_those_of_a_long_queue(url: str) -> None:
    """However short it was when they were made: no step ever reads all that is there."""
    store = PostgresStore(url)
    with Outbox(store) as outbox:
        number, worker = outbox.register(message()), store.enlist()
        outbox.enqueue_many([message()] * 10)
        for _ in range(10):
            outbox.settle(batch := claim(outbox, 1), accepted(batch))
        outbox.extend(number, numbers(1000))
        batch = claim(outbox, 500)

        def steps(transaction: PostgresTransaction) -> None:
            transaction.take(worker, 100, None)
            transaction.settle(settlement)

        settlement = outbox._settlement(batch)
        settlement.add(match(batch, accepted(batch)))
        found = plans(store, steps)
        assert "Seq Scan" not in set().union(*map(kinds, found.values()))


def test_what_was_stored_a_moment_ago_is_due(url: str) -> None:
    """However far the time that was last heard is behind, since its answer took long to come."""
    with Outbox(url) as outbox:
        assert outbox.claim() is None
        store = outbox._store
        assert isinstance(store, PostgresStore)
        assert store._database._ahead is not None
        store._database._ahead -= 60
        outbox.enqueue(message())
        assert outbox.claim() is not None
