"""Where the sandbox listens, and by what name it is reached there."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

from devinotify import Client
from devinotify.sandbox import Sandbox, hosts
from devinotify.sandbox.hosts import reachable_name
from devinotify.sandbox.page import client_url, examples
from devinotify.url import DevinoURL
from tests.tables import table

if TYPE_CHECKING:
    import pytest

TOKEN = "correct-horse-battery"
EVERYWHERE = ["0.0.0.0", "::"]  # noqa: S104 - what is asked about


@table("host", ["127.0.0.1", "127.0.0.2", "::1", "localhost", "192.0.2.1"])
def test_an_address_is_its_own_name(host: str) -> None:
    """Where one address is listened on, that is where others find it."""
    assert host == reachable_name(host)


@table("host", EVERYWHERE)
def test_every_address_has_the_machines_name(host: str) -> None:
    """Nobody can connect to 0.0.0.0 from elsewhere: the machine's name, or its address, can be looked up."""
    name = reachable_name(host)
    assert (True, False) == (bool(socket.getaddrinfo(name, 80)), name in EVERYWHERE)


@table("name", ["no-such-machine.invalid", "", "a b", "имя"])
@table("host", EVERYWHERE)
def test_a_machine_without_a_usable_name_has_an_address(monkeypatch: pytest.MonkeyPatch, host: str, name: str) -> None:
    """A name that nobody can look up, or that fits into no URL, gives way to the address."""
    monkeypatch.setattr(socket, "gethostname", lambda: name)
    address = reachable_name(host)
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    assert (4 if host == EVERYWHERE[0] else 16, False) == (
        len(socket.inet_pton(family, address)),
        address in EVERYWHERE,
    )


def test_a_machine_without_a_way_out_has_loopback(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a network there is nobody else to be reached by."""

    class Unconnected(socket.socket):
        def connect(self, _: object) -> None:
            raise OSError("Network is unreachable")

    monkeypatch.setattr(socket, "socket", Unconnected)
    assert "127.0.0.1" == hosts._own_address(socket.AF_INET)


@table(
    "base, insecure",
    [
        ("http://127.0.0.1:8026/rest", False),
        ("http://[::1]:8026/rest", False),
        ("https://sandbox:8026/rest", False),
        ("http://sandbox:8026/rest", True),
        ("http://10.0.0.7:8026/rest", True),
        ("http://[fd00::7]:8026/rest", True),
    ],
)
def test_every_url_is_one_that_the_client_takes(base: str, insecure: bool) -> None:
    """Plain HTTP to another host is asked for, and nowhere else."""
    url = DevinoURL.parse(client_url(base, "a@b", "p:w", "A B"))
    assert (base, insecure, "a@b", "p:w", "A B") == (url.gateway, url.insecure, url.login, url.password, url.sender)
    assert examples(base, "demo", "demo")["url"] in examples(base, "demo", "demo")["python"]


def test_a_running_one_is_reached_by_its_url() -> None:
    """The URL of a sandbox on every address works as it is."""
    with Sandbox(host="0.0.0.0", allow_remote=True, token=TOKEN) as sandbox, Client(sandbox.url) as client:  # noqa: S104
        client.sms.send("+79161234567", "test")
        assert 1 == len(sandbox.messages())
