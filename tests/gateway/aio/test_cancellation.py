"""A caller that is cancelled, wherever it waits: nothing is sent twice, nothing is lost, nothing is left open."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable, Coroutine
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

import pytest

from devinotify import AsyncClient, Receipt, Verdict
from tests.faults import acts
from tests.faults.server import FaultServer, answer
from tests.gateway.aio.steps import MOMENTS, cancelled_at
from tests.tables import table

if TYPE_CHECKING:
    from devinotify.gateway.aio import Abandoned
    from tests.gateway.aio.conftest import Run

NUMBER, TEXT = "79161234567", "hello"
Make = Callable[..., AsyncClient]

OPERATIONS: dict[str, Callable[[AsyncClient], Coroutine[Any, Any, object]]] = {
    "send": lambda client: client.sms.send(NUMBER, TEXT),
    "bulk": lambda client: client.sms.send_bulk([NUMBER, "79031234567"], TEXT),
    "viber": lambda client: client.viber.send(NUMBER, TEXT),
    "read": lambda client: client.sms.state("579700854169272358"),
}
STATES = ("fresh", "kept", "expired")
MOST_STEPS = 60


def posts(server: FaultServer) -> int:
    """Return how many sends were accepted: those that came within a session that was good."""
    return len([each for each in server.requests if each.method == "POST" and each.session in server._valid])


@pytest.mark.once
@pytest.mark.parametrize("state", STATES)
@table("moment", MOMENTS)
@table("name", OPERATIONS)
def test_cancelled_wherever_it_waits(
    server: FaultServer, make: Make, run: Run, name: str, state: str, moment: str
) -> None:
    """At each place: sent at most once, told exactly where it may have left, and the client goes on as before."""

    async def once(step: int) -> bool:
        """Cancel at one place; return whether there was such a place."""
        told: list[Abandoned] = []
        async with make(server, on_abandoned=told.append) as client:
            if state != "fresh":
                await client.user.balance()
            if state == "expired":
                server.expire_sessions()
            before = posts(server)
            task = asyncio.create_task(cancelled_at(OPERATIONS[name](client), step, moment))
            await asyncio.wait([task])
            cancelled = task.cancelled()
            if not cancelled:
                task.result()
            while client._left_behind:
                await asyncio.wait(client._left_behind)
            await client.user.balance()  # the pool and the session serve the next caller
            sent = posts(server) - before
            accepted = len([each for each in told if each.verdict is Verdict.ACCEPTED])
            done = 0 if cancelled or name == "read" else 1
            assert (sent, accepted + done) == (accepted + done, sent), (step, told)
            assert sent <= 1
            assert {each.verdict for each in told} <= {Verdict.ACCEPTED, Verdict.NOT_SENT}
            assert client._bound is not None
            pool = client._bound.transport.pool
            assert (100, {each for each, _ in pool._idle}) == (pool._free, pool._open)
        assert server.wait_for(lambda: not server.open_connections)
        return cancelled

    async def everywhere() -> int:
        for step in itertools.count():
            if not await once(step):
                return step
            assert step < MOST_STEPS
        raise AssertionError

    assert run(everywhere()) >= {"fresh": 2, "kept": 1, "expired": 3}[state]


@pytest.mark.once
@table("moment", MOMENTS)
def test_a_login_cancelled_wherever_it_waits(server: FaultServer, make: Make, run: Run, moment: str) -> None:
    """Whoever waited for it has another made, once, and each message leaves once."""
    numbers = [f"7916{each:07d}" for each in range(3)]

    async def once(step: int) -> bool:
        """Cancel the first login at one place; return whether there was such a place."""
        logins, before, cancelled = server.logins, posts(server), []
        async with make(server) as client:
            session = client._here().session
            login = session._login

            async def first() -> Any:  # noqa: ANN401 - as the login's
                session._login = login
                try:
                    return await cancelled_at(login(), step, moment)
                except asyncio.CancelledError:
                    cancelled.append(step)
                    raise

            session._login = first
            receipts = await asyncio.gather(*[client.sms.send(number, TEXT) for number in numbers])
            assert (numbers, 3) == ([each.recipient[1:] for each in receipts], posts(server) - before)
            assert server.logins - logins <= 1 + len(cancelled)
            while client._left_behind:
                await asyncio.wait(client._left_behind)
            pool = client._here().transport.pool
            kept = {each for each, _ in pool._idle}
            await asyncio.gather(*[each.lost for each in pool._open - kept])  # none is open and forgotten
            assert (100, kept) == (pool._free, pool._open)
        assert server.wait_for(lambda: not server.open_connections)
        return bool(cancelled)

    async def everywhere() -> int:
        for step in itertools.count():
            if not await once(step):
                return step
            assert step < MOST_STEPS
        raise AssertionError

    assert run(everywhere()) >= 2  # where it connects, and where it waits for the reply


def test_a_send_that_had_left_is_told_with_its_verdict(server: FaultServer, make: Make, run: Run) -> None:
    """The caller is let go at once; what the gateway answers later reaches the callback, in the caller's context."""
    request_of: ContextVar[str] = ContextVar("request_of", default="nobody")
    told: list[tuple[str, Abandoned]] = []

    def slow(exchange: Any) -> None:  # noqa: ANN401 - an exchange of the server's
        exchange.server.stopping.wait(0.3)
        answer(exchange)

    async def cancel_it() -> float:
        async with make(server, on_abandoned=lambda each: told.append((request_of.get(), each))) as client:
            await client.user.balance()
            server.play("sms/send", slow)
            request_of.set("order 7")
            started = asyncio.get_running_loop().time()
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.1):
                    await client.sms.send(NUMBER, TEXT)
            request_of.set("somebody else")
            return asyncio.get_running_loop().time() - started

    assert run(cancel_it()) < 0.25
    [(who, abandoned)] = told
    assert ("order 7", "Sms/Send", ("+79161234567",), Verdict.ACCEPTED, None) == (
        who,
        abandoned.operation,
        abandoned.recipients,
        abandoned.verdict,
        abandoned.error,
    )
    assert "<Abandoned Sms/Send, accepted>" == repr(abandoned)


