"""What subscribers sent, told of once: by the sandbox, on each store, through every way to die."""

from __future__ import annotations

import asyncio
import json
import os
import random
import signal
import subprocess
import threading
import time
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devinotify import AsyncNotifier, InvalidInput, Notifier, Outbox, hookimpl, make_plugin_manager
from devinotify.delivery.cursor import AHEAD, LATE, SILENCE
from devinotify.delivery.receiving import Receiver
from devinotify.delivery.worker import Worker
from devinotify.exceptions import DevinotifyError, GatewayError, InvalidSchedule, PluginError
from devinotify.models import IncomingSms
from devinotify.outbox.memory import MemoryStore
from tests import forked
from tests.outbox.support import run_python
from tests.waiting import ended

if TYPE_CHECKING:
    from collections.abc import Callable, Collection
    from pathlib import Path

    from devinotify.sandbox import Sandbox
    from tests.outbox.conftest import Place

NUMBER = "79161234567"
ACCOUNT = "me@gateway.example/rest"
NOON = datetime(2026, 1, 15, 12, tzinfo=UTC)
DAY, HOUR = timedelta(days=1), timedelta(hours=1)


class Ear:
    """A plugin that notes what comes in."""

    def __init__(self) -> None:
        self.heard: list[str] = []

    @hookimpl
    def devinotify_message_received(self, message: IncomingSms) -> None:
        """Note its text."""
        self.heard.append(message.text)


@pytest.fixture
def url(gateway: Sandbox, tmp_path: Path) -> str:
    """Give the account's URL, with an outbox of the test's own."""
    return f"{gateway.url}&outbox={tmp_path / 'outbox.db'}"


def opened(url: str, *plugins: object) -> Notifier:
    """Return a notifier with these plugins alone."""
    return Notifier(url, plugins=make_plugin_manager(*plugins, discover=False))


def texts(messages: list[IncomingSms]) -> list[str]:
    """Return their texts."""
    return [message.text for message in messages]


def test_message_received(gateway: Sandbox, url: str) -> None:
    """Each new message is returned, and told to the plugins, once; whoever asks."""
    ear = Ear()
    gateway.add_incoming("one", NUMBER)
    with opened(url, ear) as notifier:
        first = texts(notifier.incoming())
        gateway.add_incoming("two", NUMBER)
        second = texts(notifier.incoming())
    with opened(url, ear) as notifier:
        third = texts(notifier.incoming())
    assert (["one"], ["two"], [], ["one", "two"]) == (first, second, third, ear.heard)


def test_what_is_late_is_told_of(gateway: Sandbox, url: str) -> None:
    """By the gateway's clock, which may be far from ours, and after a long time of nothing."""
    with opened(url) as notifier:
        gateway.add_incoming("one", NUMBER)
        found = texts(notifier.incoming())
        gateway.advance(20 * 3600)
        gateway.add_incoming("two", NUMBER)
        found += texts(notifier.incoming())
        found += texts(notifier.incoming())
    assert ["one", "two"] == found


def test_the_first_time_it_goes_back_a_day_or_as_asked(gateway: Sandbox, url: str) -> None:
    """From then on everything is new once, whatever is asked for."""
    gateway.add_incoming("one", NUMBER)
    later = datetime.now(UTC) + 2 * LATE
    with opened(url) as notifier:
        assert [[], []] == [texts(notifier.incoming(since=later)), texts(notifier.incoming())]
    with opened(f"{url}2") as notifier:
        assert [["one"], []] == [texts(notifier.incoming()), texts(notifier.incoming(since=later - 300 * DAY))]


def test_the_first_time_is_an_instant(url: str) -> None:
    """A naive one could be any."""
    with opened(url) as notifier, pytest.raises(InvalidSchedule, match="aware"):
        notifier.incoming(since=datetime(2026, 1, 1))  # noqa: DTZ001 - that is what is refused


def test_what_a_handler_raises_leaves_the_message_new(gateway: Sandbox, url: str) -> None:
    """With those after it; those before it are told."""
    for text in ("one", "two", "three"):
        gateway.add_incoming(text, NUMBER)
        gateway.advance(1)
    ear, handled = Ear(), list[str]()

    def handle(message: IncomingSms) -> None:
        if message.text == "two":
            raise ZeroDivisionError
        handled.append(message.text)

    with opened(url, ear) as notifier:
        with pytest.raises(ZeroDivisionError):
            notifier.incoming(handle)
        assert (["one"], ["one"]) == (handled, ear.heard)
        assert ["two", "three"] == texts(notifier.incoming())


