"""A queue of alerts while the account or the gateway, not a recipient, is in trouble for a while: nothing is burnt."""

from __future__ import annotations

import contextlib
import json
import logging
import os
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from decimal import Decimal
from typing import TYPE_CHECKING, cast

import pytest

from devinotify import Message, Notifier, Outbox, hookimpl, make_plugin_manager
from devinotify.channels.batch import accepted
from devinotify.cli.exits import ExitCode, of_error
from devinotify.delivery.reading import Cause
from devinotify.delivery.worker import Worker
from devinotify.models import Receipt
from devinotify.outbox import RowState
from devinotify.sandbox import Sandbox
from devinotify.systemd import Supervisor
from tests import forked
from tests.outbox.support import numbers
from tests.waiting import ended, wait_until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from devinotify.models import Outcome, SmsState

pytestmark = pytest.mark.once

ALERTS = 200
TROUBLE = 2.0


@pytest.fixture
def gateway() -> Iterator[Sandbox]:
    """Give a gateway of its own: its faults last by its clock."""
    with Sandbox() as running:
        yield running


@pytest.fixture
def outbox(tmp_path: Path) -> Iterator[Outbox]:
    """Give an empty outbox."""
    with Outbox(tmp_path / "outbox.db") as opened:
        yield opened


@pytest.fixture
def notifier(gateway: Sandbox) -> Iterator[Notifier]:
    """Give a notifier without plugins."""
    with Notifier(gateway.url, plugins=make_plugin_manager(discover=False)) as opened:
        yield opened


def enqueue(outbox: Outbox, count: int = ALERTS) -> None:
    """Queue so many alerts, each with a text of its own."""
    outbox.enqueue_many((Message(f"alert {each}", (each,), channel="sms") for each in numbers(count)), watch=False)


def arrived(gateway: Sandbox) -> Counter[str]:
    """Return how often each number got its alert."""
    return Counter(each.recipient for each in gateway.messages())


@contextlib.contextmanager
def working(worker: Worker) -> Iterator[None]:
    """Let the worker work meanwhile."""
    thread = threading.Thread(target=worker.run)
    thread.start()
    try:
        yield
    finally:
        worker.stop()
        ended(thread)


def settled(outbox: Outbox, seconds: float = 60) -> dict[str, int]:
    """Return how many rows stand where once none is queued or being sent."""
    until = time.monotonic() + seconds
    counts = outbox.counts()
    while counts.queued + counts.claimed and time.monotonic() < until:
        time.sleep(0.05)
        counts = outbox.counts()
    return {str(state): count for state, count in counts if count}


def too_many_requests(gateway: Sandbox) -> Callable[[], object]:
    """Answer 429 for two seconds."""
    gateway.add_fault("status", status=429, operation="Sms/Send", lasts=TROUBLE)
    return lambda: None


def wrong_password(gateway: Sandbox) -> Callable[[], object]:
    """Refuse the login for two seconds."""
    gateway.add_fault("error", code=4, operation="User/SessionID", lasts=TROUBLE)
    return lambda: None


def no_credits(gateway: Sandbox) -> Callable[[], object]:
    """Have credits for four alerts, and for all of them after two seconds."""
    gateway.balance = Decimal(10)

    def top_up() -> None:
        gateway.balance = Decimal(100_000)

    return top_up


@pytest.mark.parametrize("trouble", [too_many_requests, wrong_password, no_credits])
def test_what_the_account_is_refused_for_costs_no_alert(
    gateway: Sandbox,
    outbox: Outbox,
    notifier: Notifier,
    trouble: Callable[[Sandbox], Callable[[], object]],
    caplog: pytest.LogCaptureFixture,
) -> None:
    """All are accepted once it is over, each was sent once, and the log names what it waited for."""
    enqueue(outbox)
    over = trouble(gateway)
    with working(Worker(notifier, outbox)):
        threading.Timer(TROUBLE, over).start()
        assert {"accepted": ALERTS} == settled(outbox)
    assert (ALERTS, {1}) == (len(arrived(gateway)), set(arrived(gateway).values()))
    assert {1} == {row.attempts for row in outbox}
    if trouble is not too_many_requests:
        assert "what is queued waits, and is tried again" in caplog.text
        assert "messages go out again" in caplog.text


def test_a_gateway_that_fails_costs_a_few(gateway: Sandbox, outbox: Outbox, notifier: Notifier) -> None:
    """What met a 503 is unknown and stays so; that is one alert at a time, less and less often."""
    gateway.add_fault("status", status=503, operation="Sms/Send", lasts=TROUBLE)
    enqueue(outbox)
    with working(Worker(notifier, outbox)):
        found = settled(outbox)
    assert ALERTS == found["accepted"] + found["unknown"]
    assert 1 <= found["unknown"] <= 8
    assert found["accepted"] == len(arrived(gateway))


