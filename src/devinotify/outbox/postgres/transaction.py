"""One transaction on the PostgreSQL store: ``store.Transaction`` in SQL.

More than 400 lines: it answers all that a transaction is asked, in a few lines each.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from devinotify.outbox.encoding import CHANGED, encode_message, encode_row
from devinotify.outbox.postgres import accounts, buckets, claiming, pacing, reading, settling, staging
from devinotify.outbox.states import CODES, RowState
from devinotify.outbox.store import Taken

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

    from devinotify.outbox.pace import StoredPace
    from devinotify.outbox.postgres.positions import Positions
    from devinotify.outbox.postgres.session import Session
    from devinotify.outbox.records import ErrorParts, NewMessage, Row, StoredMessage
    from devinotify.outbox.settlement import Settlement
    from devinotify.outbox.store import Selection

_CHANGE = f"UPDATE ~rows SET {', '.join(f'{name} = %s' for name in CHANGED)} WHERE id = %s"  # noqa: S608 - our own names


class TakenForDeadError(Exception):
    """The worker has not been heard of for so long that its claims were given up: it may not claim under this name."""


class PostgresTransaction:
    """Statements in a write transaction or, where ``locks`` is false, outside of one.

    ``known`` holds the numbers of accounts that are committed; ``new`` takes those that this transaction makes.
    ``lives`` tells whether this process's worker, if it is one, is nobody's dead one for so many seconds.
    ``may_claim`` raises where nothing may be claimed. ``taken`` are the claims that it makes. The database
    knows of all claims that were made ``since`` then, by this process's monotonic clock.
    """

    def __init__(
        self,
        session: Session,
        now: Callable[[], float],
        known: Mapping[str, int],
        positions: Positions,
        *,
        locks: bool,
        lives: Callable[[float], bool] = lambda seconds: True,  # noqa: ARG005 - who claims nothing
        may_claim: Callable[[], None] = lambda: None,
        since: float = float("-inf"),
    ) -> None:
        self._session = session
        self._clock = now
        self._known = known
        self._positions = positions
        self._locks = locks
        self._lives = lives
        self._may_claim = may_claim
        self._since = since
        self.taken: list[int] = []
        self.new: dict[str, int] = {}

    @property
    def now(self) -> float:
        """The time by the database's clock."""
        return self._clock()

    def _account(self, name: str | None, *, make: bool = False) -> int | None:
        """Return an account's number; where it has none, one is made or it is a stranger."""
        if name is None:
            return None
        number = self._known.get(name) or self.new.get(name)
        if number is None:
            number = (accounts.add if make else accounts.number)(self._session, name)
            if number != accounts.STRANGER:
                self.new[name] = number
        return number

    def number_of(self, account: str) -> int:
        """Return an account's number, made where it has none."""
        number = self._account(account, make=True)
        assert number is not None  # noqa: S101 - a name has a number
        return number

    def page(self, selection: Selection, after: int, size: int) -> list[Row]:
        """Return a page of a selection."""
        return reading.page(self._session, selection, self._account(selection.account), after, size)

    def latest(self, selection: Selection, before: int, size: int) -> list[Row]:
        """Return the newest of a selection."""
        return reading.latest(self._session, selection, self._account(selection.account), before, size)

    def is_idle(self, account: str | None) -> bool:
        """Whether nothing can be claimed."""
        return claiming.is_idle(self._session, self.now, self._account(account))

    # --- asked

    def rows(self, numbers: Iterable[int]) -> list[Row]:
        """Return the rows of these ids that are there; nobody else changes them then."""
        wanted = list(numbers)
        if not self._locks:
            return reading.rows(self._session, wanted)
        # The queue first, as a claim does; what comes into it before the row itself is held is seen the second time.
        held = self._hold(wanted)
        self._session.all("SELECT 1 FROM ~rows WHERE id = ANY(%s::bigint[]) ORDER BY id FOR UPDATE", wanted)
        found = reading.rows(self._session, wanted)
        missed = [row.id for row in found if row.state is RowState.QUEUED and row.id not in held]
        if missed:
            self._hold(missed)
            found = reading.rows(self._session, wanted)
        return found

    def _hold(self, numbers: Sequence[int]) -> set[int]:
        return set(
            self._session.ids("SELECT id FROM ~queue WHERE id = ANY(%s::bigint[]) ORDER BY id FOR UPDATE", numbers)
        )

    def message(self, number: int) -> StoredMessage | None:
        """Return a message."""
        return reading.message(self._session, number)

    def message_of_key(self, key: str) -> int | None:
        """Return the id of a key's message."""
        return reading.message_of_key(self._session, key)

    def rows_of(self, message_id: int, recipient: str | None = None) -> list[Row]:
        """Return a message's rows."""
        return self.rows(reading.ids_of(self._session, message_id, recipient))

    def steps_of(self, order: int) -> list[Row]:
        """Return an order's steps."""
        return self.rows(reading.steps_of(self._session, order))

    def counts(self, account: str | None, channel: str | None = None) -> Mapping[str, int]:
        """Count rows by their states."""
        return reading.counts(self._session, self._account(account), channel)

    def next_due(self, account: str | None, *, queued: bool) -> float | None:
        """Return when something comes due."""
        return reading.next_due(self._session, self._account(account), queued=queued)

    def ahead(self, by: float, limit: int) -> list[Row]:
        """Return what was stored in times to come."""
        return self.rows(claiming.ahead(self._session, self.now + by, limit))

    def waiting(self) -> dict[str, int]:
        """Count queued rows by their accounts."""
        return accounts.waiting(self._session)

    def last_id(self) -> int:
        """Return the highest id that was given."""
        return reading.last_id(self._session)

    def total(self) -> int:
        """Count all rows."""
        return reading.total(self._session)

    def finished(self, states: Collection[RowState], limit: int) -> list[int]:
        """Return the oldest that may go."""
        return reading.finished(self._session, states, limit)

    def held(self, settlement: Settlement) -> set[int]:
        """Return what is still the claim's."""
        return settling.held(self._session, settlement, since=self._since).all

    def is_open(self, claim: int, seconds: float) -> bool:
        """Whether the claim is still there, and its worker nobody's dead one for so many seconds."""
        return self._lives(seconds) and claiming.is_open(self._session, claim)

    def recall(self, name: str) -> str | None:
        """Return a user's text."""
        return reading.recall(self._session, name)

    def entries(self, bucket: str, keys: Sequence[str]) -> dict[str, str]:
        """Return what stands in a bucket."""
        return buckets.entries(self._session, bucket, keys, lock=self._locks)

    def entries_after(self, bucket: str, after: str, size: int) -> list[tuple[str, str]]:
        """Return a page of a bucket."""
        return buckets.after(self._session, bucket, after, size)

    def pace(self, account: str) -> StoredPace | None:
        """Return a stored pace, held until the end of a transaction that writes."""
        return pacing.read(self._session, account, lock=self._locks)

    # --- new messages and rows

    def _values(self, new: NewMessage) -> tuple[object, ...]:
        return encode_message(new, self.now, self._account(new.account, make=True))

    def register(self, new: NewMessage) -> int:
        """Store a message without rows."""
        (number,) = staging.take_ids(self._session, 1)
        staging.add_message(self._session, number, self._values(new))
        return number

    def add(
        self, new: NewMessage, recipients: Sequence[str], channel: str, due: float, deadline: float | None
    ) -> Sequence[int]:
        """Store a message with its rows."""
        numbers = staging.take_ids(self._session, len(recipients))
        staging.add_message(self._session, numbers[0], self._values(new))
        self._add_rows(numbers, numbers[0], recipients, self._account(new.account), channel, due, deadline)
        return numbers

    def _add_rows(
        self,
        numbers: Sequence[int],
        message: int,
        recipients: Sequence[str],
        account: int | None,
        channel: str,
        due: float,
        deadline: float | None,
    ) -> None:
        size = len(numbers)
        staging.add_rows(
            self._session, numbers, [message] * size, recipients, [account or 0] * size, channel, due, deadline
        )

    def add_each(self, lines: Sequence[tuple[NewMessage, str, float | None]]) -> int:
        """Store messages of one recipient each."""
        now, added = self.now, 0
        numbers = staging.take_ids(self._session, len(lines))
        for number, (new, recipient, deadline) in zip(numbers, lines, strict=True):
            if staging.add_message_once(self._session, number, self._values(new)):
                whose = self._account(new.account)
                self._add_rows([number], number, [recipient], whose, new.message.channel, now, deadline)
                added += 1
        return added

    def extend(
        self, message_id: int, recipients: Sequence[str], channel: str, due: float, deadline: float | None
    ) -> int:
        """Queue a message for more recipients."""
        account = staging.hold_message(self._session, message_id) or 0
        return staging.extend(self._session, message_id, recipients, account, channel, due, deadline)

    def refuse(self, message_id: int, channel: str, state: RowState, refused: Sequence[tuple[str, ErrorParts]]) -> int:
        """Store rows that have ended."""
        staging.hold_message(self._session, message_id)
        return staging.add_refused(self._session, message_id, channel, CODES[state], refused)

    def add_steps(self, parents: Sequence[Row], channel: str, due: float, deadline: float | None) -> list[Row | None]:
        """Queue the next steps."""
        numbers = staging.take_ids(self._session, len(parents))
        messages = [parent.message_id for parent in parents]
        whose = {message: staging.hold_message(self._session, message) or 0 for message in sorted(set(messages))}
        added = staging.add_rows(
            self._session,
            numbers,
            messages,
            [parent.recipient for parent in parents],
            [whose[message] for message in messages],
            channel,
            due,
            deadline,
            [parent.id for parent in parents],
        )
        steps = {row.id: row for row in reading.rows(self._session, numbers)}
        return [steps.get(number) if number in added else None for number in numbers]

    def tell(self, stories: Mapping[int, int]) -> None:
        """Write down whose stories are told by whom."""
        for number in sorted(stories):  # in one order, so that no two wait for each other
            self._session.run("UPDATE ~rows SET story = %s WHERE id = %s", stories[number], number)

    # --- claims

    def take(self, worker: str, limit: int, account: str | None, among: Sequence[int] | None = None) -> Taken | None:
        """Claim what has been due for longest."""
        self._may_claim()
        now, whose, claim = self.now, self._account(account, make=True), claiming.new_claim()
        if among is None:
            found = self._take_next(claim, worker, now, whose, limit)
        else:
            numbers = claiming.gather_of(self._session, now, among, whose)
            found = claiming.take(self._session, claim, worker, now, numbers)
        if found is None:
            return None
        if not found.opened:
            raise TakenForDeadError
        rows, stored = found.rows, found.stored
        late: list[Row] = []
        if passed := {row.id for row in rows if row.deadline is not None and row.deadline < now}:
            rows = tuple([row for row in rows if row.id not in passed])
            late = reading.rows(self._session, sorted(passed))
        if rows:
            self.taken.append(claim)
            if stored.account is None and whose is not None:
                accounts.stamp(self._session, [stored.id], whose)
                stored = reading.message(self._session, stored.id) or stored
        return Taken(claim if rows else 0, stored, rows, tuple(late))

    def _take_next(self, claim: int, worker: str, now: float, whose: int | None, limit: int) -> claiming.Found | None:
        since = self._positions.since(whose)
        found = claiming.take_next(self._session, claim, worker, now, whose, limit, since)
        if found is None and since != claiming.START:
            self._positions.reset()
            found = claiming.take_next(self._session, claim, worker, now, whose, limit, claiming.START)
        if found is None:
            return None
        self._positions.taken(whose, found[0])
        return found[1]

    def claim(self, worker: str, numbers: Sequence[int]) -> tuple[int, tuple[Row, ...]]:
        """Claim rows that were just added."""
        self._may_claim()
        claim = claiming.new_claim()
        if not claiming.open_claim(self._session, claim, worker, self.now, numbers):
            raise TakenForDeadError
        self.taken.append(claim)
        return claim, tuple(reading.rows(self._session, numbers))

    def settle(self, settlement: Settlement) -> int:
        """Write down what became of a claim."""
        if any(ending.state is RowState.QUEUED for ending in settlement.endings):
            self._positions.reset()  # what is put back keeps its place
        return settling.settle(self._session, settlement, since=self._since)

    def claimed_by(self, worker: str) -> list[Row]:
        """Return what a worker has in flight."""
        numbers = [number for _, rows in claiming.ids_of(self._session, worker) for number in rows]
        self._session.all("SELECT 1 FROM ~rows WHERE id = ANY(%s::bigint[]) ORDER BY id FOR UPDATE", numbers)
        return reading.rows(self._session, numbers)

    def drop_claims(self, worker: str) -> None:
        """Close a worker's claims."""
        claiming.drop(self._session, worker)

    # --- changes

    def put(self, rows: Iterable[Row]) -> None:
        """Write rows back."""
        given = list(rows)
        if not given:
            return
        queued = [row.id for row in given if row.state is RowState.QUEUED]
        ended = [row.id for row in given if row.state not in (RowState.QUEUED, RowState.CLAIMED)]
        self._session.many(_CHANGE, [encode_row(_as_stored(row)) for row in given])
        if ended:
            self._session.run("DELETE FROM ~queue WHERE id = ANY(%s::bigint[])", ended)
        if queued:
            self._positions.reset()
            staging.enqueue(self._session, queued)

    def attend(self, limit: int, until: float, account: str | None) -> list[Row]:
        """Return what needs attention."""
        whose, now = self._account(account, make=True), self.now
        found: list[tuple[Any, ...]] = []
        for queue in accounts.queues(self._session, whose):
            mine = accounts.open_to("r", whose) if queue == accounts.NOBODY else ""
            found += self._session.all(
                "SELECT next_poll_at, id FROM ~rows r WHERE account = %s AND next_poll_at IS NOT NULL"  # noqa: S608 - ours
                f" AND next_poll_at <= %s{mine} ORDER BY next_poll_at LIMIT %s FOR UPDATE OF r SKIP LOCKED",
                queue,
                now,
                limit,
            )
        numbers = [number for _, number in sorted(found)[:limit]]
        rows = reading.rows(self._session, numbers)
        accounts.stamp(self._session, sorted({row.message_id for row in rows}), whose)
        self._session.run("UPDATE ~rows SET next_poll_at = %s WHERE id = ANY(%s::bigint[])", until, numbers)
        return rows

    def remove(self, numbers: Iterable[int]) -> int:
        """Remove rows."""
        return staging.remove(self._session, numbers)

    def add_to(self, name: str, number: int) -> None:
        """Raise a count."""
        if number:
            self._session.run("UPDATE ~counters SET value = value + %s WHERE name = %s", number, name)

    def remember(self, name: str, value: str) -> None:
        """Store a user's text."""
        self._session.run(
            "INSERT INTO ~notes VALUES (%s, %s) ON CONFLICT (name) DO UPDATE SET value = excluded.value", name, value
        )

    def put_entries(self, bucket: str, values: Mapping[str, str]) -> None:
        """Store values in a bucket."""
        buckets.put(self._session, bucket, values)

    def drop_entries(self, bucket: str, keys: Collection[str]) -> None:
        """Remove keys from a bucket."""
        buckets.drop(self._session, bucket, keys)

    def set_pace(self, account: str, pace: StoredPace | None) -> None:
        """Store a pace."""
        pacing.write(self._session, account, pace)

    def introduce(self, account: str) -> int:  # noqa: ARG002 - the protocol's
        """Nothing here is older than accounts."""
        return 0

    def hand_over(self, old: str, new: str) -> int:
        """Make one account's messages another's."""
        before = self._account(old)
        if before is None or before == accounts.STRANGER:
            return 0
        return accounts.hand_over(self._session, before, self.number_of(new))


def _as_stored(row: Row) -> Row:
    """Return how a row stands in ``rows``: one that is claimed as it stood before, for its claim says the rest."""
    if row.state is not RowState.CLAIMED:
        return row
    return row._replace(state=RowState.QUEUED, attempts=row.attempts - 1, claim=None)
