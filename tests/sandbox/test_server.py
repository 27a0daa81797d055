"""The Sandbox as code uses it."""

from __future__ import annotations

import builtins
import re
import socket
import ssl
import subprocess
import sys
import threading
import time
from decimal import Decimal
from functools import partialmethod
from typing import TYPE_CHECKING, Any

import pytest
import requests
import trustme
import uvicorn

from devinotify import sandbox as package
from devinotify.sandbox import Sandbox, server
from devinotify.sandbox.access import Access
from devinotify.sandbox.clock import Clock
from devinotify.sandbox.hosts import LOOPBACK_ONLY
from devinotify.sandbox.server import MISSING_EXTRA
from tests.sandbox.conftest import NUMBER, START, Api
from tests.tables import table
from tests.waiting import ended

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


NEEDS_UVLOOP = pytest.mark.skipif(sys.platform == "win32", reason="uvloop does not run there")


def get(url: str, **options: Any) -> requests.Response:  # noqa: ANN401 - requests' own
    """Return the answer to a GET that heeds no proxy."""
    with requests.Session() as session:
        session.trust_env = False
        return session.get(url, timeout=60, **options)


def send(sandbox: Sandbox, **changed: str) -> list[str]:
    """Return the ids of an SMS sent in a session of its own."""
    session = get(f"{sandbox.gateway}/user/sessionid?login=demo&password=demo").json()
    form = {"SessionID": session, "SourceAddress": "DEVINO", "DestinationAddress": NUMBER, "Data": "test", **changed}
    with requests.Session() as client:
        client.trust_env = False
        reply = client.post(f"{sandbox.gateway}/Sms/Send", data=form, timeout=60)
    assert 200 == reply.status_code
    return [str(part) for part in reply.json()]


def test_it_starts_and_stops_any_number_of_times() -> None:
    """A sandbox serves, stops, and serves again with what it holds, and its thread ends."""
    before = threading.active_count()
    sandbox = Sandbox()
    for count in (1, 2):
        with sandbox:
            send(sandbox)
            assert count == len(sandbox.messages())
            port = sandbox.port
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", port), timeout=60)
    assert before == threading.active_count()


def test_two_run_side_by_side() -> None:
    """Two sandboxes have two ports and share nothing."""
    with Sandbox() as first, Sandbox() as second:
        send(first)
        assert (True, 1, 0) == (first.port != second.port, len(first.messages()), len(second.messages()))


def test_what_it_says_while_it_does_not_run() -> None:
    """A sandbox that does not run has no port, and stopping it does nothing."""
    sandbox = Sandbox()
    sandbox.stop()
    assert "<Sandbox not running>" == repr(sandbox)
    with pytest.raises(RuntimeError, match="not running"):
        _ = sandbox.url


def test_it_is_not_started_twice(sandbox: Sandbox) -> None:
    """Starting a running sandbox is an error."""
    with pytest.raises(RuntimeError, match="running already"):
        sandbox.start()


def test_its_urls(sandbox: Sandbox) -> None:
    """The URLs hold the port, and the repr shows no password."""
    gateway = f"http://127.0.0.1:{sandbox.port}/rest"
    assert (gateway, f"devino://demo:demo@DEVINO?gateway={gateway}", f"<Sandbox {gateway}>") == (
        sandbox.gateway,
        sandbox.url,
        repr(sandbox),
    )


def test_its_own_account() -> None:
    """Login, password and sender are quoted on the URL; only the published password is shown."""
    with Sandbox(login="a@b", password="p/w:?", sender="A B") as sandbox:
        assert sandbox.url.startswith("devino://a%40b:p%2Fw%3A%3F@A%20B?gateway=")
        assert sandbox.shown_url.startswith("devino://a%40b:PASSWORD@A%20B?gateway=")
        reply = get(f"{sandbox.gateway}/user/sessionid", params={"Login": "a@b", "Password": "p/w:?"})
        assert 200 == reply.status_code
        shown = get(f"{sandbox.origin}/sandbox/examples").text
        assert [False, True] == [words in shown for words in ("p/w:?", "password=PASSWORD")]


@table(
    "host",
    [
        *("0.0.0.0", "::", "192.0.2.1", "example.com", ""),  # noqa: S104 - what is refused
        *("a.localhost", "localhost.", "127.0.0.1.", "::1%1"),
    ],
)
def test_loopback_only(host: str) -> None:
    """Any address but loopback is refused, and any name whose place is somebody else's to tell."""
    with pytest.raises(ValueError, match=re.escape(LOOPBACK_ONLY)):
        Sandbox(host=host)


@table("host", ["localhost", "LOCALHOST", "127.0.0.2"])
def test_loopback_names(host: str) -> None:
    """Any loopback address or localhost will do."""
    with Sandbox(host=host) as sandbox:
        assert 400 == get(f"{sandbox.gateway}/User/Balance").status_code


