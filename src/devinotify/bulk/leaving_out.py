"""The numbers to leave out, read from other lists and from the journals of other campaigns."""

from __future__ import annotations

import itertools
import logging
import os
from typing import TYPE_CHECKING

from devinotify.bulk.exclusion import Exclusion
from devinotify.bulk.journal import Journal
from devinotify.bulk.seen import Seen
from devinotify.bulk.sorting import read_each
from devinotify.bulk.source import Source
from devinotify.bulk.table import Table
from devinotify.exceptions import InvalidInput
from devinotify.outbox import RowState
from devinotify.outbox.location import is_database
from devinotify.phones.number import is_e164
from devinotify.phones.recipients import sort_many
from devinotify.words import counted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from devinotify.notifier import Notifier
    from devinotify.phones import PhoneNumber

    AnyPath = str | os.PathLike[str]
    Read = Callable[[str], PhoneNumber] | None

log: logging.Logger = logging.getLogger(__name__)

SOME = 10_000
"""Numbers of a journal that are taken at once."""
REACHED = frozenset(RowState) - {RowState.NOT_SENT, RowState.REJECTED, RowState.FAILED}
"""The states of those whom another campaign has reached, may have, or is to reach."""


def leave_out(
    notifier: Notifier, files: Iterable[AnyPath], journals: Iterable[AnyPath], read: Read, own: AnyPath | None
) -> Exclusion | None:
    """Return whom these lists and journals leave out, and have the notifier refuse them; ``None`` without any.

    The lists are in any form that a campaign takes; rows without a number, by which nobody can be sent to, are logged.
    ``read`` reads a number where a plugin has a say in that. Raises InvalidInput for a list that cannot be read, for a
    journal that is not there, and for the campaign's ``own``: all that wait in it would be left out for good.
    """
    files, journals = list(files), list(journals)
    if not (files or journals):
        return None
    numbers = Seen()
    unread = 0
    for file in files:
        for found, refused in _listed(file, notifier.url.region, read):
            numbers.add_all(found)
            unread += refused
    for journal in journals:
        if own is not None and _place(journal) == _place(own):
            raise InvalidInput("the campaign's own journal leaves nobody out: name another campaign's")
        for some in _reached(journal):
            numbers.add_all(some)
    if unread:
        told = counted(unread, "row of the lists to leave out holds", "rows of the lists to leave out hold")
        log.warning("%s no number", told)
    return Exclusion(numbers, notifier)


def _listed(file: AnyPath, region: str, read: Read) -> Iterator[tuple[set[int], int]]:
    """Yield the numbers of a list, page by page, and how many rows of it have none."""
    with Source(file) as source:
        for page in Table(source, region=region, read=read).pages(records=False):
            found = sort_many(page.raws if read is None else read_each(page.raws, read)[0], region)
            yield set(map(int, found.numbers)), len(found.refused)


def _place(journal: AnyPath) -> str:
    return os.fspath(journal) if is_database(journal) else os.path.realpath(journal)


def _reached(journal: AnyPath) -> Iterator[set[int]]:
    """Yield the numbers that a campaign has reached, may have or is to reach, some at a time."""
    with Journal(journal, create=False) as other:
        numbers = (int(row.recipient) for row in other.rows(REACHED) if is_e164(row.recipient))
        while some := set(itertools.islice(numbers, SOME)):
            yield some
