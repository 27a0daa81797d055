"""Real servers: gunicorn with two workers, and an async view under uvicorn."""

from __future__ import annotations

import sys
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from tests.project import NUMBER
from tests.serving import served

if TYPE_CHECKING:
    from pathlib import Path

    from devinotify.sandbox import Sandbox

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="gunicorn does not run there")


def ask(url: str) -> str:
    """Return what a page says."""
    with urllib.request.urlopen(url, timeout=60) as answer:  # noqa: S310 - our own server
        said: str = answer.read().decode()
    return said


def test_gunicorn_with_two_workers(gateway: Sandbox, tmp_path: Path) -> None:
    """Two workers, forked off after a send, send each code once; one limit holds for both of them."""
    command = ("gunicorn", "--preload", "-w", "2", "-b", "127.0.0.1:{port}", "application:wsgi")
    with served(gateway, tmp_path, *command, SEND_FIRST="yes") as url, ThreadPoolExecutor(4) as pool:
        numbers = [f"+791612345{number:02d}" for number in range(8)]

        def code(number: str) -> str | int:
            try:
                return ask(f"{url}/code?to=%2B{number[1:]}")
            except urllib.error.HTTPError as error:
                with error:
                    return error.code

        said = list(pool.map(code, numbers))
    # All of them come from one address, which has five codes an hour.
    assert (5, 3) == (said.count("on its way"), said.count(403))
    arrived = [each.recipient for each in gateway.messages()]
    assert NUMBER == arrived[0]
    assert 6 == len(arrived) == len(set(arrived))


def test_uvicorn(gateway: Sandbox, tmp_path: Path) -> None:
    """An async view sends without keeping the others waiting."""
    command = ("uvicorn", "--port", "{port}", "application:asgi")
    with served(gateway, tmp_path, *command) as url, ThreadPoolExecutor(4) as pool:
        gateway.add_fault("latency", operation="Sms/Send", seconds=1)
        begun = [pool.submit(ask, f"{url}/remind") for _ in range(3)]
        assert ['{"verdicts": ["accepted"]}'] * 3 == [each.result(60) for each in begun]
    assert 3 == len(gateway.messages())
