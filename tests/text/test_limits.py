"""The limits of a segment, and which ones make no sense."""

from __future__ import annotations

import pytest

from devinotify.text import STANDARD, Encoding, SegmentLimits
from tests.tables import table


def test_the_standard_limits_are_those_of_140_octets_with_and_without_a_header_of_6() -> None:
    """160 and 153 septets, 70 and 67 UTF-16 units follow from 140 octets and the header of 6."""
    octets, header = 140, 6
    expected = SegmentLimits(octets * 8 // 7, (octets - header) * 8 // 7, octets // 2, (octets - header) // 2)
    assert expected == STANDARD


@table("encoding, expected", [(Encoding.GSM7, (160, 153)), (Encoding.UCS2, (70, 67))])
def test_of_gives_the_limits_of_an_encoding(encoding: Encoding, expected: tuple[int, int]) -> None:
    """A single message first, a part second."""
    assert expected == STANDARD.of(encoding)


@table(
    "limits, encoding",
    [({"gsm7_part": 1}, "GSM-7"), ({"gsm7": 100}, "GSM-7"), ({"ucs2_part": 0}, "UCS-2"), ({"ucs2": 66}, "UCS-2")],
)
def test_limits_that_no_text_could_be_cut_by_are_refused(limits: dict[str, int], encoding: str) -> None:
    """A part holds two units or more, and no more than a message that stands alone; the error names the encoding."""
    with pytest.raises(ValueError, match=encoding):
        SegmentLimits(**limits)


def test_the_encodings_read_as_people_write_them() -> None:
    """The values are what a command line shows."""
    assert ["GSM-7", "UCS-2"] == [str(encoding) for encoding in Encoding]
