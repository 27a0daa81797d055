"""A worker's sign of life: a file that it holds locked, and that the system unlocks when its process ends.

No heartbeat and no clock: a worker that is slow, stopped or swapped out still holds its lock, and one that was
killed holds it no more. The lock is ``flock``'s, which belongs to the open file: it tells workers of one process
apart, and closing another file does not lift it.
"""

from __future__ import annotations

import os
import secrets
import sys
import weakref
from typing import IO, TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

if sys.platform == "win32":  # pragma: no cover - the tests run on POSIX
    import msvcrt

    def _lock(file: IO[bytes]) -> bool:
        try:
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True

else:
    import fcntl

    def _lock(file: IO[bytes]) -> bool:
        try:
            fcntl.flock(file.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return False
        return True


def _path(outbox: Path, worker: str) -> Path:
    return outbox.with_name(f"{outbox.name}-worker-{worker}")


_leases: weakref.WeakSet[Lease] = weakref.WeakSet()


class Lease:
    """The lock of one worker on one outbox; ``worker`` is its name, never used again."""

    def __init__(self, outbox: Path) -> None:
        self.pid = os.getpid()
        while True:
            self.worker = f"{self.pid}-{secrets.token_hex(8)}"
            self._path = _path(outbox, self.worker)
            descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
            self._file = os.fdopen(descriptor, "r+b")
            # Between the creation and the lock another worker's recover() may have taken the file for a dead one's.
            if _lock(self._file) and self._path.exists():
                break
            self._file.close()
        _leases.add(self)

    def release(self) -> None:
        """Give the lock back and remove its file; a forked child only lets go of its copy."""
        if self.pid == os.getpid():
            self._path.unlink(missing_ok=True)
        self._file.close()


class StaleLock:
    """The lock of a worker that may be gone; where it is ``free`` it is held here: only one closes its claims."""

    def __init__(self, outbox: Path, worker: str) -> None:
        self._path = _path(outbox, worker)
        self._file: IO[bytes] | None = None
        self.free = True
        try:
            self._file = self._path.open("r+b")
        except FileNotFoundError:
            return
        if not _lock(self._file):
            self._file.close()
            self.free = False

    def close(self, *, remove: bool) -> None:
        """Let go; ``remove`` where the claims are closed and the lock file has done its work."""
        if self.free and self._file is not None:
            if remove:
                self._path.unlink(missing_ok=True)
            self._file.close()


def _after_fork_in_child() -> None:
    # A lock lives as long as any copy of its descriptor: a child that outlives its parent must not keep it alive.
    for lease in list(_leases):
        lease.release()


def leftover(outbox: Path) -> set[str]:
    """Return the names of all workers, alive or gone, whose lock files stand beside an outbox."""
    prefix = f"{outbox.name}-worker-"
    return {each.name.removeprefix(prefix) for each in outbox.parent.iterdir() if each.name.startswith(prefix)}


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork_in_child)
