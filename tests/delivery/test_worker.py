"""The worker against the real sandbox: queues of every channel, watches, fallbacks, retries, signals."""

from __future__ import annotations

import gc
import logging
import os
import re
import signal
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from devinotify import Message, Notifier, Outbox, hookimpl, make_plugin_manager
from devinotify.delivery.stopping import stopped_by_signals
from devinotify.delivery.worker import COLLECT_EVERY, PAUSE, Worker, rare_collections
from devinotify.exceptions import DevinotifyError, InvalidInput, InvalidPhoneNumber, NotSent, Verdict
from devinotify.models import DeliveryStatus
from devinotify.outbox import RowState
from devinotify.outbox.rules import EXPIRED
from tests.cli.servers import free_port
from tests.outbox.support import NUMBER, Clock, finish, numbers, run_python
from tests.tables import table
from tests.waiting import LONGEST, ended, wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from devinotify.models import Outcome, Receipt, SmsState
    from devinotify.outbox import Batch, Row
    from devinotify.sandbox import Sandbox
    from tests.outbox.conftest import Place

OTHER = "+79161234568"


@pytest.fixture
def gateway(gateway: Sandbox) -> Sandbox:
    """Give the gateway as new; whatever it takes is delivered at once."""
    gateway.set_timeline("delivered", sms=[(0.0, 0)], viber=[(0.0, 2)])
    return gateway


class Ahead(Clock):
    """The real clock, and a little more where a test asks for it."""

    by = 0.0

    def __call__(self) -> float:
        """Return the seconds since the epoch."""
        return time.time() + self.by


@pytest.fixture
def ahead() -> Ahead:
    """Give the outbox's clock."""
    return Ahead()


@pytest.fixture
def clock(ahead: Ahead) -> Clock:
    """Give the same to a place."""
    return ahead


@pytest.fixture
def outbox(place: Place) -> Outbox:
    """Give an empty outbox that looks at deliveries soon."""
    return place.open(poll=0.02)


@pytest.fixture
def notifier(gateway: Sandbox, tmp_path: Path) -> Iterator[Notifier]:
    """Give a notifier without plugins, whose own outbox is the file where that is used."""
    with Notifier(
        f"{gateway.url}&outbox={tmp_path / 'outbox.db'}", plugins=make_plugin_manager(discover=False)
    ) as opened:
        yield opened


@pytest.fixture
def unreachable(tmp_path: Path) -> Iterator[Notifier]:
    """Give a notifier whose gateway nobody listens at."""
    with Notifier(f"devino://a:b@DEVINO?gateway=http://127.0.0.1:{free_port()}/rest") as opened:
        yield opened


def message(*recipients: str, text: str = "disk full", **fields: Any) -> Message:  # noqa: ANN401 - those of Message
    """Return a message to the given numbers, or to one."""
    return Message(text, recipients or (NUMBER,), **{"channel": "sms", **fields})


def drain(worker: Worker, seconds: float = 60) -> None:
    """Let the worker work until nothing in its outbox waits for anything."""
    until = time.monotonic() + seconds
    while True:
        worker.run(once=True)
        due = worker.outbox.next_due()
        if due is None:
            return
        assert time.monotonic() < until
        time.sleep(min(max(due - time.time(), 0.01), 0.2))


def arrived(gateway: Sandbox) -> list[tuple[str, str]]:
    """Return channel and recipient of what arrived, in order."""
    return [(each.channel, each.recipient) for each in gateway.messages()]


def is_sending(gateway: Sandbox) -> bool:
    """Wait until the gateway holds a request; return whether it does."""
    return gateway.wait(lambda: any(fault.hits for fault in gateway.faults()), 60)


def states(outbox: Outbox) -> list[tuple[str, str]]:
    """Return channel and state of every row."""
    return [(row.channel, str(row.state)) for row in outbox]


# --- sending what is queued


