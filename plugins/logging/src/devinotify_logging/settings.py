"""The handler's arguments, read and checked: plain strings and numbers in, one frozen value out. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from devinotify import InvalidInput, parse_duration

_RATE = re.compile(r"(\d{1,9}(?:\.\d{1,6})?)\s*/\s*(\d{1,9})?\s*([a-z]+)")

MOST_SEGMENTS = 12
"""Segments of an alert at most: the gateway takes 2000 characters of text, which is 13 of GSM-7."""
LONGEST = 30 * 86400.0
"""Seconds that a window or a flush may last at most."""

_Value = TypeVar("_Value")


@dataclass(frozen=True, slots=True)
class Rate:
    """So many messages in so many seconds."""

    messages: float
    seconds: float

    @property
    def per_second(self) -> float:
        """Messages that one second allows."""
        return self.messages / self.seconds


@dataclass(frozen=True, slots=True, repr=False)
class Settings:
    """What ``DevinoHandler`` was given, checked. ``dedupe`` and ``flush_timeout`` are in seconds."""

    to: tuple[str, ...] | None
    channel: str | None
    max_segments: int
    rate: Rate
    burst: int
    dedupe: float
    daily_limit: int
    queue_size: int
    outbox: str | None
    flush_timeout: float


def read(
    *,
    to: str | int | Sequence[str | int] | None,
    channel: str | None,
    max_segments: int | str,
    rate: str,
    burst: int | str,
    dedupe: float | str,
    daily_limit: int | str,
    queue_size: int | str,
    outbox: str | None,
    flush_timeout: float | str,
) -> Settings:
    """Return the settings; raise InvalidInput that names the first argument whose value is bad.

    Numbers may be written as text, as an ini file or an environment variable has them.
    """
    return Settings(
        to=_checked("to", to, "numbers or aliases, separated by commas", _recipients),
        channel=_checked("channel", channel, "a channel's name such as sms or sms-viber", _optional_text),
        max_segments=_checked("max_segments", max_segments, f"1 to {MOST_SEGMENTS}", _whole(1, MOST_SEGMENTS)),
        rate=_checked("rate", rate, "messages in a time, such as 5/min, 1/10s or 20/h", parse_rate),
        burst=_checked("burst", burst, "a whole number of messages, 1 or more", _whole(1, 10**6)),
        dedupe=_checked("dedupe", dedupe, "a duration such as 60s, 5m or 0 for none", seconds_of),
        daily_limit=_checked("daily_limit", daily_limit, "a whole number of segments, 1 or more", _whole(1, 10**9)),
        queue_size=_checked("queue_size", queue_size, "a whole number of records, 1 or more", _whole(1, 10**7)),
        outbox=_checked("outbox", outbox, "the path of a file, beside which the limits are kept", _optional_path),
        flush_timeout=_checked("flush_timeout", flush_timeout, "seconds, 0 or more", seconds_of),
    )


def level(value: int | str) -> int | str:
    """Return a level as ``logging`` takes it: a number may be written as text, a name in small letters."""
    if not isinstance(value, str):
        return value
    name = value.strip()
    return int(name) if name.isdecimal() else name.upper()


def seconds_of(value: object) -> float:
    """Return the seconds in ``60``, ``"60s"``, ``"5m"``, ``"1h"``; raise ValueError for anything else."""
    seconds = parse_duration(value) if isinstance(value, str) else value
    if not isinstance(seconds, int | float) or isinstance(seconds, bool):
        raise ValueError("no duration")
    if not 0 <= seconds <= LONGEST:
        raise ValueError("out of range")
    return float(seconds)


def parse_rate(value: object) -> Rate:
    """Return the Rate in ``"5/min"`` or ``"1/10s"``; raise ValueError for anything else."""
    match = _RATE.fullmatch(value.strip().lower()) if isinstance(value, str) else None
    if match is None:
        raise ValueError("no rate")
    rate = Rate(float(match[1]), parse_duration(f"{match[2] or 1}{match[3]}"))
    if not (rate.messages > 0 and 0 < rate.seconds <= LONGEST):
        raise ValueError("out of range")
    return rate


def _checked(name: str, value: object, expects: str, parse: Callable[[object], _Value]) -> _Value:
    try:
        return parse(value)
    except ValueError:
        # The value helps whoever reads the failure; a recipient's number, or a URL's password, is nobody's business.
        shown = "" if name == "to" or "://" in str(value) else f" {str(value)[:40]!r}"
        raise InvalidInput(f"bad value{shown} for {name}: {expects}") from None


def _recipients(value: object) -> tuple[str, ...] | None:
    if value is None:
        return None
    listed = value if isinstance(value, list | tuple) else str(value).split(",") if _is_plain(value) else None
    if listed is None or not all(_is_plain(each) for each in listed):
        raise ValueError("no recipients")
    found = tuple(each for given in listed if (each := str(given).strip()))
    if not found:
        raise ValueError("nobody")
    return found


def _is_plain(value: object) -> bool:
    """Whether a value is text, or a whole number, which YAML makes of a phone number without its plus sign."""
    return isinstance(value, str | int) and not isinstance(value, bool)


def _optional_text(value: object) -> str | None:
    if value is None:
        return None
    if not isinstance(value, str) or not value.strip():
        raise ValueError("no text")
    return value.strip()


def _optional_path(value: object) -> str | None:
    text = _optional_text(value)
    if text is not None and "://" in text:
        # The limits are asked before each alert, which would wait for the database: that of its own failure longest.
        raise ValueError("a database, which keeps no limits")
    return text


def _whole(least: int, most: int) -> Callable[[object], int]:
    def parse(value: object) -> int:
        if isinstance(value, bool) or not isinstance(value, int | str):
            raise ValueError("no whole number")
        number = int(value)
        if not least <= number <= most:
            raise ValueError("out of range")
        return number

    return parse
