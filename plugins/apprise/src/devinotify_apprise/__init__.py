"""``devino://`` wherever Apprise takes a URL: SMS and Viber through the Devino Telecom HTTP API.

>>> import apprise, devinotify_apprise
>>> devinotify_apprise.register()
>>> apprise.Apprise("devino://login:password@SENDER/79161234567").notify("The server room is on fire")

Both names are imported on first use: every devinotify process loads this package for its command, and every Python
that was told of it by ``devinotify apprise install --library`` at its start. Apprise is not needed for that.
"""

from __future__ import annotations

# Type checkers know this name and take it for true; importing it from ``typing`` would be most of our import time.
TYPE_CHECKING = False

if TYPE_CHECKING:
    from typing import Any

    from devinotify_apprise.notify import NotifyDevino
    from devinotify_apprise.registration import register

_HOMES = {"NotifyDevino": "notify", "register": "registration"}

__all__ = ["NotifyDevino", "register"]


def __getattr__(name: str) -> Any:  # noqa: ANN401 - each name has its own type, given above to type checkers
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    value = getattr(import_module(f"{__name__}.{home}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(globals().keys() | _HOMES.keys())
