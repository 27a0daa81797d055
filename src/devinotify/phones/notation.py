"""What people write, reduced to ``+`` and ASCII digits, or refused. Pure, and knows no country.

Stricter than phonenumbers' own reading, which skips letters and whatever stands before the first digit: a number
read out of something else is a message to a stranger.
"""

from __future__ import annotations

import re
import unicodedata

from devinotify.phones.refusal import Reason, Refused

_PUNCTUATION = r"\s()\[\]./~\-"
_DROP = re.compile(f"[{_PUNCTUATION}]+")
_NUMBER = re.compile(r"\+*([0-9]+)")
_BROKEN = re.compile(r"[0-9]\W*[^\W\d_]+\W*[0-9]")
_WRAPPING = " \t\r\n\v\f\"'`<>«»“”„‘’,;:."
"""Quotes, brackets and separators around a number that was copied out of a text, a mail header or a table."""

_LIKE = {
    "−": "-",
    "ー": "-",
    "⁃": "-",
    "⁓": "~",
    "∼": "~",
    "·": ".",
    "•": ".",
    "∙": ".",
    "\u2028": "\n",
    "\u2029": "\n",
}
_BLANK = frozenset("\u2800\u20e3\uffa0").union(
    *(
        map(chr, range(first, last + 1))
        for first, last in (
            *((0x034F, 0x034F), (0x115F, 0x1160), (0x17B4, 0x17B5), (0x180B, 0x180F), (0x2065, 0x2065)),
            *((0x3164, 0x3164), (0xFE00, 0xFE0F), (0xFFF0, 0xFFF8), (0xE0000, 0xE0FFF)),
        )
    )
)
"""Characters that show nothing, yet are not of the category Cf: what Unicode calls default ignorable (fillers,
variation selectors), the braille blank and the keycap's frame."""

_URI = re.compile(r"tel:(?://)?", re.IGNORECASE)
_PARAMETER = re.compile(r";\s*[a-z]", re.IGNORECASE)
_ESCAPE = re.compile(r"%([0-7][0-9a-f])", re.IGNORECASE)
_BEHIND = frozenset({"ext", "isub", "postd"})
"""RFC 3966 parameters that lead to a line behind the number."""

_SEPARATOR = re.compile(r"[,;/|\n]")
_GAP = re.compile(r"[\s~\-]+")
_DIGITS = rf"[{_PUNCTUATION}+]*(?:[0-9][{_PUNCTUATION}]*)"
_FULL_LENGTH = 10
_FULL = re.compile(f"{_DIGITS}{{{_FULL_LENGTH},}}")
"""A part of a text that counts as a number of its own: nothing but digits and punctuation, ten digits or more."""

_EXTENSION = re.compile(
    rf"(?:(?:{_DIGITS}{{5,}})?(?:ext(?:ension|n)?|доб(?:авочный)?|доп(?:олнительный)?|вн(?:утр(?:енний)?)?|int|anexo)"
    rf"|{_DIGITS}{{5,}}[xхpw#,;])[\s.:=]*[0-9]{{1,10}}\s*\#?\)?",
    re.IGNORECASE,
)

_TRUNK_WITH_PLUS = re.compile(
    rf"[\s(\[]*\++[\s(\[]*8[{_PUNCTUATION}]+[3489][0-9]{{2}}(?:[{_PUNCTUATION}]*[0-9]){{7}}[{_PUNCTUATION}]*"
)
"""``+8`` set apart before a Russian area code and seven digits: read on, it would be a mobile of Vietnam, whose code is
84. No country has the code 8."""

_OTHER_THINGS = (
    # What a spreadsheet makes of a number. Its zeros would be read as digits, and call somebody else.
    (r"\+?[0-9]+[.,]0{1,2}", "this is a decimal, as spreadsheets write them: keep numbers as text"),
    (r"(?!00)[0-9]{1,3}(?:\.[0-9]{1,3}){3}(?:/[0-9]{1,2})?", "this is an IP address, not a phone number"),
    (r"(?:0?[1-9]|[12][0-9]|3[01])([./])(?:0?[1-9]|1[0-2])\1(?:19|20)[0-9]{2}(?:\D.*)?", "this is a date"),
    (r"(?:0?[1-9]|[12][0-9]|3[01])-(?:0?[1-9]|1[0-2])-(?:19|20)[0-9]{2}", "this is a date"),
    (r"(?:19|20)[0-9]{2}([./-])(?:0?[1-9]|1[0-2])\1(?:0?[1-9]|[12][0-9]|3[01])(?:\D.*)?", "this is a date"),
)
"""Patterns of what is written with digits and is none of a phone's, and what to say of it."""
_BEGINNINGS = frozenset("+0123456789")
"""What each of these begins with: names, the mass of what is none, are not tried against them."""
_OTHER_THING = tuple((re.compile(pattern, re.DOTALL), why) for pattern, why in _OTHER_THINGS)