def test_a_send_whose_answer_never_comes_is_unknown(server: FaultServer, make: Make, run: Run) -> None:
    """It goes on without its caller until its deadline, and no longer."""
    told: list[Abandoned] = []
    server.play("sms/send", acts.unanswered(acts.hold))

    async def cancel_it() -> None:
        async with make(server, timeout=0.4, on_abandoned=told.append) as client:
            await client.user.balance()
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.1):
                    await client.sms.send(NUMBER, TEXT)

    run(cancel_it())
    assert [(Verdict.UNKNOWN, "Sms/Send")] == [(each.verdict, each.error and each.error.operation) for each in told]


def test_a_loop_that_ends_leaves_no_send_untold(server: FaultServer, make: Make, run: Run) -> None:
    """Who does not wait for the end of the exchange hears that its outcome is unknown."""
    told: list[Abandoned] = []
    server.play("sms/send", acts.unanswered(acts.hold))

    async def cancel_it() -> None:
        async with make(server, on_abandoned=told.append) as client:
            await client.user.balance()
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.1):
                    await client.sms.send(NUMBER, TEXT)
            for task in client._left_behind:
                task.cancel()

    run(cancel_it())
    assert [Verdict.UNKNOWN] == [each.verdict for each in told]


def test_a_callback_that_raises_breaks_nothing(
    server: FaultServer, make: Make, run: Run, caplog: pytest.LogCaptureFixture
) -> None:
    """What the caller's own callback does wrong is logged by its type."""

    def broken(abandoned: Abandoned) -> None:
        raise ValueError(abandoned.recipients)

    async def cancel_it() -> None:
        async with make(server, on_abandoned=broken) as client:
            await client.user.balance()
            task = asyncio.create_task(cancelled_at(client.sms.send(NUMBER, TEXT), 0, MOMENTS[0]))
            await asyncio.wait([task])

    run(cancel_it())
    assert ["on_abandoned raised ValueError"] == caplog.messages


def test_without_a_callback_the_log_tells(
    server: FaultServer, make: Make, run: Run, caplog: pytest.LogCaptureFixture
) -> None:
    """Nothing is lost silently, and no number is shown."""

    async def cancel_it() -> None:
        async with make(server) as client:
            await client.user.balance()
            task = asyncio.create_task(cancelled_at(client.sms.send(NUMBER, TEXT), 0, MOMENTS[0]))
            await asyncio.wait([task])

    run(cancel_it())
    assert ["Sms/Send was cancelled after it had begun to leave; it is accepted"] == caplog.messages


def test_a_group_that_fails_cancels_what_has_not_left(server: FaultServer, make: Make, run: Run) -> None:
    """Each send of a failed task group has its receipt, or is told, or was never sent."""
    told: list[Abandoned] = []
    tasks: list[asyncio.Task[Receipt]] = []

    async def fail() -> None:
        async with make(server, max_connections=3, on_abandoned=told.append) as client:
            await client.user.balance()
            with pytest.raises(ExceptionGroup):
                await together(client)

    async def together(client: AsyncClient) -> None:
        async with asyncio.TaskGroup() as group:
            tasks.extend([group.create_task(client.sms.send(f"7916{number:07d}", TEXT)) for number in range(20)])
            await asyncio.sleep(0)
            group.create_task(_fail())

    run(fail())
    known = [each.recipients[0] for each in told] + [task.result().recipient for task in tasks if not task.cancelled()]
    assert sorted(known) == sorted("+" + each.params["destinationaddress"][0] for each in server.received("sms/send"))


async def _fail() -> None:
    raise ValueError
