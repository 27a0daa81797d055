"""What a person does with rows, each in one transaction: queue again, forget, hand to another account. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from devinotify.exceptions import InvalidInput
from devinotify.limits import Count
from devinotify.outbox.buckets import INCOMING, LIMITS, PAGE
from devinotify.outbox.lookups import need_message, need_rows
from devinotify.outbox.records import Role
from devinotify.outbox.rules import check_forgettable, may_be_stale, no_retry, retried, stale, waits_for_limit
from devinotify.outbox.states import RETRIES, RowState
from devinotify.outbox.store import FORGOTTEN

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Sequence
    from datetime import datetime

    from devinotify.outbox.records import Row, StoredMessage
    from devinotify.outbox.store import Transaction

WAITING = "waiting"
"""The name under which an outbox remembers that some of what is queued waits for a limit."""


Note = tuple[str, "Callable[[str | None, Sequence[Row]], str]"]
"""A text of the caller's that is written with what is queued again: its name, and what it becomes by these rows."""


def check_retry(state: RowState, *, force: bool, undelivered: bool) -> None:
    """Raise InvalidInput where no row in this state may be queued again."""
    if undelivered and state is RowState.FAILED:
        return
    if state not in RETRIES:
        raise InvalidInput(f"rows that are {state} cannot be sent again")
    if RETRIES[state] and not force:
        raise InvalidInput(f"rows that are {state} may have been sent: sending them again takes force")


def retry(transaction: Transaction, numbers: Iterable[int], *, force: bool, note: Note | None = None) -> int:
    """Queue rows again, all or none; return how many."""
    chosen = need_rows(transaction, numbers)
    for why in no_retries(transaction, chosen, force=force).values():
        raise InvalidInput(why)
    return _queue_again(transaction, chosen, note)


def no_retries(
    transaction: Transaction, rows: Iterable[Row], *, force: bool, undelivered: bool = False
) -> dict[int, str]:
    """Return why rows may not be queued again, by their ids; those that may are left out."""
    messages: dict[int, StoredMessage] = {}
    found: dict[int, str] = {}
    for row in rows:
        why = no_retry(row, force=force, undelivered=undelivered)
        if why is None and may_be_stale(row, transaction.now):
            if row.message_id not in messages:
                messages[row.message_id] = need_message(transaction, row.message_id)
            why = stale(row, messages[row.message_id])
        if why is not None:
            found[row.id] = why
    return found


def retry_page(
    transaction: Transaction, page: Sequence[Row], *, force: bool, undelivered: bool, note: Note | None
) -> int:
    """Queue those rows of a page again that may be, and are still in the state in which they were read."""
    rows = _not_arrived(transaction, _unchanged(transaction, page))
    refused = no_retries(transaction, rows, force=force, undelivered=undelivered)
    return _queue_again(transaction, [row for row in rows if row.id not in refused], note)


def _queue_again(transaction: Transaction, rows: Sequence[Row], note: Note | None) -> int:
    if note is not None and rows:
        name, changed = note
        transaction.remember(name, changed(transaction.recall(name), rows))
    transaction.put([retried(row, transaction.now) for row in rows])
    return len(rows)


def adopt(transaction: Transaction, old: str, new: str, *, rows_alone: bool) -> int:
    """Make all that is one account's another's; return how many rows.

    Unless it is ``rows_alone``, the pace and what is known of its incoming messages go along; where the other has
    these, its own stay. What was counted against its limits counts for the other too.
    """
    rows = transaction.hand_over(old, new)
    if rows_alone:
        return rows
    pace = transaction.pace(old)
    if pace is not None:
        transaction.set_pace(old, None)
        if transaction.pace(new) is None:
            transaction.set_pace(new, pace)
    theirs = not transaction.entries_after(INCOMING + new, "", 1)
    while page := dict(transaction.entries_after(INCOMING + old, "", PAGE)):
        if theirs:
            transaction.put_entries(INCOMING + new, page)
        transaction.drop_entries(INCOMING + old, page)
    _count_for(transaction, old, new)
    return rows


