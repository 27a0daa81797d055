"""What became of a claim, written down: outcomes to row changes, and claims whose worker is gone to ``unknown``."""

from __future__ import annotations

from array import array
from typing import TYPE_CHECKING

from devinotify.exceptions import InvalidInput, Verdict
from devinotify.outbox.records import encode_error
from devinotify.outbox.states import CODES, VERDICTS, WATCH_FOR, RowState, backoff

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from devinotify.models import Outcome
    from devinotify.outbox.records import Batch, Row

_FAILED_NOW = frozenset({RowState.REJECTED, RowState.NOT_SENT, RowState.UNKNOWN, RowState.FAILED})

NO_OUTCOME = "the worker ended before it recorded what became of the message"
"""The description of a row that was found claimed by a worker that is gone."""

_REFUSE = (
    "UPDATE rows SET claim = NULL, state = ?, due = ?, attempts = attempts - ?, error = ?, error_code = ?,"
    # A row that was given up and has gone on needs no decision any more when its own outcome comes late.
    " error_reason = ?, error_text = ?, next_poll_at = CASE WHEN stepped THEN NULL ELSE ? END"
    " WHERE id = ? AND claim = ?"
)

_ACCEPT_ONE = "UPDATE rows SET message_ids = ?, via = ?, {changes} WHERE id = ? AND claim = {claim:d}"
_ACCEPT_ALL = (
    "UPDATE rows SET message_ids = CAST(substr(:ids, (id - :first) * :length + 1, :length) AS TEXT), via = NULL,"
    " {changes} WHERE id BETWEEN :first AND :last AND claim = {claim:d}"
)
"""One statement for a thousand rows takes less than half of the time of one each; of a BLOB substr() is quick."""

EXPIRED = "its deadline passed before it could be sent"
"""The description of a row that was still queued at its deadline."""

_LOOK_IF_FALLBACK = (
    "(SELECT CASE WHEN flags & 2 AND NOT coalesce(stepped, 0) THEN ? END"
    " FROM messages WHERE messages.id = rows.message)"
)

_ENDED = "error_code = NULL, error_reason = NULL, error_text = ?, next_poll_at = " + _LOOK_IF_FALLBACK
_EXPIRE = f"UPDATE rows SET state = {CODES[RowState.NOT_SENT]}, error = 'NotSent', {_ENDED} WHERE id = ?"  # noqa: S608 - ours
_GIVE_UP = (
    f"UPDATE rows SET state = {CODES[RowState.UNKNOWN]}, error = 'OutcomeUnknown', {_ENDED}"  # noqa: S608 - all of it is ours
    f" WHERE id = ? AND claim = ? AND state = {CODES[RowState.CLAIMED]}"
)


def attention(state: RowState, *, fallback: bool, stepped: bool, now: float) -> float | None:
    """Return when a row that has just reached a state needs a fallback's decision: at once, or ``None`` for never."""
    return now if fallback and not stepped and state in _FAILED_NOW else None


def match(batch: Batch, outcomes: Sequence[Outcome]) -> Iterable[tuple[Row, Outcome]]:
    """Return each outcome with its row; raise InvalidInput where one is of no row of the batch, or one row has two."""
    if [outcome.recipient for outcome in outcomes] == [row.recipient for row in batch.rows]:
        return zip(batch.rows, outcomes, strict=True)
    rows = {row.recipient: row for row in batch.rows}
    try:
        return [(rows.pop(outcome.recipient), outcome) for outcome in outcomes]
    except KeyError:
        raise InvalidInput("an outcome is of no recipient of the batch, or its recipient has two") from None


_Shared = tuple[bool, int | None, "datetime | None", bool]
"""Has no ids, segments, sent at, resends: what the rows of one reply share."""
_NO_RECEIPT: _Shared = (True, None, None, False)
_Line = tuple["str | None", "str | None", int]
"""Ids, the receipt's channel where it is another than the row's, row id."""


