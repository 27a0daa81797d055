"""Alerts of Zabbix, Checkmk, Nagios and Icinga by SMS and Viber: ``devinotify alert``, and the rules behind it.

Every devinotify process loads this package for its command, so each name is imported on first use.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from devinotify_monitoring.exits import EXITS, AlertStatus
    from devinotify_monitoring.notice import Notice
    from devinotify_monitoring.profiles import PROFILES, Profile
    from devinotify_monitoring.reading import read
    from devinotify_monitoring.rendering import line

_HOMES = {
    "AlertStatus": "exits",
    "EXITS": "exits",
    "Notice": "notice",
    "PROFILES": "profiles",
    "Profile": "profiles",
    "line": "rendering",
    "read": "reading",
}

__all__ = ["EXITS", "PROFILES", "AlertStatus", "Notice", "Profile", "line", "read"]


def __getattr__(name: str) -> Any:  # noqa: ANN401 - each name has its own type, given above to type checkers
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(globals().keys() | _HOMES.keys())
