"""The outbox's transaction over an SQLite connection: what ``store.Transaction`` asks for, each a few statements."""

from __future__ import annotations

from typing import TYPE_CHECKING

from devinotify.outbox.encoding import CHANGED, encode_message, encode_row
from devinotify.outbox.sqlite import accounts, buckets, claiming, reading, settling, staging, watching
from devinotify.outbox.states import CODES, RowState

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

    from devinotify.outbox.pace import StoredPace
    from devinotify.outbox.records import ErrorParts, NewMessage, Row, StoredMessage
    from devinotify.outbox.settlement import Settlement
    from devinotify.outbox.store import Selection, Taken

_CHANGE = f"UPDATE rows SET {', '.join(f'{name} = ?' for name in CHANGED)} WHERE id = ?"  # noqa: S608 - our own names

FLUSH_CHUNK = 5000
"""Lines of the intake that one claim moves: some 20 ms."""


class SqliteTransaction:
    """Statements on ``connection``, inside a write transaction or, where ``flush`` is given, outside of one.

    Single messages wait in the intake; they are moved before anything is read that they belong to: by ``flush``, or
    here. ``known`` holds the numbers of accounts that are committed.
    """

    def __init__(
        self,
        connection: sqlite3.Connection,
        now: Callable[[], float],
        known: dict[str, int],
        flush: Callable[[], None] | None = None,
    ) -> None:
        self._connection = connection
        self._clock = now
        self._known = known
        self._flush_outside = flush
        self._flushed = False
        self._new_accounts: dict[str, int] = {}

    @property
    def now(self) -> float:
        """The time by the store's clock."""
        return self._clock()

    def _flush(self, limit: int = -1) -> None:
        if self._flushed:
            return
        if self._flush_outside is not None:
            self._flush_outside()
        else:
            staging.flush(self._connection, limit)
        self._flushed = True

    def _account(self, name: str | None, *, make: bool = False) -> int | None:
        """Return an account's number; where it has none, one is made or it is a stranger."""
        if name is None:
            return None
        number = self._known.get(name) or self._new_accounts.get(name)
        if number is None:
            number = accounts.known(self._connection, name)
            if number:
                self._known[name] = number
            elif make:
                # Not in _known before it is committed: this transaction may be undone.
                number = self._new_accounts[name] = accounts.add(self._connection, name)
        return number

    def number_of(self, account: str) -> int:
        """Return an account's number, made where it has none."""
        number = self._account(account, make=True)
        assert number is not None  # noqa: S101 - a name has a number
        return number

    def selected(self, selection: Selection, few: int) -> reading.Reading:
        """Return how a selection is read, page by page."""
        self._flush()
        return reading.Reading(self._connection, selection, self._account(selection.account), few)

    def page(self, how: reading.Reading, after: int, size: int) -> list[Row]:
        """Return a page of a selection."""
        self._flush()
        return how.page(self._connection, after, size)

    def latest(self, selection: Selection, before: int, size: int) -> list[Row]:
        """Return the newest of a selection."""
        self._flush()
        return reading.latest(self._connection, selection, self._account(selection.account), before, size)

    def is_idle(self, account: str | None) -> bool:
        """Whether nothing can be claimed, and nothing waits in the intake."""
        if staging.pending(self._connection):
            return False
        return claiming.head(self._connection, self.now, self._account(account)) is None

    # --- asked

    def rows(self, numbers: Iterable[int]) -> list[Row]:
        """Return the rows of these ids that are there."""
        self._flush()
        found = (reading.row(self._connection, number) for number in numbers)
        return [row for row in found if row is not None]

    def message(self, number: int) -> StoredMessage | None:
        """Return a message."""
        self._flush()
        return reading.message(self._connection, number)

    def message_of_key(self, key: str) -> int | None:
        """Return the id of a key's message."""
        self._flush()
        return reading.message_of_key(self._connection, key)

    def rows_of(self, message_id: int, recipient: str | None = None) -> list[Row]:
        """Return a message's rows."""
        self._flush()
        return reading.rows_of(self._connection, message_id, recipient)

    def steps_of(self, order: int) -> list[Row]:
        """Return an order's steps."""
        return reading.steps_of(self._connection, order)

    def counts(self, account: str | None, channel: str | None = None) -> Mapping[str, int]:
        """Count rows by their states."""
        return reading.counts(self._connection, self._account(account), channel)

    def next_due(self, account: str | None, *, queued: bool) -> float | None:
        """Return when something comes due."""
        moments = claiming.moments(self._connection, self._account(account), queued=queued)
        return min((moment for moment in moments if moment is not None), default=None)

    def ahead(self, by: float, limit: int) -> list[Row]:
        """Return what was stored in times to come."""
        self._flush()
        return claiming.ahead(self._connection, self.now + by, limit)

    def waiting(self) -> dict[str, int]:
        """Count queued rows by their accounts."""
        self._flush()
        return accounts.waiting(self._connection)

    def last_id(self) -> int:
        """Return the highest id that was given."""
        return staging.last_id(self._connection)

    def total(self) -> int:
        """Count all rows."""
        return reading.total(self._connection)

    def finished(self, states: Collection[RowState], limit: int) -> list[int]:
        """Return the oldest that may go."""
        return reading.finished(self._connection, states, limit)

    def held(self, settlement: Settlement) -> set[int]:
        """Return what is still the claim's."""
        return settling.held(self._connection, settlement.batch.claim, settlement)

    def is_open(self, claim: int, seconds: float) -> bool:  # noqa: ARG002 - a lock tells who lives
        """Whether the claim is still there."""
        return self._connection.execute("SELECT 1 FROM claims WHERE id = ?", (claim,)).fetchone() is not None

    def recall(self, name: str) -> str | None:
        """Return a user's text."""
        return reading.recall(self._connection, name)

    def entries(self, bucket: str, keys: Sequence[str]) -> dict[str, str]:
        """Return what stands in a bucket."""
        return buckets.entries(self._connection, bucket, keys)

    def entries_after(self, bucket: str, after: str, size: int) -> list[tuple[str, str]]:
        """Return a page of a bucket."""
        return buckets.after(self._connection, bucket, after, size)

    def pace(self, account: str) -> StoredPace | None:
        """Return a stored pace."""
        return reading.pace(self._connection, account)

    # --- new messages and rows

    def register(self, new: NewMessage) -> int:
        """Store a message without rows."""
        self._flush()
        return self._add_message(new, 1)

    def _add_message(self, new: NewMessage, ids: int) -> int:
        account = self._account(new.account, make=True)
        first = staging.take_ids(self._connection, ids)
        staging.add_message(self._connection, first, encode_message(new, self.now, account))
        return first

    def add(
        self, new: NewMessage, recipients: Sequence[str], channel: str, due: float, deadline: float | None
    ) -> Sequence[int]:
        """Store a message with its rows."""
        self._flush()
        first = self._add_message(new, len(recipients))
        account = self._account(new.account)
        staging.add_rows(self._connection, first, recipients, first, channel, due, deadline, account)
        return range(first, first + len(recipients))

    def add_each(self, lines: Sequence[tuple[NewMessage, str, float | None]]) -> int:
        """Store messages of one recipient each."""
        now = self.now
        return staging.add_lines(
            self._connection,
            (
                (
                    recipient,
                    new.message.channel,
                    now,
                    *encode_message(new, now, self._account(new.account, make=True)),
                    deadline,
                )
                for new, recipient, deadline in lines
            ),
        )

    def extend(
        self, message_id: int, recipients: Sequence[str], channel: str, due: float, deadline: float | None
    ) -> int:
        """Queue a message for more recipients."""
        self._flush()
        first = staging.take_ids(self._connection, len(recipients))
        account = accounts.of_message(self._connection, message_id)
        return staging.add_rows(self._connection, first, recipients, message_id, channel, due, deadline, account)

    def refuse(self, message_id: int, channel: str, state: RowState, refused: Sequence[tuple[str, ErrorParts]]) -> int:
        """Store rows that have ended."""
        self._flush()
        first = staging.take_ids(self._connection, len(refused))
        return staging.add_refused(self._connection, first, message_id, channel, CODES[state], refused)

    def add_steps(self, parents: Sequence[Row], channel: str, due: float, deadline: float | None) -> list[Row | None]:
        """Queue the next steps."""
        self._flush()
        return [watching.add_step(self._connection, parent, channel, due, deadline) for parent in parents]

    def tell(self, stories: Mapping[int, int]) -> None:
        """Write down whose stories are told by whom."""
        lines = [(story, number) for number, story in stories.items()]
        self._connection.executemany("UPDATE rows SET story = ? WHERE id = ?", lines)

    # --- claims

    def take(self, worker: str, limit: int, account: str | None, among: Sequence[int] | None = None) -> Taken | None:
        """Claim what has been due for longest."""
        taken = self.take_lines(worker, limit, account, among)
        return None if taken is None else taken.made(self.rows(taken.late))

    def take_lines(
        self, worker: str, limit: int, account: str | None, among: Sequence[int] | None = None
    ) -> claiming.TakenLines | None:
        """Claim as ``take`` does, and return what there is to be made of it: that needs no transaction."""
        self._flush(FLUSH_CHUNK if among is None else -1)
        now, whose = self.now, self._account(account, make=True)
        if among is not None:
            found = claiming.gather_of(self._connection, now, among, whose)
        else:
            first = claiming.head(self._connection, now, whose)
            found = None if first is None else (*first[:2], claiming.gather(self._connection, now, *first, limit))
        if found is None:
            return None
        message, channel, lines = found
        late = [line[0] for line in lines if line[4] is not None and line[4] < now]
        if late:
            lines = [line for line in lines if line[4] is None or line[4] >= now]
        claim = 0
        if lines:
            claim = claiming.open_claim(self._connection, worker, now, [line[0] for line in lines])
            accounts.stamp(self._connection, message, whose)
        stored = reading.message(self._connection, message)
        assert stored is not None  # noqa: S101 - a message stays as long as it has rows
        return claiming.TakenLines(claim, stored, channel, lines, late)

    def claim(self, worker: str, numbers: Sequence[int]) -> tuple[int, tuple[Row, ...]]:
        """Claim rows that were just added."""
        claim = claiming.open_claim(self._connection, worker, self.now, numbers)
        return claim, tuple(self.rows(numbers))

    def settle(self, settlement: Settlement) -> int:
        """Write down what became of a claim."""
        return settling.settle(self._connection, settlement.batch.claim, settling.prepared(settlement))

    def claimed_by(self, worker: str) -> list[Row]:
        """Return what a worker has in flight."""
        found = (
            (reading.row(self._connection, number), claim)
            for number, claim in claiming.claimed_by(self._connection, worker)
        )
        return [row for row, claim in found if row is not None and row.claim == claim and row.state is RowState.CLAIMED]

    def drop_claims(self, worker: str) -> None:
        """Close a worker's claims."""
        self._connection.execute("DELETE FROM claims WHERE worker = ?", (worker,))

    # --- changes

    def put(self, rows: Iterable[Row]) -> None:
        """Write rows back."""
        self._connection.executemany(_CHANGE, map(encode_row, rows))

    def attend(self, limit: int, until: float, account: str | None) -> list[Row]:
        """Return what needs attention."""
        whose = self._account(account, make=True)
        return watching.attend(self._connection, self.now, limit, until, whose)

    def remove(self, numbers: Iterable[int]) -> int:
        """Remove rows."""
        self._flush()
        return staging.remove(self._connection, numbers)

    def add_to(self, name: str, number: int) -> None:
        """Raise a count."""
        if number:
            self._connection.execute("UPDATE meta SET value = value + ? WHERE name = ?", (number, name))

    def remember(self, name: str, value: str) -> None:
        """Store a user's text."""
        self._connection.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (f"user.{name}", value))

    def put_entries(self, bucket: str, values: Mapping[str, str]) -> None:
        """Store values in a bucket."""
        buckets.put(self._connection, bucket, values)

    def drop_entries(self, bucket: str, keys: Collection[str]) -> None:
        """Remove keys from a bucket."""
        buckets.drop(self._connection, bucket, keys)

    def set_pace(self, account: str, pace: StoredPace | None) -> None:
        """Store a pace, its numbers in one text."""
        change = "DELETE FROM meta WHERE name = ?" if pace is None else "INSERT OR REPLACE INTO meta VALUES (?, ?)"
        value = () if pace is None else (" ".join(repr(each) for each in pace if each is not None),)
        self._connection.execute(change, (f"pace.{account}", *value))

    def introduce(self, account: str) -> int:
        """Give what is older than accounts its account."""
        if self._connection.execute("SELECT 1 FROM meta WHERE name = 'older'").fetchone() is None:
            return 0
        self._flush()
        return accounts.introduce(self._connection, self.number_of(account))

    def hand_over(self, old: str, new: str) -> int:
        """Make one account's messages another's."""
        self._flush()
        before = self._account(old)
        return accounts.hand_over(self._connection, before, self.number_of(new)) if before else 0
