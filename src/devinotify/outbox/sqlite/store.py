"""The durable store: what is to be sent, what was sent, and what became of it, in one SQLite file.

::

    with Outbox("alerts.db") as outbox:
        outbox.enqueue(Message("disk full", ("+79161234567",)))
        while batch := outbox.claim(500):             # committed to disk before this returns
            outbox.settle(batch, channel.send(batch.message, client))

The file holds texts and numbers in full (mode 0600); logs, reprs and errors never do. Threads may share an Outbox, and
processes a file: no row is claimed twice. A row whose worker died before it settled becomes ``unknown`` by ``recover``
and is never resent by itself.
"""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING, Any

from devinotify.exceptions import DevinotifyError, InvalidInput, Verdict
from devinotify.outbox.records import (
    Batch,
    Row,
    claimed_rows,
    encode_error,
    encode_message,
    encode_recipient,
    encode_time,
    make_row,
)
from devinotify.outbox.sqlite import accounts, claiming, settling, staging, watching
from devinotify.outbox.sqlite.admin import KeptOutbox
from devinotify.outbox.sqlite.base import number_of
from devinotify.outbox.states import CODES, STEPS, RowState

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence
    from datetime import datetime

    from devinotify.models import Message, Outcome, SmsState
    from devinotify.outbox.sqlite.locks import Lease

_ABSORB_CHUNK = 5000  # lines of the intake that one claim moves: some 20 ms


