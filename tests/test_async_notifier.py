"""The facade of an event loop: what Notifier does, without blocking the loop and without losing what was begun."""

from __future__ import annotations

import asyncio
import inspect
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextvars import ContextVar

import pytest

from devinotify import AsyncNotifier, DeliveryStatus, Message, Notifier, Outcome, Verdict, hookimpl
from devinotify.exceptions import InvalidInput, InvalidURL
from devinotify.outbox import Outbox
from devinotify.plugins import make_plugin_manager
from devinotify.sandbox import Sandbox
from tests.tables import table

NUMBER = "79161234567"
TENANT: ContextVar[str] = ContextVar("tenant", default="nobody")


@pytest.fixture
def gateway() -> Iterator[Sandbox]:
    """Run a sandbox of this test's own, where messages are delivered at once."""
    with Sandbox() as sandbox:
        yield sandbox


class Watching:
    """A plugin that keeps what it is told, for whom and in which thread; ``before`` is called first."""

    def __init__(self, before: Callable[[], object] = lambda: None) -> None:
        self.before = before
        self.told: list[tuple[str, Verdict]] = []
        self.threads: set[str] = set()

    @hookimpl
    def devinotify_prepare_message(self, message: Message) -> None:
        """Change nothing."""
        self.before()

    @hookimpl
    def devinotify_outcome_recorded(self, message: Message, outcome: Outcome) -> None:
        """Keep it."""
        self.threads.add(threading.current_thread().name)
        self.told.append((TENANT.get(), outcome.verdict))


@table("name", ["notify", "enqueue", "resolve", "wait"])
def test_a_signature_is_that_of_notifier(name: str) -> None:
    """Arguments, defaults and types are the same, and the result is awaited."""
    blocking, awaited = getattr(Notifier, name), getattr(AsyncNotifier, name)
    assert (inspect.signature(blocking), True) == (inspect.signature(awaited), inspect.iscoroutinefunction(awaited))


def test_notify_and_wait(gateway: Sandbox) -> None:
    """A message is sent, and its delivery awaited."""

    async def send() -> list[Outcome]:
        async with AsyncNotifier(gateway.url, poll=0.01) as notifier:
            outcomes = await notifier.notify("hello", [NUMBER, "79031234567"])
            gateway.advance(60)
            return await notifier.wait(outcomes, 60)

    assert [DeliveryStatus.DELIVERED] * 2 == [outcome.status for outcome in asyncio.run(send())]


def test_resolve_and_enqueue(gateway: Sandbox, tmp_path: object) -> None:
    """Who would get it, and a row for a worker."""

    async def store() -> tuple[list[str], list[str]]:
        async with AsyncNotifier(gateway.url, outbox=f"{tmp_path}/outbox.db") as notifier:
            stored = await notifier.enqueue("hello", NUMBER)
            return list(await notifier.resolve(NUMBER)), list(stored.rows)

    assert (["+79161234567"], ["+79161234567"]) == asyncio.run(store())


def test_run(gateway: Sandbox) -> None:
    """Any work with the Notifier is done in one of the threads, and what it returns or raises comes back."""

    async def main() -> tuple[str, list[str]]:
        async with AsyncNotifier(gateway.url) as notifier:
            with pytest.raises(InvalidURL):
                await notifier.run(lambda blocking: blocking.channel("pigeon"))
            threads = await notifier.run(lambda blocking: [threading.current_thread().name, blocking.url.sender])
            return notifier.url.sender, threads

    sender, (thread, read) = asyncio.run(main())
    assert (True, sender) == (thread.startswith("devinotify-async"), read)


def test_hooks_see_the_callers_context(gateway: Sandbox) -> None:
    """Each of many callers has its own, in the threads that its hooks are called in."""
    plugin = Watching()

    async def send(notifier: AsyncNotifier, tenant: str) -> None:
        TENANT.set(tenant)
        await notifier.notify("hello", NUMBER)

    async def main() -> None:
        async with AsyncNotifier(gateway.url, plugins=make_plugin_manager(plugin)) as notifier:
            await asyncio.gather(*[send(notifier, f"tenant {each}") for each in range(20)])

    asyncio.run(main())
    assert sorted((f"tenant {each}", Verdict.ACCEPTED) for each in range(20)) == sorted(plugin.told)
    assert all(name.startswith("devinotify-async") for name in plugin.threads)


