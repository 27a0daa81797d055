"""Why a number is refused: the reasons as data, and the error that says them. Pure."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from devinotify.exceptions import InvalidPhoneNumber
from devinotify.redact import mask_number

if TYPE_CHECKING:
    from collections.abc import Mapping

MAX_INPUT = 250
"""Characters of input that are looked at: phonenumbers' own limit; a longer text is not a number."""


class Reason(StrEnum):
    """Why a number is refused, in one word: the ``reason`` of InvalidPhoneNumber."""

    EMPTY = "empty"
    NOT_A_NUMBER = "not_a_number"
    SEVERAL = "several_numbers"
    EXTENSION = "extension"
    PRIVATE = "private_number"
    TOO_SHORT = "too_short"
    TOO_LONG = "too_long"
    UNKNOWN_COUNTRY_CODE = "unknown_country_code"
    INVALID = "invalid"
    AMBIGUOUS = "ambiguous"
    FIXED_LINE = "fixed_line"
    PREMIUM = "premium"
    TOLL_FREE = "toll_free"
    NOT_MOBILE = "not_mobile"


WHY: Mapping[Reason, str] = {
    Reason.EMPTY: "the number is empty",
    Reason.NOT_A_NUMBER: "this is not a phone number",
    Reason.SEVERAL: "these are several numbers in one text: give them as a list",
    Reason.EXTENSION: "it has an extension, and no message can be sent to one",
    Reason.PRIVATE: "its phone-context is a private dialling plan: give the number in full, with + and country code",
    Reason.TOO_SHORT: "it is too short: digits are missing",
    Reason.TOO_LONG: "it is too long",
    Reason.UNKNOWN_COUNTRY_CODE: "no country has the code that it starts with",
    Reason.INVALID: "its length is right, but no such number is assigned in that country's numbering plan",
    Reason.AMBIGUOUS: "it can be read as two different numbers: write it with + and the country code",
    Reason.FIXED_LINE: "it is a fixed line where a mobile number is needed",
    Reason.PREMIUM: "it is a premium or shared-cost number where a mobile number is needed",
    Reason.TOLL_FREE: "it is a toll-free number where a mobile number is needed",
    Reason.NOT_MOBILE: "it is a service number where a mobile number is needed",
}
"""What each reason says to a person."""


class Refused(Exception):
    """The reason, on its way to where the input and its position are known; ``why`` replaces WHY's sentence."""

    def __init__(self, reason: Reason, why: str = "") -> None:
        super().__init__(reason)
        self.reason = reason
        self.why: str = why or WHY[reason]


def mask(raw: object) -> str:
    """Return the input as it may be shown: masked, short, and free of characters that a terminal would act on."""
    if not isinstance(raw, str):
        return "***"
    return mask_number("".join(filter(str.isprintable, raw[:MAX_INPUT])))


def invalid(refused: Refused, raw: object, position: int | None) -> InvalidPhoneNumber:
    """Return the error for one input: why, the number masked, its position (from 0) where it came in a list."""
    masked = mask(raw)
    where = masked if position is None else f"recipients[{position}] {masked}"
    return InvalidPhoneNumber(f"{where}: {refused.why}", reason=refused.reason, masked=masked, position=position)
