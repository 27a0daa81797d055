"""A real gateway on a loopback port that breaks on command, and counts what it has fully received.

Two things are scripted. A *door* is what meets a new TCP connection: by default the TLS handshake, or
nothing on a plain server. An *act* is what answers one request: by default what the gateway would say.
``doors`` go by connection, the last one staying; ``script[operation]`` goes by request, and when it is
used up the default answers again, so that a request that is wrongly repeated succeeds and shows.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import secrets
import socket
import string
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Self
from urllib.parse import parse_qs, urlsplit

from tests.faults.line import Closed, Line
from tests.waiting import ended

if TYPE_CHECKING:
    import ssl

LOGIN = "acme"
PASSWORD = "p4ss&w0rd=+%"
BALANCE = "1234.56"


@dataclass(frozen=True, slots=True)
class Request:
    """One request, as far as it was read: ``operation`` in lower case (``sms/send``), parameters by lower-case name."""

    method: str
    operation: str
    connection: int
    params: Mapping[str, list[str]]
    at: float = field(default_factory=time.monotonic)

    @property
    def session(self) -> str:
        """The session id that it carries, or an empty text."""
        return self.params.get("sessionid", [""])[0]


class Exchange:
    """One request under way; an act reads as much of it as it likes and answers as it likes."""

    def __init__(self, server: FaultServer, line: Line, head: bytes) -> None:
        self.server = server
        self.line = line
        first, *lines = head.decode("latin-1").split("\r\n")
        self.method, self.target, _ = first.split(" ")
        pairs = (header.partition(":") for header in lines)
        self.headers = {name.strip().lower(): value.strip() for name, _, value in pairs}
        self.length = int(self.headers.get("content-length", "0"))
        path = urlsplit(self.target).path
        self.operation = path.removeprefix("/rest/").lower()

    def receive(self) -> Request:
        """Read the rest of the request, and count it as fully received."""
        query = urlsplit(self.target).query
        form = self.line.take(self.length).decode("ascii")
        params: dict[str, list[str]] = {}
        for name, values in itertools.chain(parse_qs(query).items(), parse_qs(form).items()):
            params.setdefault(name.lower(), []).extend(values)
        request = Request(self.method, self.operation, self.line.number, params)
        self.server.record(request)
        return request

    def receive_part(self, count: int) -> None:
        """Read ``count`` bytes of the body and no more; the request counts as received in part."""
        self.line.take(count)
        self.server.record_part()

    def reply(
        self,
        body: str | bytes,
        status: int = 200,
        headers: Mapping[str, str] | None = None,
        *,
        content_type: str = "application/json; charset=utf-8",
        close: bool = False,
    ) -> None:
        """Send one well-formed reply; ``close`` announces the end of the connection and makes it."""
        data = body.encode() if isinstance(body, str) else body
        fields = {
            "Content-Type": content_type,
            "Cache-Control": "private",
            "Content-Length": str(len(data)),
            "Connection": "close" if close else "Keep-Alive",
            **(headers or {}),
        }
        self.line.write(head(status, fields) + data)
        if close:
            self.line.close(notify=True)


Act = Callable[[Exchange], None]
Door = Callable[[socket.socket, "FaultServer"], socket.socket | None]


def head(status: int, fields: Mapping[str, str]) -> bytes:
    """Return a status line and headers, ready for a body."""
    lines = [f"HTTP/1.1 {status} Reason", *(f"{name}: {value}" for name, value in fields.items())]
    return "\r\n".join([*lines, "", ""]).encode("latin-1")


def error_body(code: int | str, description: str) -> str:
    """Return an error as the gateway words it."""
    return json.dumps({"Code": code, "Desc": description}, ensure_ascii=False)


def handshake(sock: socket.socket, server: FaultServer) -> socket.socket | None:
    """Let the connection in: the default door."""
    return sock if server.tls is None else handshake_with(server.tls)(sock, server)


def handshake_with(context: ssl.SSLContext) -> Door:
    """Return a door that shows another certificate."""

    def door(sock: socket.socket, server: FaultServer) -> socket.socket | None:
        sock.settimeout(10)
        try:
            wrapped = context.wrap_socket(sock, server_side=True)
        except OSError:
            # The client refused the certificate, or has gone: that is its right.
            sock.close()
            return None
        wrapped.settimeout(None)
        return wrapped

    return door


class FaultServer:
    """A gateway on a free loopback port; a context manager. Plain HTTP without ``tls``."""

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        self.tls = tls
        self.doors: list[Door] = [handshake]
        self.script: dict[str, Iterator[Act]] = {}
        self.requests: list[Request] = []
        self.partly = 0
        self.connections = 0
        self._valid: set[str] = set()
        self._expired: set[str] = set()
        self.issued: list[str] = []
        self._ids = itertools.count(600_000_000_000_000_000)
        self._lock = threading.RLock()  # a condition waited for asks what was received
        self._changed = threading.Condition(self._lock)
        self.stopping = threading.Event()
        self._listening = True
        self._lines: set[Line] = set()
        self._threads: list[threading.Thread] = []
        self._plugs: list[socket.socket] = []
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.port: int = self._listener.getsockname()[1]
        self._acceptor = threading.Thread(target=self._accept, name="fault-acceptor", daemon=True)

    @property
    def base(self) -> str:
        """The gateway's base URL."""
        return f"{'https' if self.tls else 'http'}://127.0.0.1:{self.port}/rest"

    def __enter__(self) -> Self:
        self._acceptor.start()
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.stopping.set()
        self.stop_listening()
        self.drop_connections()
        ended(*self._threads)

    # What was seen

    def record(self, request: Request) -> None:
        """Count a request as fully received."""
        with self._changed:
            self.requests.append(request)
            self._changed.notify_all()

    def record_part(self) -> None:
        """Count a request of which only part was read."""
        with self._changed:
            self.partly += 1
            self._changed.notify_all()

    def received(self, operation: str) -> list[Request]:
        """Return the fully received requests of one operation, in order."""
        with self._lock:
            return [request for request in self.requests if request.operation == operation]

    @property
    def logins(self) -> int:
        """How many logins were fully received."""
        return len(self.received("user/sessionid"))

    @property
    def open_connections(self) -> int:
        """How many connections are open, as the server sees them."""
        with self._lock:
            return len(self._lines)

    def wait_for(self, condition: Callable[[], bool], timeout: float = 5) -> bool:
        """Return whether the condition on what was received came true in time (seconds)."""
        with self._changed:
            return self._changed.wait_for(condition, timeout)

    # What can be broken from outside

    def play(self, operation: str, *acts: Act) -> None:
        """Answer the next requests of an operation with these acts, one each, and then as usual again."""
        self.script[operation] = iter(acts)

    def play_always(self, operation: str, act: Act) -> None:
        """Answer every request of an operation with this act."""
        self.script[operation] = itertools.repeat(act)

    def expire_sessions(self) -> None:
        """Let every session end: the next request with one of them hears ``SessionID expired``."""
        with self._lock:
            self._expired |= self._valid
            self._valid.clear()

    def forget_sessions(self) -> None:
        """Forget every session: the next request with one of them hears code 3."""
        with self._lock:
            self._valid.clear()

    def stop_listening(self) -> None:
        """Close the port: new connections are refused."""
        self._stop_accepting()
        self._listener.close()
        for plug in self._plugs:
            plug.close()

    def jam(self) -> None:
        """Leave the port open and let nobody in: new connections time out, because the queue before it is full."""
        self._stop_accepting()
        self._listener.listen(0)
        for _ in range(8):
            plug = socket.socket()
            plug.settimeout(0)
            plug.connect_ex(("127.0.0.1", self.port))
            self._plugs.append(plug)

    def drop_connections(self) -> None:
        """Break off every open connection."""
        with self._lock:
            lines = list(self._lines)
        for line in lines:
            with contextlib.suppress(OSError):
                line.sock.shutdown(socket.SHUT_RDWR)

    # The server itself

    def _stop_accepting(self) -> None:
        if self._listening:
            self._listening = False
            # A thread that waits in accept() does not notice that its socket is closed; one that gets a
            # connection does.
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), timeout=60):
                ended(self._acceptor)

    def _accept(self) -> None:
        while True:
            sock, _ = self._listener.accept()
            if not self._listening:
                sock.close()
                return
            with self._lock:
                self.connections += 1
                number = self.connections
            thread = threading.Thread(target=self._serve, args=(sock, number), name=f"fault-{number}", daemon=True)
            self._threads.append(thread)
            thread.start()

    def _serve(self, sock: socket.socket, number: int) -> None:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        line = Line(sock, number, self.stopping)
        with self._lock:
            self._lines.add(line)
        try:
            through = self.doors[min(number, len(self.doors)) - 1](sock, self)
            if through is not None:
                line.sock = through
                self._converse(line)
        except Closed:
            pass
        finally:
            line.sock.close()
            with self._changed:
                self._lines.discard(line)
                self._changed.notify_all()

    def _converse(self, line: Line) -> None:
        while line.sock.fileno() >= 0:
            exchange = Exchange(self, line, line.take_head())
            with self._lock:
                act = next(self.script.get(exchange.operation, iter(())), answer)
            act(exchange)

    def check(self, request: Request) -> tuple[int, str] | None:
        """Return the status and body that refuse the request's session, or ``None`` where it is good."""
        with self._lock:
            if request.session in self._valid:
                return None
            if request.session in self._expired:
                return 401, error_body(4, "SessionID expired")
            return 400, error_body(3, "Invalid session id")

    def open_session(self) -> str:
        """Return a new session id of 36 characters."""
        alphabet = string.ascii_uppercase + string.digits
        session = "".join(secrets.choice(alphabet) for _ in range(36))
        with self._lock:
            self._valid.add(session)
            self.issued.append(session)
        return session

    def new_ids(self, count: int) -> list[str]:
        """Return message ids that were never given before."""
        with self._lock:
            return [str(next(self._ids)) for _ in range(count)]


