"""The end of a process: what it has sent with is closed."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.project import NUMBER

if TYPE_CHECKING:
    from pathlib import Path

    from devinotify.sandbox import Sandbox

SENDS = """
import atexit
import devinotify
from django.conf import settings

closed = []
for kind in (devinotify.Notifier, devinotify.Client):
    def close(self, *, was=kind.close, name=kind.__name__):
        closed.append(name)
        was(self)
    kind.close = close
# What is registered first runs last.
atexit.register(lambda: print("closed", *sorted(set(closed))))

settings.configure(DEVINOTIFY={{"default": {{"URL": {url!r}, "OUTBOX": "sms.db"}}}})
from devinotify_django import send_sms

(outcome,) = send_sms("Hello", {number!r})
print(outcome.verdict, *closed)
"""


@pytest.mark.once
def test_notifiers_are_closed(gateway: Sandbox, tmp_path: Path) -> None:
    """A process that ends closes its notifiers and their clients, without a word."""
    code = SENDS.format(url=gateway.url, number=NUMBER)
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert ("accepted\nclosed Client Notifier\n", "") == (done.stdout, done.stderr)
    assert ["Hello"] == [each.text for each in gateway.messages()]