def test_the_loops_default_executor_may_be_used_up(gateway: Sandbox) -> None:
    """Threads that others keep busy keep no message from leaving."""
    let_go = threading.Event()

    async def main() -> int:
        loop = asyncio.get_running_loop()
        busy = [loop.run_in_executor(None, let_go.wait, 30) for _ in range(64)]
        async with AsyncNotifier(gateway.url) as notifier, asyncio.timeout(10):
            outcomes = await notifier.notify("hello", NUMBER)
        let_go.set()
        await asyncio.gather(*busy)
        return len(outcomes)

    assert 1 == asyncio.run(main())


def test_a_cancelled_notify_is_finished_behind(gateway: Sandbox) -> None:
    """The caller is let go at once; what was begun is sent and recorded, before the notifier is closed."""
    begun, go_on = threading.Event(), threading.Event()

    def before() -> None:
        begun.set()
        assert go_on.wait(60)

    plugin = Watching(before)

    async def main() -> None:
        async with AsyncNotifier(gateway.url, plugins=make_plugin_manager(plugin)) as notifier:
            task = asyncio.create_task(notifier.notify("hello", NUMBER))
            await asyncio.to_thread(begun.wait, 10)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            assert [] == plugin.told
            go_on.set()

    asyncio.run(main())
    assert ([("nobody", Verdict.ACCEPTED)], 1) == (plugin.told, len(gateway.messages()))


@pytest.mark.parametrize("fails", [False, True], ids=["closed", "cannot be closed"])
def test_a_cancelled_aclose_closes_behind(
    gateway: Sandbox, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, fails: bool
) -> None:
    """It returns at once; what was begun is finished and recorded, and then everything is closed, once."""
    begun, go_on, closed = threading.Event(), threading.Event(), threading.Event()

    def before() -> None:
        begun.set()
        assert go_on.wait(60)

    plugin = Watching(before)
    told_when_closed: list[int] = []

    async def main() -> None:
        notifier = AsyncNotifier(gateway.url, plugins=make_plugin_manager(plugin))
        close = notifier.notifier.close

        def watched() -> None:
            told_when_closed.append(len(plugin.told))
            close()
            closed.set()
            if fails:
                raise OSError

        monkeypatch.setattr(notifier.notifier, "close", watched)
        task = asyncio.create_task(notifier.notify("hello", NUMBER))
        assert await asyncio.to_thread(begun.wait, 30)
        closing = asyncio.create_task(notifier.aclose())
        await asyncio.sleep(0)
        closing.cancel()
        await asyncio.wait([closing])
        assert (True, False, []) == (closing.cancelled(), notifier._executor.is_open, told_when_closed)
        go_on.set()
        await task
        assert await asyncio.to_thread(closed.wait, 30)
        for thread in threading.enumerate():
            if thread.name.startswith("devinotify-async"):
                await asyncio.to_thread(thread.join, 30)

    asyncio.run(main())
    assert ([1], [("nobody", Verdict.ACCEPTED)]) == (told_when_closed, plugin.told)
    assert fails == ("the notifier could not be closed" in caplog.text)


def test_a_cancelled_fallback_is_in_the_outbox(gateway: Sandbox, tmp_path: object) -> None:
    """The step that was being taken has its row, with what became of it."""
    begun, go_on = threading.Event(), threading.Event()

    def before() -> None:
        begun.set()
        assert go_on.wait(60)

    async def main() -> None:
        url = f"{gateway.url}&channel=sms-viber"
        manager = make_plugin_manager(Watching(before))
        async with AsyncNotifier(url, outbox=f"{tmp_path}/outbox.db", plugins=manager) as notifier:
            task = asyncio.create_task(notifier.notify("hello", NUMBER))
            await asyncio.to_thread(begun.wait, 10)
            task.cancel()
            await asyncio.wait([task])
            go_on.set()

    asyncio.run(main())
    with Outbox(f"{tmp_path}/outbox.db") as outbox:
        assert {"accepted"} == {str(row.state) for row in outbox.rows()}


def test_what_was_not_begun_is_not_done(gateway: Sandbox) -> None:
    """A call that waits for its turn when it is cancelled sends nothing."""
    go_on = threading.Event()
    plugin = Watching(lambda: go_on.wait(60))

    async def main() -> None:
        async with AsyncNotifier(gateway.url, plugins=make_plugin_manager(plugin), threads=1) as notifier:
            first = asyncio.create_task(notifier.notify("first", NUMBER))
            await asyncio.sleep(0.05)
            second = asyncio.create_task(notifier.notify("second", NUMBER))
            await asyncio.sleep(0.05)
            second.cancel()
            await asyncio.wait([second])
            go_on.set()
            await first

    asyncio.run(main())
    assert ["first"] == [message.text for message in gateway.messages()]


