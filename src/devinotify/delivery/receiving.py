"""The SMS that subscribers sent, each told of once: read from the gateway, with what was told kept in the outbox.

A message is written down as told of when everybody was told: the hooks, and the caller's own function. So none is
lost, whenever a process dies; the one that was being told of at that moment, if any, is told of again. An observer that
could not take a message is owed it, and what came later waits for it; nobody else hears of it again. Of all who share
an outbox one reads at a time.
"""

from __future__ import annotations

import hashlib
import logging
import os
import re
import threading
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Protocol

from devinotify.delivery import cursor as cursors
from devinotify.delivery.ledger import Ledger
from devinotify.exceptions import DevinotifyError
from devinotify.gateway.checks import check_instant
from devinotify.outbox.buckets import INCOMING
from devinotify.words import counted

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from devinotify.models import IncomingSms
    from devinotify.outbox import Outbox

log: logging.Logger = logging.getLogger(__name__)

EVERY = 15.0
"""Seconds between two readings, where nobody says otherwise."""

_ID = re.compile(r"[!-~]{1,100}")
"""An id as the gateway gives them: what any store can keep."""


class Observers(Protocol):
    """Who is told of incoming messages, by names that are the same in each process."""

    def names(self) -> Collection[str]:
        """Return who there is."""

    def tell(self, message: IncomingSms, names: Collection[str]) -> Collection[str]:
        """Tell those of these names, and return who could not take it by now."""


class Receiver:
    """Reads the incoming messages of one account; threads may share it.

    ``fetch`` asks the gateway for those between two instants, ``outbox`` opens where it is kept what was told of, and
    to whom; ``clock`` returns the time of this machine, aware.
    """

    def __init__(
        self,
        account: str,
        fetch: Callable[[datetime, datetime], list[IncomingSms]],
        outbox: Callable[[], Outbox],
        observers: Observers,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._account = account
        self._fetch = fetch
        self._outbox = outbox
        self._observers = observers
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
        told; threads take turns. ``handle`` is called with each before the observers are; what it raises ends the
        reading, and the message is new the next time. Observers that could not take one the last time are told of it
        again, and what is theirs alone is not returned. ``since`` is from when on, at the first reading of all.
        ``stopped`` is asked before each message. Raises what the gateway's answer was, and a DevinotifyError where the
        outbox cannot be used.
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
        now = self._clock()
        ledger = Ledger(outbox.bucket(f"{INCOMING}{self._account}"), first or now - cursors.FIRST)
        asked = cursors.period(ledger.cursor, now)
        came = {key_of(message): message for message in self._fetch(*asked)}
        here = frozenset(self._observers.names())
        away: set[str] = set()  # who could not take one: what came later waits for the next time
        done: list[IncomingSms] = []
        left = False
        for key, message in cursors.untold(came, ledger.told, ledger.owed).items():
            at, owed = ledger.told.get(key) or cursors.kept_until(message, asked), ledger.owed.get(key)
            due = here if owed is None else cursors.still_owed(owed, here, at, now)
            if due == owed and not (due & here) - away:  # nothing has changed for it
                left = True
                continue
            if stopped() or not outbox.take_on(duty):
                break
            if not ledger.stands(key):  # we were taken for dead meanwhile, and somebody else was at it
                left = True
                continue
            if owed is None and handle is not None:
                handle(message)
            away |= set(self._observers.tell(message, (due & here) - away))
            still = (due & away) | (due - here)
            ledger.write(key, at, still)
            left = left or bool(still)
            if owed is None:
                done.append(message)
        else:
            further = cursors.advanced(ledger.cursor, came.values(), now)
            outlived = cursors.outlived(ledger.told, came, asked)
            # Not while anything is owed, or it would be out of reach; and an idle reading writes nothing.
            if not left and (outlived or further != ledger.cursor):
                ledger.move_on(further, outlived)
        if done:
            log.info("%s", counted(len(done), "message came in", "messages came in"))
        return done


def key_of(message: IncomingSms) -> str:
    """Return by what a message is known again: its id, or where that is none, a digest of all that there is of it."""
    if _ID.fullmatch(message.id):
        return f"id:{message.id}"
    parts = (message.id, message.sender, message.recipient, message.text, str(message.created_at))
    return f"sha256:{hashlib.sha256(ascii(parts).encode()).hexdigest()}"