def test_ipv6() -> None:
    """On IPv6's loopback the URL has brackets."""
    try:
        sandbox = Sandbox(host="::1").start()
    except OSError:
        pytest.skip("this machine has no IPv6 loopback")
    try:
        assert f"http://[::1]:{sandbox.port}/rest" == sandbox.gateway
        assert 400 == get(f"{sandbox.gateway}/User/Balance").status_code
    finally:
        sandbox.stop()


def test_a_port_that_is_taken(sandbox: Sandbox) -> None:
    """A taken port is an OSError, and the sandbox can be started elsewhere later."""
    other = Sandbox(port=sandbox.port)
    with pytest.raises(OSError, match="in use"):
        other.start()
    assert "<Sandbox not running>" == repr(other)


@table("options", [{"id_prefix": '"'}, {"keep": 0}, {"balance": "much"}, {"sms_price": "NaN"}, {"viber_price": -1}])
def test_wrong_options(options: Mapping[str, Any]) -> None:
    """An option that makes no sense is a ValueError."""
    with pytest.raises(ValueError, match=next(iter(options))):
        Sandbox(**options)


def test_https(tmp_path: Path) -> None:
    """With a certificate it speaks HTTPS, and its URL names the CA."""
    authority = trustme.CA()
    certificate = authority.issue_cert("127.0.0.1")
    ca, chain, key = (tmp_path / name for name in ("ca.pem", "chain.pem", "key.pem"))
    authority.cert_pem.write_to_path(str(ca))
    certificate.cert_chain_pems[0].write_to_path(str(chain))
    certificate.private_key_pem.write_to_path(str(key))
    with Sandbox(ssl_certfile=chain, ssl_keyfile=key, ca=ca) as sandbox:
        assert sandbox.url.endswith(f"?gateway=https://127.0.0.1:{sandbox.port}/rest&ca={ca}")
        assert 400 == get(f"{sandbox.gateway}/User/Balance", verify=str(ca)).status_code


def test_a_bad_certificate_is_told_at_once(tmp_path: Path) -> None:
    """A file that is not a certificate is an error of start(), not of a thread."""
    wrong = tmp_path / "wrong.pem"
    wrong.write_text("no certificate", encoding="ascii")
    with pytest.raises(ssl.SSLError):
        Sandbox(ssl_certfile=wrong, ssl_keyfile=wrong).start()


def test_a_missing_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where uvicorn is not installed, the error says what to install."""
    real = builtins.__import__

    def without(name: str, *arguments: Any) -> Any:  # noqa: ANN401 - as the real one
        if name == "uvicorn":
            raise ModuleNotFoundError("No module named 'uvicorn'", name=name)
        return real(name, *arguments)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(ImportError, match=r"pip install 'devinotify\[sandbox\]'") as missing:
        Sandbox().start()
    assert (MISSING_EXTRA, "uvicorn") == (missing.value.msg, missing.value.name)


def test_importing_it_imports_no_server() -> None:
    """Neither the package nor the class loads starlette or uvicorn before a sandbox is started."""
    code = (
        "import sys; from devinotify.sandbox import Sandbox; Sandbox();"
        "print([name for name in ('starlette', 'uvicorn', 'asyncio') if name in sys.modules])"
    )
    assert "[]" == subprocess.check_output([sys.executable, "-c", code], text=True, timeout=60).strip()


def test_the_package_names_one_thing() -> None:
    """The package's public name is Sandbox."""
    assert ["Sandbox"] == package.__all__
    with pytest.raises(AttributeError, match="no attribute 'Other'"):
        _ = package.Other


# The control API in Python


def test_messages(sandbox: Sandbox) -> None:
    """Messages come in order of arrival, as far as the filters fit."""
    parts = send(sandbox, Data="one") + send(sandbox, Data="two")
    assert ["one", "two"] == [message.text for message in sandbox.messages()]
    assert [(parts[1],)] == [message.message_ids for message in sandbox.messages(text="TWO", status="queued")]


def test_advance(sandbox: Sandbox) -> None:
    """Advancing the clock moves the messages on."""
    send(sandbox)
    sandbox.advance(5)
    assert (["delivered"], START.timestamp() + 5) == ([message.status for message in sandbox.messages()], sandbox.now)


def test_real_time_passes() -> None:
    """Without being told to stand, the clock runs."""
    with Sandbox() as sandbox:
        assert abs(sandbox.now - time.time()) < 5


def test_settings(sandbox: Sandbox) -> None:
    """Fates, zones and the balance are set."""
    sandbox.set_fate(NUMBER, "rejected")
    sandbox.set_time_zone(NUMBER, "Asia/Omsk")
    sandbox.balance = "12.50"
    send(sandbox)
    assert (["rejected"], Decimal("10.00")) == ([message.fate for message in sandbox.messages()], sandbox.balance)


