"""What an event loop sends itself is what a thread would have sent, and what may block it leaves to threads."""

from __future__ import annotations

import asyncio
import dataclasses
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import wraps
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import pytest

from devinotify import AsyncNotifier, DevinoURL, Fallback, Notifier, Outcome, Verdict, hookimpl, hookspecs, phones
from devinotify.channels.direct import SMS, VIBER, SmsChannel
from devinotify.delivery.pipeline import ON_THE_WAY
from devinotify.exceptions import InvalidInput, NotSent
from devinotify.gateway.departure import departing
from devinotify.plugins import make_plugin_manager
from devinotify.sandbox import Sandbox
from devinotify.text import segment
from tests.delivery.test_aliases import configure
from tests.faults.server import LOGIN, PASSWORD, Act, Exchange, FaultServer
from tests.gateway.aio.steps import MOMENTS, cancelled_at
from tests.tables import table
from tests.waiting import ended

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from devinotify import Message

NUMBER = "+79161234567"
LATER = datetime.now(UTC) + timedelta(days=2)


@pytest.fixture
def gateway() -> Iterator[Sandbox]:
    """Run a sandbox of this test's own."""
    with Sandbox() as sandbox:
        yield sandbox


@pytest.fixture
def server() -> Iterator[FaultServer]:
    """Run a gateway that breaks on command."""
    with FaultServer() as running:
        yield running


def made(url: str | DevinoURL, *plugins: object, **settings: Any) -> AsyncNotifier:  # noqa: ANN401 - settings of any type
    """Return a notifier with these plugins and no others."""
    return AsyncNotifier(url, plugins=make_plugin_manager(*plugins, discover=False), **settings)


def url_of(server: FaultServer, timeout: float = 10) -> DevinoURL:
    """Return the settings of an account at a gateway that breaks; ``timeout`` is in seconds."""
    return DevinoURL(login=LOGIN, password=PASSWORD, sender="Acme", gateway=server.base, timeout=timeout)


def after(event: threading.Event) -> Act:
    """Take the request at once, and answer it after the event."""

    def act(exchange: Exchange) -> None:
        exchange.receive()
        assert event.wait(60)
        exchange.reply('["579700854169272358"]')

    return act


def threads() -> int:
    """Return how many threads of an AsyncNotifier there are."""
    return sum(thread.name.startswith("devinotify-async") for thread in threading.enumerate())


GIVEN: dict[str, dict[str, Any]] = {
    "a number": {"to": "8 916 123-45-67"},
    "an int": {"to": 79161234567},
    "a PhoneNumber": {"to": phones.normalize(NUMBER)},
    "a list of one": {"to": [NUMBER]},
    "the target of the URL": {},
    "of another country": {"to": "+49 1512 3456789"},
    "with a title": {"title": "db-3"},
    "at an instant": {"send_at": LATER},
    "by the recipient's clock": {"send_at": LATER.replace(tzinfo=None)},
    "viber": {"channel": "viber"},
    "viber at an instant": {"channel": "viber", "send_at": LATER},
    "viber-sms": {"channel": "viber-sms"},
    "null": {"channel": "null"},
    "null without a text": {"channel": "null", "text": ""},
    "no number": {"to": "12"},
    "no text": {"text": ""},
    "too long": {"text": "x" * 2001},
    "refused by the gateway": {"to": "+79160000001"},
    "unknown": {"to": "+79160000002"},
    "not sent": {"to": "+79160000003"},
}


def _told(outcomes: list[Outcome]) -> list[object]:
    """Return what outcomes tell, but for ids and moments."""
    return [
        (
            each.recipient,
            each.verdict,
            each.channel,
            type(each.error),
            str(each.error),
            each.receipt and dataclasses.replace(each.receipt, message_ids=(), sent_at=None),
            len(each.attempts),
        )
        for each in outcomes
    ]


def test_an_hour_is_the_recipients_own(gateway: Sandbox) -> None:
    """A send by the loop tells of the hour that a thread would have told of."""
    local = datetime(2040, 6, 1, 8)  # noqa: DTZ001 - a wall clock

    async def main() -> list[Outcome]:
        async with made(gateway.url) as notifier:
            return await notifier.notify("hi", "+998901234567", send_at=local)

    (outcome,) = asyncio.run(main())
    assert local.replace(tzinfo=ZoneInfo("Asia/Tashkent")) == (outcome.receipt and outcome.receipt.sent_at)


