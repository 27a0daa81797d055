"""What the sandbox keeps: messages, incoming messages and the last requests, in memory and all capped.

With an archive (see ``archive.py``) messages and incoming messages are written to a file as well, and are
loaded from it.
"""

from __future__ import annotations

import heapq
from collections import OrderedDict, deque
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from devinotify.sandbox.archive import Archive
    from devinotify.sandbox.fates import Transition
    from devinotify.sandbox.messages import Incoming, PlatformMessage, RefusedSend
    from devinotify.sandbox.requestlog import RequestRecord

KEEP_REQUESTS = 1000
"""Requests remembered."""
KEEP_REFUSED = 1000
"""Refused sends remembered."""


class Store:
    """The newest ``keep`` messages and incoming messages, in order of arrival, and by id."""

    def __init__(self, keep: int) -> None:
        self._messages: OrderedDict[int, PlatformMessage] = OrderedDict()
        self._by_part: dict[str, PlatformMessage] = {}
        self._changes: list[float] = []
        self._keep = keep
        self._archive: Archive | None = None
        self._serial = 0
        self._refused: OrderedDict[int, RefusedSend] = OrderedDict()
        self._refused_serial = 0
        self._request_serial = 0
        self.incoming: deque[Incoming] = deque(maxlen=keep)
        self.requests: deque[RequestRecord] = deque(maxlen=KEEP_REQUESTS)

    # The archive.

    def attach(self, archive: Archive) -> None:
        """Replace what is kept by what an archive holds, and write everything new to it from now on."""
        self.clear()
        loaded = archive.load(self._keep)
        self._archive = None  # What is loaded need not be written.
        for message in loaded.messages:
            self.add(message)
        self.incoming.extend(loaded.incoming)
        self._serial = max(self._serial, loaded.last_serial)
        for refused in loaded.refused:
            self._keep_refused(refused)
        self._refused_serial = max([self._refused_serial, *self._refused])
        self._archive = archive

    def detach(self) -> None:
        """Close the archive; what is kept stays in memory."""
        if self._archive:
            self._archive.close()
            self._archive = None

    def commit(self) -> None:
        """Make what was written since the last time last."""
        if self._archive:
            self._archive.commit()

    def clock_advanced(self, seconds: float) -> None:
        """Note by how much the clock was advanced in all."""
        if self._archive:
            self._archive.advanced = seconds

    def answered(self, record: RequestRecord) -> None:
        """Log a request with its answer, and give it its number."""
        self._request_serial += 1
        record.serial = self._request_serial
        self.requests.append(record)
        if self._archive:
            self._archive.answered(record)

    # Messages.

    @property
    def last_serial(self) -> int:
        """The number of the last message that there was."""
        return self._serial

    def next_serial(self) -> int:
        """Return the next message's number, counted from 1 and never used twice."""
        self._serial += 1
        return self._serial

    def add(self, message: PlatformMessage) -> None:
        """Keep a message; the oldest goes where there are too many."""
        self._messages[message.serial] = message
        for part in message.part_ids:
            self._by_part[part] = message
        self._await(message.schedule)
        if self._archive:
            self._archive.add(message)
        if len(self._messages) > self._keep:
            self.remove(next(iter(self._messages)))

    def remove(self, serial: int) -> bool:
        """Forget a message by its number and return whether it was there."""
        message = self._messages.pop(serial, None)
        if message is None:
            return False
        for part in message.part_ids:
            del self._by_part[part]
        if self._archive:
            self._archive.remove(serial)
        return True

    def reschedule(self, message: PlatformMessage, fate: str, schedule: tuple[Transition, ...]) -> None:
        """Give a kept message another fate and other states."""
        message.fate = fate
        message.schedule = schedule
        self._await(schedule)
        if self._archive:
            self._archive.reschedule(message)

    def mark(self, listed: PlatformMessage | RefusedSend, *, read: bool | None, tags: tuple[str, ...] | None) -> None:
        """Say of what is listed whether it was read, and what it is tagged with; ``None`` leaves that as it is."""
        listed.read = listed.read if read is None else read
        listed.tags = listed.tags if tags is None else tags
        if self._archive:
            self._archive.mark(listed)

    def release(self, message: PlatformMessage, verdict: str) -> None:
        """Note with which verdict a message was sent on to a real account, and make that last."""
        message.released = verdict
        if self._archive:
            self._archive.release(message)
            self._archive.commit()

    def answered_by_phone(self, message: PlatformMessage) -> None:
        """Note that a message's phone has had its say, so that it says it once."""
        message.answered = True
        if self._archive:
            self._archive.answered_by_phone(message)

    # What was refused.

    def next_refused_serial(self) -> int:
        """Return the next refused send's number, counted from 1."""
        self._refused_serial += 1
        return self._refused_serial

    def _keep_refused(self, refused: RefusedSend) -> None:
        self._refused[refused.serial] = refused
        if len(self._refused) > KEEP_REFUSED:
            self.remove_refused(next(iter(self._refused)))

    def add_refused(self, refused: RefusedSend) -> None:
        """Keep a send that was refused; the oldest goes where there are too many."""
        if self._archive:
            self._archive.add_refused(refused)
        self._keep_refused(refused)

    def remove_refused(self, serial: int) -> bool:
        """Forget a refused send by its number and return whether it was there."""
        if self._refused.pop(serial, None) is None:
            return False
        if self._archive:
            self._archive.remove_refused(serial)
        return True

    def get_refused(self, serial: int) -> RefusedSend | None:
        """Return a refused send by its number."""
        return self._refused.get(serial)

    @property
    def refused(self) -> list[RefusedSend]:
        """What was refused, in order."""
        return list(self._refused.values())

    # What came in.

    def add_incoming(self, message: Incoming) -> None:
        """Keep an incoming message; the oldest goes where there are too many."""
        if self._archive:
            self._archive.add_incoming(message, self._keep)
        self.incoming.append(message)

    def by_part(self, part_id: str) -> PlatformMessage | None:
        """Return the message that has this id among its segments'.

        An id may hold ``+``, which a query that does not escape it turns into a space: both are tried.
        """
        return self._by_part.get(part_id) or self._by_part.get(part_id.replace(" ", "+"))

    def knows(self, part_ids: Sequence[str]) -> bool:
        """Return whether one of the ids is taken."""
        return any(part in self._by_part for part in part_ids)

    def get(self, serial: int) -> PlatformMessage | None:
        """Return a message by its number."""
        return self._messages.get(serial)

    def __iter__(self) -> Iterator[PlatformMessage]:
        return iter(self._messages.values())

    def __reversed__(self) -> Iterator[PlatformMessage]:
        return reversed(self._messages.values())

    def __len__(self) -> int:
        return len(self._messages)

    # What time brings.

    def _await(self, schedule: Iterable[Transition]) -> None:
        for transition in schedule:
            heapq.heappush(self._changes, transition.at)
        if len(self._changes) > 8 * self._keep + 1000:
            # Those of messages that are gone pile up where nobody asks for the next change.
            self._changes = [transition.at for message in self for transition in message.schedule]
            heapq.heapify(self._changes)

    def next_change(self, now: float) -> float | None:
        """Return the instant after ``now`` at which a message's state will next change, or ``None`` for never."""
        while self._changes and self._changes[0] <= now:
            heapq.heappop(self._changes)
        return self._changes[0] if self._changes else None

    # Forgetting.

    def clear_messages(self) -> None:
        """Forget the messages but not the count of serials."""
        self._messages.clear()
        self._by_part.clear()
        self._changes.clear()
        if self._archive:
            self._archive.clear_messages()

    def clear(self) -> None:
        """Forget everything but the count of serials."""
        self.clear_messages()
        self._refused.clear()
        self.incoming.clear()
        self.requests.clear()
        if self._archive:
            self._archive.clear_incoming()
            self._archive.clear_refused()
