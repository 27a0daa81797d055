"""The words of a report, and how numbers, times and spans are written, in English and Russian. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING

from devinotify.bulk.reasons import REASONS
from devinotify.exceptions import InvalidInput

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime
    from decimal import Decimal

    from devinotify.bulk.reasons import Said

LANGUAGES = ("en", "ru")
"""The languages that a report is written in."""

_HARD = "\N{NO-BREAK SPACE}"

WORDS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "title": ("Campaign", "Рассылка"),
        "as of": ("As of", "По состоянию на"),
        "incomplete": (
            "Not complete: the input is not all in the journal yet: run the campaign again to complete it.",
            "Не полностью: список ещё не весь в журнале. Запустите рассылку ещё раз, чтобы завершить её.",
        ),
        "delivered so far": ("delivered so far", "доставлено к этому времени"),
        "delivered of": ("{delivered} of {recipients} recipients", "{delivered} из {recipients} получателей"),
        "nobody": ("There is nobody to send to", "Отправлять некому"),
        "cost": ("Cost", "Стоимость"),
        "cost so far": ("told for {priced} of {sent}", "известна для {priced} из {sent}"),
        "cost listed": (
            "{listed} of it for the last tries, as in the CSV",
            "из них {listed} за последние попытки, как в CSV",
        ),
        "cost estimated": ("estimated, by the price given", "оценка по указанной цене"),
        "cost unknown": ("not told yet", "пока неизвестна"),
        "recipients": ("Recipients", "Получатели"),
        "segments": ("Segments", "Сегменты"),
        "channel": ("Channel", "Канал"),
        "then": ("{first}, then {second}", "{first}, затем {second}"),
        "sender": ("Sender", "Отправитель"),
        "list": ("List", "Список"),
        "begun": ("Begun", "Начата"),
        "scheduled": ("Scheduled for", "Назначена на"),
        "local time": ("{moment}, by each recipient's clock", "{moment} по часам получателя"),
        "took": ("Sending took", "Отправка заняла"),
        "not begun": ("nothing was sent yet", "ещё ничего не отправлено"),
        "sent again": ("Sent again", "Отправлено повторно"),
        "tries": ("Tries", "Попытки"),
        "try": ("Try", "Попытка"),
        "left at that": ("No further try", "Больше не отправляли"),
        "try unit": (
            "Recipients; who was sent to again stands in the next try too. All else tells of the last try of each.",
            "Получатели; кому отправили повторно, учтён и в следующей попытке. Остальное — о последней для каждого.",
        ),
        "whole": ("Where everybody stands", "Что стало с каждым"),
        "unit": (
            "Each number of the list counts once, {total} in all.",
            "Каждый номер списка учтён один раз, всего {total}.",
        ),
        "repeated": (
            "Rows that repeat a number, not sent again: {count}.",
            "Строк с повторяющимся номером, второй раз не отправлено: {count}.",
        ),
        "delivered": ("Delivered", "Доставлено"),
        "under_way": ("Under way", "В пути"),
        "failed": ("Failed", "Не доставлено"),
        "rejected": ("Refused", "Отклонено шлюзом"),
        "unknown": ("Unknown", "Неизвестно"),
        "not_sent": ("Not sent", "Не отправлено"),
        "invalid": ("Invalid", "Неверный номер"),
        "why": ("Why some did not get it", "Почему дошло не до всех"),
        "over time": ("Deliveries over time", "Доставка по времени"),
        "sent until": ("Accepted by the gateway", "Принято шлюзом"),
        "delivered until": ("Delivered", "Доставлено"),
        "time": ("Time", "Время"),
        "zone": ("Recipients until each moment; times in {zone}.", "Получателей к каждому моменту; время {zone}."),
        "as table": ("The same as a table", "То же таблицей"),
        "no script": (
            "The curve needs JavaScript; the table below says the same.",
            "Для кривой нужен JavaScript; в таблице ниже то же самое.",
        ),
        "by operator": ("By operator", "По операторам"),
        "by country": ("By country", "По странам"),
        "operator": ("Operator", "Оператор"),
        "country": ("Country", "Страна"),
        "other operators": ("not told by the number", "по номеру не определить"),
        "others": ("all others", "все прочие"),
        "share": ("Delivered, %", "Доставлено, %"),
        "ported": (
            "By the range of the number: one that was taken along to another operator counts with its first.",
            "По диапазону номера: перенесённый к другому оператору учтён у прежнего.",
        ),
        "statuses": ("Delivery statuses", "Статусы доставки"),
        "status": ("Status", "Статус"),
        "numbers": ("In numbers", "В числах"),
        "rows of the list": ("Rows of the list", "Строк в списке"),
        "rows repeated": ("of them repeat a number", "из них повторяют номер"),
        "numbers in all": ("Numbers, each once", "Номеров, каждый один раз"),
        "status queued": ("queued", "в очереди"),
        "status sent": ("handed to the network", "передано в сеть"),
        "status delivered": ("delivered", "доставлено"),
        "status read": ("read", "прочитано"),
        "status undelivered": ("not delivered", "не доставлено"),
        "status expired": ("expired", "истёк срок"),
        "status rejected": ("refused on the way", "отклонено по пути"),
        "status deleted": ("deleted", "удалено"),
        "status stopped": ("stopped", "остановлено"),
        "status failed": ("error", "ошибка"),
        "status unknown": ("unknown", "неизвестно"),
        "status no report yet": ("no report yet", "отчёта ещё нет"),
        "foot": (
            "Made by devinotify. The page holds no number and no text, and loads nothing.",
            "Создано devinotify. На странице нет ни номеров, ни текста, и она ничего не загружает.",
        ),
    }
)
"""What is said in a page, in each of the languages; in braces stands what is put in."""

_MONTHS = (
    (
        *("January", "February", "March", "April", "May", "June"),
        *("July", "August", "September", "October", "November", "December"),
    ),
    (
        *("января", "февраля", "марта", "апреля", "мая", "июня"),
        *("июля", "августа", "сентября", "октября", "ноября", "декабря"),
    ),
)
_UNITS = (("d", "h", "min", "s", "under a second"), ("д", "ч", "мин", "с", "меньше секунды"))
_THOUSANDS = (",", _HARD)
_POINTS = (".", ",")


@dataclass(frozen=True, slots=True)
class Language:
    """One of ``LANGUAGES`` by its code, and what is written in it; raises InvalidInput for another."""

    code: str = "en"

    def __post_init__(self) -> None:
        if self.code not in LANGUAGES:
            raise InvalidInput(f"a report is written in {' or '.join(LANGUAGES)}")

    @property
    def _place(self) -> int:
        return LANGUAGES.index(self.code)

    def say(self, key: str, **put_in: str) -> str:
        """Return the words of a key of ``WORDS``, with what stands in braces put in."""
        return WORDS[key][self._place].format(**put_in)

    def of(self, words: tuple[str, str]) -> str:
        """Return the one of two words that is in this language."""
        return words[self._place]

    def reason(self, key: str) -> Said:
        """Return the words of a key of ``REASONS``."""
        return REASONS[key][self._place]

    def number(self, value: int) -> str:
        """Return a number with its thousands apart."""
        return f"{value:,}".replace(",", _THOUSANDS[self._place])

    def money(self, value: Decimal) -> str:
        """Return an amount with its thousands apart, and two decimals at least."""
        exponent = value.as_tuple().exponent
        shown = f"{value:,f}" if isinstance(exponent, int) and exponent < -2 else f"{value:,.2f}"
        whole, _, rest = shown.partition(".")
        return whole.replace(",", _THOUSANDS[self._place]) + _POINTS[self._place] + rest

    def percent(self, part: int, whole: int) -> str:
        """Return a share in percent with a decimal, rounded down: 100 are all, and more than none is not 0."""
        tenths = part * 1000 // whole if whole else 0
        tenths = max(tenths, int(part > 0))
        shown = str(tenths // 10) if tenths % 10 == 0 else f"{tenths // 10}{_POINTS[self._place]}{tenths % 10}"
        return f"{shown}{_HARD}%"

    def moment(self, value: datetime, *, seconds: bool = False) -> str:
        """Return a date and time: ``28 January 2026, 12:00``."""
        clock = value.strftime("%H:%M:%S" if seconds else "%H:%M")
        return f"{value.day}{_HARD}{_MONTHS[self._place][value.month - 1]} {value.year}, {clock}"

    def span(self, seconds: float) -> str:
        """Return how long something took, in its two largest units: ``3 d 4 h``, ``16 s``."""
        rest = round(seconds)
        parts = []
        for size, unit in zip((86_400, 3600, 60, 1), _UNITS[self._place], strict=False):
            count, rest = divmod(rest, size)
            parts.append((count, unit))
        while parts and not parts[0][0]:
            del parts[0]
        shown = [f"{count}{_HARD}{unit}" for count, unit in parts[:2] if count]
        return " ".join(shown) or _UNITS[self._place][-1]


def zone(value: datetime) -> str:
    """Return the time zone of an aware instant as it is told to people: ``UTC``, ``UTC+3``, ``UTC+5:30``."""
    offset = value.utcoffset()
    minutes = 0 if offset is None else round(offset.total_seconds() / 60)
    hours, rest = divmod(abs(minutes), 60)
    if not minutes:
        return "UTC"
    return f"UTC{'+' if minutes > 0 else '−'}{hours}" + (f":{rest:02}" if rest else "")