@table("name", GIVEN)
def test_it_is_what_notifier_sends(gateway: Sandbox, name: str) -> None:
    """The same outcome and the same message, and no thread is begun for it."""
    gateway.reset()
    gateway.add_fault("error", number="79160000001", code=6)
    gateway.add_fault("status", number="79160000002", status=500)
    gateway.add_fault("error", number="79160000003", code=2)
    given = {"text": "hello"} | GIVEN[name]
    url = gateway.url.replace("/?", "?").replace("?", "/79161234567?", 1)
    with Notifier(url, plugins=make_plugin_manager(discover=False)) as notifier:
        expected = _told(notifier.notify(**given))
    left = [(each.text, each.channel, each.operation) for each in gateway.messages()]

    async def main() -> tuple[list[object], int]:
        async with made(url) as notifier:
            assert notifier._on_loop is not None
            assert notifier._on_loop.takes(given.get("to"), given.get("channel"))
            return _told(await notifier.notify(**given)), threads()

    assert (expected, 0) == asyncio.run(main())
    assert left * 2 == [(each.text, each.channel, each.operation) for each in gateway.messages()]


class _Asked:
    """A plugin that has every hook, and keeps which were called on the way of a send."""

    def __init__(self) -> None:
        self.hooks: set[str] = set()


def _with_every_hook() -> _Asked:
    plugin = _Asked()

    def asked(hook: str) -> object:
        def answer() -> object:
            plugin.hooks.add(hook)
            return [] if hook == "devinotify_register_channels" else None

        return hookimpl(answer, specname=hook)

    for hook in [name for name in dir(hookspecs) if name.startswith("devinotify_")]:
        setattr(plugin, hook, asked(hook))
    return plugin


def test_every_hook_that_a_send_comes_by_is_known(gateway: Sandbox) -> None:
    """What a plugin is asked by a send, accepted or refused, is in the table, and nothing else is."""
    plugin = _with_every_hook()
    with Notifier(f"{gateway.url}&max_segments=1", plugins=make_plugin_manager(plugin, discover=False)) as notifier:
        plugin.hooks.clear()  # what it was asked for the channels
        notifier.notify("hello", NUMBER)
        gateway.add_fault("error", code=6)
        notifier.notify("hello", NUMBER)
    assert {hook for hook, _ in ON_THE_WAY} == plugin.hooks


ANSWERS: dict[str, Callable[..., object]] = {
    "devinotify_resolve_recipient": lambda: None,
    "devinotify_normalize_phone": lambda raw, region: phones.normalize(raw, region=region),
    "devinotify_prepare_message": lambda message: [message],
    "devinotify_screen_recipients": dict,
    "devinotify_estimate_segments": lambda text: segment(text),
    "devinotify_send_message": lambda: None,
    "devinotify_map_error": lambda: None,
    "devinotify_outcome_recorded": lambda: None,
}
"""What a plugin answers that changes nothing."""


class _Threads:
    """A plugin with one hook, which keeps the threads that it was called in."""

    def __init__(self, hook: str) -> None:
        self.names: list[str] = []
        answer = ANSWERS[hook]

        @wraps(answer)
        def kept(*arguments: object) -> object:
            self.names.append(threading.current_thread().name)
            return answer(*arguments)

        setattr(self, hook, hookimpl(kept))


@table("hook", sorted(hook for hook, _ in ON_THE_WAY))
def test_a_hook_on_its_way_is_called_in_a_thread(gateway: Sandbox, hook: str) -> None:
    """Whichever it is: it may block."""
    gateway.reset()
    plugin = _Threads(hook)
    gateway.add_fault("error", number="79160000001", code=6)

    async def main() -> list[Verdict]:
        async with made(f"{gateway.url}&max_segments=1", plugin) as notifier:
            outcomes = [*await notifier.notify("hello", NUMBER), *await notifier.notify("hello", "+79160000001")]
            return [each.verdict for each in outcomes]

    assert [Verdict.ACCEPTED, Verdict.REJECTED] == asyncio.run(main())
    assert plugin.names
    assert all(name.startswith("devinotify-async") for name in plugin.names)


