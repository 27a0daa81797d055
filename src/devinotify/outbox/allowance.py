"""How often something was done of late, kept as texts of a store: who may do it once more. No SQL."""

from __future__ import annotations

import json
from hashlib import sha256
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from devinotify.outbox.store import Transaction

TURN = "allowance"
"""The name of the text that is written first, so that in a database, too, one looks after the other."""
PARTS = 1024
"""Texts that all names are spread over, so that a store never keeps more of them; each forgets what is over."""


def note_of(name: str) -> tuple[str, str]:
    """Return the name of the text that ``name`` is counted in, and what stands for it there: neither tells it."""
    digest = sha256(name.encode("utf-8", "surrogatepass")).hexdigest()
    return f"allowance.{int(digest[:8], 16) % PARTS}", digest[8:40]


def take(kept: str | None, who: str, *, now: float, most: int, within: float, uses: int = 1) -> str | None:
    """Return the text with so many more uses of ``who`` in it, or ``None`` where that would be more than ``most``.

    A use is over ``within`` seconds after it was made: it counts no more, and is forgotten.
    """
    counted = _counting(kept, now)
    mine = counted.get(who, [])
    if len(mine) + uses > most:
        return None
    return _written({**counted, who: mine + [now + within] * uses})


def untake(kept: str | None, who: str, *, now: float, uses: int) -> str:
    """Return the text without so many uses of ``who``: those that would count the longest."""
    counted = _counting(kept, now)
    mine = sorted(counted.get(who, []))
    return _written({**counted, who: mine[: max(0, len(mine) - uses)]})


def _counting(kept: str | None, now: float) -> dict[str, list[float]]:
    uses: dict[str, list[float]] = json.loads(kept) if kept else {}
    return {name: left for name, ends in uses.items() if (left := [end for end in ends if end > now])}


def _written(uses: dict[str, list[float]]) -> str:
    return json.dumps({name: ends for name, ends in uses.items() if ends}, separators=(",", ":"))


def allow(transaction: Transaction, name: str, most: int, within: float, uses: int) -> bool:
    """Count so many more uses of ``name`` and return ``True``; ``False``, and none, where ``most`` would be passed."""
    note, who = _turn(transaction, name)
    kept = take(transaction.recall(note), who, now=transaction.now, most=most, within=within, uses=uses)
    if kept is not None:
        transaction.remember(note, kept)
    return kept is not None


def give_back(transaction: Transaction, name: str, uses: int) -> None:
    """Count so many uses of ``name`` no more."""
    note, who = _turn(transaction, name)
    transaction.remember(note, untake(transaction.recall(note), who, now=transaction.now, uses=uses))


def _turn(transaction: Transaction, name: str) -> tuple[str, str]:
    note, who = note_of(name)
    transaction.remember(TURN, note)
    return note, who
