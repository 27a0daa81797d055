"""What sends read, read in a thread before an event loop comes to it: numbering plans, alphabets.

The first send of a process would hold up its loop for some tenths of a second, and the first to each country for some
milliseconds more. What is read is a process's, as all that is imported, and so is the reading: however many clients
and loops wait for it, it is done once.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import threading
from collections.abc import Iterable
from concurrent.futures import Future

from devinotify import text as texts
from devinotify.exceptions import InvalidInput
from devinotify.phones.plan import read_country
from devinotify.phones.recipients import calling_codes, read_plans

_warm: set[str | int] = set()
"""The regions and the calling codes for which all is in memory, a child's after a fork as well."""

_under_way: dict[tuple[int, str | int], Future[None]] = {}
"""What is being read, by process and region or calling code: a child knows nothing of its parent's threads."""


def is_warm(region: str) -> bool:
    """Whether a Russian mobile, given in ``region``, can be sent to without a delay."""
    return region in _warm


def cold_countries(recipients: object, region: str) -> list[int]:
    """Return the calling codes of what is given for which not all is in memory; ``region`` is warm."""
    given = (recipients,) if isinstance(recipients, str) or not isinstance(recipients, Iterable) else recipients
    try:
        codes = calling_codes(given, region)
    except InvalidInput:  # an unknown region, which every number is told of
        return []
    return sorted(codes - _warm) if codes else []


def is_warm_for(recipients: object, region: str) -> bool:
    """Whether all is in memory that sending needs to what is given in ``region``: one recipient, or several."""
    return is_warm(region) and not cold_countries(recipients, region)


async def warm_up_for(recipients: object, region: str) -> None:
    """Return when all is in memory that sending needs to what is given in ``region``: one recipient, or several."""
    if not is_warm(region):
        await warm_up(region)
    for country in cold_countries(recipients, region):
        await warm_up(country)


async def warm_up(plan: str | int) -> None:
    """Return when all is in memory that sending needs to numbers given in a region, or of a calling code."""
    if plan in _warm:
        return
    key = os.getpid(), plan
    mine: Future[None] = Future()
    mine.set_running_or_notify_cancel()  # it is shared: who is cancelled while he waits for it ends it for nobody
    current = _under_way.setdefault(key, mine)
    if current is mine:
        try:
            threading.Thread(target=_read, args=(key, mine), name="devinotify-warmup", daemon=True).start()
        except RuntimeError:  # no more threads are to be had: better a delay than no message
            _read(key, mine)
    await asyncio.wrap_future(current)


def _read(key: tuple[int, str | int], over: Future[None]) -> None:
    plan = key[1]
    try:
        if isinstance(plan, int):
            read_country(plan)
        else:
            texts.count_segments(texts.sendable(""))
            texts.fit(texts.to_gsm7(""), 1)  # where settings ask for it
            with contextlib.suppress(InvalidInput):  # as above
                read_plans(plan)
    finally:
        _warm.add(plan)  # what fails here fails again, and is told, where a number is looked at
        _under_way.pop(key, None)
        over.set_result(None)
