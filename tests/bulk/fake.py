"""A channel in memory for runs that end as they are told to, and a run that takes no longer than it may."""

from __future__ import annotations

import threading
from collections import Counter
from typing import TYPE_CHECKING

from devinotify.channels.batch import accepted, failed
from devinotify.models import Receipt
from tests.plain_channel import PlainChannel
from tests.waiting import ended

if TYPE_CHECKING:
    from collections.abc import Callable

    from devinotify.bulk.sending import End, Sending
    from devinotify.exceptions import DevinotifyError
    from devinotify.models import Message, Outcome

    Answer = Callable[[Message], DevinotifyError | None]


class Fake(PlainChannel):
    """A channel in memory: takes everything but what ``answer`` has an error for."""

    name = "fake"
    max_length = 1000
    segmented = True
    schedulable = True

    def __init__(self) -> None:
        self.sent: list[tuple[str, ...]] = []
        self.answer: Answer = lambda message: None  # noqa: ARG005 - the messages are all alike

    def send(self, message: Message, client: object) -> list[Outcome]:
        """Take the batch, or refuse it as a whole."""
        self.sent.append(message.recipients)
        error = self.answer(message)
        if error is not None:
            return [failed(self.name, each, error) for each in message.recipients]
        return [accepted(self.name, each, Receipt(each, ("id",), 1, self.name)) for each in message.recipients]

    @property
    def got(self) -> Counter[str]:
        """How often each recipient was tried."""
        return Counter(each for some in self.sent for each in some)


def run_within(run: Sending, seconds: float = 30) -> list[End]:
    """Return how the run ended, or nothing where it takes longer than so many seconds; it is over then."""
    ends: list[End] = []
    thread = threading.Thread(target=lambda: ends.append(run.run()))
    thread.start()
    thread.join(seconds)
    found = list(ends)
    run.stop()
    ended(thread)
    return found
