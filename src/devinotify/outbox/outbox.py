"""The durable outbox: what is to be sent, what was sent, and what became of it.

::

    with Outbox("alerts.db") as outbox:
        outbox.enqueue(Message("disk full", ("+79161234567",)))
        while batch := outbox.claim(500):             # committed to the store before this returns
            outbox.settle(batch, channel.send(batch.message, client))

A store holds texts and numbers in full; logs, reprs and errors never do. Threads may share an Outbox, and processes a
store: no row is claimed twice. A row whose worker died before it settled becomes ``unknown`` by ``recover`` and is
never resent by itself.

One class of more than 400 lines: it is the whole of what can be done with an outbox, most of it in words. What is done
in one transaction stands in ``intake``, ``claims`` and ``admin``, what becomes of a row is computed in ``rules`` and
``settlement``, and how it is written down is the store's.
"""

from __future__ import annotations

import itertools
import logging
import random as _random
import time
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

from devinotify.accepted import Accepted
from devinotify.closing import Closable, close_all
from devinotify.exceptions import DevinotifyError, InvalidInput, Verdict
from devinotify.outbox import admin, allowance, booking, claims, duties, intake, lookups
from devinotify.outbox.arguments import check_account, new_message, row_id, seconds, selection, whole
from devinotify.outbox.bounds import HIGHEST, capped, place, possible
from devinotify.outbox.buckets import Bucket
from devinotify.outbox.clock import WallClock
from devinotify.outbox.location import default_location, open_store
from devinotify.outbox.location import migrate as migrate_location
from devinotify.outbox.pace import check_rate
from devinotify.outbox.records import Batch, Counts, describe, encode_error, encode_time
from devinotify.outbox.room import Room
from devinotify.outbox.rules import minutes_left
from devinotify.outbox.settlement import Settlement, match
from devinotify.outbox.states import FINISHED, POLL_FIRST, RETRY_FOR, RowState
from devinotify.outbox.store import QuickSteps, SharedDatabase
from devinotify.words import counted

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
    from datetime import datetime

    from devinotify.models import Message, Outcome, SmsState
    from devinotify.outbox.records import ErrorParts, NewMessage, Row, StoredMessage
    from devinotify.outbox.store import Claimant, Selection, Store, Transaction

log: logging.Logger = logging.getLogger(__name__)

PAGE = 1000
"""Rows that an iteration reads at a time; more are never in memory."""

LOOK_AHEAD_EVERY = 60.0
"""Seconds between two looks for messages that were stored by a clock that was ahead."""
CLOCK_TOLERANCE = 5.0
"""Seconds by which the clocks of those who use one outbox may differ."""

_THE_STORES: Any = object()
"""Stands for the bound that a store has unless it is told otherwise."""

REQUEST_SECONDS = 30.0
"""What a request takes at most, unless whoever sends says otherwise."""


_serving: ContextVar[Callable[[], Outbox] | None] = ContextVar("devinotify_outbox", default=None)


@contextmanager
def serving(ask: Callable[[], Outbox]) -> Iterator[None]:
    """Have ``Outbox.current`` answer with what ``ask`` returns inside the block."""
    token = _serving.set(ask)
    try:
        yield
    finally:
        _serving.reset(token)


