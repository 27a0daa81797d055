"""The rule of this house: what is stored is answered 200, and only what is not stored is refused.

A message is stored under a key, so that whoever posts it again, since the answer was lost or since there are two of
him, is given the rows that there are. What becomes of it then (its verdict) is told by the outbox and the metrics, and
never by an answer: a program that is told of a failure posts again, to those too who have it already.
"""

from __future__ import annotations

import logging
import threading
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from devinotify import DevinotifyError, InvalidPhoneNumber, InvalidText, Suppressed, mask_number

from devinotify_webhook import durable, limits
from devinotify_webhook.attempts import Attempt
from devinotify_webhook.errors import NotStored, NotUnderstood

if TYPE_CHECKING:
    from collections.abc import Sequence

    from devinotify import Notifier, Outbox

    from devinotify_webhook.config import Receiver
    from devinotify_webhook.keys import Key
    from devinotify_webhook.limits import Pause
    from devinotify_webhook.metrics import Metrics
    from devinotify_webhook.orders import Order

log: logging.Logger = logging.getLogger(__name__)

URGENT = "urgent"
"""The tag of what no plugin may hold back until morning."""
_OF_RECIPIENTS = (InvalidPhoneNumber, Suppressed)
"""What is wrong with recipients that a request names: posted again, it would have the same answer."""


@dataclass(frozen=True, slots=True, repr=False)
class Taken:
    """What was stored of an order: its rows, who was refused and why (masked), whether it was known already.

    ``paused`` is until when nothing more is sent, where that is why it was not stored.
    """

    rows: tuple[int, ...] = ()
    refused: tuple[tuple[str, str], ...] = ()
    known: bool = False
    paused: str | None = None


