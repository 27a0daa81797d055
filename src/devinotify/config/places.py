"""Which configuration files there are, and what they say: the current folder's, then the user's.

A file of the current folder may be anybody's. It is read where it and the folder belong to the user, or to root, and
not everybody can write to them; what it may say of secrets is for profiles.py to judge.
"""

from __future__ import annotations

import logging
import os
import stat
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from devinotify.config.document import Document, read
from devinotify.exceptions import InvalidURL
from devinotify.files import is_open_to_others
from devinotify.folders import NAME, config_folder
from devinotify.redact import Secret, SecretBytes

if TYPE_CHECKING:
    from collections.abc import Collection

log: logging.Logger = logging.getLogger(__name__)

VARIABLE = "DEVINOTIFY_CONFIG"
"""The environment variable that names the one file to read, in place of the two."""
NEAR = "devinotify.toml"
USERS = "config.toml"

MOST = 1024 * 1024
"""Bytes that such a file may have: thousands of aliases fit, and a device that never ends is told."""

_MISSING = "there is no such file"
_OPEN = "it holds a password, and others can read it: chmod 600 it"

_warned: set[Path] = set()


@dataclass(frozen=True, slots=True)
class Place:
    """A file that may be there; ``near`` is the current folder's, ``named`` the one of DEVINOTIFY_CONFIG."""

    path: Path
    near: bool = False
    named: bool = False


@dataclass(frozen=True, slots=True)
class Source:
    """A file that is there, with what it says; ``notices`` are what its owner should know of it."""

    place: Place
    document: Document
    notices: tuple[str, ...] = ()

    @property
    def path(self) -> Path:
        """The file's path, from the root on."""
        return self.place.path


def places() -> list[Place]:
    """Return the files that are looked for, the nearest first, whether or not they are there."""
    if named := os.environ.get(VARIABLE):
        try:
            return [Place(Path(named).expanduser().absolute(), named=True)]
        except RuntimeError:
            raise InvalidURL(f"{VARIABLE}: there is no such home folder") from None
    found = []
    try:
        found.append(Place(Path.cwd() / NEAR, near=True))
        found.append(Place(config_folder() / NAME / USERS))
    except (OSError, RuntimeError):  # the current folder is gone, or there is no home: then there is no such file
        pass
    return found


def users_file() -> Path:
    """Return the file that is the user's own to write: that of DEVINOTIFY_CONFIG, or the one in the user's folder.

    Raises InvalidURL where there is no home folder.
    """
    own = [place.path for place in places() if not place.near]
    if not own:
        raise InvalidURL(f"there is no home folder to configure anything in: name a file by {VARIABLE}")
    return own[0]


def any_file() -> bool:
    """Whether there is a configuration file at all; none is read.

    Raises InvalidURL where DEVINOTIFY_CONFIG names one that is not there: it is mistyped, and not left out on purpose.
    """
    found = places()
    there = any(os.path.lexists(place.path) for place in found)
    if not there and (named := next((place for place in found if place.named), None)):
        raise _unusable(named, _MISSING)
    return there


def sources(keys: Collection[str]) -> list[Source]:
    """Return the files that are there, the nearest first, with what they say; ``keys`` are those of a URL's query.

    Raises InvalidURL, which names the file, where one cannot be read. A file of the current folder that is not the
    user's own is left out, which is logged, and so is that others can read a file with a password, once each.
    """
    found = []
    for place in places():
        source = _source(place, keys)
        if source is None:
            continue
        for notice in source.notices:
            if place.path not in _warned:
                _warned.add(place.path)
                log.warning("%s: %s", place.path, notice)
        found.append(source)
    return found


def _source(place: Place, keys: Collection[str]) -> Source | None:
    try:
        if place.near and (stranger := _stranger(place.path)):
            return Source(place, Document(), (f"it is not read: {stranger}",))
        with place.path.open("rb") as file:
            content = SecretBytes(file.read(MOST + 1))
            is_open = is_open_to_others(place.path)
        text = Secret(content.decode("utf-8-sig"))
    except FileNotFoundError:
        if not place.named:
            return None
        text, reason = Secret(), _MISSING
    except PermissionError as error:
        if place.near:  # a folder that is not the user's, such as another's home
            return None
        text, reason = Secret(), str(error.strerror)
    except UnicodeDecodeError:
        text, reason = Secret(), "it is not UTF-8"
    except (OSError, ValueError) as error:  # ValueError: a NUL in the name
        text, reason = Secret(), getattr(error, "strerror", None) or "it is not the path of a file"
    else:
        reason = f"it is longer than {MOST} bytes" if len(content) > MOST else ""
    if reason:
        raise _unusable(place, reason)
    document = read(text, keys)
    notices = (_OPEN,) if is_open and document.holds_password else ()
    return Source(place, document, notices)


def _unusable(place: Place, reason: str) -> InvalidURL:
    """Return the error for a file that is of no use, with the variable where one has named it."""
    named = f"{VARIABLE}: " if place.named else ""
    return InvalidURL(f"{named}{place.path}: {reason}")


def _stranger(path: Path) -> str:
    """Return why a file of the current folder cannot be taken for the user's own, or nothing."""
    if sys.platform == "win32":  # pragma: no cover - the tests run on POSIX
        return ""
    file, folder = path.stat(), path.parent.stat()
    own = (os.geteuid(), 0)
    if file.st_uid not in own:
        return "it belongs to somebody else"
    if folder.st_uid not in own:
        return "its folder belongs to somebody else"
    if file.st_mode & stat.S_IWOTH:
        return "everybody can write to it"
    if folder.st_mode & stat.S_IWOTH and not folder.st_mode & stat.S_ISVTX:
        return "everybody can write to its folder"
    return ""
