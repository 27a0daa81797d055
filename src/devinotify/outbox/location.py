"""Where the outbox is when nobody says so."""

from __future__ import annotations

import contextlib
import os
import sys
from pathlib import Path

from devinotify.outbox.store import Outbox

VARIABLE = "DEVINOTIFY_OUTBOX"
"""The environment variable that names the file where the URL does not."""


def outbox_path(given: str | None) -> Path:
    """Return the file to use: ``given`` (the URL's), else DEVINOTIFY_OUTBOX, else one in the user's state folder."""
    if given:
        return Path(given).expanduser()
    if named := os.environ.get(VARIABLE):
        return Path(named).expanduser()
    return _state_folder() / "devinotify" / "outbox.db"


def open_outbox(given: str | None, *, poll: float | None = None) -> Outbox:
    """Open the outbox at ``outbox_path(given)``, making the default one's folder; raises InvalidInput like Outbox.

    ``poll`` is in seconds: from a send to the first look at its delivery.
    """
    path = outbox_path(given)
    if not given and VARIABLE not in os.environ:
        # A folder that cannot be made is told by Outbox, in its own words.
        with contextlib.suppress(OSError):
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    return Outbox(path) if poll is None else Outbox(path, poll=poll)


def _state_folder() -> Path:
    home = Path.home()
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA") or home / "AppData" / "Local")
    if sys.platform == "darwin":
        return home / "Library" / "Application Support"
    return Path(os.environ.get("XDG_STATE_HOME") or home / ".local" / "state")