class Outbox(Closable):
    """A durable queue and record of messages in ``location``: a file's path, a ``postgresql://`` URL, or a store.

    A file is made with mode 0600 where there is none, and so is the schema in a database. ``max_rows`` bounds the
    outbox (``None``: not at all; a million by default, and in a database without a bound); in a full one, finished rows
    that nobody watches make room, the oldest first; where there are none, what is new is dropped and counted.
    ``retry_for`` is for how many seconds from when it was due a message without a deadline is tried, once at the least
    (``None``, and in a campaign's journal: for ever), ``poll`` how many seconds after a send its delivery is first
    looked at. ``account`` is whose the messages are that are stored without one. ``clock`` returns seconds since the
    epoch, in place of the store's own, ``monotonic`` seconds of which as many really pass: without it a ``clock`` that
    is given is never taken to be set. ``random`` returns a number from 0 to 1; ``page`` is how many rows are read at a
    time.

    Raises InvalidInput, the file untouched, where it is damaged, another program's or a newer version's, or where it
    cannot be written. Every later failure of the store is a DevinotifyError; nothing is changed then.
    """

    def __init__(
        self,
        location: str | os.PathLike[str] | Store,
        *,
        max_rows: int | None = _THE_STORES,
        retry_for: float | None = RETRY_FOR,
        poll: float = POLL_FIRST,
        account: str | None = None,
        clock: Callable[[], float] | None = None,
        monotonic: Callable[[], float] | None = None,
        random: Callable[[], float] = _random.random,
        page: int = PAGE,
    ) -> None:
        if max_rows is not _THE_STORES and max_rows is not None and max_rows < 1:
            raise InvalidInput("max_rows is at least 1")
        if retry_for is not None:
            seconds("retry_for", retry_for)
        self._poll = seconds("poll", poll)
        check_account(account)
        self._account = account
        self._random = random
        self._page = page
        self.on_end: Callable[[Sequence[Row]], object] = lambda rows: None  # noqa: ARG005 - nobody asks to be told
        """Called, once it is written, with rows that ended without a send: expired, or given up by their worker."""
        self.request_seconds: float = REQUEST_SECONDS
        """What a request takes at most: for so long whoever sends has to be alive when it leaves (``holds``)."""
        self._idle = True  # whether the last claim found nothing
        self._look_ahead_at = 0.0
        self._store = open_store(location, clock)
        self._quick = self._store if isinstance(self._store, QuickSteps) else None
        # A campaign waits for a top-up for as long as it takes.
        self._retry_for = None if self.campaign is not None else retry_for
        self._room = Room(self._store.max_rows if max_rows is _THE_STORES else max_rows)
        self._monotonic = monotonic or time.monotonic
        # One for all who work on this outbox, however short-lived: what each of them has not seen is seen here.
        self._wall = self._watched_clock(monotonic or (time.monotonic if clock is None else self._store.now))

    @staticmethod
    def current() -> Outbox | None:
        """Return the outbox of the Notifier that calls the hook which asks; ``None`` where none does.

        It is the one that the Notifier's settings name, whatever journal a campaign has. So a plugin finds what all
        processes of its users share (``bucket``), wherever they have put it. What a plugin enqueues in it is the
        Notifier's account's, unless it names another. It is opened when it is first asked for, and closed with its
        Notifier. Raises InvalidInput where it cannot be used.
        """
        ask = _serving.get()
        return None if ask is None else ask()

    @classmethod
    def named(cls, location: str | None = None) -> Outbox:
        """Open the outbox of this location, else the one that DEVINOTIFY_OUTBOX names, else the user's own.

        ``location`` is as in ``outbox=`` of a URL. Raises InvalidInput as the constructor does.
        """
        return cls(default_location(location))

    @property
    def name(self) -> str:
        """How this outbox is called to people: a file's path, or a URL without its password."""
        return self._store.name

    @property
    def campaign(self) -> str | None:
        """The campaign whose journal this is by its name (``?campaign=``), for all who work on it; ``None`` else."""
        return self._store.campaign

    def now(self) -> float:
        """Return the time by the store's clock: seconds since the epoch."""
        return self._store.now()

    def gained(self, since: float) -> float:
        """Return by how many seconds the clock was set forward after ``since`` while this outbox was open.

        So much less than ``now`` shows has passed since then.
        """
        return self._wall.gained(since)

    def _watched_clock(self, monotonic: Callable[[], float]) -> WallClock:
        try:
            return WallClock(self._store.now, monotonic)
        except BaseException:
            self._store.close()
            raise

    @staticmethod
    def migrate(location: str | None = None) -> tuple[int, int] | None:
        """Bring an outbox's schema to the newest version: return which a database's had, and has; ``None`` for a file.

        ``location`` is as in ``outbox=`` of a URL, the user's own where it is left out. Two may do it at once. Raises
        InvalidInput where it cannot be done.
        """
        return migrate_location(default_location(location))

    def close(self) -> None:
        """Let the store go; what this process has claimed and not settled becomes ``unknown``.

        Where this fails while an exception is being handled, the failure is logged and that exception goes on.
        """
        if self._store.closed:
            return
        close_all(log, f"outbox {self.name}", self._give_up, self._store.close)

    def _give_up(self) -> None:
        worker = self._store.worker
        if worker is None:
            return
        lost = self._store.write(
            "close", lambda transaction: claims.give_up(transaction, worker), verdict=Verdict.UNKNOWN
        )
        if lost:
            self.on_end(lost)

    def __repr__(self) -> str:
        return f"<Outbox {self.name}{' closed' if self._store.closed else ''}>"

    # --- enqueueing

    def enqueue(
        self,
        message: Message,
        *,
        key: str | None = None,
        channel: str | None = None,
        deadline: datetime | None = None,
        not_before: datetime | None = None,
        original_time: datetime | None = None,
        patience: float | None = None,
        watch: bool = True,
        fallback: bool = False,
        meta: Mapping[str, Any] | None = None,
        account: str | None = None,
        connection: object | None = None,
    ) -> list[Row]:
        """Return the queued rows, one a distinct recipient, in their order; they survive a killed process.

        A known ``key`` returns the rows that exist and adds nothing. ``channel`` is that of the first step (default:
        the message's own). Aware datetimes: it is not tried after ``deadline`` nor before ``not_before``, and
        ``original_time`` is when the event happened. ``send_at`` is left to the gateway and delays nothing here.
        ``watch``: its delivery is looked at. ``fallback``: a row that ends badly stays due (``watch_due``) until
        ``go_on``, ``step_later`` or ``close_watch``, and so does one that is not delivered within ``patience`` seconds.
        ``meta`` is kept as JSON. ``account`` is whose message it is, else the outbox's own; where that has none it is
        the account's that first claims it. A key is one for the whole outbox, whatever the account.
        In a full outbox the list holds only the rows that found room.
        ``connection`` is one of the caller's to the outbox's PostgreSQL database (psycopg's, psycopg2's, any of DBAPI):
        the rows are then part of its transaction, which is neither committed nor spoiled by an error here, and nobody
        sees them before it is committed. Recipients are in E.164 then, and of rows that exist their places and states
        alone are told.
        """
        new = new_message(
            message,
            key=key,
            original_time=original_time,
            patience=patience,
            watch=watch,
            fallback=fallback,
            meta=meta,
            account=self._whose(account),
        )
        earliest = None if not_before is None else encode_time(not_before)
        until = None if deadline is None else encode_time(deadline)
        step = channel or message.channel
        recipients: Collection[str] = message.recipients
        if len(recipients) != 1:
            recipients = tuple(dict.fromkeys(recipients))
        if connection is not None:
            return intake.enqueue_within(self._store, self._room, connection, new, recipients, step, earliest, until)[0]
        if len(recipients) == 1:
            (recipient,) = recipients
            row = self._store.add_one(new, recipient, step, earliest, until)
            if row is None or row.id > self._room.sure_up_to:
                return self._look_again(new, row)
            return [row]

        return self._store.write(
            "enqueue",
            lambda transaction: intake.enqueue(transaction, self._room, new, tuple(recipients), step, earliest, until),
        )

    def enqueue_within(
        self,
        connection: object,
        message: Message,
        *,
        key: str | None = None,
        deadline: datetime | None = None,
        account: str | None = None,
    ) -> tuple[list[Row], bool]:
        """Do what ``enqueue`` does with a ``connection``; return the rows, and whether the key was known already."""
        whose = self._whose(account)
        new = new_message(message, key=key, patience=None, watch=True, fallback=False, account=whose)
        recipients = tuple(dict.fromkeys(message.recipients))
        until = encode_time(deadline)
        return intake.enqueue_within(self._store, self._room, connection, new, recipients, message.channel, None, until)

    def _whose(self, account: str | None) -> str | None:
        """Return the account of what is stored for ``account``."""
        return self._account if account is None else account

    def _look_again(self, new: NewMessage, row: Row | None) -> list[Row]:
        """Return what ``enqueue`` does where the key was known, or where the row may have found no room."""
        if row is None:
            return self._store.read("enqueue", lambda transaction: lookups.rows_of_key(transaction, str(new.key)))
        kept = self._store.write("enqueue", lambda transaction: self._room.keep(transaction, row.id))
        return [row] if kept else []

    def enqueue_many(
        self,
        messages: Iterable[Message],
        *,
        keys: Iterable[str | None] | None = None,
        deadline: datetime | None = None,
        watch: bool = True,
        fallback: bool = False,
        patience: float | None = None,
        meta: Mapping[str, Any] | None = None,
        account: str | None = None,
    ) -> int:
        """Queue messages of one recipient each, such as personal texts, in one transaction; return how many were new.

        ``keys`` names each message in turn; one whose key is known is passed over. ``meta`` is that of each of them.
        """
        until = encode_time(deadline)
        lines, whose = [], self._whose(account)
        key_of = iter(keys) if keys is not None else itertools.repeat(None)
        for message in messages:
            (recipient,) = message.recipients
            new = new_message(
                message, key=next(key_of), patience=patience, watch=watch, fallback=fallback, meta=meta, account=whose
            )
            lines.append((new, recipient, until))
        return self._store.write(
            "enqueue", lambda transaction: transaction.add_each(self._room.fit(transaction, tuple(lines)))
        )

    def register(
        self,
        message: Message,
        *,
        key: str | None = None,
        patience: float | None = None,
        watch: bool = True,
        fallback: bool = False,
        meta: Mapping[str, Any] | None = None,
        account: str | None = None,
    ) -> int:
        """Return the id of a message stored without recipients, for ``extend``; the id that exists for a known key."""
        whose = self._whose(account)
        new = new_message(message, key=key, patience=patience, watch=watch, fallback=fallback, meta=meta, account=whose)
        return self._store.write("register", lambda transaction: intake.register(transaction, new))

    def extend(
        self,
        message_id: int,
        recipients: Iterable[str],
        *,
        channel: str | None = None,
        deadline: datetime | None = None,
    ) -> int:
        """Queue a stored message for more recipients; return how many were new to it on this channel.

        A campaign of a million feeds its message so, some 50,000 at a time, and again after a crash.
        """
        until = encode_time(deadline)
        offered = tuple(dict.fromkeys(recipients))
        return self._store.write(
            "extend",
            lambda transaction: intake.extend(transaction, self._room, message_id, offered, channel, until),
        )

    def refuse(self, message_id: int, refused: Iterable[tuple[str, DevinotifyError]]) -> int:
        """Record recipients that our own checks refused, as ``not_sent`` with their error; return how many were new.

        A campaign accounts so for every line of its input. They are never sent.
        """
        encoded: dict[DevinotifyError, ErrorParts] = {}  # one error may be that of thousands
        offered = []
        for recipient, error in refused:
            if error not in encoded:
                encoded[error] = encode_error(error)
            offered.append((recipient, encoded[error]))
        lines = tuple(offered)
        return self._store.write(
            "enqueue", lambda transaction: intake.refuse(transaction, self._room, message_id, lines)
        )

    # --- sending

    def claim(
        self, limit: int = 500, *, rows: Iterable[Row | int] | None = None, account: str | None = None
    ) -> Batch | None:
        """Return up to ``limit`` due rows of one message and channel, now this worker's to send, or ``None``.

        The claim is on the disk, safe against a power failure, before this returns. ``rows`` asks for these rows
        alone, as far as they are due and share the first one's message and channel. Rows past their deadline become
        ``not_sent`` instead. What is not settled before this process ends is ``unknown``. With ``account`` the rows
        are that account's or nobody's, and what is claimed of nobody's becomes its own with the rest of the message.
        """
        if limit < 1:
            raise InvalidInput("a claim takes at least 1 row")
        limit = capped(limit)
        check_account(account)
        wanted = None if rows is None else possible([row_id(row) for row in rows])[:limit]
        if self._monotonic() >= self._look_ahead_at:
            self._look_ahead_at = self._monotonic() + LOOK_AHEAD_EVERY
            self._bring_back()
        # Asked first where nothing was found the last time, so that an idle worker writes nothing.
        if wanted is None and self._idle and self._store.idle(account):
            return None
        worker, since = self._store.enlist(), time.monotonic()
        if wanted is None and self._quick:
            answered, taken = self._quick.take(worker, limit, account)
            if answered:
                self._idle = taken is None
                return None if taken is None else Batch(taken.claim, taken.stored, taken.rows, since)
        batch, late = self._store.write(
            "claim", lambda transaction: claims.take(transaction, worker, limit, account, wanted, since), durable=True
        )
        self._idle = batch is None
        if late:
            self.on_end(late)
        return batch

    def _bring_back(self) -> None:
        """Make what was stored by a clock that was ahead due as if it had been stored now, and say so."""
        if not self._store.read("claim", lambda transaction: transaction.ahead(CLOCK_TOLERANCE, 1)):
            return
        changed = self._store.write(
            "claim", lambda transaction: claims.bring_back(transaction, CLOCK_TOLERANCE, self._page)
        )
        if changed:
            self._look_ahead_at = 0.0  # there may be more
            were = counted(changed, "message was", "messages were")
            log.warning("outbox %s: %s stored by a clock that was ahead: due now", self.name, were)

    def begin(
        self,
        message: Message,
        *,
        channel: str | None = None,
        deadline: datetime | None = None,
        patience: float | None = None,
        watch: bool = True,
        fallback: bool = False,
        meta: Mapping[str, Any] | None = None,
        account: str | None = None,
        orders: Mapping[str, int] | None = None,
    ) -> Batch | None:
        """Return new rows as a batch that is this worker's from the start: for who writes down a send and makes it now.

        The arguments are those of ``enqueue``; no other worker ever sees the rows as queued. ``None`` where the outbox
        is full; a batch holds only the rows that found room. ``orders`` names, by recipient, rows of this outbox whose
        steps these are: they are counted as one with them. Safe against a power failure before this returns.
        """
        whose = self._whose(account)
        new = new_message(message, patience=patience, watch=watch, fallback=fallback, meta=meta, account=whose)
        until = encode_time(deadline)
        worker, since = self._store.enlist(), time.monotonic()

        def work(transaction: Transaction) -> Batch | None:
            chosen = self._room.fit(transaction, tuple(dict.fromkeys(message.recipients)))
            if not chosen:
                return None
            ids = transaction.add(new, chosen, channel or message.channel, transaction.now, until)
            if orders:
                claims.tell_of_orders(transaction, dict(zip(chosen, ids, strict=True)), orders)
            return claims.take_new(transaction, worker, ids, since)

        return self._store.write("begin", work, durable=True)

    def go_on(self, rows: Iterable[Row | int], channel: str, *, deadline: datetime | None = None) -> Batch | None:
        """Take the fallback step to ``channel`` for rows of one message, as a claimed batch; ``None`` if none is left.

        Queued and claimed in one transaction, so that no other worker comes between. Rows that have gone on before are
        passed over: whoever took that step sends it. Without ``deadline`` it is tried like a new message. Raises
        InvalidInput where the message has been on ``channel`` for one of these recipients before.
        """
        numbers = [row_id(row) for row in rows]
        worker, since = self._store.enlist(), time.monotonic()

        def work(transaction: Transaction) -> Batch | None:
            steps = claims.queue_steps(transaction, numbers, channel, transaction.now, encode_time(deadline))
            return claims.take_new(transaction, worker, [step.id for step in steps], since) if steps else None

        return self._store.write("step", work, durable=True)

    def step_later(
        self, rows: Iterable[Row | int], channel: str, *, not_before: datetime, deadline: datetime | None = None
    ) -> int:
        """Queue the fallback step to ``channel`` for many rows at once; return how many were new.

        Rows that have gone on before, or may not, are passed over. Raises InvalidInput as ``go_on`` does.
        """
        numbers = [row_id(row) for row in rows]
        earliest = encode_time(not_before) or 0.0

        def work(transaction: Transaction) -> int:
            due = max(transaction.now, earliest)
            return len(claims.queue_steps(transaction, numbers, channel, due, encode_time(deadline)))

        return self._store.write("step", work, durable=True)

    def holds(self, batch: Batch) -> bool:
        """Whether the batch is still this worker's to send: nobody has given it up since it was claimed.

        To be asked after anything that may have taken long, such as a process that was stopped, before it is sent.
        """
        return self._store.read("holds", lambda transaction: transaction.is_open(batch.claim, self.request_seconds))

    def minutes_left(self, batch: Batch) -> dict[str, int]:
        """Return for how many whole minutes its message may still be delivered, by recipient, where it has a deadline.

        That is one that somebody has asked for: that of the outbox's own bounds the tries alone.
        """
        now = self._store.now()
        left = {row.recipient: minutes_left(row, batch.stored, now) for row in batch.rows}
        return {recipient: minutes for recipient, minutes in left.items() if minutes is not None}

    def settle(self, batch: Batch, outcomes: Sequence[Outcome], *, lease: float = 0.0) -> dict[int, RowState]:
        """Record what became of a batch, or of a part of it; return the state of each row that took its outcome.

        Outcomes are matched by recipient. ``not_sent`` with a retryable error becomes ``queued`` again, after a backoff
        and before the deadline; any other is final. A row that was meanwhile declared ``unknown`` takes its outcome all
        the same, and where a person has queued it again since, only that it was accepted. One that does not, that has
        been claimed anew, or forgotten, is missing in the answer. Settling may be repeated after an error, such as a
        full disk. ``lease`` is for how many seconds nobody else is asked to take the next step of a fallback: the
        caller is about to.
        """
        settlement = self._settlement(batch, lease)
        if isinstance(outcomes, Accepted) and outcomes.recipients == batch.recipients:
            settlement.add_all(outcomes)
        else:
            settlement.add(match(batch, outcomes))
        return self._settle(settlement)

    def release(
        self, batch: Batch, rows: Iterable[Row | int] | None = None, *, not_before: datetime | None = None
    ) -> dict[int, RowState]:
        """Queue a batch, or these rows of it, again, as nothing was tried: the worker stops, the account is empty.

        With ``not_before``, which is aware, they come after what is due by then.
        """
        due = encode_time(not_before)
        chosen = None if rows is None else {row_id(row) for row in rows}
        settlement = self._settlement(batch)
        for row in batch.rows:
            if chosen is None or row.id in chosen:
                settlement.release(row, due)
        return self._settle(settlement)

    def wait_for_room(self, batch: Batch, outcomes: Sequence[Outcome], until: datetime) -> dict[int, RowState]:
        """Queue those of a batch again, as nothing was tried, for whom a limit has no room before ``until``.

        Their outcomes, matched by recipient, tell of which. They are due at once for whoever calls ``hurry``. Who has
        a deadline by then that somebody asked for ends with the outcome instead.
        """
        settlement = self._settlement(batch)
        settlement.wait(match(batch, outcomes), until.timestamp())
        return self._settle(settlement)

    def hurry(self) -> int:
        """Make due now what waits for the next period of a limit; return how many rows: the limit may have been raised.

        To be called by whoever begins to send: where there is still no room, it waits again.
        """
        if not self.recall(admin.WAITING):
            return 0
        self.remember(admin.WAITING, "")  # before it is looked for: what is queued meanwhile sets it again
        return self._each_page("hurry", selection((RowState.QUEUED,)), admin.hurry_page)

    def _settlement(self, batch: Batch, lease: float = 0.0) -> Settlement:
        return Settlement(
            batch,
            now=self._store.now(),
            ahead=self._store.ahead(),
            jitter=self._random(),
            first_poll=self._poll,
            lease=seconds("lease", lease),
            retry_for=self._retry_for,
        )

    def _settle(self, settlement: Settlement) -> dict[int, RowState]:
        states = settlement.states
        if self._quick and self._quick.settle(settlement):
            return states

        def settled(transaction: Transaction) -> int:
            count = transaction.settle(settlement)
            if settlement.waits:  # in one with it: ``hurry`` may come right before or after
                transaction.remember(admin.WAITING, "limits")
            return count

        def work(transaction: Transaction) -> None:
            if settled(transaction) != len(states):
                raise _MovedOnError

        def rest(transaction: Transaction) -> set[int]:
            held = transaction.held(settlement)
            settled(transaction)
            return held

        try:
            self._store.write("settle", work, verdict=Verdict.UNKNOWN)
        except _MovedOnError:
            # Rarely: some rows are no longer this claim's. Undone, asked which, and done again for the others.
            held = self._store.write("settle", rest, verdict=Verdict.UNKNOWN)
            if missed := len(states) - len(held):
                # Not lost silently: a claim that was lost in a failover looks the same from here.
                were = counted(missed, "row is", "rows are")
                log.warning(
                    "outbox %s: what became of %s not taken: recorded already, queued or claimed anew, forgotten, or"
                    " not known here, as after a failover",
                    self.name,
                    were,
                )
            return {number: state for number, state in states.items() if number in held}
        return states

    def reserve(self, number: int, account: str | None = None) -> float:
        """Book so many messages at the pace that is set; return how many seconds to wait before they are sent.

        The pace is ``account``'s, or everybody's who has none of his own, over all who send from this outbox: on every
        machine by the database's clock, on one machine over a file by its own, in one process in memory. Without a pace
        it is 0. A negative number gives back what was booked and not sent.
        """
        check_account(account)
        return self._store.write("reserve", lambda transaction: booking.book(transaction, number, account))

    def pace(self, account: str | None = None) -> float | None:
        """Return how many messages a second may be sent by an account; ``None`` where no pace is set."""
        check_account(account)
        return self._store.read("pace", lambda transaction: booking.rate_of(transaction, account))

    def set_pace(self, rate: float | None, account: str | None = None) -> None:
        """Set how many messages a second may be sent by an account, or by all together; ``None``: as many as can be."""
        check_account(account)
        if rate is not None:
            check_rate(rate)
        self._store.write("pace", lambda transaction: booking.change(transaction, rate, account))

    def is_idle(self, account: str | None = None) -> bool:
        """Return whether nothing can be claimed now; False where that cannot be told without a claim."""
        check_account(account)
        return self._store.idle(account)

    # --- watching

    def watch_due(self, limit: int = 100, *, lease: float = 60.0, account: str | None = None) -> list[Row]:
        """Return rows that need attention now, the longest due first, kept from other workers for ``lease`` seconds.

        An ``accepted`` row wants its delivery looked at (then ``record_state``), and is past its patience where
        ``patience_until`` is; a row of any other state, of a message enqueued with ``fallback``, ended badly.
        Rows of such a message come back until they go on or ``close_watch``, so that no crash loses a step.
        ``account`` is as for ``claim``.
        """
        seconds("lease", lease)
        check_account(account)
        return self._store.write(
            "watch", lambda transaction: transaction.attend(capped(limit), transaction.now + lease, account)
        )

    def record_state(self, row: Row | int, state: SmsState) -> Row:
        """Record a delivery state as the gateway told it; return the row as it stands now.

        A final status makes an accepted row ``delivered`` or ``failed``; any other sets the next look. 48 hours after
        the sending the watch closes and the row stays ``accepted``. A status that is known already changes nothing,
        a delivered one may still become read; anything else is an illegal transition and raises InvalidInput.
        """
        return self._store.write(
            "record",
            lambda transaction: claims.record(transaction, row_id(row), state, self._poll),
            verdict=Verdict.UNKNOWN,
        )

    def conclude(self, row: Row | int, outcome: Outcome) -> Row:
        """Give the row that ordered a fallback's steps what their story has come to; return it as it stands now.

        An ``unknown`` or ``accepted`` row takes an outcome that is accepted or rejected, with its delivery status; a
        row of any other state stays as it is, and so does any where the outcome is not certain.
        """
        return self._store.write(
            "conclude",
            lambda transaction: claims.conclude(transaction, row_id(row), outcome),
            verdict=Verdict.UNKNOWN,
        )

    def close_watch(self, rows: Iterable[Row | int]) -> None:
        """Stop giving these rows attention; their states stay."""
        numbers = possible([row_id(row) for row in rows])
        self._store.write(
            "watch",
            lambda transaction: transaction.put(row._replace(next_poll_at=None) for row in transaction.rows(numbers)),
        )

    # --- what a person does

    def retry(self, rows: Iterable[Row | int], *, force: bool = False, note: admin.Note | None = None) -> int:
        """Queue rows again at a person's wish; return how many.

        ``rejected`` and ``not_sent`` are safe; ``unknown``, and a row whose fallback has begun, may reach the recipient
        twice and take ``force``. Anything else, an id that is not there, or a recipient that was refused as not a
        number, raises InvalidInput, and nothing is changed; so does a one-time code (the tag ``one-time``) whose
        deadline has passed. Any other deadline that has passed is dropped. ``note`` names a text that is remembered in
        the same transaction, and returns it from what it was and the rows as they were.
        """
        numbers = dict.fromkeys(map(row_id, rows))
        return self._store.write("retry", lambda transaction: admin.retry(transaction, numbers, force=force, note=note))

    def no_retries(self, rows: Iterable[Row | int], *, force: bool = False) -> dict[int, str]:
        """Return why ``retry`` would refuse these rows, by their ids; those that it would take are left out."""
        numbers = possible(dict.fromkeys(map(row_id, rows)))
        return self._store.read(
            "retry", lambda transaction: admin.no_retries(transaction, transaction.rows(numbers), force=force)
        )

    def retry_all(
        self,
        state: RowState,
        *,
        message_id: int | None = None,
        channel: str | None = None,
        force: bool = False,
        undelivered: bool = False,
        note: admin.Note | None = None,
    ) -> int:
        """Queue all rows in a state again, of one message, on one channel or all, as ``retry`` does; return how many.

        Those that were refused as not a number stay as they are, and so do one-time codes that would come late, and
        steps of a fallback: those of a row that is queued again are taken anew, and of one that arrived none is.
        ``undelivered``: ``failed`` is a state that may be given. The gateway took these messages, charged for them or
        not, and told that they never arrived; what it had told is forgotten, and may be kept by ``note``.
        """
        admin.check_retry(state, force=force, undelivered=undelivered)
        return self._each_page(
            "retry",
            selection((state,), message_id, channel, steps=False),  # these go with the row that has ordered them
            lambda transaction, page: admin.retry_page(
                transaction, page, force=force, undelivered=undelivered, note=note
            ),
        )

    def forget(self, rows: Iterable[Row | int]) -> int:
        """Remove rows, and messages that have none left; return how many. A queued one is thereby cancelled.

        Raises InvalidInput for a row that is claimed, and changes nothing then: its outcome must find it.
        """
        numbers = possible([row_id(row) for row in rows])
        return self._store.write("forget", lambda transaction: admin.forget(transaction, numbers))

    def forget_all(
        self,
        states: Collection[RowState] = tuple(FINISHED),
        *,
        older_than: datetime | None = None,
        message_id: int | None = None,
    ) -> int:
        """Remove all rows in these states, enqueued before ``older_than`` and of one message or all; return how many.

        Accepted rows whose delivery is still watched, and rows that await their fallback, stay.
        """
        admin.check_forget(states)
        encode_time(older_than)
        return self._each_page(
            "forget",
            selection(states, message_id),
            lambda transaction, page: admin.forget_page(transaction, page, older_than),
        )

    def _each_page(
        self, operation: str, selection: Selection, work: Callable[[Transaction, Sequence[Row]], int]
    ) -> int:
        """Return the sum of what ``work`` does to each page of rows, a transaction each."""
        changed = 0
        for page in self._store.pages(selection, 0, None, self._page):
            changed += self._store.write(operation, lambda transaction, page=page: work(transaction, page))  # type: ignore[misc]
        return changed

    def recover(self) -> int:
        """Turn what dead workers had claimed into ``unknown``; return how many rows.

        A worker is dead when its store says so: a slow, stopped or waiting one on this machine is never taken for it.
        """
        with self._store.gone() as workers:
            if not workers:
                return 0
            lost = self._store.write(
                "recover",
                lambda transaction: [row for worker in sorted(workers) for row in claims.give_up(transaction, worker)],
                durable=True,
            )
        if lost:
            self.on_end(lost)
        return len(lost)

    def introduce(self, account: str) -> int:
        """Make the messages that are older than accounts ``account``'s; return how many rows: once, then 0.

        To be called by whoever opens the outbox to send for an account, before anything is claimed.
        """
        check_account(account)
        if isinstance(self._store, SharedDatabase):  # no such store is older, and not everybody may write to it
            return 0
        rows = self._store.write("introduce", lambda transaction: transaction.introduce(account))
        if rows:
            log.warning(
                "outbox %s: %s from before rows had an account, and %s's from now on",
                self.name,
                counted(rows, "row is", "rows are"),
                account,
            )
        return rows

    def adopt(self, old: str, new: str) -> int:
        """Make all that is account ``old``'s account ``new``'s, as when a host or login changes; return how many rows.

        Their deliveries are looked up at the new account's gateway from then on, the pace that was set goes along, and
        so does up to which incoming message everything was told of; what the new account has of these stays as it is.
        What counted against the old account's limits counts for the new one. In a campaign's journal it is the rows
        alone.
        """
        check_account(old)
        check_account(new)
        if old == new:
            return 0
        # Of a campaign it is the rows: pace and incoming messages are the account's own, and of the outbox beside it.
        alone = self.campaign is not None
        return self._store.write("adopt", lambda transaction: admin.adopt(transaction, old, new, rows_alone=alone))

    def remember(self, name: str, value: str) -> None:
        """Store a text of the caller's own under a name: which campaign this file is of, for one."""
        self._store.write("remember", lambda transaction: transaction.remember(name, value))

    def allow(self, name: str, most: int, within: float, *, uses: int = 1) -> bool:
        """Count one more use of ``name``, unless ``most`` were counted in the last ``within`` seconds; tell whether.

        One count for all who share the outbox, at whatever moment they ask: for limits on what anybody may cause to be
        sent. Of several ``uses`` all are counted or none. The name is kept as a digest, for as long as it counts.
        """
        span, number = seconds("within", within), whole("uses", uses)
        return self._store.write("allow", lambda transaction: allowance.allow(transaction, name, most, span, number))

    def give_back(self, name: str, *, uses: int = 1) -> None:
        """Count the last uses of ``name`` no more: what ``allow`` let through was not done after all."""
        number = whole("uses", uses)
        self._store.write("give_back", lambda transaction: allowance.give_back(transaction, name, number))

    def take_on(self, duty: str) -> bool:
        """Return whether this worker is the one who does ``duty``, such as to feed a campaign's list.

        Of all who share the outbox one does, for as long as it lives: where it has ended, or was not heard of for as
        long as a worker may be, the next who asks takes over. To be asked before each part of the work.
        """
        worker = self._store.enlist()
        holder = self._store.read("duty", lambda transaction: duties.holder(transaction, duty))
        if holder == worker:
            return True
        if holder is not None and any(each.name == holder for each in self._store.workers()):
            return False
        return self._store.write("duty", lambda transaction: duties.take(transaction, duty, worker, holder))

    def lay_down(self, duty: str) -> None:
        """Let another take a duty on, where it is this worker's."""
        worker = self._store.worker
        if worker is not None:
            self._store.write("duty", lambda transaction: duties.lay_down(transaction, duty, worker))

    def bucket(self, name: str) -> Bucket:
        """Return the texts by key that are kept here under a name of a plugin's own: they are all its users'.

        In a database the campaigns beside an outbox have its buckets. Raises InvalidInput for an empty name.
        """
        return Bucket(self._store, name)

    # --- asking

    def recall(self, name: str) -> str | None:
        """Return the text stored under a name, or ``None``."""
        return self._store.read("recall", lambda transaction: transaction.recall(name))

    def counts(self, account: str | None = None, *, channel: str | None = None) -> Counts:
        """Return how many rows stand in each state, and how many were dropped and forgotten: all at one moment.

        A message is counted once: what a fallback's order stands for is not counted again with its steps.
        With ``account`` its own rows and nobody's are counted, with ``channel`` those on it, steps like any other; what
        was dropped and forgotten is everybody's.
        """
        check_account(account)
        return Counts(**self._store.read("counts", lambda transaction: transaction.counts(account, channel)))

    def waiting(self) -> dict[str, int]:
        """Return how many rows are queued, by account; those that are nobody's yet are not among them."""
        return self._store.read("waiting", lambda transaction: transaction.waiting())

    def waiting_elsewhere(self, account: str) -> dict[str, int]:
        """Return how many rows of other accounts than ``account`` are queued, by account."""
        return {whose: number for whose, number in self.waiting().items() if whose != account}

    def next_due(self, account: str | None = None, *, queued: bool = False) -> float | None:
        """Return when (seconds since the epoch) the next row can be claimed or needs attention; ``None`` for never.

        With ``account`` only its own rows and nobody's count, with ``queued`` only what waits to be sent.
        """
        check_account(account)
        return self._store.read("next", lambda transaction: transaction.next_due(account, queued=queued))

    def held(self) -> str | None:
        """Return why nothing is claimed until ``resume``, or ``None``, as it is as a rule.

        So it is where the database has failed over or was restored, and may not know of all that was sent.
        """
        return self._store.held()

    def resume(self) -> None:
        """Let claims go on at a person's wish, where they are held: what is queued may be sent a second time."""
        self._store.resume()

    def enlist(self) -> None:
        """Be known as somebody who sends from this outbox from now on, as else from the first claim on."""
        self._store.enlist()

    def senders_alive(self) -> bool:
        """Return whether somebody else who sends from this outbox is alive: from ``enlist`` or a claim on."""
        return self._store.senders_alive()

    def workers(self) -> list[Claimant]:
        """Return who sends from this outbox and is alive: host, pid, when last heard of, rows in flight."""
        return self._store.workers()

    def find(self, key: str) -> list[Row]:
        """Return all rows of the message enqueued under ``key``; an empty list where the key is unknown."""
        return self._store.read("find", lambda transaction: lookups.rows_of_key(transaction, key))

    def get(self, row_id: int) -> Row | None:
        """Return one row as it stands now, or ``None`` where there is none of this id."""
        return next(iter(self.get_all([row_id])), None)

    def get_all(self, row_ids: Iterable[int]) -> list[Row]:
        """Return the rows of these ids as they stand at one moment, in the order asked; those that are gone are not."""
        wanted = possible(dict.fromkeys(row_ids))
        found = {row.id: row for row in self._store.read("get", lambda transaction: transaction.rows(wanted))}
        return [found[number] for number in wanted if number in found]

    def steps(self, row_id: int) -> list[Row]:
        """Return the row of this id and the later steps of its fallback, or those that it has ordered, in order.

        An empty list where it is gone.
        """
        return self._store.read("steps", lambda transaction: lookups.story(transaction, row_id))

    def message(self, message_id: int) -> StoredMessage | None:
        """Return a message without its recipients, or ``None`` where there is none of this id."""
        return self._store.read("message", lambda transaction: lookups.message(transaction, message_id))

    def rows(
        self,
        *,
        states: Collection[RowState] | None = None,
        message_id: int | None = None,
        channel: str | None = None,
        recipient: str | None = None,
        account: str | None = None,
        steps: bool = True,
        after: int = 0,
        limit: int | None = None,
    ) -> Iterator[Row]:
        """Yield rows in the order of their ids, with bounded memory, as they stand when their page is read.

        The filters go together: in one of ``states``, of one message, channel or recipient, an ``account``'s or
        nobody's, with an id above ``after``; at most ``limit`` rows. Without ``steps`` each message comes once: the
        steps that an order tells of are left out. All that is there when the first page is read comes, unless it is
        forgotten meanwhile, and each row once. Of what is stored meanwhile some may be missing: ids are given before a
        row is committed, in a database one with a lower id may come later. So ``after`` leads from page to page of one
        listing, and not on from where one has ended another day.
        """
        chosen = selection(states, message_id, channel, recipient, account, steps=steps)
        for page in self._store.pages(chosen, place(after), limit, self._page):
            yield from page

    def latest(
        self,
        *,
        states: Collection[RowState] | None = None,
        message_id: int | None = None,
        channel: str | None = None,
        recipient: str | None = None,
        account: str | None = None,
        steps: bool = True,
        before: int = HIGHEST,
        limit: int = 100,
    ) -> list[Row]:
        """Return up to ``limit`` rows with an id below ``before``, the newest first; the filters are those of ``rows``.

        By one look, so that a page of a list is as things stand at one moment.
        """
        chosen = selection(states, message_id, channel, recipient, account, steps=steps)
        return self._store.read("rows", lambda transaction: transaction.latest(chosen, place(before), capped(limit)))

    def __iter__(self) -> Iterator[Row]:
        return self.rows()

    def __len__(self) -> int:
        return self.counts().total

    def describe(self, row: Row, *, full: bool = False) -> dict[str, Any] | None:
        """Return a row as a flat dict of JSON values, as ``export`` does; ``None`` where it has been forgotten."""
        stored = self.message(row.message_id)
        return None if stored is None else describe(row, stored, full=full)

    def export(self, *, full: bool = False, states: Collection[RowState] | None = None) -> Iterator[dict[str, Any]]:
        """Yield every row as a flat dict of JSON values; numbers masked and texts left out unless ``full``."""
        stored: StoredMessage | None = None
        for row in self.rows(states=states):
            if stored is None or stored.id != row.message_id:
                stored = self.message(row.message_id)
            if stored is not None:  # forgotten since its page was read
                yield describe(row, stored, full=full)


def open_outbox(given: str | None, *, poll: float = POLL_FIRST, account: str | None = None) -> Outbox:
    """Open the outbox that ``given`` (the URL's) names, else the user's own; raises InvalidInput like Outbox.

    ``poll`` is in seconds: from a send to the first look at its delivery; ``account`` is that of what has no other.
    """
    return Outbox(default_location(given), poll=poll, account=account)


class _MovedOnError(Exception):
    """Undoes a settlement that did not find all its rows."""
