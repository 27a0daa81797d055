"""From what a caller has to numbers to send to: one, many, and none lost. Pure."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType
from typing import TYPE_CHECKING

from devinotify.exceptions import InvalidInput
from devinotify.phones.number import PhoneNumber, russian_mobile
from devinotify.phones.refusal import MAX_INPUT, Reason, Refused, invalid
from devinotify.redact import kind_of

if TYPE_CHECKING:
    import re
    from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

    from devinotify.exceptions import InvalidPhoneNumber

_DATE, _SEVERAL = 8, 20
"""The digits of a date, and of the shortest two numbers."""
_LONGEST = 10**15
"""The first integer with more digits than E.164 allows."""


@cache
def _russian() -> Callable[[str], re.Match[str] | None]:
    """Return the full match for Russian mobiles, the mass of all input: the fast path."""
    from devinotify.phones.shortcuts import russian_matcher

    return russian_matcher()


@cache
def _russian_reader() -> Callable[[str], list[str]]:
    """Return what reads the Russian mobiles of many lines at once."""
    from devinotify.phones.shortcuts import russian_reader

    return russian_reader()


@cache
def _russian_zones() -> tuple[str, ...] | None:
    """Return the time zones of every Russian mobile, ``None`` where they are not all the same."""
    from devinotify.phones.plan import mobile_zones

    return mobile_zones("RU")


def _region(region: str) -> str:
    if region == "RU":
        return region
    from devinotify.phones.plan import known_region

    return known_region(region)


def read_plans(region: str) -> None:
    """Have in memory what the first number given in ``region`` needs of the numbering plans.

    That takes some tenths of a second, once in a process. ``normalize`` does it by itself; whoever must not be held up
    so long, an event loop for one, does it ahead and elsewhere. Raises InvalidInput for an unknown region.
    """
    from devinotify.phones import notation, plan  # noqa: F401 - to be imported ahead is what the first is here for

    _russian()
    region = _region(region)
    plan.read_plan(region)
    if region == "RU":
        _refusals()


def calling_codes(inputs: Iterable[object], region: str) -> set[int]:
    """Return the calling codes of the countries by whose plans ``normalize`` would read what is not a Russian mobile.

    On the first number of a country it takes some milliseconds to read those, which ``plan.read_country`` does ahead.
    Raises InvalidInput for an unknown region.
    """
    region, match = _region(region), _russian()
    is_russian = region == "RU"
    others = [
        raw
        for raw in inputs
        if not ((is_russian and isinstance(raw, str) and match(raw)) or isinstance(raw, PhoneNumber))
    ]
    if not others:
        return set()
    from devinotify.phones import notation, plan

    codes: set[int] = set()
    for raw in others:
        with suppress(Refused):  # as it is without a look at any plan
            text = raw if isinstance(raw, str) else _text(raw)
            if len(text) > MAX_INPUT or (is_russian and match(_bare(text))):
                continue
            number = notation.read(text)
            if not (number[0] == "+" and match(number)):
                codes.add(plan.calling_code(number, region))
    return codes - {0}


@dataclass(frozen=True, slots=True, repr=False, eq=False)
class NormalizedMany:
    """A list of inputs sorted out: ``len(numbers) + len(duplicates) + len(refused)`` is the number of inputs.

    ``numbers`` are distinct, in order of first appearance, and ``positions`` tells where each of them stood.
    ``duplicates`` maps the position of a repeated number to the position of its first appearance; ``refused``
    holds one InvalidPhoneNumber for each other input, with its position. Positions count from 0.
    """

    numbers: tuple[PhoneNumber, ...]
    positions: Sequence[int]
    duplicates: Mapping[int, int]
    refused: tuple[InvalidPhoneNumber, ...]

    def __repr__(self) -> str:
        return (
            f"<NormalizedMany {len(self.numbers)} numbers, {len(self.duplicates)} duplicates,"
            f" {len(self.refused)} refused>"
        )


def _text(raw: object) -> str:
    """Return the text of an input that is none; integers have one, since JSON and spreadsheets bring them."""
    if not isinstance(raw, int) or isinstance(raw, bool):
        raise Refused(Reason.NOT_A_NUMBER, f"a phone number is given as text, not as {kind_of(raw)}")
    if raw < 0:
        raise Refused(Reason.NOT_A_NUMBER, "a negative number is not a phone number")
    if raw >= _LONGEST:
        raise Refused(Reason.TOO_LONG)
    return str(raw)


def _bare(text: str) -> str:
    """Return the text without the usual punctuation.

    No dot is dropped: what spreadsheets make of numbers ends in ".0", and must be refused.
    """
    return text.replace(" ", "").replace("-", "").replace("(", "").replace(")", "").replace("\xa0", "")


def _fast(inputs: Sequence[object]) -> list[str | None]:
    """Return each input's Russian mobile in E.164, ``None`` where the long way has to look.

    All are read as one text, a line each: that takes half of the time of a match for each, and a fifth to strip.
    """
    read = _russian_reader()
    texts = [raw if type(raw) is str and len(raw) <= MAX_INPUT else "" for raw in inputs]
    found = read(_bare("\n".join(texts)))
    if len(found) != len(texts):  # there are none, or one of them has a line break
        found = [read(_bare(text))[0] if "\n" not in text else "" for text in texts]
    return ["+7" + digits if digits else None for digits in found]


@cache
def _refusals() -> Callable[[str], Refused | None]:
    """Return what refuses the mass of what is none of Russia's mobiles, as the long way would, and far sooner."""
    from devinotify.phones.shortcuts import russian_refusals

    return russian_refusals()


