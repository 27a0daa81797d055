"""The stores that one suite runs over."""

from __future__ import annotations

import atexit
import contextlib
import functools
import itertools
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from devinotify.outbox import Outbox
from devinotify.outbox.memory import MemoryStore
from devinotify.outbox.postgres.location import parse_location
from devinotify.outbox.postgres.session import is_live, quoted
from devinotify.outbox.sqlite.store import SqliteStore
from tests.outbox.support import Clock
from tests.postgres_server import PASSWORD, Server, binaries, running

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


class Place:
    """Where outboxes are kept: each that is opened has the same contents, as other processes would see them."""

    def __init__(self, path: Path, clock: Clock) -> None:
        self.path = path
        self.name = str(path)
        self.clock = clock
        self._opened = contextlib.ExitStack()

    def open(self, **options: Any) -> Outbox:  # noqa: ANN401 - Outbox's own
        """Return an outbox, closed in the end; without jitter unless it is told otherwise."""
        options.setdefault("random", lambda: 1.0)
        return self._opened.enter_context(self._open(options))

    def _open(self, options: dict[str, Any]) -> Outbox:
        return Outbox(self.path, clock=self.clock, **options)

    def kill(self, outbox: Outbox) -> None:
        """Take the outbox's sign of life away, as when its process is killed."""
        store = outbox._store
        assert isinstance(store, SqliteStore)
        for lease in store.leases:
            lease.release()

    def close(self) -> None:
        """Close what is still open."""
        self._opened.close()


class InMemory(Place):
    """The same in memory."""

    def __init__(self, path: Path, clock: Clock) -> None:
        super().__init__(path, clock)
        self.name = "in memory"
        self._store = MemoryStore(clock)

    def _open(self, options: dict[str, Any]) -> Outbox:
        return Outbox(self._store.another(), clock=self.clock, **options)

    def kill(self, outbox: Outbox) -> None:
        """Take the sign of life away."""
        store = outbox._store
        assert isinstance(store, MemoryStore)
        store._data.alive.discard(store.worker or "")


class InPostgres(Place):
    """The same in a PostgreSQL server of the tests' own, on a clock that can be turned."""

    def __init__(self, path: Path, clock: Clock) -> None:
        super().__init__(path, clock)
        self.url = postgres_server().url()
        self.name = self.url.replace(PASSWORD, "***")
        self._where = parse_location(self.url)
        self._empty()

    def _open(self, options: dict[str, Any]) -> Outbox:
        return Outbox(self.url, clock=self.clock, **options)

    def kill(self, outbox: Outbox) -> None:
        """Take the sign of life away: the worker was heard of for the last time long ago."""
        self._run(f"UPDATE ~workers SET seen_at = 0 WHERE name = '{outbox._store.worker}'")  # noqa: S608 - our own

    def _empty(self) -> None:
        if (None,) != self._run("SELECT to_regclass('~version')"):
            tables = (
                "messages",
                "rows",
                "queue",
                "claims",
                "workers",
                "accounts",
                "notes",
                "tokens",
                "paces",
                "entries",
            )
            self._run(";".join(f"DELETE FROM ~{table}" for table in tables))  # noqa: S608 - our own words
            self._run("ALTER SEQUENCE ~ids RESTART; UPDATE ~counters SET value = 0")

    def _run(self, statements: str) -> tuple[Any, ...] | None:
        cursor = _connection(self._where.conninfo).execute(statements.replace("~", quoted(self._where.schema)).encode())
        return cursor.fetchone() if cursor.description else None


_until_the_end = contextlib.ExitStack()
atexit.register(_until_the_end.close)


@functools.cache
def postgres_server() -> Server:
    """Return the one server of this test process, stopped when it ends."""
    return _until_the_end.enter_context(running())


_connections: dict[str, psycopg.Connection[tuple[Any, ...]]] = {}


def _connection(conninfo: str) -> psycopg.Connection[tuple[Any, ...]]:
    """Return the one connection to a place, or another where a test has cut it, as some cut all on the server."""
    found = _connections.get(conninfo)
    if found is not None and not is_live(found):
        found.close()
        found = None
    if found is None:
        found = _connections[conninfo] = _until_the_end.enter_context(psycopg.connect(conninfo, autocommit=True))
    return found


Places = Callable[[], Place]

PLACES: dict[str, type[Place]] = {"sqlite": Place, "memory": InMemory}
if binaries() is not None:
    PLACES["postgres"] = InPostgres


@pytest.fixture
def clock() -> Clock:
    """Give a clock to turn."""
    return Clock()


# What a server is asked is not Python's affair: once is enough, and nothing else walks the driver.
_ONCE = {"postgres": pytest.mark.once(traced=True)}


_EACH = [pytest.param(name, marks=_ONCE.get(name, ())) for name in PLACES]


@pytest.fixture(params=_EACH)
def place(request: pytest.FixtureRequest, tmp_path: Path, clock: Clock) -> Iterator[Place]:
    """Give a place for outboxes, of each kind in turn."""
    found = PLACES[request.param](tmp_path / "outbox.db", clock)
    yield found
    found.close()


@pytest.fixture(params=_EACH)
def places(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Places]:
    """Return what gives each row of a table an empty place with a clock of its own, and closes the one before."""
    count = itertools.count()
    with contextlib.ExitStack() as last:

        def another() -> Place:
            last.close()
            made = PLACES[request.param](tmp_path / f"{next(count)}.db", Clock())
            last.callback(made.close)
            return made

        yield another


@pytest.fixture
def outbox(place: Place) -> Outbox:
    """Give an empty outbox without jitter."""
    return place.open()
