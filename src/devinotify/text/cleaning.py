"""Any text made into one that can be sent: what reaches this house from terminals, logs and broken encodings. Pure.

An alert that is refused for one byte is an alert lost, so whoever must not lose one cleans before it sends; the
client, which never changes a text, refuses instead (see ``checks``).
"""

from __future__ import annotations

import re
from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

LOST = "?"
"""What stands for half of a surrogate pair. U+FFFD would say the same, and force UCS-2 on a text in Latin."""

_TO_NEWLINE = "\v\f\x85\u2028\u2029"
_REMOVED = "\ufeff"
"""The byte order mark, which files begin with and nobody sees."""

CONTROLS: Mapping[int, str] = MappingProxyType(
    dict.fromkeys([*range(0x20), *range(0x7F, 0xA0), *map(ord, _REMOVED)], "")
    | dict.fromkeys(map(ord, _TO_NEWLINE), "\n")
    | {ord("\n"): "\n", ord("\r"): "\r", ord("\t"): " "}
)
"""What each control character becomes: a new line, a space, or nothing. The tab and most others are not in GSM-7."""

_RETURN = re.compile(r"\r(?!\n)")
_ODD = re.compile(
    "[" + "".join(re.escape(chr(code)) for code in CONTROLS if chr(code) not in "\r\n") + "\ud800-\udfff]"
)
_BETWEEN_DIGITS = re.compile(
    r"(?<=\d)["
    + "".join(re.escape(chr(code)) for code, plain in CONTROLS.items() if not plain and chr(code) not in _REMOVED)
    + r"]+(?=\d)"
)
"""Control characters that would make one number of two if they went without a trace."""
_PAIR = re.compile("[\ud800-\udbff][\udc00-\udfff]")
_HALF = re.compile("[\ud800-\udfff]")

# ECMA-48. Each branch stops before the next control character, so that the time is linear in the text. A letter
# behind an escape that begins no such sequence stays: it is text as likely as not.
_SEQUENCES = re.compile(
    r"\x1b\[[0-?]*[ -/]*[@-~]?"  # colours and the cursor, even where the end was cut off
    r"|\x9b[0-?]+[ -/]*[@-~]"
    r"|(?:\x1b[\]PX^_]|[\x90\x98\x9d-\x9f])[^\x00-\x1f\x7f-\x9f]*(?:\x07|\x1b\\|\x9c)"  # titles, links, images
    r"|\x1b[#%()*+\-./][0-9A-Z]"  # character sets: what `tput sgr0` writes
    r"|\x1b[78=>]"
)


def sendable(text: str, *, warn: Callable[[str], object] | None = None) -> str:
    """Return ``text`` as it can be sent: every text has such a form, and one that can be sent already is unchanged.

    Colour codes and other terminal sequences go, and control characters with them (of one between two digits a space is
    left); ``\\n`` and ``\\r\\n`` stay, any other line end becomes ``\\n``, and a tab a space. The two halves of a
    surrogate pair become the character that they are, and a half that stands alone (a text read in the wrong encoding)
    becomes ``?``. ``warn`` is called once with a sentence, which never shows the text, where something was lost in that
    way: give it a logger's ``warning``.
    """
    if text.isprintable() or not (_ODD.search(text) or _RETURN.search(text)):
        return text
    clean = _BETWEEN_DIGITS.sub(" ", _SEQUENCES.sub("", text))
    clean = _RETURN.sub("\n", clean).translate(CONTROLS)
    if clean.isprintable() or not _HALF.search(clean):
        return clean
    clean, lost = _HALF.subn(LOST, _PAIR.sub(_join, clean))
    if lost and warn is not None:
        these = "a lone surrogate" if lost == 1 else f"{lost} lone surrogates"
        warn(f"the text held {these}, as one that was read in the wrong encoding does: {LOST} is sent in place of each")
    return clean


def _join(pair: re.Match[str]) -> str:
    return pair[0].encode("utf-16", "surrogatepass").decode("utf-16")
