"""What becomes of rows whatever hooks, channels and the file do: each gets an outcome, and none keeps the others."""

from __future__ import annotations

import logging
import sqlite3
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from devinotify import Client, Outbox
from devinotify.channels.batch import accepted as accepted_outcome
from devinotify.delivery.fallback import RULE, Fallback
from devinotify.delivery.sending import RECORD_AGAIN
from devinotify.delivery.tracking import Tracker
from devinotify.exceptions import DevinotifyError, NotSent, OutcomeUnknown, UnexpectedResponse, Verdict
from devinotify.models import DeliveryStatus, Message, Outcome, Receipt, SmsState
from devinotify.outbox import RowState
from tests.outbox.support import NUMBER, START, Clock, claim, state

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from devinotify.outbox import Row

OTHER = "+79161234568"


class Twin:
    """A channel and a notifier in memory: takes everything, and tells the states that it is given."""

    max_length = 1000
    segmented = True
    schedulable = True

    def __init__(self, name: str = "sms") -> None:
        self.name = name
        self.sent: list[Message] = []
        self.seen: list[tuple[Receipt, SmsState]] = []
        self.answers: list[Outcome] | None = None
        self.states: list[SmsState | Exception] = []
        self.raised: Exception | None = None
        self.recorded: list[Outcome] = []

    def check_sender(self, sender: str) -> None:
        """Take any."""

    def send(self, message: Message, client: object = None) -> list[Outcome]:
        """Take the message."""
        self.sent.append(message)
        if self.answers is not None:
            return self.answers
        at = datetime.fromtimestamp(START, UTC)
        return [
            accepted_outcome(message.channel, each, Receipt(each, ("id",), 1, message.channel, sent_at=at))
            for each in message.recipients
        ]

    def process(self, message: Message) -> Iterator[list[Outcome]]:
        """Yield the outcomes, then raise what there is to raise."""
        yield self.send(message)
        if self.raised is not None:
            raise self.raised

    def state(self, receipt: Receipt, client: Client) -> SmsState:
        """Tell the next state, the last one for ever."""
        found = self.states.pop(0) if len(self.states) > 1 else self.states[0]
        if isinstance(found, Exception):
            raise found
        return found

    def observe(self, receipt: Receipt, state: SmsState) -> None:
        """Take note."""
        self.seen.append((receipt, state))


class Second:
    """The same channel by another name, for the second step."""

    name = "viber"
    max_length = 1000
    segmented = False
    schedulable = False

    def __init__(self, twin: Twin) -> None:
        self.twin = twin

    def check_sender(self, sender: str) -> None:
        """Take any."""

    def send(self, message: Message, client: object) -> list[Outcome]:
        """Take the message."""
        return self.twin.send(message)

    def state(self, receipt: Receipt, client: Client) -> SmsState:
        """Tell the next state."""
        return self.twin.state(receipt, client)


@pytest.fixture
def outbox(tmp_path: Path, clock: Clock) -> Iterator[Outbox]:
    """Give an empty outbox."""
    with Outbox(tmp_path / "outbox.db", clock=clock) as opened:
        yield opened


@pytest.fixture
def twin() -> Twin:
    """Give a channel that serves as sms and as viber."""
    return Twin()


@pytest.fixture
def client() -> Iterator[Client]:
    """Give a client that is never used."""
    with Client("devino://a:b@DEVINO") as made:
        yield made


@pytest.fixture
def tracker(outbox: Outbox, twin: Twin, client: Client, clock: Clock) -> Tracker:
    """Give what is tested."""
    return made(outbox, twin, client, clock)


def made(outbox: Outbox, twin: Twin, client: Client, clock: Clock, **options: Any) -> Tracker:  # noqa: ANN401 - its own
    """Return a Tracker of these."""
    return Tracker(
        outbox,
        client,
        {"sms": twin, "viber": twin},
        fallbacks={"sms-viber": Fallback("sms-viber", twin, Second(twin))},
        account=client.url.account,
        send=twin.send,
        process=twin.process,
        observe=twin.observe,
        record=lambda _, outcomes: twin.recorded.extend(outcomes),
        **options,
    )


def begin(outbox: Outbox, outcomes: Sequence[Outcome] | None = None, **fields: Any) -> list[Row]:  # noqa: ANN401 - Message's
    """Return the rows of a fallback's first step, settled with these outcomes, or as accepted."""
    message = Message("hi", (NUMBER,), channel="sms-viber", **fields)
    batch = outbox.begin(message, channel="sms", patience=300, fallback=True, meta={RULE: "continue"})
    assert batch is not None
    receipt = Receipt(NUMBER, ("id",), 1, sent_at=datetime.fromtimestamp(START, UTC))
    outbox.settle(batch, outcomes or [Outcome(NUMBER, Verdict.ACCEPTED, "sms", receipt)])
    return list(outbox)


