"""The sandbox as a real server on loopback, run in a thread of its own."""

from __future__ import annotations

import re
import socket
import sys
import threading
from decimal import Decimal
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import quote

from devinotify.sandbox import control, page, params, views
from devinotify.sandbox.emulator import Emulator

if TYPE_CHECKING:
    from pathlib import Path
    from types import TracebackType

    import uvicorn

    from devinotify.sandbox.clock import Clock
    from devinotify.sandbox.views import Arrived

LOOPBACK_ONLY = "the sandbox listens on loopback only in this version: use 127.0.0.1, ::1 or localhost"
MISSING_EXTRA = "the sandbox needs starlette and uvicorn: pip install 'devinotify[sandbox]'"
DEFAULT_PASSWORD = "demo"  # noqa: S105 - the published account of an emulator
KEEP_ALIVE = 30
"""Seconds that an idle connection is kept open."""
_GRACE = 2
"""Seconds that running requests have to end when the server is stopped."""

_ID_PREFIX = re.compile(r"[A-Za-z0-9+_-]{0,32}", re.ASCII)


def check_host(host: str) -> None:
    """Pass a loopback address or ``localhost``; raises ValueError for any other."""
    try:
        loopback = host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        loopback = False
    if not loopback:
        raise ValueError(LOOPBACK_ONLY)