class _Brings:
    """A plugin that brings a channel."""

    def __init__(self, channel: object) -> None:
        self._channel = channel

    @hookimpl
    def devinotify_register_channels(self) -> list[object]:
        """Bring it."""
        return [self._channel]


class _Pigeon:
    """A channel of a plugin's."""

    name, max_length, segmented, schedulable = "pigeon", 100, False, False

    def check_sender(self, sender: str) -> None:
        """Take any."""

    def send(self, message: Message, client: object) -> list[Outcome]:
        """Send nothing."""
        return SMS.send(message, client)  # type: ignore[arg-type]  # a client

    def state(self, receipt: object, client: object) -> None:
        """Know nothing."""


@pytest.mark.parametrize(
    ("options", "given"),
    [
        ("", {"to": [NUMBER, "+79031234567"]}),
        ("&channel=sms-viber&outbox={folder}/o.db", {"to": NUMBER}),
        ("&channel=a-b&outbox={folder}/o.db", {"to": NUMBER}),
        ("", {"to": NUMBER, "channel": "pigeon"}),
        ("&limit=5messages/day&outbox={folder}/o.db", {"to": NUMBER}),
        ("&aliases=yes", {"to": NUMBER}),
    ],
    ids=["several", "a fallback", "a plugin's fallback", "a plugin's channel", "a limit", "aliases"],
)
def test_what_may_block_has_a_thread(gateway: Sandbox, tmp_path: Path, options: str, given: dict[str, Any]) -> None:
    """Many numbers are read for long; an outbox, a file or a channel of others may take its time."""
    configure(f'[aliases]\noncall = "{NUMBER}"\n')
    plugins = (_Brings(Fallback("a-b", SMS, VIBER)), _Brings(_Pigeon()))

    async def main() -> tuple[set[Verdict], bool]:
        async with made(gateway.url + options.format(folder=tmp_path), *plugins) as notifier:
            outcomes = await notifier.notify("hello", **given)
            return {each.verdict for each in outcomes}, threads() > 0

    assert ({Verdict.ACCEPTED}, True) == asyncio.run(main())


@table("entered", ["not entered", "on another loop", "left"])
def test_elsewhere_it_has_a_thread(gateway: Sandbox, entered: str) -> None:
    """A loop that the notifier was not entered on, or was left on, opens no connections of its own."""
    gateway.reset()
    notifier = made(gateway.url)

    async def send() -> int:
        outcomes = await notifier.notify("hello", NUMBER)
        assert [Verdict.ACCEPTED] == [each.verdict for each in outcomes]
        return threads()

    async def elsewhere() -> int:
        found = await send()
        await notifier.aclose()  # which leaves what is the other loop's to it
        return found

    async def main() -> int:
        if entered == "not entered":
            found = await send()
        else:
            async with notifier:
                found = 1 if entered == "left" else await asyncio.to_thread(asyncio.run, elsewhere())
                assert notifier._on_loop is not None
                await send()
            if entered == "left":
                found = await send()
        await notifier.aclose()
        return found

    assert asyncio.run(main()) > 0


def test_a_loop_that_ended_without_leaving_is_forgotten(gateway: Sandbox) -> None:
    """The notifier may be entered on the next one."""
    notifier = made(gateway.url)

    async def entered() -> None:
        await notifier.__aenter__()

    async def main() -> list[Verdict]:
        async with notifier:
            assert notifier._on_loop is not None
            assert notifier._on_loop.takes(NUMBER, None)
            return [each.verdict for each in await notifier.notify("hello", NUMBER)]

    asyncio.run(entered())
    assert [Verdict.ACCEPTED] == asyncio.run(main())


def test_one_login_serves_the_loop_and_the_threads(gateway: Sandbox) -> None:
    """What is sent by the loop, and looked at by a thread, is of one session."""

    async def main() -> None:
        async with made(gateway.url, poll=0.01) as notifier:
            outcomes = await notifier.notify("hello", NUMBER)
            gateway.advance(60)
            (outcome,) = await notifier.wait(outcomes, 30)
            assert outcome.status is not None
            assert outcome.status.is_delivered

    asyncio.run(main())
    assert 1 == len([each for each in gateway.requests() if "sessionid" in each.path.lower()])


