"""How a settlement is written: one statement for rows that were accepted alike, one for all that ended otherwise."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from devinotify.outbox.postgres import claiming, staging
from devinotify.outbox.states import CODES, RowState

if TYPE_CHECKING:
    from collections.abc import Iterable

    from devinotify.outbox.postgres.session import Session
    from devinotify.outbox.settlement import Settlement

_ACCEPT = f"""
    UPDATE ~rows r SET state = {CODES[RowState.ACCEPTED]}, claim = NULL, attempts = attempts + given.tried,
        error = NULL, error_code = NULL, error_reason = NULL, error_text = NULL, segments = %s, sent_at = %s,
        resends = %s, next_poll_at = %s, watch_until = %s, patience_until = %s,
        message_ids = given.ids, via = given.via
    FROM unnest(%s::bigint[], %s::text[], %s::text[], %s::integer[]) AS given (id, ids, via, tried)
    WHERE r.id = given.id
"""  # noqa: S608 - our own words

_END = """
    UPDATE ~rows r SET state = given.state, claim = NULL, due = given.due, deadline = given.deadline,
        attempts = attempts + given.tried, error = given.error, error_code = given.code,
        error_reason = given.reason, error_text = given.words,
        -- A row that was given up and has gone on needs no decision any more when its own outcome comes late.
        next_poll_at = CASE WHEN r.stepped = 1 THEN NULL ELSE given.look END
    FROM unnest(%s::bigint[], %s::smallint[], %s::float8[], %s::float8[], %s::integer[], %s::text[], %s::integer[],
        %s::text[], %s::text[], %s::float8[])
        AS given (id, state, due, deadline, tried, error, code, reason, words, look)
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


def held(session: Session, claim: int, numbers: Iterable[int]) -> Held:
    """Return what is still the claim's, kept from all others."""
    asked = set(numbers)
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
        late = {number for number in states if number not in waiting or number in free}
    return Held(open_rows, mine, late)


def settle(session: Session, claim: int, settlement: Settlement) -> int:
    """Make the changes; return how many rows took them, which is fewer where a row is no longer this claim's."""
    # Mostly it tells of all that the claim has, which is closed in one step then, and kept from all others by that.
    whole = claiming.close_whole(session, claim, settlement.states)
    found = Held(None, set(settlement.states), set()) if whole else held(session, claim, settlement.states)
    taking = found.mine | found.late
    if found.late:
        session.run("DELETE FROM ~queue WHERE id = ANY(%s::bigint[])", sorted(found.late))
    for acceptance, accepted in settlement.accepted():
        lines = [
            (number, "\n".join(ids) or None, via, int(number in found.mine))
            for ids, via, number in accepted
            if number in taking
        ]
        if lines:
            shared = (*acceptance[:2], int(acceptance.resends), *acceptance[3:])
            session.run(_ACCEPT, *shared, *map(list, zip(*lines, strict=True)))
    endings = [
        (
            ending.id,
            CODES[ending.state],
            ending.due,
            ending.deadline,
            int(ending.id in found.mine) - ending.untried,
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
        claiming.shrink(session, claim, found.open - found.mine)
    return len(taking)
