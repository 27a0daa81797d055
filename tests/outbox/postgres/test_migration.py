"""The schema brought from version to version, by hand."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import psycopg
import pytest
from click.testing import CliRunner

from devinotify.cli.app import cli
from devinotify.exceptions import InvalidInput
from devinotify.outbox import Outbox, location
from devinotify.outbox.postgres.location import parse_location
from devinotify.outbox.postgres.migration import NEWEST
from devinotify.outbox.postgres.schema import MIGRATIONS
from devinotify.outbox.postgres.session import quoted
from devinotify.outbox.states import RETRY_FOR
from tests.outbox.postgres.test_database import run
from tests.outbox.support import Clock, accepted, claim, failed, message, not_sent
from tests.postgres_server import PASSWORD

if TYPE_CHECKING:
    from tests.postgres_server import Server

pytestmark = pytest.mark.once(traced=True)


def make(url: str, version: int) -> None:
    """Make the schema as it was in a version."""
    where = parse_location(url)
    with psycopg.connect(where.conninfo, autocommit=True) as connection:
        connection.execute(f"CREATE SCHEMA {where.schema}".encode())
    run(url, "CREATE TABLE ~version (number integer PRIMARY KEY, made_at timestamptz NOT NULL)")
    for number, statements in enumerate(MIGRATIONS[:version], 1):
        for statement in statements:
            run(url, statement)
        run(url, f"INSERT INTO ~version VALUES ({number}, now())")  # noqa: S608 - a number


@pytest.mark.parametrize("version", range(1, NEWEST))
def test_an_older_schema_is_brought_up_by_hand(url: str, version: int) -> None:
    """Until then nobody works with it, and is told what to do; what stands in it stays."""
    make(url, version)
    run(url, f"INSERT INTO {quoted(parse_location(url).schema)}notes VALUES ('a', 'b')")  # noqa: S608 - ours
    with pytest.raises(InvalidInput, match=r"devinotify outbox migrate"):
        Outbox(url)
    arguments = ["outbox", "migrate", "--outbox", url]
    first, second = (CliRunner().invoke(cli, arguments) for _ in range(2))
    assert f"the schema is of version {NEWEST} now, it was of {version}\n" == first.stdout
    assert f"nothing to do: the schema is of version {NEWEST}\n" == second.stdout
    with Outbox(url) as outbox:
        outbox.enqueue(message())
        batch = claim(outbox)
        outbox.settle(batch, accepted(batch))
        assert ("b", 1) == (outbox.recall("a"), outbox.counts().accepted)


def test_a_deadline_from_before_stays_as_if_it_had_been_asked_for(url: str) -> None:
    """Until version 8 nobody had written down whose it was; and who began before goes on with what it calls."""
    make(url, 7)
    run(
        url,
        "INSERT INTO ~messages (id, text, channel, created_at, flags) SELECT nextval('~ids'), 'hi', 'sms', 1000, 1;"
        "INSERT INTO ~rows (id, message, due, deadline, attempts, state, recipient, channel)"
        " VALUES (1, 1, 1000, 90000, 1, 0, '+79161234567', 'sms'), (2, 1, 1000, NULL, 1, 0, '+79161234568', 'sms');"
        "INSERT INTO ~queue (id, due, message, account, channel) SELECT id, due, message, 0, channel FROM ~rows",
    )
    location.migrate(url)
    with Outbox(url, clock=Clock(1060)) as outbox:
        batch = claim(outbox)
        outbox.settle(batch, failed(batch, not_sent()))
        assert [(90000, False), (1000 + RETRY_FOR, True)] == [(row.deadline, row.own_deadline) for row in outbox]
        (found,) = run(
            url,
            f"SELECT ids FROM ~claim(7, '{outbox._store.worker}', 2000, NULL, 9, 9, NULL, 0, 0, '', 0)",  # noqa: S608
        )
        assert ([1, 2],) == found


def test_it_is_made_where_there_is_none(url: str) -> None:
    """As the first who opens it would."""
    told = CliRunner().invoke(cli, ["outbox", "migrate", "--outbox", url, "--json"])
    assert {"before": 0, "after": NEWEST, "exit_code": 0} == json.loads(told.stdout)
    Outbox(url).close()


def test_four_that_migrate_at_once_do_it_once(url: str) -> None:
    """One does it; the others wait, and find it done."""
    make(url, 1)
    with ThreadPoolExecutor(4) as pool:
        found = sorted(versions for versions in pool.map(location.migrate, [url] * 4) if versions is not None)
    assert [(1, NEWEST), *[(NEWEST, NEWEST)] * 3] == found


def test_who_may_not_change_it_is_told(server: Server, url: str) -> None:
    """And so is who has an older devinotify than the schema."""
    make(url, 1)
    schema = parse_location(url).schema
    run(url, f"CREATE ROLE reader LOGIN PASSWORD '{PASSWORD}'; GRANT USAGE ON SCHEMA {schema} TO reader")
    run(url, "GRANT SELECT ON ~version TO reader")
    with pytest.raises(InvalidInput, match="may not make or change"):
        location.migrate(url.replace("tester", "reader"))
    run(url, "DROP OWNED BY reader; DROP ROLE reader; INSERT INTO ~version VALUES (99, now())")
    with pytest.raises(InvalidInput, match="newer devinotify"):
        location.migrate(url)
