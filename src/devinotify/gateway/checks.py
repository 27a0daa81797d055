"""What the API documents as its limits, checked before anything is sent. Pure.

Each function returns the value in the form that the wire takes, or raises the InvalidInput that names what
is wrong, without quoting a text.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from devinotify.exceptions import InvalidInput, InvalidSchedule, InvalidSender, InvalidText
from devinotify.gateway.codes import (
    SENDER_MAX_DIGITS,
    SENDER_MAX_LATIN,
    SMS_MAX_LENGTH,
    VIBER_MAX_LENGTH,
    VIBER_MAX_VALIDITY,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

INCOMING_REACH = timedelta(days=366)
"""How far back incoming messages are kept: one year, a leap year's at the most."""
STATISTICS_RANGE = timedelta(days=90)
"""The longest period that statistics are told for."""

_SMS_SENDER = re.compile(rf"[ -~]{{1,{SENDER_MAX_LATIN}}}|\+?[0-9]{{1,{SENDER_MAX_DIGITS}}}")
_VIBER_SENDER = re.compile(rf"[0-9A-Za-z]{{1,{SENDER_MAX_LATIN}}}")
_MAX_INT = 2**31 - 1  # the API's parameter is an Int


@dataclass(frozen=True, slots=True)
class Limits:
    """The documented limits of one kind of message; ``least_validity`` and ``most_validity`` are in minutes."""

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


SMS = Limits(
    kind="SMS",
    max_length=SMS_MAX_LENGTH,
    sender=_SMS_SENDER,
    sender_rule=f"at most {SENDER_MAX_LATIN} Latin characters, or at most {SENDER_MAX_DIGITS} digits",
    least_validity=0,  # 0 stands for the default in the API's own example
    most_validity=_MAX_INT,
)
VIBER = Limits(
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


def check_local_time(value: object) -> datetime:
    """Return a naive datetime; raise InvalidSchedule for an aware one, since the recipient's own clock counts."""
    if not isinstance(value, datetime):
        raise InvalidSchedule("local_time must be a datetime")
    if value.utcoffset() is not None:
        raise InvalidSchedule("local_time must be a naive datetime: it is the wall clock at the recipient")
    return value


def check_incoming_period(since: object, until: object, now: datetime) -> tuple[datetime, datetime]:
    """Return both ends in UTC; raise InvalidSchedule where they are reversed or reach back over a year."""
    start, end = check_instant(since, "since"), check_instant(until, "until")
    if end <= start:
        raise InvalidSchedule("until must be later than since")
    if start < now - INCOMING_REACH:
        raise InvalidSchedule("since reaches back more than a year")
    return start, end


def check_statistics_period(start: object, end: object) -> tuple[datetime, datetime]:
    """Return both ends in UTC; raise InvalidSchedule where they are reversed or over 90 days apart."""
    first, last = check_instant(start, "start"), check_instant(end, "end")
    if last < first:
        raise InvalidSchedule("end must not be earlier than start")
    if last - first > STATISTICS_RANGE:
        raise InvalidSchedule(f"the period is longer than {STATISTICS_RANGE.days} days")
    return first, last


def check_message_id(message_id: object) -> str:
    """Return the id; raise InvalidInput where it is empty or no text."""
    if not isinstance(message_id, str) or not message_id.strip():
        raise InvalidInput("the message id is empty")
    return message_id


def check_optionals(optionals: Sequence[str] | None, recipients: int) -> Sequence[str] | None:
    """Return the free parameters of a Viber bulk; raise InvalidInput unless there is one per recipient."""
    if isinstance(optionals, str):
        raise InvalidInput("optionals must be a list with one str for each recipient")
    if optionals is not None and len(optionals) != recipients:
        raise InvalidInput(f"there are {len(optionals)} optionals for {recipients} recipients: give one for each")
    return optionals
