"""Ids as the gateway gives them, drawn from ``secrets``: short, mixed, and nothing that a client may read meaning into.

The API's examples show 18 digits; accounts of today see letters and digits as well. A message gets either.
"""

from __future__ import annotations

import secrets
import string

SESSION_LENGTH = 36
"""Characters of a session id (the API's tables)."""

_SESSION_ALPHABET = string.ascii_uppercase + string.digits
_FIRST_ID = 10**17
_SHORT = 16**8


def session_id() -> str:
    """Return a session id like the documented ``Z5CYSZEKDL1DPICU37WEHQVOYKP0T1GSLHX1``."""
    return "".join(secrets.choice(_SESSION_ALPHABET) for _ in range(SESSION_LENGTH))


def sms_ids(count: int, prefix: str = "") -> tuple[str, ...]:
    """Return ids for the segments of one message, which follow one another.

    They are like ``WD1935D4E``, ``WD1935D4F``, or like the documented ``579700854169272358``, ``…359``.
    """
    if secrets.randbelow(2):
        first = secrets.randbelow(_SHORT - count)
        return tuple(f"{prefix}W{first + index:08X}" for index in range(count))
    first = _FIRST_ID + secrets.randbelow(8 * _FIRST_ID)
    return tuple(f"{prefix}{first + index}" for index in range(count))


def viber_id(prefix: str = "") -> str:
    """Return a Viber message id like the documented ``GW0261BBD6B3``."""
    return f"{prefix}GW{secrets.token_hex(5).upper()}"


def v2_ids(count: int, digits: str, prefix: str = "") -> tuple[str, ...]:
    """Return ids as ``/rest/v2`` gives them, which hold the recipient's number: ``SAR-GW01+79160000000-5f3b1972-2-1``.

    Its last two parts are how many segments the message has, and which of them it is.
    """
    drawn = secrets.token_hex(4)
    return tuple(f"{prefix}SAR-GW01+{digits}-{drawn}-{count}-{index + 1}" for index in range(count))


def incoming_id() -> str:
    """Return the id of an incoming message: nine digits."""
    return str(10**8 + secrets.randbelow(9 * 10**8))
