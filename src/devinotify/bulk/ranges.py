"""Whose numbers these are, by their first digits: operators where the ranges tell them, else countries."""

from __future__ import annotations

from collections import Counter
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

from devinotify.phones.plan import calling_code

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from devinotify.bulk.language import Language

RANGE = 7
"""Digits, with the country's code, by which numbers are counted together: +7 916 123."""
MOST = 10
"""Groups that are shown; the rest is added up in the last."""

COUNTRIES: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "AE": ("United Arab Emirates", "ОАЭ"),
        "AM": ("Armenia", "Армения"),
        "AZ": ("Azerbaijan", "Азербайджан"),
        "BY": ("Belarus", "Беларусь"),
        "CN": ("China", "Китай"),
        "CY": ("Cyprus", "Кипр"),
        "DE": ("Germany", "Германия"),
        "EE": ("Estonia", "Эстония"),
        "ES": ("Spain", "Испания"),
        "FI": ("Finland", "Финляндия"),
        "FR": ("France", "Франция"),
        "GB": ("United Kingdom", "Великобритания"),
        "GE": ("Georgia", "Грузия"),
        "IL": ("Israel", "Израиль"),
        "IN": ("India", "Индия"),
        "IT": ("Italy", "Италия"),
        "KG": ("Kyrgyzstan", "Киргизия"),
        "KZ": ("Kazakhstan", "Казахстан"),
        "LT": ("Lithuania", "Литва"),
        "LV": ("Latvia", "Латвия"),
        "MD": ("Moldova", "Молдавия"),
        "PL": ("Poland", "Польша"),
        "RS": ("Serbia", "Сербия"),
        "RU": ("Russia", "Россия"),
        "TJ": ("Tajikistan", "Таджикистан"),
        "TM": ("Turkmenistan", "Туркмения"),
        "TR": ("Turkey", "Турция"),
        "UA": ("Ukraine", "Украина"),
        "US": ("United States", "США"),
        "UZ": ("Uzbekistan", "Узбекистан"),
    }
)
"""Countries that people here send to, in English and Russian; another is told by its calling code."""


class Share(NamedTuple):
    """How many recipients a group has, and how many of them were reached."""

    name: str
    recipients: int
    delivered: int


class Ranges:
    """Counts recipients by the range of their number, and how many were reached; memory grows with the ranges.

    ``operators`` are the names of those who have a range, by language and by how its numbers begin: phonenumbers' own
    table where none is given.
    """

    def __init__(self, operators: Mapping[str, Mapping[str, str]] | None = None) -> None:
        self._operators = operators
        self._counts: Counter[str] = Counter()
        self._reached: Counter[str] = Counter()
        self._example: dict[str, str] = {}

    def add(self, recipients: Sequence[str], delivered: Iterable[str] = ()) -> None:
        """Count recipients, numbers in E.164, and those of them that were reached: many at once, for speed."""
        firsts = [recipient[1 : RANGE + 1] for recipient in recipients]
        self._counts.update(firsts)
        self._reached.update([recipient[1 : RANGE + 1] for recipient in delivered])
        for first in set(firsts) - self._example.keys():
            self._example[first] = recipients[firsts.index(first)]

    def shares(self, language: Language) -> tuple[str, Sequence[Share]]:
        """Return ``operator`` or ``country``, and its groups, the largest first; none where all are in one.

        Operators are told where most of the numbers tell theirs. A range says who had a number first.
        """
        countries = {first: _region(number) for first, number in self._example.items()}
        several = len(set(countries.values())) > 1
        table = _known() if self._operators is None else self._operators
        operators = {first: _operator(table, first, language.code) for first in self._counts}
        told = sum(count for first, count in self._counts.items() if operators[first])
        by_operator = 2 * told > self._counts.total()
        totals: Counter[str] = Counter()
        reached: Counter[str] = Counter()
        for first, recipients in self._counts.items():
            country = _called(*countries[first], language)
            name = (operators[first] or language.say("other operators")) if by_operator else country
            name = f"{country} · {name}" if several and by_operator else name
            totals[name] += recipients
            reached[name] += self._reached[first]
        kind = "operator" if by_operator else "country"
        if len(totals) < 2:  # all of one kind tell nothing
            return kind, ()
        found = [Share(name, count, reached[name]) for name, count in totals.most_common()]
        if len(found) <= MOST:
            return kind, found
        rest = found[MOST - 1 :]
        others = Share(language.say("others"), sum(one.recipients for one in rest), sum(one.delivered for one in rest))
        return kind, [*found[: MOST - 1], others]


def _region(e164: str) -> tuple[int, str]:
    """Return the calling code and the country of a number that was sent to."""
    import phonenumbers as library

    code = calling_code(e164, "")
    regions = library.COUNTRY_CODE_TO_REGION_CODE.get(code, ("",))
    if len(regions) == 1:
        return code, regions[0]
    number = library.PhoneNumber(country_code=code, national_number=int(e164.removeprefix(f"+{code}")))
    return code, library.region_code_for_number(number) or regions[0]


def _known() -> Mapping[str, Mapping[str, str]]:
    from phonenumbers.carrierdata import CARRIER_DATA  # large, and only reports need it

    return CARRIER_DATA


def _operator(table: Mapping[str, Mapping[str, str]], first: str, language: str) -> str:
    """Return whose range numbers with these first digits are in, or nothing where that is not told."""
    for length in range(len(first), 0, -1):
        names = table.get(first[:length])
        if names is not None:
            return str(names.get(language) or names.get("en") or "")
    return ""


def _called(code: int, region: str, language: Language) -> str:
    names = COUNTRIES.get(region)
    return language.of(names) if names is not None else f"+{code}"
