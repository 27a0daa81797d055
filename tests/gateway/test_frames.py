"""What debuggers and error trackers see of a failure: the variables of our frames hold no secret that shows."""

from __future__ import annotations

import asyncio
import io
import json
import sqlite3
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from rich.console import Console
from rich.traceback import Traceback

from devinotify import AsyncClient, AsyncNotifier, Client, DevinoURL, Message, Notifier, hookimpl
from devinotify.exceptions import DevinotifyError
from devinotify.plugins import make_plugin_manager
from devinotify.url import parse
from tests.faults import acts
from tests.faults.server import LOGIN, PASSWORD, Act, FaultServer
from tests.tables import table

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path
    from types import TracebackType

TEXT = "Код подтверждения: zebra-сундук, " + "никому его не говорите " * 5
NUMBERS = ["79161234567", "+79031234567"]
SECRETS = ("zebra-сундук", "никому", "9161234567", "9031234567", PASSWORD, "order-77")


@pytest.fixture
def server() -> Iterator[FaultServer]:
    """Run a gateway of this test's own."""
    with FaultServer() as running:
        yield running


def frames_of(error: BaseException) -> list[tuple[str, str]]:
    """Return the variables of our own frames, by function, in the tracebacks of an error and all its causes."""
    found: list[tuple[str, str]] = []
    pending: list[BaseException | None] = [error]
    seen: set[int] = set()
    while pending:
        current = pending.pop()
        if current is None or id(current) in seen:
            continue
        seen.add(id(current))
        place: TracebackType | None = current.__traceback__
        while place is not None:
            code = place.tb_frame.f_code
            if "/tests/" not in code.co_filename:
                found += [(code.co_qualname, f"{name} = {value!r}") for name, value in place.tb_frame.f_locals.items()]
            place = place.tb_next
        pending += [current.__cause__, current.__context__]
    return found


def drawn(error: BaseException) -> str:
    """Return what rich draws of an error with all variables, without the frames of this file."""
    console = Console(file=io.StringIO(), width=200)
    picture = Traceback.from_exception(
        type(error), error, error.__traceback__, show_locals=True, suppress=[__file__], extra_lines=0
    )
    for stack in picture.trace.stacks:
        stack.frames = [frame for frame in stack.frames if "/tests/" not in frame.filename]
    console.print(picture)
    return str(console.file.getvalue())  # type: ignore[attr-defined]  # a StringIO


FAULTS: dict[str, Act] = {
    "reset": acts.unanswered(acts.reset),
    "half a reply": acts.raw("HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\nx"),
    "garbage": acts.raw(b"\x00garbage"),
    "silence": acts.unanswered(acts.hold),
    "a page that quotes": acts.reply(f"<p>{TEXT} {NUMBERS}</p>", 502),
    "a refusal that quotes": acts.code(2, 400, f"{TEXT} {NUMBERS}"),
    "a word": acts.reply('["error-system"]'),
    "no credits": acts.code(5, 403),
}
SENDS: dict[str, Callable[[Client], object]] = {
    "sms/send": lambda client: client.sms.send(NUMBERS[0], TEXT),
    "sms/sendbulk": lambda client: client.sms.send_bulk(NUMBERS, TEXT),
    "viber/send": lambda client: client.viber.send(NUMBERS[0], TEXT, optional="order-77"),
    "viber/sendwithresendbulk": lambda client: client.viber.send_with_resend_bulk(
        NUMBERS, TEXT, optionals=["order-77", "order-77"]
    ),
}


@pytest.mark.untraced
@table("fault", FAULTS)
@table("operation", SENDS)
def test_no_frame_of_a_failed_send_shows_a_secret(operation: str, fault: str) -> None:
    """Neither text nor number, session id or password, by repr or as rich draws it."""
    with FaultServer() as server:
        server.play_always(operation, FAULTS[fault])
        with (
            Client(login=LOGIN, password=PASSWORD, sender="S", gateway=server.base, timeout=0.5) as client,
            pytest.raises(DevinotifyError) as caught,
        ):
            SENDS[operation](client)
        secrets = (*SECRETS, *server.issued)
        frames = frames_of(caught.value)
        assert frames, "there are frames of ours"
        assert [each for each in frames for secret in secrets if secret in each[1]] == []
        if (operation, fault) == ("sms/send", "reset"):  # drawing takes seconds, and shows nothing but reprs
            assert [secret for secret in secrets if secret in drawn(caught.value)] == []


