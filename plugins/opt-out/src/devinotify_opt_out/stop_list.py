"""The stop list: who has opted out, in the outbox's own store, so that all who share that know of it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from devinotify import Outbox

BUCKET = "opt-out"
"""The name of the list among what plugins keep in an outbox."""


class Entry(NamedTuple):
    """What is known of a number: its last wish, when it was said, and by what."""

    out: bool
    at: datetime
    by: str
    """``word``, ``hand`` or ``import``."""
    message: str = ""
    """The id of the message with which it began, where it was one."""

    def encode(self) -> str:
        """Return it as it is stored."""
        return json.dumps([int(self.out), self.at.isoformat(), self.by, self.message])

    @classmethod
    def decode(cls, text: str) -> Entry:
        """Return what was stored."""
        out, at, by, message = json.loads(text)
        return cls(bool(out), datetime.fromisoformat(at), by, message)


def settled(known: Entry | None, new: Entry) -> Entry:
    """Return what counts of two: the later one, and of two at the same time the one that sends nothing.

    So it does not matter in which order they come, nor how often. Where somebody says the same again, the message with
    which it began stays.
    """
    if known is None:
        return new
    if (new.at, new.out) <= (known.at, known.out):
        return known
    return new._replace(message=known.message) if new.out == known.out else new


class StopList:
    """The stop list of an outbox. Numbers are in E.164. Raises DevinotifyError where the outbox cannot be used."""

    def __init__(self, outbox: Outbox) -> None:
        self._bucket = outbox.bucket(BUCKET)

    def among(self, numbers: Iterable[str]) -> set[str]:
        """Return those of these numbers that have opted out."""
        return {number for number, text in self._bucket.get(numbers).items() if Entry.decode(text).out}

    def tell(self, numbers: Mapping[str, Entry]) -> dict[str, Entry]:
        """Write down what was said of each number, unless something later is known; return what counts now."""

        def decide(found: dict[str, str]) -> dict[str, str]:
            known = {number: Entry.decode(text) for number, text in found.items()}
            return {number: settled(known.get(number), entry).encode() for number, entry in numbers.items()}

        changed = self._bucket.change(numbers, decide)
        return {number: Entry.decode(text) for number, text in changed.items() if text is not None}

    def set(self, numbers: Iterable[str], *, out: bool, by: str, at: datetime | None = None) -> int:
        """Put numbers on the list (``out``), or take them off, as of now; return for how many that is news."""
        wanted = list(dict.fromkeys(numbers))
        entry = Entry(out, at or datetime.now(UTC), by)
        news = 0

        def decide(found: dict[str, str]) -> dict[str, str]:
            nonlocal news
            known = {number: Entry.decode(text) for number, text in found.items()}
            counts = {number: settled(known.get(number), entry) for number in wanted}
            news = sum(
                known[number].out != counts[number].out if number in known else counts[number].out for number in counts
            )
            # Of one who was never on it, nothing is to be remembered.
            return {number: each.encode() for number, each in counts.items() if out or number in known}

        self._bucket.change(wanted, decide)
        return news

    def __iter__(self) -> Iterator[tuple[str, Entry]]:
        """Yield who has opted out, in the order of the numbers."""
        for number, text in self._bucket.items():
            entry = Entry.decode(text)
            if entry.out:
                yield number, entry
