"""Where the outbox is when nobody says so."""

from __future__ import annotations

import contextlib
import os
import sys
from pathlib import Path

from devinotify.exceptions import InvalidInput
from devinotify.outbox.sqlite.store import Outbox

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


def open_outbox(given: str | None, *, poll: float | None = None) -> Outbox:
    """Open the outbox at ``outbox_path(given)``, making the default one's folder; raises InvalidInput like Outbox.

    ``poll`` is in seconds: from a send to the first look at its delivery.
    """
    path = outbox_path(given)
    if not given and not os.environ.get(VARIABLE):
        # A folder that cannot be made is told by Outbox, in its own words.
        with contextlib.suppress(OSError):
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    return Outbox(path) if poll is None else Outbox(path, poll=poll)


def _state_folder() -> Path:
    if sys.platform == "win32":  # pragma: no cover - the tests run on POSIX
        return Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
    if sys.platform == "darwin":  # pragma: no cover - and there on Linux
        return Path.home() / "Library" / "Application Support"
    named = os.environ.get("XDG_STATE_HOME", "")
    # The specification has relative paths ignored.
    return Path(named) if named.startswith("/") else Path.home() / ".local" / "state"
