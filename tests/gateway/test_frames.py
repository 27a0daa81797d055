"""What debuggers and error trackers see of a failure: the variables of our frames hold no secret that shows."""

from __future__ import annotations

import io
import json
from typing import TYPE_CHECKING

import pytest
from rich.console import Console
from rich.traceback import Traceback

from devinotify import Client
from devinotify.exceptions import DevinotifyError
from devinotify.url import parse
from tests.faults import acts
from tests.faults.server import LOGIN, PASSWORD, Act, FaultServer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
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


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("operation", SENDS)
def test_no_frame_of_a_failed_send_shows_a_secret(server: FaultServer, operation: str, fault: str) -> None:
    """Neither text nor number, session id or password, by repr or as rich draws it."""
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


@pytest.mark.parametrize("fault", ["reset", "half a reply", "a page that quotes", "garbage"])
def test_no_frame_of_a_failed_login_shows_a_secret(server: FaultServer, fault: str) -> None:
    """The login's URL holds the password."""
    act = acts.reply(f"<p>login?Password={PASSWORD}</p>", 502) if fault == "a page that quotes" else FAULTS[fault]
    server.play_always("user/sessionid", act)
    with (
        Client(login=LOGIN, password=PASSWORD, sender="S", gateway=server.base, timeout=0.5) as client,
        pytest.raises(DevinotifyError) as caught,
    ):
        client.user.balance()
    assert [each for each in frames_of(caught.value) if PASSWORD in each[1]] == []


@pytest.mark.parametrize(
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
def test_no_frame_of_our_own_refusals_shows_a_text(server: FaultServer, send: Callable[[Client], object]) -> None:
    """What is refused here is not shown here either."""
    with (
        Client(login=LOGIN, password=PASSWORD, sender="S", gateway=server.base, timeout=0.5) as client,
        pytest.raises(DevinotifyError) as caught,
    ):
        send(client)
    ours = [each for each in frames_of(caught.value) if not each[0].startswith(("normalize", "_read", "resolve"))]
    assert [each for each in ours for secret in (*SECRETS, *server.issued) if secret in each[1]] == []


@pytest.mark.parametrize(
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


def test_a_reply_of_messages_is_not_shown(server: FaultServer) -> None:
    """Subscribers' texts stay out of the frames that read them."""
    from datetime import UTC, datetime, timedelta

    server.play_always("sms/in", acts.reply(json.dumps([{"Data": TEXT, "SourceAddress": NUMBERS[0]}])[:-1]))
    now = datetime.now(UTC)
    with (
        Client(login=LOGIN, password=PASSWORD, sender="S", gateway=server.base, timeout=0.5) as client,
        pytest.raises(DevinotifyError) as caught,
    ):
        client.sms.incoming(now - timedelta(hours=1), now)
    assert [each for each in frames_of(caught.value) for secret in SECRETS if secret in each[1]] == []