@pytest.mark.parametrize("first", [[NUMBER], [NUMBER, "+79031234567"]], ids=["the loop first", "a thread first"])
def test_a_wrong_password_is_asked_about_once(gateway: Sandbox, first: list[str]) -> None:
    """By both together."""
    url = gateway.url.replace("demo:demo", "demo:wrong")

    async def main() -> list[str]:
        async with made(url) as notifier:
            outcomes = [
                *await notifier.notify("hello", first),
                *await notifier.notify("hello", NUMBER),
                *await notifier.notify("hello", [NUMBER, "+79031234567"]),
            ]
            return [str(each.verdict) for each in outcomes]

    assert {"rejected"} == set(asyncio.run(main()))
    assert 1 == len([each for each in gateway.requests() if "sessionid" in each.path.lower()])


def test_many_at_once(server: FaultServer) -> None:
    """A thousand who send at the same time: each once, over a hundred connections at most, after one login."""
    numbers = [f"7916{each:07d}" for each in range(1000)]

    async def main() -> set[Verdict]:
        # None waits so long for a connection that its time would be over.
        async with made(url_of(server, timeout=20)) as notifier:
            sent = await asyncio.gather(*[notifier.notify("hello", number) for number in numbers])
            return {each.verdict for outcomes in sent for each in outcomes}

    assert {Verdict.ACCEPTED} == asyncio.run(main())
    posts = [each for each in server.requests if each.method == "POST"]
    assert (numbers, 1) == (sorted(each.params["destinationaddress"][0] for each in posts), server.logins)
    assert len({each.connection for each in server.requests}) <= 100


def test_who_waits_for_a_turn_has_all_his_time(server: FaultServer) -> None:
    """The deadline is of the exchange: waiting for others to have theirs is no reason to fail."""
    held = threading.Event()
    server.play("sms/send", *[after(held)] * 100)

    async def main() -> set[Verdict]:
        async with made(url_of(server)) as notifier:
            sends = [asyncio.create_task(notifier.notify("hello", f"7916{each:07d}")) for each in range(150)]
            while len(server.requests) < 101:  # a login, and all turns are taken
                await asyncio.sleep(0.01)
            held.set()
            return {each.verdict for outcomes in await asyncio.gather(*sends) for each in outcomes}

    assert {Verdict.ACCEPTED} == asyncio.run(main())