def answer(exchange: Exchange, *, close: bool = False) -> None:
    """Answer as the gateway would; ``close`` ends the connection after it, announced."""
    request = exchange.receive()
    server = exchange.server
    if request.operation == "user/sessionid":
        if request.params.get("login") != [LOGIN] or request.params.get("password") != [PASSWORD]:
            exchange.reply(error_body(4, "Invalid user login or password"), 401, close=close)
        else:
            exchange.reply(json.dumps(server.open_session()), close=close)
        return
    refusal = server.check(request)
    if refusal is not None:
        status, body = refusal
        exchange.reply(body, status, close=close)
    elif request.operation == "user/balance":
        exchange.reply(BALANCE, close=close)
    elif request.operation == "sms/state":
        exchange.reply(STATE, close=close)
    elif request.method == "POST":
        recipients = request.params.get("destinationaddresses") or request.params["destinationaddress"]
        exchange.reply(json.dumps(server.new_ids(len(recipients))), close=close)
    else:
        exchange.reply(error_body(6, "Invalid operation"), 400, close=close)


STATE = (
    r'{"State":0,"CreationDateUtc":"\/Date(1294045911213)\/","SubmittedDateUtc":null,"ReportedDateUtc":null,'
    r'"TimeStampUtc":"\/Date(-62135596800000)\/","StateDescription":"Доставлено","Price":1.5}'
)
