"""What is queued goes out: batches claimed and sent on several connections, no faster and no larger than is well.

In trouble the connections wait and are fewer, and batches are small; both grow again with what goes well. What would
end a campaign (no credits, a wrong password, an account that is refused) a worker waits out.
"""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING

from devinotify.delivery.batch_size import Caution
from devinotify.delivery.rate_limit import Pace
from devinotify.delivery.reading import CAUSES, Cause
from devinotify.delivery.shared_pace import SharedPace
from devinotify.exceptions import DevinotifyError, LimitExceeded, NotSent
from devinotify.outbox.states import RowState

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from devinotify.delivery.pulse import Pulse
    from devinotify.delivery.rate_limit import Speed
    from devinotify.delivery.reading import Reading
    from devinotify.delivery.sending import Sender, Sent
    from devinotify.models import Outcome
    from devinotify.outbox import Batch, Outbox

log: logging.Logger = logging.getLogger(__name__)

MOST_TROUBLES = 8
"""Times in a row that the gateway may be in trouble (5xx, 429, a broken connection), with about a minute of pauses
between them, before it is taken for failing; and times that outcomes may be unknown before batches have their size
again."""
MOST_LOGINS = 3
"""Times in a row that the session may be refused before the login is taken for wrong."""
MOST_REFUSALS = 3
"""Batches in a row that the gateway may refuse for no recipient's sake before it is taken to refuse the account."""

LOOK_EVERY = 1.0
"""Seconds after which whoever waits for his turn at the shared pace looks whether there is anything left to be sent."""