@pytest.mark.parametrize(("code", "cause"), [(5, Cause.CREDITS), (7, Cause.REFUSED)])
def test_once_ends_with_the_cause_and_an_untouched_queue(
    gateway: Sandbox, outbox: Outbox, notifier: Notifier, code: int, cause: Cause, caplog: pytest.LogCaptureFixture
) -> None:
    """The next run finds everything as it was."""
    gateway.add_fault("error", code=code, operation="Sms/Send")
    enqueue(outbox, 20)
    worker = Worker(notifier, outbox)
    worker.run(once=True)
    assert (cause, {"queued": 20}, {0}) == (worker.cause, settled(outbox, 0), {row.attempts for row in outbox})
    assert "what is queued waits for the next run" in caplog.text


@pytest.mark.once
@pytest.mark.parametrize(
    ("fault", "code"),
    [({"kind": "error", "code": 5, "operation": "Sms/Send"}, 3), ({"kind": "error", "code": 4}, 3)],
    ids=["no credits", "a wrong password"],
)
def test_the_exit_code_and_the_log_of_once_name_the_cause(
    gateway: Sandbox, tmp_path: Path, fault: dict[str, object], code: int
) -> None:
    """A job that runs it every minute hears of it."""
    with Outbox(tmp_path / "o.db") as outbox:
        enqueue(outbox, 5)
    gateway.add_fault(**fault)  # type: ignore[arg-type]  # a table's values
    done = subprocess.run(
        [*forked.command(), "worker", "--once", "--json", "--outbox", str(tmp_path / "o.db")],
        env={**os.environ, "DEVINOTIFY_URL": gateway.url},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    found = json.loads(done.stdout)
    assert (code, code, 5) == (done.returncode, found["exit_code"], found["counts"]["queued"])
    assert "waits for the next run" in done.stderr


@pytest.mark.parametrize(
    ("fault", "cause", "code", "state"),
    [
        ({"kind": "status", "status": 503}, Cause.FAILING, ExitCode.UNKNOWN, "unknown"),
        ({"kind": "error", "code": 7}, Cause.REFUSED, ExitCode.REJECTED, "queued"),
        (None, Cause.FAILING, ExitCode.NOT_SENT, "queued"),
    ],
    ids=["a 503", "a number or an account that is refused", "nobody listens"],
)
def test_once_names_the_cause_of_a_single_alert(
    gateway: Sandbox,
    outbox: Outbox,
    notifier: Notifier,
    fault: dict[str, object] | None,
    cause: Cause,
    code: ExitCode,
    state: str,
) -> None:
    """One is all that may be queued at night, and whoever runs it every minute hears of it each time."""
    enqueue(outbox, 1)
    if fault is None:
        gateway.stop()
    else:
        gateway.add_fault(operation="Sms/Send", **fault)  # type: ignore[arg-type]  # a table's values
    worker = Worker(notifier, outbox)
    worker.run(once=True)
    assert worker.error is not None
    assert (cause, code, {state: 1}) == (worker.cause, of_error(worker.error), settled(outbox, 0))


def test_once_finds_out_whom_a_refusal_is_about(gateway: Sandbox, outbox: Outbox, notifier: Notifier) -> None:
    """It does not leave that to a next run, which would know of nobody who was accepted."""
    enqueue(outbox, 2)
    gateway.add_fault("error", code=7, operation="Sms/Send", number=numbers(1)[0])
    worker = Worker(notifier, outbox)
    worker.run(once=True)
    assert (None, {"accepted": 1, "rejected": 1}) == (worker.cause, settled(outbox, 0))


def test_one_forbidden_number_costs_the_others_nothing(gateway: Sandbox, outbox: Outbox, notifier: Notifier) -> None:
    """Of a queue of alerts, only the one to the number that the account may not send to is rejected."""
    guilty = numbers(20)[7]
    gateway.add_fault("error", code=7, number=guilty, operation="Sms/Send")
    enqueue(outbox, 20)
    with working(Worker(notifier, outbox)):
        assert {"accepted": 19, "rejected": 1} == settled(outbox)
    assert [guilty] == [row.recipient for row in outbox.rows(states={RowState.REJECTED})]


@pytest.mark.parametrize("channel", ["sms", "sms-viber"])
def test_one_forbidden_number_does_not_reject_a_bulk(gateway: Sandbox, tmp_path: Path, channel: str) -> None:
    """``notify`` finds it; the others get their SMS, and no Viber that somebody pays for."""
    some = numbers(20)
    for operation in ("Sms/SendBulk", "Sms/Send"):
        gateway.add_fault("error", code=7, number=some[7], operation=operation)
    with Notifier(f"{gateway.url}&outbox={tmp_path / 'o.db'}", plugins=make_plugin_manager(discover=False)) as notifier:
        outcomes = notifier.notify("hi", some, channel=channel)
    assert {"accepted"} == {str(one.verdict) for one in outcomes if one.recipient != some[7]}
    sms = Counter(each.recipient for each in gateway.messages() if each.channel == "sms")
    viber = [f"+{each.recipient.lstrip('+')}" for each in gateway.messages() if each.channel == "viber"]
    assert (19, {1}, [some[7]] if channel == "sms-viber" else []) == (len(sms), set(sms.values()), viber)


def test_looks_do_not_hold_alerts_up(gateway: Sandbox, notifier: Notifier, tmp_path: Path) -> None:
    """A gateway of half a second, thirty deliveries to look at: a new alert leaves at once, forty more in seconds."""
    with Outbox(tmp_path / "o.db", poll=0.01) as outbox:
        outbox.enqueue(Message("watched", numbers(30, 79170000000), channel="sms"))
        Worker(notifier, outbox).run(once=True)
        gateway.add_fault("latency", seconds=0.5)
        with working(Worker(notifier, outbox, nap=0.05)):
            gateway.wait(lambda: any(each.operation == "Sms/State" for each in gateway.requests()), 60)
            began = time.monotonic()
            outbox.enqueue(Message("new", ("+79180000000",), channel="sms"), watch=False)
            assert gateway.wait(lambda: "+79180000000" in {f"+{n.lstrip('+')}" for n in arrived(gateway)}, 60)
            first = time.monotonic() - began
            began = time.monotonic()
            enqueue(outbox, 40)
            assert gateway.wait(lambda: len(arrived(gateway)) >= 71, 60)
            taken = time.monotonic() - began
    # One after the other, forty take twenty seconds, and with looks between them far longer.
    assert (True, True) == (first < 7.0, taken < 15.0), (first, taken)


STOPPED = """
import signal, sys, threading
from devinotify import Notifier, Outbox, hookimpl, make_plugin_manager
from devinotify.delivery.worker import Worker

class Stop:
    @hookimpl(tryfirst=True)
    def devinotify_prepare_message(self, message):
        with outbox._store.database.lock:  # none of its threads is amid a transaction, which would lock the file
            signal.pthread_kill(threading.get_ident(), signal.SIGSTOP)  # this thread first: it goes no further
        return None

url, path = sys.argv[1:]
with Notifier(url, plugins=make_plugin_manager(Stop(), discover=False)) as notifier, Outbox(path) as outbox:
    Worker(notifier, outbox).run(once=True)
"""


def test_a_worker_that_stood_still_does_not_send_what_was_given_up(
    gateway: Sandbox, notifier: Notifier, tmp_path: Path
) -> None:
    """Stopped between claim and request, taken for dead, and its alert sent by another at a person's wish: once."""
    path = tmp_path / "o.db"
    with Outbox(path) as outbox:
        enqueue(outbox, 1)
        process = subprocess.Popen([sys.executable, "-c", STOPPED, gateway.url, str(path)], stderr=subprocess.PIPE)
        assert (process.pid, True) == ((found := os.waitpid(process.pid, os.WUNTRACED))[0], os.WIFSTOPPED(found[1]))
        assert 1 == outbox.counts().claimed
        # As on a file system that loses locks: whoever looks takes it for dead.
        (lock,) = [each for each in tmp_path.iterdir() if "-worker-" in each.name]
        lock.unlink()
        assert 1 == outbox.recover()
        outbox.retry_all(RowState.UNKNOWN, force=True)
        Worker(notifier, outbox).run(once=True)
        assert {1} == set(arrived(gateway).values())
        process.send_signal(signal.SIGCONT)
        process.communicate(timeout=60)
        assert ({1}, {"accepted": 1}) == (set(arrived(gateway).values()), settled(outbox, 0))


def test_what_was_given_up_and_left_alone_is_not_sent_either(gateway: Sandbox, tmp_path: Path) -> None:
    """Nobody may know what it has done meanwhile: it says that it was not sent, and a person may send it again."""
    path = tmp_path / "o.db"
    with Outbox(path) as outbox:
        enqueue(outbox, 1)
        process = subprocess.Popen([sys.executable, "-c", STOPPED, gateway.url, str(path)], stderr=subprocess.PIPE)
        os.waitpid(process.pid, os.WUNTRACED)
        (lock,) = [each for each in tmp_path.iterdir() if "-worker-" in each.name]
        lock.unlink()
        outbox.recover()
        process.send_signal(signal.SIGCONT)
        process.communicate(timeout=60)
        assert (0, {"not_sent": 1}) == (len(arrived(gateway)), settled(outbox, 0))


HASTY = STOPPED.replace(
    "    Worker(notifier, outbox).run(once=True)",
    """
    from devinotify.delivery.sending import Sender
    sender = Sender(outbox, fallbacks={}, send=notifier.send, process=notifier.process, oldest=0.5)
    sender.deliver(outbox.claim())
""",
)


def test_a_worker_that_stood_still_for_too_long_takes_its_message_anew(gateway: Sandbox, tmp_path: Path) -> None:
    """Nobody has given it up yet, and somebody may this moment: it does not leave, and is queued as if never tried."""
    path = tmp_path / "o.db"
    with Outbox(path) as outbox:
        enqueue(outbox, 1)
        process = subprocess.Popen([sys.executable, "-c", HASTY, gateway.url, str(path)])
        os.waitpid(process.pid, os.WUNTRACED)
        time.sleep(0.6)  # what is shown is that time has passed
        process.send_signal(signal.SIGCONT)
        process.wait(60)
        (row,) = outbox
        assert ([], RowState.QUEUED, "NotSent") == (gateway.messages(), row.state, row.error)


def test_what_another_account_queued_is_left_to_it_and_told_once(
    gateway: Sandbox, outbox: Outbox, notifier: Notifier, caplog: pytest.LogCaptureFixture
) -> None:
    """Its own goes out, and what is nobody's."""
    caplog.set_level(logging.INFO)
    outbox.enqueue(Message("theirs", (numbers(1)[0],), channel="sms"), account="other@example.org/rest")
    outbox.enqueue(Message("ours", (numbers(2)[1],), channel="sms"), account=notifier.url.account)
    outbox.enqueue(Message("nobody's", (numbers(3)[2],), channel="sms"))
    Worker(notifier, outbox).run(once=True)
    assert ({"ours", "nobody's"}, 1) == ({each.text for each in gateway.messages()}, outbox.counts().queued)
    assert 1 == sum("1 of other@example.org/rest" in record.message for record in caplog.records)


class Looked(Supervisor):
    """Counts how often the worker has looked after itself."""

    def __init__(self) -> None:
        super().__init__(None)
        self.times = 0

    def status(self, status: str) -> None:
        """Count it."""
        self.times += 1


def test_a_run_of_any_length_tells_once_what_other_accounts_wait_for(
    outbox: Outbox, notifier: Notifier, caplog: pytest.LogCaptureFixture
) -> None:
    """Nobody's log fills up with it while it works on."""
    outbox.enqueue(Message("theirs", (numbers(1)[0],), channel="sms"), account="other@example.org/rest")
    worker, looked = Worker(notifier, outbox, nap=0.01), Looked()
    thread = threading.Thread(target=lambda: worker.run(supervisor=looked))
    thread.start()
    try:
        wait_until(lambda: looked.times >= 10)
    finally:
        worker.stop()
        ended(thread)
    assert 1 == sum("of other@example.org/rest" in record.message for record in caplog.records)
    assert 1 == outbox.counts().queued


class Odd:
    """A channel that answers ids of the wrong type."""

    name = "odd"
    max_length = 100
    segmented = True
    schedulable = True

    def check_sender(self, sender: str) -> None:
        """Take any."""

    def send(self, message: Message, client: object) -> list[Outcome]:
        """Send, and answer a number for an id."""
        odd = cast("tuple[str, ...]", (12345,))
        return [accepted(self.name, each, Receipt(each, odd, 1, self.name)) for each in message.recipients]

    def state(self, receipt: Receipt, client: object) -> SmsState:
        """Never be asked."""
        raise NotImplementedError

    @hookimpl
    def devinotify_register_channels(self) -> list[Odd]:
        """Bring itself."""
        return [self]


def test_an_answer_that_cannot_be_recorded_does_not_end_the_worker(gateway: Sandbox, outbox: Outbox) -> None:
    """Its row ends, unknown at worst, and the next one goes out."""
    with Notifier(gateway.url, plugins=make_plugin_manager(Odd(), discover=False)) as notifier:
        outbox.enqueue(Message("odd", numbers(2), channel="odd"), watch=False)
        enqueue(outbox, 1)
        Worker(notifier, outbox).run(once=True)
    counts = outbox.counts()
    assert (0, 1) == (counts.queued + counts.claimed, len(arrived(gateway)))
