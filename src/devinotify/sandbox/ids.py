"""Ids as the gateway gives them, drawn from ``secrets``: unique in practice and not to be guessed."""

from __future__ import annotations

import secrets
import string

SESSION_LENGTH = 36
"""Characters of a session id (the API's tables)."""

_SESSION_ALPHABET = string.ascii_uppercase + string.digits
_FIRST_ID = 10**17


def session_id() -> str:
    """Return a session id like the documented ``Z5CYSZEKDL1DPICU37WEHQVOYKP0T1GSLHX1``."""
    return "".join(secrets.choice(_SESSION_ALPHABET) for _ in range(SESSION_LENGTH))


def sms_ids(count: int, prefix: str = "") -> tuple[str, ...]:
    """Return ids for the segments of one message: 18 digits that count up, as in ``579700854169272358``, ``…359``."""
    first = _FIRST_ID + secrets.randbelow(8 * _FIRST_ID)
    return tuple(f"{prefix}{first + index}" for index in range(count))


def viber_id(prefix: str = "") -> str:
    """Return a Viber message id like the documented ``GW0261BBD6B3``, with more hexadecimal digits."""
    return f"{prefix}GW{secrets.token_hex(8).upper()}"