def _read(raw: object, region: str) -> PhoneNumber:
    """Return the number of an input that the fast path has not taken; raises Refused."""
    if isinstance(raw, PhoneNumber):
        return raw
    text = raw if isinstance(raw, str) else _text(raw)
    if len(text) > MAX_INPUT:
        raise Refused(Reason.TOO_LONG, f"a text of {len(text)} characters is not a phone number")
    match = _russian()
    if region == "RU":
        bare = _bare(text)
        if match(bare):
            return russian_mobile("+7" + bare[-10:])
        # Few digits with dashes may be a date, and many with anything between may be several numbers.
        plain = len(bare) == len(text) or (len(bare) < _SEVERAL and ("-" not in text or len(bare) > _DATE))
        if plain and (refused := _refusals()(bare)) is not None:
            raise refused
    from devinotify.phones import notation, plan

    number = notation.read(text)
    if (region == "RU" or number[0] == "+") and match(number):
        return russian_mobile("+7" + number[-10:])
    return plan.resolve(number, region)


def normalize(raw: str | int | PhoneNumber, region: str = "RU", *, position: int | None = None) -> PhoneNumber:
    """Return the number that a message can be sent to; raises InvalidPhoneNumber, which says why it is none.

    ``region`` is the ISO 3166 code of the country whose way of writing is assumed for numbers without ``+``;
    raises InvalidInput where it is unknown. ``position`` is told by the error: the number's place in a list, from
    0. A PhoneNumber is returned as it is.
    """
    if region == "RU":
        if isinstance(raw, str) and _russian()(raw):
            return russian_mobile("+7" + str(raw)[-10:])  # a plain text, whatever kind of text was given
    else:
        region = _region(region)
    try:
        return _read(raw, region)
    except Refused as refused:
        error = invalid(refused, raw, position)
    raise error


