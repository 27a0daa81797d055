"""The list of a campaign, read to its end before anything is sent, and given out again for the journal.

A list that nobody asks the numbers of before is only looked through: it can be read, and so nothing is sent of one that
cannot. Its numbers are read beside the sending.
"""

from __future__ import annotations

from array import array
from dataclasses import replace
from typing import TYPE_CHECKING

from devinotify import text as texts
from devinotify.bulk.plan import Count
from devinotify.bulk.progress import Progress
from devinotify.exceptions import InvalidInput

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from devinotify.bulk.sorting import Sorted
    from devinotify.bulk.source import Source

KEPT = 2_000_000
"""Recipients up to which a list with one text is kept in memory, 16 MB, from its reading to its journal."""
OTHERS = 20
"""Recipients that take as much memory as one row that is refused or repeated, with its number as it stands there."""


class Intake:
    """Reads ``source`` by ``sort``, which yields it anew each time it is called, page by page and sorted out.

    ``text`` is what all recipients get, ``None`` where each has its own. ``segmentation`` tells what a text costs where
    plugins know better than the core; of one text it is asked at once. ``kept`` is the constant of that name.
    """

    def __init__(
        self,
        source: Source,
        sort: Callable[[], Iterator[Sorted]],
        text: str | None,
        segmentation: Callable[[str], texts.Segmentation] | None = None,
        *,
        kept: int = KEPT,
    ) -> None:
        self.source: Source = source
        self._sort = sort
        self._text = text
        self._segmentation = segmentation
        self._shared = None if text is None else (segmentation or texts.segment)(text)
        self._most = kept
        self._count: Count | None = None
        self._rows = 0  # of a list that was looked through
        self._sorting = Count()  # what it has come to so far
        self._kept: list[tuple[Sorted, array[int]]] = []

    @property
    def expected(self) -> int:
        """Recipients of the list: all rows that may turn out to be one, as long as it is not counted."""
        if self._count is not None:
            return self._count.recipients
        return self._rows - (self._sorting.rows - self._sorting.recipients)

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
        pages: Iterable[int] | None = None,
    ) -> bool:
        """Read the list to its end unless that was done, and return whether it was: ``stopped`` is asked each page.

        With ``pages``, the rows of each of its pages, a list of one text is only looked through, in a third of the
        time. Raises InvalidInput as ``counted`` does.
        """
        if self._count is not None:
            if observe is not None:
                observe(Progress("reading", self._count.rows, self._count.rows))
        elif pages is not None and self._text is not None:
            if not self._look_through(pages, observe, stopped):
                return False
        elif not self._count_all(observe, stopped):
            return False
        self._check("this run sends nothing of it")
        return True

    def _count_all(self, observe: Callable[[Progress], None] | None, stopped: Callable[[], bool]) -> bool:
        count = Count()
        few = False
        kept: list[tuple[Sorted, array[int]]] = []
        for page in self._sort():
            count.add(page, self._text, self._segmentation)
            others = OTHERS * (count.rows - count.recipients)
            few = self._text is not None and count.recipients + others <= self._most
            kept = [*kept, _pack(page)] if few else []
            if observe is not None:
                observe(Progress("reading", count.rows, count.rows))
            if stopped():
                return False
        self._done(count)
        self._kept = kept if few else []
        return True

    def _look_through(
        self, pages: Iterable[int], observe: Callable[[Progress], None] | None, stopped: Callable[[], bool]
    ) -> bool:
        rows = 0
        for some in pages:
            rows += some
            if observe is not None:
                observe(Progress("reading", rows, rows))
            if stopped():
                return False
        self._rows = rows
        return True

    def pages(self) -> Iterator[Sorted]:
        """Yield the list, sorted out, as it was when it was read to its end; raises InvalidInput where it changes.

        One that was only looked through is counted meanwhile.
        """
        kept, self._kept = self._kept, []
        if kept:
            for page, numbers in kept:
                yield replace(page, numbers=[f"+{number}" for number in numbers])
            return
        what_then = "what is in the journal is sent to, and what is not yet in it is not"
        self._sorting = count = Count()
        for page in self._sort():
            self._check(what_then)
            if self._count is None:
                count.add(page, self._text, self._segmentation)
            yield page
        self._check(what_then)  # one that was cut short ends sooner, and the rest of it would be lost without a word
        self._done(count)

    def numbers(self) -> Iterator[Sequence[str]]:
        """Yield the recipients by pages, once more and beside ``pages``."""
        if self._kept:
            for _, numbers in self._kept:
                yield [f"+{number}" for number in numbers]
        else:
            for page in self._sort():
                yield page.numbers

    def _done(self, count: Count) -> None:
        if self._count is None:
            if self._text is not None and self._shared is not None:
                count.share(self._text, self._shared)
            self._count = count

    def _check(self, what_then: str) -> None:
        if self.source.changed():
            raise InvalidInput(f"the input has changed since it was opened: {what_then}")


def _pack(page: Sorted) -> tuple[Sorted, array[int]]:
    """Return a page without its numbers, and those as integers: 8 bytes each, where a text takes ten times as much."""
    return replace(page, numbers=[]), array("q", map(int, page.numbers))
