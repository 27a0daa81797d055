"""How files are made and replaced on disk: for their owner alone, by no link that somebody else may have planted.

Whoever can write to a folder can put a link there under the name that a file of ours is going to have; who followed it
would write a list of numbers into a place, or over a file, of the stranger's choice.
"""

from __future__ import annotations

import errno
import os
import stat
import sys
import tempfile
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, TextIO, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

AnyPath: TypeAlias = "str | os.PathLike[str]"
Target: TypeAlias = "AnyPath | TextIO"
"""Where something is written: a file by its name, or a text file that is open for writing."""

OWNER_ONLY = 0o600
_READABLE = stat.S_IRGRP | stat.S_IROTH
_OTHERS = stat.S_IWGRP | stat.S_IWOTH


def is_open_to_others(path: Path) -> bool:
    """Whether others than its owner may read a file; on Windows that is not known from its mode."""
    return sys.platform != "win32" and bool(path.stat().st_mode & _READABLE)


def make(path: Path) -> bool:
    """Make an empty file for its owner alone; return whether it was made, ``False`` where the name was taken.

    What was there is not touched, and a link is not followed. Raises OSError where nothing can be made.
    """
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, OWNER_ONLY)
    except FileExistsError:
        return False
    try:
        if sys.platform != "win32":
            os.fchmod(descriptor, OWNER_ONLY)  # an umask may have taken away even the owner's rights
    finally:
        os.close(descriptor)
    return True


def resolved(path: AnyPath) -> Path:
    """Return the path without links; raise OSError where one of them stands in a folder that others can write to.

    Raises OSError for links in a circle, too. What the path names need not exist.
    """
    for link in _links(Path(path).absolute(), set()):
        if _is_shared(link.parent):
            raise OSError(errno.ELOOP, f"{link} is a link in a folder that others can write to: not followed")
    # Path.resolve() raises what is not an OSError for a link that leads to itself.
    real = Path(os.path.realpath(path))
    if real.is_symlink():
        raise OSError(errno.ELOOP, f"{real} is a link that leads in a circle")
    return real


@contextmanager
def replaced(targets: Mapping[Target, str]) -> Iterator[dict[Target, TextIO]]:
    """Give a file to write for each target (with its encoding), and put all in place in the end; on a failure, none.

    A file is written beside its target, for its owner alone, and takes its place whole. A link of one's own stays: what
    it leads to is replaced. What is open already is written to directly, and so is a device or a pipe. Raises OSError,
    with the name of the target, where one cannot be written.
    """
    ready: list[tuple[Path, Path]] = []
    try:
        with ExitStack() as opened:
            files: dict[Target, TextIO] = {}
            for target, encoding in targets.items():
                if isinstance(target, (str, os.PathLike)):
                    files[target] = opened.enter_context(_open(target, encoding, ready))
                else:
                    files[target] = target
            yield files
        for temporary, real in ready:
            temporary.replace(real)
    finally:
        for temporary, _ in ready:
            temporary.unlink(missing_ok=True)


def _open(path: AnyPath, encoding: str, ready: list[tuple[Path, Path]]) -> TextIO:
    """Return a temporary file to be put in place of the target, or the target itself where it is a device or a pipe."""
    try:
        real = resolved(path)
        if Path(path).exists() and not Path(path).is_file():
            # A byte order mark is for what opens a file, and a pipe goes to a program.
            return open(path, "w", encoding="utf-8", newline="", opener=lambda name, _: os.open(name, os.O_WRONLY))
        if not real.parent.is_dir():
            raise FileNotFoundError(errno.ENOENT, "its folder does not exist")
        descriptor, temporary = tempfile.mkstemp(prefix=f".{real.name}.", suffix=".part", dir=real.parent)
        ready.append((Path(temporary), real))
        return os.fdopen(descriptor, "w", encoding=encoding, newline="")
    except OSError as error:
        raise OSError(error.errno, error.strerror, os.fspath(path)) from None


def _links(path: Path, seen: set[Path]) -> Iterator[Path]:
    """Yield the links on the way to a file, those that they lead over included, each once."""
    for place in (*reversed(path.parents), path):
        if place not in seen and place.is_symlink():
            seen.add(place)
            yield place
            yield from _links(Path(os.path.normpath(place.parent / place.readlink())), seen)


def _is_shared(folder: Path) -> bool:
    """Whether others than its owner can write to a folder; on Windows that is not known from its mode."""
    with suppress(OSError):  # one that is not there, or cannot be seen, is told of when it is used
        return sys.platform != "win32" and bool(folder.stat().st_mode & _OTHERS)
    return False
