"""Waiting for deliveries: each accepted message is looked at now and then, until its delivery is decided."""

from __future__ import annotations

import heapq
import logging
import math
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from devinotify.channels.protocol import read_state
from devinotify.exceptions import DevinotifyError
from devinotify.gateway.codes import STATE_LIFETIME
from devinotify.models import DeliveryStatus

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Generator, Iterable

    from devinotify.channels.protocol import Channel
    from devinotify.delivery.tracking import Tracker
    from devinotify.delivery.turns import Turns
    from devinotify.gateway.client import Client
    from devinotify.models import Outcome, Receipt, SmsState

log: logging.Logger = logging.getLogger(__name__)

SLOWER = 1.5
"""What the pause between two looks at one delivery is multiplied with after each."""
LONGEST_POLL = 60.0
"""Seconds between two looks at one delivery at most, unless ``poll`` asks for more."""
LAST_LOOKS = 1.0
"""Seconds that the last looks may take when the time to wait is over."""


class Waiting:
    """Waits for the deliveries of outcomes; ``poll`` and ``patience`` are in seconds.

    The next step of a fallback comes before all looks: it is a message that somebody waits for.

    ``channel`` returns a channel by name. The outcomes of ``fallbacks`` are looked at by what ``tracker`` returns,
    since their rows know more than they do. ``observe`` is told of each delivery state that is news. ``turns`` are
    taken before each look, so that all who wait together ask no more often than the vendor allows; a step takes one
    too, and does not wait for it.
    """

    def __init__(
        self,
        client: Client,
        channel: Callable[[str], Channel],
        *,
        fallbacks: Collection[str],
        tracker: Callable[[], Tracker],
        observe: Callable[[Receipt, SmsState], None],
        poll: float,
        patience: float,
        turns: Turns,
    ) -> None:
        self._client = client
        self._channel = channel
        self._fallbacks = fallbacks
        self._tracker = tracker
        self._observe = observe
        self._poll = poll
        self._patience = patience
        self._turns = turns

    def wait(self, outcomes: Iterable[Outcome], timeout: float | None) -> list[Outcome]:
        """Return the outcomes with their last state once all are decided, or ``timeout`` seconds are over."""
        looks = self.looks(outcomes, timeout)
        try:
            while True:
                if pause := next(looks):
                    time.sleep(pause)
        except StopIteration as end:
            decided: list[Outcome] = end.value
            return decided

    def looks(self, outcomes: Iterable[Outcome], timeout: float | None) -> Generator[float, None, list[Outcome]]:
        """Look at one delivery after the other; yield the seconds to wait before each look, and end as ``wait`` does.

        Who waits, a thread or an event loop, is the caller's affair.
        """
        results = list(outcomes)
        start = time.monotonic()
        until = math.inf if timeout is None else start + timeout
        # When each is due, its place, and the pause after that. The place is there once, so pauses are never compared.
        open_places = [place for place, each in enumerate(results) if not self._is_decided(each)]
        steps = [(start + self._until_step(results[place]), place) for place in open_places]
        overdue = {place for due, place in steps if due <= start}
        watches = [(start - (place in overdue), place, self._poll) for place in open_places]
        steps = [(due, place) for due, place in steps if start < due < until]
        heapq.heapify(watches)
        heapq.heapify(steps)
        decided: set[int] = set()
        while watches:
            now = time.monotonic()
            if start < until < now - LAST_LOOKS:
                break
            if steps and steps[0][0] <= max(now, watches[0][0]):
                due, place = heapq.heappop(steps)
                pause = None
            else:
                due, place, pause = heapq.heappop(watches)
            if place in decided:
                continue
            yield max(due - now, 0.0)
            patient = pause is not None and due >= start  # what is due from the start on is a step as well
            if patient and start < until < (now := time.monotonic()) + self._turns.ahead(now) - LAST_LOOKS:
                if now < until:  # there may be a step to take until then
                    heapq.heappush(watches, (until, place, self._poll))
                continue
            turn = self._turns.take(_requests(results[place]), time.monotonic())
            if turn and patient:
                yield turn
            results[place], done = self._look(results[place])
            now = time.monotonic()
            if done:
                decided.add(place)
            elif pause is not None and now < until and now - start < STATE_LIFETIME:
                longer = max(self._poll, min(pause * SLOWER, LONGEST_POLL))
                heapq.heappush(watches, (min(now + pause, until), place, longer))
        return results

    def _until_step(self, outcome: Outcome) -> float:
        """Return after how many seconds the next step of a fallback is due; inf where there is none to come."""
        if outcome.channel not in self._fallbacks:
            return math.inf
        sent = None if outcome.receipt is None else outcome.receipt.sent_at
        return 0.0 if sent is None else max(self._patience - (datetime.now(UTC) - sent).total_seconds(), 0.0)

    def _is_decided(self, outcome: Outcome) -> bool:
        """Whether nothing more will become of an outcome, as far as it tells itself."""
        if outcome.channel in self._fallbacks:
            return False  # its rows know
        return outcome.receipt is None or (outcome.status is not None and outcome.status.is_final)

    def _look(self, outcome: Outcome) -> tuple[Outcome, bool]:
        """Look at one delivery; return the outcome as it stands now, and whether there is nothing more to wait for."""
        forgotten = outcome.receipt is not None and _is_forgotten(outcome.receipt)
        try:
            if outcome.channel in self._fallbacks:
                return self._tracker().look(outcome)
            return self._look_at(outcome, forgotten=forgotten)
        except DevinotifyError as error:
            log.info("the state of a message could not be read: %s", error)
            return outcome, forgotten or not error.retryable
        except Exception as error:  # noqa: BLE001 - a plugin's channel may raise anything, and is asked again
            log.error("the channel %s raised %s while a state was read", outcome.channel, type(error).__name__)
            return outcome, forgotten

    def _look_at(self, outcome: Outcome, *, forgotten: bool) -> tuple[Outcome, bool]:
        receipt = outcome.receipt
        assert receipt is not None  # noqa: S101 - one without is decided, and not waited for
        state = read_state(self._channel(outcome.channel), receipt, self._client)
        status = state.whole_status
        if status is not outcome.status:
            self._observe(receipt, state)
        # Without ids there is nothing to ask for, so nothing more will be known.
        nameless = not receipt.message_ids and status is DeliveryStatus.UNKNOWN
        return replace(outcome, state=state), forgotten or nameless or status.is_final


def _requests(outcome: Outcome) -> int:
    """Return how many requests a look at an outcome takes: one for each part of a long message that has its own id."""
    return max(len(outcome.receipt.message_ids), 1) if outcome.receipt is not None else 1


def _is_forgotten(receipt: Receipt) -> bool:
    """Whether the gateway has forgotten the message, so that its state will never be told any more."""
    return receipt.sent_at is not None and datetime.now(UTC) - receipt.sent_at > timedelta(seconds=STATE_LIFETIME)
