"""What a fork finds half done: nothing. Whoever works on what is watched is waited for; the child has its own locks."""

from __future__ import annotations

import os
import threading
import weakref
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable


class Locked(Protocol):
    """What is whole whenever its lock can be taken."""

    lock: threading.RLock


L = TypeVar("L", bound=Locked)


def _keep(_: Locked) -> None:
    """Take everything across."""


_guard = threading.Lock()  # over _watched, which must not grow while it is walked
_watched: weakref.WeakKeyDictionary[Locked, Callable[[Any], None]] = weakref.WeakKeyDictionary()
_forking: list[Locked] = []


def watch(locked: L, leave: Callable[[L], None] = _keep) -> None:
    """Have each fork wait for what is done under a lock, as long as its owner lives.

    ``leave`` is called with it before the fork, when all locks are held: what must not cross one is let go there. It is
    no method of the very object, which would keep it alive, and it does not raise.
    """
    with _guard:
        _watched[locked] = leave


def _before_fork() -> None:
    # Whoever holds one of the locks may need another, in an order of his own: none is waited for while others are held.
    busy: Locked | None = None
    while True:
        if busy is not None:
            with busy.lock:
                pass
        with _guard:
            locked = list(_watched)
        busy = _take(locked)
        if busy is not None:
            continue
        _guard.acquire()  # the last: who holds one of the locks may need it
        if set(_watched) <= set(locked):
            break
        _guard.release()  # one was added meanwhile
        _release(locked)
    _forking[:] = locked
    for each in locked:
        _watched[each](each)


def _take(locked: list[Locked]) -> Locked | None:
    """Take all locks, or none: then return one that another holds."""
    for number, each in enumerate(locked):
        if not each.lock.acquire(blocking=False):
            _release(locked[:number])
            return each
    return None


def _release(locked: list[Locked]) -> None:
    for each in reversed(locked):
        each.lock.release()


def _after_fork() -> None:
    locked = list(_forking)
    _forking.clear()
    _guard.release()
    _release(locked)


def _after_fork_in_child() -> None:
    global _guard
    for each in _forking:
        each.lock = threading.RLock()
    _forking.clear()
    _guard = threading.Lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_before_fork, after_in_parent=_after_fork, after_in_child=_after_fork_in_child)
