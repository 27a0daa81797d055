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
from tests.outbox.postgres.test_database import run
from tests.outbox.support import accepted, claim, message
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
