"""The pages of the site: what they show of this plugin is what happens."""

from __future__ import annotations

import logging
import re
import socket
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.support import texts

if TYPE_CHECKING:
    from devinotify.sandbox import Sandbox

HOST = socket.gethostname().partition(".")[0]

DOCS = Path(__file__).parents[3] / "docs"

pytestmark = [
    pytest.mark.skipif(not DOCS.is_dir(), reason="a source distribution of the plugin has no pages"),
    pytest.mark.once,
]


def shown(page: str, language: str, start: str) -> str:
    """Return the one block of a page in a language that has a line which begins so."""
    blocks = re.findall(rf"```{language}\n(.*?)```", (DOCS.parent / page).read_text("utf-8"), re.DOTALL)
    (found,) = (block for block in blocks if re.search(f"^{re.escape(start)}", block, re.MULTILINE))
    assert isinstance(found, str)
    return found


@pytest.mark.parametrize(
    ("page", "told"),
    [
        ("docs/tutorials/first-alert.md", "disk full on db-3"),
        ("docs/ru/tutorials/first-alert.md", "на db-3 кончилось место"),
        ("docs/ru/how-to/hosts.md", "на db-3 кончилось место"),
    ],
)
def test_the_handler_alerts(gateway: Sandbox, monkeypatch: pytest.MonkeyPatch, page: str, told: str) -> None:
    """The lines put it on the root logger, and what is logged arrives; only the gateway is another."""
    code = shown(page, "python", "from devinotify_logging import")
    code = code.replace("http://127.0.0.1:8026/rest", gateway.gateway)
    monkeypatch.setenv("DEVINOTIFY_URL", gateway.url)
    root = logging.getLogger()
    before = list(root.handlers)
    try:
        exec(code, {})  # noqa: S102 - the page's own
        (handler,) = set(root.handlers) - set(before)
        handler.flush()
        handler.close()
    finally:
        root.handlers = before
    assert [f"ERROR billing@{HOST}: {told}"] == texts(gateway)