def test_a_plugin_that_raises_keeps_nobody_from_hearing(gateway: Sandbox, url: str) -> None:
    """Nor the message from being told."""

    class Mute:
        @hookimpl
        def devinotify_message_received(self) -> None:
            raise ZeroDivisionError

    ear = Ear()
    gateway.add_incoming("one", NUMBER)
    with opened(url, ear, Mute()) as notifier:
        assert (["one"], [], ["one"]) == (texts(notifier.incoming()), notifier.incoming(), ear.heard)


class Forgetful(Ear):
    """A plugin that cannot write down what it is told the first ``failures`` times."""

    def __init__(self, failures: int) -> None:
        super().__init__()
        self.failures = failures

    @hookimpl
    def devinotify_message_received(self, message: IncomingSms) -> None:
        """Note its text, where it can."""
        if self.failures:
            self.failures -= 1
            raise PluginError("the list is away", retryable=True)
        self.heard.append(message.text)


def test_what_a_plugin_could_not_write_down_comes_again_to_it_alone(gateway: Sandbox, url: str) -> None:
    """Where it says so: the next time, and in order; the others, and who reads, hear of each message once."""
    for text in ("one", "two"):
        gateway.add_incoming(text, NUMBER)
        gateway.advance(1)
    ear, forgetful, handled = Ear(), Forgetful(2), list[str]()
    with opened(url, ear, forgetful) as notifier:
        told = [texts(notifier.incoming(lambda message: handled.append(message.text))) for _ in range(4)]
    assert [["one", "two"], [], [], []] == told
    assert [["one", "two"]] * 3 == [ear.heard, handled, forgetful.heard]


def test_what_is_owed_to_a_plugin_waits_for_it(gateway: Sandbox, url: str) -> None:
    """While others read who do not have it, and in the next process."""
    gateway.add_incoming("one", NUMBER)
    forgetful = Forgetful(1)
    with opened(url, forgetful) as notifier:
        assert ["one"] == texts(notifier.incoming())
    ear = Ear()
    with opened(url, ear) as notifier:
        gateway.add_incoming("two", NUMBER)
        assert [["two"], []] == [texts(notifier.incoming()) for _ in range(2)]
    with opened(url, ear, forgetful) as notifier:
        assert [[], []] == [texts(notifier.incoming()) for _ in range(2)]
    assert (["two"], ["one"]) == (ear.heard, forgetful.heard)


def test_who_is_asked_to_stop_leaves_the_rest(gateway: Sandbox, url: str) -> None:
    """For the next time."""
    for text in ("one", "two"):
        gateway.add_incoming(text, NUMBER)
        gateway.advance(1)
    ear = Ear()
    with opened(url, ear) as notifier:
        assert (["one"], ["two"]) == (
            texts(notifier.incoming(stopped=lambda: bool(ear.heard))),
            texts(notifier.incoming()),
        )


def test_a_gateway_that_refuses_is_an_error(url: str) -> None:
    """And the turn is laid down."""
    with opened(url.replace("demo:demo", "demo:wrong")) as notifier, pytest.raises(GatewayError):
        notifier.incoming()
    with opened(url) as notifier:
        assert [] == notifier.incoming()


def test_two_read_one_after_the_other(gateway: Sandbox, url: str) -> None:
    """Who asks while another is at it gets nothing, and needs nothing: it was told of."""
    gateway.add_incoming("one", NUMBER)
    with opened(url) as first, opened(url) as second:
        meanwhile: list[list[IncomingSms]] = []
        assert ["one"] == texts(first.incoming(lambda _: meanwhile.append(second.incoming())))
        gateway.add_incoming("two", NUMBER)
        assert ([[]], ["two"]) == (meanwhile, texts(second.incoming()))


