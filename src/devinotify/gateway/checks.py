"""What the API documents as its limits, checked before anything is sent. Pure.

Each function returns the value in the form that the wire takes, or raises the InvalidInput that names what
is wrong, without quoting a text.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from typing import TYPE_CHECKING

from devinotify.exceptions import InvalidInput, InvalidSchedule, InvalidSender, InvalidText
from devinotify.gateway.codes import (
    SENDER_MAX_DIGITS,
    SENDER_MAX_LATIN,
    SMS_MAX_LENGTH,
    SMS_MAX_VALIDITY,
    VIBER_MAX_LENGTH,
    VIBER_MAX_VALIDITY,
)
from devinotify.redact import Secrets

if TYPE_CHECKING:
    from collections.abc import Iterable

INCOMING_REACH = timedelta(days=366)
"""How far back incoming messages are kept: one year, a leap year's at the most."""
STATISTICS_RANGE = timedelta(days=90)
"""The longest period that statistics are told for."""

PAST_GRACE = timedelta(seconds=30)
"""How long ago a time of sending may be and still count as now: clocks differ, and a call takes its time."""
LAST_ZONE = timezone(timedelta(hours=-12))
"""Where any wall-clock time comes last."""

_SMS_SENDER = re.compile(rf"[ -~]{{1,{SENDER_MAX_LATIN}}}|\+?[0-9]{{1,{SENDER_MAX_DIGITS}}}")
_VIBER_SENDER = re.compile(rf"[0-9A-Za-z]{{1,{SENDER_MAX_LATIN}}}")


@dataclass(frozen=True, slots=True)
class Constraints:
    """The documented constraints of one kind of message; ``least_validity`` and ``most_validity`` are in minutes."""

    kind: str
    max_length: int
    sender: re.Pattern[str]
    sender_rule: str
    least_validity: int
    most_validity: int

    def check_sender(self, sender: object) -> str:
        """Return the sender; raise InvalidSender with the rule it breaks."""
        if not isinstance(sender, str) or not self.sender.fullmatch(sender) or not sender.strip():
            raise InvalidSender(f"the sender of {self.kind} is {self.sender_rule}")
        return sender

    def check_text(self, text: object) -> str:
        """Return the text; raise InvalidText where it is empty, too long, or cannot be written as UTF-8."""
        if not isinstance(text, str):
            raise InvalidText("the text must be a str")
        if not text.strip():
            raise InvalidText("the text is empty")
        if len(text) > self.max_length:
            over = len(text) - self.max_length
            raise InvalidText(
                f"the text has {len(text)} characters, {over} more than the {self.max_length} of {self.kind}"
            )
        try:
            text.encode()
            return text
        except UnicodeEncodeError as error:
            position = error.start
        # Raised out here, so that the encoding error, which holds the text, is not part of the traceback.
        raise InvalidText(f"the text holds a lone surrogate at position {position}, which no encoding can carry")

    def check_validity(self, minutes: object) -> int | None:
        """Return the minutes, or ``None`` for the gateway's default; raise InvalidSchedule."""
        if minutes is None:
            return None
        if not isinstance(minutes, int) or isinstance(minutes, bool):
            raise InvalidSchedule("the validity must be a whole number of minutes")
        if not self.least_validity <= minutes <= self.most_validity:
            raise InvalidSchedule(
                f"the validity of {self.kind} is {self.least_validity} to {self.most_validity} minutes, not {minutes}"
            )
        return minutes


SMS = Constraints(
    kind="SMS",
    max_length=SMS_MAX_LENGTH,
    sender=_SMS_SENDER,
    sender_rule=f"at most {SENDER_MAX_LATIN} Latin characters, or at most {SENDER_MAX_DIGITS} digits",
    least_validity=0,  # 0 stands for the default in the API's own example
    most_validity=SMS_MAX_VALIDITY,
)
VIBER = Constraints(
    kind="Viber",
    max_length=VIBER_MAX_LENGTH,
    sender=_VIBER_SENDER,
    sender_rule=f"at most {SENDER_MAX_LATIN} Latin letters or digits",
    least_validity=1,
    most_validity=VIBER_MAX_VALIDITY,
)


