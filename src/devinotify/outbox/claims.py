"""What a worker holds and tells: batches that are taken, gone on with, brought back, given up. Each in one transaction.

What becomes of a row is computed by ``rules``; here it is read, changed by the rule and put back. Pure.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from devinotify.exceptions import InvalidInput
from devinotify.outbox.bounds import possible
from devinotify.outbox.lookups import need_message, need_row, need_rows
from devinotify.outbox.records import Batch
from devinotify.outbox.rules import brought_back, concluded, expired, given_up, may_step, recorded, stepped

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from devinotify.models import Outcome, SmsState
    from devinotify.outbox.records import Row, StoredMessage
    from devinotify.outbox.store import Transaction


def take(
    transaction: Transaction, worker: str, limit: int, account: str | None, among: Sequence[int] | None, since: float
) -> tuple[Batch | None, list[Row]]:
    """Return the next batch, or ``None``, and the rows that turned out to be late, as they have ended.

    ``since`` is the caller's monotonic clock, here and below, before the transaction began.
    """
    late: list[Row] = []
    while (taken := transaction.take(worker, limit, account, among)) is not None:
        now = transaction.now
        ended = [expired(row, taken.stored, now) for row in taken.late]
        transaction.put(ended)
        late.extend(ended)
        if taken.rows:
            return Batch(taken.claim, taken.stored, taken.rows, since), late
    return None, late


def take_new(transaction: Transaction, worker: str, numbers: Sequence[int], since: float) -> Batch:
    """Return rows of one message that this transaction has queued as a batch, claimed."""
    claim, rows = transaction.claim(worker, numbers)
    return Batch(claim, need_message(transaction, rows[0].message_id), rows, since)


def tell_of_orders(transaction: Transaction, steps: Mapping[str, int], orders: Mapping[str, int]) -> None:
    """Mark new steps, and the rows that have ordered them; both by recipient. Orders that are gone tell nothing."""
    there = {row.id for row in transaction.rows(sorted(possible(orders.values())))}
    told = {steps[recipient]: order for recipient, order in orders.items() if recipient in steps and order in there}
    transaction.tell(told | {order: order for order in told.values()})


def bring_back(transaction: Transaction, tolerance: float, limit: int) -> int:
    """Make what was stored by a clock that was ahead due as if it had been stored now; return how many rows."""
    now, changed = transaction.now, []
    for row in transaction.ahead(tolerance, limit):
        back = brought_back(row, need_message(transaction, row.message_id), now)
        if back is not row:
            changed.append(back)
    transaction.put(changed)
    return len(changed)


def queue_steps(
    transaction: Transaction, numbers: Iterable[int], channel: str, due: float, deadline: float | None
) -> list[Row]:
    """Return the new steps of those rows that may go on and have not yet.

    Raises InvalidInput where a message has been on ``channel`` for one of these recipients before.
    """
    parents = [row for row in need_rows(transaction, numbers) if may_step(row)]
    steps: list[Row] = []
    stories: dict[int, int] = {}
    for parent, step in zip(parents, transaction.add_steps(parents, channel, due, deadline), strict=True):
        if step is None:
            raise InvalidInput(f"the message of row {parent.id} has been enqueued on {channel} before")
        steps.append(step._replace(story=parent.story))
        if parent.story is not None:
            stories[step.id] = parent.story
    transaction.tell(stories)
    transaction.put([stepped(parent) for parent in parents])
    return steps


def give_up(transaction: Transaction, worker: str) -> list[Row]:
    """Turn the rows that a worker has claimed and not settled into unknown ones; return them."""
    messages: dict[int, StoredMessage] = {}
    lost = []
    for row in transaction.claimed_by(worker):
        if row.message_id not in messages:
            messages[row.message_id] = need_message(transaction, row.message_id)
        lost.append(given_up(row, messages[row.message_id], transaction.now))
    transaction.put(lost)
    transaction.drop_claims(worker)
    return lost


def record(transaction: Transaction, number: int, state: SmsState, first_poll: float) -> Row:
    """Return a row with the delivery state that the gateway told; raise InvalidInput for an illegal transition."""
    before = need_row(transaction, number)
    stored = transaction.message(before.message_id)
    return _put(transaction, before, recorded(before, stored, state, transaction.now, first_poll))


def conclude(transaction: Transaction, number: int, outcome: Outcome) -> Row:
    """Return the row that ordered a fallback's steps with what their story has come to."""
    before = need_row(transaction, number)
    return _put(transaction, before, concluded(before, outcome))


def _put(transaction: Transaction, before: Row, after: Row) -> Row:
    if after is not before:
        transaction.put([after])
    return after
