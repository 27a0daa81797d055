"""What a connection may hold and for how long, asked by raw sockets."""

from __future__ import annotations

import contextlib
import http.client
import socket
import threading
import time
from typing import TYPE_CHECKING, Any

import pytest
import uvicorn

from devinotify.sandbox import Sandbox
from devinotify.sandbox.access import Access
from devinotify.sandbox.app import make_app
from devinotify.sandbox.connections import Connections
from tests.sandbox.conftest import Api
from tests.tables import table
from tests.waiting import ended

if TYPE_CHECKING:
    from collections.abc import Iterator

TOKEN = "correct-horse-battery"
SHORT = 0.2
"""Seconds that a request has to arrive, in these tests."""
PATIENCE = 20.0
"""Seconds in which a test gives the server up."""

HEAD = b"POST /rest/Sms/Send HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n"
GET = b"GET /sandbox/clock HTTP/1.1\r\nHost: localhost\r\n\r\n"


@contextlib.contextmanager
def serving(connections: Connections, rules: Access | None = None) -> Iterator[int]:
    """Serve a gateway with these connections, and give its port."""
    app = make_app(Api().emulator, rules=rules, connections=connections)
    config = uvicorn.Config(
        app, http=connections.protocol(), lifespan="off", ws="none", log_config=None, timeout_graceful_shutdown=1
    )
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        try:
            yield listener.getsockname()[1]
        finally:
            server.should_exit = True
            ended(thread)


@pytest.fixture
def hasty() -> Iterator[int]:
    """Give the port of a server that waits for requests a fifth of a second only."""
    with serving(Connections(request_timeout=SHORT, linger=SHORT)) as port:
        yield port


def connect(port: int) -> socket.socket:
    """Return a new connection."""
    return socket.create_connection(("127.0.0.1", port), timeout=PATIENCE)


def rest_of(connection: socket.socket) -> bytes:
    """Return what comes until the server ends the connection."""
    received = b""
    with contextlib.suppress(ConnectionResetError):
        while chunk := connection.recv(65536):
            received += chunk
    return received


@pytest.mark.parametrize(
    "begun", [b"", b"GET /rest/User/Bal", HEAD, HEAD + b"\r\n", HEAD + b"\r\nData=half"], ids=["silence", *"abcd"]
)
def test_what_is_half_sent_is_ended(hasty: int, begun: bytes) -> None:
    """A request that does not go on, in its head or its body, is told so and its connection closed."""
    with connect(hasty) as connection:
        connection.sendall(begun)
        assert rest_of(connection).startswith(b"HTTP/1.1 408 ")


@pytest.mark.parametrize("begun", [b"GET /rest/User/Balance?x=", HEAD + b"\r\n"], ids=["head", "body"])
def test_dripping_wins_no_time(begun: bytes, hasty: int) -> None:
    """A byte now and then does not keep a request alive."""
    with connect(hasty) as connection, contextlib.suppress(ConnectionError):
        connection.sendall(begun)
        connection.settimeout(SHORT / 10)
        end = time.monotonic() + PATIENCE
        received = b""
        while not received and time.monotonic() < end:
            connection.sendall(b"a")
            with contextlib.suppress(TimeoutError):
                received = connection.recv(1024)
        assert received.startswith(b"HTTP/1.1 408 ")


def test_hundreds_of_them_are_gone() -> None:
    """Half-open requests do not pile up, and nothing of them is held."""
    connections = Connections(request_timeout=SHORT)
    with serving(connections) as port, contextlib.ExitStack() as stack:
        opened = [stack.enter_context(connect(port)) for _ in range(300)]
        for connection in opened:
            connection.sendall(HEAD)
        assert [True] * 300 == [rest_of(connection).startswith(b"HTTP/1.1 408 ") for connection in opened]
        assert 0 == connections.held


def test_a_connection_between_two_requests_is_left_alone(hasty: int) -> None:
    """What has been answered is not half sent: the next request is served on the same connection."""
    client = http.client.HTTPConnection("127.0.0.1", hasty, timeout=PATIENCE)
    ports = set()
    for _ in range(2):
        client.request("GET", "/sandbox/clock")
        client.getresponse().read()
        ports.add(client.sock.getsockname()[1])
        time.sleep(2 * SHORT)  # Nothing tells that nothing happened.
    client.close()
    assert 1 == len(ports)


def test_a_second_half_request_is_ended_too(hasty: int) -> None:
    """The bound holds for each request of a connection."""
    with connect(hasty) as connection:
        connection.sendall(GET + b"GET /sandbox/cl")
        received = rest_of(connection)
        assert [b"HTTP/1.1 200 ", True] == [received[:13], b"HTTP/1.1 408 " in received]