def states(outbox: Outbox) -> list[tuple[str, str]]:
    """Return channel and state of every row."""
    return [(row.channel, str(row.state)) for row in outbox]


# --- rows that the outbox ends


def test_a_row_that_expired_reaches_the_observers(tracker: Tracker, outbox: Outbox, twin: Twin, clock: Clock) -> None:
    """Its deadline passed while it was queued: nothing was sent, and whoever audits hears of it, once."""
    (row,) = outbox.enqueue(Message("hi", (NUMBER,)), deadline=datetime.fromtimestamp(clock.now + 60, UTC))
    clock.now += 61
    assert (None, None) == (outbox.claim(), outbox.claim())
    (told,) = twin.recorded
    assert (NUMBER, Verdict.NOT_SENT, "sms", row.id) == (told.recipient, told.verdict, told.channel, told.row)
    assert isinstance(told.error, NotSent)
    assert tracker.outbox is outbox


def claim_and_die(path: Path, clock: Clock) -> None:
    """Have another process claim all that is due, of whatever account, and end in mid-send."""
    script = (
        "import os, sys; from devinotify import Outbox\n"
        f"outbox = Outbox(sys.argv[1], clock=lambda: {clock.now})\n"
        "while outbox.claim(): pass\n"
        "os._exit(0)"
    )
    subprocess.run([sys.executable, "-c", script, str(path)], check=True, timeout=60)


def test_a_row_that_was_given_up_reaches_the_observers(
    outbox: Outbox, twin: Twin, client: Client, clock: Clock, tmp_path: Path
) -> None:
    """A worker ended in mid-send: its row is unknown, and whoever finds it tells the observers."""
    (row,) = outbox.enqueue(Message("hi", (NUMBER,)))
    claim_and_die(tmp_path / "outbox.db", clock)
    made(outbox, twin, client, clock)
    assert 1 == outbox.recover()
    (told,) = twin.recorded
    assert (Verdict.UNKNOWN, row.id, OutcomeUnknown) == (told.verdict, told.row, type(told.error))


def test_a_row_of_another_account_is_not_ours_to_tell(
    tracker: Tracker, outbox: Outbox, twin: Twin, clock: Clock
) -> None:
    """Who expires it by the way has no hooks of that account's."""
    deadline = datetime.fromtimestamp(clock.now + 60, UTC)
    outbox.enqueue(Message("hi", (NUMBER,)), deadline=deadline, account="other@example.com/rest")
    clock.now += 61
    outbox.claim()
    assert [] == twin.recorded
    assert tracker.account != "other@example.com/rest"


def test_a_row_of_another_account_that_was_given_up_is_not_ours_to_tell_either(
    tracker: Tracker, outbox: Outbox, twin: Twin, clock: Clock, tmp_path: Path
) -> None:
    """Whoever finds what a dead worker left gives up all of it, and tells the observers of his own."""
    theirs, ours = ("other@example.com/rest", tracker.account)
    rows = [row.id for account in (theirs, ours) for row in outbox.enqueue(Message("hi", (NUMBER,)), account=account)]
    claim_and_die(tmp_path / "outbox.db", clock)
    assert (2, 2) == (outbox.recover(), outbox.counts().unknown)
    assert rows[1:] == [told.row for told in twin.recorded]