@table("fault", ["reset", "half a reply", "a page that quotes", "garbage"])
def test_no_frame_of_a_failed_login_shows_a_secret(fault: str) -> None:
    """The login's URL holds the password."""
    with FaultServer() as server:
        act = acts.reply(f"<p>login?Password={PASSWORD}</p>", 502) if fault == "a page that quotes" else FAULTS[fault]
        server.play_always("user/sessionid", act)
        with (
            Client(login=LOGIN, password=PASSWORD, sender="S", gateway=server.base, timeout=0.5) as client,
            pytest.raises(DevinotifyError) as caught,
        ):
            client.user.balance()
        assert [each for each in frames_of(caught.value) if PASSWORD in each[1]] == []


@table(
    "send",
    [
        lambda client: client.sms.send(NUMBERS[0], TEXT * 50),
        lambda client: client.sms.send(NUMBERS[0], TEXT, validity=-1),
        lambda client: client.sms.send(NUMBERS[0] + "1234", TEXT),
        lambda client: client.sms.send_bulk([*NUMBERS, "no number"], TEXT),
        lambda client: client.sms.state("\ud800" + NUMBERS[0]),
        lambda client: client.viber.send_bulk(NUMBERS, TEXT, optionals=["order-77"]),
    ],
)
def test_no_frame_of_our_own_refusals_shows_a_text(send: Callable[[Client], object]) -> None:
    """What is refused here is not shown here either."""
    with FaultServer() as server:
        with (
            Client(login=LOGIN, password=PASSWORD, sender="S", gateway=server.base, timeout=0.5) as client,
            pytest.raises(DevinotifyError) as caught,
        ):
            send(client)
        ours = [each for each in frames_of(caught.value) if not each[0].startswith(("normalize", "_read", "resolve"))]
        assert [each for each in ours for secret in (*SECRETS, *server.issued) if secret in each[1]] == []


@table(
    "make",
    [
        lambda: parse("devino://acme:p4ssw0rd-zq@S?timeout=never"),
        lambda: parse("devino://acme:p4ssw0rd-zq@"),
        lambda: Client("devino://acme:p4ssw0rd-zq@S?ca=/nowhere"),
        lambda: Client("devino://acme:p4ssw0rd-zq@S", timeout=-1),
        lambda: Client(login="acme", password="p4ssw0rd-zq", sender=""),
        lambda: Client(login="acme", password="p4ssw0rd-zq", sender="S", gateway="ftp://h"),
    ],
)
def test_no_frame_of_a_bad_setting_shows_the_password(make: Callable[[], object]) -> None:
    """Reading a URL and making a client of it show nothing of the password where they fail."""
    with pytest.raises(DevinotifyError) as caught:
        make()
    assert [each for each in frames_of(caught.value) if "p4ssw0rd-zq" in each[1]] == []


def shown(error: BaseException | None) -> list[tuple[str, str]]:
    """Return what the variables of our frames show of texts and numbers; there are frames of ours."""
    assert error is not None
    frames = frames_of(error)
    assert frames, "there are frames of ours"
    return [each for each in frames for secret in SECRETS if secret in each[1]]


def client_of(server: FaultServer) -> Client:
    """Return a client of the server."""
    return Client(login=LOGIN, password=PASSWORD, sender="S", gateway=server.base, timeout=0.5)


@table("fault", FAULTS)
@table("to", [NUMBERS[0], NUMBERS], ids=["one", "two"])
def test_no_frame_of_an_outcomes_error_shows_a_secret(to: str | list[str], fault: str) -> None:
    """The error in an Outcome is what a caller hands to a tracker: its frames show no more than a raised one's."""
    with FaultServer() as server:
        server.play_always("sms/send", FAULTS[fault])  # a bulk that is refused is tried one by one
        server.play_always("sms/sendbulk", FAULTS[fault])
        with (
            client_of(server) as client,
            Notifier(client=client, plugins=make_plugin_manager(discover=False)) as notifier,
        ):
            outcomes = notifier.notify(TEXT, to, title=TEXT)
        assert [[] for _ in outcomes] == [shown(outcome.error) for outcome in outcomes]


WRONG: dict[str, dict[str, object]] = {
    "an unknown channel": {"channel": "fax"},
    "a title of the wrong type": {"title": 5},
    "a time that has passed": {"send_at": datetime(2020, 1, 1, tzinfo=UTC)},
    "tags of the wrong type": {"tags": 5},
    "bytes for a number": {"to": NUMBERS[0].encode()},
    "an int for a number, and an unknown channel": {"to": int(NUMBERS[0]), "channel": "fax"},
    "nobody": {"to": []},
}


