"""The file in Apprise's plugin folder that makes its own command, and whatever scans that folder, know ``devino://``."""

from __future__ import annotations

import os
import re
from pathlib import Path

NAME = "devinotify_apprise_shim.py"
"""The file's name. Apprise runs the files of its plugin folder and never looks for classes in them."""

CONTENT = """\
import devinotify_apprise  # written by "devinotify apprise install"; "devinotify apprise uninstall" removes it
devinotify_apprise.register()
"""

_VARIABLE = "APPRISE_PLUGIN_PATH"
_BETWEEN = re.compile(r"[\r\n;]+")


class ForeignFile(Exception):
    """There is a file of the shim's name that somebody else wrote, or changed; it is left alone."""

    def __init__(self, path: Path) -> None:
        super().__init__(f"{path} was not written by this command: it stays as it is")


def folder() -> Path:
    """Return the folder that the ``apprise`` command scans: of ``APPRISE_PLUGIN_PATH``, or of the user.

    Of several, the first that exists; else the first of the user's that Apprise documents for this system.
    """
    from apprise.cli import DEFAULT_PLUGIN_PATHS

    given = os.environ.get(_VARIABLE, "").strip()
    # The paths for all users come last: writing there is nobody's default.
    paths = [one for one in _BETWEEN.split(given) if one] if given else list(DEFAULT_PLUGIN_PATHS[:2])
    folders = [Path(os.path.expandvars(one)).expanduser().absolute() for one in paths]
    return next((one for one in folders if one.is_dir()), folders[0])


def install(into: Path) -> tuple[Path, bool]:
    """Write the shim and return its path, and whether it was not there before.

    Raises ForeignFile where another file has its name, OSError where the folder cannot be written.
    """
    path = into / NAME
    if path.exists():
        if not _is_ours(path):
            raise ForeignFile(path)
        return path, False
    into.mkdir(parents=True, exist_ok=True)
    with path.open("x", encoding="utf-8") as file:
        file.write(CONTENT)
    return path, True


def uninstall(out_of: Path) -> tuple[Path, bool]:
    """Remove the shim and return its path, and whether it was there; raises as ``install`` does."""
    path = out_of / NAME
    if not path.exists():
        return path, False
    if not _is_ours(path):
        raise ForeignFile(path)
    path.unlink()
    return path, True


def _is_ours(path: Path) -> bool:
    return path.is_file() and path.read_text("utf-8", errors="replace") == CONTENT