def _bind(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # The protocol is named since asyncio turns Nagle's algorithm off only where it is; with it on, every answer
    # on a kept connection waits some 40 ms for the client's delayed acknowledgement.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        if sys.platform != "win32":  # There it would let two servers share the port.
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(2048)
    except BaseException:
        listener.close()
        raise
    return listener


class Sandbox:
    """A gateway that behaves like the real one, at ``url`` while it runs.

    >>> with Sandbox() as sandbox:
    ...     client = Client(sandbox.url)

    ``port=0`` takes a free one. ``balance`` and the prices are in the account's currency; ``keep`` is how
    many messages are kept. ``clock=Clock(running=False)`` makes time stand still until it is advanced.
    ``id_prefix`` stands before every message id: ``"SAR-W+"`` makes ids like one of the API's examples,
    whose ``+`` a client has to escape. With ``ssl_certfile`` and ``ssl_keyfile`` it speaks HTTPS; ``ca`` is
    then the CA file to put on the URL. It can be started and stopped any number of times; what it holds
    stays until ``reset()``.

    Raises ValueError for a host that is not loopback, ImportError where the extra is not installed.
    """

    def __init__(
        self,
        *,
        login: str = "demo",
        password: str = DEFAULT_PASSWORD,
        host: str = "127.0.0.1",
        port: int = 0,
        balance: Decimal | int | str = "100000.00",
        sender: str = "DEVINO",
        sms_price: Decimal | int | str = "2.50",
        viber_price: Decimal | int | str = "1.50",
        keep: int = 5000,
        clock: Clock | None = None,
        id_prefix: str = "",
        ssl_certfile: str | Path | None = None,
        ssl_keyfile: str | Path | None = None,
        ca: str | Path | None = None,
    ) -> None:
        check_host(host)
        if not _ID_PREFIX.fullmatch(id_prefix):
            raise ValueError("id_prefix takes at most 32 Latin letters, digits and + - _")
        if keep < 1:
            raise ValueError("keep must be at least 1")
        self.login = login
        self.sender = sender
        self.host = host
        self._password = password
        self._wanted_port = port
        self._tls = {"ssl_certfile": ssl_certfile, "ssl_keyfile": ssl_keyfile}
        self._ca = ca
        self._running: tuple[uvicorn.Server, threading.Thread, int] | None = None
        self._emulator = Emulator(
            login=login,
            password=password,
            balance=_amount("balance", balance),
            sms_price=_amount("sms_price", sms_price),
            viber_price=_amount("viber_price", viber_price),
            keep=keep,
            clock=clock,
            id_prefix=id_prefix,
        )

    def __repr__(self) -> str:
        return f"<Sandbox {self.gateway if self._running else 'not running'}>"

    # The server.

    def start(self) -> Self:
        """Start serving, and return this sandbox once it answers.

        Raises OSError where the port is taken, RuntimeError where it is running already.
        """
        if self._running:
            raise RuntimeError("the sandbox is running already")
        try:
            import uvicorn

            from devinotify.sandbox.app import make_app
        except ImportError as missing:
            raise ImportError(MISSING_EXTRA, name=missing.name) from missing
        config = uvicorn.Config(
            make_app(self._emulator, self.shown_password),
            # h11, installed or not what is faster: it takes request lines of a size that a bulk may need.
            http="h11",
            lifespan="off",
            ws="none",
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,
            timeout_keep_alive=KEEP_ALIVE,
            timeout_graceful_shutdown=_GRACE,
            # A bulk may carry its addresses in the query: the request line must be let in to be answered.
            h11_max_incomplete_event_size=params.MAX_BYTES + 65536,
            **_given(self._tls),
        )
        config.load()  # Here and not in the thread, so that a bad certificate is raised to the caller.
        listener = _bind(self.host, self._wanted_port)
        server = uvicorn.Server(config)
        thread = threading.Thread(
            target=server.run, kwargs={"sockets": [listener]}, name="devinotify-sandbox", daemon=True
        )
        # The socket listens already: a client that connects before the loop turns waits in its backlog.
        thread.start()
        self._running = (server, thread, listener.getsockname()[1])
        return self

    def stop(self) -> None:
        """Stop serving: running requests have 2 seconds to end. Nothing happens where it is not running."""
        if self._running:
            server, thread, _ = self._running
            server.should_exit = True
            thread.join()
            self._running = None

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def port(self) -> int:
        """The port it listens on; RuntimeError while it is not running."""
        if not self._running:
            raise RuntimeError("the sandbox is not running")
        return self._running[2]

    @property
    def origin(self) -> str:
        """The page's URL without its path: ``http://127.0.0.1:8026``."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{'https' if self._tls['ssl_certfile'] else 'http'}://{host}:{self.port}"

    @property
    def gateway(self) -> str:
        """The base URL of the gateway's API: ``http://127.0.0.1:8026/rest``."""
        return f"{self.origin}/rest"

    @property
    def shown_password(self) -> str:
        """The password as a page or a terminal may show it: the published default, or a placeholder."""
        return self._password if self._password == DEFAULT_PASSWORD else page.PLACEHOLDER

    @property
    def url(self) -> str:
        """A ready URL for Client, Notifier and DEVINOTIFY_URL, with the password in it."""
        return self._url(self._password)

    @property
    def shown_url(self) -> str:
        """The same URL as a terminal may show it: with a placeholder for a password that is not the default."""
        return self._url(self.shown_password)

    def _url(self, shown: str) -> str:
        ca = f"&ca={quote(str(self._ca))}" if self._ca else ""
        login, password, sender = (quote(part, safe="") for part in (self.login, shown, self.sender))
        return f"devino://{login}:{password}@{sender}?gateway={quote(self.gateway, safe=':/[]')}{ca}"

    # The control API, without HTTP.

    def _ask(self, method: str, path: str, **arguments: object) -> Any:  # noqa: ANN401 - any JSON document
        return control.answer(self._emulator, control.BY_PATH[f"/sandbox{path}"][method], arguments)

    def messages(
        self,
        *,
        channel: str = "",
        to: str = "",
        sender: str = "",
        text: str = "",
        status: str = "",
        operation: str = "",
    ) -> list[Arrived]:
        """Return what arrived, in order of arrival, as far as it fits the filters.

        ``to`` is a part of the number, ``text`` a part of the text in any case, ``status`` a
        ``DeliveryStatus``, ``operation`` a name such as ``"Sms/Send"``.
        """
        filters = {
            "channel": channel,
            "to": to,
            "sender": sender,
            "text": text,
            "status": status,
            "operation": operation,
        }
        emulator = self._emulator
        with emulator.lock:
            now = emulator.now()
            return [
                views.arrived(message, now) for message in control.matching(emulator, now, filters, newest_first=False)
            ]

    def advance(self, seconds: float) -> None:
        """Move the sandbox's clock forward: states, sessions and schedules go with it."""
        self._ask("POST", "/clock", advance=seconds)

    @property
    def now(self) -> float:
        """The sandbox's time, in seconds since the epoch."""
        return float(self._ask("GET", "/clock")["seconds"])

    def set_fate(self, number: str, fate: str | None) -> None:
        """Decide what becomes of messages sent to a number (``"*"``: to every other one) from now on.

        The fates are listed at ``/sandbox/fates`` and in ``devinotify.sandbox.fates``; ``None`` takes it back.
        """
        self._ask("POST", "/fates", number=number, fate=fate)

    def set_time_zone(self, number: str, zone: str | None) -> None:
        """Say by which clock a number's time-zone sends go: ``"Asia/Vladivostok"``; ``None`` takes it back."""
        self._ask("POST", "/zones", number=number, zone=zone)

    def add_incoming(self, text: str, sender: str, recipient: str = control.DEFAULT_RECIPIENT) -> views.IncomingMessage:
        """Add a message from a subscriber, as of now, and return it."""
        return views.IncomingMessage(**self._ask("POST", "/incoming", text=text, sender=sender, recipient=recipient))

    @property
    def balance(self) -> Decimal:
        """The account's balance; set it to what a test needs."""
        return Decimal(self._ask("GET", "/balance")["balance"])

    @balance.setter
    def balance(self, value: Decimal | int | str) -> None:
        self._ask("POST", "/balance", balance=str(value))

    def expire_sessions(self) -> int:
        """End every session and return how many were valid."""
        return int(self._ask("POST", "/sessions", expire=True)["expired"])

    def requests(self) -> list[views.Request]:
        """Return the last 1000 requests to the gateway, in order, with their secrets masked."""
        with self._emulator.lock:
            return [views.request(record) for record in self._emulator.store.requests]

    def reset(self) -> None:
        """Go back to the start: no messages, no sessions, no fates, real time, the balance restored."""
        self._ask("POST", "/reset")


def _amount(name: str, value: Decimal | int | str) -> Decimal:
    try:
        amount = Decimal(value)
    except ArithmeticError:
        amount = Decimal("NaN")
    if not (amount.is_finite() and 0 <= amount <= 10**15):
        raise ValueError(f"{name} must be a number from 0 to 10^15")
    return amount


def _given(options: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in options.items() if value is not None}