def test_threads_of_one_notifier_take_turns(gateway: Sandbox, url: str) -> None:
    """Each message is told of once."""
    for number in range(20):
        gateway.add_incoming(str(number), NUMBER)
    ear = Ear()
    with opened(url, ear) as notifier:
        threads = [threading.Thread(target=notifier.incoming) for _ in range(4)]
        for thread in threads:
            thread.start()
        ended(*threads)
    assert sorted(map(str, range(20))) == sorted(ear.heard)


def test_a_handler_that_asks_what_came_in_gets_nothing(gateway: Sandbox, url: str) -> None:
    """It is being told of: to wait for that would be to wait for itself."""
    gateway.add_incoming("one", NUMBER)
    told: list[list[str]] = []
    with opened(url) as notifier:
        reader = threading.Thread(
            target=lambda: told.append(texts(notifier.incoming(lambda _: told.append(texts(notifier.incoming()))))),
            daemon=True,
        )
        reader.start()
        ended(reader)
    assert [[], ["one"]] == told


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there are no forks here")
@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded, use of fork:DeprecationWarning")
def test_a_process_forked_off_while_a_thread_reads_does_not_wait_for_it(gateway: Sandbox, url: str) -> None:
    """It gets nothing, as any other who asks meanwhile."""
    gateway.add_incoming("one", NUMBER)
    inside, go = threading.Event(), threading.Event()

    def hold(_: IncomingSms) -> None:
        inside.set()
        go.wait(60)

    with opened(url) as notifier:
        reader = threading.Thread(target=notifier.incoming, args=(hold,))
        reader.start()
        try:
            assert inside.wait(60)
            pid = os.fork()
            if not pid:
                found = 99
                signal.alarm(20)  # so that one that waits is ended
                try:
                    found = len(notifier.incoming())
                finally:  # whatever is raised: it must not go on with the tests
                    os._exit(found)
            assert 0 == os.waitpid(pid, 0)[1]
        finally:
            go.set()
            ended(reader)


def test_async_notifier_reads_them(gateway: Sandbox, url: str) -> None:
    """As the blocking one does."""
    gateway.add_incoming("one", NUMBER)

    async def read() -> list[list[str]]:
        async with AsyncNotifier(url, plugins=make_plugin_manager(discover=False)) as notifier:
            return [texts(await notifier.incoming()) for _ in range(2)]

    assert [["one"], []] == asyncio.run(read())


def test_async_reading_that_is_cancelled_begins_nothing_new(gateway: Sandbox, url: str) -> None:
    """What was not begun is told of the next time."""
    for text in ("one", "two"):
        gateway.add_incoming(text, NUMBER)
        gateway.advance(1)
    begun, go_on = threading.Event(), threading.Event()

    def handle(_: IncomingSms) -> None:
        begun.set()
        assert go_on.wait(60)

    async def read() -> list[str]:
        async with AsyncNotifier(url, plugins=make_plugin_manager(discover=False)) as notifier:
            reading = asyncio.create_task(notifier.incoming(handle))
            assert await asyncio.to_thread(begun.wait, 60)
            reading.cancel()
            with pytest.raises(asyncio.CancelledError):
                await reading
            go_on.set()
        async with AsyncNotifier(url, plugins=make_plugin_manager(discover=False)) as notifier:
            return texts(await notifier.incoming())

    assert ["two"] == asyncio.run(read())


# --- the worker


def test_worker_reads_what_comes_in(gateway: Sandbox, url: str) -> None:
    """Beside what it sends; once a run with ``once``."""
    ear = Ear()
    gateway.add_incoming("one", NUMBER)
    with opened(url, ear) as notifier:
        notifier.enqueue("hello", NUMBER)
        Worker(notifier, incoming=3600).run(once=True)
        worker = Worker(notifier, incoming=0.0, sends=False, looks=False)
        gateway.add_incoming("two", NUMBER)
        worker.turn()
        assert (["one", "two"], 1) == (ear.heard, len(gateway.messages()))


def test_worker_goes_on_where_it_cannot_read(gateway: Sandbox, url: str, caplog: pytest.LogCaptureFixture) -> None:
    """It says so, and sends."""
    gateway.add_fault("error", operation="Sms/In", code=7)
    with opened(url) as notifier:
        notifier.enqueue("hello", NUMBER)
        Worker(notifier, incoming=1).run(once=True)
    assert (1, True) == (len(gateway.messages()), "what came in could not be read" in caplog.text)


