"""How what runs for long is asked to stop: from any thread, and from signal handlers, where no lock may be taken."""

from __future__ import annotations

import queue
import signal
import threading
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import FrameType


class Stopping:
    """Whether somebody has asked to stop; ``ask`` is safe in a signal handler, whatever it interrupts."""

    def __init__(self) -> None:
        self.asked: bool = False
        # An Event's set() takes the lock that the interrupted thread may hold; this put() takes none.
        self._bell: queue.SimpleQueue[None] = queue.SimpleQueue()

    def ask(self) -> None:
        """Ask to stop, and wake whoever waits."""
        self.asked = True
        self._bell.put(None)

    def ring(self) -> None:
        """Wake whoever waits, and ask for nothing."""
        self._bell.put(None)

    def wait(self, seconds: float) -> bool:
        """Wait for so many seconds, or until somebody rings or asks; return whether somebody has asked."""
        if not self.asked:
            with suppress(queue.Empty):
                self._bell.get(timeout=seconds)
        if self.asked:
            self._bell.put(None)  # for the others who wait
        return self.asked


@contextmanager
def stopped_by_signals(
    stop: Callable[[], object], say: Callable[[str], object] | None = None
) -> Iterator[list[signal.Signals]]:
    """Let the first SIGINT or SIGTERM inside the block call ``stop``; a second one does what it did before.

    Neither ``stop`` nor ``say``, which is told what a person should know, is called in the handler: a thread of its
    own does, so that they may lock and print. The list holds the signals that came. In any other thread than the main
    one, which alone gets signals, nothing is changed.
    """
    came: list[signal.Signals] = []
    if threading.current_thread() is not threading.main_thread():
        yield came
        return
    news: queue.SimpleQueue[signal.Signals | None] = queue.SimpleQueue()
    former: dict[signal.Signals, Any] = {}  # whatever handled it

    def restore() -> None:
        while former:
            signal.signal(*former.popitem())

    def handle(number: int, frame: FrameType | None) -> None:  # noqa: ARG001 - a handler's signature
        came.append(signal.Signals(number))
        news.put(came[-1])
        restore()

    def listen() -> None:
        if news.get() is not None:
            stop()
            if say is not None:
                say("stopping after the requests under way; once more stops at once")

    listener = threading.Thread(target=listen, name="devinotify-signals", daemon=True)
    listener.start()
    for number in (signal.SIGINT, signal.SIGTERM):
        former[number] = signal.signal(number, handle)
    try:
        yield came
    finally:
        restore()
        news.put(None)
        listener.join()
