"""What was counted of each message already, so that nothing is counted twice: a bounded memory."""

from __future__ import annotations

import os
import threading
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from devinotify import DeliveryStatus, Receipt, SmsState, ViberState

if TYPE_CHECKING:
    from collections.abc import Hashable


_at_work = threading.Lock()
"""Held while a deduplicator is written to, and over a fork: a child would wait for ever for a thread of its parent."""


@dataclass(frozen=True, slots=True)
class News:
    """What is new of a message: ``status`` or ``None``, whether its delivery is decided now, and what it cost more."""

    status: DeliveryStatus | None
    decided: bool
    cost: Decimal


@dataclass(slots=True)
class _Entry:
    status: DeliveryStatus | None = None
    decided: bool = False
    cost: Decimal = Decimal(0)


class Deduplicator:
    """Remembers the last ``most`` messages by a hash of their ids; thread-safe.

    A state comes with the price each time, and may be seen by a worker and by ``wait``, or by ``wait`` twice.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._entries: dict[Hashable, _Entry] = {}

    def enter(self, receipt: Receipt, state: SmsState) -> News:
        """Take note of the state and return what of it is new."""
        status, price = state.whole_status, price_of(state)
        with _at_work:
            # A message without ids, as the channel null has them, cannot be told apart from others.
            entry = self._entry(hash(receipt.message_ids)) if receipt.message_ids else _Entry()
            news = News(
                None if entry.status is status else status,
                status.is_final and not entry.decided,
                max(Decimal(0), price - entry.cost),
            )
            entry.status, entry.decided = status, entry.decided or status.is_final
            entry.cost += news.cost
        return news

    def _entry(self, key: Hashable) -> _Entry:
        # Taken out and put in again, so that the one longest unseen is the first.
        entry = self._entries.pop(key, None) or _Entry()
        self._entries[key] = entry
        if len(self._entries) > self._most:
            del self._entries[next(iter(self._entries))]
        return entry


def price_of(state: SmsState) -> Decimal:
    """Return the price of a message with the SMS that were sent in its place; what has none yet counts 0."""
    resent = state.resent_sms if isinstance(state, ViberState) else ()
    return sum((one.price for one in (state, *resent) if one.price is not None), Decimal(0))


if hasattr(os, "register_at_fork"):  # not on Windows
    os.register_at_fork(before=_at_work.acquire, after_in_parent=_at_work.release, after_in_child=_at_work.release)