def test_worker_that_does_nothing_is_refused(url: str) -> None:
    """And so is a span that is none."""
    with opened(url) as notifier:
        with pytest.raises(InvalidInput, match="reads what comes in"):
            Worker(notifier, sends=False, looks=False)
        with pytest.raises(InvalidInput, match="incoming is a number of seconds"):
            Worker(notifier, incoming=-1)


# --- the law


class _KilledError(BaseException):
    """The process dies."""


SURE, MOODY = "sure", "moody"
"""An observer that takes everything, and one that at times cannot."""


class Platform:
    """A gateway's list of messages, by its own clock, and a reader whose clock is another."""

    def __init__(self, ours: timedelta, shift: timedelta) -> None:
        self.ours, self.shift = ours, shift
        self.now = NOON
        self.sent: list[tuple[datetime, datetime, str]] = []  # when it came, when it can be seen, its name
        self.told: list[str] = []
        self.taken: list[str] = []  # by the moody one
        self.is_away = False
        self.calls = 0
        self.kill_at: int | None = None
        self.killed: list[str] = []
        self.first = MemoryStore(lambda: self.now.timestamp())
        self.restart()

    def restart(self) -> None:
        """Begin as a new process does."""
        self.store = self.first.another()
        outbox = Outbox(self.store)
        self.receiver = Receiver(ACCOUNT, self.fetch, lambda: outbox, self, lambda: self.now + self.ours)

    def fetch(self, since: datetime, until: datetime) -> list[IncomingSms]:
        """Return what can be seen of a period."""
        return [
            IncomingSms(name, "hi", NUMBER, "1234", at + self.shift)
            for at, seen, name in self.sent
            if since <= at <= until and seen <= self.now
        ]

    def names(self) -> list[str]:
        """Return who there is."""
        return [MOODY, SURE]

    def tell(self, message: IncomingSms, names: Collection[str]) -> list[str]:
        """Have a message noted, and die where it is time."""
        away = [MOODY] if MOODY in names and self.is_away else []
        if MOODY in names and not away:
            self.taken.append(message.id)
        if SURE in names:
            self.told.append(message.id)
        self.calls += 1
        if self.kill_at == self.calls:
            self.kill_at = None
            self.killed.append(message.id)
            self.store.vanish()
            raise _KilledError
        return away

    def read(self, die: int | None) -> None:
        """Read, and die after so many messages."""
        self.kill_at = None if die is None else self.calls + die
        try:
            self.receiver.read()
        except _KilledError:
            self.restart()


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("pass"), st.integers(0, 20 * 3600)),
        st.tuples(st.just("sms"), st.integers(0, int(LATE.total_seconds()) - 1)),
        st.tuples(st.just("read"), st.none() | st.integers(1, 3)),
        st.tuples(st.just("mood"), st.booleans()),
    ),
    max_size=40,
)
CLOCKS = st.one_of(
    st.tuples(
        st.integers(-int(AHEAD.total_seconds()) + 1, int((SILENCE - 2 * LATE).total_seconds())).map(
            lambda seconds: timedelta(seconds=seconds)
        ),
        st.just(timedelta(0)),
    ),
    st.tuples(st.just(timedelta(0)), st.sampled_from([-3 * HOUR, 3 * HOUR])),
)


@given(STEPS, CLOCKS)
def test_none_is_lost_and_none_is_told_twice(steps: list[tuple[str, Any]], clocks: tuple[timedelta, timedelta]) -> None:
    """Whatever is late, dies, or shows the wrong time, but for the one that was being told of when the process died.

    Whoever cannot take some is told of them later, and nobody else hears of them again for that.
    """
    ours, shift = clocks
    platform = Platform(timedelta(0), shift)
    platform.read(None)
    platform.ours = ours
    for what, value in steps:
        if what == "pass":
            platform.now += timedelta(seconds=value)
        elif what == "sms":
            platform.sent.append((platform.now, platform.now + timedelta(seconds=value), str(len(platform.sent))))
        elif what == "mood":
            platform.is_away = value
        else:
            platform.read(value)
    platform.is_away = False
    platform.now += LATE
    platform.read(None)
    platform.read(None)
    names, killed = {name for _, _, name in platform.sent}, Counter(platform.killed)
    for told in (platform.told, platform.taken):
        assert names == set(told)
        assert Counter(told) - Counter(names) <= killed


