"""The SMS that subscribers sent, each told of once: read from the gateway, with what was told kept in the outbox.

A message is written down as told of when everybody was told: the hooks, and the caller's own function. So none is
lost, whenever a process dies; the one that was being told of at that moment, if any, is told of again. Of all who share
an outbox one reads at a time.
"""

from __future__ import annotations

import hashlib
import logging
import os
import re
import threading
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from devinotify.delivery import cursor as cursors
from devinotify.exceptions import DevinotifyError
from devinotify.gateway.checks import check_instant
from devinotify.outbox.buckets import INCOMING
from devinotify.words import counted

if TYPE_CHECKING:
    from collections.abc import Callable

    from devinotify.models import IncomingSms
    from devinotify.outbox import Outbox
    from devinotify.outbox.buckets import Bucket

log: logging.Logger = logging.getLogger(__name__)

EVERY = 15.0
"""Seconds between two readings, where nobody says otherwise."""
CURSOR = "cursor"
"""The key under which it stands up to when everything was told of, beside those of messages."""


_ID = re.compile(r"[!-~]{1,100}")
"""An id as the gateway gives them: what any store can keep."""


class Receiver:
    """Reads the incoming messages of one account; threads may share it.

    ``fetch`` asks the gateway for those between two instants, ``outbox`` opens where it is kept what was told of,
    ``tell`` tells the observers of one and returns whether it is done, or to be told again the next time; ``clock``
    returns the time of this machine, aware.
    """

    def __init__(
        self,
        account: str,
        fetch: Callable[[datetime, datetime], list[IncomingSms]],
        outbox: Callable[[], Outbox],
        tell: Callable[[IncomingSms], bool],
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._account = account
        self._fetch = fetch
        self._outbox = outbox
        self._tell = tell
        self._clock = clock
        # By process: one that was forked off while a thread read would wait for that thread for ever.
        self._locks: dict[int, threading.Lock] = {}
        self._reader: tuple[int, int] | None = None

    def read(
        self,
        handle: Callable[[IncomingSms], object] | None = None,
        *,
        since: datetime | None = None,
        stopped: Callable[[], bool] = lambda: False,
    ) -> list[IncomingSms]:
        """Tell of each message that is new, the oldest first, and return those that were told of.

        An empty list, too, where another who shares the outbox is at it, and where it is asked for by what is being
        told; threads take turns. ``handle`` is called with each before the
        observers are; what it raises ends the reading, and the message is new the next time. ``since`` is from when on,
        at the first reading of all. ``stopped`` is asked before each message. Raises what the gateway's answer was, and
        a DevinotifyError where the outbox cannot be used.
        """
        first = None if since is None else check_instant(since, "since")
        me = os.getpid(), threading.get_ident()
        if self._reader == me:
            return []
        with self._locks.setdefault(me[0], threading.Lock()):
            self._reader = me
            try:
                return self._in_turn(handle, first, stopped)
            finally:
                self._reader = None

    def _in_turn(
        self, handle: Callable[[IncomingSms], object] | None, first: datetime | None, stopped: Callable[[], bool]
    ) -> list[IncomingSms]:
        outbox, duty = self._outbox(), f"incoming.{self._account}"
        if not outbox.take_on(duty):
            return []
        try:
            return self._read(outbox, duty, handle, first, stopped)
        finally:
            try:
                outbox.lay_down(duty)
            except DevinotifyError as error:  # it is this process's until it ends
                log.warning("others cannot read what comes in: %s", error)

    def _read(
        self,
        outbox: Outbox,
        duty: str,
        handle: Callable[[IncomingSms], object] | None,
        first: datetime | None,
        stopped: Callable[[], bool],
    ) -> list[IncomingSms]:
        bucket = outbox.bucket(f"{INCOMING}{self._account}")
        told = {key: datetime.fromisoformat(at) for key, at in bucket.items()}
        now = self._clock()
        cursor = told.pop(CURSOR, None)
        if cursor is None:
            # Before anything else: a later first reading would begin later.
            cursor = first or now - cursors.FIRST
            bucket.put({CURSOR: cursor.isoformat()})
        asked = cursors.period(cursor, now)
        came = {key_of(message): message for message in self._fetch(*asked)}
        done: list[IncomingSms] = []
        left = False
        for key, message in cursors.new_ones(came, told).items():
            if stopped() or not outbox.take_on(duty):
                break
            if bucket.get([key]):  # we were taken for dead meanwhile, and somebody else was at it
                continue
            if handle is not None:
                handle(message)
            if self._tell(message):
                bucket.put({key: cursors.kept_until(message, asked).isoformat()})
                done.append(message)
            else:
                left = True
        else:
            further, outlived = cursors.advanced(cursor, came.values(), now), cursors.outlived(told, came, asked)
            if not left and (outlived or further != cursor):  # an idle reading writes nothing
                self._move_on(bucket, further, outlived)
        if done:
            log.info("%s", counted(len(done), "message came in", "messages came in"))
        return done

    def _move_on(self, bucket: Bucket, cursor: datetime, outlived: list[str]) -> None:
        """Write down that everything that came was told of; not before, or what is left would be out of reach."""

        def moved(found: dict[str, str]) -> dict[str, str | None]:
            return {CURSOR: max(cursor, datetime.fromisoformat(found[CURSOR])).isoformat(), **dict.fromkeys(outlived)}

        bucket.change([CURSOR], moved)


def key_of(message: IncomingSms) -> str:
    """Return by what a message is known again: its id, or where that is none, a digest of all that there is of it."""
    if _ID.fullmatch(message.id):
        return f"id:{message.id}"
    parts = (message.id, message.sender, message.recipient, message.text, str(message.created_at))
    return f"sha256:{hashlib.sha256(ascii(parts).encode()).hexdigest()}"
