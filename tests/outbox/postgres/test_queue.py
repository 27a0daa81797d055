"""The queue as several see it: committed out of order, and with a snapshot that somebody holds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from devinotify.outbox import Outbox
from devinotify.outbox.postgres import claiming
from devinotify.outbox.postgres.location import parse_location
from devinotify.outbox.postgres.session import Session, quoted
from devinotify.outbox.postgres.store import PostgresStore
from tests.outbox.support import accepted, claim, message, numbers

if TYPE_CHECKING:
    from devinotify.outbox.postgres.claiming import Place

pytestmark = pytest.mark.once


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


def blocks(url: str, since: Place) -> int:
    """Return how many blocks are looked at to find the head of the queue from a place on."""
    where = parse_location(url)
    with psycopg.connect(where.conninfo, autocommit=True) as connection:
        connection.execute("SET enable_seqscan = off")
        session = Session(connection, quoted(where.schema), quoted(where.base))
        head = claiming._HEAD.format(mine="")
        found = session.one(f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {head}", 0, 1e12, *since)
    assert found is not None
    plan = found[0][0]["Plan"]
    return int(plan["Shared Hit Blocks"] + plan["Shared Read Blocks"])


def test_a_claim_reads_no_more_where_a_snapshot_is_held(url: str) -> None:
    """The lines of what was claimed stay for as long as it is held: by its place, a claim does not read them again."""
    store = PostgresStore(url, look_every=3600.0)
    with Outbox(store) as outbox, psycopg.connect(parse_location(url).conninfo) as analyst:
        outbox.extend(outbox.register(message()), numbers(10_000))
        analyst.execute("BEGIN ISOLATION LEVEL REPEATABLE READ")
        analyst.execute("SELECT 1 FROM pg_class LIMIT 1")
        for _ in range(18):
            claim(outbox, 500)
        by_place, from_the_head = (blocks(url, since) for since in (store._positions.since(None), claiming.START))
        assert (True, True) == (by_place < 25, from_the_head > 4 * by_place), (by_place, from_the_head)


def read_most(plan: dict[str, Any]) -> int:
    """Return how many lines the greediest step of a plan has found."""
    return max([int(plan["Actual Rows"]), *map(read_most, plan.get("Plans", ()))])


def test_a_claim_reads_a_long_queue_no_further_than_it_takes(url: str) -> None:
    """In its index's order, up to the last row of the batch: what waits behind that is neither read nor sorted."""
    with Outbox(url) as outbox:
        number = outbox.register(message())
        outbox.extend(number, numbers(10_000))
        store = outbox._store
        assert isinstance(store, PostgresStore)

        def explain(session: Session, now: float) -> dict[str, Any]:
            head = claiming.head(session, now, None, claiming.START, lock=False)
            assert head is not None
            queue, place = head
            values = (queue, now, *place, 400, place.message, place.channel, 100, now)
            line = session.one(f"EXPLAIN (ANALYZE, FORMAT JSON) {claiming._GATHER}", *values)
            assert line is not None
            plan: dict[str, Any] = line[0][0]["Plan"]
            return plan

        assert 100 == read_most(store._database.write("explain", explain))


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