class Everybody:
    """One observer, which takes what ``tell`` does not refuse."""

    def __init__(self, tell: Callable[[IncomingSms], bool] = lambda _: True) -> None:
        self._tell = tell

    def names(self) -> list[str]:
        """Return its name."""
        return ["all"]

    def tell(self, message: IncomingSms, names: Collection[str]) -> Collection[str]:
        """Tell it."""
        return () if self._tell(message) else names


def test_a_clock_that_was_years_ahead_makes_it_go_back(place: Place) -> None:
    """When it is set right: what came in the last days is told of, and nothing is lost for years."""
    outbox, now = place.open(), NOON
    late = IncomingSms("1", "hi", NUMBER, "1234", NOON)
    receiver = Receiver(
        ACCOUNT,
        lambda since, until: [late] if since <= NOON <= until else [],
        lambda: outbox,
        Everybody(),
        lambda: now,
    )
    now = NOON + 1000 * DAY
    assert [] == receiver.read()
    now = NOON + DAY
    assert [[late], []] == [receiver.read(), receiver.read()]


def test_what_is_remembered_does_not_grow(place: Place) -> None:
    """Messages that are out of reach are forgotten."""
    outbox, now = place.open(), NOON
    messages: list[IncomingSms] = []
    receiver = Receiver(
        ACCOUNT,
        lambda since, until: [message for message in messages if since <= (message.created_at or NOON) <= until],
        lambda: outbox,
        Everybody(),
        lambda: now,
    )
    for number in range(10):
        messages.append(IncomingSms(str(number), "hi", NUMBER, "1234", now))
        assert 1 == len(receiver.read())
        now += HOUR
    assert 5 > len(list(outbox.bucket(f"devinotify.incoming.{ACCOUNT}").items()))


@pytest.mark.parametrize("odd", ["", "\0", "\ud800", "x" * 10_000, "а"])
def test_an_id_that_cannot_be_kept_is_no_obstacle(place: Place, odd: str) -> None:
    """Such a message is known by all that there is of it, and what is remembered tells nothing of it."""
    outbox = place.open()
    messages = [IncomingSms(odd, text, NUMBER, "1234", NOON) for text in ("STOP\ud800", "STOP\0")]
    receiver = Receiver(ACCOUNT, lambda *_: messages, lambda: outbox, Everybody(), lambda: NOON)
    assert [messages, []] == [receiver.read(), receiver.read()]
    assert {"cursor", "sha256"} == {
        key.partition(":")[0] for key, _ in outbox.bucket(f"devinotify.incoming.{ACCOUNT}").items()
    }


def test_who_was_taken_for_dead_tells_no_more(place: Place) -> None:
    """Another is at it, and tells of what is left."""
    first, second = place.open(), place.open()
    messages = [IncomingSms(str(number), "hi", NUMBER, "1234", NOON) for number in range(3)]

    def receiver(outbox: Outbox, tell: Callable[[IncomingSms], bool]) -> Receiver:
        return Receiver(ACCOUNT, lambda *_: messages, lambda: outbox, Everybody(tell), lambda: NOON)

    told: list[str] = []

    def tell_second(message: IncomingSms) -> bool:
        told.append(f"second {message.id}")
        return True

    other = receiver(second, tell_second)

    def tell(message: IncomingSms) -> bool:
        told.append(f"first {message.id}")
        if message.id == "1":
            place.kill(first)
            other.read()
        return True

    receiver(first, tell).read()
    assert ["first 0", "first 1", "second 1", "second 2"] == told