AMONG_LETTERS = "this is not a phone number: a letter stands between its digits"
"""What is said of ``8916Ь1234567``."""


def _fold_character(character: str) -> str:
    """Return the ASCII twin of a character; nothing for what cannot be seen; itself where it has no twin."""
    digit = unicodedata.decimal(character, None)
    if digit is not None:
        return str(digit)
    if character in _LIKE:
        return _LIKE[character]
    category = unicodedata.category(character)
    if category == "Cf" or character in _BLANK:
        return ""
    if category == "Pd":
        return "-"
    twin = unicodedata.normalize("NFKC", character)
    # Superscripts, circled digits and those in brackets are footnote marks, not digits of the number.
    if twin == character or any(map(str.isdigit, twin)):
        return character
    return "".join(map(_fold_character, twin))  # the twin of a superscript minus is a minus, which has its own in ASCII


class _Folding(dict[int, str]):
    """The twin of each character that has been asked for."""

    def __missing__(self, code: int) -> str:
        self[code] = twin = _fold_character(chr(code))
        return twin


_FOLDING = _Folding()


def fold(text: str) -> str:
    """Return the text with every kind of digit, dash, plus, space and bracket in ASCII, and nothing invisible."""
    return text if text.isascii() else text.translate(_FOLDING)


def _unwrap_uri(text: str) -> str:
    """Return the number of an RFC 3966 ``tel:`` URI, its global phone-context in front; other text as it is."""
    scheme = _URI.match(text)
    if scheme:
        text = _ESCAPE.sub(lambda escape: chr(int(escape[1], 16)), text[scheme.end() :])
    elif not _PARAMETER.search(text):
        return text
    number, *pairs = text.split(";")
    parameters = {name.strip().lower(): value.strip() for name, _, value in (pair.partition("=") for pair in pairs)}
    if _BEHIND & parameters.keys():
        raise Refused(Reason.EXTENSION)
    context = parameters.get("phone-context")
    # A global number needs no context; RFC 3966 forbids one, and says nothing new with it.
    if context is None or number.strip().startswith("+"):
        return number
    if not context.startswith("+"):
        raise Refused(Reason.PRIVATE)
    return context + number


def _holds_several(text: str) -> bool:
    """Return whether there is more than one number in the text, with a separator, a space or a dash between."""
    if len(text) < 2 * _FULL_LENGTH:
        return False
    if sum(_FULL.fullmatch(part) is not None for part in _SEPARATOR.split(text)) > 1:
        return True
    return any(
        _FULL.fullmatch(text, 0, gap.start()) and _FULL.fullmatch(text, gap.end()) for gap in _GAP.finditer(text)
    )


def read(raw: str) -> str:
    """Return ``+`` and digits, or digits alone where the country is left to the region; raises Refused."""
    text = _unwrap_uri(fold(raw).strip(_WRAPPING))
    if not text:
        raise Refused(Reason.EMPTY)
    if _holds_several(text):
        raise Refused(Reason.SEVERAL)
    if text[0] in _BEGINNINGS:
        for thing, why in _OTHER_THING:
            if thing.fullmatch(text):
                raise Refused(Reason.NOT_A_NUMBER, why)
    if _TRUNK_WITH_PLUS.fullmatch(text):
        raise Refused(Reason.AMBIGUOUS, "no country has the code +8: a Russian number begins with +7, or with 8 alone")
    if _EXTENSION.fullmatch(text):
        raise Refused(Reason.EXTENSION)
    number = _NUMBER.fullmatch(_DROP.sub("", text))
    if not number:
        raise Refused(Reason.NOT_A_NUMBER, AMONG_LETTERS if _BROKEN.search(text) else "")
    return "+" + number[1] if number[0].startswith("+") else number[1]
