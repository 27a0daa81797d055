"""A worker's sign of life: a file that it holds locked, and that the system unlocks when its process ends.

No heartbeat and no clock: a worker that is slow, stopped or swapped out still holds its lock, and one that was
killed holds it no more. The lock is ``flock``'s, which belongs to the open file: it tells workers of one process
apart, and closing another file does not lift it.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import stat
import sys
import threading
from typing import IO, TYPE_CHECKING

from devinotify.outbox import forking

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


# A link, or a pipe that waits for a reader, may have been put there by a stranger.
_NO_FOLLOW = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)


def _path(outbox: Path, worker: str) -> Path:
    return outbox.with_name(f"{outbox.name}-worker-{worker}")


class _Held:
    """The lock files that this process has open; ``lock`` is over each from its opening until it is in ``files``.

    A lock lives as long as any copy of its descriptor.
    """

    def __init__(self) -> None:
        self.lock: threading.RLock = threading.RLock()
        self.files: set[IO[bytes]] = set()


_held = _Held()
forking.watch(_held)


class Lease:
    """The lock of one worker on one outbox; ``worker`` is its name, never used again."""

    def __init__(self, outbox: Path) -> None:
        self.pid: int = os.getpid()
        while True:
            self.worker: str = f"{self.pid}-{secrets.token_hex(8)}"
            self._path = _path(outbox, self.worker)
            with _held.lock:
                descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
                self._file = os.fdopen(descriptor, "r+b")
                # Between the creation and the lock another worker's recover() may have taken the file for a dead one's.
                held = _lock(self._file) and self._path.exists()
                if held:
                    _held.files.add(self._file)
                    return
                self._file.close()

    def release(self) -> None:
        """Give the lock back and remove its file; a forked child has let go of its copy."""
        if self.pid == os.getpid():
            # One that cannot be removed is a dead worker's, whose next recovery tries again.
            with contextlib.suppress(OSError):
                self._path.unlink()
        _let_go(self._file)


class StaleLock:
    """The lock of a worker that may be gone; where it is ``free`` it is held here: only one closes its claims."""

    def __init__(self, outbox: Path, worker: str) -> None:
        self._path = _path(outbox, worker)
        self._file: IO[bytes] | None = None
        with _held.lock:
            try:
                descriptor = os.open(self._path, os.O_RDWR | _NO_FOLLOW)
            except FileNotFoundError:
                self.free: bool = True
                return
            except OSError:
                # Not a lock file of ours, or one that only another user may ask: whose worker lives is not known.
                self.free = False
                return
            file = os.fdopen(descriptor, "r+b", buffering=0)
            self.free = stat.S_ISREG(os.fstat(descriptor).st_mode) and _lock(file)
            if self.free:
                self._file = file
                _held.files.add(file)
            else:
                file.close()

    def close(self, *, remove: bool) -> None:
        """Let go; ``remove`` where the claims are closed and the lock file has done its work."""
        if self._file is not None:
            if remove:
                with contextlib.suppress(OSError):
                    self._path.unlink()
            _let_go(self._file)


def _let_go(file: IO[bytes]) -> None:
    with _held.lock:
        _held.files.discard(file)
        file.close()


def pid_of(worker: str) -> int:
    """Return the process of a worker on this machine; 0 where its name is not one that we give."""
    pid = worker.partition("-")[0]
    return int(pid) if pid.isascii() and pid.isdigit() else 0


def leftover(outbox: Path) -> set[str]:
    """Return the names of all workers, alive or gone, whose lock files stand beside an outbox."""
    prefix = f"{outbox.name}-worker-"
    return {each.name.removeprefix(prefix) for each in outbox.parent.iterdir() if each.name.startswith(prefix)}


def _after_fork_in_child() -> None:
    # A child that outlives its parent must not keep it alive, nor keep alive a dead worker that was just asked after.
    for file in _held.files:
        file.close()
    _held.files.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork_in_child)