def test_who_is_gone_is_waited_for_a_week(place: Place) -> None:
    """What is owed to a plugin that nobody has any more keeps the reader from moving on for so long, and no longer."""
    outbox, now = place.open(), NOON
    message, asked = IncomingSms("1", "hi", NUMBER, "1234", NOON), list[datetime]()
    nobody, away = Everybody(), Everybody(lambda _: False)
    nobody.names = list  # type: ignore[method-assign]  # there is none

    def fetch(since: datetime, until: datetime) -> list[IncomingSms]:
        asked.append(since)
        return [message] if since <= NOON <= until else []

    def read(observers: Everybody) -> list[IncomingSms]:
        return Receiver(ACCOUNT, fetch, lambda: outbox, observers, lambda: now).read()

    assert [message] == read(away)
    now = NOON + SILENCE
    assert [[]] * 2 == [read(nobody), read(away)]
    assert asked[0] == asked[-1]
    now = NOON + SILENCE + HOUR
    assert [[]] * 3 == [read(away), read(nobody), read(nobody)]
    assert (asked[0], NOON - LATE) == (asked[-2], asked[-1] - HOUR)
    assert not [key for key, _ in outbox.bucket(f"devinotify.incoming.{ACCOUNT}").items() if key.startswith("owed:")]


def test_a_turn_that_cannot_be_laid_down_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    """What was read stands."""
    store = MemoryStore()
    outbox = Outbox(store)
    message = IncomingSms("1", "hi", NUMBER, "1234", NOON)

    def die(_: IncomingSms) -> bool:
        store.vanish()
        return True

    receiver = Receiver(ACCOUNT, lambda *_: [message], lambda: outbox, Everybody(die), lambda: NOON)
    with pytest.raises(DevinotifyError):
        receiver.read()
    assert "others cannot read what comes in" in caplog.text


# --- kills

_READER = """
import json, os, sys
from devinotify import Notifier, hookimpl, make_plugin_manager
from tests.waiting import ended

class Ear:
    @hookimpl
    def devinotify_message_received(self, message):
        os.write(heard, (message.id + "\\n").encode())

heard = os.open(sys.argv[3], os.O_WRONLY | os.O_APPEND | os.O_CREAT)
with Notifier(sys.argv[2] + "&outbox=" + sys.argv[1], plugins=make_plugin_manager(Ear(), discover=False)) as notifier:
    while True:
        notifier.incoming()
        print("read", flush=True)
"""


@pytest.mark.once
def test_readers_that_are_killed_lose_nothing(gateway: Sandbox, tmp_path: Path) -> None:
    """At any moment: each message is heard, and each kill may repeat the one that was being told of, no other."""
    heard, chance = tmp_path / "heard", random.Random(7)
    sent: list[str] = []
    kills = 8
    for _ in range(kills):
        sent += [gateway.add_incoming("hi", NUMBER).id for _ in range(40)]
        before = heard.stat().st_size if heard.exists() else 0
        reader = run_python(tmp_path / "outbox.db", _READER, gateway.url, str(heard))
        try:
            deadline = time.monotonic() + 60
            wanted = before + chance.randrange(1, 300)
            while (heard.stat().st_size if heard.exists() else 0) < wanted:
                assert reader.poll() is None
                assert time.monotonic() < deadline
                time.sleep(0.0005)
        finally:
            reader.send_signal(signal.SIGKILL)
            reader.communicate(timeout=60)
    reader = run_python(tmp_path / "outbox.db", _READER, gateway.url, str(heard))
    try:
        assert reader.stdout is not None
        assert ["read\n"] * 2 == [reader.stdout.readline() for _ in range(2)]
    finally:
        reader.kill()
        reader.communicate(timeout=60)
    counts = Counter(heard.read_text().split())
    assert (set(sent), True) == (set(counts), counts.total() <= len(sent) + kills)


@pytest.mark.once
def test_a_follower_is_stopped_by_a_signal(gateway: Sandbox, tmp_path: Path) -> None:
    """``devinotify incoming --follow`` shows what comes in, and ends with 0."""
    gateway.add_incoming("one", NUMBER)
    process = subprocess.Popen(
        [*forked.command(), "incoming", "--follow", "--every", "0.05", "--json"],
        env={**os.environ, "DEVINOTIFY_URL": gateway.url, "DEVINOTIFY_OUTBOX": str(tmp_path / "outbox.db")},
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        first = json.loads(process.stdout.readline())
        gateway.add_incoming("two", NUMBER)
        second = json.loads(process.stdout.readline())
        process.send_signal(signal.SIGTERM)
        rest, _ = process.communicate(timeout=60)
    finally:
        process.kill()
        process.wait(60)
    assert ("one", "two", "", 0) == (first["text"], second["text"], rest, process.returncode)
