"""What the gateway checks in a request: numbers, senders, lengths, dates. Pure, but for reading the zone database.

Each function returns the checked value or raises Refused with the documented Code and Desc.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from devinotify import phones
from devinotify.gateway import codes
from devinotify.sandbox.replies import Refused

_ADDRESS = re.compile(r"\+?[0-9]{5,20}", re.ASCII)
_RUSSIAN_EIGHT = re.compile(r"89[0-9]{9}", re.ASCII)
_SMS_SENDER = re.compile(
    rf"(?=.*[^0-9 ])[\x20-\x7e]{{1,{codes.SENDER_MAX_LATIN}}}|[0-9]{{1,{codes.SENDER_MAX_DIGITS}}}", re.ASCII
)
_VIBER_SENDER = re.compile(rf"[A-Za-z0-9]{{1,{codes.SENDER_MAX_LATIN}}}", re.ASCII)
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}(?:[T ]\d{2}:\d{2}(?::\d{2}(?:\.\d{1,6})?)?)?", re.ASCII)
_INTEGER = re.compile(r"[+-]?[0-9]{1,10}", re.ASCII)
_INT32 = 2**31 - 1

DEFAULT_VALIDITY = 1440
"""Minutes that a message is valid where the request names none, or 0; the API does not say its own."""

VIBER_DAY_IN_SECONDS = 86400
"""The API's Viber examples send this Validity, past their own table's 1440 minutes: it is taken as one day."""

INVALID_ADDRESS = "Invalid destination address"
INVALID_SENDER = "Invalid source address"
MOSCOW = "Europe/Moscow"


def _digits(raw: str) -> str:
    address = raw.strip()
    if not _ADDRESS.fullmatch(address):
        raise ValueError
    # 89031234567 is Russia's trunk prefix; no country code begins with 89.
    plain = "7" + address[1:] if _RUSSIAN_EIGHT.fullmatch(address) else address.removeprefix("+")
    return phones.normalize("+" + plain, "RU").digits


def digits(raw: str) -> str:
    """Return a recipient's digits, or an empty string for what is not a number."""
    try:
        return _digits(raw)
    except ValueError:
        return ""


def sms_address(raw: str) -> str:
    """Return a recipient's digits: ``79031234567`` for itself, with ``+`` or a leading 8. Code 2 otherwise."""
    try:
        return _digits(raw)
    except ValueError:
        raise Refused(2, INVALID_ADDRESS) from None


def viber_address(raw: str) -> str:
    """Return a recipient's digits; the Viber table lists no leading 8."""
    try:
        if _RUSSIAN_EIGHT.fullmatch(raw.strip()):
            raise ValueError
        return _digits(raw)
    except ValueError:
        raise Refused(1, "error-address-format") from None


def sms_sender(raw: str) -> str:
    """Return a sender of at most 11 Latin characters or at most 15 digits. Code 6 otherwise."""
    if not _SMS_SENDER.fullmatch(raw):
        raise Refused(6, INVALID_SENDER)
    return raw


def viber_sender(raw: str) -> str:
    """Return a sender of at most 11 Latin letters or digits."""
    if not _VIBER_SENDER.fullmatch(raw):
        raise Refused(1, "error-subject-format")
    return raw


def length(text: str, limit: int) -> None:
    """Pass a text of at most so many characters. Code 2 otherwise."""
    if len(text) > limit:
        raise Refused(2, f"Data can not be longer than {limit} characters")


def date(raw: str, name: str) -> datetime:
    """Return a naive date and time: ``2011-01-28T16:00:00``, a space for the T, without seconds, or a day alone.

    The API documents no zone suffix, so one is refused rather than guessed at. Code 2.
    """
    value = raw.strip()
    try:
        if not _DATE.fullmatch(value):
            raise ValueError
        return datetime.fromisoformat(value)
    except ValueError:
        raise Refused(
            2, f"{name} is not a date and time like 2011-01-28T16:00:00 Parameter name: {name.lower()}"
        ) from None


def instant(moment: datetime) -> float:
    """Return a naive UTC date and time in seconds since the epoch."""
    return moment.replace(tzinfo=UTC).timestamp()


def local_instant(moment: datetime, zone: str) -> float:
    """Return the seconds since the epoch at which a zone's clocks show a naive date and time.

    A time that clocks show twice is the first of the two; a zone that this machine's database lacks is UTC.
    """
    try:
        return moment.replace(tzinfo=ZoneInfo(zone)).timestamp()
    except (ZoneInfoNotFoundError, ValueError):
        return instant(moment)


def zone_of(digits: str) -> str:
    """Return the recipient's time zone by the numbering plan.

    Mobile numbers of large countries tell several; then Moscow stands for Russia, the first for others.
    """
    zones = phones.time_zones("+" + digits)
    return MOSCOW if MOSCOW in zones or not zones else zones[0]


def _integer(raw: str) -> int:
    value = raw.strip()
    if not _INTEGER.fullmatch(value) or abs(int(value)) > _INT32:
        raise ValueError
    return int(value)


def sms_validity(raw: str) -> float:
    """Return the seconds that an SMS is valid; minutes come in, and none or 0 mean the default. Code 2."""
    try:
        minutes = _integer(raw) if raw else 0
        if minutes < 0:
            raise ValueError
    except ValueError:
        raise Refused(2, "Validity is not a number of minutes Parameter name: validity") from None
    return 60.0 * (minutes or DEFAULT_VALIDITY)


def viber_validity(raw: str) -> float:
    """Return the seconds that a Viber message is valid: 1 to 1440 minutes, or 86400 for one day."""
    try:
        minutes = _integer(raw) if raw else DEFAULT_VALIDITY
        if minutes == VIBER_DAY_IN_SECONDS:
            minutes = codes.VIBER_MAX_VALIDITY
        if not 1 <= minutes <= codes.VIBER_MAX_VALIDITY:
            raise ValueError
    except ValueError:
        raise Refused(1, "error-validity-period-seconds-format") from None
    return 60.0 * minutes


def known_zone(zone: str) -> None:
    """Pass the name of a time zone that this machine's database has; raises ValueError otherwise."""
    try:
        ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        # OSError: a name like "Europe" is a folder of the database.
        raise ValueError("no such time zone; one looks like Asia/Vladivostok") from None
