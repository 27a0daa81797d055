"""How a settlement is written: what rows have in common as one statement, where their ids allow it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from devinotify.outbox.states import CODES, STATES, RowState

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Sequence

    from devinotify.outbox.settlement import Acceptance, Ending, Settlement

_END = (
    "UPDATE rows SET claim = NULL, state = ?, due = ?, deadline = ?, own_deadline = ?,"  # noqa: S608 - a number of ours
    # A row that was given up and has gone on needs no decision any more when its own outcome comes late.
    " attempts = attempts - ?, error = ?, error_code = ?, error_reason = ?, error_text = ?,"
    " next_poll_at = CASE WHEN stepped THEN NULL ELSE ? END"
    # One that a person has queued again since takes no ending: see ``states.LATE``.
    f" WHERE id = ? AND claim = ? AND state <> {CODES[RowState.QUEUED]}"
)

_ACCEPT_ONE = "UPDATE rows SET message_ids = ?, via = ?, {changes} WHERE id = ? AND claim = {claim:d}"
_ACCEPT_ALL = (
    "UPDATE rows SET message_ids = CAST(substr(:ids, (id - :first) * :length + 1, :length) AS TEXT), via = NULL,"
    " {changes} WHERE id BETWEEN :first AND :last AND claim = {claim:d}"
)
"""One statement for a thousand rows takes less than half of the time of one each; of a BLOB substr() is quick."""


Statements = list[tuple[str, "Sequence[dict[str, object] | tuple[object, ...]]"]]
"""What is executed, each with its parameters: once for each of those."""


def prepared(settlement: Settlement) -> Statements:
    """Return the statements that make the changes, which takes longer than to look them over in a transaction."""
    claim, statements = settlement.batch.claim, Statements()
    for acceptance, accepted in settlement.accepted():
        changes = _changes(acceptance)
        ids, channels, numbers = zip(*accepted, strict=True)
        texts = list(map("\n".join, ids))
        packed = None if len(texts) == 1 or any(channels) else _pack(texts, numbers)
        if packed is not None:
            statements.append((_ACCEPT_ALL.format(changes=changes, claim=claim), [packed]))
        else:
            lines = list(zip([text or None for text in texts], channels, numbers, strict=True))
            statements.append((_ACCEPT_ONE.format(changes=changes, claim=claim), lines))
    if settlement.endings:
        statements.append((_END, [_ended(each, claim) for each in settlement.endings]))
    return statements


def settle(connection: sqlite3.Connection, claim: int, statements: Statements) -> int:
    """Make the changes; return how many rows took them, which is fewer where a row is no longer this claim's."""
    applied = sum(
        (connection.execute(change, lines[0]) if len(lines) == 1 else connection.executemany(change, lines)).rowcount
        for change, lines in statements
    )
    if not connection.execute("DELETE FROM claims WHERE id = ? AND open <= ?", (claim, applied)).rowcount:
        connection.execute("UPDATE claims SET open = open - ? WHERE id = ?", (applied, claim))
    return applied


def held(connection: sqlite3.Connection, claim: int, settlement: Settlement) -> set[int]:
    """Return those of the rows whose outcome is still the claim's to tell."""
    ask = "SELECT state FROM rows WHERE id = ? AND claim = ?"
    found = ((number, connection.execute(ask, (number, claim)).fetchone()) for number in settlement.states)
    return {number for number, line in found if line and settlement.is_taken_by(number, STATES[line[0]])}


def _ended(ending: Ending, claim: int) -> tuple[object, ...]:
    return (
        CODES[ending.state],
        ending.due,
        ending.deadline,
        int(ending.own_deadline),
        ending.untried,
        *ending.error,
        ending.attention,
        ending.id,
        claim,
    )


def _changes(acceptance: Acceptance) -> str:
    """Return what rows that were accepted alike share, as SQL, being quicker than bound: none of it is a text."""
    values: dict[str, float | None] = {
        "state": CODES[RowState.ACCEPTED],
        **acceptance._asdict(),
        **dict.fromkeys(("claim", "error", "error_code", "error_reason", "error_text")),
    }
    values["resends"] = int(acceptance.resends)
    return ", ".join(f"{name} = {'NULL' if value is None else repr(value)}" for name, value in values.items())


def _pack(texts: Sequence[str], numbers: Sequence[int]) -> dict[str, object] | None:
    """Return the parameters of _ACCEPT_ALL where the rows of a campaign follow each other, with ids of one length."""
    first, length = numbers[0], len(texts[0])
    if not length or numbers != tuple(range(first, first + len(numbers))):
        return None
    packed = "".join(texts).encode()
    if set(map(len, texts)) != {length} or len(packed) != length * len(texts):
        return None
    return {"ids": packed, "length": length, "first": first, "last": numbers[-1]}
