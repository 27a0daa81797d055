"""Forks and ends of processes: every sender that lives is told.

``logging.shutdown`` would come too late and with locks held, so there is an exit hook of our own, which runs before
it. Processes of multiprocessing and billiard (celery's) leave without the interpreter's exit hooks; they have
finalizers.
"""

from __future__ import annotations

import atexit
import os
import sys
import time
import weakref
from typing import Protocol


class Lives(Protocol):
    """What is told of forks and ends."""

    @property
    def flush_timeout(self) -> float:
        """Seconds that its end may take."""

    def after_fork(self) -> None:
        """Begin anew in a child; whatever thread and lock there was is the parent's."""

    def finish(self, timeout: float) -> None:
        """Deliver what can be delivered within ``timeout`` seconds, and end."""


_living: weakref.WeakSet[Lives] = weakref.WeakSet()
_started_in = os.getpid()

_POOLS = ("multiprocessing.util", "billiard.util")
_BEFORE_OTHERS = 100  # the finalizers' order; the pools' own have at most 15


def watch(sender: Lives) -> None:
    """Tell ``sender`` of forks and of the end from now on, as long as somebody else keeps it."""
    _living.add(sender)


def first_use() -> None:
    """Note that a sender begins to work in this process; in a child of a pool its end is arranged for now."""
    global _started_in
    if os.getpid() == _started_in:
        return
    _started_in = os.getpid()
    for name in _POOLS:
        # Not before: a child throws away the finalizers that it inherits, and only then runs what it is there for.
        pool = sys.modules.get(name)
        if pool is not None:
            pool.Finalize(None, finish_all, exitpriority=_BEFORE_OTHERS)


def finish_all() -> None:
    """Let every sender deliver what it holds, each within its ``flush_timeout`` from now."""
    start = time.monotonic()
    for sender in list(_living):
        sender.finish(max(0.0, start + sender.flush_timeout - time.monotonic()))


def _after_fork_in_child() -> None:
    for sender in list(_living):
        sender.after_fork()


atexit.register(finish_all)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork_in_child)
