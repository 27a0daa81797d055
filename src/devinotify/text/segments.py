"""How many segments a text takes, and what they are. Pure.

Parts are filled greedily, which gives the fewest (3GPP TS 23.040, section 9.2.3.24.1). An escape and its
character, and the two halves of a surrogate pair, are never cut apart; what a reader sees as one character is kept
whole where that is asked for.

Everything here rests on one idea. Where each character takes one unit, arithmetic answers. Elsewhere a
*stream* is made by passes that run in C, one byte for each unit: 1 for a unit that must not begin a part,
because its first half precedes it, and 0 for every other. Then one step per part suffices, never one per
character.
"""

from __future__ import annotations

import sys
from codecs import charmap_build, charmap_encode
from typing import TYPE_CHECKING, Final

from devinotify.text.alphabet import BASIC, ESCAPE, EXTENDED, GSM7
from devinotify.text.limits import STANDARD, Encoding, SegmentLimits
from devinotify.text.parts import Segment, cut, cut_evenly, cut_graphemes

if TYPE_CHECKING:
    from devinotify.text.steps import Blocker


# Like ``Segment`` it has no constructor, for the same reason: ``segment`` fills the slots.


class Segmentation:
    """How a text goes out: its encoding, its segments, what is left of the last one, and what forces UCS-2.

    Made by ``segment``. The empty text is one GSM-7 segment of zero units. Equal where the text and the limits
    are; never changes.
    """

    # A count takes no cutting, so the segments are made when they are asked for.
    __slots__ = ("_encoding", "_keeps", "_limits", "_segments", "_stream", "_text", "_units")
    _text: str
    _encoding: Encoding
    _units: int
    _limits: SegmentLimits
    _stream: bytes | None  # None where each character takes one unit
    _segments: tuple[Segment, ...] | None
    _keeps: bool  # whether what a reader sees as one character is never cut: of UCS-2 only, GSM-7 has no such thing

    @property
    def text(self) -> str:
        """The text that is measured."""
        return self._text

    @property
    def encoding(self) -> Encoding:
        """GSM-7 exactly where every character is in its alphabet, UCS-2 otherwise."""
        return self._encoding

    @property
    def units(self) -> int:
        """Septets for GSM-7, UTF-16 units for UCS-2, over all segments; their headers are not counted."""
        return self._units

    @property
    def limits(self) -> SegmentLimits:
        """The limits that the text is measured by."""
        return self._limits

    @property
    def count(self) -> int:
        """How many segments the text takes: at least one."""
        single, part = self._limits.of(self._encoding)
        if self._units <= single:
            return 1
        if self._keeps:
            return len(self.segments)
        if self._stream is None:
            return -(-self._units // part)
        return _count_parts(self._stream, part, table=_SECOND_HALF)

    @property
    def segments(self) -> tuple[Segment, ...]:
        """The parts in order, at least one; together their texts are the text."""
        if self._segments is None:
            units, limits = self._units, self._limits
            if units <= (limits.gsm7 if self._encoding is _GSM7 else limits.ucs2):
                only = Segment()
                only._text, only._units, only._position = self._text, units, 0
                self._segments = (only,)
            else:
                part = limits.gsm7_part if self._encoding is _GSM7 else limits.ucs2_part
                if self._keeps:
                    self._segments = cut_graphemes(self._text, part)
                elif self._stream is None:
                    self._segments = cut_evenly(self._text, part)
                else:
                    self._segments = cut(self._text, self._stream, part)
        return self._segments

    @property
    def capacity(self) -> int:
        """How many units one segment holds: fewer where the text needs several."""
        single, part = self.limits.of(self.encoding)
        return single if self._units <= single else part

    @property
    def remaining(self) -> int:
        """How many units are left in the last segment; one more and the text takes another segment."""
        return self.capacity - self.segments[-1].units

    @property
    def blockers(self) -> tuple[Blocker, ...]:
        """Each character that forces UCS-2, in order, with its position, name and the replacement on offer.

        Empty for a GSM-7 text.
        """
        from devinotify.text.steps import find_blockers  # on demand: it brings the tables

        return () if self._encoding is _GSM7 else find_blockers(self._text)

    @property
    def replaced(self) -> Segmentation:
        """What the text would be, and cost, if every blocker were replaced: itself for a GSM-7 text."""
        from devinotify.text.steps import replace  # on demand: it brings the tables

        return self if self._encoding is _GSM7 else segment(replace(self._text), self._limits)  # GSM-7: nothing to keep

    @property
    def savings(self) -> int:
        """How many segments replacing every blocker would save; negative where it would cost more."""
        return self.count - self.replaced.count

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Segmentation):
            return NotImplemented
        return (self._text, self._limits, self._keeps) == (other._text, other._limits, other._keeps)

    def __hash__(self) -> int:
        return hash((self._text, self._limits, self._keeps))

    def __repr__(self) -> str:
        return (
            f"Segmentation(encoding={self.encoding.value!r}, count={self.count}, units={self.units},"
            f" remaining={self.remaining}, segments={self.segments!r})"
        )


