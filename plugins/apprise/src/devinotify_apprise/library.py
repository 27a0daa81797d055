"""The line that makes every ``import apprise`` of one Python know ``devino://``: where it goes, and how it is undone.

It stands in a ``.pth`` file, whose lines that begin with ``import`` the interpreter runs at each start.
"""

from __future__ import annotations

import site
import sysconfig
from pathlib import Path

import devinotify_apprise
from devinotify_apprise.ownfile import OwnFile

_FINDER = """\
class DevinotifyApprise:
    def find_spec(self, name, path=None, target=None):
        if name == "apprise":
            try:
                from devinotify_apprise.importhook import find
            except ImportError:
                return None
            return find(path, target)
sys.meta_path.insert(0, DevinotifyApprise())
"""
# It stands in the file itself: to look for a module of ours at every start would take several times as long, and say
# so on every start after somebody has removed the package and not the line. Names in it are in no module.
FILE = OwnFile(
    name="devinotify_apprise_library.pth",
    content=(
        '# Written by "devinotify apprise install --library"; "devinotify apprise uninstall --library" removes it.\n'
        f'import sys; exec({_FINDER!r}, {{"__name__": "devinotify_apprise_library", "sys": sys}})\n'
    ),
)


def folders() -> list[Path]:
    """Return the folders whose ``.pth`` files this Python runs at its start, those of a virtual environment alone."""
    users = [site.getusersitepackages()] if site.ENABLE_USER_SITE else []
    return [Path(one) for one in dict.fromkeys([*site.getsitepackages(), *users])]


def folder() -> Path:
    """Return the folder to write to: the one that holds this package, else the one that pip installs to."""
    known = folders()
    ours = Path(devinotify_apprise.__file__).parents[1]  # elsewhere where it was installed to be worked on
    return next((one for one in (ours, Path(sysconfig.get_path("purelib"))) if one in known), known[0])
