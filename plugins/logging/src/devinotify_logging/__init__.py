"""``logging.error`` on the on-call phone: a handler that sends records by SMS or Viber, a few of a storm at most.

>>> handler = DevinoHandler("devino://login:password@SENDER/79161234567")
>>> logging.getLogger().addHandler(handler)

It stands in ``logging.config``, Django's ``LOGGING``, loguru and structlog; ``devinotify log-test`` tries it.

The names are imported on first use: every devinotify process loads this package for its command.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from devinotify_logging.counters import Counters
    from devinotify_logging.handler import DevinoHandler

_HOMES = {"Counters": "counters", "DevinoHandler": "handler"}

__all__ = ["Counters", "DevinoHandler"]


def __getattr__(name: str) -> Any:  # noqa: ANN401 - each name has its own type, given above to type checkers
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.{home}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(globals().keys() | _HOMES.keys())
