"""What may be shown of a secret, a number, an id or a reply. Pure.

Logs, reprs and exception messages pass through here, so that a full phone number, a session id or a
message text never reaches them.
"""

from __future__ import annotations

import contextlib
import json
import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Generic, SupportsIndex, TypeVar
from urllib.parse import quote, quote_plus

T = TypeVar("T")

# A date such as 2026-01-31 is none, as long as no further digits make a number of it.
_DIGIT_RUN = re.compile(r"(?<!\d)(?!(?:19|20)\d\d-[01]\d-[0-3]\d(?![\s().\-]{0,3}\d))\+?\d(?:[\s().\-]{0,3}\d){6,}")
# A session id is 36 letters and digits, or a GUID with hyphens; words joined by hyphens hold no digit. What a run holds
# is asked once it is found: a look ahead from each of its places would take time by the square of its length.
_RUN = re.compile(r"[A-Za-z0-9-]{24,}")
_DIGIT = re.compile(r"[0-9]")
_LETTERS = re.compile(r"[A-Za-z]{24,}")
# What an error page may echo of a request (``?login=me&password=…``, ``(Data="…")``), or a cut reply of a text.
_NAMED = re.compile(
    r"""\b(password|data)((?:\\*["']|&quot;)?\s*[=:]\s*)"""
    r"""(?:&quot;.*?(?:&quot;|$)|(?:\\*"(?:[^"\\]|\\.)*"?)|'[^']*'?|[^\s&,;<>)}]+)""",
    re.IGNORECASE | re.DOTALL,
)
_MARKUP = re.compile(r"<[^>]*>")
_SPACE = re.compile(r"\s+")

EXCERPT_LENGTH = 120
"""Characters of a reply that an error may show: enough to recognise a proxy's page, too few to leak one."""


class Secret(str):
    """A text that is used as any other and shown as ``***``.

    Debuggers, rich and error trackers print the variables of a traceback's frames by their reprs: what may not be read
    there is one of these. A part of it is one, too, since long texts are printed by their beginning.
    """

    __slots__ = ()

    def __repr__(self) -> str:
        return "'***'"

    def __getitem__(self, key: SupportsIndex | slice) -> Secret:
        return Secret(super().__getitem__(key))


