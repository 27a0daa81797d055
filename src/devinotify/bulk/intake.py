"""The list of a campaign, read to its end before anything is sent, and given out again for the journal."""

from __future__ import annotations

from array import array
from dataclasses import replace
from typing import TYPE_CHECKING

from devinotify.bulk.plan import Count
from devinotify.bulk.progress import Progress
from devinotify.exceptions import InvalidInput

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from devinotify.bulk.sorting import Sorted
    from devinotify.bulk.source import Source

KEPT = 2_000_000
"""Recipients up to which a list with one text is kept in memory, 16 MB, from its reading to its journal."""
OTHERS = 20
"""Recipients that take as much memory as one row that is refused or repeated, with its number as it stands there."""


class Intake:
    """Reads ``source`` by ``sort``, which yields it anew each time it is called, page by page and sorted out.

    ``text`` is what all recipients get, ``None`` where each has its own. ``kept`` is the constant of that name.
    """

    def __init__(
        self, source: Source, sort: Callable[[], Iterator[Sorted]], text: str | None, *, kept: int = KEPT
    ) -> None:
        self._source = source
        self._sort = sort
        self._text = text
        self._most = kept
        self._count: Count | None = None
        self._kept: list[tuple[Sorted, array[int]]] = []

    def counted(self) -> Count:
        """Return what the whole list comes to; raises InvalidInput where it cannot be read, or has changed."""
        if self._count is None:
            self.read()
            assert self._count is not None  # noqa: S101 - nobody has stopped it
        return self._count

    def read(
        self,
        observe: Callable[[Progress], None] | None = None,
        stopped: Callable[[], bool] = lambda: False,
    ) -> bool:
        """Read the list to its end unless that was done, and return whether it was: ``stopped`` is asked each page.

        Raises InvalidInput as ``counted`` does.
        """
        if self._count is None:
            count = Count()
            few = False
            kept: list[tuple[Sorted, array[int]]] = []
            for page in self._sort():
                count.add(page, self._text)
                others = OTHERS * (count.rows - count.recipients)
                few = self._text is not None and count.recipients + others <= self._most
                kept = [*kept, _pack(page)] if few else []
                if observe is not None:
                    observe(Progress("reading", count.rows, count.rows))
                if stopped():
                    return False
            if self._text is not None:
                count.share(self._text)
            self._count, self._kept = count, kept if few else []
        elif observe is not None:
            observe(Progress("reading", self._count.rows, self._count.rows))
        self._check("this run sends nothing of it")
        return True

    def pages(self) -> Iterator[Sorted]:
        """Yield the list, sorted out, as it was when it was read to its end; raises InvalidInput where it changes."""
        kept, self._kept = self._kept, []
        if kept:
            for page, numbers in kept:
                yield replace(page, numbers=[f"+{number}" for number in numbers])
            return
        what_then = "what is in the journal is sent to, and what is not yet in it is not"
        for page in self._sort():
            self._check(what_then)
            yield page
        self._check(what_then)  # one that was cut short ends sooner, and the rest of it would be lost without a word

    def _check(self, what_then: str) -> None:
        if self._source.changed():
            raise InvalidInput(f"the input has changed since it was opened: {what_then}")


def _pack(page: Sorted) -> tuple[Sorted, array[int]]:
    """Return a page without its numbers, and those as integers: 8 bytes each, where a text takes ten times as much."""
    return replace(page, numbers=[]), array("q", map(int, page.numbers))