def check_instant(value: object, what: str) -> datetime:
    """Return an aware datetime in UTC; raise InvalidSchedule for a naive one, which could mean any zone."""
    if not isinstance(value, datetime):
        raise InvalidSchedule(f"{what} must be a datetime")
    if value.utcoffset() is None:
        raise InvalidSchedule(f"{what} must be an aware datetime: it is an instant, so give it a time zone")
    try:
        return value.astimezone(UTC)
    except OverflowError:
        raise InvalidSchedule(f"{what} is out of range") from None


def has_passed(at: datetime, now: datetime) -> bool:
    """Whether an instant has passed, or a naive wall-clock time on every clock on earth."""
    return (at if at.utcoffset() is not None else at.replace(tzinfo=LAST_ZONE)) < now - PAST_GRACE


def check_send_at(value: object, now: datetime) -> datetime:
    """Return an instant to come in UTC; raise InvalidSchedule for one that has passed: it would go out at once."""
    at = check_instant(value, "send_at")
    if has_passed(at, now):
        raise InvalidSchedule("send_at has passed: leave it out to send at once")
    return at


def check_local_time(value: object, now: datetime) -> datetime:
    """Return a naive datetime; raise InvalidSchedule for an aware one, since the recipient's own clock counts.

    One that every clock on earth has passed is refused as well: it would go out at once.
    """
    if not isinstance(value, datetime):
        raise InvalidSchedule("local_time must be a datetime")
    if value.utcoffset() is not None:
        raise InvalidSchedule("local_time must be a naive datetime: it is the wall clock at the recipient")
    if has_passed(value, now):
        raise InvalidSchedule("local_time has passed everywhere: leave it out to send at once")
    return value


def check_incoming_period(since: object, until: object, now: datetime) -> tuple[datetime, datetime]:
    """Return both ends in UTC; raise InvalidSchedule where they are reversed or reach back over a year."""
    start, end = check_instant(since, "since"), check_instant(until, "until")
    if end <= start:
        raise InvalidSchedule("until must be later than since")
    if start < now - INCOMING_REACH:
        raise InvalidSchedule("since reaches back more than a year")
    return _whole_seconds(start, end)


def check_statistics_period(start: object, end: object) -> tuple[datetime, datetime]:
    """Return both ends in UTC; raise InvalidSchedule where they are reversed or over 90 days apart."""
    first, last = check_instant(start, "start"), check_instant(end, "end")
    if last < first:
        raise InvalidSchedule("end must not be earlier than start")
    if last - first > STATISTICS_RANGE:
        raise InvalidSchedule(f"the period is longer than {STATISTICS_RANGE.days} days")
    first, end_of_second = _whole_seconds(first, last)
    return first, min(end_of_second, first + STATISTICS_RANGE)


def _whole_seconds(start: datetime, end: datetime) -> tuple[datetime, datetime]:
    """Return the period in the whole seconds that requests are written in, from before its start to after its end.

    Cut down, both ends of a period within a second would be the same instant, and the gateway refuses that.
    """
    floor, rest = start.replace(microsecond=0), end.replace(microsecond=0)
    return floor, rest if rest == end else rest + timedelta(seconds=1)


def check_message_id(message_id: object) -> str:
    """Return the id; raise InvalidInput where it is empty or no text."""
    if not isinstance(message_id, str) or not message_id.strip():
        raise InvalidInput("the message id is empty")
    return message_id


def check_optionals(optionals: Iterable[str], recipients: int) -> Secrets[str]:
    """Return the free parameters of a Viber bulk; raise InvalidInput unless there is one per recipient."""
    if isinstance(optionals, str):
        raise InvalidInput("optionals must be a list with one str for each recipient")
    given = Secrets(optionals)
    if len(given) != recipients:
        raise InvalidInput(f"there are {len(given)} optionals for {recipients} recipients: give one for each")
    return given
