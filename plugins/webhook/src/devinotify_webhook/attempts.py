"""Posts of several messages where each post is a message of its own: which post is one that was refused, made again.

A post for two teams may find the outbox full after the first team's message. It is answered 503 and posted again, and
with ``dedupe = 0`` nothing tells it from another post: the first team would get its message each time. So an attempt is
written down before its first message is stored, and struck out when all are. Between the two, whatever ended it, the
same messages are the same attempt: its name is part of their keys, so that what is stored already is known.
"""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING
from uuid import uuid4

from devinotify_webhook import keys

if TYPE_CHECKING:
    from collections.abc import Sequence

    from devinotify import Outbox

    from devinotify_webhook.config import Receiver
    from devinotify_webhook.orders import Order

OPEN = 600.0
"""Seconds for which an attempt waits to be made again: longer than the group interval that programs are used with."""
PARTS = 256
"""Texts of the outbox that all attempts are spread over, so that it never keeps more of them."""


class Attempt:
    """The orders of one post that have no keys of their own, with keys that last until all of them are stored.

    Raises DevinotifyError where it cannot be written down; nothing is stored then. Used by one thread at a time; of two
    processes that begin at the same moment each may make its own.
    """

    def __init__(self, outbox: Outbox, receiver: Receiver, orders: Sequence[Order]) -> None:
        self._outbox = outbox
        bases = [keys.of_text(receiver.name, one.text, one.to, one.title, OPEN).base for one in orders]
        self._digest = keys.given(receiver.name, "\n".join(bases)).base
        self._note = f"webhook.attempts.{int(self._digest[-8:], 16) % PARTS}"
        known = self._open()
        name, _ = known.get(self._digest, (uuid4().hex, 0.0))
        self._write({**known, self._digest: (name, outbox.now() + OPEN)})
        self.orders: list[Order] = [
            replace(one, key=keys.Key(f"{base}.{name}")) for one, base in zip(orders, bases, strict=True)
        ]

    def end(self) -> None:
        """Strike it out: all of it is stored, and the next post of the same is another one."""
        known = self._open()
        known.pop(self._digest, None)
        self._write(known)

    def _open(self) -> dict[str, tuple[str, float]]:
        """Return the attempts under way in the same text: name, and until when it waits, by digest."""
        kept, now = self._outbox.recall(self._note), self._outbox.now()
        found = json.loads(kept) if kept else {}
        return {digest: (name, until) for digest, (name, until) in found.items() if until > now}

    def _write(self, known: dict[str, tuple[str, float]]) -> None:
        self._outbox.remember(self._note, json.dumps(known, separators=(",", ":")))
