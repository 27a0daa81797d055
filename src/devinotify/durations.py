"""How long something takes, as people write it: ``90s``, ``5m``, ``1.5 h``, ``7 days``. Pure."""

from __future__ import annotations

import re
from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

UNITS: Mapping[str, float] = MappingProxyType(
    {
        "": 1.0,
        "ms": 0.001,
        **dict.fromkeys(("s", "sec", "second", "seconds"), 1.0),
        **dict.fromkeys(("m", "min", "minute", "minutes"), 60.0),
        **dict.fromkeys(("h", "hour", "hours"), 3600.0),
        **dict.fromkeys(("d", "day", "days"), 86400.0),
        **dict.fromkeys(("w", "week", "weeks"), 7 * 86400.0),
    }
)
"""The seconds of each unit; a number without any is of seconds."""

_DURATION = re.compile(r"(\d+(?:\.\d+)?(?:e-?\d+)?)\s*([a-z]*)")


def parse_duration(text: str, units: Collection[str] = UNITS.keys()) -> float:
    """Return the seconds in ``"90"``, ``"90s"``, ``"5 min"`` or ``"7d"``, in letters of either case.

    Raises ValueError for anything else, and for a unit that is not among those that are allowed.
    """
    match = _DURATION.fullmatch(text.strip().lower())
    if match is None or match[2] not in units:
        alone = "of seconds, or one " if "" in units else ""
        raise ValueError(f"a duration is a number {alone}with one of the units {', '.join(filter(None, units))}")
    return float(match[1]) * UNITS[match[2]]
