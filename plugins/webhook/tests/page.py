"""What docs/how-to/webhook-hosts.md shows: the configuration, what is pasted into each program, its token."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.support import TOKEN

if TYPE_CHECKING:
    from devinotify.sandbox import Sandbox

PAGE = Path(__file__).parents[3] / "docs" / "how-to" / "webhook-hosts.md"
SHOWN = "a-long-random-token"
ADDRESS = "http://127.0.0.1:9876"


def pasted(title: str, base: str) -> str:
    """Return the section under a heading, with the address that is listened on, and a real token of ours."""
    page = PAGE.read_text("utf-8")
    (found,) = re.findall(rf"^## {re.escape(title)}\n(.*?)(?=^## |\Z)", page, re.DOTALL | re.MULTILINE)
    return str(found).replace(ADDRESS, base).replace(SHOWN, TOKEN)


def block(title: str, language: str, base: str) -> str:
    """Return the block of a section in this language, pasted."""
    (found,) = re.findall(rf"```{language}\n(.*?)```", pasted(title, base), re.DOTALL)
    return str(found)


def configuration(gateway: Sandbox, outbox: Path) -> dict[str, Any]:
    """Return the page's configuration with a gateway, an outbox and a real token of ours."""
    (shown,) = re.findall(r"```toml\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)
    document = tomllib.loads(shown.replace(SHOWN, TOKEN))
    assert f"http://{document['listen']}" == ADDRESS
    return {**document, "url": gateway.url, "outbox": str(outbox)}