class SecretBytes(bytes):
    """Bytes that are used as any others and shown as ``***``."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "b'***'"

    def __getitem__(self, key: Any) -> Any:  # noqa: ANN401 - an int or bytes, as the key is
        found = super().__getitem__(key)
        return found if isinstance(found, int) else SecretBytes(found)


class Secrets(Generic[T]):
    """Several values of which nothing is shown but how many there are; they can be gone through and counted.

    It is not a sequence on purpose: printers take those apart. ``kind`` is the type that was given, for errors.
    """

    __slots__ = ("_items", "kind")

    def __init__(self, items: Iterable[T]) -> None:
        self.kind: type = items.kind if isinstance(items, Secrets) else type(items)
        self._items = tuple(items)

    def __iter__(self) -> Iterator[T]:
        return iter(self._items)

    def __len__(self) -> int:
        return len(self._items)

    def __repr__(self) -> str:
        return f"<{len(self)} values that are not shown>"


def hide(value: Any) -> Any:  # noqa: ANN401 - whatever a caller gave
    """Return a text, bytes or several values so that no repr shows them, and everything else as it is.

    A public function that is given a number or a text begins with this, since its arguments stay in its frame.
    """
    if isinstance(value, str):
        return value if type(value) is Secret else Secret(value)
    if value is None:
        return None
    if isinstance(value, bytes):
        return SecretBytes(value)
    # What masks itself, as a PhoneNumber does, cannot be gone through.
    return Secrets(value) if isinstance(value, Iterable) and not isinstance(value, Secrets) else value


def kind_of(value: object) -> str:
    """Return the name of the type that a caller gave, whatever hides it by now."""
    if isinstance(value, Secrets):
        return value.kind.__name__
    return "bytes" if isinstance(value, SecretBytes) else type(value).__name__


def forget_variables(error: BaseException | None, handled: BaseException | None) -> None:
    """Clear the variables of the frames that an error and its causes came through, apart from those still at work.

    It is for what is kept in many of them, down to the parameters of a statement, and cannot be hidden in each.
    ``handled`` is what the caller was busy with when this work began: its frames are his own, and stay as they are.
    """
    seen = {id(handled)}
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        place = error.__traceback__
        while place is not None:
            with contextlib.suppress(RuntimeError):  # a frame at work
                place.tb_frame.clear()
            place = place.tb_next
        error = error.__cause__ or error.__context__


_NO_DIGIT = re.compile("[^0-9]+")


def mask_number(raw: str) -> str:
    """Return a number that a colleague recognises and a stranger cannot dial: ``+7916***4567``.

    Short or odd input shows less: two characters at either end, or nothing at all.
    """
    sign = "+" if raw.lstrip().startswith("+") else ""
    if raw.isascii():
        digits = _NO_DIGIT.sub("", raw)
    else:
        digits = "".join(
            str(unicodedata.decimal(character)) for character in raw if unicodedata.decimal(character, None) is not None
        )
    if len(digits) >= 10:
        return f"{sign}{digits[:4]}***{digits[-4:]}"
    if len(digits) >= 6:
        return f"{sign}{digits[:2]}***{digits[-2:]}"
    if digits:
        return f"{sign}***"
    letters = raw.strip()
    return f"{letters[:2]}***" if len(letters) > 4 else "***"


def mask_id(message_id: str) -> str:
    """Return a message id fit for a log: the gateway's newer ids hold the recipient's number."""
    return f"{message_id[:4]}***{message_id[-4:]}" if len(message_id) > 8 else "***"


def scrub(text: str) -> str:
    """Return ``text`` with everything masked that looks like a phone number, a session id, a password or a text.

    Passwords and texts are known by the name before them (``password=…``, ``"Data": "…"``).
    """
    # Tokens before numbers: a session id may hold a run of digits, and masking that first would leave the rest.
    masked = _RUN.sub(_without_tokens, _NAMED.sub(r"\1\2***", text))
    return _DIGIT_RUN.sub(lambda match: mask_number(match.group()), masked)


def _without_tokens(run: re.Match[str]) -> str:
    return "***" if _DIGIT.search(run.group()) else _LETTERS.sub("***", run.group())


_LEAST_SECRET = 3
"""Characters; hiding shorter ones would leave nothing to recognise."""
_PIECE = 6
"""Letters and digits in a row, whatever stands between them, by which a part of a secret is known."""
_WORD = re.compile(r"\w{3,}")

# How a reply may quote a value, apart from HTML's many ways: as it is, escaped for a URL, for JSON.
_QUOTATIONS: tuple[Callable[[str], str], ...] = (
    str,
    quote_plus,
    quote,
    lambda value: json.dumps(value)[1:-1],
    lambda value: json.dumps(value, ensure_ascii=False)[1:-1],
)


def conceal(text: str, secrets: Iterable[str], others: Iterable[str] = (), *, known: str = "") -> str:
    """Return ``text`` without the secrets, in whole or in part, however they are quoted or written.

    Hidden are a whole secret in any way of quoting; any six letters or digits in a row of it, whatever signs stand
    between them (a number in another notation, half of an id); and its words of three letters or more. Of ``others``,
    which may be many, the parts are hidden. Words of ``known`` stay.
    """
    from html import unescape  # on demand: its table of entities is needed for errors alone

    values = [secret for secret in secrets if len(secret) >= _LEAST_SECRET]
    forms = {str(quotation(value)) for value in values for quotation in _QUOTATIONS}
    text = unescape(text)  # a value that was escaped is then itself; one that was not may hold what looks like entities
    for form in sorted(forms | set(map(unescape, forms)), key=len, reverse=True):
        text = text.replace(form, "***")
    hidden = _spans_of_pieces(text, [*values, *others], known)
    words = {word.lower() for value in values for word in _WORD.findall(value)} - set(_WORD.findall(known.lower()))
    hidden += [match.span() for match in _WORD.finditer(text) if match.group().lower() in words]
    return _without(text, hidden)


def _bare(text: str) -> list[tuple[str, int]]:
    """Return the letters and digits of a text in one form, each with its place."""
    return [
        (str(unicodedata.decimal(character, character)).lower(), place)
        for place, character in enumerate(text)
        if character.isalnum()
    ]


def _pieces(text: str) -> list[str]:
    bare = "".join([character for character, _ in _bare(text)])
    return [bare[start : start + _PIECE] for start in range(len(bare) - _PIECE + 1)]


def _spans_of_pieces(text: str, secrets: Iterable[str], known: str) -> list[tuple[int, int]]:
    pieces = {piece for secret in secrets for piece in _pieces(secret)} - set(_pieces(known))
    bare = _bare(text) if pieces else []
    written = [character for character, _ in bare]
    return [
        (bare[start][1], bare[start + _PIECE - 1][1] + 1)
        for start in range(len(bare) - _PIECE + 1)
        if "".join(written[start : start + _PIECE]) in pieces
    ]


def _without(text: str, spans: Iterable[tuple[int, int]]) -> str:
    shown, end = [], 0
    for start, stop in sorted(spans):
        if start >= end:
            shown += [text[end:start], "***"]
        end = max(end, stop)
    return "".join([*shown, text[end:]])


def excerpt(body: bytes | str, limit: int = EXCERPT_LENGTH) -> str:
    """Return the start of a reply as one short, scrubbed line without markup."""
    text = body.decode("utf-8", "replace") if isinstance(body, bytes) else body
    line = _SPACE.sub(" ", _MARKUP.sub(" ", text[: limit * 20])).strip()
    line = scrub("".join(character for character in line if character.isprintable()))
    return line if len(line) <= limit else line[: limit - 1] + "…"
