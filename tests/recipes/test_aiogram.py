"""The Telegram bot: updates as Telegram delivers them, its answers to a server of Telegram's API on this machine."""

from __future__ import annotations

import asyncio
import importlib
import json
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

import pytest

from devinotify import AsyncNotifier
from tests.recipes.support import NUMBER, arrived, loaded, url_to, work
from tests.waiting import ended

if TYPE_CHECKING:
    from collections.abc import Iterator

    from devinotify.sandbox import Sandbox

OPERATOR, STRANGER = 1001, 2002


def update(number: int, text: str, sender: int = OPERATOR) -> dict[str, Any]:
    """Return an update with a message."""
    user = {"id": sender, "is_bot": False, "first_name": "Ann"}
    message = {"message_id": number, "date": 1795862400, "chat": {"id": sender, "type": "private"}, "from": user}
    if text.startswith("/"):
        message["entities"] = [{"type": "bot_command", "offset": 0, "length": len(text.split()[0])}]
    return {"update_id": number, "message": {**message, "text": text}}


@contextmanager
def telegram() -> Iterator[tuple[str, list[str]]]:
    """Yield the base URL of an API that takes every message, and the texts that it took."""
    told: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            found = (
                parse_qs(body)["text"] if "text=" in body else body.partition('name="text"\r\n\r\n')[2].split("\r\n--")
            )
            told.append(found[0])
            message = {
                "message_id": 1,
                "date": 1795862400,
                "chat": {"id": OPERATOR, "type": "private"},
                "text": told[-1],
            }
            answer = json.dumps({"ok": True, "result": message}).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *args: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}", told
        finally:
            server.shutdown()
            ended(thread)


def delivered(url: str, *updates: dict[str, Any]) -> list[str]:
    """Deliver updates to the recipe's dispatcher; return what the bot answered."""
    aiogram = pytest.importorskip("aiogram")
    session = importlib.import_module("aiogram.client.session.aiohttp").AiohttpSession
    server = importlib.import_module("aiogram.client.telegram").TelegramAPIServer
    module = loaded("aiogram_bot")

    async def deliver(base: str) -> None:
        async with (
            AsyncNotifier(url) as notifier,
            aiogram.Bot("1:token", session=session(api=server.from_base(base))) as bot,
        ):
            for one in updates:
                await module.dispatcher.feed_raw_update(bot, one, notifier=notifier)

    with telegram() as (base, told):
        asyncio.run(asyncio.wait_for(deliver(base), 60))
    return told


@pytest.fixture(autouse=True)
def _operators(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TELEGRAM_OPERATORS", str(OPERATOR))


def test_an_update_is_one_message(gateway: Sandbox) -> None:
    """Delivered again, and with an answer of the gateway's that was lost, it is one SMS; the next update is another."""
    gateway.add_fault("drop", operation="Sms/Send", times=1)
    first, second = update(7, "/call db3 is down"), update(8, "/call db3 is up")
    told = delivered(url_to(gateway), first, first)
    work(gateway.url)
    told += delivered(url_to(gateway), first, second)
    work(gateway.url)
    assert ["On its way to 1."] * 4 == told
    assert [(NUMBER, "db3 is down"), (NUMBER, "db3 is up")] == arrived(gateway)


def test_only_operators_call(gateway: Sandbox) -> None:
    """A stranger's command, and what is no command, sends and answers nothing."""
    assert [] == delivered(url_to(gateway), update(7, "/call hi", STRANGER), update(8, "call me"))
    work(gateway.url)
    assert [] == arrived(gateway)


def test_without_a_text(gateway: Sandbox) -> None:
    """The operator is told what is missing."""
    assert ["Not sent: the text is empty"] == delivered(url_to(gateway), update(7, "/call"))