def test_a_fault_of_our_own_is_unknown(
    gateway: Sandbox, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """As in a thread: it may have been sent."""

    def broken(*_: object) -> None:
        raise ValueError("a number, perhaps")

    monkeypatch.setattr(SmsChannel, "_one", broken)

    async def main() -> list[Outcome]:
        async with made(gateway.url) as notifier:
            return await notifier.notify("hello", NUMBER)

    (outcome,) = asyncio.run(main())
    assert (Verdict.UNKNOWN, "the channel sms raised ValueError while it was sending") == (
        outcome.verdict,
        str(outcome.error),
    )
    assert "a number" not in caplog.text


def test_a_send_that_may_not_leave_does_not(gateway: Sandbox) -> None:
    """The last question before it does is asked here too."""

    def refuse() -> None:
        raise NotSent("it is another's by now")

    async def main() -> list[Outcome]:
        async with made(gateway.url) as notifier:
            with departing(refuse):
                return await notifier.notify("hello", NUMBER)

    (outcome,) = asyncio.run(main())
    assert (Verdict.NOT_SENT, []) == (outcome.verdict, gateway.messages())


# --- cancelled, and closed


@pytest.mark.once
@pytest.mark.parametrize("moment", MOMENTS)
@pytest.mark.parametrize("state", ["fresh", "kept", "expired"])
def test_cancelled_wherever_it_waits(
    server: FaultServer, caplog: pytest.LogCaptureFixture, state: str, moment: str
) -> None:
    """It is sent once or not at all, its caller is let go, and the next send finds all as it was."""

    async def once(notifier: AsyncNotifier, step: int) -> bool:
        """Cancel at one place; return whether there was such a place."""
        if state == "expired":
            server.expire_sessions()
        elif state == "fresh":
            notifier.notifier.client.session.forget()
        caplog.clear()
        before = len(_accepted(server))
        task = asyncio.create_task(cancelled_at(notifier.notify("hello", NUMBER), step, moment))
        await asyncio.wait([task])
        if not task.cancelled():
            assert [Verdict.ACCEPTED] == [each.verdict for each in task.result()]
        (outcome,) = await notifier.notify("hello", "+79031234567")
        assert Verdict.ACCEPTED is outcome.verdict
        assert notifier._on_loop is not None
        client = notifier._on_loop._client
        while client._left_behind:
            await asyncio.wait(client._left_behind)
        sent = len(_accepted(server)) - before - 1
        told = caplog.text.count("it is accepted")
        assert sent == told + (not task.cancelled()), step
        return task.cancelled()

    async def main() -> int:
        async with made(url_of(server)) as notifier:
            await notifier.notify("hello", NUMBER)
            step = 0
            while await once(notifier, step):
                step += 1
        return step

    assert asyncio.run(main()) >= {"fresh": 2, "kept": 1, "expired": 3}[state]
    assert server.wait_for(lambda: not server.open_connections)


def _accepted(server: FaultServer) -> list[object]:
    return [each for each in server.requests if each.method == "POST" and each.session in server._valid]


async def _held(server: FaultServer, notifier: AsyncNotifier, let_go: threading.Event) -> asyncio.Task[list[Outcome]]:
    """Return a send whose reply is held back."""
    server.play("sms/send", after(let_go))
    task = asyncio.create_task(notifier.notify("hello", NUMBER))
    while not any(each.method == "POST" for each in server.requests):
        await asyncio.sleep(0.01)
    return task


@pytest.mark.parametrize("cancelled", [False, True], ids=["waited for", "cancelled"])
def test_aclose_waits_for_what_was_begun(server: FaultServer, cancelled: bool) -> None:
    """Whether or not its caller still waits for it."""
    let_go = threading.Event()

    async def main() -> None:
        async with made(url_of(server)) as notifier:
            task = await _held(server, notifier, let_go)
            if cancelled:
                task.cancel()
                await asyncio.wait([task])
            closing = asyncio.create_task(notifier.aclose())
            await asyncio.sleep(0.05)
            assert not closing.done()
            let_go.set()
            await closing
            assert task.done()
            if not cancelled:
                assert [Verdict.ACCEPTED] == [each.verdict for each in task.result()]

    asyncio.run(main())
    assert server.wait_for(lambda: not server.open_connections)


def test_a_cancelled_aclose_closes_behind(server: FaultServer) -> None:
    """It returns at once; what was begun ends as it would have, and its connection is closed."""
    let_go = threading.Event()

    async def main() -> None:
        notifier = await made(url_of(server)).__aenter__()
        task = await _held(server, notifier, let_go)
        closing = asyncio.create_task(notifier.aclose())
        await asyncio.sleep(0)
        closing.cancel()
        await asyncio.wait([closing])
        assert closing.cancelled()
        assert not task.done()
        let_go.set()
        assert [Verdict.ACCEPTED] == [each.verdict for each in await task]
        behind = [each for each in asyncio.all_tasks() if each.get_name() == "devinotify closing"]
        await asyncio.gather(*behind)

    asyncio.run(main())
    assert server.wait_for(lambda: not server.open_connections)


def test_a_loop_that_ends_meanwhile_waits(server: FaultServer, caplog: pytest.LogCaptureFixture) -> None:
    """A program that has no more time to close ends when what was begun has, and its log tells what became of it."""
    let_go = threading.Event()
    later = threading.Timer(0.3, let_go.set)

    async def main() -> None:
        notifier = await made(url_of(server)).__aenter__()
        await _held(server, notifier, let_go)
        closing = asyncio.create_task(notifier.aclose())
        await asyncio.sleep(0)
        closing.cancel()
        later.start()

    asyncio.run(main())
    ended(later)
    assert server.wait_for(lambda: not server.open_connections)
    assert "was cancelled after it had begun to leave; it is accepted" in caplog.text


@table("given", [{"channel": "pigeon"}, {"send_at": "soon"}, {"title": 5}])
def test_errors_are_raised_as_by_notifier(gateway: Sandbox, given: dict[str, Any]) -> None:
    """A channel that there is not, and what is of the wrong type."""

    gateway.reset()

    async def main() -> None:
        async with made(gateway.url) as notifier:
            with pytest.raises(InvalidInput):
                await notifier.notify("hello", NUMBER, **given)

    asyncio.run(main())
