"""The file in Apprise's plugin folder that makes its own command, and whatever scans that folder, know ``devino://``."""

from __future__ import annotations

import os
import re
from pathlib import Path

from devinotify_apprise.ownfile import OwnFile

# Apprise runs the files of its plugin folder and never looks for classes in them.
FILE = OwnFile(
    name="devinotify_apprise_shim.py",
    content="""\
import devinotify_apprise  # written by "devinotify apprise install"; "devinotify apprise uninstall" removes it
devinotify_apprise.register()
""",
)

_VARIABLE = "APPRISE_PLUGIN_PATH"
_BETWEEN = re.compile(r"[\r\n;]+")


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
