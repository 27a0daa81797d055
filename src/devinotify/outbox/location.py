"""Which store a text names, and where the outbox is when nobody says so."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

from devinotify.exceptions import InvalidInput
from devinotify.folders import NAME, state_folder
from devinotify.outbox.postgres.location import parse_location, without_campaign
from devinotify.words import installing

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from devinotify.outbox.postgres.store import PostgresStore
    from devinotify.outbox.store import Store

VARIABLE = "DEVINOTIFY_OUTBOX"
"""The environment variable that names the file where the URL does not."""


def outbox_path(given: str | None) -> Path:
    """Return the file to use: ``given`` (the URL's), else DEVINOTIFY_OUTBOX, else one in the user's state folder.

    A leading ``~`` is the home folder. Raises InvalidInput where there is none.
    """
    named = given or os.environ.get(VARIABLE)
    try:
        return Path(named).expanduser() if named else state_folder() / NAME / "outbox.db"
    except RuntimeError:
        raise InvalidInput(
            f"the outbox: there is no such home folder; name a file by outbox on the URL or by {VARIABLE}"
        ) from None


class Driver(NamedTuple):
    """What there is to a kind of store: each takes the text that names one."""

    open: Callable[[str, Callable[[], float] | None], Store]
    """Returns the store, made where there is none; the clock is for one that has none of its own."""
    exists: Callable[[str], bool]
    """Whether there is one, which is not made by the question."""
    campaign: Callable[[str], str | None]
    """The campaign whose journal it is by its name, and for nothing else; ``None`` where it is not."""


def _postgres_store() -> type[PostgresStore]:
    # Not before it is asked for: neither its time nor its package is everybody's.
    try:
        from devinotify.outbox.postgres.store import PostgresStore
    except ImportError:
        raise InvalidInput(
            f"the outbox: a postgresql:// one needs psycopg; install it with: {installing('postgres')}"
        ) from None
    return PostgresStore


def _file_store(path: str, clock: Callable[[], float] | None) -> Store:
    # Not before it is asked for either: who sends without an outbox has no use for a database.
    from devinotify.outbox.sqlite.store import SqliteStore

    return SqliteStore(path, clock)


def _is_file(text: str) -> bool:
    path = Path(text).expanduser()
    return path.is_file() and path.stat().st_size > 0


_FILE = Driver(_file_store, _is_file, lambda _: None)
_POSTGRES = Driver(
    lambda url, clock: _postgres_store()(url, clock),
    lambda url: _postgres_store().exists(url),
    lambda url: parse_location(url).campaign,
)

DRIVERS: Mapping[str, Driver] = MappingProxyType({"": _FILE, "postgresql": _POSTGRES, "postgres": _POSTGRES})
"""The kind of store behind each scheme (``scheme://…``) of a location; a text with no scheme, or another, is a path."""


def open_store(location: str | os.PathLike[str] | Store, clock: Callable[[], float] | None = None) -> Store:
    """Return the store that a text names, or the one that is given; ``clock`` is for a store that has none of its own.

    Raises InvalidInput where it cannot be used.
    """
    if not isinstance(location, (str, os.PathLike)):
        return location
    text = os.fspath(location)
    return _driver(text).open(text, clock)


def migrate(location: str | os.PathLike[str]) -> tuple[int, int] | None:
    """Bring the schema in a database to the newest version, made where there is none: return which it had, and has.

    Two may do it at once. A file is brought to its newest version whenever it is opened: ``None``, and it was. Raises
    InvalidInput where it cannot be done.
    """
    text = os.fspath(location)
    if is_database(text):
        return _postgres_store().migrate(text)
    open_store(text).close()
    return None


def _driver(text: str) -> Driver:
    scheme, _, rest = text.partition("://")
    return DRIVERS.get(scheme if rest else "", _FILE)


def is_database(location: str | os.PathLike[str]) -> bool:
    """Whether an outbox is in a database, by its URL, and not in a file."""
    return _driver(os.fspath(location)) is not _FILE


def exists(location: str | os.PathLike[str]) -> bool:
    """Return whether there is an outbox at a location, without making one.

    Raises InvalidInput for a URL that is not understood, and DevinotifyError for a database that cannot be reached.
    """
    text = os.fspath(location)
    return _driver(text).exists(text)


def campaign_of(location: str | os.PathLike[str]) -> str | None:
    """Return the campaign that a location is the journal of by its name (``?campaign=``), or ``None``."""
    text = os.fspath(location)
    return _driver(text).campaign(text)


def paced_at(location: str | os.PathLike[str]) -> str:
    """Return the location of the outbox whose pace a journal keeps: its own file, or what it has beside it."""
    text = os.fspath(location)
    return without_campaign(text) if is_database(text) else text


def named_location(given: str | None) -> str | Path:
    """Return the outbox to use: a database's URL as it is written, or a file's path as ``outbox_path`` finds it."""
    named = given or os.environ.get(VARIABLE) or ""
    return named if is_database(named) else outbox_path(given)


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
