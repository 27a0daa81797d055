"""The number itself, and the kinds of numbers that can receive a message. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, TypeGuard, cast

from devinotify.phones.refusal import Reason, Refused, invalid
from devinotify.redact import mask_number

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

E164 = "[+][1-9][0-9]{4,14}"
"""ITU-T E.164: at most 15 digits after the plus. No mobile number with its country code has fewer than 5.

Written so that PostgreSQL reads it as Python does: the outbox's function there asks by it too.
"""
_e164 = re.compile(E164).fullmatch


def is_e164(value: object) -> TypeGuard[str]:
    """Return whether ``value`` is a text in the form of E.164, ``+79161234567``; not whether there is such a number."""
    return isinstance(value, str) and _e164(value) is not None


def are_e164(values: Iterable[object]) -> bool:
    """Return whether ``is_e164`` holds of all values, in a third of the time: a campaign asks it of a million."""
    try:
        return all(map(_e164, cast("Iterable[str]", values)))
    except TypeError:  # one of them is not a text
        return False


class Kind(StrEnum):
    """What a number is, by its country's numbering plan."""

    MOBILE = "mobile"
    FIXED_OR_MOBILE = "fixed_or_mobile"
    """Not to be told apart by the number: all of the USA and Canada."""
    FIXED_LINE = "fixed_line"
    TOLL_FREE = "toll_free"
    PREMIUM = "premium"
    SHARED_COST = "shared_cost"
    VOIP = "voip"
    PERSONAL = "personal"
    """Follows its owner to whatever line, mostly at a premium: UK 070."""
    PAGER = "pager"
    COMPANY = "company"
    VOICEMAIL = "voicemail"


REFUSED: Mapping[Kind, Reason] = {
    Kind.FIXED_LINE: Reason.FIXED_LINE,
    Kind.TOLL_FREE: Reason.TOLL_FREE,
    Kind.PREMIUM: Reason.PREMIUM,
    Kind.SHARED_COST: Reason.PREMIUM,
    Kind.VOIP: Reason.NOT_MOBILE,
    Kind.PERSONAL: Reason.NOT_MOBILE,
    Kind.PAGER: Reason.NOT_MOBILE,
    Kind.COMPANY: Reason.NOT_MOBILE,
    Kind.VOICEMAIL: Reason.NOT_MOBILE,
}
"""The kinds that no message is sent to. What is not in this table (mobile, fixed_or_mobile) is accepted."""


@dataclass(frozen=True, slots=True, repr=False, eq=False)
class PhoneNumber:
    """A number that a message can be sent to; ``normalize`` makes them.

    ``e164`` is the number in full, ``+79161234567``. ``region`` is the ISO 3166 code of its country (``001`` for
    satellite networks), ``country_code`` its calling code. Equal numbers are equal in ``e164``. ``str()``,
    ``repr()`` and formatting mask the number: only ``e164`` and ``digits`` show it. Raises InvalidPhoneNumber
    where ``e164`` has not the form of E.164.
    """

    e164: str
    region: str
    country_code: int
    kind: Kind = Kind.MOBILE

    def __post_init__(self) -> None:
        if not is_e164(self.e164):
            why = "a PhoneNumber is made of E.164, + and digits; normalize() reads other forms"
            raise invalid(Refused(Reason.NOT_A_NUMBER, why), self.e164, None)

    @property
    def digits(self) -> str:
        """The number as the gateway takes it, without the plus: ``79161234567``."""
        return self.e164[1:]

    def __eq__(self, other: object) -> bool:
        return self.e164 == other.e164 if isinstance(other, PhoneNumber) else NotImplemented

    def __hash__(self) -> int:
        return hash(self.e164)

    def __str__(self) -> str:
        return mask_number(self.e164)

    def __repr__(self) -> str:
        return f"<PhoneNumber {self} {self.region} {self.kind}>"


_new = object.__new__
_set_e164, _set_region, _set_country_code, _set_kind = (
    PhoneNumber.__dict__[name].__set__ for name in ("e164", "region", "country_code", "kind")
)
_MOBILE = Kind.MOBILE


def russian_mobile(e164: str) -> PhoneNumber:
    """Return the PhoneNumber of a Russian mobile that has been checked already.

    It writes the slots at once: the frozen constructor would cost more than the rest of the fast path.
    """
    number = _new(PhoneNumber)
    _set_e164(number, e164)
    _set_region(number, "RU")
    _set_country_code(number, 7)
    _set_kind(number, _MOBILE)
    return number
