"""How a store reads many rows: a page at a time, each with a look of its own. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from devinotify.outbox.records import Row


def in_pages(read: Callable[[int, int], list[Row]], after: int, limit: int | None, size: int) -> Iterator[list[Row]]:
    """Yield pages of at most ``size`` rows with ids above ``after``, in their order, and no more than ``limit`` rows.

    ``read(after, most)`` returns the next rows; fewer than ``most`` are the last.
    """
    left = limit
    while left is None or left > 0:
        most = size if left is None else min(size, left)
        page = read(after, most)
        yield page
        if len(page) < most:
            return
        after = page[-1].id
        left = None if left is None else left - most
