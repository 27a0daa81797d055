"""Threads that take turns at some work until there is none left, or for as long as nobody stops them."""

from __future__ import annotations

import queue
import threading
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from devinotify.delivery.stopping import Stopping

    Turn = Callable[[], bool]


class Crew:
    """One thread for each of ``turns``, which does some work and returns whether there was any.

    Without ``forever`` it is done when all threads find nothing at the same time. ``nap`` returns after how many
    seconds one that found nothing looks again; of several only one looks, and whoever finds something wakes the next.
    """

    def __init__(
        self, turns: Sequence[Turn], stopping: Stopping, *, forever: bool, nap: Callable[[], float], name: str
    ) -> None:
        self._turns = turns
        self._stopping = stopping
        self._forever = forever
        self._nap = nap
        self._name = name
        self._condition = threading.Condition()
        self._busy = self._left = len(turns)
        self._ended: queue.SimpleQueue[None] = queue.SimpleQueue()
        self._looking: set[Turn] = set()
        self._over = False
        self._failure: BaseException | None = None

    def run(self, tick: Callable[[], None], every: float, *, halt: Callable[[], None] = lambda: None) -> None:
        """Work until it is done or stopped; ``tick`` is called every so many seconds, in this thread.

        ``halt`` wakes what a turn may be waiting for, once no turn is to begin any more. What a turn or ``tick`` raises
        ends the others after the turns that they are at, and is raised here; an interrupt is raised at once.
        """
        threads = [
            threading.Thread(target=self._work, args=(turn,), name=f"devinotify-{self._name}-{number}", daemon=True)
            for number, turn in enumerate(self._turns)
        ]
        try:
            for thread in threads:
                thread.start()
            while self._left:
                if self._stopping.asked or self._failure is not None:
                    self._end()
                    halt()
                    self._await_one(every)
                else:
                    self._stopping.wait(every)
                tick()
        except BaseException as failure:  # an interrupt, or the tick: the threads must not go on without us
            self._end()
            halt()
            if isinstance(failure, Exception):  # nobody is in such a hurry that what is being sent is not written down
                while self._left:
                    self._await_one(every)
            raise
        if self._failure is not None:
            raise self._failure

    def _await_one(self, seconds: float) -> None:
        # Not by join(): interrupted there, Python takes a thread for ended that still runs.
        with suppress(queue.Empty):
            self._ended.get(timeout=seconds)

    def _end(self) -> None:
        with self._condition:
            self._over = True
            self._condition.notify_all()

    def _work(self, turn: Turn) -> None:
        try:
            while not (self._over or self._stopping.asked):
                if turn():
                    with self._condition:
                        self._condition.notify_all()
                elif not self._idle(turn):
                    break
        except BaseException as failure:  # noqa: BLE001 - raised again by run(), in the caller's thread
            self._failure = self._failure or failure
            self._end()
        finally:
            with self._condition:
                self._left -= 1
            self._ended.put(None)
            self._stopping.ring()

    def _idle(self, turn: Turn) -> bool:
        """Wait until there may be something to do; return whether to look for it."""
        nap = self._nap()
        with self._condition:
            self._busy -= 1
            if not self._forever and not self._busy:
                self._over = True
                self._condition.notify_all()
            first = turn not in self._looking  # two that do the same work are equal here
            if first:
                self._looking.add(turn)
            if not (self._over or self._stopping.asked):
                self._condition.wait(nap if first else None)
            if first:
                self._looking.discard(turn)
                self._condition.notify_all()
            self._busy += 1
            return not self._over