_GSM7, _UCS2 = Encoding.GSM7, Encoding.UCS2  # to read a member of an enumeration takes as long as to scan a text

_EXTENDED, _BLOCKER = 0x80, 0xFF
"""Marks of a character of two septets and of one that GSM-7 lacks; 0 is a character of one septet. Both are
beyond ASCII, so that ``bytes.isascii`` says in one step that neither is there."""

_ASCII_MARKS: Final = bytes(
    _BLOCKER if chr(code) not in GSM7 else _EXTENDED if chr(code) in EXTENDED else 0 for code in range(128)
) + bytes(128)


def _codes() -> str:
    """Return the characters of the bytes 0x00 to 0xFF of a code page that holds all of GSM-7.

    ``charmap_encode`` is fast only where byte 0 is NUL, which GSM-7 lacks; so ``@`` takes the escape's place,
    and a NUL in the output is a blocker. The extension is above 0x7F.
    """
    page = ["\ufffe"] * 256  # U+FFFE: the byte stands for nothing
    page[: len(BASIC)] = BASIC
    page[ESCAPE], page[0] = BASIC[0], "\0"
    page[_EXTENDED : _EXTENDED + len(EXTENDED)] = sorted(EXTENDED)
    return "".join(page)


_PAGE: Final = charmap_build(_codes())
_PAGE_MARKS: Final = bytes(128) + bytes([_EXTENDED]) * 128
_LOW_SURROGATE: Final = bytes(0xDC <= high_byte <= 0xDF for high_byte in range(256))
_SECOND_HALF: Final = bytes([0, 1, 1]).ljust(256, b"\0")
_HIGH_BYTE: Final = 3 if sys.byteorder == "little" else 2
"""Where the high byte of the first unit stands in the output of the native ``utf-16`` codec, after the mark."""

_WINDOW: Final = 64
"""Parts that one slice looks at, so that a very long text costs time in proportion to its length."""


