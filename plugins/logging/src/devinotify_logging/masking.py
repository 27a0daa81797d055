"""What an alert must not show: passwords, tokens, keys. Pure.

Whoever reads a phone's lock screen reads an alert too. A rule masks what it knows by its shape or by the name before
it; the rest of the text stays as it is.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

MASK = "***"

_NAMES = (
    r"pass(?:word|wd|phrase)?|pwd|secret(?:[_-]?key)?|(?:access|auth|refresh|id|session|csrf|bearer)?[_-]?token"
    r"|(?:api|private|access|signing|encryption)[_-]?key|session[_-]?id|cookie|credentials?|signature|otp|pin[_-]?code"
)


def _first_four(match: re.Match[str]) -> str:
    return match[0][:4] + MASK


def _password(match: re.Match[str]) -> str:
    rest, at, host = match[2].rpartition("@")
    return f"{match[1]}:{MASK}@{host}" if at and rest else match[0]


_RULES: tuple[tuple[re.Pattern[str], str | Callable[[re.Match[str]], str]], ...] = (
    # The password of a URL, of any scheme; a user alone is not a secret. It may hold @ and / where nobody escaped them.
    # The @ is looked for in what was found: a pattern with it would look anew from each :// of a long text.
    (re.compile(r"(?<=://)([^\s:/@'\"]*):([^\s'\"]+)"), _password),
    (re.compile(r"(?i)\b(bearer|basic|digest)\s+[A-Za-z0-9+/=_.~-]{6,}"), rf"\1 {MASK}"),
    # Behind a name: quoted with escapes, or up to the next separator. Alternatives are told apart by one character.
    (
        re.compile(
            rf"""(?i)((?:{_NAMES})["']?\s*(?:=>|[=:])\s*)(?:"(?:[^"\\]|\\.)*"?|'(?:[^'\\]|\\.)*'?|[^\s&,;)}}\]"']+)"""
        ),
        rf"\1{MASK}",
    ),
    (re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*-----|\Z)", re.DOTALL), MASK),
    # JSON web tokens, and the keys of well-known services by their prefixes.
    (re.compile(r"\beyJ[A-Za-z0-9_-]{6,}(?:\.[A-Za-z0-9_-]+){0,2}"), _first_four),
    (
        re.compile(
            r"\b(?:gh[opsu]_|github_pat_|glpat-|sk-|sk_live_|sk_test_|rk_live_|xox[abprs]-|AKIA|ASIA|AIza|ya29\.)"
            r"[A-Za-z0-9_-]{8,}"
        ),
        _first_four,
    ),
    # Anything long of letters and digits mixed: session ids, hashes, keys. A word or a number alone is none.
    (
        re.compile(r"(?<![A-Za-z0-9])(?=[A-Za-z]*[0-9])(?=[0-9]*[A-Za-z])[A-Za-z0-9]{24,}={0,2}(?![A-Za-z0-9])"),
        _first_four,
    ),
    (
        re.compile(
            r"(?<![A-Za-z0-9-])[0-9A-Fa-f]{8}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{12}(?![A-Za-z0-9-])"
        ),
        _first_four,
    ),
)


def mask(text: str) -> str:
    """Return ``text`` with what looks like a secret replaced by ``***``, of a token all but its first four letters."""
    for pattern, replacement in _RULES:
        text = pattern.sub(replacement, text)
    return text
