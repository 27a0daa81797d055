"""The server and the network fail beneath a worker; the sandbox judges that nobody is sent to twice."""

from __future__ import annotations

import threading
import time
from collections import Counter
from typing import TYPE_CHECKING, TypeVar

import pytest

from devinotify import Notifier, Worker, hookimpl, make_plugin_manager
from devinotify.exceptions import OutcomeUnknown, Verdict
from devinotify.outbox import Outbox, RowState
from devinotify.outbox.postgres.location import parse_location
from devinotify.outbox.postgres.store import PostgresStore
from tests.outbox.postgres.proxy import Cut, Proxy
from tests.outbox.postgres.test_database import run
from tests.outbox.support import accepted, arrivals, claim, failed, message, numbers
from tests.postgres_server import Server, needs_server, running
from tests.waiting import ended

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator

    from devinotify.models import Outcome
    from devinotify.outbox.postgres.transaction import PostgresTransaction
    from devinotify.outbox.settlement import Settlement
    from devinotify.sandbox import Sandbox

pytestmark = [pytest.mark.once(traced=True), needs_server]

if TYPE_CHECKING:
    Sends = Generator[None, list[Outcome], list[Outcome]]

T = TypeVar("T")

ROWS = 60


@pytest.fixture(scope="module")
def own_server() -> Iterator[Server]:
    """Give a server that no other test needs running."""
    with running() as found:
        yield found


class Interrupting(PostgresStore):
    """Has something happen once, in the midst of an operation's transaction: all is done, and not committed."""

    def __init__(self, url: str, operation: str, interrupt: Callable[[], None]) -> None:
        self._operation = operation
        self._interrupt: Callable[[], None] | None = interrupt
        super().__init__(url)

    def take(self, worker: str, limit: int, account: str | None) -> tuple[bool, None]:
        """Leave it to a transaction: a statement has no midst."""
        return False, None

    def settle(self, settlement: Settlement) -> bool:
        """Leave it to a transaction."""
        return False

    def write(
        self,
        operation: str,
        work: Callable[[PostgresTransaction], T],
        *,
        durable: bool = False,
        verdict: Verdict = Verdict.NOT_SENT,
    ) -> T:
        """Do as the store does, but for the once."""

        def broken(transaction: PostgresTransaction) -> T:
            done = work(transaction)
            if operation == self._operation and self._interrupt is not None:
                interrupt, self._interrupt = self._interrupt, None
                interrupt()
            return done

        return super().write(operation, broken, durable=durable, verdict=verdict)


class Gate:
    """Has something happen once, right before a request leaves."""

    def __init__(self, interrupt: Callable[[], None]) -> None:
        self._interrupt: Callable[[], None] | None = interrupt

    @hookimpl(wrapper=True)
    def devinotify_send_message(self) -> Sends:
        """Interrupt, then send."""
        if self._interrupt is not None:
            interrupt, self._interrupt = self._interrupt, None
            interrupt()
        return (yield)


@pytest.mark.parametrize("moment", ["claim", "POST", "settle", "recover"])
def test_the_server_is_stopped_at_once_and_started(own_server: Server, gateway: Sandbox, moment: str) -> None:
    """In the midst of each step of a worker: everybody gets it once, and what a dead worker had claimed is unknown."""
    happened = []

    def restart() -> None:
        own_server.stop("immediate")
        own_server.start()
        happened.append(moment)

    url = own_server.url(schema=f"test_{moment.lower()}")
    plugins = make_plugin_manager(*[Gate(restart)] * (moment == "POST"), discover=False)
    with (
        Outbox(url) as dead,
        Outbox(Interrupting(url, moment, restart)) as outbox,
        Notifier(gateway.url, outbox=url, plugins=plugins) as notifier,
    ):
        dead.enqueue(message(*numbers(5, 79170000000)))
        dead.claim()
        run(url, "UPDATE ~workers SET seen_at = 0")
        outbox.enqueue(message(*numbers(ROWS)))
        worker = Worker(notifier, outbox, batch=20, connections=1, nap=0.02)
        thread = threading.Thread(target=worker.run)
        thread.start()
        # It goes on over the restart, whatever else it was doing then.
        assert gateway.wait(lambda: bool(happened) and all(arrivals(gateway)[each] for each in numbers(ROWS)), 60)
        worker.stop()
        ended(thread)
        states = Counter(row.state for row in outbox)
    assert ([moment], Counter(numbers(ROWS))) == (happened, arrivals(gateway))
    assert (5, ROWS) == (states[RowState.UNKNOWN], states[RowState.ACCEPTED] + states[RowState.DELIVERED])


