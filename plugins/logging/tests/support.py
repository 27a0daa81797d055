"""What several tests need: a number, the URL with it, programs in processes of their own, a port for later."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from devinotify.sandbox import Sandbox

NUMBER = "+79161234567"

SETUP = """
import logging, os, sys, time
from devinotify_logging import DevinoHandler
log = logging.getLogger("shop")
"""
"""How a program in a process of its own begins."""


def url_of(gateway: Sandbox, **options: object) -> str:
    """Return the gateway's URL with the number on it, and more options of the URL."""
    extra = "".join(f"&{name}={value}" for name, value in options.items())
    return f"{gateway.url}&to={NUMBER}{extra}"


def texts(gateway: Sandbox) -> list[str]:
    """Return the texts that arrived, in order."""
    return [message.text for message in gateway.messages()]


def words(gateway: Sandbox) -> list[str]:
    """Return the last word of the first line of each message that arrived, sorted."""
    return sorted(text.split("\n")[0].rpartition(" ")[2] for text in texts(gateway))


def start(code: str, *arguments: object) -> subprocess.Popen[str]:
    """Start a program of these lines in a process of its own; warnings of threads in a forking process are let pass."""
    return subprocess.Popen(
        [sys.executable, "-W", "error", "-W", "ignore::DeprecationWarning", "-c", code, *map(str, arguments)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )


def run(code: str, *arguments: object, timeout: float = 60) -> tuple[str, str, int]:
    """Run a program to its end; return what it wrote to stdout and stderr, and its exit code."""
    process = start(code, *arguments)
    out, err = process.communicate(timeout=timeout)
    return out, err, process.returncode


def free_port() -> int:
    """Return a port on which nothing listens."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port: int = taken.getsockname()[1]
        return port


def told(gateway: Sandbox) -> int:
    """Return how many records the messages tell of: those shown, the repetitions, and what is not shown."""
    total = 0
    for text in texts(gateway):
        times = re.search(r"^x(\d+) in ", text, re.MULTILINE)
        more = re.findall(r"^\+(\d+) (?:more|dropped)", text, re.MULTILINE)
        total += (int(times[1]) if times else 1) + sum(map(int, more))
    return total


def wait_for_line(process: subprocess.Popen[str], line: str) -> None:
    """Wait until a program has written this line."""
    assert process.stdout is not None
    for written in process.stdout:
        if written.strip() == line:
            return
    raise AssertionError(f"the program ended without {line!r}")
