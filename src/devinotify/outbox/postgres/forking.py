"""What a fork finds half done: nothing. Whoever works on a connection is waited for; the child has locks of its own."""

from __future__ import annotations

import os
import threading
import weakref
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from devinotify.outbox.postgres.database import Database

_databases: weakref.WeakSet[Database] = weakref.WeakSet()


def watch(database: Database) -> None:
    """Have a fork wait for what is done on a database."""
    _databases.add(database)


_forking: list[Database] = []


def _before_fork() -> None:
    # Nothing is half done in the child; by id, so that two that fork keep one order.
    _forking[:] = sorted(_databases, key=id)
    for database in _forking:
        database.lock.acquire()


def _after_fork() -> None:
    for database in reversed(_forking):
        database.lock.release()
    _forking.clear()


def _after_fork_in_child() -> None:
    for database in _forking:
        database.lock = threading.RLock()
    _forking.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_before_fork, after_in_parent=_after_fork, after_in_child=_after_fork_in_child)
