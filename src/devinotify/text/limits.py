"""How many units of an encoding one message takes: 3GPP TS 23.038 and TS 23.040. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Encoding(StrEnum):
    """The two ways in which an SMS goes out, and the unit in which each is counted."""

    GSM7 = "GSM-7"
    """Septets: a character of the extension table takes two, every other one."""
    UCS2 = "UCS-2"
    """UTF-16 code units: a character beyond U+FFFF, as most emoji are, takes two."""


@dataclass(frozen=True, slots=True)
class SegmentLimits:
    """How many units fit into a message that stands alone, and into each part of one that does not.

    The defaults are the standard's: 140 octets are 160 septets or 70 UTF-16 units, and the header that
    joins parts takes 6 octets of each (TS 23.040, section 9.2.3.24.1), which leaves 153 and 67. A gateway
    that bills Latin as octets is ``SegmentLimits(gsm7=140, gsm7_part=134)``.

    Raises ValueError where a part holds fewer than 2 units, which a character may take, or more than a
    message that stands alone.
    """

    gsm7: int = 160
    gsm7_part: int = 153
    ucs2: int = 70
    ucs2_part: int = 67

    def __post_init__(self) -> None:
        for encoding in Encoding:
            single, part = self.of(encoding)
            if not 2 <= part <= single:
                raise ValueError(f"a part of {encoding} must hold at least 2 and at most {single} units: {part}")

    def of(self, encoding: Encoding) -> tuple[int, int]:
        """Return the units of a message that stands alone, and of a part, in ``encoding``."""
        if encoding is _GSM7:
            return self.gsm7, self.gsm7_part
        return self.ucs2, self.ucs2_part


_GSM7 = Encoding.GSM7  # to read a member of an enumeration takes as long as the rest of a call

STANDARD = SegmentLimits()
"""What the standard says, and what the gateway documents: 160 and 153 septets, 70 and 67 UTF-16 units."""
