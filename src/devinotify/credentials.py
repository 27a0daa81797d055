"""What a URL leaves out: its password, or the whole of it, from the environment, a file, or where login has put it.

All are read anew each time they are asked for, so that a password that has changed is the next one's. A file is the
form in which container platforms hand over secrets: whoever lists a container's variables does not see it.
"""

from __future__ import annotations

import logging
import os
from pathlib import Path
from typing import NamedTuple

from devinotify import passwords
from devinotify.exceptions import InvalidURL, unadvised
from devinotify.files import is_open_to_others
from devinotify.redact import Secret, SecretBytes

log: logging.Logger = logging.getLogger(__name__)

URL = "DEVINOTIFY_URL"
URL_FILE = "DEVINOTIFY_URL_FILE"
PASSWORD = "DEVINOTIFY_PASSWORD"  # noqa: S105 - a variable's name
PASSWORD_FILE = "DEVINOTIFY_PASSWORD_FILE"  # noqa: S105 - likewise
STORED = "stored by devinotify login"

MOST = 65_536
"""Bytes that such a file may hold: a URL with a list of recipients fits, and a device that never ends is told."""


def find_url() -> str | None:
    """Return the URL in DEVINOTIFY_URL, else the one in the file that DEVINOTIFY_URL_FILE names, else ``None``.

    Raises InvalidURL, which names the variable, where that file cannot be read.
    """
    if url := os.environ.get(URL):
        return url
    path = os.environ.get(URL_FILE)
    return _line(path, URL_FILE) if path else None


class Found(NamedTuple):
    """A password, and where it was, in words."""

    password: Secret
    place: str


def find_password(path: str | None, account: str) -> Found | None:
    """Return the password in the file at ``path``, which ``password_file=`` has named.

    Without one, that of DEVINOTIFY_PASSWORD, else the one in the file that DEVINOTIFY_PASSWORD_FILE names, else what
    ``devinotify login`` has put away for the account (``LOGIN@host/path``), else ``None``. Raises InvalidURL, which
    names the key or the variable, where that file cannot be read, and where the keyring cannot be asked.
    """
    if path is not None:
        return Found(_line(path, "password_file"), f"password_file: {path}")
    if password := os.environ.get(PASSWORD):
        return Found(Secret(password), PASSWORD)
    if path := os.environ.get(PASSWORD_FILE):
        return Found(_line(path, PASSWORD_FILE), f"{PASSWORD_FILE}: {path}")
    return _put_away(account)


def _put_away(account: str) -> Found | None:
    """Return what ``devinotify login`` has put away: nothing of a keyring is loaded where there is a file."""
    try:
        file = passwords.file_of(account)
        exists = file.exists()
    except (OSError, RuntimeError):  # a folder of somebody else's, or no home at all
        exists = False
    if exists:
        found = _line(str(file), STORED)
        if is_open_to_others(file):
            log.warning("%s holds a password, and others can read it: chmod 600 it", file)
        return Found(found, f"{STORED}: {file}")
    password = passwords.in_keyring(account)
    return None if password is None else Found(password, f"{STORED}: {passwords.KEYRING}")


def _line(path: str, named_by: str) -> Secret:
    """Return what the one line of a file holds, without its end."""
    try:
        with Path(path).expanduser().open("rb") as file:
            content = SecretBytes(file.read(MOST + 1))
        line = Secret(_without_end(Secret(content.decode("utf-8-sig"))))
    except UnicodeDecodeError:
        line, reason = Secret(), "it is not UTF-8"
    except (OSError, RuntimeError, ValueError) as error:  # ~ that is nobody's home; a NUL in the path
        line, reason = Secret(), getattr(error, "strerror", None) or "it is not the path of a file"
    else:
        if len(content) > MOST:
            reason = f"it is longer than {MOST} bytes"
        elif not line:
            reason = "it is empty"
        elif set(line) & set("\r\n\0"):
            reason = "it has more than one line"
        else:
            return line
    # Out of the blocks above: what was read is not the error's cause.
    raise unadvised(InvalidURL(f"{named_by}: {path}: {reason}"))


def _without_end(text: Secret) -> str:
    return text[:-1].removesuffix("\r") if text.endswith("\n") else text
