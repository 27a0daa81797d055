"""What the first send reads, read in a thread before an event loop comes to it: numbering plans, alphabets.

That takes some tenths of a second, during which a loop would serve nobody. What is read is a process's, as all that is
imported, and so is the reading: however many clients and loops wait for it, it is done once.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import threading
from concurrent.futures import Future

from devinotify import text as texts
from devinotify.exceptions import InvalidInput
from devinotify.phones.recipients import read_plans

_warm: set[str] = set()
"""The regions for which all is in memory, a child's after a fork as well."""

_under_way: dict[tuple[int, str], Future[None]] = {}
"""What is being read, by process and region: after a fork the child knows nothing of its parent's threads."""


def is_warm(region: str) -> bool:
    """Whether a number given in ``region`` can be sent to without a delay."""
    return region in _warm


async def warm_up(region: str) -> None:
    """Return when all is in memory that sending to numbers given in ``region`` needs."""
    key = os.getpid(), region
    mine: Future[None] = Future()
    mine.set_running_or_notify_cancel()  # it is shared: who is cancelled while he waits for it ends it for nobody
    current = _under_way.setdefault(key, mine)
    if current is mine:
        try:
            threading.Thread(target=_read, args=(key, mine), name="devinotify-warmup", daemon=True).start()
        except RuntimeError:  # no more threads are to be had: better a delay than no message
            _read(key, mine)
    await asyncio.wrap_future(current)


def _read(key: tuple[int, str], over: Future[None]) -> None:
    try:
        texts.count_segments("")
        with contextlib.suppress(InvalidInput):  # an unknown region, which every number is told of
            read_plans(key[1])
    finally:
        _warm.add(key[1])  # what fails here fails again, and is told, where a number is looked at
        _under_way.pop(key, None)
        over.set_result(None)