def test_idle_threads_do_not_ask_with_each_batch(
    notifier: Notifier, outbox: Outbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each batch that goes out wakes whoever is idle; deliveries are looked for again only after a pause."""
    looked: list[float] = []
    watch_due = Outbox.watch_due

    def counted(self: Outbox, *args: Any, **fields: Any) -> list[Row]:  # noqa: ANN401 - those of watch_due
        looked.append(time.monotonic())
        return watch_due(self, *args, **fields)

    monkeypatch.setattr(Outbox, "watch_due", counted)
    for number in range(60):
        outbox.enqueue(message(text=f"disk {number} full"), watch=False)
    worker = Worker(notifier, outbox)
    began = time.monotonic()
    worker.run(once=True)
    assert 60 == outbox.counts().accepted
    # Two threads look, when the worker begins, when all is sent, and after each pause.
    assert len(looked) <= 2 * (3 + (time.monotonic() - began) / PAUSE)


@pytest.mark.parametrize(
    ("channel", "expected"), [("sms", "Sms/Send"), ("viber", "Viber/Send"), ("viber-sms", "Viber/SendWithResend")]
)
def test_a_row_is_sent_on_its_channel_and_watched(
    gateway: Sandbox, notifier: Notifier, outbox: Outbox, channel: str, expected: str
) -> None:
    """Every channel's rows go out by their own operation, and end delivered."""
    outbox.enqueue(message(channel=channel))
    drain(Worker(notifier, outbox))
    sends = [request.operation for request in gateway.requests() if request.method == "POST"]
    assert ([expected], [(channel, "delivered")]) == (sends, states(outbox))


def test_the_null_channel_sends_nothing(gateway: Sandbox, notifier: Notifier, outbox: Outbox) -> None:
    """For staging: accepted, and nothing is asked of the gateway."""
    outbox.enqueue(message(channel="null"))
    drain(Worker(notifier, outbox))
    assert ([], [("null", "accepted")]) == (gateway.requests(), states(outbox))


def test_many_recipients_go_in_bulk(gateway: Sandbox, notifier: Notifier, outbox: Outbox) -> None:
    """One text to many is one request a batch."""
    outbox.enqueue(message(*numbers(25)), watch=False)
    Worker(notifier, outbox, batch=10).run(once=True)
    sends = [request.operation for request in gateway.requests() if request.method == "POST"]
    assert (["Sms/SendBulk"] * 3, 25) == (sends, outbox.counts().accepted)


def test_title_sender_and_validity_are_the_messages_own(gateway: Sandbox, notifier: Notifier, outbox: Outbox) -> None:
    """What was enqueued is what goes out."""
    outbox.enqueue(message(title="disk", sender="Other", validity=7))
    drain(Worker(notifier, outbox))
    (found,) = gateway.messages()
    parameters = next(request.parameters for request in gateway.requests() if request.method == "POST")
    validity = {name.lower(): value for name, value in parameters.items()}["validity"]
    assert ("disk\ndisk full", "Other", ("7",)) == (found.text, found.sender, validity)


def test_a_message_without_a_sender_has_the_urls(gateway: Sandbox, notifier: Notifier, outbox: Outbox) -> None:
    """A raw message need not name one."""
    outbox.enqueue(message())
    drain(Worker(notifier, outbox))
    assert "DEVINO" == gateway.messages()[0].sender


def test_a_scheduled_message_is_left_to_the_gateway(gateway: Sandbox, notifier: Notifier, outbox: Outbox) -> None:
    """``send_at`` goes out with the message, which is sent at once."""
    when = datetime.now(UTC).replace(microsecond=0) + timedelta(hours=1)
    outbox.enqueue(message(send_at=when), watch=False)
    Worker(notifier, outbox).run(once=True)
    assert when == datetime.fromisoformat(gateway.messages()[0].send_at)


def test_a_late_message_goes_out_as_it_was_written(gateway: Sandbox, notifier: Notifier, outbox: Outbox) -> None:
    """The time of the event is kept beside the text; whoever wants it in the text, and in its segments, writes it."""
    happened = datetime(2026, 1, 28, 12, 0, tzinfo=UTC)
    (row,) = outbox.enqueue(message(), original_time=happened)
    drain(Worker(notifier, outbox))
    stored = outbox.message(row.message_id)
    assert ("disk full", happened) == (gateway.messages()[0].text, stored and stored.original_time)


@pytest.mark.parametrize("stranger", ["oncall", "8 916 123-45-67", "79161234567", "+7"])
def test_a_recipient_that_is_no_number_in_e164_is_refused(
    gateway: Sandbox, notifier: Notifier, outbox: Outbox, stranger: str
) -> None:
    """Aliases are resolved before a message is enqueued; the others of the message go out."""
    outbox.enqueue(message(stranger, OTHER))
    drain(Worker(notifier, outbox))
    refused, sent = outbox
    assert (RowState.NOT_SENT, "InvalidPhoneNumber", RowState.DELIVERED) == (refused.state, refused.error, sent.state)
    assert isinstance(refused.exception(), InvalidPhoneNumber)


def test_strangers_alone_reach_nobody(gateway: Sandbox, notifier: Notifier, outbox: Outbox) -> None:
    """Nothing is asked of the gateway where nobody is left."""
    outbox.enqueue(message("oncall"))
    drain(Worker(notifier, outbox))
    assert ([], [("sms", "not_sent")]) == (gateway.requests(), states(outbox))


def test_a_refused_row_is_final(gateway: Sandbox, notifier: Notifier, outbox: Outbox) -> None:
    """The gateway's no is not asked for again."""
    gateway.add_fault("error", operation="Sms/Send", code=2)
    outbox.enqueue(message())
    drain(Worker(notifier, outbox))
    assert [("sms", "rejected")] == states(outbox)


def test_an_unknown_row_is_never_sent_again(gateway: Sandbox, notifier: Notifier, outbox: Outbox) -> None:
    """The reply is swallowed: once on the wire, and left to a person."""
    gateway.add_fault("drop", operation="Sms/Send")
    outbox.enqueue(message())
    worker = Worker(notifier, outbox)
    drain(worker)
    drain(worker)
    assert ([("sms", "unknown")], [("sms", NUMBER)]) == (states(outbox), arrived(gateway))


def test_a_row_of_a_channel_that_is_gone_is_not_sent(gateway: Sandbox, notifier: Notifier, outbox: Outbox) -> None:
    """A plugin was removed: the row is kept, to be retried when it is back."""
    outbox.enqueue(message(channel="pigeon"))
    drain(Worker(notifier, outbox))
    assert [("pigeon", "not_sent")] == states(outbox)


def test_a_row_past_its_deadline_is_not_sent(gateway: Sandbox, notifier: Notifier, outbox: Outbox) -> None:
    """Old news is worse than none."""
    outbox.enqueue(message(), deadline=datetime.now(UTC) - timedelta(seconds=1))
    drain(Worker(notifier, outbox))
    assert ([("sms", "not_sent")], []) == (states(outbox), arrived(gateway))


def validities(gateway: Sandbox) -> list[str | None]:
    """Return the validity of each send, ``None`` where it has none."""
    sends = [request.parameters for request in gateway.requests() if request.method == "POST"]
    return [{name.lower(): value for name, value in each.items()}.get("validity", (None,))[0] for each in sends]


@pytest.mark.parametrize(("validity", "left", "expected"), [(7, 239, "3"), (3, 3000, "3"), (None, 239, None)])
def test_a_validity_ends_by_the_deadline(
    gateway: Sandbox, notifier: Notifier, outbox: Outbox, validity: int | None, left: int, expected: str | None
) -> None:
    """The gateway begins to count when it has the message, so it is told what is left of it, in whole minutes."""
    outbox.enqueue(message(validity=validity), deadline=datetime.now(UTC) + timedelta(seconds=left))
    drain(Worker(notifier, outbox))
    assert [expected] == validities(gateway)


def test_a_deadline_within_a_minute_leaves_no_validity(
    gateway: Sandbox, notifier: Notifier, outbox: Outbox, caplog: pytest.LogCaptureFixture
) -> None:
    """The gateway counts in minutes: what would be delivered too late is not sent, and whoever audits hears of it."""
    told: list[Outcome] = []

    class Audit:
        @hookimpl
        def devinotify_outcome_recorded(self, outcome: Outcome) -> None:
            told.append(outcome)

    notifier.plugins.register(Audit())
    outbox.enqueue(message(validity=7), deadline=datetime.now(UTC) + timedelta(seconds=59))
    drain(Worker(notifier, outbox))
    (row,) = outbox
    assert ([], RowState.NOT_SENT, EXPIRED) == (gateway.requests(), row.state, row.error_text)
    assert [(Verdict.NOT_SENT, row.id)] == [(outcome.verdict, outcome.row) for outcome in told]


def test_a_time_of_sending_is_not_cut(gateway: Sandbox, notifier: Notifier, outbox: Outbox) -> None:
    """What the gateway holds back it counts from then on: the deadline is for handing it over."""
    when = datetime.now(UTC).replace(microsecond=0) + timedelta(hours=1)
    outbox.enqueue(message(validity=7, send_at=when), deadline=datetime.now(UTC) + timedelta(minutes=3), watch=False)
    Worker(notifier, outbox).run(once=True)
    assert ["7"] == validities(gateway)


# --- what is out of reach


def test_what_did_not_reach_the_gateway_is_tried_again_later(unreachable: Notifier, outbox: Outbox) -> None:
    """After a backoff, until its deadline; ``once`` ends meanwhile, with the rest of the queue untouched."""
    outbox.enqueue(message(*numbers(4)))
    start = time.time()
    Worker(unreachable, outbox, batch=2).run(once=True)
    rows = list(outbox)
    assert ([1, 1, 0, 0], {RowState.QUEUED}, True) == (
        [row.attempts for row in rows],
        {row.state for row in rows},
        min(row.next_attempt_at or 0 for row in rows[:2]) > start + 2,
    )


def test_it_goes_out_when_the_gateway_is_back(
    gateway: Sandbox, notifier: Notifier, unreachable: Notifier, place: Place, ahead: Ahead
) -> None:
    """The outage is over, and so is the backoff."""
    with place.open() as outbox:
        outbox.enqueue(message())
        Worker(unreachable, outbox).run(once=True)
    ahead.by = 10
    with place.open() as outbox:
        outbox.adopt(unreachable.url.account, notifier.url.account)
        Worker(notifier, outbox).run(once=True)
        assert [("sms", NUMBER)] == arrived(gateway)


def test_it_is_given_up_at_its_deadline(unreachable: Notifier, outbox: Outbox) -> None:
    """A retry after the deadline is none."""
    outbox.enqueue(message(), deadline=datetime.now(UTC) + timedelta(seconds=2))
    Worker(unreachable, outbox).run(once=True)
    assert [("sms", "not_sent")] == states(outbox)


def test_a_worker_takes_a_breath_while_the_gateway_is_out_of_reach(unreachable: Notifier, outbox: Outbox) -> None:
    """Twice as long after each batch in vain, and the queue is not burnt through."""
    worker = Worker(unreachable, outbox, batch=1)
    outbox.enqueue(message(*numbers(20)))
    threading.Timer(1.5, worker.stop).start()
    worker.run()
    # At 0, then a quarter, a half and one second later; each takes the client's own tries besides.
    assert 1 <= sum(row.attempts > 0 for row in outbox) <= 4


# --- orders of a fallback, enqueued raw


def test_a_raw_order_is_handed_to_its_steps(gateway: Sandbox, notifier: Notifier, outbox: Outbox) -> None:
    """A row of sms-viber is the order; its steps are rows of their own, and tell the rest."""
    gateway.set_timeline("delivered", sms=[(0.0, 69)], viber=[(0.0, 2)])
    outbox.enqueue(message(channel="sms-viber"))
    drain(Worker(notifier, outbox))
    assert (
        [("sms-viber", "delivered"), ("sms", "failed"), ("viber", "delivered")],
        [("sms", NUMBER), ("viber", NUMBER)],
    ) == (
        states(outbox),
        arrived(gateway),
    )


def test_what_failed_on_both_is_sent_again_as_one_message(gateway: Sandbox, notifier: Notifier, outbox: Outbox) -> None:
    """The order is queued again, and takes its steps anew: none of the first try is sent besides."""
    gateway.set_timeline("delivered", sms=[(0.0, 69)], viber=[(0.0, 7)])
    outbox.enqueue(message(channel="sms-viber"))
    drain(Worker(notifier, outbox))
    assert [("sms-viber", "failed"), ("sms", "failed"), ("viber", "failed")] == states(outbox)
    assert 1 == outbox.retry_all(RowState.FAILED, undelivered=True)
    drain(Worker(notifier, outbox))
    assert {("sms", NUMBER): 2, ("viber", NUMBER): 2} == Counter(arrived(gateway))


def test_a_raw_order_has_the_workers_patience(gateway: Sandbox, tmp_path: Path, outbox: Outbox) -> None:
    """The settings of the worker's URL hold."""
    outbox.enqueue(message(channel="sms-viber"))
    with Notifier(f"{gateway.url}&patience=120") as notifier:
        Worker(notifier, outbox).run(once=True)
    (step,) = [row for row in outbox if row.channel == "sms"]
    assert 120.0 == (step.patience_until or 0) - (step.sent_at or 0)


def test_an_order_that_did_not_get_out_leaves_no_steps_behind(unreachable: Notifier, outbox: Outbox) -> None:
    """Each try would leave its own: the order is queued again, and they are forgotten."""
    outbox.enqueue(message(*numbers(2), channel="sms-viber"))
    Worker(unreachable, outbox).run(once=True)
    assert [("sms-viber", "queued")] * 2 == states(outbox)


# --- hooks and channels that fail


class Broken:
    """A channel that raises, and hooks that do."""

    name = "broken"
    max_length = 100
    segmented = True
    schedulable = True

    def __init__(self, raised: Exception) -> None:
        self.raised = raised

    def check_sender(self, sender: str) -> None:
        """Take any."""

    def send(self, message: Message, client: object) -> list[Outcome]:
        """Raise."""
        raise self.raised

    def state(self, receipt: Receipt, client: object) -> SmsState:
        """Raise."""
        raise self.raised

    @hookimpl
    def devinotify_register_channels(self) -> list[Broken]:
        """Bring itself."""
        return [self]


@pytest.mark.parametrize("raised", [ValueError("+79161234567"), RuntimeError()])
def test_a_channel_that_raises_loses_no_row(
    gateway: Sandbox, outbox: Outbox, raised: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    """It may have sent: unknown. The next row goes out, and no number is in the log."""
    with Notifier(gateway.url, plugins=make_plugin_manager(Broken(raised), discover=False)) as notifier:
        outbox.enqueue(message(channel="broken"))
        outbox.enqueue(message(OTHER))
        drain(Worker(notifier, outbox))
    assert [("broken", "unknown"), ("sms", "delivered")] == states(outbox)
    assert "79161234567" not in caplog.text


class Raising:
    """Hooks that raise before the send, after it, and when a state is seen."""

    @hookimpl
    def devinotify_outcome_recorded(self, message: Message, outcome: Outcome) -> None:
        """Raise."""
        raise ValueError

    @hookimpl
    def devinotify_status_changed(self, receipt: Receipt, state: SmsState) -> None:
        """Raise."""
        raise ValueError


def test_observers_that_raise_change_nothing(gateway: Sandbox, outbox: Outbox) -> None:
    """The row is sent, watched and delivered."""
    with Notifier(gateway.url, plugins=make_plugin_manager(Raising(), discover=False)) as notifier:
        outbox.enqueue(message())
        drain(Worker(notifier, outbox))
    assert [("sms", "delivered")] == states(outbox)


class Preparing:
    """A hook that raises before the send."""

    @hookimpl(tryfirst=True)
    def devinotify_prepare_message(self, message: Message) -> list[Message]:
        """Raise."""
        raise ValueError


def test_a_hook_that_raises_before_the_send_makes_it_not_sent(gateway: Sandbox, outbox: Outbox) -> None:
    """Nothing has gone out, and nothing does."""
    with Notifier(gateway.url, plugins=make_plugin_manager(Preparing(), discover=False)) as notifier:
        outbox.enqueue(message())
        drain(Worker(notifier, outbox))
    assert ([("sms", "not_sent")], []) == (states(outbox), arrived(gateway))


def test_status_changed_is_called_for_each_news(gateway: Sandbox, outbox: Outbox) -> None:
    """Sent, then delivered: two calls, whatever the number of looks."""
    seen: list[DeliveryStatus] = []

    class Observer:
        @hookimpl
        def devinotify_status_changed(self, state: SmsState) -> None:
            seen.append(state.whole_status)

    gateway.set_timeline("delivered", sms=[(0.0, -1), (2.0, 0)])
    with Notifier(gateway.url, plugins=make_plugin_manager(Observer(), discover=False)) as notifier:
        outbox.enqueue(message())
        drain(Worker(notifier, outbox))
    assert [DeliveryStatus.SENT, DeliveryStatus.DELIVERED] == seen


def test_one_that_does_not_look_sends_and_leaves_the_looks(
    gateway: Sandbox, notifier: Notifier, outbox: Outbox
) -> None:
    """What is queued goes out, and its delivery is due for whoever looks."""
    outbox.enqueue(message())
    Worker(notifier, outbox, looks=False).run(once=True)
    assert [("sms", "accepted")] == states(outbox)
    assert outbox.next_due() is not None
    assert not Worker(notifier, outbox, looks=False).turn()


def test_one_that_does_not_send_looks_and_leaves_the_queue(
    gateway: Sandbox, notifier: Notifier, outbox: Outbox
) -> None:
    """What was sent is looked at, and what is queued stays so."""
    outbox.enqueue(message())
    Worker(notifier, outbox, looks=False).run(once=True)
    outbox.enqueue(message(OTHER))
    until = time.monotonic() + LONGEST
    while outbox.counts().delivered == 0 and time.monotonic() < until:
        Worker(notifier, outbox, sends=False).run(once=True)
    assert [("sms", "delivered"), ("sms", "queued")] == states(outbox)


def test_one_that_does_neither_is_refused(notifier: Notifier, outbox: Outbox) -> None:
    """A worker that neither sends nor looks is a mistake."""
    with pytest.raises(InvalidInput, match="sends, or looks"):
        Worker(notifier, outbox, sends=False, looks=False)


@table("nap", [-1.0, float("inf"), float("nan")])
def test_a_nap_that_makes_no_sense_is_refused(notifier: Notifier, outbox: Outbox, nap: float) -> None:
    """Before it works, and not from a thread of its own."""
    with pytest.raises(InvalidInput, match="nap is a number of seconds"):
        Worker(notifier, outbox, nap=nap)


# --- the outbox's own trouble


class Troubled(Outbox):
    """An outbox whose file is locked for a while."""

    trouble: list[DevinotifyError] = []  # noqa: RUF012 - set for each test

    def claim(self, *arguments: Any, **options: Any) -> Batch | None:  # noqa: ANN401 - as the original
        """Raise what is in store, then claim."""
        if self.trouble:
            raise self.trouble.pop(0)
        return super().claim(*arguments, **options)


def locked(*, retryable: bool = True) -> DevinotifyError:
    """Return what the outbox raises while another process keeps it."""
    return DevinotifyError("outbox: another process has kept it locked", verdict=Verdict.NOT_SENT, retryable=retryable)


def test_a_locked_outbox_is_tried_again(
    gateway: Sandbox,
    notifier: Notifier,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """The worker says so, rests, and goes on."""
    with Troubled(tmp_path / "t.db", poll=0.02) as outbox:
        outbox.trouble = [locked(), locked()]
        outbox.enqueue(message())
        worker = Worker(notifier, outbox, nap=0.01)
        thread = threading.Thread(target=worker.run)
        thread.start()
        assert gateway.wait(lambda: bool(gateway.messages()), 60)
        worker.stop()
        ended(thread)
    assert 2 == sum("it is tried again" in record.message for record in caplog.records)


@pytest.mark.parametrize(("retryable", "once"), [(False, False), (True, True)])
def test_an_outbox_that_cannot_be_used_ends_the_worker(
    gateway: Sandbox, notifier: Notifier, tmp_path: Path, retryable: bool, once: bool
) -> None:
    """A damaged file, or one that is locked when there is only one try, is raised."""
    with Troubled(tmp_path / "t.db") as outbox:
        outbox.trouble = [locked(retryable=retryable)]
        with pytest.raises(DevinotifyError, match="locked"):
            Worker(notifier, outbox).run(once=once)


# --- several workers, and the end


def test_two_workers_never_send_the_same_row(gateway: Sandbox, notifier: Notifier, place: Place) -> None:
    """On one file, each of 300 recipients hears once."""
    with place.open() as first, place.open() as second:
        for start in range(0, 300, 100):
            first.enqueue(message(*numbers(100, 79160000000 + start)), watch=False)
        threads = [
            threading.Thread(target=Worker(notifier, outbox, batch=7).run, kwargs={"once": True})
            for outbox in (first, second)
        ]
        for thread in threads:
            thread.start()
        ended(*threads)
        found = [recipient for _, recipient in arrived(gateway)]
        assert (300, 300, 300) == (len(found), len(set(found)), first.counts().accepted)


def test_wait_and_a_worker_take_a_step_once(gateway: Sandbox, tmp_path: Path) -> None:
    """Both watch the same SMS; Viber goes out once, and wait hears of it either way."""
    gateway.set_timeline("delivered", sms=[(0.0, -1), (0.2, 69)], viber=[(0.0, 2)])
    url = f"{gateway.url}&channel=sms-viber&outbox={tmp_path}/o.db&poll=0.01"
    recipients = numbers(20)
    with Notifier(url) as waiting, Notifier(url) as working:
        worker = Worker(working)
        thread = threading.Thread(target=worker.run)
        thread.start()
        try:
            outcomes = waiting.wait(waiting.notify("hi", recipients), 60)
        finally:
            worker.stop()
            ended(thread)
    assert (
        {"delivered"},
        sorted([*(("sms", each) for each in recipients), *(("viber", each) for each in recipients)]),
    ) == (
        {str(outcome.status) for outcome in outcomes},
        sorted(arrived(gateway)),
    )


@pytest.mark.once(traced=True)
def test_what_a_dead_worker_was_sending_is_unknown(
    gateway: Sandbox, notifier: Notifier, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """A claim without an owner is closed when a worker starts, and said in the log."""
    with Outbox(tmp_path / "o.db") as outbox:
        outbox.enqueue(message())
        code = (
            "import os, signal, sys; from devinotify import Outbox; Outbox(sys.argv[1]).claim();"
            " os.kill(os.getpid(), signal.SIGKILL)"
        )
        finish(run_python(Path(outbox.name), code))
        Worker(notifier, outbox).run(once=True)
        assert ([("sms", "unknown")], []) == (states(outbox), arrived(gateway))
    assert "1 message was being sent when a worker died" in caplog.text


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_finishes_the_batch_and_no_more(
    gateway: Sandbox, notifier: Notifier, outbox: Outbox, number: signal.Signals
) -> None:
    """What is being sent is recorded; what is queued stays; the handlers are put back."""
    gateway.add_fault("latency", operation="Sms/SendBulk", seconds=60)
    outbox.enqueue(message(*numbers(20)), watch=False)
    worker = Worker(notifier, outbox, batch=10, connections=1)
    before = signal.getsignal(number)
    stopped = threading.Event()

    def stop() -> None:
        worker.stop()
        stopped.set()

    def interrupt() -> None:
        try:
            assert is_sending(gateway)
            os.kill(os.getpid(), number)
            assert stopped.wait(60)
        finally:
            gateway.remove_fault()

    with stopped_by_signals(stop), ThreadPoolExecutor(1) as pool:
        interrupted = pool.submit(interrupt)
        worker.run()
        interrupted.result(60)
    assert ([10, 10, 0], before) == (
        [getattr(outbox.counts(), name) for name in ("queued", "accepted", "claimed")],
        signal.getsignal(number),
    )


def test_a_signal_wakes_an_idle_worker(notifier: Notifier, outbox: Outbox) -> None:
    """It does not sleep its nap out."""
    worker = Worker(notifier, outbox, nap=60.0)
    start = time.monotonic()
    with stopped_by_signals(worker.stop):
        killer = threading.Timer(0.2, os.kill, (os.getpid(), signal.SIGTERM))
        killer.start()
        worker.run()
        ended(killer)
    assert time.monotonic() - start < 30


def test_run_may_look_after_signals_itself(gateway: Sandbox, notifier: Notifier, outbox: Outbox) -> None:
    """With ``signals`` it ends by SIGTERM in good order, and what handled that before does afterwards."""
    came: list[int] = []
    former = signal.signal(signal.SIGTERM, lambda number, _: came.append(number))
    try:
        outbox.enqueue(message(*numbers(2)), watch=False)
        worker = Worker(notifier, outbox, nap=60.0)

        def end() -> None:
            gateway.wait(lambda: len(gateway.messages()) == 2, 60)
            os.kill(os.getpid(), signal.SIGTERM)

        with ThreadPoolExecutor(1) as pool:
            over = pool.submit(end)
            worker.run(signals=True)
            over.result(60)
        assert ([], 2) == (came, outbox.counts().accepted)
        signal.raise_signal(signal.SIGTERM)
        assert [signal.SIGTERM] == came
    finally:
        signal.signal(signal.SIGTERM, former)


def test_one_with_nothing_to_send_is_known_to_be_alive(notifier: Notifier, place: Place, outbox: Outbox) -> None:
    """``outbox workers`` and what asks for a container's health count on it."""
    Worker(notifier, outbox).run(once=True)
    assert [os.getpid()] == [each.pid for each in place.open().workers()]


def test_a_second_signal_ends_it_at_once(gateway: Sandbox, notifier: Notifier, place: Place, outbox: Outbox) -> None:
    """Ctrl-C twice is an interrupt; what was being sent is unknown."""
    gateway.add_fault("latency", operation="Sms/SendBulk", seconds=60)
    outbox.enqueue(message(*numbers(2)))
    worker = Worker(notifier, outbox)
    former = signal.getsignal(signal.SIGINT)

    def interrupt() -> None:
        assert is_sending(gateway)
        os.kill(os.getpid(), signal.SIGINT)
        wait_until(lambda: signal.getsignal(signal.SIGINT) is former)  # two signals at once are one
        os.kill(os.getpid(), signal.SIGINT)

    thread = threading.Thread(target=interrupt)
    thread.start()
    with stopped_by_signals(worker.stop), pytest.raises(KeyboardInterrupt):
        worker.run()
    ended(thread)
    outbox.close()
    with place.open() as again:
        assert 2 == again.counts().unknown
    gateway.remove_fault()
    for left in threading.enumerate():
        if left.name.startswith("devinotify-worker"):
            ended(left)


def test_stopping_leaves_the_looks_to_the_next(
    gateway: Sandbox, notifier: Notifier, place: Place, ahead: Ahead
) -> None:
    """A stopped worker asks for no state any more."""
    with place.open() as outbox:
        outbox.enqueue(message())
        worker = Worker(notifier, outbox)
        worker.run(once=True)
        worker.stop()
        ahead.by = 3600.0
        worker.turn()
        assert [("sms", "accepted")] == states(outbox)


def test_each_batch_is_logged_without_personal_data(
    gateway: Sandbox, notifier: Notifier, outbox: Outbox, caplog: pytest.LogCaptureFixture
) -> None:
    """How many ended how, and why those that failed did."""
    caplog.set_level(logging.INFO, "devinotify")
    outbox.enqueue(message("oncall", *numbers(3)))
    drain(Worker(notifier, outbox))
    expected = r"batch \d+: 3 accepted, 1 not_sent \(the outbox sends to numbers in E\.164 "
    assert re.search(expected, caplog.text)
    assert not any(word in caplog.text for word in (*numbers(3), "disk full", "oncall"))


def test_a_row_is_watched_for_two_days_and_no_longer(
    gateway: Sandbox, notifier: Notifier, outbox: Outbox, ahead: Ahead
) -> None:
    """The gateway forgets a message after 48 hours: the watch closes, and the row stays accepted."""
    gateway.set_timeline("delivered", sms=[(0.0, -1)])
    outbox.enqueue(message())
    Worker(notifier, outbox).run(once=True)
    ahead.by = 48 * 3600 + 1
    Worker(notifier, outbox).run(once=True)
    assert ([("sms", "accepted")], None) == (states(outbox), outbox.next_due())


def test_errors_are_the_rows_own(gateway: Sandbox, unreachable: Notifier, outbox: Outbox) -> None:
    """What a row was not sent for is kept with it."""
    (row,) = outbox.enqueue(message())
    Worker(unreachable, outbox).run(once=True)
    found = outbox.get(row.id)
    assert isinstance(found.exception() if found else None, NotSent)


def test_garbage_is_collected_less_often_while_it_works() -> None:
    """And as often as before afterwards."""
    before = gc.get_threshold()
    with rare_collections():
        inside = gc.get_threshold()[0]
    assert (COLLECT_EVERY, before) == (inside, gc.get_threshold())


def test_idle_workers_ask_at_different_times(notifier: Notifier, outbox: Outbox) -> None:
    """Those that were started together, on many machines, are not a crowd with every nap."""
    naps = []
    for chance in (0.0, 0.5, 1.0):
        worker = Worker(notifier, outbox, nap=8.0, random=lambda chance=chance: chance)  # type: ignore[misc]
        naps.append(worker._idle())
    assert [8.0, 7.0, 6.0] == naps
