"""Which store a text names, and where the outbox is when nobody says so."""

from __future__ import annotations

import contextlib
import os
import sys
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

from devinotify.exceptions import InvalidInput
from devinotify.outbox.sqlite.store import SqliteStore

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from devinotify.outbox.postgres.store import PostgresStore
    from devinotify.outbox.store import Store

    Driver = Callable[[str, Callable[[], float] | None], Store]

VARIABLE = "DEVINOTIFY_OUTBOX"
"""The environment variable that names the file where the URL does not."""


def outbox_path(given: str | None) -> Path:
    """Return the file to use: ``given`` (the URL's), else DEVINOTIFY_OUTBOX, else one in the user's state folder.

    A leading ``~`` is the home folder. Raises InvalidInput where there is none.
    """
    named = given or os.environ.get(VARIABLE)
    try:
        return Path(named).expanduser() if named else _state_folder() / "devinotify" / "outbox.db"
    except RuntimeError:
        raise InvalidInput(
            f"the outbox: there is no such home folder; name a file by outbox on the URL or by {VARIABLE}"
        ) from None


def _postgres_store() -> type[PostgresStore]:
    # Not before it is asked for: neither its time nor its package is everybody's.
    try:
        from devinotify.outbox.postgres.store import PostgresStore
    except ImportError:
        raise InvalidInput(
            "the outbox: a postgresql:// one needs psycopg; install it with: pip install 'devinotify[postgres]'"
        ) from None
    return PostgresStore


def _postgres(url: str, clock: Callable[[], float] | None) -> Store:
    return _postgres_store()(url, clock)


DRIVERS: Mapping[str, Driver] = MappingProxyType({"": SqliteStore, "postgresql": _postgres, "postgres": _postgres})
"""The store behind each scheme (``scheme://…``) of a location; a text without one, or with another, is a path."""


def open_store(location: str | os.PathLike[str] | Store, clock: Callable[[], float] | None = None) -> Store:
    """Return the store that a text names, or the one that is given; ``clock`` is for a store that has none of its own.

    Raises InvalidInput where it cannot be used.
    """
    if not isinstance(location, (str, os.PathLike)):
        return location
    text = os.fspath(location)
    return _driver(text)(text, clock)


def migrate(location: str | os.PathLike[str]) -> tuple[int, int] | None:
    """Bring the schema in a database to the newest version, made where there is none: return which it had, and has.

    Two may do it at once. A file is brought to its newest version whenever it is opened: ``None``, and it was. Raises
    InvalidInput where it cannot be done.
    """
    text = os.fspath(location)
    if _driver(text) is _postgres:
        return _postgres_store().migrate(text)
    open_store(text).close()
    return None


def _driver(text: str) -> Driver:
    scheme, _, rest = text.partition("://")
    return DRIVERS.get(scheme if rest else "", SqliteStore)


def named_location(given: str | None) -> str | Path:
    """Return the outbox to use: a database's URL as it is written, or a file's path as ``outbox_path`` finds it."""
    named = given or os.environ.get(VARIABLE) or ""
    return named if _driver(named) is not SqliteStore else outbox_path(given)


def default_location(given: str | None) -> str:
    """Return what the outbox is opened by: as ``named_location`` has it, and the default's folder is made.

    Raises InvalidInput as ``outbox_path`` does.
    """
    path = named_location(given)
    if not isinstance(path, Path):
        return path
    if not given and not os.environ.get(VARIABLE):
        # A folder that cannot be made is told by the store, in its own words.
        with contextlib.suppress(OSError):
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    return str(path)


def _state_folder() -> Path:
    if sys.platform == "win32":  # pragma: no cover - the tests run on POSIX
        return Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
    if sys.platform == "darwin":  # pragma: no cover - and there on Linux
        return Path.home() / "Library" / "Application Support"
    named = os.environ.get("XDG_STATE_HOME", "")
    # The specification has relative paths ignored.
    return Path(named) if named.startswith("/") else Path.home() / ".local" / "state"
