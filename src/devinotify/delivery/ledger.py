"""What a reader of incoming messages has written down: up to when all was told of, and of what since, and to whom.

Each message that was told of stands under its key with its time. Where an observer could not take it by now, its name
stands beside that as owed, so that the message comes again to that one, and to nobody else. It is kept in a bucket of
the outbox, for all who share it.
"""

from __future__ import annotations

import json
from datetime import datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from devinotify.outbox.buckets import Bucket

CURSOR = "cursor"
"""The key under which it stands up to when everything was told of, beside those of messages."""
OWED = "owed:"
"""What the key of a message has before it under which it stands to whom the message is owed: a JSON list of names."""


class Ledger:
    """The bucket's entries as they stood when it was made, and how they are changed.

    ``first`` is the cursor where there has been no reading before; ``told`` has the time of each message by its key,
    ``owed`` the observers that it is owed to, where there are any.
    """

    def __init__(self, bucket: Bucket, first: datetime) -> None:
        self._bucket = bucket
        self._entries = dict(bucket.items())
        entries = dict(self._entries)
        cursor = entries.pop(CURSOR, None)
        self.cursor: datetime = first if cursor is None else datetime.fromisoformat(cursor)
        if cursor is None:
            # Before anything else: a later first reading would begin later.
            bucket.put({CURSOR: first.isoformat()})
        self.owed: dict[str, frozenset[str]] = {
            key.removeprefix(OWED): frozenset(json.loads(entries.pop(key)))
            for key in list(entries)
            if key.startswith(OWED)
        }
        self.told: dict[str, datetime] = {key: datetime.fromisoformat(at) for key, at in entries.items()}

    def stands(self, key: str) -> bool:
        """Return whether nobody else has written anything about this message meanwhile."""
        keys = [key, f"{OWED}{key}"]
        return self._bucket.get(keys) == {each: self._entries[each] for each in keys if each in self._entries}

    def write(self, key: str, at: datetime, owed: Collection[str]) -> None:
        """Write down that a message was told of to all but those whom it is owed to."""
        names = json.dumps(sorted(owed)) if owed else None  # all in ASCII, as any store can keep it
        self._bucket.change([key], lambda _: {key: at.isoformat(), f"{OWED}{key}": names})

    def move_on(self, cursor: datetime, outlived: Iterable[str]) -> None:
        """Write down that everything up to ``cursor`` was told of to everybody, and forget what is out of reach."""
        forgotten = [name for key in outlived for name in (key, f"{OWED}{key}") if name in self._entries]

        def moved(found: dict[str, str]) -> dict[str, str | None]:
            return {CURSOR: max(cursor, datetime.fromisoformat(found[CURSOR])).isoformat(), **dict.fromkeys(forgotten)}

        self._bucket.change([CURSOR], moved)
