"""SMS and Viber through the Devino Telecom HTTP API, for the frameworks you already run.

>>> from devinotify import Client, phones, text

Every public name is imported on first use, so that importing the package costs next to nothing.
"""

from __future__ import annotations

# Type checkers know this name and take it for true; importing it from ``typing`` would be most of our import time.
TYPE_CHECKING = False

if TYPE_CHECKING:
    from typing import Any

    from devinotify import phones, text
    from devinotify.async_notifier import AsyncNotifier
    from devinotify.channels.protocol import Channel
    from devinotify.delivery.fallback import Fallback
    from devinotify.delivery.orders import Enqueued
    from devinotify.delivery.replies import ReplyPoster
    from devinotify.delivery.worker import Worker
    from devinotify.durations import parse_duration
    from devinotify.exceptions import (
        ArgumentMissing,
        DevinotifyError,
        Forbidden,
        GatewayError,
        GatewayFailure,
        InternalServerError,
        InvalidArgument,
        InvalidInput,
        InvalidOperation,
        InvalidPhoneNumber,
        InvalidSchedule,
        InvalidSender,
        InvalidSession,
        InvalidText,
        InvalidURL,
        LimitExceeded,
        NotEnoughCredits,
        NotSent,
        OutcomeUnknown,
        PluginError,
        Suppressed,
        TransportError,
        Unauthorized,
        UnexpectedResponse,
        Verdict,
        ViberRejected,
    )
    from devinotify.gateway.aio.client import AsyncClient
    from devinotify.gateway.client import Client
    from devinotify.hookspecs import hookimpl, hookspec
    from devinotify.hosts import is_loopback
    from devinotify.limits import Limit, LimitUsage
    from devinotify.models import (
        Attempt,
        BulkReceipt,
        DeliveryStatus,
        IncomingSms,
        Message,
        Outcome,
        Receipt,
        SmsState,
        SmsStatistics,
        ViberState,
    )
    from devinotify.notifier import Notifier
    from devinotify.outbox import Outbox, RowState
    from devinotify.phones import PhoneNumber
    from devinotify.plugins import make_plugin_manager
    from devinotify.pool import Pool
    from devinotify.redact import mask_number
    from devinotify.retry import Backoff
    from devinotify.url import DevinoURL

# The one table of public names: where each of them lives. A module is named by itself.
_HOMES = {
    "ArgumentMissing": "exceptions",
    "AsyncClient": "gateway.aio.client",
    "AsyncNotifier": "async_notifier",
    "Attempt": "models",
    "Backoff": "retry",
    "BulkReceipt": "models",
    "Channel": "channels.protocol",
    "Client": "gateway.client",
    "DeliveryStatus": "models",
    "DevinoURL": "url",
    "DevinotifyError": "exceptions",
    "Enqueued": "delivery.orders",
    "Fallback": "delivery.fallback",
    "Forbidden": "exceptions",
    "GatewayError": "exceptions",
    "GatewayFailure": "exceptions",
    "IncomingSms": "models",
    "InternalServerError": "exceptions",
    "InvalidArgument": "exceptions",
    "InvalidInput": "exceptions",
    "InvalidOperation": "exceptions",
    "InvalidPhoneNumber": "exceptions",
    "InvalidSchedule": "exceptions",
    "InvalidSender": "exceptions",
    "InvalidSession": "exceptions",
    "InvalidText": "exceptions",
    "InvalidURL": "exceptions",
    "Limit": "limits",
    "LimitExceeded": "exceptions",
    "LimitUsage": "limits",
    "Message": "models",
    "NotEnoughCredits": "exceptions",
    "NotSent": "exceptions",
    "Notifier": "notifier",
    "Outbox": "outbox",
    "Outcome": "models",
    "OutcomeUnknown": "exceptions",
    "PhoneNumber": "phones",
    "PluginError": "exceptions",
    "Pool": "pool",
    "Receipt": "models",
    "ReplyPoster": "delivery.replies",
    "RowState": "outbox",
    "SmsState": "models",
    "SmsStatistics": "models",
    "Suppressed": "exceptions",
    "TransportError": "exceptions",
    "Unauthorized": "exceptions",
    "UnexpectedResponse": "exceptions",
    "Verdict": "exceptions",
    "ViberRejected": "exceptions",
    "ViberState": "models",
    "Worker": "delivery.worker",
    "hookimpl": "hookspecs",
    "hookspec": "hookspecs",
    "is_loopback": "hosts",
    "make_plugin_manager": "plugins",
    "mask_number": "redact",
    "parse_duration": "durations",
    "phones": "phones",
    "text": "text",
}

__all__ = [
    "ArgumentMissing",
    "AsyncClient",
    "AsyncNotifier",
    "Attempt",
    "Backoff",
    "BulkReceipt",
    "Channel",
    "Client",
    "DeliveryStatus",
    "DevinoURL",
    "DevinotifyError",
    "Enqueued",
    "Fallback",
    "Forbidden",
    "GatewayError",
    "GatewayFailure",
    "IncomingSms",
    "InternalServerError",
    "InvalidArgument",
    "InvalidInput",
    "InvalidOperation",
    "InvalidPhoneNumber",
    "InvalidSchedule",
    "InvalidSender",
    "InvalidSession",
    "InvalidText",
    "InvalidURL",
    "Limit",
    "LimitExceeded",
    "LimitUsage",
    "Message",
    "NotEnoughCredits",
    "NotSent",
    "Notifier",
    "Outbox",
    "Outcome",
    "OutcomeUnknown",
    "PhoneNumber",
    "PluginError",
    "Pool",
    "Receipt",
    "ReplyPoster",
    "RowState",
    "SmsState",
    "SmsStatistics",
    "Suppressed",
    "TransportError",
    "Unauthorized",
    "UnexpectedResponse",
    "Verdict",
    "ViberRejected",
    "ViberState",
    "Worker",
    "hookimpl",
    "hookspec",
    "is_loopback",
    "make_plugin_manager",
    "mask_number",
    "parse_duration",
    "phones",
    "text",
]


def __getattr__(name: str) -> Any:  # noqa: ANN401 - each public name has its own type, given above to type checkers
    from importlib import import_module

    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module = import_module(f"{__name__}.{home}")
    value = module if home == name else getattr(module, name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(globals().keys() | _HOMES.keys())