@table("wrong", WRONG)
@table("method", ["notify", "enqueue"])
def test_no_frame_of_a_notifiers_refusal_shows_a_text(method: str, wrong: str) -> None:
    """Text, title and recipients are hidden in every frame that they come by, the list of them as well."""
    with FaultServer() as server:
        with (
            client_of(server) as client,
            Notifier(client=client, plugins=make_plugin_manager(discover=False)) as notifier,
        ):
            arguments = {"text": TEXT, "to": NUMBERS, "title": TEXT, **WRONG[wrong]}
            with pytest.raises((DevinotifyError, TypeError)) as caught:
                getattr(notifier, method)(**arguments)
        assert [] == shown(caught.value)


@table("to", [NUMBERS, NUMBERS[:1]], ids=["in a thread", "on the loop"])
@table("wrong", WRONG)
@table("method", ["notify", "enqueue"])
def test_no_frame_of_an_async_notifiers_refusal_shows_a_text(method: str, wrong: str, to: list[str]) -> None:
    """Neither in the loop nor in the thread that does the work."""
    with FaultServer() as server:
        arguments = {"text": TEXT, "to": to, "title": TEXT, **WRONG[wrong]}

        async def refused() -> BaseException:
            settings = parse(f"devino://{LOGIN}:p4ss@S").with_options(gateway=server.base)
            async with AsyncNotifier(settings, plugins=make_plugin_manager(discover=False)) as notifier:
                with pytest.raises((DevinotifyError, TypeError)) as caught:
                    await getattr(notifier, method)(**arguments)
            return caught.value

        assert [] == shown(asyncio.run(refused()))


@table("to", [NUMBERS, NUMBERS[:1]], ids=["in a thread", "on the loop"])
@table("fault", FAULTS)
def test_no_frame_of_an_async_notifiers_failed_send_shows_a_secret(fault: str, to: list[str]) -> None:
    """The error of an outcome was raised in the loop, or in a thread."""
    with FaultServer() as server:
        for operation in ("sms/send", "sms/sendbulk"):  # a bulk that is refused is sent one by one
            server.play_always(operation, FAULTS[fault])

        async def failed() -> BaseException | None:
            settings = DevinoURL(login=LOGIN, password=PASSWORD, sender="S", gateway=server.base, timeout=0.5)
            async with AsyncNotifier(settings, plugins=make_plugin_manager(discover=False)) as notifier:
                return (await notifier.notify(TEXT, to, title=TEXT))[0].error

        error = asyncio.run(failed())
        assert error is not None
        assert error.__traceback__ is not None
        assert [] == shown(error)


def test_no_frame_of_a_cancelled_notify_shows_a_secret(server: FaultServer) -> None:
    """Whoever is cancelled sees where."""
    server.play_always("sms/send", acts.unanswered(acts.hold))

    async def cancelled() -> BaseException:
        settings = DevinoURL(login=LOGIN, password=PASSWORD, sender="S", gateway=server.base, timeout=0.5)
        async with AsyncNotifier(settings, plugins=make_plugin_manager(discover=False)) as notifier:
            with pytest.raises(TimeoutError) as caught:
                async with asyncio.timeout(0.1):
                    await notifier.notify(TEXT, NUMBERS[0], title=TEXT)
        return caught.value

    assert [] == shown(asyncio.run(cancelled()))


@table("fault", FAULTS)
@table("operation", ["sms/send", "sms/sendbulk"])
def test_no_frame_of_an_async_clients_failed_send_shows_a_secret(operation: str, fault: str) -> None:
    """The client of an event loop hides what the blocking one hides."""
    with FaultServer() as server:
        server.play_always(operation, FAULTS[fault])

        async def failed() -> BaseException:
            async with AsyncClient(
                login=LOGIN, password=PASSWORD, sender="S", gateway=server.base, timeout=0.5
            ) as client:
                send = client.sms.send if operation == "sms/send" else client.sms.send_bulk
                with pytest.raises(DevinotifyError) as caught:
                    await send(NUMBERS[0] if operation == "sms/send" else NUMBERS, text=TEXT)  # type: ignore[arg-type]  # each has its own
            return caught.value

        error = asyncio.run(failed())
        assert [] == shown(error)
        assert [] == [each for each in frames_of(error) for secret in (PASSWORD, *server.issued) if secret in each[1]]