class Dispatcher:
    """Sends what is due in one outbox, a batch with each ``turn``, which any number of threads may take.

    ``alike``: all that is queued is of one campaign. ``personal``: each recipient has a text, and so a request, of its
    own. ``gently`` begins with one connection and takes up the others as batches go well. With ``ends`` the first cause
    for which nothing can go out ends it: ``cause`` tells which, and no turn sends any more; without, it waits and tries
    again. ``told`` hears of each batch. ``claim`` takes up to so many rows where not all that is due is to be sent.
    A turn is a step of ``pulse``, but for what it waits.
    """

    def __init__(
        self,
        sender: Sender,
        outbox: Outbox,
        speed: Speed,
        *,
        account: str | None = None,
        alike: bool = False,
        personal: bool = False,
        gently: bool = False,
        ends: bool = True,
        ends_unreached: bool = False,
        most_troubles: int = MOST_TROUBLES,
        told: Callable[[Batch, Sent], None] = lambda batch, sent: None,  # noqa: ARG005 - who does not ask is not told
        claim: Callable[[int], Batch | None] | None = None,
        pulse: Pulse | None = None,
    ) -> None:
        self._sender = sender
        self._alike = alike
        self._ends = ends
        self._ends_unreached = ends_unreached
        self._most_troubles = most_troubles
        self._told = told
        self._claimed = claim or (lambda limit: outbox.claim(limit, account=account))
        self._pace = Pace(speed, gently=gently, pulse=pulse)
        self._shared = SharedPace(outbox, account)
        self._caution = Caution(1 if personal else speed.size)
        self._lock = threading.Lock()
        self._left = speed.limit
        self._last: Cause | None = None  # that was told
        self.cause: Cause | None = None
        self.error: DevinotifyError | None = None  # the last one that stopped or slowed it
        self.trouble: DevinotifyError | None = None  # the same, as long as no batch has gone well since
        self._given_back = 0  # how often what had taken a limit's room gave it back
        self.adrift: int = 0  # recipients sent to, and what became of them not written down

    @property
    def connections(self) -> int:
        """Connections that are used at the moment: fewer while the gateway is in trouble."""
        return self._pace.allowed

    @property
    def pause(self) -> float:
        """Seconds until the next batch may go, at the rate and after the trouble that there was."""
        return self._pace.wait

    @property
    def has_given_back(self) -> bool:
        """Whether somebody may have been put off for a limit that was full of what then did not leave."""
        return self._given_back > 0

    @property
    def exhausted(self) -> bool:
        """Whether the limit is used up."""
        return self._left == 0

    @property
    def has_suspects(self) -> bool:
        """Whether somebody was put back whom a refusal may have been about, and is to be tried again."""
        return self._caution.has_suspects

    def conclude(self) -> None:
        """Take the trouble of the last batches for the cause, where there is none: nothing is left to try it with."""
        if self.cause is None and self._pace.troubles:
            self.cause = Cause.FAILING

    def stop(self) -> None:
        """Begin no other batch, and keep no thread waiting for its turn."""
        self._pace.stop()

    def turn(self) -> bool:
        """Claim and send one batch, once it may go; return whether there was one. Raises DevinotifyError as both do."""
        size = self._take()
        if not size:
            return False
        if not self._pace.enter(size):
            self._give_back(size)
            return False
        claimed = back = 0
        began = self._caution.begin()
        try:
            batch = self._claim(size)
            if batch is None:
                return False
            claimed, given_back = len(batch), self._given_back
            try:
                sent = self._sender.deliver(
                    batch, alike=self._alike, to_blame=lambda held: self._is_to_blame(began, held)
                )
            except BaseException:
                with self._lock:
                    self.adrift += claimed
                raise
            back = [*sent.states.values()].count(RowState.QUEUED)
            self._react(sent, began, given_back)
        finally:
            self._give_back(size - claimed + back)
            self._pace.leave(size - claimed)
        self._told(batch, sent)
        return True

    def _claim(self, size: int) -> Batch | None:
        """Return a batch once it is its turn among all who send from the outbox; ``None`` where there is none."""
        wait = self._shared.book(size)
        if wait is None:
            return None
        batch = None
        try:
            # Ended while it waited to go: nothing more is claimed. And there may be less trust than there was.
            if self._rest(wait):
                batch = self._claimed(min(size, self._caution.size))
        finally:
            self._shared.give_back(size - (0 if batch is None else len(batch)))
        return batch

    def _rest(self, wait: float) -> bool:
        """Wait for so many seconds, unless meanwhile others have sent all there is; return whether a batch may go."""
        while wait > LOOK_EVERY:
            if not self._pace.rest(LOOK_EVERY) or self._shared.is_idle():
                return False
            wait -= LOOK_EVERY
        return self._pace.rest(wait)

    def _is_to_blame(self, began: int, held: Sequence[Outcome]) -> bool:
        return self._caution.refused(began, [outcome.recipient for outcome in held])

    def _react(self, sent: Sent, began: int, given_back: int) -> None:
        reading = sent.reading
        if reading.gives_back:
            self._resume()
        self.error = reading.error or self.error
        if reading.doubt:
            self._caution.doubt(began)
        cause = reading.stop
        if reading.trouble or (cause is not None and not self._ends) or (reading.held and not self._ends):
            self._pace.trouble(reading.retry_after)
            log.info("slowing down: %s", reading.error)
        elif cause is None:
            self._pace.well()
            if reading.passed:
                self._caution.well(began)
                self._recovered()
        self.trouble = reading.error  # the pause for it is known by now
        cause = cause or self._cause(reading, sent.outcomes)
        if cause is not None:
            self._meet(cause, given_back)

    def _cause(self, reading: Reading, outcomes: Sequence[Outcome]) -> Cause | None:
        """Return the cause that what has happened so far in a row comes to."""
        if max(self._pace.troubles if reading.trouble else 0, self._caution.doubts) >= self._most_troubles:
            return Cause.FAILING
        if self._ends_unreached and not reading.passed and _are_unreached(outcomes):
            return Cause.FAILING
        if reading.refused is Cause.LOGIN and self._pace.troubles >= MOST_LOGINS:
            return Cause.LOGIN
        if reading.refused in (Cause.REFUSED, Cause.PLUGIN) and self._caution.refusals >= MOST_REFUSALS:
            return reading.refused
        return None

    def _resume(self) -> None:
        """Go on where a limit was full of nothing but what was under way and has not left: it has room again."""
        with self._lock:
            self._given_back += 1
            if self.cause is Cause.OVER_LIMIT:
                self.cause = None
                self._pace.resume()

    def _meet(self, cause: Cause, given_back: int) -> None:
        if self._ends:
            with self._lock:
                if cause is Cause.OVER_LIMIT and given_back != self._given_back:
                    return  # it had no room while this batch was sent, and has some by now
                self.cause = self.cause or cause
                self._pace.stop()
        elif cause is not self._last:
            log.warning("%s: what is queued waits, and is tried again (%s)", CAUSES[cause], self.error)
            self._last = cause

    def _recovered(self) -> None:
        if self._last is not None:
            self._last = None
            log.warning("messages go out again")

    def _take(self) -> int:
        """Return how many recipients the next batch may have: none where the limit is used up."""
        most = self._shared.most(self._caution.size)
        with self._lock:
            if self._left is None:
                return most
            size = min(most, self._left)
            self._left -= size
            return size

    def _give_back(self, number: int) -> None:
        with self._lock:
            if self._left is not None:
                self._left += number


def _are_unreached(outcomes: Sequence[Outcome]) -> bool:
    """Return whether nothing of a batch has reached the gateway, and all of it may be tried again."""
    # Whom a limit has no room for tells nothing of the gateway.
    tried = [outcome.error for outcome in outcomes if not isinstance(outcome.error, LimitExceeded)]
    return bool(tried) and all(isinstance(each, NotSent) and each.retryable for each in tried)
