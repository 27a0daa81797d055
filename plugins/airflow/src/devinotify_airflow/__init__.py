"""SMS and Viber for Airflow, by devinotify: a pipeline that fails, or is late, tells its owner, and tells him once."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from devinotify_airflow.hook import DevinoHook
    from devinotify_airflow.notifier import DevinoNotifier, send_devino_notification
    from devinotify_airflow.operators import DevinoSmsOperator
    from devinotify_airflow.provider import get_provider_info

__all__ = [
    "DevinoHook",
    "DevinoNotifier",
    "DevinoSmsOperator",
    "get_provider_info",
    "send_devino_notification",
]

_HOMES = {
    "DevinoHook": "hook",
    "DevinoNotifier": "notifier",
    "DevinoSmsOperator": "operators",
    "get_provider_info": "provider",
    "send_devino_notification": "notifier",
}


def __getattr__(name: str) -> Any:  # noqa: ANN401 - each name has its own type, given above to type checkers
    """Return a public name: loaded when it is asked for, since Airflow reads the provider's info in every process."""
    if name in _HOMES:
        return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
