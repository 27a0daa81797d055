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


DRIVERS: Mapping[str, Driver] = MappingProxyType({"": SqliteStore})
"""The store behind each scheme (``scheme://…``) of a location; a text without one, or with another, is a path."""


def open_store(location: str | os.PathLike[str] | Store, clock: Callable[[], float] | None = None) -> Store:
    """Return the store that a text names, or the one that is given; ``clock`` is for a store that has none of its own.

    Raises InvalidInput where it cannot be used.
    """
    if not isinstance(location, (str, os.PathLike)):
        return location
    text = os.fspath(location)
    scheme, _, rest = text.partition("://")
    return DRIVERS.get(scheme if rest else "", SqliteStore)(text, clock)


def default_location(given: str | None) -> str:
    """Return what the outbox is opened by: ``given`` (the URL's), else ``outbox_path``'s; the default's folder is made.

    Raises InvalidInput as ``outbox_path`` does.
    """
    path = outbox_path(given)
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
