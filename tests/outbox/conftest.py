"""The stores that one suite runs over."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

import pytest

from devinotify.outbox import Outbox
from devinotify.outbox.memory import MemoryStore
from devinotify.outbox.sqlite.store import SqliteStore
from tests.outbox.support import Clock

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


class Place:
    """Where outboxes are kept: each that is opened has the same contents, as other processes would see them."""

    def __init__(self, path: Path, clock: Clock) -> None:
        self.path = path
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
        self._store = MemoryStore(clock)

    def _open(self, options: dict[str, Any]) -> Outbox:
        return Outbox(self._store.another(), **options)

    def kill(self, outbox: Outbox) -> None:
        """Take the sign of life away."""
        store = outbox._store
        assert isinstance(store, MemoryStore)
        store._data.alive.discard(store.worker or "")


PLACES = {"sqlite": Place, "memory": InMemory}


@pytest.fixture
def clock() -> Clock:
    """Give a clock to turn."""
    return Clock()


@pytest.fixture(params=PLACES)
def place(request: pytest.FixtureRequest, tmp_path: Path, clock: Clock) -> Iterator[Place]:
    """Give a place for outboxes, of each kind in turn."""
    found = PLACES[request.param](tmp_path / "outbox.db", clock)
    yield found
    found.close()


@pytest.fixture
def outbox(place: Place) -> Outbox:
    """Give an empty outbox without jitter."""
    return place.open()