@pytest.fixture
def proxy(server: Server) -> Iterator[Proxy]:
    """Give a proxy before the server."""
    with Proxy(server.port) as found:
        yield found


@pytest.mark.parametrize("cut", [Cut.COMMIT, Cut.ANSWER])
def test_a_worker_whose_commits_are_lost_sends_once(
    server: Server, url: str, proxy: Proxy, gateway: Sandbox, cut: Cut
) -> None:
    """Each time before or after the server has it: of claims, outcomes, and all else that it commits."""
    by_proxy = url.replace(str(server.port), str(proxy.port))

    class Cutter:
        """Cuts with every batch."""

        @hookimpl(wrapper=True)
        def devinotify_send_message(self) -> Sends:
            proxy.cut = cut  # the settlement
            return (yield)

    with (
        Notifier(gateway.url, outbox=by_proxy, plugins=make_plugin_manager(Cutter(), discover=False)) as notifier,
        Outbox(by_proxy) as outbox,
    ):
        outbox.enqueue(message(*numbers(ROWS)))
        proxy.cut = cut  # the first claim
        Worker(notifier, outbox, batch=10, connections=1).run(once=True)
        states = Counter(row.state for row in outbox)
    assert Counter(numbers(ROWS)) == arrivals(gateway)
    assert ROWS == states[RowState.ACCEPTED] + states[RowState.DELIVERED]


@pytest.mark.parametrize("seconds", [None, 5.0])
def test_a_link_that_is_silent_before_the_request_leaves(
    server: Server, url: str, proxy: Proxy, gateway: Sandbox, seconds: float | None
) -> None:
    """For five seconds: the worker waits, and sends. Until it is taken for dead: it sends nothing, ever."""
    by_proxy = url.replace(str(server.port), str(proxy.port))

    class Silencer:
        """Takes the link away, and gives it back in time or when nobody believes in the worker any more."""

        @hookimpl(wrapper=True)
        def devinotify_send_message(self) -> Sends:
            proxy.silence()
            threading.Timer(seconds, proxy.speak).start() if seconds else buried.start()
            return (yield)

    def bury() -> None:
        run(url, "UPDATE ~workers SET seen_at = 0")
        with Outbox(url) as other:
            lost.append(other.recover())
        proxy.speak()

    lost: list[int] = []
    buried = threading.Thread(target=bury)
    plugins = make_plugin_manager(Silencer(), discover=False)
    with Notifier(gateway.url, outbox=by_proxy, plugins=plugins) as notifier, Outbox(by_proxy) as outbox:
        outbox.enqueue(message(*numbers(3)))
        Worker(notifier, outbox, connections=1).run(once=True)
        states = {row.state for row in outbox}
    if seconds:
        assert (3, {RowState.ACCEPTED}) == (len(gateway.messages()), states)
    else:
        # The worker's own word, that nothing was sent, comes late and is taken.
        assert ([3], 0, {RowState.NOT_SENT}) == (lost, len(gateway.messages()), states)


def test_no_step_of_a_worker_reads_all_rows(url: str) -> None:
    """At 100,000 of them: what costs by how much there is would be seen by nobody before it is too late."""
    with Outbox(url) as outbox:
        stored = outbox.register(message())
        for part in range(4):
            outbox.extend(stored, numbers(25_000, 79160000000 + 25_000 * part))
    run(url, "ANALYZE")
    schema = parse_location(url).schema
    told = f"SELECT relname, seq_scan, idx_scan FROM pg_stat_user_tables WHERE schemaname = '{schema}'"  # noqa: S608 - ours
    before = {str(name): (scans, uses) for name, scans, uses in run(url, told)}
    with Outbox(url) as outbox:
        batch = claim(outbox)
        assert outbox.holds(batch)
        outbox.settle(batch, accepted(batch))
        lost = claim(outbox, 10)
        outbox.settle(lost, failed(lost, OutcomeUnknown("a timeout")))
        outbox.retry([row.id for row in lost.rows], force=True)
        outbox.forget([batch.rows[0].id])
        for question in (outbox.watch_due, outbox.recover, outbox.next_due, outbox.senders_alive, outbox.held):
            question()
        outbox.steps(batch.rows[1].id)
        outbox.enqueue(message(), key="k")
        outbox.find("k")
    # The server counts what a connection has done when it is closed, and some moments later.
    until = time.monotonic() + 60
    after = before
    while after["rows"][1] == before["rows"][1]:
        assert time.monotonic() < until
        time.sleep(0.05)  # nothing tells of it
        after = {str(name): (scans, uses) for name, scans, uses in run(url, told)}
    large = ("rows", "queue")
    assert [before[name][0] for name in large] == [after[name][0] for name in large]
