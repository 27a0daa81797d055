"""What was set of numbers: their fates, their clocks and what their phones answer; and other timelines."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from devinotify import phones
from devinotify.sandbox import checks
from devinotify.sandbox.fates import DELIVERED, FATES, MAGIC_NUMBERS, NumberFate
from devinotify.sandbox.messages import MAX_INCOMING_TEXT, check_incoming

if TYPE_CHECKING:
    from devinotify.sandbox.fates import TimelineStep

EVERY_NUMBER = "*"
"""In place of a number: the fate of every number that has none of its own."""

_FATE_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,39}", re.ASCII)


class Settings:
    """The fates, time zones and answers of numbers, and the timelines of fates; wrong values raise ValueError.

    At most ``most_numbers`` numbers have a fate, and a time zone, of their own; at most ``most_timelines``
    fates have a timeline of their own.
    """

    def __init__(self, *, most_numbers: int = 10_000, most_timelines: int = 100) -> None:
        self.fates: dict[str, str] = {}
        self.zones: dict[str, str] = {}
        self.answers: dict[str, str] = {}
        self.timelines: dict[str, NumberFate] = {}
        self._most_numbers = most_numbers
        self._most_timelines = most_timelines

    def fate_of(self, digits: str) -> NumberFate:
        """Return what becomes of messages to a number: set for it, magic, set for every number, or delivered."""
        name = self.fates.get(digits)
        if name is None:
            magic = MAGIC_NUMBERS.get(digits)
            name = magic.name if magic is not None else self.fates.get(EVERY_NUMBER, DELIVERED)
        return self.fate_named(name)

    def fate_named(self, name: str) -> NumberFate:
        """Return a fate with the timeline set for it; a name that is not a fate any more means delivered."""
        return self.timelines.get(name) or FATES.get(name) or self.fate_named(DELIVERED)

    def zone_of(self, digits: str) -> str:
        """Return a number's time zone: the one set for it, else the numbering plan's."""
        return self.zones.get(digits) or checks.zone_of(digits)

    def answer_of(self, digits: str, fate: NumberFate) -> str:
        """Return what a number's phone says to a message that has arrived: set for it, its fate's, or for every one."""
        return self.answers.get(digits, "") or fate.answer or self.answers.get(EVERY_NUMBER, "")

    def set_timeline(
        self, name: str, sms: tuple[TimelineStep, ...] | None, viber: tuple[TimelineStep, ...] | None
    ) -> None:
        """Give a fate, or a new one, timelines of one's own; ``None`` for both takes them back."""
        if not _FATE_NAME.fullmatch(name):
            raise ValueError("fate must have 1 to 40 small Latin letters, digits and hyphens")
        if sms is None and viber is None:
            self.timelines.pop(name, None)
            if name not in FATES:
                for number in [number for number, fate in self.fates.items() if fate == name]:
                    del self.fates[number]
        elif name not in self.timelines and len(self.timelines) >= self._most_timelines:
            raise ValueError(f"more than {self._most_timelines} timelines are set already; reset first")
        else:
            fate = self.timelines.get(name) or FATES.get(name) or NumberFate(name, "", "a timeline of your own")
            fate = replace(fate, refusal=None, word=None)
            self.timelines[name] = replace(
                fate, sms=fate.sms if sms is None else sms, viber=fate.viber if viber is None else viber
            )

    def known_fate(self, name: str) -> NumberFate:
        """Return a fate by its name; raises ValueError for one that there is not."""
        if name not in FATES and name not in self.timelines:
            raise ValueError(f"no such fate; there are: {', '.join({**FATES, **self.timelines})}")
        return self.fate_named(name)

    def set_fate(self, number: str, fate: str | None) -> None:
        """Give a number, or ``*`` for every other number, a fate from now on; ``None`` takes it back."""
        key = EVERY_NUMBER if number == EVERY_NUMBER else known_number(number)
        if fate is not None:
            self.known_fate(fate)
        self._set(self.fates, key, fate)

    def set_answer(self, number: str, text: str | None) -> None:
        """Have a number's phone, or with ``*`` every other, answer each message; ``None`` takes it back."""
        if text is not None:
            check_incoming("text", text, MAX_INCOMING_TEXT)
        self._set(self.answers, EVERY_NUMBER if number == EVERY_NUMBER else known_number(number), text)

    def set_time_zone(self, number: str, zone: str | None) -> None:
        """Give a number a time zone such as ``Asia/Vladivostok``; ``None`` takes it back."""
        key = known_number(number)
        if zone is not None:
            checks.known_zone(zone)
        self._set(self.zones, key, zone)

    def _set(self, table: dict[str, str], key: str, value: str | None) -> None:
        if value is None:
            table.pop(key, None)
        elif key in table or len(table) < self._most_numbers:
            table[key] = value
        else:
            raise ValueError(f"more than {self._most_numbers} numbers are set already; reset first")

    def clear(self) -> None:
        """Take everything back."""
        self.fates.clear()
        self.zones.clear()
        self.answers.clear()
        self.timelines.clear()


def known_number(number: str) -> str:
    """Return a number's digits, however it is written; raises ValueError for what is not a number."""
    return phones.normalize(number, "RU").digits
