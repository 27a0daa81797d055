"""Which column holds the numbers, what tells a header from a row, and columns as an error may show them. Pure.

A column is never guessed: where two may hold the numbers, the caller has to name one. Strangers would get the message.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from devinotify.exceptions import InvalidInput
from devinotify.redact import scrub

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_ENGLISH = (
    "phone, phones, phone number, phone numbers, phonenumber, number, numbers, mobile, mobile phone, mobile number, "
    "cell, cell phone, tel, telephone, msisdn, recipient, to"
)
_RUSSIAN = (
    "телефон, телефоны, телефона, номер, номера, номер телефона, номера телефонов, мобильный, мобильный телефон, "
    "сотовый, сотовый телефон, моб, тел, получатель"
)
NAMES = frozenset(f"{_ENGLISH}, {_RUSSIAN}".split(", "))
"""What a column of numbers is called, as ``is_known`` compares it: ``№ телефона`` as ``телефона``."""

_VAGUE = frozenset({"number", "numbers", "recipient", "to", "номер", "номера", "получатель"})
"""Those of the names that say nothing of a telephone: what stands below has to be written as one."""

_STEMS = (
    "phone", "telefon", "mobil", "msisdn", "handy", "whatsapp", "tālrun", "puhelin", "komórk", "komork",
    "телефон", "тэлефон", "мобил", "мобіл", "мабіл", "сотов", "стільник", "ватсап", "вотсап", "ұялы", "уялы",
    "հեռախոս", "բջջային", "ტელეფონ", "მობილურ",
)  # fmt: skip
_WORDS = frozenset({"tel", "tels", "cell", "cellular", "gsm", "cep", "тел", "моб", "сот"})
_ABOUT = frozenset({"type", "label", "code", "country", "ext", "extension", "confirmed", "тип", "код", "добавочный"})
"""Words of a column that tells something about a telephone: ``Phone 1 - Type``."""
_OTHERS = re.compile(
    r"id|ids|uid|uuid|guid|ид|inn|инн|кпп|kpp|огрн|ogrn|снилс|snils|бин|иин|iban|ip|card|карта|карты|паспорт|passport"
    r"|date|дата|time|время|order|заказ|заказа|contract|договор|договора|account|счет|счёт|счета|счёта|code|код|index"
    r"|индекс|sum|amount|сумма|price|цена|barcode|штрихкод|артикул|sku|fax|факс"
    r"|telegram|телеграмм?|tg|тг|vk|вк|chat|чат|user|policy|полис|полиса|ticket|тикет|заявка|заявки|обращение|track"
    r"|tracking|трек|баркод|imei|imsi|iccid|timestamp|бик|bik|огрнип|окпо|okpo"
    r"|clients?|клиент(?:а|ы|ов)?|customers?|покупател[ьяи]|login|логин|username|пользовател[ьяи]|member|участник|profile"
    r"|профиль|key|ключ|serial|серийный|device|устройство|счетчик|счётчик|лицевой|invoice|накладная|shipment|отправление"
    r"|посылка|vin|isbn|ean|gtin|link|ссылка|url"
)
"""Words of a column that holds something else, however much it looks like numbers."""

LISTED = 20
"""Columns that an error lists."""
CUT = 40
"""Characters of a cell that an error shows."""
_LOOKED_AT = 250  # of a cell, before it is cut: what is masked may be longer than what is shown

_WORD = re.compile(r"[^\W_]+")
_HUMP = re.compile(r"(?<=[a-zа-я])(?=[A-ZА-Я])")  # clientId
_COUNTER = re.compile(r" ?\d{1,2}$")  # phone2, Phone 1
_SOME_DIGITS, _A_NUMBER = 5, 10


def is_known(name: str) -> bool:
    """Return whether a column of this name holds numbers: ``Phone_Number``, ``phone2`` and ``"Тел."`` do."""
    return _plain(name) in NAMES


def _is_certain(name: str) -> bool:
    """Whether a column of this name holds telephones and nothing else, whatever is in it."""
    return _plain(name) in NAMES - _VAGUE


def _plain(name: str) -> str:
    return _COUNTER.sub("", " ".join(_WORD.findall(name.casefold())))


def says_phone(name: str) -> bool:
    """Return whether a name speaks of a telephone, inside a longer name too: ``Контактный телефон``, ``homePhone``."""
    words = _WORD.findall(name.casefold())
    return not _ABOUT.intersection(words) and any(
        word.rstrip("0123456789") in _WORDS or any(stem in word for stem in _STEMS) for word in words
    )


def says_other(name: str) -> bool:
    """Return whether a name speaks of something that is not a telephone: ``ИНН``, ``clientId``, ``Дата``."""
    words = _WORD.findall(_HUMP.sub(" ", name).casefold().replace("_", " "))
    return not says_phone(name) and any(_OTHERS.fullmatch(word.rstrip("0123456789")) for word in words)


def is_header(first: Sequence[str]) -> bool:
    """Return whether a first row is a header rather than somebody's row.

    No cell of a header looks like a phone number at all, were it an invalid one: none has five digits. Beside the
    name of a telephone there may be a date or an account (``phone;01.05.2026``), but not ten digits:
    ``Anna;mobile;84951234567`` is a row.
    """
    most = max((sum(map(str.isdecimal, cell)) for cell in first), default=0)
    return most < (_A_NUMBER if any(is_known(cell) or says_phone(cell) for cell in first) else _SOME_DIGITS)


def choose(
    names: Sequence[str] | None,
    rows: Sequence[Sequence[str]],
    is_number: Callable[[str], bool],
    *,
    noun: str = "column",
) -> int:
    """Return the place, from 0, of the column that holds the numbers; raises InvalidInput where that is not certain.

    ``names`` is the header, or ``None`` where there is none; ``rows`` are the first ones below it. The numbers are in
    the column with the very name of a telephone, in the one whose longer name speaks of a telephone, or in the only one
    that looks like it, in this order, as long as no other one may be meant. Where the name does not speak of a
    telephone, or there is none, numbers have to be written like one, with a plus or eleven digits: ``9031234567`` may
    be an account. A single column without a header is a list of numbers, however they are written.
    """
    width = max(map(len, rows), default=0) if names is None else len(names)
    header = names or [""] * width
    columns = [_Cells([row[place] for row in rows if place < len(row)], is_number) for place in range(width)]
    numbers = [place for place, column in enumerate(columns) if column.numbers]
    known = [place for place, name in enumerate(header) if is_known(name)]
    called = [place for place, name in enumerate(header) if says_phone(name) and not columns[place].wordy]
    titles = [name or str(place) for place, name in enumerate(header, 1)]
    if len(called) > 1 and len({header[place] for place in called}) == 1:
        return called[0]  # the caller tells that one name is there twice
    if len(called) > 1:
        raise _several(noun, titles, called, "speak of a telephone", same=True)
    if called:
        (only,) = called
        rivals = [place for place in numbers if place != only]
        if only in known and (columns[only].filled or not rows):  # its name is certain: an id beside it is not a rival
            rivals = [place for place in rivals if place in known]
        if rivals:
            raise _several(noun, titles, sorted([only, *rivals]), "may hold the numbers")
        return known[0] if only in known and not columns[only].numbers else only
    if len(numbers) > 1:
        raise _several(noun, titles, numbers, "look like numbers")
    if not numbers and not known and width > 1:
        raise InvalidInput(f"no {noun} looks like numbers; name it: {_there(names, width)}")
    only = next(iter([*numbers, *known]), 0)
    other = only not in known and (says_other(header[only]) or (width > 1 and not columns[only].mostly))
    unnamed = not _is_certain(header[only]) and (header[only] or width > 1)  # one column and no header is a plain list
    if other or (unnamed and columns[only].are_bare):
        raise InvalidInput(
            f"the {noun} {shown(titles[only])} may hold something else than telephones: name it with --column;"
            f" the input has: {_there(names, width)}"
        )
    return only


def _there(names: Sequence[str] | None, width: int) -> str:
    return f"columns 1 to {width}" if names is None else listed(names)


def _several(noun: str, titles: Sequence[str], places: Sequence[int], why: str, *, same: bool = False) -> InvalidInput:
    """Return the error for columns of which any may be the one."""
    some = [titles[place] for place in places]
    both = ",".join(some[:2])
    more = ""
    if same and len(both) <= CUT - 2:  # an id beside a telephone is nothing to send to
        more = f" (--column {shown(both)} takes the first number of each row)"
    there = ", ".join(map(shown, some[:LISTED]))
    return InvalidInput(f"the {noun}s {there} {why}, and none is guessed: name the one with --column{more}")


class _Cells:
    """What a column's first cells are like: how many are ``filled``, how many are ``numbers``.

    ``mostly`` tells whether half of them are numbers, ``are_bare`` whether most digits have no code of a country.
    """

    def __init__(self, cells: Sequence[str], is_number: Callable[[str], bool]) -> None:
        some = [cell for cell in cells if cell.strip()]
        digits = [cell for cell in some if any(map(str.isdecimal, cell))]
        self.filled = len(some)
        self.numbers = sum(map(is_number, digits))
        self.wordy = bool(some) and not digits
        self.are_bare = 2 * sum(map(_is_bare, digits)) > len(digits)
        self.mostly = 2 * self.numbers >= self.filled


def _is_bare(cell: str) -> bool:
    """Whether the digits of a cell could be those of anything: no plus, no code of a country, nothing between them."""
    return cell.strip().isdecimal() and len(cell.strip()) <= _A_NUMBER


def shown(cell: str) -> str:
    """Return a cell in quotes as an error may show it: numbers and tokens masked, and short."""
    text = scrub(cell[:_LOOKED_AT])
    return repr(text if len(text) <= CUT else text[: CUT - 1] + "…")


def listed(columns: Sequence[str]) -> str:
    """Return the columns as an error may show them: the first LISTED, or only their places where they have no names."""
    count = len(columns)
    if count and list(columns) == [str(place) for place in range(1, count + 1)]:
        return f"columns 1 to {count}"
    more = f" and {count - LISTED} more" if count > LISTED else ""
    return (", ".join(map(shown, columns[:LISTED])) or "none") + more
