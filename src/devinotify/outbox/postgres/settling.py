"""How a settlement is written: one statement for rows that were accepted alike, one for all that ended otherwise."""

from __future__ import annotations

from operator import itemgetter
from typing import TYPE_CHECKING, NamedTuple

from devinotify.outbox.postgres import claiming, reading, staging
from devinotify.outbox.states import CODES, STATES, RowState

if TYPE_CHECKING:
    from collections.abc import Iterable

    from devinotify.outbox.postgres.session import Session
    from devinotify.outbox.records import Batch
    from devinotify.outbox.settlement import Acceptance, AcceptedRow, Settlement

_ACCEPT = "SELECT ~accept(%s, %s, %s, %s::smallint, %s, %s, %s, %s::bigint[], %s::text[], %s::text[], %s::bigint[])"

_SETTLE = "SELECT ~settle(%s, %s, %s, %s, %s, %s::smallint, %s, %s, %s, %s::bigint[], %s::text[], %s::text[])"

_END = """
    UPDATE ~rows r SET state = given.state, claim = NULL, due = given.due, deadline = given.deadline,
        own_deadline = given.own, attempts = attempts + given.tried, error = given.error, error_code = given.code,
        error_reason = given.reason, error_text = given.words,
        -- A row that was given up and has gone on needs no decision any more when its own outcome comes late.
        next_poll_at = CASE WHEN r.stepped = 1 THEN NULL ELSE given.look END
    FROM unnest(%s::bigint[], %s::smallint[], %s::float8[], %s::float8[], %s::smallint[], %s::integer[], %s::text[],
        %s::integer[], %s::text[], %s::text[], %s::float8[])
        AS given (id, state, due, deadline, own, tried, error, code, reason, words, look)
    WHERE r.id = given.id
"""


class Held(NamedTuple):
    """Those of a claim's rows whose outcome is still the claim's to tell."""

    open: set[int] | None
    """All that stand in the claim; ``None`` where it has been closed."""
    mine: set[int]
    """Of those that were asked for, the ones that stand in it."""
    late: set[int]
    """And the ones that were given up since, for which the truth comes late."""
    lost: set[int]
    """And the ones that stand as they were before: the claim was lost with the server that it was committed in."""

    @property
    def all(self) -> set[int]:
        """All that take their outcome."""
        return self.mine | self.late | self.lost


def held(session: Session, settlement: Settlement, *, since: float) -> Held:
    """Return what is still the claim's, kept from all others; claims from before ``since`` may have been lost."""
    batch, asked = settlement.batch, set(settlement.states)
    claim = batch.claim
    line = session.one("SELECT rows FROM ~claims WHERE id = %s FOR UPDATE", claim)
    open_rows = None if line is None else set(line[0])
    mine = asked & (open_rows or set())
    late: set[int] = set()
    if rest := sorted(asked - mine):
        states: dict[int, int] = dict(
            session.all(
                "SELECT id, state FROM ~rows WHERE id = ANY(%s::bigint[]) AND claim = %s ORDER BY id FOR UPDATE",
                rest,
                claim,
            )
        )
        waiting = [number for number, state in states.items() if state == CODES[RowState.QUEUED]]
        # One that was queued again and is not in the queue has been claimed anew: that claim will tell.
        free = set(session.ids("SELECT id FROM ~queue WHERE id = ANY(%s::bigint[]) FOR UPDATE", waiting))
        late = {
            number
            for number, state in states.items()
            if (number not in waiting or number in free) and settlement.is_taken_by(number, STATES[state])
        }
    lost: set[int] = set()
    if open_rows is None and batch.since < since:
        lost = _untouched(session, batch, asked - late)
    return Held(open_rows, mine, late, lost)


