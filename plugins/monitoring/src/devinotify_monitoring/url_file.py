"""The account's URL from a file that its owner alone can read: hosts pass no secret on, and arguments are seen."""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING

from devinotify_monitoring.errors import SetupError

if TYPE_CHECKING:
    from pathlib import Path

MOST = 8192
"""Bytes that are read of it."""
VARIABLE = "DEVINOTIFY_URL"
_OTHERS = stat.S_IRWXG | stat.S_IRWXO


def url_in(path: Path) -> str:
    """Return the URL that a file holds, alone or as ``DEVINOTIFY_URL=…``, so that it serves systemd as well.

    Raises SetupError where the file cannot be read, is open to others than its owner, or holds no URL.
    """
    try:
        # Not blocking: who names a pipe is told so, and does not wait for its other end.
        with os.fdopen(os.open(path, os.O_RDONLY | os.O_NONBLOCK), "rb") as file:
            found = os.fstat(file.fileno())
            if not stat.S_ISREG(found.st_mode):
                raise SetupError(f"--url-file: {path} is not a file")
            if found.st_mode & _OTHERS:
                mode = stat.S_IMODE(found.st_mode)
                raise SetupError(f"--url-file: {path} is open to others than its owner ({mode:04o}): chmod 600 {path}")
            written = file.read(MOST).decode("utf-8-sig")
    except OSError as error:
        raise SetupError(f"--url-file: {path}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise SetupError(f"--url-file: {path} is not UTF-8") from None
    lines = [line.strip() for line in written.splitlines()]
    found_lines = [line for line in lines if line and not line.startswith("#")]
    if len(found_lines) != 1:
        raise SetupError(f"--url-file: {path} should hold one line, devino://LOGIN:PASSWORD@SENDER")
    (line,) = found_lines
    value = line.removeprefix(f"{VARIABLE}=")
    return value[1:-1] if len(value) > 1 and value[0] == value[-1] and value[0] in "'\"" else value