def _count_for(transaction: Transaction, old: str, new: str) -> None:
    """Add what was counted against the limits of one account to what counts for another."""
    while page := dict(transaction.entries_after(LIMITS + old, "", PAGE)):
        # As entries they are kept from whoever counts meanwhile: what is read here is what is moved.
        moved = transaction.entries(LIMITS + old, list(page))
        own = transaction.entries(LIMITS + new, list(page))
        sums = {key: Count.read(value).beside(Count.read(own.get(key))).written() for key, value in moved.items()}
        transaction.put_entries(LIMITS + new, {key: value for key, value in sums.items() if value is not None})
        transaction.drop_entries(LIMITS + old, page)


def hurry_page(transaction: Transaction, page: Sequence[Row]) -> int:
    """Make those rows of a page due that are queued still and wait for a limit; return how many."""
    now = transaction.now
    found = [row for row in _unchanged(transaction, page) if waits_for_limit(row, now)]
    transaction.put([row._replace(next_attempt_at=now) for row in found])
    return len(found)


def check_forget(states: Collection[RowState]) -> None:
    """Raise InvalidInput where rows of these states may not be forgotten: their outcomes must find them."""
    if RowState.CLAIMED in states:
        raise InvalidInput("rows that are being sent cannot be forgotten")


def forget(transaction: Transaction, numbers: Iterable[int]) -> int:
    """Remove rows, all or none, an order with its steps; return how many."""
    found = _with_steps(transaction, transaction.rows(numbers))
    for row in found:
        check_forgettable(row)
    return _remove(transaction, found)


def forget_page(transaction: Transaction, page: Sequence[Row], older_than: datetime | None) -> int:
    """Remove those rows of a page that need no attention any more, and are still in the state in which they were.

    The steps of an order go with it, and it stays as long as one of them is open.
    """
    done = []
    for row in _unchanged(transaction, page):
        if row.story not in (None, row.id) and transaction.rows([row.story or 0]):
            continue  # it goes with its order
        steps = transaction.steps_of(row.id) if row.role is Role.ORDER else []
        if row.next_poll_at is None and not any(map(_is_open, steps)) and _is_older(transaction, row, older_than):
            done += [row, *steps]
    return _remove(transaction, done)


def _is_open(row: Row) -> bool:
    return row.next_poll_at is not None or row.state in (RowState.QUEUED, RowState.CLAIMED)


def _with_steps(transaction: Transaction, rows: Iterable[Row]) -> list[Row]:
    found = {row.id: row for row in rows}
    for order in [row.id for row in found.values() if row.role is Role.ORDER]:
        found |= {step.id: step for step in transaction.steps_of(order)}
    return list(found.values())


def _unchanged(transaction: Transaction, page: Sequence[Row]) -> list[Row]:
    """Return the rows of a page as they stand now, those left out that have reached another state since it was read."""
    seen = {row.id: row.state for row in page}
    return [row for row in transaction.rows(seen) if row.state is seen[row.id]]


def _not_arrived(transaction: Transaction, rows: Sequence[Row]) -> list[Row]:
    """Return these rows without second steps whose first has arrived after all."""
    parents = sorted({row.parent for row in rows if row.parent is not None})
    arrived = {row.id for row in transaction.rows(parents) if row.state is RowState.DELIVERED}
    return [row for row in rows if row.parent not in arrived]


def _remove(transaction: Transaction, rows: Sequence[Row]) -> int:
    removed = transaction.remove([row.id for row in rows])
    transaction.add_to(FORGOTTEN, removed)
    return removed


def _is_older(transaction: Transaction, row: Row, than: datetime | None) -> bool:
    if than is None:
        return True
    stored = transaction.message(row.message_id)
    return stored is not None and stored.created_at < than
