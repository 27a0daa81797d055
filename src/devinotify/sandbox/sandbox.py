"""The sandbox as code uses it: a gateway that runs, and all that can be asked of it without HTTP.

More than 400 lines: its methods, each of a line or two, have much to say of their arguments.
"""

from __future__ import annotations

import re
import time
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from devinotify.hosts import is_loopback
from devinotify.sandbox import control, money, page, views
from devinotify.sandbox.access import Access
from devinotify.sandbox.allowlist import AllowList
from devinotify.sandbox.emulator import Emulator
from devinotify.sandbox.hosts import check_host, reachable_name
from devinotify.sandbox.messages import DEFAULT_RECIPIENT
from devinotify.sandbox.search import listed, matching
from devinotify.sandbox.server import REQUEST_TIMEOUT, Server

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from types import TracebackType

    from devinotify.gateway.client import Client
    from devinotify.sandbox.clock import Clock
    from devinotify.sandbox.messages import PlatformMessage
    from devinotify.sandbox.views import Arrived
    from devinotify.sandbox.webhook import Posted, Webhook

DEFAULT_PASSWORD = "demo"  # noqa: S105 - the published account of an emulator

_ID_PREFIX = re.compile(r"[A-Za-z0-9+_-]{0,32}", re.ASCII)


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

    With ``db`` it keeps messages in that SQLite file, whose content it takes up when it is started; what was
    set besides, sessions, fates and faults, is not in it. ``token``, of 16 characters or more, is then asked
    for by the page and the control API, and has to be set where ``host`` is not loopback, besides
    ``allow_remote``; the gateway's own API is guarded by its login and password as ever. A request's head, and
    then its body, have ``request_timeout`` seconds to arrive.

    ``release`` is a client of a real account through which a message may be sent on, one at a time and by hand, to the
    numbers of ``release_to`` alone. What arrives is posted to ``post``, signed with ``post_secret``.

    Raises ValueError for options that make no sense, ImportError where the extra is not installed.
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
        db: str | Path | None = None,
        token: str | None = None,
        allow_remote: bool = False,
        request_timeout: float = REQUEST_TIMEOUT,
        release: Client | None = None,
        release_to: Iterable[str] = (),
        post: str | None = None,
        post_secret: str = "",
    ) -> None:
        check_host(host, allow_remote=allow_remote, token=token)
        if not _ID_PREFIX.fullmatch(id_prefix):
            raise ValueError("id_prefix takes at most 32 Latin letters, digits and + - _")
        if keep < 1:
            raise ValueError("keep must be at least 1")
        self.login = login
        self.sender = sender
        self.host = host
        self._password = password
        self._name = host
        self._ca = ca
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
        self._emulator.archive_path = None if db is None else Path(db)
        self._emulator.shown_password = self.shown_password
        if release is not None:
            self._emulator.release = AllowList.of(release, release_to)
        self._webhook = _webhook(post, post_secret, self._emulator.live.changed)
        if self._webhook is not None:
            self._emulator.on_arrival = self._post
            self._emulator.posted = lambda: self.posted
        self._server = Server(
            self._emulator,
            host=host,
            port=port,
            shown_password=self.shown_password,
            # By whatever name others call this machine; where it listens on loopback, only this machine's own pass.
            rules=Access(token, remote=not is_loopback(host)),
            request_timeout=request_timeout,
            ssl_certfile=ssl_certfile,
            ssl_keyfile=ssl_keyfile,
        )

    def __repr__(self) -> str:
        return f"<Sandbox {self.gateway if self._server else 'not running'}>"

    # The server.

    def start(self) -> Self:
        """Start serving, and return this sandbox once it answers.

        Raises OSError where the port is taken, RuntimeError where it is running already, ValueError where
        the database's file cannot be used.
        """
        self._server.start()
        if self._webhook is not None:
            self._webhook.start()
        self._name = reachable_name(self.host)
        return self

    def stop(self) -> None:
        """Stop serving: running requests have 2 seconds to end. Nothing happens where it is not running.

        Raises RuntimeError where the server has not ended after 30 seconds; another call waits for it again.
        """
        self._server.stop()
        if self._webhook is not None:
            self._webhook.stop()

    def _post(self, message: PlatformMessage) -> None:
        if self._webhook is not None:
            self._webhook.arrived(views.arrived(message, message.created))

    @property
    def posted(self) -> Posted | None:
        """How many messages were posted, were given up and wait; ``None`` where there is no address to post to."""
        return None if self._webhook is None else self._webhook.counts

    def soon(self, work: Callable[[], object]) -> None:
        """Have the loop that serves call ``work`` when it comes round: what hangs never does.

        Nothing happens where the sandbox is not running.
        """
        self._server.soon(work)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def port(self) -> int:
        """The port it listens on; RuntimeError while it is not running."""
        return self._server.port

    @property
    def origin(self) -> str:
        """The page's URL without its path: ``http://127.0.0.1:8026``.

        Where it listens on every address, the URL names the machine, so that others can use it as well.
        """
        name = f"[{self._name}]" if ":" in self._name else self._name
        return f"{self._server.scheme}://{name}:{self.port}"

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
        return page.client_url(self.gateway, self.login, shown, self.sender, ca=str(self._ca) if self._ca else None)

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
        search: str = "",
    ) -> list[Arrived]:
        """Return what arrived, in order of arrival, as far as it fits the filters.

        ``search`` is what the search field of the page takes (words in any order, ``to:``, ``-word``); ``to`` a part
        of the number, ``text`` a part of the text in any case, ``status`` a ``DeliveryStatus``, ``operation`` a name
        such as ``"Sms/Send"``.
        """
        filters = {
            "channel": channel,
            "to": to,
            "sender": sender,
            "text": text,
            "status": status,
            "operation": operation,
            "search": search,
        }
        emulator = self._emulator
        with emulator.lock:
            now = emulator.now()
            return [views.arrived(message, now) for message in matching(emulator, now, filters, newest_first=False)]

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

    def set_timeline(
        self,
        fate: str,
        *,
        sms: Sequence[tuple[float, int]] | None = None,
        viber: Sequence[tuple[float, int]] | None = None,
    ) -> None:
        """Say after how many seconds a fate, or a new one, reaches which states; without either, take that back.

        ``set_timeline("delivered", sms=[(0.2, -1), (30, 0)])`` delivers every ordinary SMS after half a minute.
        """
        steps = {"sms": sms, "viber": viber}
        given = {name: [list(step) for step in of] for name, of in steps.items() if of is not None}
        self._ask("POST", "/timelines", fate=fate, **given)

    def force(self, number: int, fate: str) -> None:
        """Make a fate of the message with this number come true now; LookupError where there is no such message."""
        self._ask("POST", "/messages", number=number, fate=fate)

    def delete(self, number: int | None = None) -> int:
        """Forget a message by its number, or all, and return how many; LookupError where there is no such message."""
        given = {} if number is None else {"number": number}
        return int(self._ask("DELETE", "/messages", **given)["deleted"])

    def add_fault(
        self,
        kind: str,
        *,
        operation: str = "*",
        number: str = "*",
        probability: float = 1.0,
        seed: int | None = None,
        times: int | None = None,
        lasts: float | None = None,
        seconds: float | None = None,
        code: int | None = None,
        status: int | None = None,
        limit: int | None = None,
        accepts: bool | None = None,
    ) -> int:
        """Make requests go wrong from now on, and return the fault's number.

        The kinds are listed at ``/sandbox/faults`` and in ``devinotify.sandbox.faults``: ``"latency"`` takes
        ``seconds``, ``"error"`` a ``code``, ``"status"`` and ``"html"`` a ``status``, ``"rate"`` a ``limit`` of
        requests a second and a ``status`` or a ``code``, ``"outage"`` how long it ``lasts``. ``accepts`` says
        whether the request is carried out all the same.
        """
        given = {
            "operation": operation,
            "number": number,
            "probability": probability,
            "seed": seed,
            "times": times,
            "lasts": lasts,
            "seconds": seconds,
            "code": code,
            "status": status,
            "limit": limit,
            "accepts": accepts,
        }
        return int(self._ask("POST", "/faults", kind=kind, **given)["id"])

    def faults(self) -> list[views.FaultView]:
        """Return the armed faults, those that are over included, with how often each has struck."""
        return [views.FaultView(**armed) for armed in self._ask("GET", "/faults")["faults"]]

    def remove_fault(self, number: int | None = None) -> None:
        """Disarm a fault by its number, or all; LookupError where there is no such fault.

        What a latency holds goes on at once.
        """
        self._ask("DELETE", "/faults", **({} if number is None else {"id": number}))

    def set_time_zone(self, number: str, zone: str | None) -> None:
        """Say by which clock a number's time-zone sends go: ``"Asia/Vladivostok"``; ``None`` takes it back."""
        self._ask("POST", "/zones", number=number, zone=zone)

    def set_answer(self, number: str, text: str | None) -> None:
        """Have a number's phone, or with ``"*"`` every other, answer what arrives from now on; ``None`` takes it back.

        ``set_answer("+79161234567", "STOP")``: what is sent to that number is delivered, and answered in Sms/In.
        """
        self._ask("POST", "/answers", number=number, text=text)

    def inbox(self, search: str = "") -> list[views.Entry]:
        """Return what arrived and what was refused, newest first, as far as it fits a search."""
        emulator = self._emulator
        with emulator.lock:
            now = emulator.now()
            return [views.entry(one, now) for one in listed(emulator, now, {"search": search})]

    def release(self, number: int) -> dict[str, Any]:
        """Send the message with this number on to the real account, and return what came of it, once.

        The ``verdict`` is one of the four; ``error`` says why. Raises LookupError where there is no such message,
        ValueError where there is no such account, the number is not on the list, or it was released already.
        """
        return dict(self._ask("POST", "/release", number=number))

    def add_incoming(self, text: str, sender: str, recipient: str = DEFAULT_RECIPIENT) -> views.IncomingMessage:
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

    def incoming(self) -> list[views.IncomingMessage]:
        """Return the incoming messages, in order."""
        with self._emulator.lock:
            return [views.incoming(message) for message in self._emulator.store.incoming]

    def wait(self, satisfied: Callable[[], bool], timeout: float) -> bool:
        """Wait until ``satisfied()``, and return whether it was within ``timeout`` seconds.

        It is asked again at every change. What time brings, such as a delivery, counts as a change.
        """
        emulator = self._emulator
        deadline = time.monotonic() + timeout
        with emulator.lock:
            while not satisfied():
                left = deadline - time.monotonic()
                if left <= 0:
                    return False
                now = emulator.now()
                due = emulator.store.next_change(now) if emulator.clock.running else None
                # A millisecond more, so that the change has come when it is asked for.
                emulator.live.wait(left if due is None else min(left, due - now + 0.001))
            return True

    def requests(self) -> list[views.RequestView]:
        """Return the last 1000 requests to the gateway, in order, with their secrets masked."""
        with self._emulator.lock:
            return [views.request(record) for record in self._emulator.store.requests]

    def reset(self) -> None:
        """Go back to the start: no messages, no sessions, no fates, real time, the balance restored."""
        self._ask("POST", "/reset")


def _webhook(post: str | None, secret: str, counted: Callable[[], object]) -> Webhook | None:
    if post is None:
        return None
    if not secret:
        raise ValueError("post_secret is missing: what is posted is signed with it")
    from devinotify.sandbox.webhook import Webhook  # on demand: most sandboxes post nothing

    try:
        return Webhook(post, secret, counted=counted)
    except ValueError as wrong:
        raise ValueError(f"post: {wrong}") from None


def _amount(name: str, value: Decimal | int | str) -> Decimal:
    try:
        return money.amount(value)
    except ValueError as wrong:
        raise ValueError(f"{name} {wrong}") from None
