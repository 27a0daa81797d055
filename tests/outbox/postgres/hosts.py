"""Programs that have a transaction of their own open, each by the driver or framework that it would use."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING, Any

import psycopg
import psycopg2  # type: ignore[import-untyped]  # it has no types
import sqlalchemy

from devinotify.outbox.postgres.location import parse_location
from devinotify.outbox.postgres.session import quoted
from tests.outbox.support import message

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager

    from devinotify.outbox import Outbox


class Host:
    """A program with a connection to the outbox's database; ``close`` ends it."""

    connection: Any

    def __init__(self, url: str) -> None:
        self.conninfo = parse_location(url).conninfo
        self.prefix = quoted(parse_location(url).schema)

    def transaction(self) -> AbstractContextManager[object]:
        """Open a transaction, or a savepoint inside of one; an exception rolls it back, the end commits it."""
        raise NotImplementedError

    def enqueue(self, outbox: Outbox, text: str, **options: Any) -> list[int]:  # noqa: ANN401 - enqueue's own
        """Return the ids of the rows that it has enqueued in its transaction."""
        return [row.id for row in outbox.enqueue(message(text=text), connection=self.connection, **options)]

    def close(self) -> None:
        """Let the connection go."""
        self.connection.close()


class Psycopg(Host):
    """A program on psycopg."""

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self.connection = psycopg.connect(self.conninfo)

    def transaction(self) -> AbstractContextManager[object]:
        """Nest as psycopg does."""
        found: AbstractContextManager[object] = self.connection.transaction()
        return found


class Psycopg2(Host):
    """A program on psycopg2, whose savepoints are written by hand."""

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self.connection = psycopg2.connect(self.conninfo)
        self._inside = False

    @contextlib.contextmanager
    def transaction(self) -> Iterator[None]:
        """Nest by savepoints of the same name as ours, which is the hardest."""
        if self._inside:
            self._run("SAVEPOINT devinotify")
            try:
                yield
            except BaseException:
                self._run("ROLLBACK TO SAVEPOINT devinotify")
                raise
            self._run("RELEASE SAVEPOINT devinotify")
            return
        self._inside = True
        try:
            with self.connection:
                yield
        finally:
            self._inside = False

    def _run(self, statement: str) -> None:
        with self.connection.cursor() as cursor:
            cursor.execute(statement)


class SqlAlchemy(Host):
    """A program on SQLAlchemy."""

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self._engine = sqlalchemy.create_engine("postgresql+psycopg://", creator=lambda: psycopg.connect(self.conninfo))
        self._session = self._engine.connect()

    @property
    def connection(self) -> Any:  # noqa: ANN401 - the driver's
        """Return the driver's own connection."""
        return self._session.connection.driver_connection

    def transaction(self) -> AbstractContextManager[object]:
        """Nest as SQLAlchemy does."""
        return self._session.begin_nested() if self._session.in_transaction() else self._session.begin()

    def close(self) -> None:
        """Let go of the pool, too."""
        self._session.close()
        self._engine.dispose()


class Django(Host):
    """A program on Django's ORM."""

    def __init__(self, url: str) -> None:
        super().__init__(url)
        import django  # type: ignore[import-untyped]  # it has no types
        from django.conf import settings  # type: ignore[import-untyped]  # it has no types
        from django.db import connections  # type: ignore[import-untyped]  # it has no types

        parts = sqlalchemy.make_url(url)
        database = {
            "ENGINE": "django.db.backends.postgresql",
            "NAME": parts.database,
            "USER": parts.username,
            "PASSWORD": parts.password,
            "HOST": parts.host,
            "PORT": parts.port,
        }
        if not settings.configured:
            settings.configure(DATABASES={"default": database}, USE_TZ=True)
            django.setup()
        self._wrapper = connections["default"]

    @property
    def connection(self) -> Any:  # noqa: ANN401 - the driver's
        """Return what Django calls ``connection.connection``."""
        return self._wrapper.connection

    def transaction(self) -> AbstractContextManager[object]:
        """Nest as Django does."""
        from django.db import transaction

        found: AbstractContextManager[object] = transaction.atomic()
        return found

    def close(self) -> None:
        """Close what Django has opened."""
        self._wrapper.close()


class Asyncpg(Host):
    """A program on asyncpg, which calls the function."""

    def __init__(self, url: str) -> None:
        super().__init__(url)
        import asyncpg  # type: ignore[import-untyped]  # it has no types

        self._loop = asyncio.new_event_loop()
        plain = self.conninfo.partition("?")[0]  # it does not know libpq's settings
        self.connection = self._run(asyncpg.connect(plain))

    def _run(self, work: Any) -> Any:  # noqa: ANN401 - whatever is awaited
        return self._loop.run_until_complete(work)

    @contextlib.contextmanager
    def transaction(self) -> Iterator[None]:
        """Nest as asyncpg does."""
        inner = self.connection.transaction()
        self._run(inner.start())
        try:
            yield
        except BaseException:
            self._run(inner.rollback())
            raise
        self._run(inner.commit())

    def enqueue(self, outbox: Outbox, text: str, **options: Any) -> list[int]:  # noqa: ANN401 - the function's own
        """Call the function."""
        named = "".join(f", {name} => ${place}" for place, name in enumerate(options, 4))
        lines = self._run(
            self.connection.fetch(
                f"SELECT id FROM {self.prefix}enqueue($1, $2, $3{named})",  # noqa: S608 - our own words
                text,
                list(message().recipients),
                options.pop("account", None),
                *options.values(),
            )
        )
        return [line["id"] for line in lines]

    def close(self) -> None:
        """Close the loop, too."""
        self._run(self.connection.close())
        self._loop.close()


HOSTS: tuple[type[Host], ...] = (Psycopg, Psycopg2, SqlAlchemy, Django, Asyncpg)
