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
_BLANK = frozenset("\u034f\u115f\u1160\u2800\u3164\ufe0e\ufe0f\u20e3")
"""Characters that show nothing, yet are not of the category Cf: fillers, variation selectors, the keycap's frame."""

_URI = re.compile(r"tel:(?://)?", re.IGNORECASE)
_PARAMETER = re.compile(r";\s*[a-z]", re.IGNORECASE)
_ESCAPE = re.compile(r"%([0-7][0-9a-f])", re.IGNORECASE)
_BEHIND = frozenset({"ext", "isub", "postd"})
"""RFC 3966 parameters that lead to a line behind the number."""

_SEPARATOR = re.compile(r"[,;/|\n]")
_FULL_LENGTH = 10
"""Digits from which a part of a text counts as a number of its own."""

_DECIMAL = re.compile(r"\+?[0-9]+\.0{1,2}")
"""What a spreadsheet makes of a number. Its zeros would be read as digits, and call somebody else."""

_EXTENSION = re.compile(
    rf"[{_PUNCTUATION}+]*(?:[0-9][{_PUNCTUATION}]*){{5,}}"
    r"(?:ext(?:ension|n)?|доб(?:авочный)?|вн(?:утренний)?|int|anexo|[xхpw#,;])[\s.:=]*[0-9]{1,10}\s*\#?",
    re.IGNORECASE,
)


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
    # Superscripts and circled digits are footnote marks, not digits of the number.
    return character if twin.isdigit() else twin


def fold(text: str) -> str:
    """Return the text with every kind of digit, dash, plus, space and bracket in ASCII, and nothing invisible."""
    return text if text.isascii() else "".join(map(_fold_character, text))


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


def read(raw: str) -> str:
    """Return ``+`` and digits, or digits alone where the country is left to the region; raises Refused."""
    text = fold(raw).strip(_WRAPPING)
    if not text:
        raise Refused(Reason.EMPTY)
    text = _unwrap_uri(text)
    if sum(len(_DROP.sub("", part)) >= _FULL_LENGTH for part in _SEPARATOR.split(text)) > 1:
        raise Refused(Reason.SEVERAL)
    if _DECIMAL.fullmatch(text):
        raise Refused(Reason.NOT_A_NUMBER, "this is a decimal, as spreadsheets write them: keep numbers as text")
    if _EXTENSION.fullmatch(text):
        raise Refused(Reason.EXTENSION)
    number = _NUMBER.fullmatch(_DROP.sub("", text))
    if not number:
        raise Refused(Reason.NOT_A_NUMBER)
    return "+" + number[1] if number[0].startswith("+") else number[1]