def _untouched(session: Session, batch: Batch, numbers: set[int]) -> set[int]:
    """Return those rows of a batch that wait as if they had never been claimed, kept from all others.

    Another server may have given their ids to others since: they are known by all that they are.
    """
    stored = reading.message(session, batch.stored.id)
    if stored is None or (stored.message, stored.created_at) != (batch.stored.message, batch.stored.created_at):
        return set()
    wanted = {(row.id, row.recipient, row.channel, row.attempts - 1) for row in batch.rows if row.id in numbers}
    found = session.all(
        f"SELECT id, recipient, channel, attempts FROM ~rows WHERE id = ANY(%s::bigint[]) AND message = %s"  # noqa: S608 - a number of ours
        f" AND state = {CODES[RowState.QUEUED]} ORDER BY id FOR UPDATE",
        sorted(numbers),
        stored.id,
    )
    waiting = [line[0] for line in found if line in wanted]
    return set(session.ids("SELECT id FROM ~queue WHERE id = ANY(%s::bigint[]) FOR UPDATE", waiting))


def settle(session: Session, settlement: Settlement, *, since: float) -> int:
    """Make the changes; return how many rows took them, which is fewer where a row is no longer this claim's.

    ``since`` is as for ``held``.
    """
    batch = settlement.batch
    # Mostly it tells of all that the claim has, which is closed in one step then, and kept from all others by that.
    alike = list(settlement.accepted())
    whole = Held(None, set(settlement.states), set(), set())
    if len(alike) == 1 and not settlement.endings:
        if _accept(session, *alike[0], whole, closes=batch.claim):
            return len(whole.mine)
        found = held(session, settlement, since=since)
    elif claiming.close_whole(session, batch.claim, settlement.states):
        found = whole
    else:
        found = held(session, settlement, since=since)
    taking, tried = found.all, found.mine | found.lost
    if waiting := found.late | found.lost:
        session.run("DELETE FROM ~queue WHERE id = ANY(%s::bigint[])", sorted(waiting))
    for acceptance, accepted in alike:
        _accept(session, acceptance, accepted, found)
    endings = [
        (
            ending.id,
            CODES[ending.state],
            ending.due,
            ending.deadline,
            int(ending.own_deadline),
            int(ending.id in tried) - ending.untried,
            *ending.error,
            ending.attention,
        )
        for ending in settlement.endings
        if ending.id in taking
    ]
    if endings:
        session.run(_END, *map(list, zip(*endings, strict=True)))
        staging.enqueue(session, [line[0] for line in endings if line[1] == CODES[RowState.QUEUED]])
    if found.open is not None and found.mine:
        claiming.shrink(session, batch.claim, found.open - found.mine)
    return len(taking)


def _accept(
    session: Session, acceptance: Acceptance, accepted: Iterable[AcceptedRow], found: Held, *, closes: int | None = None
) -> bool:
    """Write down what was accepted alike, of those rows that take it; return whether that was done.

    ``closes`` is the claim that is closed with it: where it is not of exactly these rows, nothing is done.
    """
    taking, late = found.all, found.late
    if not (mine := [each for each in accepted if each[2] in taking]):
        return False
    line = session.one(_ACCEPT, closes, *_shared(acceptance), *_columns(mine), sorted(late) if late else None)
    return line is not None and bool(line[0])


def settle_alone(
    session: Session, last: int, following: int, claim: int, acceptance: Acceptance, accepted: Iterable[AcceptedRow]
) -> bool:
    """Close a claim of exactly these rows, accepted alike, by one statement that is a transaction; return whether.

    ``last`` and ``following`` are the tokens of the last transaction and of this one. Where it is not done, nothing is.
    """
    line = session.one(_SETTLE, last, following, claim, *_shared(acceptance), *_columns(accepted))
    return line is not None and bool(line[0])


def _shared(acceptance: Acceptance) -> tuple[object, ...]:
    return (*acceptance[:2], int(acceptance.resends), *acceptance[3:])


def _columns(accepted: Iterable[AcceptedRow]) -> tuple[object, ...]:
    """Return ids, the gateway's ids and channels of rows, in the order of their ids."""
    lines = sorted([(number, "\n".join(ids) or None, via) for ids, via, number in accepted], key=itemgetter(0))
    numbers, message_ids, vias = map(list, zip(*lines, strict=True))
    # What they have in common, most often nothing, need not be said of each.
    return numbers, message_ids, vias if any(vias) else None
