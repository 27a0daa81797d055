"""What several tests need: blocks for a gateway, what has arrived at it, and the README's examples."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from devinotify_prefect import DevinoNotification

if TYPE_CHECKING:
    from devinotify.sandbox import Sandbox

ONE, TWO = "+79161234567", "+79161234568"
README = Path(__file__).parents[1].joinpath("README.md").read_text("utf-8")


def block_of(gateway: Sandbox, *, to: Any = ONE, **fields: Any) -> DevinoNotification:  # noqa: ANN401 - a field's own
    """Return a block that sends through the gateway."""
    return DevinoNotification(url=gateway.url, to=to, **fields)


def arrived(gateway: Sandbox) -> list[tuple[str, str]]:
    """Return recipient and text of everything that arrived, in order."""
    return [(message.recipient, message.text) for message in gateway.messages()]


def sends(gateway: Sandbox) -> int:
    """Return how many requests to send reached the gateway."""
    return sum("/Send" in (request.operation or "") and request.method == "POST" for request in gateway.requests())


def example(name: str, gateway: Sandbox) -> str:
    """Return the README's example of this name, as it stands but for the account."""
    (code,) = re.findall(rf"```python {name}\n(.*?)```", README, re.DOTALL)
    base, _, query = gateway.url.partition("?")

    def own(match: re.Match[str]) -> str:
        path, _, options = match[1].partition("?")
        return f"{base}{path}?{query}" + (f"&{options}" if options else "")

    found, count = re.subn(r'devino://login:password@SENDER([^"]*)', own, code)
    assert count or "devino://" not in code
    return found