def test_many_waits_need_no_thread_each(gateway: Sandbox) -> None:
    """A hundred callers wait for deliveries that do not come, and a message leaves all the same."""

    async def main() -> tuple[int, int]:
        async with AsyncNotifier(gateway.url, poll=30, threads=2) as notifier:
            outcomes = await notifier.notify("hello", [f"7916{each:07d}" for each in range(100)])
            waits = [asyncio.create_task(notifier.wait([outcome])) for outcome in outcomes]
            async with asyncio.timeout(20):
                sent = await notifier.notify("hello", NUMBER)
            threads = sum(thread.name.startswith("devinotify-async") for thread in threading.enumerate())
            for task in waits:
                task.cancel()
            await asyncio.wait(waits)
            return len(sent), threads

    assert (1, 2) == asyncio.run(main())


def test_errors_are_those_of_notifier(gateway: Sandbox) -> None:
    """What Notifier raises is raised, on construction and by a call."""

    async def main() -> None:
        with pytest.raises(InvalidURL):
            AsyncNotifier(f"{gateway.url}&channel=pigeon")
        async with AsyncNotifier(gateway.url) as notifier:
            with pytest.raises(InvalidInput):
                await notifier.notify("hello")

    asyncio.run(main())


def test_a_notifier_may_be_used_again(gateway: Sandbox) -> None:
    """On another loop, and after it was closed."""
    notifier = AsyncNotifier(gateway.url)

    async def main() -> int:
        async with notifier:
            return len(await notifier.notify("hello", NUMBER))

    assert (1, 1) == (asyncio.run(main()), asyncio.run(main()))


def test_a_notifier_collected_open_warns(gateway: Sandbox) -> None:
    """As asyncio's own transports do; and the repr hides the password."""
    notifier = AsyncNotifier(gateway.url)
    assert "<AsyncNotifier devino://demo:***@" in repr(notifier)
    asyncio.run(_use(notifier))
    notifier.notifier.close()
    with pytest.warns(ResourceWarning, match="unclosed <AsyncNotifier"):
        del notifier


async def _use(notifier: AsyncNotifier) -> None:
    await notifier.notify("hello", NUMBER)


_FORKING = """
import asyncio, os, sys
import uvloop
from devinotify import AsyncNotifier

loop, url, entered = sys.argv[1:]
new_loop = {"stock": asyncio.new_event_loop, "uvloop": uvloop.new_event_loop}[loop]
notifier = AsyncNotifier(url, poll=0.01)

async def send(text):
    for number in ("79160000001", "79160000002"):
        outcomes = await notifier.notify(text, number)
        assert ["accepted"] == [str(outcome.verdict) for outcome in outcomes], outcomes[0].error

async def child():
    if entered == "yes":
        async with notifier:
            await send("child")
    else:
        await send("child")
        await notifier.aclose()

async def main():
    if entered == "yes":
        await notifier.__aenter__()
    await send("before")
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            asyncio.events._set_running_loop(None)
            try:  # the loop is the parent's, who goes on with it
                notifier.notify("by nobody's loop", "79160000003").send(None)
            except RuntimeError as error:
                assert "no running event loop" in str(error)
            else:
                raise AssertionError
            with asyncio.Runner(loop_factory=new_loop) as runner:
                runner.run(child())
            code = 0
        finally:
            os._exit(code)
    await send("meanwhile")
    code = os.waitstatus_to_exitcode((await asyncio.to_thread(os.waitpid, pid, 0))[1])
    await send("after")
    await notifier.aclose()
    sys.exit(code)

with asyncio.Runner(loop_factory=new_loop) as runner:
    runner.run(main())
"""


@pytest.mark.once
@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
@pytest.mark.parametrize(
    ("channel", "entered"),
    [("sms", "no"), ("sms-viber", "no"), ("sms", "yes")],
    ids=["without an outbox", "with an outbox", "on the loop"],
)
@pytest.mark.parametrize("loop", ["stock", "uvloop"])
def test_a_fork_starts_afresh(gateway: Sandbox, tmp_path: object, loop: str, channel: str, entered: str) -> None:
    """The child has threads and connections of its own on a loop of its own, and its parent goes on unharmed."""
    url = f"{gateway.url}&channel={channel}&outbox={tmp_path}/outbox.db"
    done = subprocess.run(
        # Forking where threads are is what this is about, and Python 3.12 warns of it.
        [sys.executable, "-W", "error", "-W", "ignore::DeprecationWarning", "-c", _FORKING, loop, url, entered],
        timeout=60,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (0, "") == (done.returncode, done.stderr)
    texts = ["after", "before", "child", "meanwhile"]
    assert sorted(texts * 2) == sorted(message.text for message in gateway.messages())
