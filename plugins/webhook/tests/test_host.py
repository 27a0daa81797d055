"""The app as a host of devinotify: the conformance suite."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, ClassVar

import pytest
from devinotify import RowState
from devinotify.testing import HostSuite, Told

from devinotify_webhook import Webhook, load
from tests.support import Hooks, until

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

SENT = {RowState.ACCEPTED, RowState.DELIVERED}
OPEN = {RowState.QUEUED, RowState.CLAIMED}


class TestWebhook(HostSuite):
    """Whoever posts is told what was stored, and the outbox what became of it; nobody else sends again."""

    own_loggers: ClassVar[Sequence[str]] = ("httpx", "httpcore")

    @pytest.fixture(autouse=True)
    def _apps(self, tmp_path: Path) -> Iterator[None]:
        """Keep an app for each account, as a server does."""
        self._folder = tmp_path
        self._making = threading.Lock()
        self._made: dict[str, Hooks] = {}
        yield
        for made in self._made.values():
            made.close()

    def _hooks(self, url: str) -> Hooks:
        with self._making:
            if url not in self._made:
                outbox = str(self._folder / f"{len(self._made)}.db")
                document = {"url": url, "outbox": outbox, "receivers": {"any": {"to": "request"}}}
                self._made[url] = Hooks(Webhook(load(document)))
            return self._made[url]

    def send(self, url: str, text: str, to: Sequence[str]) -> Told:
        """Post a text, and wait until each of its rows was tried."""
        hooks = self._hooks(url)
        answer = hooks.post("/sms/any", {"text": text, "to": list(to)})
        assert 200 == answer.status_code
        rows = answer.json()["rows"]
        outbox = hooks.app.house.outbox

        def tried() -> list[RowState]:
            found = [row for number in rows if (row := outbox.get(number)) is not None]
            is_over = all(row.state not in OPEN or (row.state is RowState.QUEUED and row.attempts) for row in found)
            return [row.state for row in found] if is_over else []

        states = until(tried)
        return Told(sent=not answer.json()["refused"] and set(states) <= SENT)
