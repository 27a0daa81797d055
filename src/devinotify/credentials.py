"""What a URL leaves out: its password, or the whole of it, from a variable of the environment or from a file.

Both are read anew each time they are asked for, so that a password that has changed is the next one's. A file is the
form in which container platforms hand over secrets: whoever lists a container's variables does not see it.
"""

from __future__ import annotations

import os
from pathlib import Path

from devinotify.exceptions import InvalidURL, unadvised
from devinotify.redact import Secret, SecretBytes

URL = "DEVINOTIFY_URL"
URL_FILE = "DEVINOTIFY_URL_FILE"
PASSWORD = "DEVINOTIFY_PASSWORD"  # noqa: S105 - a variable's name
PASSWORD_FILE = "DEVINOTIFY_PASSWORD_FILE"  # noqa: S105 - likewise

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


def find_password(path: str | None = None) -> str | None:
    """Return the password in the file at ``path``, which ``password_file=`` has named.

    Without one, that of DEVINOTIFY_PASSWORD, else the one in the file that DEVINOTIFY_PASSWORD_FILE names, else
    ``None``. Raises InvalidURL, which names the key or the variable, where that file cannot be read.
    """
    if path is not None:
        return _line(path, "password_file")
    if password := os.environ.get(PASSWORD):
        return Secret(password)
    path = os.environ.get(PASSWORD_FILE)
    return _line(path, PASSWORD_FILE) if path else None


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
