"""The rows sorted out: new recipients, repeated ones, and those that are refused here with why. Deterministic.

The same input is sorted in the same way each time: for the plan, for the journal, and for the journal again after a
crash. A number is sent to once, with the text of the first row that has one that can be sent.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from devinotify import text as texts
from devinotify.bulk.seen import Seen
from devinotify.bulk.template import InvalidTemplate
from devinotify.exceptions import DevinotifyError, InvalidPhoneNumber
from devinotify.phones.recipients import sort_many
from devinotify.phones.refusal import MAX_INPUT, Refused

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from devinotify.bulk.exclusion import Exclusion
    from devinotify.bulk.table import Page, Table
    from devinotify.bulk.template import Template
    from devinotify.phones import PhoneNumber
    from devinotify.phones.recipients import SortedMany

ROUNDED = (
    "a spreadsheet has rounded the number, and its last digits are lost: give the column the format of text, or of a"
    " number without decimals, and save the list again"
)
"""What is said of ``7.91612E+10``."""
_MOST_WORDS = 255
"""Reasons of refusals that are remembered by a byte; there are two dozen."""
_POWER = re.compile(r"\s*\d+(?:[.,]\d+)?[eEеЕ]\+?\d{1,2}\s*")


@dataclass(slots=True)
class Sorted:
    """A page of rows, sorted out: ``rows`` = numbers + duplicates + refused.

    ``numbers`` are new, in E.164 and in the order of their rows; ``texts`` go with them, or are empty where all have
    the same. ``duplicates`` holds row number (from 1) and number where an earlier row has the same number, ``refused``
    row number, what stood there, and why. ``further`` numbers stand beside the one that a row is sent to, ``blank`` is
    how many of the texts have an empty column in them.
    """

    rows: int
    further: int = 0
    blank: int = 0
    numbers: list[str] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)
    duplicates: list[tuple[int, str]] = field(default_factory=list)
    refused: list[tuple[int, str, DevinotifyError]] = field(default_factory=list)

    def behind(self, row: int, first: int) -> Sorted:
        """Return what stands behind a row (from 1) of this page, whose first row is ``first``."""
        if row < first:
            return self
        others = {*(each for each, _ in self.duplicates), *(each for each, _, _ in self.refused)}
        skipped = sum(each not in others for each in range(first, row + 1))
        return Sorted(
            self.rows - (row + 1 - first),
            self.further,
            self.blank,
            self.numbers[skipped:],
            self.texts[skipped:],
            [each for each in self.duplicates if each[0] > row],
            [each for each in self.refused if each[0] > row],
        )


class Refusals:
    """Why rows were refused, a byte for each and one error for all that are refused alike.

    The error names neither row nor number: the journal has both beside it.
    """

    def __init__(self) -> None:
        self._why = bytearray()  # by row, from 1; 0 where nothing is known
        self._words: list[Refused] = []
        self._numbers: dict[tuple[str, str], int] = {}
        self._errors: dict[tuple[str, str], InvalidPhoneNumber] = {}

    def known(self, first: int, count: int) -> dict[int, Refused]:
        """Return what is known of ``count`` rows from row ``first`` on, by their positions from 0."""
        codes = self._why[first : first + count]
        return {position: self._words[code - 1] for position, code in enumerate(codes) if code} if any(codes) else {}

    def error(self, row: int, refused: Refused, raw: str) -> InvalidPhoneNumber:
        """Remember why a row is refused in which ``raw`` stands, and return the error that says so."""
        key = (str(refused.reason), refused.why)
        number = self._numbers.get(key)
        if number is None and len(self._words) < _MOST_WORDS:
            self._words.append(Refused(refused.reason, refused.why))
            number = self._numbers[key] = len(self._words)
        if number is not None:
            if len(self._why) <= row:
                self._why.extend(bytes(max(row + 1, 2 * len(self._why)) - len(self._why)))
            self._why[row] = number
        told = (key[0], ROUNDED if _POWER.fullmatch(raw) else key[1])
        error = self._errors.get(told)
        if error is None:
            error = InvalidPhoneNumber(told[1], reason=told[0])
            if len(self._errors) < _MOST_WORDS:
                self._errors[told] = error
        return error


def sort_out(
    table: Table,
    *,
    region: str,
    template: Template | None = None,
    shape: Callable[[str], str] = str,
    read: Callable[[str], PhoneNumber] | None = None,
    refusals: Refusals | None = None,
    exclusion: Exclusion | None = None,
) -> Iterator[Sorted]:
    """Yield the pages of a table, sorted out; with ``template`` each recipient has its own text, made by ``shape``.

    ``shape`` returns the text as it will be sent, or raises InvalidText: the row is then refused. ``read`` reads each
    number where a plugin has a say in that, or raises DevinotifyError; without it all are read at once. ``refusals`` is
    what an earlier pass over the same table has refused, or will tell that to a later one. Whoever is in ``exclusion``
    is refused, row by row. Raises
    InvalidTemplate where a row has not all the columns of the template.
    """
    seen = Seen()
    refusals = Refusals() if refusals is None else refusals
    for page in table.pages(records=template is not None):
        raws, faults = (page.raws, {}) if read is None else read_each(page.raws, read)
        known = refusals.known(page.first, len(page.raws)) if read is None else {}
        found = sort_many(raws, region, known)
        answer = Sorted(len(page.raws), page.further)
        if exclusion is not None:
            found, left_out = exclusion.split(found)
            answer.refused += [
                (page.first + place, str(page.raws[place])[:MAX_INPUT], exclusion.error) for place in left_out
            ]
        for position, why in found.refused:
            raw = str(page.raws[position])[:MAX_INPUT]
            error = faults.get(position) or refusals.error(page.first + position, why, raw)
            answer.refused.append((page.first + position, raw, error))
        if template is None:
            first, numbers = page.first, list(found.numbers)
            again = seen.add_all(list(map(int, numbers)))
            if again:
                place_of = zip(found.positions, numbers, strict=True)
                answer.duplicates += [(first + place, e164) for place, e164 in place_of if int(e164) in again]
                numbers = [e164 for e164 in numbers if int(e164) not in again]
            answer.numbers += numbers
            if found.duplicates:
                number_at = dict(zip(found.positions, found.numbers, strict=True))
                answer.duplicates += [(first + later, number_at[at]) for later, at in found.duplicates.items()]
        else:
            _personal(answer, page, found, template, shape, seen, table)
        yield answer


def read_each(
    raws: Sequence[str | int], read: Callable[[str], PhoneNumber]
) -> tuple[list[str | int | PhoneNumber], dict[int, DevinotifyError]]:
    """Return what a plugin made of each number, the refused ones as nothing, and why those are refused."""
    found: list[str | int | PhoneNumber] = []
    faults: dict[int, DevinotifyError] = {}
    for position, raw in enumerate(raws):
        try:
            found.append(read(str(raw)))
        except DevinotifyError as error:
            faults[position] = error
            found.append("")
    return found, faults


def _personal(
    answer: Sorted,
    page: Page,
    found: SortedMany,
    template: Template,
    shape: Callable[[str], str],
    seen: Seen,
    table: Table,
) -> None:
    number_at = dict(zip(found.positions, found.numbers, strict=True))
    number_at.update({position: number_at[first] for position, first in found.duplicates.items()})
    known: set[str] = set()
    for position in sorted(number_at):
        e164 = number_at[position]
        row = page.first + position
        try:
            text = template.render(page.records[position])
        except InvalidTemplate as error:
            raise InvalidTemplate(f"line {table.numbering().line(row)}: {error}") from None
        if e164 in known:
            answer.duplicates.append((row, e164))
            continue
        try:
            text = shape(text)
            texts.check_sendable(text)
        except DevinotifyError as error:
            answer.refused.append((row, str(page.raws[position])[:MAX_INPUT], error))
            continue
        known.add(e164)
        if seen.add(int(e164)):
            answer.numbers.append(e164)
            answer.texts.append(text)
            answer.blank += template.is_blank(page.records[position])
        else:
            answer.duplicates.append((row, e164))