def test_an_observer_that_breaks_ends_no_claim(
    tracker: Tracker, outbox: Outbox, clock: Clock, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Whatever is raised on the way, the next batch is claimed."""

    def fail(*_: object) -> None:
        raise RuntimeError

    monkeypatch.setattr(tracker, "_record", fail)
    outbox.enqueue(Message("hi", (NUMBER,)), deadline=datetime.fromtimestamp(clock.now + 60, UTC))
    outbox.enqueue(Message("ho", (OTHER,)))
    clock.now += 61
    assert [OTHER] == [row.recipient for row in claim(outbox).rows]
    assert "has ended: RuntimeError" in caplog.text


# --- deliver


def test_outcomes_come_in_the_order_of_the_rows(tracker: Tracker, outbox: Outbox, twin: Twin) -> None:
    """Whatever order they are told in, and whoever a plugin has added."""
    outbox.enqueue(Message("hi", (NUMBER, OTHER)))
    twin.answers = [Outcome(each, Verdict.REJECTED, "sms") for each in (OTHER, "+79990000000", NUMBER)]
    assert [NUMBER, OTHER] == [outcome.recipient for outcome in tracker.deliver(claim(outbox))]


def test_a_row_of_which_nothing_is_told_is_unknown(tracker: Tracker, outbox: Outbox, twin: Twin) -> None:
    """It may have been sent."""
    outbox.enqueue(Message("hi", (NUMBER, OTHER)))
    twin.answers = [Outcome(NUMBER, Verdict.REJECTED, "sms")]
    tracker.deliver(claim(outbox))
    assert [("sms", "rejected"), ("sms", "unknown")] == states(outbox)


def test_what_was_told_before_a_failure_counts(
    tracker: Tracker, outbox: Outbox, twin: Twin, caplog: pytest.LogCaptureFixture
) -> None:
    """The rest is unknown; the log names the failure without its words."""
    outbox.enqueue(Message("hi", (NUMBER, OTHER)))
    twin.answers = [Outcome(NUMBER, Verdict.REJECTED, "sms")]
    twin.raised = ValueError(OTHER)
    tracker.deliver(claim(outbox))
    assert ([("sms", "rejected"), ("sms", "unknown")], True, False) == (
        states(outbox),
        "ValueError was raised while it was being sent" in caplog.text,
        OTHER in caplog.text,
    )


class Locked(Outbox):
    """An outbox that is locked for so many times."""

    times = 0
    retryable = True

    def settle(self, *arguments: Any, **options: Any) -> dict[int, RowState]:  # noqa: ANN401 - as the original
        """Raise, or settle."""
        if self.times:
            self.times -= 1
            raise DevinotifyError("outbox: it is locked", verdict=Verdict.UNKNOWN, retryable=self.retryable)
        return super().settle(*arguments, **options)


def test_outcomes_are_recorded_as_soon_as_the_file_can_be_written(
    tmp_path: Path, twin: Twin, client: Client, clock: Clock
) -> None:
    """A full disk or a locked file is waited for, a little longer each time."""
    slept: list[float] = []
    with Locked(tmp_path / "o.db", clock=clock) as outbox:
        outbox.enqueue(Message("hi", (NUMBER,)))
        outbox.times = 2
        made(outbox, twin, client, clock, sleep=slept.append).deliver(claim(outbox))
        assert ((RECORD_AGAIN.pause(1), RECORD_AGAIN.pause(2)), [("sms", "accepted")]) == (tuple(slept), states(outbox))


@pytest.mark.parametrize(("retryable", "expected"), [(True, RECORD_AGAIN.tries), (False, 0)])
def test_outcomes_that_cannot_be_recorded_are_raised(
    tmp_path: Path, twin: Twin, client: Client, clock: Clock, retryable: bool, expected: int
) -> None:
    """After all tries, or at once where no try helps; the rows become unknown when the process ends."""
    slept: list[float] = []
    with Locked(tmp_path / "o.db", clock=clock) as outbox:
        outbox.enqueue(Message("hi", (NUMBER,)))
        outbox.times, outbox.retryable = 100, retryable
        with pytest.raises(DevinotifyError, match="locked"):
            made(outbox, twin, client, clock, sleep=slept.append).deliver(claim(outbox))
    with Outbox(tmp_path / "o.db") as again:
        assert (expected, 1) == (len(slept), again.counts().unknown)


def test_outcomes_are_kept_as_long_as_there_is_patience(
    tmp_path: Path, twin: Twin, client: Client, clock: Clock
) -> None:
    """A worker that runs waits for a database however long it is away; one that is to end gives up after all tries."""
    slept: list[float] = []
    with Locked(tmp_path / "o.db", clock=clock) as outbox:
        outbox.enqueue(Message("hi", (NUMBER,)))
        outbox.times = 50
        tracker = made(outbox, twin, client, clock, sleep=slept.append)
        tracker.sender.is_patient = lambda: True
        tracker.deliver(claim(outbox))
        assert (50, RECORD_AGAIN.most, [("sms", "accepted")]) == (len(slept), slept[-1], states(outbox))


def test_a_step_is_sent_as_it_was_prepared(tracker: Tracker, outbox: Outbox, twin: Twin) -> None:
    """A first step that a person queues again does not go through the plugins' preparation twice."""
    (row,) = begin(outbox, [Outcome(NUMBER, Verdict.REJECTED, "sms")])
    outbox.retry([row])
    twin.raised = ValueError()  # only process() would raise it
    tracker.deliver(claim(outbox))
    assert [("sms", "accepted")] == states(outbox)


# --- attend


def test_a_look_that_fails_is_repeated(
    tracker: Tracker, outbox: Outbox, twin: Twin, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    """An error of the gateway or a fault of the channel says nothing about the message."""
    caplog.set_level(logging.INFO)
    begin(outbox)
    twin.states = [UnexpectedResponse("an HTML page"), ValueError(NUMBER), state(DeliveryStatus.DELIVERED)]
    for _ in range(3):
        clock.now += 61
        tracker.attend(outbox.watch_due())
    assert ([("sms", "delivered")], True, True, False) == (
        states(outbox),
        "an HTML page" in caplog.text,
        "ValueError" in caplog.text,
        NUMBER in caplog.text,
    )


def test_who_asks_is_told_of_a_look_that_fails(tracker: Tracker, outbox: Outbox, twin: Twin) -> None:
    """With the row and the error as it was raised; a look that went well is not told."""
    begin(outbox)
    error = UnexpectedResponse("an HTML page")
    twin.states = [error, state(DeliveryStatus.SENT)]
    told: list[tuple[int, Exception]] = []
    for _ in range(2):
        tracker.attend(list(outbox), missed=lambda row, why: told.append((row.id, why)))
    assert [(next(iter(outbox)).id, error)] == told


def test_only_news_is_told(tracker: Tracker, outbox: Outbox, twin: Twin) -> None:
    """The same state twice is one call of the observers."""
    rows = begin(outbox)
    twin.states = [state(DeliveryStatus.SENT)]
    tracker.attend(rows)
    tracker.attend(list(outbox))
    assert [DeliveryStatus.SENT] == [found.status for _, found in twin.seen]


def test_a_row_whose_state_nobody_tells_goes_on_when_patience_is_over(
    tracker: Tracker, outbox: Outbox, twin: Twin, clock: Clock
) -> None:
    """Nobody can tell its state, and patience is all that is left."""
    begin(outbox)
    twin.states = [OutcomeUnknown("no answer")]
    clock.now += 299
    tracker.attend(outbox.watch_due())
    before = len(twin.sent)
    clock.now += 61
    tracker.attend(outbox.watch_due())
    assert (0, ["viber"]) == (before, [message.channel for message in twin.sent])


def test_a_clock_that_is_set_forward_cuts_no_patience_short(
    tmp_path: Path, twin: Twin, client: Client, clock: Clock
) -> None:
    """What was sent a second ago has waited for a second, whatever the clock shows; then patience runs on."""
    passed = [0.0]
    with Outbox(tmp_path / "o.db", clock=clock, monotonic=lambda: passed[0]) as outbox:
        tracker = made(outbox, twin, client, clock)
        begin(outbox)
        twin.states = [state(DeliveryStatus.SENT)]
        clock.now += 1 + 600
        passed[0] += 1
        tracker.attend(outbox.watch_due())
        before = len(twin.sent)
        clock.now += 300
        passed[0] += 300
        tracker.attend(outbox.watch_due())
        assert (0, ["viber"]) == (before, [message.channel for message in twin.sent])


def test_what_is_sent_after_the_clock_was_set_waits_by_it(
    tmp_path: Path, twin: Twin, client: Client, clock: Clock
) -> None:
    """No longer than its patience."""
    passed = [0.0]
    with Outbox(tmp_path / "o.db", clock=clock, monotonic=lambda: passed[0]) as outbox:
        tracker = made(outbox, twin, client, clock)
        clock.now += 600
        at = clock.datetime
        begin(outbox, [Outcome(NUMBER, Verdict.ACCEPTED, "sms", Receipt(NUMBER, ("id",), 1, sent_at=at))])
        twin.states = [state(DeliveryStatus.SENT)]
        clock.now += 301
        passed[0] += 301
        tracker.attend(outbox.watch_due())
        assert ["viber"] == [message.channel for message in twin.sent]


def test_a_watch_that_never_gets_an_answer_closes_after_two_days(
    tracker: Tracker, outbox: Outbox, twin: Twin, clock: Clock
) -> None:
    """Else a gateway that answers nothing would be asked for ever."""
    outbox.enqueue(Message("hi", (NUMBER,)))
    tracker.deliver(claim(outbox))
    twin.states = [UnexpectedResponse("no")]
    clock.now += 48 * 3600 + 1
    tracker.attend(outbox.watch_due())
    assert (None, [("sms", "accepted")]) == (outbox.next_due(), states(outbox))


def test_a_row_without_a_rule_is_closed(tracker: Tracker, outbox: Outbox, twin: Twin) -> None:
    """Whoever enqueued it with a fallback of their own decides; the worker does not ask again."""
    outbox.enqueue(Message("hi", (NUMBER,)), fallback=True)
    twin.answers = [Outcome(NUMBER, Verdict.REJECTED, "sms")]
    tracker.deliver(claim(outbox))
    tracker.attend(outbox.watch_due())
    assert (None, [("sms", "rejected")]) == (outbox.next_due(), states(outbox))


@pytest.mark.parametrize("error", [NotSent("no"), None])
def test_a_first_step_that_was_not_sent_is_the_end(tracker: Tracker, outbox: Outbox, error: DevinotifyError) -> None:
    """Its caller was told, and may have sent it again."""
    batch = outbox.begin(
        Message("hi", (NUMBER,), channel="sms-viber"),
        channel="sms",
        fallback=True,
        deadline=datetime.fromtimestamp(START, UTC),
        meta={RULE: "continue"},
    )
    assert batch is not None
    outbox.settle(batch, [Outcome(NUMBER, Verdict.NOT_SENT, "sms", error=error)])
    tracker.attend(outbox.watch_due())
    assert (None, [("sms", "not_sent")]) == (outbox.next_due(), states(outbox))


def test_rows_that_are_queued_or_being_sent_are_left_alone(tracker: Tracker, outbox: Outbox, twin: Twin) -> None:
    """They are somebody else's."""
    outbox.enqueue(Message("hi", (NUMBER, OTHER)))
    claim(outbox, 1)
    tracker.attend(list(outbox))
    assert ([("sms", "claimed"), ("sms", "queued")], []) == (states(outbox), twin.sent)


def test_rows_that_were_forgotten_meanwhile_are_passed_over(tracker: Tracker, outbox: Outbox, twin: Twin) -> None:
    """Nothing is sent for them, and nothing is raised."""
    rows = begin(outbox, [Outcome(NUMBER, Verdict.REJECTED, "sms")])
    outbox.forget(rows)
    tracker.attend(rows)
    assert [] == twin.sent


def test_a_row_that_is_forgotten_while_it_is_looked_at_keeps_nobody_waiting(
    tracker: Tracker, outbox: Outbox, twin: Twin, caplog: pytest.LogCaptureFixture
) -> None:
    """The log says so, and the next row has its turn."""
    outbox.enqueue(Message("hi", (NUMBER, OTHER)))
    tracker.deliver(claim(outbox))
    first, second = outbox
    twin.states = [state(DeliveryStatus.DELIVERED)]
    # As if the file had changed between reading the message and recording the state.
    tracker.attend([first._replace(id=99), second])
    assert ([("sms", "accepted"), ("sms", "delivered")], True) == (
        states(outbox),
        "row 99 could not be attended to: there is no row 99" in caplog.text,
    )


def test_a_step_that_cannot_be_written_is_taken_later(
    outbox: Outbox, twin: Twin, client: Client, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    """The row comes up again by itself."""
    (row,) = begin(outbox, [Outcome(NUMBER, Verdict.REJECTED, "sms")])
    tracker = made(outbox, twin, client, clock)
    with sqlite3.connect(outbox.name) as other:
        other.execute("CREATE TRIGGER full BEFORE INSERT ON rows BEGIN SELECT raise(ABORT, 'full'); END")
    other.close()
    tracker.attend([row])
    before = len(twin.sent)
    with sqlite3.connect(outbox.name) as other:
        other.execute("DROP TRIGGER full")
    other.close()
    tracker.attend(outbox.watch_due())
    assert (0, 1, True) == (before, len(twin.sent), "could not go on to the next channel" in caplog.text)


def test_a_step_that_another_worker_has_taken_is_not_taken_again(tracker: Tracker, outbox: Outbox, twin: Twin) -> None:
    """Two that read the same row: one sends."""
    rows = begin(outbox, [Outcome(NUMBER, Verdict.REJECTED, "sms")])
    tracker.attend(rows)
    tracker.attend(rows)
    assert ["viber"] == [message.channel for message in twin.sent]


@pytest.mark.parametrize("asked", [0, 1])
def test_stop_leaves_the_rest_for_later(tracker: Tracker, outbox: Outbox, twin: Twin, asked: int) -> None:
    """Before a look, and before a step."""
    rows = begin(outbox, [Outcome(NUMBER, Verdict.REJECTED, "sms")])
    answers = iter([False] * asked + [True] * 5)
    tracker.attend(rows, stop=lambda: next(answers))
    assert [] == twin.sent


def test_a_scheduled_step_is_queued_for_its_time(tracker: Tracker, outbox: Outbox, twin: Twin) -> None:
    """Refused before it was due: Viber waits in the queue."""
    when = datetime.now(UTC) + timedelta(hours=1)
    rows = begin(outbox, [Outcome(NUMBER, Verdict.REJECTED, "sms")], send_at=when)
    tracker.attend(rows)
    (_, viber) = outbox
    assert ([], RowState.QUEUED, when.timestamp()) == (twin.sent, viber.state, viber.next_attempt_at)


# --- look


def test_an_outcome_without_a_row_is_over(tracker: Tracker) -> None:
    """Nothing is known of it."""
    outcome = Outcome(NUMBER, Verdict.UNKNOWN, "sms-viber", error=OutcomeUnknown("perhaps"))
    assert (outcome, True) == tracker.look(outcome)


def test_a_step_that_another_process_is_taking_is_waited_for(tracker: Tracker, outbox: Outbox, clock: Clock) -> None:
    """Its outcome is open, so the whole is unknown and not over."""
    (row,) = begin(outbox, [Outcome(NUMBER, Verdict.REJECTED, "sms")])
    outbox.go_on([row], "viber")
    found, over = tracker.look(Outcome(NUMBER, Verdict.REJECTED, "sms-viber", row=row.id))
    assert (Verdict.UNKNOWN, False, 1) == (found.verdict, over, len(found.attempts))


def test_a_step_that_is_queued_is_taken_when_it_is_due(
    tracker: Tracker, outbox: Outbox, twin: Twin, clock: Clock
) -> None:
    """Not before; then by the look itself."""
    (row,) = begin(outbox, [Outcome(NUMBER, Verdict.REJECTED, "sms")])
    outbox.step_later([row], "viber", not_before=clock.datetime + timedelta(hours=1))
    outcome = Outcome(NUMBER, Verdict.REJECTED, "sms-viber", row=row.id)
    tracker.look(outcome)
    before = len(twin.sent)
    clock.now += 3600
    found, _ = tracker.look(outcome)
    assert (0, 1, Verdict.ACCEPTED) == (before, len(twin.sent), found.verdict)


def test_rows_that_vanish_during_a_look_end_it(outbox: Outbox, twin: Twin, client: Client, clock: Clock) -> None:
    """Somebody forgot them: the outcome stays as it was."""
    (row,) = begin(outbox)

    class Forgetful(Twin):
        def state(self, receipt: Receipt, client: Client) -> SmsState:
            outbox.forget([row])
            return state(DeliveryStatus.SENT)

    outcome = Outcome(NUMBER, Verdict.ACCEPTED, "sms-viber", row=row.id)
    assert (outcome, True) == made(outbox, Forgetful(), client, clock).look(outcome)


def test_an_outcome_tells_what_was_seen(tracker: Tracker, outbox: Outbox, twin: Twin) -> None:
    """State, price and receipt come from the outbox."""
    (row,) = begin(outbox)
    twin.states = [replace(state(DeliveryStatus.SENT), code=-1)]
    found, over = tracker.look(Outcome(NUMBER, Verdict.ACCEPTED, "sms-viber", row=row.id))
    assert (DeliveryStatus.SENT, -1, ("id",), False) == (
        found.status,
        found.state and found.state.code,
        found.receipt and found.receipt.message_ids,
        over,
    )


@pytest.mark.parametrize("retryable", [True, False])
def test_a_look_at_a_locked_outbox_is_repeated(
    tmp_path: Path, twin: Twin, client: Client, clock: Clock, retryable: bool
) -> None:
    """While it is locked nothing is known; one that is of no use any more is raised."""

    class Held(Outbox):
        def steps(self, row_id: int) -> list[Row]:
            raise DevinotifyError("outbox: it is locked", verdict=Verdict.NOT_SENT, retryable=retryable)

    outcome = Outcome(NUMBER, Verdict.ACCEPTED, "sms-viber", row=1)
    with Held(tmp_path / "held.db", clock=clock) as outbox:
        tracker = made(outbox, twin, client, clock)
        if retryable:
            assert (outcome, False) == tracker.look(outcome)
        else:
            with pytest.raises(DevinotifyError, match="locked"):
                tracker.look(outcome)