def count_segments(text: str, limits: SegmentLimits = STANDARD) -> int:
    """Return how many segments ``text`` takes, at least one: ``segment(text).count``, many times as fast."""
    if text.isascii():
        if (marks := text.encode().translate(_ASCII_MARKS)).isascii():
            return 1 if len(text) <= limits.gsm7 else -(-len(text) // limits.gsm7_part)
        if _BLOCKER in marks:
            return 1 if len(text) <= limits.ucs2 else -(-len(text) // limits.ucs2_part)
        return _count_gsm7(marks, limits)
    characters = len(text)
    try:
        utf16 = text.encode("utf-16")
    except UnicodeEncodeError:
        stream = _stream_with_surrogates(text)
        return 1 if len(stream) <= limits.ucs2 else _count_parts(stream, limits.ucs2_part, table=_SECOND_HALF)
    units = (len(utf16) >> 1) - 1
    if units == characters:
        # Two looks spare most texts in another script the price of an exception.
        if text[0] in GSM7 and text[-1] in GSM7 and (page_marks := _page_marks(text)) is not None:
            return _count_gsm7(page_marks, limits)
        return 1 if units <= limits.ucs2 else -(-units // limits.ucs2_part)
    if units <= limits.ucs2:
        return 1
    part = limits.ucs2_part
    fewest = -(-units // part)
    if fewest == -(-units // (part - 1)):  # a part is never more than one unit short
        return fewest
    return _count_parts(utf16, part, first=_HIGH_BYTE, width=2, table=_LOW_SURROGATE)


def segment(text: str, limits: SegmentLimits = STANDARD, *, keep_graphemes: bool = False) -> Segmentation:
    """Return how ``text`` goes out: encoding, segments, units, what remains, and what forces UCS-2.

    Gateways cut between UTF-16 characters, so that a family (👩‍👧) may be parted, one of them in each segment.
    With ``keep_graphemes`` what a reader sees as one character is never cut, as some providers count; that may take
    a segment more. Any string has an answer. A lone surrogate is one unit; two that form a pair once they are
    encoded stay together. Such a text cannot be sent: see ``check_sendable``.
    """
    encoding, units, stream = _UCS2, len(text), None
    if text.isascii():
        if (marks := text.encode().translate(_ASCII_MARKS)).isascii():
            encoding = _GSM7
        elif _BLOCKER not in marks:
            encoding, stream = _GSM7, _stream(marks)
    else:
        try:
            utf16 = text.encode("utf-16")
        except UnicodeEncodeError:
            stream = _stream_with_surrogates(text)
        else:
            if len(utf16) != 2 * units + 2:
                stream = utf16[_HIGH_BYTE::2].translate(_LOW_SURROGATE)
            elif text[0] in GSM7 and text[-1] in GSM7 and (page_marks := _page_marks(text)) is not None:
                encoding = _GSM7
                stream = None if page_marks.isascii() else _stream(page_marks)
    result = Segmentation()
    result._text = text
    result._encoding = encoding
    result._units = units if stream is None else len(stream)
    result._limits = limits
    result._stream = stream
    result._segments = None
    result._keeps = keep_graphemes and encoding is _UCS2
    return result


def _page_marks(text: str) -> bytes | None:
    """Return a mark for each character, or ``None`` where GSM-7 lacks one of them."""
    try:
        codes = charmap_encode(text, "strict", _PAGE)[0]
    except UnicodeEncodeError:
        return None
    return None if 0 in codes else codes if codes.isascii() else codes.translate(_PAGE_MARKS)


def _stream(marks: bytes) -> bytes:
    """Return the stream of a GSM-7 text from its marks."""
    return marks.replace(b"\x80", b"\x00\x01")


def _stream_with_surrogates(text: str) -> bytes:
    """Return the stream of a UCS-2 text that holds surrogates, as few texts do, a character at a time.

    A low surrogate after a high one is marked 2: it is the second half of a pair on the wire, but a character
    of its own in the string.
    """
    stream = bytearray()
    pending = False  # a high surrogate that a low one may complete
    for character in text:
        if character > "\uffff":
            stream += b"\x00\x01"
            pending = False
        else:
            completes = pending and "\udc00" <= character <= "\udfff"
            stream.append(2 if completes else 0)
            pending = "\ud800" <= character <= "\udbff"
    return bytes(stream)


def _count_gsm7(marks: bytes, limits: SegmentLimits) -> int:
    units = len(marks) if marks.isascii() else len(marks) + marks.count(_EXTENDED)
    if units <= limits.gsm7:
        return 1
    part = limits.gsm7_part
    fewest = -(-units // part)
    if units == len(marks) or fewest == -(-units // (part - 1)):  # a part is never more than one unit short
        return fewest
    return _count_parts(_stream(marks), part)


def _count_parts(stream: bytes, part: int, *, first: int = 0, width: int = 1, table: bytes | None = None) -> int:
    """Return into how many parts a stream is cut, looking only at the units where a part would begin.

    Unit ``n`` stands at ``first + n * width``; ``table`` makes marks of what stands there.
    """
    count, cut = 1, part
    while marks := stream[first + cut * width : first + (cut + part * _WINDOW) * width : part * width]:
        starts = marks.translate(table)
        pair = starts.find(1)
        if pair < 0:
            count += len(starts)
            cut += len(starts) * part
        else:
            count += pair + 1
            cut += (pair + 1) * part - 1
    return count
