"""Forks and ends of processes: every sender that lives is told.

``logging.shutdown`` would come too late and with locks held, so there is an exit hook of our own, which runs before
it. The processes of pools leave without the interpreter's exit hooks: those of multiprocessing and billiard have
finalizers, and those of celery's pool not even these, but a signal.
"""

from __future__ import annotations

import atexit
import os
import sys
import threading
import time
import weakref
from typing import Any, Protocol


class Watched(Protocol):
    """What is told of forks and ends."""

    @property
    def flush_timeout(self) -> float:
        """Seconds that its end may take."""

    process: int
    """The process that it began in, or began anew in."""

    def after_fork(self) -> None:
        """Begin anew in a child; whatever thread and lock there was is the parent's."""

    def last_call(self) -> None:
        """Let its thread do what can be done now, and end; returns at once."""

    def finish(self, timeout: float) -> None:
        """Wait for that, or do it where there is no thread, for ``timeout`` seconds."""


_living: weakref.WeakSet[Watched] = weakref.WeakSet()
_arranged_in = 0
_forked = threading.RLock()  # entered again by what a finalizer closes meanwhile

_POOLS = ("multiprocessing", "billiard")
_MAIN = "MainProcess"
_BEFORE_OTHERS = 100  # the finalizers' order; the pools' own have at most 15


def watch(sender: Watched) -> None:
    """Tell ``sender`` of forks and of the end from now on, as long as somebody else keeps it."""
    _living.add(sender)


def first_use() -> None:
    """Note that a sender begins to work in this process; in a process of a pool its end is arranged for now.

    Not before: a child throws away the finalizers that it inherits, and only then runs what it is there for.
    """
    global _arranged_in
    if _arranged_in == os.getpid():
        return
    _arranged_in = os.getpid()
    for name in _POOLS:
        process, util = sys.modules.get(f"{name}.process"), sys.modules.get(f"{name}.util")
        if process is None or util is None or process.current_process().name == _MAIN:
            continue
        util.Finalize(None, finish_all, exitpriority=_BEFORE_OTHERS)
        if (signals := sys.modules.get("celery.signals")) is not None:
            signals.worker_process_shutdown.connect(_on_signal, weak=False)


def finish_all() -> None:
    """Let every sender deliver what it holds, all at once, each within its ``flush_timeout`` from now."""
    start = time.monotonic()
    senders = list(_living)
    for sender in senders:
        sender.last_call()
    for sender in senders:
        sender.finish(max(0.0, start + sender.flush_timeout - time.monotonic()))


def after_fork() -> None:
    """Let every sender begin anew that did not begin in this process."""
    with _forked:
        for sender in list(_living):
            if sender.process != os.getpid():
                sender.after_fork()


def _on_signal(**_: Any) -> None:  # noqa: ANN401 - whatever celery tells
    finish_all()


def _after_fork_in_child() -> None:
    global _forked
    _forked = threading.RLock()
    after_fork()


# Exit hooks run in reverse order. Outboxes are closed by finalizers: the first of them, which this may be, brings their
# exit hook, and ours must run before it.
weakref.finalize(finish_all, _living.clear).atexit = False
atexit.register(finish_all)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork_in_child)