class Outbox(KeptOutbox):
    """A durable queue and record of messages in the SQLite file ``path``, made with mode 0600 where there is none.

    ``max_rows`` bounds the file (``None``: not at all): in a full one, finished rows that nobody watches make room,
    the oldest first; where there are none, what is new is dropped and counted. ``retry_for`` is for how many seconds a
    message without a deadline is tried (``None``: for ever), ``poll`` how many seconds after a send its delivery
    is first looked at. ``clock`` returns seconds since the epoch and ``random`` a number from 0 to 1.

    Raises InvalidInput, the file untouched, where it is damaged, another program's or a newer version's, or where it
    cannot be written. Every later failure of the file is a DevinotifyError; nothing is changed then.
    """

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
    ) -> list[Row]:
        """Return the queued rows, one a distinct recipient, in their order; they survive a killed process.

        A known ``key`` returns the rows that exist and adds nothing. ``channel`` is that of the first step (default:
        the message's own). Aware datetimes: it is not tried after ``deadline`` nor before ``not_before``, and
        ``original_time`` is when the event happened. ``send_at`` is left to the gateway and delays nothing here.
        ``watch``: its delivery is looked at. ``fallback``: a row that ends badly stays due (``watch_due``) until
        ``step`` or ``close_watch``, and so does one that is not delivered within ``patience`` seconds.
        ``meta`` is kept as JSON. ``account`` is whose message it is; without one it is the account's that first claims
        it. A key is one for the whole outbox, whatever the account.
        In a full outbox the list holds only the rows that found room.
        """
        now = self._clock()
        values = encode_message(
            message,
            now,
            key=key,
            original_time=original_time,
            patience=patience,
            watch=watch,
            fallback=fallback,
            meta=meta,
            account=self._account(account),
        )
        due = now if not_before is None else max(now, encode_time(not_before) or now)
        until = self._deadline(deadline, now)
        step = channel or message.channel
        recipients: Collection[str] = message.recipients
        if len(recipients) != 1:
            recipients = dict.fromkeys(recipients)
        if len(recipients) == 1:
            (recipient,) = recipients
            return self._enqueue_one(recipient, step, due, until, key, values)
        with self._database.write("enqueue") as connection:
            staging.absorb(connection)
            if key is not None and (known := self._by_key(connection, key)) is not None:
                return self._of_message(connection, known)
            chosen = self._bound.fit(connection, tuple(recipients))
            if not chosen:
                return []
            first = staging.take_ids(connection, len(chosen))
            staging.add_message(connection, first, values)
            staging.add_rows(connection, first, chosen, first, step, due, until, self._account(account))
        return [
            make_row(number, first, recipient, step, RowState.QUEUED, 0, due, until)
            for number, recipient in enumerate(chosen, first)
        ]

    def enqueue_many(
        self,
        messages: Iterable[Message],
        *,
        keys: Iterable[str | None] | None = None,
        deadline: datetime | None = None,
        watch: bool = True,
        fallback: bool = False,
        patience: float | None = None,
        account: str | None = None,
    ) -> int:
        """Queue messages of one recipient each, such as personal texts, in one transaction; return how many were new.

        ``keys`` names each message in turn; one whose key is known is passed over.
        """
        now = self._clock()
        until = self._deadline(deadline, now)
        lines = []
        whose = self._account(account)
        key_of = iter(keys) if keys is not None else None
        for message in messages:
            (recipient,) = message.recipients
            key = next(key_of) if key_of is not None else None
            values = encode_message(
                message, now, key=key, watch=watch, fallback=fallback, patience=patience, account=whose
            )
            lines.append((recipient, message.channel, now, until, *values, key))
        with self._database.write("enqueue") as connection:
            return connection.executemany(staging.ADD_ONE_ONCE, self._bound.fit(connection, tuple(lines))).rowcount

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
        values = encode_message(
            message,
            self._clock(),
            key=key,
            patience=patience,
            watch=watch,
            fallback=fallback,
            meta=meta,
            account=self._account(account),
        )
        with self._database.write("register") as connection:
            staging.absorb(connection)
            if key is not None and (known := self._by_key(connection, key)) is not None:
                return known
            number = staging.take_ids(connection, 1)
            staging.add_message(connection, number, values)
            return number

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
        now = self._clock()
        until = self._deadline(deadline, now)
        with self._database.write("enqueue") as connection:
            staging.absorb(connection)
            step = channel or self._need_message(connection, message_id).message.channel
            whose = accounts.of_message(connection, message_id)
            chosen = self._bound.fit(connection, tuple(dict.fromkeys(recipients)))
            first = staging.take_ids(connection, len(chosen))
            return staging.add_rows(connection, first, chosen, message_id, step, now, until, whose)

    def refuse(self, message_id: int, refused: Iterable[tuple[str, DevinotifyError]]) -> int:
        """Record recipients that our own checks refused, as ``not_sent`` with their error; return how many were new.

        A campaign accounts so for every line of its input. They are never sent.
        """
        with self._database.write("enqueue") as connection:
            staging.absorb(connection)
            channel = self._need_message(connection, message_id).message.channel
            chosen = self._bound.fit(connection, tuple(refused))
            first = staging.take_ids(connection, len(chosen))
            lines = [
                (
                    number,
                    message_id,
                    encode_recipient(recipient),
                    channel,
                    CODES[RowState.NOT_SENT],
                    *encode_error(error),
                )
                for number, (recipient, error) in enumerate(chosen, first)
            ]
            return staging.add_refused(connection, lines)

    def _enqueue_one(
        self, recipient: str, step: str, due: float, until: float | None, key: str | None, values: tuple[object, ...]
    ) -> list[Row]:
        line = (recipient, step, due, until, *values)
        database = self._database
        with database.lock:
            try:  # one statement is its own transaction, and a context manager would cost a tenth of it
                if key is None:
                    number = database.connection.execute(staging.ADD_ONE, line).lastrowid
                else:
                    cursor = database.connection.execute(staging.ADD_ONE_ONCE, (*line, key))
                    if not cursor.rowcount:
                        return self.find(key)
                    number = cursor.lastrowid
            except sqlite3.Error as error:
                raise database.error(error, "enqueue", Verdict.NOT_SENT) from None
        assert number is not None  # noqa: S101 - an INSERT has just set it
        if self._bound.count_from is not None and number > self._bound.count_from:
            with self._database.write("enqueue") as connection:
                staging.absorb(connection)
                if not self._bound.keep(connection, number):
                    return []
        return [make_row(number, number, recipient, step, RowState.QUEUED, 0, due, until)]

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
        now = self._clock()
        wanted = None if rows is None else [number_of(row) for row in rows][:limit]
        whose = self._account(account)
        with self._database.lock:
            # Asked first where nothing was found the last time, so that an idle worker writes nothing.
            if wanted is None and self._idle and not self._anything_due(now, whose):
                return None
            self._idle = True
            lease = self._lease()
            with self._database.write("claim", full=True) as connection:
                staging.absorb(connection, _ABSORB_CHUNK if wanted is None else -1)
                while (found := self._next(connection, now, wanted, limit, whose)) is not None:
                    message, channel, gathered = found
                    late = [line[0] for line in gathered if line[4] is not None and line[4] < now]
                    if late:
                        settling.expire(connection, late, now)
                        gathered = [line for line in gathered if line[4] is None or line[4] >= now]
                    if gathered:
                        break
                else:
                    return None
                numbers = [line[0] for line in gathered]
                claim = settling.open_claim(connection, lease.worker, lease.pid, now, numbers)
                claiming.mark_claimed(connection, claim, numbers)
                accounts.stamp(connection, message, whose)
                stored = self._need_message(connection, message)
            self._idle = False
        return Batch(claim, stored, claimed_rows(gathered, message, channel, claim))

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
    ) -> Batch | None:
        """Return new rows as a batch that is this worker's from the start: for who writes down a send and makes it now.

        The arguments are those of ``enqueue``; no other worker ever sees the rows as queued. ``None`` where the outbox
        is full; a batch holds only the rows that found room. Safe against a power failure before this returns.
        """
        now = self._clock()
        whose = self._account(account)
        values = encode_message(
            message, now, patience=patience, watch=watch, fallback=fallback, meta=meta, account=whose
        )
        with self._database.lock:
            lease = self._lease()
            with self._database.write("begin", full=True) as connection:
                staging.absorb(connection)
                chosen = self._bound.fit(connection, tuple(dict.fromkeys(message.recipients)))
                if not chosen:
                    return None
                first = staging.take_ids(connection, len(chosen))
                staging.add_message(connection, first, values)
                until = self._deadline(deadline, now)
                step = channel or message.channel
                staging.add_rows(connection, first, chosen, first, step, now, until, whose)
                return self._claimed(connection, lease, first, range(first, first + len(chosen)), now)

    def go_on(self, rows: Iterable[Row | int], channel: str, *, deadline: datetime | None = None) -> Batch | None:
        """Take the fallback step to ``channel`` for rows of one message, as a claimed batch; ``None`` if none is left.

        As ``step`` and ``claim`` in one transaction, so that no other worker comes between. Rows that have gone on
        before are passed over: whoever took that step sends it. Without ``deadline`` it is tried like a new message.
        """
        now = self._clock()
        with self._database.lock:
            lease = self._lease()
            with self._database.write("step", full=True) as connection:
                steps = self._steps(connection, rows, channel, now, self._deadline(deadline, now))
                if not steps:
                    return None
                return self._claimed(connection, lease, steps[0].message_id, [step.id for step in steps], now)

    def step_later(self, rows: Iterable[Row | int], channel: str, *, not_before: datetime, deadline: datetime) -> int:
        """Queue the fallback step to ``channel`` for many rows at once, as ``step`` does; return how many were new."""
        due = max(self._clock(), encode_time(not_before) or 0.0)
        with self._database.write("step", full=True) as connection:
            return len(self._steps(connection, rows, channel, due, encode_time(deadline)))

    def _steps(
        self,
        connection: sqlite3.Connection,
        rows: Iterable[Row | int],
        channel: str,
        when: float,
        until: float | None,
    ) -> list[Row]:
        """Return the new steps of those rows that may go on and have not yet."""
        staging.absorb(connection)
        parents = [self._need(connection, number_of(row)) for row in rows]
        return [
            watching.step(connection, row, channel, when, until)
            for row in parents
            if row.state in STEPS and not row.stepped
        ]

    def _claimed(
        self, connection: sqlite3.Connection, lease: Lease, message: int, numbers: Sequence[int], now: float
    ) -> Batch:
        claim = settling.open_claim(connection, lease.worker, lease.pid, now, numbers)
        claiming.mark_claimed(connection, claim, numbers)
        rows = tuple(self._need(connection, number) for number in numbers)
        return Batch(claim, self._need_message(connection, message), rows)

    def settle(self, batch: Batch, outcomes: Sequence[Outcome], *, lease: float = 0.0) -> dict[int, RowState]:
        """Record what became of a batch, or of a part of it; return the state of each row that took its outcome.

        Outcomes are matched by recipient. ``not_sent`` with a retryable error becomes ``queued`` again, after a backoff
        and before the deadline; any other is final. A row that was meanwhile declared ``unknown`` takes its outcome all
        the same; one that has been claimed anew, or forgotten, does not and is missing in the answer. Settling may be
        repeated after an error, such as a full disk. ``lease`` is for how many seconds nobody else is asked to take
        the next step of a fallback: the caller is about to.
        """
        settlement = self._settling(batch, lease)
        settlement.add(settling.match(batch, outcomes))
        return self._settle(batch, settlement)

    def release(
        self, batch: Batch, rows: Iterable[Row | int] | None = None, *, not_before: datetime | None = None
    ) -> dict[int, RowState]:
        """Queue a batch, or these rows of it, again, as nothing was tried: the worker stops, the account is empty.

        With ``not_before``, which is aware, they come after what is due by then.
        """
        due = encode_time(not_before)
        chosen = None if rows is None else {number_of(row) for row in rows}
        settlement = self._settling(batch)
        for row in batch.rows:
            if chosen is None or row.id in chosen:
                settlement.release(row, due)
        return self._settle(batch, settlement)

    def holds(self, batch: Batch) -> bool:
        """Return whether a batch is still its claimant's to send: nobody has given it up meanwhile."""
        with self._database.read("holds") as connection:
            return connection.execute("SELECT 1 FROM claims WHERE id = ?", (batch.claim,)).fetchone() is not None

    def _anything_due(self, now: float, account: int | None) -> bool:
        with self._database.read("claim") as connection:
            return staging.pending(connection) or claiming.head(connection, now, account) is not None

    def _next(
        self, connection: sqlite3.Connection, now: float, wanted: Sequence[int] | None, limit: int, account: int | None
    ) -> tuple[int, str, list[claiming.Gathered]] | None:
        if wanted is not None:
            return claiming.gather_of(connection, now, wanted, account)
        first = claiming.head(connection, now, account)
        return None if first is None else (*first[:2], claiming.gather(connection, now, *first, limit))

    def _settling(self, batch: Batch, lease: float = 0.0) -> settling.Settling:
        return settling.Settling(batch, now=self._clock(), jitter=self._random(), first_poll=self._poll, lease=lease)

    def _settle(self, batch: Batch, settlement: settling.Settling) -> dict[int, RowState]:
        states = settlement.states
        try:
            with self._database.write("settle", verdict=Verdict.UNKNOWN) as connection:
                if settlement.write(connection) != len(states):
                    raise _MovedOnError
        except _MovedOnError:
            # Rarely: some rows are no longer this claim's. Undone, asked which, and done again for the others.
            with self._database.write("settle", verdict=Verdict.UNKNOWN) as connection:
                held = settling.held(connection, batch.claim, states)
                settlement.write(connection)
            return {number: state for number, state in states.items() if number in held}
        return states

    def watch_due(self, limit: int = 100, *, lease: float = 60.0, account: str | None = None) -> list[Row]:
        """Return rows that need attention now, the longest due first, kept from other workers for ``lease`` seconds.

        An ``accepted`` row wants its delivery looked at (then ``record_state``), and is past its patience where
        ``patience_until`` is; a row of any other state, of a message enqueued with ``fallback``, ended badly.
        Rows of such a message come back until ``step`` or ``close_watch``, so that no crash loses a step.
        ``account`` is as for ``claim``.
        """
        now = self._clock()
        whose = self._account(account)
        with self._database.write("watch") as connection:
            return watching.due(connection, now, limit, now + lease, whose)

    def record_state(self, row: Row | int, state: SmsState) -> Row:
        """Record a delivery state as the gateway told it; return the row as it stands now.

        A final status makes an accepted row ``delivered`` or ``failed``; any other sets the next look. 48 hours after
        the sending the watch closes and the row stays ``accepted``. A status that is known already changes nothing,
        a delivered one may still become read; anything else is an illegal transition and raises InvalidInput.
        """
        return self.record_states([(row, state)])[0]

    def record_states(self, states: Iterable[tuple[Row | int, SmsState]]) -> list[Row]:
        """Record many delivery states in one transaction; return the rows as they stand now."""
        now = self._clock()
        with self._database.write("record", verdict=Verdict.UNKNOWN) as connection:
            staging.absorb(connection)
            return [
                watching.record(connection, self._need(connection, number_of(row)), state, now, self._poll)
                for row, state in states
            ]

    def step(
        self, row: Row | int, channel: str, *, not_before: datetime | None = None, deadline: datetime | None = None
    ) -> Row:
        """Return the row queued as this one's fallback on ``channel``; this one is marked as stepped with it.

        Asked again, it returns the row that exists. Raises InvalidInput where this row is queued, claimed or
        delivered, and where the message has been enqueued for this recipient on ``channel`` before. The
        deadline is this row's own unless given.
        """
        now = self._clock()
        with self._database.write("step", full=True) as connection:
            staging.absorb(connection)
            due = now if not_before is None else max(now, encode_time(not_before) or now)
            return watching.step(
                connection, self._need(connection, number_of(row)), channel, due, encode_time(deadline)
            )

    def close_watch(self, rows: Iterable[Row | int]) -> None:
        """Stop giving these rows attention; their states stay."""
        with self._database.write("watch") as connection:
            connection.executemany(
                "UPDATE rows SET next_poll_at = NULL WHERE id = ?", [(number_of(row),) for row in rows]
            )


class _MovedOnError(Exception):
    """Undoes a settlement that did not find all its rows."""
