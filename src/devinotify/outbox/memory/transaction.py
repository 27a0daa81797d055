"""One transaction in memory: what ``store.Transaction`` asks for, over dicts.

What is written is undone where an exception comes, as in a database: each change notes what stood there before.
More than 400 lines: it answers all that a transaction is asked, in a few lines each.
"""

from __future__ import annotations

import heapq
import itertools
from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from devinotify.outbox.memory.tables import stored_message
from devinotify.outbox.records import NO_ERROR, make_row, with_error
from devinotify.outbox.states import RowState
from devinotify.outbox.store import DROPPED, FORGOTTEN, QUEUED_STEPS, STEPS, Taken

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence

    from devinotify.outbox.memory.tables import Tables
    from devinotify.outbox.pace import StoredPace
    from devinotify.outbox.records import ErrorParts, NewMessage, Row, StoredMessage
    from devinotify.outbox.settlement import Settlement
    from devinotify.outbox.store import Selection

_MISSING: Any = object()


class MemoryTransaction:
    """What ``store.Transaction`` asks for, over dicts."""

    def __init__(self, data: Tables, clock: Callable[[], float]) -> None:
        self._data = data
        self._clock = clock
        self._before: list[tuple[dict[Any, Any], Any, Any]] = []

    @property
    def now(self) -> float:
        """The time by the store's clock."""
        return self._clock()

    def undo(self) -> None:
        """Put everything back as it was."""
        while self._before:
            table, name, value = self._before.pop()
            if value is _MISSING:
                table.pop(name, None)
            else:
                table[name] = value

    def _set(self, table: dict[Any, Any], name: object, value: object) -> None:
        self._before.append((table, name, table.get(name, _MISSING)))
        table[name] = value

    def _drop(self, table: dict[Any, Any], name: object) -> None:
        self._before.append((table, name, table.pop(name, _MISSING)))

    def _next(self, name: str, number: int = 1) -> int:
        first = self._data.counts[name] + 1
        self._set(self._data.counts, name, first + number - 1)
        return first

    def _is_mine(self, row: Row, account: str | None) -> bool:
        return account is None or self._data.messages[row.message_id].account in (None, account)

    def _stamp(self, message_id: int, account: str | None) -> None:
        stored = self._data.messages[message_id]
        if account is not None and stored.account is None:
            self._set(self._data.messages, message_id, replace(stored, account=account))

    # --- asked

    def rows(self, numbers: Iterable[int]) -> list[Row]:
        """Return the rows of these ids that are there."""
        return [self._data.rows[number] for number in numbers if number in self._data.rows]

    def message(self, number: int) -> StoredMessage | None:
        """Return a message."""
        return self._data.messages.get(number)

    def message_of_key(self, key: str) -> int | None:
        """Return the id of a key's message."""
        return self._data.keys.get(key)

    def rows_of(self, message_id: int, recipient: str | None = None) -> list[Row]:
        """Return a message's rows."""
        return [
            row
            for row in self._ordered()
            if row.message_id == message_id and (recipient is None or row.recipient == recipient)
        ]

    def steps_of(self, order: int) -> list[Row]:
        """Return an order's steps."""
        return [row for row in self._ordered() if row.story == order and row.id != order]

    def _ordered(self) -> list[Row]:
        # An undone removal puts a row back at the end.
        return sorted(self._data.rows.values(), key=lambda row: row.id)

    def page(self, selection: Selection, after: int, size: int) -> list[Row]:
        """Return a page of a selection."""
        chosen = (row for row in self._ordered() if row.id > after and self._is_chosen(row, selection))
        return list(itertools.islice(chosen, size))

    def latest(self, selection: Selection, before: int, size: int) -> list[Row]:
        """Return the newest of a selection."""
        chosen = (row for row in reversed(self._ordered()) if row.id < before and self._is_chosen(row, selection))
        return list(itertools.islice(chosen, size))

    def _is_chosen(self, row: Row, selection: Selection) -> bool:
        return (
            (selection.states is None or row.state in selection.states)
            and selection.message_id in (None, row.message_id)
            and selection.channel in (None, row.channel)
            and selection.recipient in (None, row.recipient)
            and (selection.steps or not _is_ordered(row))
            and self._is_mine(row, selection.account)
        )

    def counts(self, account: str | None, channel: str | None = None) -> Mapping[str, int]:
        """Count rows by their states."""
        rows = [row for row in self._data.rows.values() if self._is_mine(row, account)]
        # On one channel they are rows like any other.
        steps = [row for row in rows if _is_ordered(row)] if channel is None else []
        found = Counter(
            str(row.state) for row in rows if channel == row.channel or (channel is None and not _is_ordered(row))
        )
        return {
            **{str(state): found[state] for state in RowState},
            STEPS: len(steps),
            QUEUED_STEPS: sum(map(_is_queued, steps)),
            **self._gone(),
        }

    def _gone(self) -> dict[str, int]:
        return {name: self._data.counts[name] for name in (DROPPED, FORGOTTEN)}

    def next_due(self, account: str | None, *, queued: bool) -> float | None:
        """Return when something comes due."""
        mine = [row for row in self._data.rows.values() if self._is_mine(row, account)]
        moments = [row.next_attempt_at for row in mine if row.state is RowState.QUEUED]
        moments += [] if queued else [row.next_poll_at for row in mine]
        return min((moment for moment in moments if moment is not None), default=None)

    def ahead(self, by: float, limit: int) -> list[Row]:
        """Return what was stored in times to come."""
        later = self.now + by
        found = (
            row
            for row in self._data.rows.values()
            if _is_queued(row)
            and (row.next_attempt_at or 0.0) > later
            and self._data.messages[row.message_id].created_at.timestamp() > later
        )
        return list(itertools.islice(found, limit))

    def waiting(self) -> dict[str, int]:
        """Count queued rows by their accounts."""
        whose = (self._data.messages[row.message_id].account for row in self._data.rows.values() if _is_queued(row))
        return dict(sorted(Counter(account for account in whose if account is not None).items()))

    def last_id(self) -> int:
        """Return the highest id that was given."""
        return self._data.counts["id"]

    def total(self) -> int:
        """Count all rows."""
        return len(self._data.rows)

    def finished(self, states: Collection[RowState], limit: int) -> list[int]:
        """Return the oldest that may go."""
        found = (row.id for row in self._ordered() if row.state in states and row.next_poll_at is None)
        return list(itertools.islice(found, limit))

    def held(self, settlement: Settlement) -> set[int]:
        """Return what is still the claim's."""
        return {
            row.id
            for row in self.rows(settlement.states)
            if row.claim == settlement.batch.claim and settlement.is_taken_by(row.id, row.state)
        }

    def is_open(self, claim: int, seconds: float) -> bool:  # noqa: ARG002 - who lives here is seen at once
        """Whether the claim is still there."""
        return claim in self._data.claims

    def recall(self, name: str) -> str | None:
        """Return a user's text."""
        return self._data.texts.get(name)

    def entries(self, bucket: str, keys: Sequence[str]) -> dict[str, str]:
        """Return what stands in a bucket."""
        found = self._data.entries
        return {key: found[bucket, key] for key in keys if (bucket, key) in found}

    def entries_after(self, bucket: str, after: str, size: int) -> list[tuple[str, str]]:
        """Return a page of a bucket."""
        found = self._data.entries
        return heapq.nsmallest(size, ((key, found[of, key]) for of, key in found if of == bucket and key > after))

    def pace(self, account: str) -> StoredPace | None:
        """Return a stored pace."""
        return self._data.paces.get(account)

    # --- new messages and rows

    def register(self, new: NewMessage) -> int:
        """Store a message without rows."""
        return self._add_message(new, self._next("id"))

    def _add_message(self, new: NewMessage, number: int) -> int:
        self._set(self._data.messages, number, stored_message(new, number, self.now))
        if new.key is not None:
            self._set(self._data.keys, new.key, number)
        return number

    def add(
        self, new: NewMessage, recipients: Sequence[str], channel: str, due: float, deadline: float | None
    ) -> Sequence[int]:
        """Store a message with its rows."""
        first = self._next("id", len(recipients))
        self._add_message(new, first)
        for number, recipient in enumerate(recipients, first):
            self._add_row(make_row(number, first, recipient, channel, RowState.QUEUED, 0, due, deadline))
        return range(first, first + len(recipients))

    def _add_row(self, row: Row) -> bool:
        place = (row.message_id, row.recipient, row.channel)
        if place in self._data.once:
            return False
        self._set(self._data.rows, row.id, row)
        self._set(self._data.once, place, row.id)
        return True

    def add_each(self, lines: Sequence[tuple[NewMessage, str, float | None]]) -> int:
        """Store messages of one recipient each."""
        added = 0
        for new, recipient, deadline in lines:
            if new.key is None or new.key not in self._data.keys:
                self.add(new, (recipient,), new.message.channel, self.now, deadline)
                added += 1
        return added

    def extend(
        self, message_id: int, recipients: Sequence[str], channel: str, due: float, deadline: float | None
    ) -> int:
        """Queue a message for more recipients."""
        first = self._next("id", len(recipients))
        return sum(
            self._add_row(make_row(number, message_id, recipient, channel, RowState.QUEUED, 0, due, deadline))
            for number, recipient in enumerate(recipients, first)
        )

    def refuse(self, message_id: int, channel: str, state: RowState, refused: Sequence[tuple[str, ErrorParts]]) -> int:
        """Store rows that have ended."""
        first = self._next("id", len(refused))
        return sum(
            self._add_row(with_error(make_row(number, message_id, recipient, channel, state, 0, None, None), error))
            for number, (recipient, error) in enumerate(refused, first)
        )

    def add_steps(self, parents: Sequence[Row], channel: str, due: float, deadline: float | None) -> list[Row | None]:
        """Queue the next steps."""
        steps: list[Row | None] = []
        for parent in parents:
            step = make_row(
                self._next("id"),
                parent.message_id,
                parent.recipient,
                channel,
                RowState.QUEUED,
                0,
                due,
                deadline,
                parent=parent.id,
            )
            steps.append(step if self._add_row(step) else None)
        return steps

    def tell(self, stories: Mapping[int, int]) -> None:
        """Write down whose stories are told by whom."""
        self.put([row._replace(story=stories[row.id]) for row in self.rows(stories)])

    # --- claims

    def due(self, account: str | None) -> Iterator[Row]:
        """Yield what can be claimed, what has been due for longest first."""
        now = self.now
        found = [row for row in self._data.rows.values() if _is_queued(row) and (row.next_attempt_at or 0.0) <= now]
        found.sort(key=lambda row: (row.next_attempt_at, row.message_id, row.channel, row.id))
        return (row for row in found if self._is_mine(row, account))

    def take(self, worker: str, limit: int, account: str | None, among: Sequence[int] | None = None) -> Taken | None:
        """Claim what has been due for longest."""
        due = list(self.due(account))
        if among is not None:
            due = [row for row in self.rows(among) if row in due]
        if not due:
            return None
        alike = [row for row in due if (row.message_id, row.channel) == (due[0].message_id, due[0].channel)][:limit]
        late = tuple(row for row in alike if row.deadline is not None and row.deadline < self.now)
        numbers = sorted(row.id for row in alike if row not in late)
        claim, rows = self.claim(worker, numbers) if numbers else (0, ())
        if numbers:
            self._stamp(due[0].message_id, account)
        return Taken(claim, self._data.messages[due[0].message_id], rows, late)

    def claim(self, worker: str, numbers: Sequence[int]) -> tuple[int, tuple[Row, ...]]:
        """Claim queued rows."""
        claim = self._next("claim")
        self._set(self._data.claims, claim, (worker, frozenset(numbers)))
        claimed = [
            row._replace(state=RowState.CLAIMED, attempts=row.attempts + 1, claim=claim) for row in self.rows(numbers)
        ]
        self.put(claimed)
        return claim, tuple(claimed)

    def settle(self, settlement: Settlement) -> int:
        """Write down what became of a claim."""
        claim = settlement.batch.claim
        held = self.held(settlement)
        settled = [row for row in self._settled(settlement) if row.id in held]
        self.put(row._replace(claim=None) for row in settled)
        if claim in self._data.claims:
            worker, left = self._data.claims[claim]
            left -= {row.id for row in settled}
            if left:
                self._set(self._data.claims, claim, (worker, left))
            else:
                self._drop(self._data.claims, claim)
        return len(settled)

    def _settled(self, settlement: Settlement) -> Iterator[Row]:
        for acceptance, accepted in settlement.accepted():
            for ids, via, number in accepted:
                for row in self.rows([number]):
                    yield with_error(row, NO_ERROR)._replace(
                        state=RowState.ACCEPTED, message_ids=ids, via=via, **acceptance._asdict()
                    )
        for ending in settlement.endings:
            for row in self.rows([ending.id]):
                yield with_error(row, ending.error)._replace(
                    state=ending.state,
                    next_attempt_at=ending.due,
                    deadline=ending.deadline,
                    own_deadline=ending.own_deadline,
                    attempts=row.attempts - ending.untried,
                    next_poll_at=None if row.stepped else ending.attention,
                )

    def claimed_by(self, worker: str) -> list[Row]:
        """Return what a worker has in flight."""
        return [
            row
            for claim, (whose, numbers) in self._data.claims.items()
            if whose == worker
            for row in self.rows(sorted(numbers))
            if row.claim == claim and row.state is RowState.CLAIMED
        ]

    def drop_claims(self, worker: str) -> None:
        """Close a worker's claims."""
        for claim in [claim for claim, (whose, _) in self._data.claims.items() if whose == worker]:
            self._drop(self._data.claims, claim)

    # --- changes

    def put(self, rows: Iterable[Row]) -> None:
        """Write rows back."""
        for row in [each for each in rows if each.id in self._data.rows]:
            self._set(self._data.rows, row.id, row)

    def attend(self, limit: int, until: float, account: str | None) -> list[Row]:
        """Return what needs attention."""
        now = self.now
        due = [
            row
            for row in self._data.rows.values()
            if row.next_poll_at is not None and row.next_poll_at <= now and self._is_mine(row, account)
        ]
        due = sorted(due, key=lambda row: (row.next_poll_at, row.id))[:limit]
        for row in due:
            self._stamp(row.message_id, account)
        self.put(row._replace(next_poll_at=until) for row in due)
        return due

    def remove(self, numbers: Iterable[int]) -> int:
        """Remove rows."""
        rows = self.rows(dict.fromkeys(numbers))
        for row in rows:
            self._drop(self._data.rows, row.id)
            self._drop(self._data.once, (row.message_id, row.recipient, row.channel))
        left = {row.message_id for row in self._data.rows.values()}
        for message_id in {row.message_id for row in rows} - left:
            key = self._data.messages[message_id].key
            self._drop(self._data.messages, message_id)
            if key is not None:
                self._drop(self._data.keys, key)
        return len(rows)

    def add_to(self, name: str, number: int) -> None:
        """Raise a count."""
        self._set(self._data.counts, name, self._data.counts[name] + number)

    def remember(self, name: str, value: str) -> None:
        """Store a user's text."""
        self._set(self._data.texts, name, value)

    def put_entries(self, bucket: str, values: Mapping[str, str]) -> None:
        """Store values in a bucket."""
        for key, value in values.items():
            self._set(self._data.entries, (bucket, key), value)

    def drop_entries(self, bucket: str, keys: Collection[str]) -> None:
        """Remove keys from a bucket."""
        for key in keys:
            self._drop(self._data.entries, (bucket, key))

    def set_pace(self, account: str, pace: StoredPace | None) -> None:
        """Store a pace."""
        self._set(self._data.paces, account, pace)

    def introduce(self, account: str) -> int:  # noqa: ARG002 - the protocol's
        """Nothing here is older than accounts."""
        return 0

    def hand_over(self, old: str, new: str) -> int:
        """Make one account's messages another's."""
        theirs = {number for number, stored in self._data.messages.items() if stored.account == old}
        for number in theirs:
            self._set(self._data.messages, number, replace(self._data.messages[number], account=new))
        return sum(row.message_id in theirs for row in self._data.rows.values())


def _is_queued(row: Row) -> bool:
    return row.state is RowState.QUEUED


def _is_ordered(row: Row) -> bool:
    return row.story not in (None, row.id)
