"""Whether a text can be sent at all: not empty, not too long, encodable. Pure."""

from __future__ import annotations

from devinotify.exceptions import InvalidText


def check_length(text: str, limit: int) -> int:
    """Return how many characters remain until ``limit``; both count code points, as the gateway does.

    The gateway documents 2000 characters for SMS and 1000 for Viber. Raises InvalidText, which says how many
    are too many and never shows the text.
    """
    remaining = limit - len(text)
    if remaining < 0:
        raise InvalidText(f"the text is {-remaining} characters too long: {len(text)} of at most {limit}")
    return remaining


def check_sendable(text: str) -> None:
    """Return if ``text`` can be sent, that is encoded as UTF-8; raise InvalidText where a lone surrogate forbids it.

    The error names the position of the first one and never shows the text.
    """
    try:
        text.encode()
        return
    except UnicodeEncodeError as error:
        position = error.start
    # Raised out here, so that the encoding error, which holds the text, is not part of the traceback.
    raise InvalidText(f"the character at position {position} is half of a surrogate pair and cannot be sent")


def check(text: str, limit: int) -> int:
    """Return how many characters remain until ``limit``; raise InvalidText for a text that cannot be sent.

    That is: nothing but white space, longer than ``limit``, or not encodable.
    """
    if not text or text.isspace():
        raise InvalidText("the text is empty")
    check_sendable(text)
    return check_length(text, limit)