class Settling:
    """The changes that a batch's outcomes make; ``states`` tells what each row becomes by them."""

    def __init__(self, batch: Batch, *, now: float, jitter: float, first_poll: float, lease: float = 0.0) -> None:
        self._claim = batch.claim
        self._stored = batch.stored
        self._now = now
        self._attend = now + lease
        self._jitter = jitter
        self._first_poll = first_poll
        self._accepted: dict[_Shared, list[_Line]] = {}
        self._others: list[tuple[object, ...]] = []
        self.states: dict[int, RowState] = {}

    def add(self, outcomes: Iterable[tuple[Row, Outcome]]) -> None:
        """Take what became of rows, each with its outcome."""
        # In line, with what the last receipt shares with the next one at hand: this is done for every message.
        states, accepted, state = self.states, Verdict.ACCEPTED, RowState.ACCEPTED
        last: _Shared | None = None
        lines: list[_Line] = []
        for row, outcome in outcomes:
            if outcome.verdict is not accepted:
                self._failed(row, outcome)
                continue
            number, receipt = row.id, outcome.receipt
            states[number] = state
            if receipt is None:
                self._accepted.setdefault(_NO_RECEIPT, []).append((None, None, number))
                continue
            ids, via = receipt.message_ids, receipt.channel
            shared = (not ids, receipt.segments, receipt.sent_at, receipt.resends)
            if shared != last:
                last = shared
                lines = self._accepted.setdefault(shared, [])
            joined = ids[0] if len(ids) == 1 else "\n".join(ids) or None
            lines.append((joined, None if via == row.channel else via, number))

    def _failed(self, row: Row, outcome: Outcome) -> None:
        state = VERDICTS[outcome.verdict]
        error = outcome.error
        due = row.next_attempt_at
        if state is RowState.NOT_SENT and error is not None and error.retryable:
            # One jitter for the whole batch: its rows come due together and stay one batch.
            again = self._now + backoff(row.attempts, self._jitter)
            if row.deadline is None or again <= row.deadline:
                state, due = RowState.QUEUED, again
        self._other(row, state, due, encode_error(error))

    def release(self, row: Row, due: float | None = None) -> None:
        """Put one row back as it was: nothing was tried; it is due again at ``due``, or as it was before."""
        due = row.next_attempt_at if due is None else due
        self._other(row, RowState.QUEUED, due, (None, None, None, None), untried=1)

    def _other(
        self, row: Row, state: RowState, due: float | None, error: tuple[object, ...], *, untried: int = 0
    ) -> None:
        look = attention(state, fallback=self._stored.fallback, stepped=row.stepped, now=self._attend)
        self._others.append((CODES[state], due, untried, *error, look, row.id, self._claim))
        self.states[row.id] = state

    def write(self, connection: sqlite3.Connection) -> int:
        """Make the changes; return how many rows took them, which is fewer where a row is no longer this claim's."""
        applied = 0
        for shared, lines in self._accepted.items():
            changes = self._accept(shared)
            packed = _pack(lines) if len(lines) > 1 else None
            if packed is not None:
                applied += connection.execute(_ACCEPT_ALL.format(changes=changes, claim=self._claim), packed).rowcount
            else:
                applied += connection.executemany(
                    _ACCEPT_ONE.format(changes=changes, claim=self._claim), lines
                ).rowcount
        if self._others:
            applied += connection.executemany(_REFUSE, self._others).rowcount
        connection.execute("UPDATE claims SET open = open - ? WHERE id = ?", (applied, self._claim))
        connection.execute("DELETE FROM claims WHERE id = ? AND open <= 0", (self._claim,))
        return applied

    def _accept(self, shared: _Shared) -> str:
        """Return what rows that were accepted alike share, as SQL, being quicker than bound."""
        without_ids, segments, sent_at, resends = shared
        stored = self._stored
        sent = self._now if sent_at is None else sent_at.timestamp()
        patience_until = None if stored.patience is None else sent + stored.patience
        looks = [] if patience_until is None else [patience_until]
        if stored.watch and not without_ids:
            looks.append(max(sent, self._now) + self._first_poll)
        values = {
            "state": CODES[RowState.ACCEPTED],
            "segments": None if segments is None else int(segments),
            "sent_at": sent,
            "resends": int(resends),
            "next_poll_at": min(looks, default=None),
            "watch_until": sent + WATCH_FOR if looks else None,
            "patience_until": patience_until,
            **dict.fromkeys(("claim", "error", "error_code", "error_reason", "error_text")),
        }
        return ", ".join(f"{name} = {'NULL' if value is None else repr(value)}" for name, value in values.items())


def _pack(lines: Sequence[_Line]) -> dict[str, object] | None:
    """Return the parameters of _ACCEPT_ALL where the rows of a campaign follow each other, with ids of one length."""
    ids, channels, numbers = zip(*lines, strict=True)
    first, length = numbers[0], len(ids[0] or "")
    if not length or any(channels) or numbers != tuple(range(first, first + len(numbers))):
        return None
    packed = "".join(ids).encode()
    if set(map(len, ids)) != {length} or len(packed) != length * len(ids):
        return None
    return {"ids": packed, "length": length, "first": first, "last": numbers[-1]}


def held(connection: sqlite3.Connection, claim: int, numbers: Iterable[int]) -> set[int]:
    """Return those of the rows whose outcome is still the claim's to tell."""
    ask = "SELECT 1 FROM rows WHERE id = ? AND claim = ?"
    return {number for number in numbers if connection.execute(ask, (number, claim)).fetchone() is not None}


def expire(connection: sqlite3.Connection, numbers: Sequence[int], now: float) -> None:
    """Claim queued rows whose deadline has passed and settle them at once as ``not_sent``."""
    connection.executemany(_EXPIRE, [(EXPIRED, now, number) for number in numbers])


def open_claim(connection: sqlite3.Connection, worker: str, pid: int, now: float, numbers: Sequence[int]) -> int:
    """Write down who claims which rows; return the claim's id, which is never used again."""
    cursor = connection.execute(
        "INSERT INTO claims (worker, pid, claimed_at, open, rows) VALUES (?, ?, ?, ?, ?)",
        (worker, pid, now, len(numbers), array("q", numbers).tobytes()),
    )
    assert cursor.lastrowid is not None  # noqa: S101 - an INSERT has just set it
    return cursor.lastrowid


def give_up(connection: sqlite3.Connection, worker: str, now: float) -> int:
    """Turn the rows that a worker has claimed and not settled into unknown ones; return how many.

    They keep the claim's id: should the worker be alive after all, its outcome is still taken.
    """
    changed = 0
    for claim, packed in connection.execute("SELECT id, rows FROM claims WHERE worker = ?", (worker,)).fetchall():
        numbers = array("q")
        numbers.frombytes(packed)
        changed += connection.executemany(_GIVE_UP, [(NO_OUTCOME, now, number, claim) for number in numbers]).rowcount
    connection.execute("DELETE FROM claims WHERE worker = ?", (worker,))
    return changed
