"""What several tests need: plugins for a gateway, and what has arrived at it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import apprise

from devinotify_apprise import NotifyDevino

if TYPE_CHECKING:
    from devinotify.sandbox import Sandbox

ONE, TWO, THREE = "+79161234567", "+79161234568", "+79161234569"


def url_of(gateway: Sandbox, *targets: str, **options: object) -> str:
    """Return the URL that sends to these targets through the gateway."""
    base, _, query = gateway.url.partition("?")
    more = "".join(f"&{key}={value}" for key, value in options.items())
    return f"{base}/{'/'.join(targets)}?{query}{more}"


def plugin_of(gateway: Sandbox, *targets: str, **options: object) -> NotifyDevino:
    """Return a plugin that sends to these targets through the gateway; Apprise need not know of it."""
    results = NotifyDevino.parse_url(url_of(gateway, *targets, **options))
    assert results is not None
    return NotifyDevino(**results)


def notify(plugin: NotifyDevino, body: str = "text", **arguments: Any) -> bool:  # noqa: ANN401 - Apprise's own
    """Send through Apprise; return whether it says that it worked (2.x answers with an object)."""
    sender = apprise.Apprise()
    sender.add(plugin)
    return bool(sender.notify(body, **arguments))


def arrived(gateway: Sandbox) -> list[tuple[str, str]]:
    """Return recipient and text of everything that arrived, in order."""
    return [(message.recipient, message.text) for message in gateway.messages()]


def sends(gateway: Sandbox) -> list[str]:
    """Return the names of the operations that sent, in order."""
    return [request.operation for request in gateway.requests() if request.operation and request.method == "POST"]