def test_an_open_stream_is_left_alone(hasty: int) -> None:
    """A request that has arrived may be answered for as long as it takes."""
    with connect(hasty) as connection:
        connection.sendall(b"GET /sandbox/events HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert connection.recv(65536).startswith(b"HTTP/1.1 200 ")
        connection.settimeout(4 * SHORT)
        with pytest.raises(TimeoutError):  # The first event has come, and then silence, but no end.
            rest_of(connection)


@table(
    "request_line, headers, status",
    [
        (b"POST /sandbox/reset", b"", b"401"),
        (b"POST /rest/Sms/Send", b"Origin: http://evil.example\r\n", b"403"),
        (b"POST /login", b"Origin: http://evil.example\r\n", b"403"),
        (b"POST /sandbox/reset", b"Authorization: Bearer correct-horse-battery\r\n", b"413"),
    ],
)
def test_a_refused_body_is_not_waited_for(request_line: bytes, headers: bytes, status: bytes) -> None:
    """Who may not ask is told so before the body, of which no more than a little is then read."""
    connections = Connections(most_drained=2**18, linger=PATIENCE)
    with serving(connections, Access(TOKEN)) as port, connect(port) as connection:
        size = b"Content-Length: 1000000000000\r\n\r\n"
        connection.sendall(request_line + b" HTTP/1.1\r\nHost: localhost\r\n" + headers + size + b" " * 70_000)
        assert connection.recv(1024).startswith(b"HTTP/1.1 " + status)
        with pytest.raises(ConnectionError):
            connection.sendall(b" " * 2**28)
        assert 0 == connections.held


def test_a_refused_body_that_stops_is_ended() -> None:
    """Who was refused and sends no more keeps no connection."""
    with serving(Connections(linger=SHORT), Access(TOKEN)) as port, connect(port) as connection:
        connection.sendall(b"POST /sandbox/reset HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\n")
        start = time.monotonic()
        assert (b"HTTP/1.1 401", True) == (rest_of(connection)[:12], time.monotonic() - start < PATIENCE)


def test_unfinished_requests_share_a_bound() -> None:
    """All that is half sent holds so much memory and no more; what ends gives it back."""
    connections = Connections(most_held=3 * 2**18)
    with serving(connections) as port, contextlib.ExitStack() as stack:
        head = HEAD.replace(b"100", b"1000000") + b"\r\n"
        opened = [stack.enter_context(connect(port)) for _ in range(8)]
        for connection in opened:
            with contextlib.suppress(ConnectionError):
                connection.sendall(head + b"a" * 2**18)
        lost = 0
        for connection in opened:
            connection.settimeout(1)
            try:
                lost += connection.recv(1) == b""
            except TimeoutError:
                pass
            except ConnectionError:
                lost += 1
        assert (True, True) == (lost >= 5, connections.held <= 3 * 2**18)
        stack.close()
        with connect(port) as one_more:
            one_more.sendall(GET)
            assert one_more.recv(65536).startswith(b"HTTP/1.1 200 ")
    assert 0 == connections.held


def test_the_sandbox_takes_the_time_as_an_option() -> None:
    """Sandbox(request_timeout=…) is what bounds it."""
    with Sandbox(request_timeout=SHORT) as sandbox, connect(sandbox.port) as connection:
        assert rest_of(connection).startswith(b"HTTP/1.1 408 ")


# DNS rebinding: a page of a web site reaches loopback by a name of its own.

FOREIGN: list[dict[str, str]] = [
    {"Host": "evil.example"},
    {"Host": "localhost.evil.example"},
    {"Host": ""},
    {"Host": "[::1"},
    {"Host": "localhost:port"},
    {"Host": "localhost", "Origin": "http://evil.example"},
    {"Host": "localhost", "Origin": "http://[::1"},
    {"Host": "localhost", "Origin": "null"},
]
PATHS = ["/rest/user/sessionid?login=demo&password=demo", "/rest/v2/User/Balance?login=demo&password=demo", "/nowhere"]


def answer(port: int, target: str, headers: dict[str, str]) -> bytes:
    """Return the answer to a GET with these headers and no others."""
    lines = [f"GET {target} HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items()), "Connection: close"]
    with connect(port) as connection:
        connection.sendall(("\r\n".join(lines) + "\r\n\r\n").encode())
        return rest_of(connection)


@table("headers", FOREIGN)
@table("target", PATHS)
def test_a_web_page_cannot_call_the_gateway(sandbox: Sandbox, headers: dict[str, str], target: str) -> None:
    """Neither by a name that leads here nor from its own origin does a web site get a session or anything else."""
    sandbox.reset()
    received = answer(sandbox.port, target, headers)
    assert (b"HTTP/1.1 403", True) == (received[:12], b'"Code":7' in received)
    assert [403] == [request.status for request in sandbox.requests()]


@table(
    "headers",
    [
        {"Host": "localhost:1"},
        {"Host": "127.0.0.1"},
        {"Host": "[::1]:80"},
        {"Host": "LOCALHOST."},
        {"Host": "localhost", "Origin": "http://localhost"},
        {"Host": "localhost", "Origin": "http://127.0.0.1:3000"},
    ],
)
def test_this_machine_may(sandbox: Sandbox, headers: dict[str, str]) -> None:
    """A loopback name is served, from no page or from one of this machine."""
    assert answer(sandbox.port, PATHS[0], headers).startswith(b"HTTP/1.1 200 ")


def test_host_is_looked_at_wherever_the_bind_is_loopback() -> None:
    """allow_remote alone opens nothing: what counts is where the sandbox listens."""
    with Sandbox(allow_remote=True) as sandbox:
        assert [b"403", b"403"] == [
            answer(sandbox.port, target, {"Host": "evil.example"})[9:12] for target in ("/sandbox", PATHS[0])
        ]


def test_elsewhere_any_name_will_do() -> None:
    """Where the sandbox listens on every address, others call this machine by names that it does not know."""
    options: dict[str, Any] = {"host": "0.0.0.0", "allow_remote": True, "token": TOKEN}  # noqa: S104 - what is allowed
    with Sandbox(**options) as sandbox:
        assert answer(sandbox.port, PATHS[0], {"Host": "sandbox.internal:8026"}).startswith(b"HTTP/1.1 200 ")