def normalize_many(raws: Iterable[str | int | PhoneNumber], region: str = "RU") -> NormalizedMany:
    """Return the distinct numbers in order of first appearance, the duplicates, and the refused with reasons.

    Nothing is lost: each input is in exactly one of the three. Raises InvalidInput for an unknown ``region`` and
    for one text in place of a list.
    """
    if isinstance(raws, str | bytes):
        raise InvalidInput("the numbers must be a list, not one text")
    inputs = list(raws)
    found = sort_many(inputs, region)
    others = found.others
    if others:
        numbers = tuple([others.get(e164) or russian_mobile(e164) for e164 in found.numbers])
    else:
        numbers = tuple(map(russian_mobile, found.numbers))
    errors = tuple([invalid(why, inputs[position], position) for position, why in found.refused])
    return NormalizedMany(numbers, found.positions, found.duplicates, errors)


def distinct(raws: Iterable[str | int | PhoneNumber], region: str = "RU") -> tuple[str, ...]:
    """Return the distinct numbers in E.164, in order of first appearance, as ``normalize_many`` has them.

    Raises InvalidPhoneNumber for the first that is refused, and InvalidInput for an unknown ``region``.
    """
    inputs = list(raws)
    found = sort_many(inputs, region)
    if found.refused:
        position, why = found.refused[0]
        error = invalid(why, inputs[position], position)
        del inputs, found  # numbers, which would be seen in this frame
        raise error
    return tuple(found.numbers)


@dataclass(frozen=True, slots=True, repr=False, eq=False)
class SortedMany:
    """What NormalizedMany has, before anything is made of it: ``numbers`` in E.164, and why each ``refused`` one is.

    ``others`` is what was found out about those numbers that the fast path has not taken.
    """

    numbers: Collection[str]
    positions: Sequence[int]
    duplicates: Mapping[int, int]
    refused: Sequence[tuple[int, Refused]]
    others: Mapping[str, PhoneNumber]


def sort_many(
    inputs: Sequence[str | int | PhoneNumber], region: str, known: Mapping[int, Refused] = MappingProxyType({})
) -> SortedMany:
    """Return inputs sorted out as ``normalize_many`` does it, without a value for each number or refusal.

    ``known`` are refusals, by position, that were found before. Raises InvalidInput for an unknown ``region``.
    """
    region = _region(region)
    found: list[str | None] = _fast(inputs) if region == "RU" else [None] * len(inputs)
    others: dict[str, PhoneNumber] = {}
    refused: list[tuple[int, Refused]] = []
    if None in found:
        for position, raw in enumerate(inputs):
            if found[position] is None:
                if position in known:
                    refused.append((position, known[position]))
                    continue
                try:
                    number = _read(raw, region)
                except Refused as why:
                    refused.append((position, why.with_traceback(None)))  # whose frames hold the number
                else:
                    found[position] = others.setdefault(number.e164, number).e164
    distinct = dict.fromkeys([e164 for e164 in found if e164 is not None])
    if len(distinct) == len(found):
        return SortedMany(distinct, range(len(found)), {}, refused, others)
    first: dict[str, int] = {}
    duplicates: dict[int, int] = {}
    for position, e164 in enumerate(found):
        if e164 is not None and first.setdefault(e164, position) != position:
            duplicates[position] = first[e164]
    return SortedMany(distinct, tuple(first.values()), duplicates, refused, others)


def gateway_digits(raw: str | int | PhoneNumber, region: str = "RU") -> str:
    """Return the number as the gateway takes it, ``79161234567``; raises InvalidPhoneNumber."""
    return normalize(raw, region).digits


def time_zones(number: str | int | PhoneNumber, region: str = "RU") -> tuple[str, ...]:
    """Return the IANA names of the time zones that the number may be in, sorted; none where the plan does not say.

    A mobile number tells its country and no more: ``+7`` alone spans sixteen zones. Raises InvalidPhoneNumber.
    """
    found = normalize(number, region)
    # phonenumbers takes 50 times as long to say of each Russian mobile what it says of all.
    shared = _russian_zones() if _russian()(found.e164) else None
    if shared is not None:
        return shared
    from devinotify.phones.plan import zones

    return zones(found)
