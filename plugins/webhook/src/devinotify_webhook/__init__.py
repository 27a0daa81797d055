"""Alerts by SMS and Viber from Alertmanager, Grafana and anything that can POST.

``devinotify webhook`` serves it; ``app`` is the ASGI app to serve or to mount oneself:

>>> from devinotify_webhook import app
>>> hooks = app("hooks.toml")

Every devinotify process loads this package for its command, so each name is imported on first use.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from devinotify_webhook.config import ByLabel, Config, Receiver
    from devinotify_webhook.errors import ConfigError
    from devinotify_webhook.loading import load
    from devinotify_webhook.webhook import Webhook, app

_HOMES = {
    "ByLabel": "config",
    "Config": "config",
    "ConfigError": "errors",
    "Receiver": "config",
    "Webhook": "webhook",
    "app": "webhook",
    "load": "loading",
}

__all__ = ["ByLabel", "Config", "ConfigError", "Receiver", "Webhook", "app", "load"]


def __getattr__(name: str) -> Any:  # noqa: ANN401 - each name has its own type, given above to type checkers
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(globals().keys() | _HOMES.keys())
