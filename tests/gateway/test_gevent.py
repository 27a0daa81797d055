"""HTTPS in a program that gevent has patched after the client was made: gunicorn -k gevent --preload, for one."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
import trustme

from devinotify.sandbox import Sandbox

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = [
    pytest.mark.once,
    pytest.mark.skipif(sys.platform == "win32", reason="what forks workers is not there, and gevent is not wanted"),
]

PROGRAM = """
import sys, warnings
from devinotify import Client

url, when = sys.argv[1:]
early = Client(url)
if when == "after a send":
    early.sms.send("79161234567", "before")
warnings.simplefilter("ignore")  # gevent's own, of modules that were loaded before it
from gevent import monkey, sleep, spawn
monkey.patch_all()

ticks = []
def tick():
    while True:
        ticks.append(0)
        sleep(0.001)

spawn(tick)
with early, Client(url) as late:
    early.close()  # what is connected now is connected by gevent
    for name, client in (("early", early), ("late", late)):
        before = len(ticks)
        spawn(client.sms.send, "79161234567", name).get(timeout=60)
        print(name, len(ticks) > before)
"""
"""Sends by a client from before the patch and by one from after it, while another greenlet wants its turns."""


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    """Give a gateway that speaks TLS."""
    folder = tmp_path_factory.mktemp("tls")
    authority = trustme.CA()
    authority.cert_pem.write_to_path(folder / "ca.pem")
    authority.issue_cert("127.0.0.1").private_key_and_cert_chain_pem.write_to_path(folder / "own.pem")
    own: Path = folder / "own.pem"
    with Sandbox(ssl_certfile=own, ssl_keyfile=own, ca=folder / "ca.pem") as running:
        yield running


@pytest.mark.parametrize("when", ["before a send", "after a send"])
def test_a_late_patch(gateway: Sandbox, when: str) -> None:
    """Both clients send, and the others have their turns meanwhile."""
    gateway.reset()
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, gateway.url, when], capture_output=True, text=True, timeout=120, check=False
    )
    assert ("early True\nlate True\n", 0) == (done.stdout, done.returncode), done.stderr[-2000:]
    assert {"early", "late"} <= {message.text for message in gateway.messages()}