class Desk:
    """Takes orders for one outbox; threads may share it.

    Orders are stored one at a time: to look whether one is known and to store it is one step. Where several processes
    share an outbox, a key of the same window is known to all of them, and near the border of two windows the outbox
    lets one of them store: the others refuse it for some seconds, and know it when it is posted to them again.
    """

    def __init__(self, notifier: Notifier, outbox: Outbox, metrics: Metrics) -> None:
        self._notifier = notifier
        self._outbox = outbox
        self._metrics = metrics
        self._turn = threading.Lock()

    def take(self, receiver: Receiver, orders: Sequence[Order]) -> list[Taken]:
        """Store what one post orders so that it survives a power failure, and return what was stored of each.

        What cannot be stored of it keeps nothing else from being stored; then, and where the rest is known when it is
        posted again, this raises NotStored, or NotUnderstood for what is for nobody that the request names.
        """
        taken: list[Taken] = []
        failed: list[DevinotifyError] = []
        with self._turn:
            try:
                self._each(receiver, orders, taken, failed)
            except DevinotifyError as error:
                failed.append(error)
        for one in taken:
            self._tell(receiver, one)
        refusals = [error for error in failed if not isinstance(error, NotUnderstood)]
        if refusals:
            raise NotStored(str(refusals[0])) from refusals[0]
        if failed:
            raise failed[0]
        self._sync(orders)
        return taken

    def _each(
        self, receiver: Receiver, orders: Sequence[Order], taken: list[Taken], failed: list[DevinotifyError]
    ) -> None:
        """Store one after another; add what was ``taken`` of each, and why others ``failed``."""
        attempt = None
        if len(orders) > 1 and any(order.key is None for order in orders):
            attempt = Attempt(self._outbox, receiver, orders)
        for order in orders if attempt is None else attempt.orders:
            try:
                taken.append(self._store(receiver, order))
            except DevinotifyError as error:
                failed.append(error)
        if attempt is not None and not failed:
            attempt.end()

    def _tell(self, receiver: Receiver, taken: Taken) -> None:
        self._metrics.count("known" if taken.known else "stored", receiver.name, by=len(taken.rows))
        if taken.refused:
            self._metrics.count("refused", receiver.name, by=len(taken.refused))
            for recipient, reason in taken.refused:
                log.warning("receiver %s: nothing is sent to %s: %s", receiver.name, recipient, reason)

    def _store(self, receiver: Receiver, order: Order) -> Taken:
        now = self._outbox.now()
        if order.key is not None:
            known = self._known(order.key, now)
            if known is None and self._pass_border(order.key, now):
                now = self._outbox.now()
                known = self._known(order.key, now)
            if known is not None:
                return known
        key = None if order.key is None else order.key.at(now)
        if receiver.limit is None:
            return self._enqueue(receiver, order, key)
        pause = limits.pause(self._outbox, receiver)
        if pause is None:
            taken = self._within(receiver.limit, receiver, order, key)
            if taken is not None:
                return taken
            pause = limits.begin(self._outbox, receiver)
            log.warning(
                "receiver %s: its limit of %d an hour is reached; paused until %s",
                receiver.name,
                receiver.limit,
                pause.at,
            )
        return self._hold_back(receiver, order, pause)

    def _within(self, limit: int, receiver: Receiver, order: Order, key: str | None) -> Taken | None:
        """Return what was stored, and counted, of an order; ``None`` where the limit is reached."""
        recipients = [one for one, refused in self._notifier.resolve(order.to).items() if refused is None]
        use = limits.Use(self._outbox, receiver, order.key)
        stored = 0
        try:
            # Once more, as we may have waited for another process, which has counted it.
            taken = None if order.key is None else self._known(order.key, self._outbox.now())
            if taken is None and use.take(limit, len(recipients)):
                taken = self._enqueue(receiver, order, key)
            stored = 0 if taken is None else len(taken.rows)
            return taken
        finally:
            use.end(stored)

    def _hold_back(self, receiver: Receiver, order: Order, pause: Pause) -> Taken:
        """Tell of a pause whoever has to be told; raise NotStored for a text, which nobody else would tell of.

        Each team is told of its alerts that are the first to be held back. Who gets a text may be for the request to
        say, and whoever posts it is told: so texts cause one announcement in all.
        """
        who = limits.team(order.to)
        told = Taken()
        if who not in pause.told if order.is_alert else not pause.told:
            text = pause.announcement(order.counts, "alert" if order.is_alert else "message")
            key = f"webhook.pause.{receiver.name}.{pause.until}.{who}"
            told = self._enqueue(receiver, replace(order, text=text), key)
            limits.told(self._outbox, receiver, pause, who)
        self._metrics.count("held_back", receiver.name, by=order.counts)
        if not order.is_alert:
            raise NotStored(f"the receiver's limit is reached: nothing is taken until {pause.at}")
        return replace(told, paused=pause.at)

    def _pass_border(self, key: Key, now: float) -> bool:
        """Return whether a border is near, and it is for us to store: after one more look, as we may have waited.

        Raises NotStored where another process may be storing the same under the key of the neighbouring window.
        """
        near = key.near(now)
        if near is None:
            return False
        if not self._outbox.allow(f"webhook.border.{key.base}", 1, near):
            raise NotStored("another process may be storing the same: posted again, it is known, or stored")
        return True

    def _known(self, key: Key, now: float) -> Taken | None:
        """Return what is stored under a key already, in its window or within a window's time before."""
        rows = self._outbox.find(key.at(now))
        before = key.before(now)
        if not rows and before is not None and key.window is not None:
            rows = self._outbox.find(before)
            stored = self._outbox.message(rows[0].message_id) if rows else None
            if stored is None or now - stored.created_at.timestamp() >= key.window:
                return None
        return Taken(tuple(row.id for row in rows), known=True) if rows else None

    def _enqueue(self, receiver: Receiver, order: Order, key: str | None) -> Taken:
        seconds = receiver.deadline
        stored = self._notifier.enqueue(
            order.text,
            list(order.to),
            key=key,
            title=order.title,
            channel=receiver.channel,
            tags=() if receiver.quiet else (URGENT,),
            deadline=None if seconds is None else datetime.fromtimestamp(self._outbox.now() + seconds, UTC),
        )
        refused = tuple((mask_number(recipient), str(error)) for recipient, error in stored.refused.items())
        if not stored.rows:
            why = "; ".join(dict.fromkeys(reason for _, reason in refused))
            wrong = (InvalidText, *(_OF_RECIPIENTS if order.named else ()))
            of_request = all(isinstance(error, wrong) for error in stored.refused.values())
            raise NotUnderstood(why) if of_request else NotStored(why)
        return Taken(tuple(stored.rows.values()), refused, stored.known)

    def _sync(self, orders: Sequence[Order]) -> None:
        if not orders:
            return
        try:
            durable.sync(self._outbox.name)
        except OSError as error:
            why = f"the outbox is not safely on the disk: {error.strerror or type(error).__name__}"
            if all(order.key is not None for order in orders):  # posted again, it is found by its key
                raise NotStored(why) from error
            log.warning("%s", why)
