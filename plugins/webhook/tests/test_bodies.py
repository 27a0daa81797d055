"""Bodies of which something is wrong before anybody looks at what they say: on a real server, in a thread."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from tests.support import PATIENCE, fetch, serving, until

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.support import Hooks


def test_one_that_breaks_off(hooks: Callable[..., Hooks]) -> None:
    """Nothing of it is stored; it counts as one that cannot be understood, and the next one is taken."""
    one = hooks()
    with serving(one.app) as url:
        address = urlsplit(url)
        with socket.create_connection((address.hostname, address.port), PATIENCE) as client:
            client.sendall(b"POST /sms/oncall HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99\r\n\r\ntext=Hi")
        counted = 'requests_total{route="sms",receiver="oncall",code="400"} 1'
        until(lambda: counted in fetch(f"{url}/metrics")[1])
        assert [] == one.texts()
        assert 200 == fetch(f"{url}/sms/oncall?text=Hi")[0]
    assert ["Hi"] == one.texts()
    one.close()


def deep(depth: int) -> bytes:
    """Return a payload of the administrator's own, in which so many lists are in one another."""
    return b'{"text": "Hi", "deep": ' + b"[" * depth + b"]" * depth + b"}"


def test_one_that_goes_too_deep(hooks: Callable[..., Hooks]) -> None:
    """What Python reads but cannot write again, as for its key, is refused as what it cannot read: without a stack."""
    one = hooks()

    def answer(depth: int) -> tuple[int, str | None]:
        told = one.post("/alertmanager/oncall", content=deep(depth))
        return told.status_code, told.json().get("error")

    read, unread = 10, 1_000_000
    assert [(200, None), (400, "the body is not JSON")] == [answer(read), answer(unread)]
    while unread - read > 1:
        depth = (read + unread) // 2
        if answer(depth)[1] == "the body is not JSON":
            unread = depth
        else:
            read = depth
    assert (400, "the body goes too deep") == answer(read)
