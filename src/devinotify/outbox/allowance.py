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


def take(kept: str | None, who: str, *, now: float, most: int, within: float) -> str | None:
    """Return the text with one more use of ``who`` in it, or ``None`` where ``most`` are there already.

    A use is over ``within`` seconds after it was made: it counts no more, and is forgotten.
    """
    uses: dict[str, list[float]] = json.loads(kept) if kept else {}
    uses = {name: left for name, ends in uses.items() if (left := [end for end in ends if end > now])}
    mine = uses.setdefault(who, [])
    if len(mine) >= most:
        return None
    mine.append(now + within)
    return json.dumps(uses, separators=(",", ":"))


def allow(transaction: Transaction, name: str, most: int, within: float) -> bool:
    """Count one more use of ``name`` and return ``True``; ``False`` where ``most`` are counted already."""
    note, who = note_of(name)
    transaction.remember(TURN, note)
    kept = take(transaction.recall(note), who, now=transaction.now, most=most, within=within)
    if kept is not None:
        transaction.remember(note, kept)
    return kept is not None
