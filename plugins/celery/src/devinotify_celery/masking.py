"""What may be shown of a task's arguments: by names, sizes and masked numbers, never by their texts. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from devinotify import mask_number

HIDDEN = "***"
_NUMBER = re.compile(r"[\d\s()+.\-]*")
_LEAST_DIGITS = 10
"""A number of fewer digits may as well be a one-time code, of which nothing is shown."""


def mask(value: Any) -> Any:  # noqa: ANN401 - whatever somebody's task takes
    """Return a value that JSON takes and that tells no text and no number: numbers are masked, other texts hidden."""
    if value is None or isinstance(value, bool | float):
        return value
    if isinstance(value, int):
        return value if abs(value) < 10**5 else _masked(str(value))
    if isinstance(value, str):
        return _masked(value)
    if isinstance(value, Mapping):
        return {_masked(str(name)): mask(each) for name, each in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [mask(each) for each in value]
    return f"<{type(value).__name__}>"


def mask_arguments(args: Any, kwargs: Any) -> tuple[list[Any], dict[str, Any]]:  # noqa: ANN401 - as a message has them
    """Return a call's arguments masked; the names of its keywords stay."""
    return [mask(each) for each in args or ()], {str(name): mask(each) for name, each in dict(kwargs or {}).items()}


def _masked(text: str) -> str:
    digits = sum(character.isdigit() for character in text)
    return mask_number(text) if digits >= _LEAST_DIGITS and _NUMBER.fullmatch(text) else HIDDEN
