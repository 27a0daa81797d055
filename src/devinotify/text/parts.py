"""One part of a message, and the ways in which a text is cut into parts. Pure."""

from __future__ import annotations

# It has no constructor: what cuts a text makes an object and fills its slots in place, which takes half the time of an
# ``__init__`` or a named tuple, and a fifth of a frozen dataclass. What is public is read-only.


class Segment:
    """One part of a message: its text, how many units it takes, and where it begins in the original.

    Made by ``segment``. Equal where all three are; never changes.
    """

    __slots__ = ("_position", "_text", "_units")
    _text: str
    _units: int
    _position: int

    @property
    def text(self) -> str:
        """The characters of this part."""
        return self._text

    @property
    def units(self) -> int:
        """Septets or UTF-16 units of this part, without its header."""
        return self._units

    @property
    def position(self) -> int:
        """Where the part begins, in characters (code points) from 0: ``original[position:end] == text``."""
        return self._position

    @property
    def end(self) -> int:
        """The position in the original of the first character after this part."""
        return self._position + len(self._text)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Segment):
            return NotImplemented
        return (self._text, self._units, self._position) == (other._text, other._units, other._position)

    def __hash__(self) -> int:
        return hash((self._text, self._units, self._position))

    def __repr__(self) -> str:
        return f"Segment(text={self._text!r}, units={self._units}, position={self._position})"


def cut_evenly(text: str, part: int) -> tuple[Segment, ...]:
    """Return the segments of at most ``part`` units of a text in which each character takes one."""
    segments: list[Segment] = []
    units = len(text)
    begin = 0
    while begin < units:
        each = Segment()
        each._text = text[begin : begin + part]
        each._units = part
        each._position = begin
        segments.append(each)
        begin += part
    each._units = units - each._position
    return tuple(segments)


def cut(text: str, stream: bytes, part: int) -> tuple[Segment, ...]:
    """Return the segments of a text in which some characters take two units: see ``segments`` for the ``stream``."""
    segments: list[Segment] = []
    units = len(stream)
    stream += b"\1"  # so that there is always one more pair to find
    begin = position = 0
    pair = stream.find(1)
    while begin < units:
        end = begin + part
        if end >= units:
            end = units
        elif stream[end]:
            end -= 1
        after = position + end - begin
        if pair < end:
            # Most parts of most texts hold one pair or none, which is found faster than counted.
            pair = stream.find(1, pair + 2)
            if pair < end:
                after -= stream.count(1, begin, end)
                pair = stream.find(1, end)
            else:
                after -= 1
        each = Segment()
        each._text = text[position:after]
        each._units = end - begin
        each._position = position
        segments.append(each)
        begin, position = end, after
    return tuple(segments)


def cut_graphemes(text: str, part: int) -> tuple[Segment, ...]:
    """Return the segments of a UCS-2 text in which no character as a reader sees it is cut."""
    from devinotify.text import graphemes  # on demand: few ask for it, and it brings Unicode's tables

    segments: list[Segment] = []
    begin = 0
    for piece in graphemes.cut(text, part):
        each = Segment()
        each._text = piece
        each._units = len(piece.encode("utf-16-le", "surrogatepass")) // 2
        each._position = begin
        segments.append(each)
        begin += len(piece)
    return tuple(segments)