def test_no_frame_of_a_failed_enqueue_shows_a_secret(server: FaultServer, tmp_path: Path) -> None:
    """Down to the statement whose parameters are the text and the numbers."""
    path = tmp_path / "outbox.db"
    with (
        client_of(server) as client,
        Notifier(client=client, plugins=make_plugin_manager(discover=False), outbox=str(path)) as notifier,
    ):
        notifier.enqueue(TEXT, NUMBERS)
        spoiler = sqlite3.connect(path)
        spoiler.execute("CREATE TRIGGER t BEFORE INSERT ON messages BEGIN SELECT RAISE(ABORT, 'full'); END")
        spoiler.commit()
        spoiler.close()
        with pytest.raises(DevinotifyError) as caught:
            notifier.enqueue(TEXT, [*NUMBERS, "+7916"], title=TEXT)
    assert [] == shown(caught.value)


class Interrupted:
    """A plugin that is interrupted, and keeps what it was given."""

    def __init__(self) -> None:
        self.seen: list[str] = []

    @hookimpl
    def devinotify_prepare_message(self, message: Message) -> None:
        """Be interrupted."""
        self.seen += [repr(message.text), repr(message.title)]
        raise KeyboardInterrupt


@table("method", ["notify", "rehearse"])
def test_no_frame_of_an_interrupted_notify_shows_a_secret(method: str) -> None:
    """What is not an outcome comes through frames that hold recipients; a plugin is given the texts themselves."""
    with FaultServer() as server:
        plugins = make_plugin_manager(discover=False)
        plugin = Interrupted()
        plugins.register(plugin)
        with (
            client_of(server) as client,
            Notifier(client=client, plugins=plugins) as notifier,
            pytest.raises(KeyboardInterrupt) as caught,
        ):
            getattr(notifier, method)(TEXT, [*NUMBERS, "+7916"], title="Title")
        assert [] == shown(caught.value)
        assert [repr(TEXT), repr("Title")] == plugin.seen


class Raising:
    """A plugin that fails at each number, one way or another."""

    def __init__(self, kind: type[BaseException]) -> None:
        self.kind = kind

    @hookimpl
    def devinotify_resolve_recipient(self, recipient: str) -> None:
        """Know no alias."""

    @hookimpl
    def devinotify_normalize_phone(self) -> None:
        """Fail."""
        raise self.kind


REFUSED = "+79161234567891"


@table("to", [REFUSED, [REFUSED], int(REFUSED), [int(REFUSED)]], ids=["text", "texts", "int", "ints"])
@table("kind", [None, RuntimeError, KeyboardInterrupt])
def test_no_frame_of_a_refused_recipient_shows_it(
    to: str | int | list[str] | list[int], kind: type[BaseException] | None
) -> None:
    """Each recipient of a list is in frames by itself, down to the hooks', and whoever gets the error gets these."""
    with FaultServer() as server:
        plugins = make_plugin_manager(discover=False)
        if kind is not None:
            plugins.register(Raising(kind))
        found: BaseException | None
        with client_of(server) as client, Notifier(client=client, plugins=plugins) as notifier:
            try:
                found = notifier.notify(TEXT, to)[0].error
            except KeyboardInterrupt as interrupt:
                found = interrupt
        assert found is not None
        assert found.__traceback__ is not None, "it tells where it was raised"
        assert [] == [each for each in frames_of(found) if REFUSED[1:] in each[1]]


def test_frames_of_what_is_being_handled_are_not_ours(server: FaultServer) -> None:
    """Who notifies of an error that he handles keeps its variables: his tracker is to show them."""
    plugins = make_plugin_manager(discover=False)
    plugins.register(Interrupted())

    def fail() -> None:
        where = "his own"
        raise ValueError(where)

    def handle(notifier: Notifier) -> None:
        try:
            fail()
        except ValueError:
            notifier.notify(TEXT, NUMBERS)

    with (
        client_of(server) as client,
        Notifier(client=client, plugins=plugins) as notifier,
        pytest.raises(KeyboardInterrupt) as caught,
    ):
        handle(notifier)
    handled = caught.value.__context__
    assert handled is not None
    place = handled.__traceback__
    assert place is not None
    assert place.tb_next is not None
    assert {"where": "his own"} == place.tb_next.tb_frame.f_locals


def test_a_reply_of_messages_is_not_shown(server: FaultServer) -> None:
    """Subscribers' texts stay out of the frames that read them."""
    server.play_always("sms/in", acts.reply(json.dumps([{"Data": TEXT, "SourceAddress": NUMBERS[0]}])[:-1]))
    now = datetime.now(UTC)
    with (
        Client(login=LOGIN, password=PASSWORD, sender="S", gateway=server.base, timeout=0.5) as client,
        pytest.raises(DevinotifyError) as caught,
    ):
        client.sms.incoming(now - timedelta(hours=1), now)
    assert [each for each in frames_of(caught.value) for secret in SECRETS if secret in each[1]] == []
