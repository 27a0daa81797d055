"""``/healthz``: what the health check of a container asks."""

from __future__ import annotations

import requests

from devinotify.sandbox import Sandbox
from tests.tables import table

TOKEN = "correct-horse-battery"


@table("method", ["GET", "HEAD"])
def test_it_serves(method: str) -> None:
    """A word, and nothing of what is in it: no token is asked for, any host may be named, and nothing is logged."""
    with Sandbox(host="0.0.0.0", token=TOKEN, allow_remote=True) as sandbox:  # noqa: S104 - as in a container
        sandbox.add_fault("outage", lasts=600)  # of the gateway, not of the sandbox
        url = f"http://127.0.0.1:{sandbox.port}/healthz"
        reply = requests.request(method, url, headers={"Host": "sandbox.internal"}, timeout=60)
        logged = sandbox.requests()
    body = "healthy\n" if method == "GET" else ""
    assert (200, body, "text/plain; charset=utf-8") == (reply.status_code, reply.text, reply.headers["content-type"])
    assert [] == logged


def test_nothing_can_be_posted_to_it() -> None:
    """It only answers."""
    with Sandbox() as sandbox:
        reply = requests.post(f"http://127.0.0.1:{sandbox.port}/healthz", data="x", timeout=60)
    assert (405, "GET, HEAD") == (reply.status_code, reply.headers["allow"])
