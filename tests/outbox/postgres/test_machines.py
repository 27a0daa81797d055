"""Two machines, as namespaces with a cable that is pulled: a proxy does not show it, for it answers for both."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import sys
import threading
from typing import TYPE_CHECKING

import pytest

from tests.outbox.postgres.proxy import Proxy

if TYPE_CHECKING:
    from pathlib import Path

    from tests.postgres_server import Server

pytestmark = pytest.mark.once

DATABASE = r"""
import socket, subprocess, sys, threading

def ip(*words):
    subprocess.run(["ip", *words], check=True)

def relay(one, other):
    try:
        while data := one.recv(65536):
            other.sendall(data)
    except OSError:
        pass

worker = subprocess.Popen(
    ["unshare", "--net", sys.executable, "-c", sys.argv[3], sys.argv[2]],
    stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
)
worker.stdout.readline()  # it has a network of its own by now
ip("link", "set", "lo", "up")
ip("link", "add", "here", "type", "veth", "peer", "name", "there", "netns", str(worker.pid))
ip("address", "add", "10.15.0.1/24", "dev", "here")
ip("link", "set", "here", "up")
listening = socket.create_server(("10.15.0.1", 5432))

def serve():
    while True:
        client, _ = listening.accept()
        server = socket.socket(socket.AF_UNIX)
        server.connect(sys.argv[1])
        threading.Thread(target=relay, args=(client, server), daemon=True).start()
        threading.Thread(target=relay, args=(server, client), daemon=True).start()

threading.Thread(target=serve, daemon=True).start()

def step():
    worker.stdin.write("\n")
    worker.stdin.flush()
    return worker.stdout.readline()

print(step(), end="", flush=True)
ip("link", "set", "here", "down")
print(step(), end="", flush=True)
ip("link", "set", "here", "up")
print(step(), end="", flush=True)
worker.wait(60)
"""

WORKER = r"""
import json, subprocess, sys, time
print("ready", flush=True)
input()
for words in (("address", "add", "10.15.0.2/24", "dev", "there"), ("link", "set", "there", "up")):
    subprocess.run(["ip", *words], check=True)
from devinotify import Message, Outbox
from devinotify.exceptions import DevinotifyError
with Outbox(sys.argv[1]) as outbox:
    outbox.register(Message("disk full", ()), key="before")
    print(json.dumps("up"), flush=True)
    input()
    began = time.monotonic()
    try:
        outbox.register(Message("disk full", ()), key="cut off")
        verdict = "stored"
    except DevinotifyError as error:
        verdict = error.verdict
    print(json.dumps([verdict, time.monotonic() - began]), flush=True)
    input()
    while True:
        try:
            outbox.register(Message("disk full", ()), key="after")
            break
        except DevinotifyError:
            time.sleep(0.1)  # the cable was put back this moment
    print(json.dumps("back"), flush=True)
"""


def _by_file(server: Server, path: Path) -> socket.socket:
    """Let the server be reached by a socket that stands in a file, which namespaces share."""
    listening = socket.socket(socket.AF_UNIX)
    listening.bind(str(path))
    listening.listen()

    def serve() -> None:
        while True:
            try:
                client, _ = listening.accept()
            except OSError:
                return
            other = socket.create_connection(("127.0.0.1", server.port))
            for one, two in ((client, other), (other, client)):
                threading.Thread(target=Proxy.relay, args=(one, two), daemon=True).start()

    threading.Thread(target=serve, daemon=True).start()
    return listening


@pytest.mark.skipif(
    shutil.which("unshare") is None or shutil.which("ip") is None, reason="the system has no tools for namespaces"
)
def test_a_cable_that_is_pulled_hangs_nobody(
    server: Server, url: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Nobody acknowledges a byte any more, and nobody says so: a write fails in time, as not sent, and works after."""
    path = tmp_path_factory.mktemp("s") / "s"
    there = url.replace(f"127.0.0.1:{server.port}", "10.15.0.1:5432")
    there += "&tcp_user_timeout=2000&connect_timeout=2"
    with _by_file(server, path):
        done = subprocess.run(
            ["unshare", "--map-root-user", "--net", sys.executable, "-c", DATABASE, str(path), there, WORKER],
            capture_output=True,
            text=True,
            timeout=200,
            check=False,
        )
    if not done.stdout:
        pytest.skip(f"no namespaces here: {done.stderr[-200:]}")
    up, (verdict, seconds), back = map(json.loads, done.stdout.splitlines())
    assert ("up", "not_sent", "back") == (up, verdict, back)
    assert seconds < 60
