"""Where a user's files are, by the platform's custom: what he wrote himself, and what a program remembers for him."""

from __future__ import annotations

import os
import sys
from pathlib import Path

NAME = "devinotify"
"""The folder of ours in each of them."""


def state_folder() -> Path:
    """Return the folder of what programs remember; raise RuntimeError where there is no home folder."""
    return _by_custom("XDG_STATE_HOME", ".local/state", "LOCALAPPDATA", "AppData/Local")


def config_folder() -> Path:
    """Return the folder of what users configure; raise RuntimeError where there is no home folder."""
    return _by_custom("XDG_CONFIG_HOME", ".config", "APPDATA", "AppData/Roaming")


def _by_custom(variable: str, posix: str, windows_variable: str, windows: str) -> Path:
    if sys.platform == "win32":  # pragma: no cover - the tests run on POSIX
        return Path(os.environ.get(windows_variable) or Path.home() / windows)
    if sys.platform == "darwin":  # pragma: no cover - and there on Linux
        return Path.home() / "Library" / "Application Support"
    named = os.environ.get(variable, "")
    # The specification has relative paths ignored.
    return Path(named) if named.startswith("/") else Path.home() / posix