def test_timelines_and_forced_fates(sandbox: Sandbox) -> None:
    """A fate's timeline is set and taken back, and a fate is made to come true."""
    sandbox.set_timeline("delivered", sms=[(0.2, -1), (30, 0)])
    send(sandbox)
    sandbox.advance(29)
    before = sandbox.messages()[0].status
    sandbox.force(sandbox.messages()[0].number, "expired")
    assert ("sent", "expired") == (before, sandbox.messages()[0].status)
    sandbox.set_timeline("delivered")
    send(sandbox)
    sandbox.advance(1)
    assert "delivered" == sandbox.messages()[-1].status


def test_wrong_settings(sandbox: Sandbox) -> None:
    """A wrong setting is a ValueError."""
    with pytest.raises(ValueError, match="no such fate"):
        sandbox.set_fate(NUMBER, "eaten")


def test_incoming(sandbox: Sandbox) -> None:
    """An incoming message is answered with its id and time."""
    message = sandbox.add_incoming("стоп", "79260000000")
    assert ("стоп", "79160000000", "2026-01-28T12:00:00.000Z") == (message.text, message.recipient, message.created_at)


def test_sessions_and_requests(sandbox: Sandbox) -> None:
    """Sessions can be ended, and the requests seen."""
    send(sandbox)
    assert (1, ["User/SessionID", "Sms/Send"]) == (
        sandbox.expire_sessions(),
        [request.operation for request in sandbox.requests()],
    )


def test_threads_share_it() -> None:
    """Many threads send at once, and nothing is lost or charged twice."""
    with Sandbox(clock=Clock(running=False)) as sandbox:
        threads = [threading.Thread(target=lambda: [send(sandbox) for _ in range(5)]) for _ in range(8)]
        for thread in threads:
            thread.start()
        ended(*threads)
        arrived = sandbox.messages()
        ids = {part for message in arrived for part in message.message_ids}
        assert (40, 40, Decimal("99900.00")) == (len(arrived), len(ids), sandbox.balance)


def test_answers_are_not_held_back() -> None:
    """The listener names TCP, without which asyncio leaves Nagle's algorithm on and every answer 40 ms late."""
    with server._bind("127.0.0.1", 0) as listener:
        assert socket.IPPROTO_TCP == listener.proto


@pytest.mark.parametrize("loop", ["asyncio", pytest.param("uvloop", marks=NEEDS_UVLOOP)])
def test_one_that_is_stopped_while_it_starts_ends_and_frees_its_port(
    monkeypatch: pytest.MonkeyPatch, loop: str
) -> None:
    """A sandbox that is stopped before its loop serves closes its listener, and the loop, whichever it is, ends."""
    goes_on, startup = threading.Event(), uvicorn.Server.startup
    listeners: list[socket.socket] = []

    async def late(server: uvicorn.Server, sockets: list[socket.socket] | None = None) -> None:
        goes_on.wait(60)
        listeners.extend(sockets or [])
        await startup(server, sockets)

    monkeypatch.setattr(uvicorn.Server, "startup", late)
    monkeypatch.setattr(uvicorn.Config, "__init__", partialmethod(uvicorn.Config.__init__, loop=loop))
    sandbox = Sandbox().start()
    stopping = threading.Thread(target=sandbox.stop, daemon=True)
    stopping.start()
    stopping.join(0.2)
    assert stopping.is_alive()
    goes_on.set()
    ended(stopping)
    assert [-1] == [listener.fileno() for listener in listeners]


def test_a_server_that_does_not_end_is_told_of(monkeypatch: pytest.MonkeyPatch) -> None:
    """Stopping waits for a server that hangs no longer than it says, and once more where it is asked again."""
    goes_on, shutdown = threading.Event(), uvicorn.Server.shutdown

    async def late(serving: uvicorn.Server, sockets: list[socket.socket] | None = None) -> None:
        goes_on.wait(60)
        await shutdown(serving, sockets)

    monkeypatch.setattr(uvicorn.Server, "shutdown", late)
    hanging = server.Server(
        Api().emulator, host="127.0.0.1", port=0, shown_password="demo", rules=Access(None), stop_timeout=0.1
    )
    others = set(threading.enumerate())
    hanging.start()
    (thread,) = (each for each in set(threading.enumerate()) - others if each.name == "devinotify-sandbox")
    port = hanging.port
    assert 200 == get(f"http://127.0.0.1:{port}/").status_code
    began = time.monotonic()
    with pytest.raises(RuntimeError, match=r"told to stop, and has not ended after 0\.1 seconds"):
        hanging.stop()
    assert time.monotonic() - began < 15
    assert (True, port) == (bool(hanging), hanging.port)
    goes_on.set()
    ended(thread)
    hanging.stop()
    assert not hanging
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port), timeout=60)
