"""Why a run ends, each end by a channel in memory: no socket, no thread of a gateway, no second spent in pauses."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from devinotify import Message, Notifier, Outbox, make_plugin_manager
from devinotify import exceptions as errors
from devinotify.bulk import Campaign, Journal
from devinotify.bulk.sending import ENDS, End, Sending, Sent
from devinotify.delivery.dispatching import MOST_TROUBLES
from devinotify.delivery.rate_limit import Speed
from devinotify.exceptions import DevinotifyError, Verdict
from devinotify.outbox import RowState
from devinotify.outbox.memory import MemoryStore
from devinotify.outbox.states import BACKOFF
from tests.bulk.fake import Fake, run_within
from tests.noon import noon
from tests.outbox.support import Clock, numbers

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.bulk.fake import Answer


@pytest.fixture
def outbox(tmp_path: Path) -> Iterator[Outbox]:
    """Give the journal's outbox, with twenty recipients of one message in it."""
    with Outbox(tmp_path / "journal.db", retry_for=None) as opened:
        opened.enqueue(Message("hi", numbers(20), channel="fake"), watch=False)
        yield opened


def sending(
    notifier: Notifier, outbox: Outbox, *, most_troubles: int = MOST_TROUBLES, put_back: float = 0.1, **speed: int
) -> Sending:
    """Return a run of one connection and batches of five."""
    settings = Speed(**{"connections": 1, "batch": 5, **speed})
    return Sending(notifier, outbox, settings, most_troubles=most_troubles, put_back=put_back)


def always(error: DevinotifyError) -> Answer:
    """Return what refuses everything with one error."""
    return lambda message: error  # noqa: ARG005 - whatever it is


def states(outbox: Outbox) -> dict[str, int]:
    """Return how many rows stand where, without the zeros."""
    return {str(state): count for state, count in outbox.counts() if count}


def test_done(notifier: Notifier, outbox: Outbox, fake: Fake) -> None:
    """Everybody once, in batches; what was done and in how many segments is told."""
    run = sending(notifier, outbox)
    assert (End.DONE, Sent(accepted=20, segments=20)) == (run.run(), run.sent)
    assert [5, 5, 5, 5] == [len(some) for some in fake.sent]
    assert {1} == set(fake.got.values())


def test_limit(notifier: Notifier, outbox: Outbox, fake: Fake) -> None:
    """Exactly so many; the rest waits."""
    assert End.LIMIT is sending(notifier, outbox, limit=12).run()
    assert {"queued": 8, "accepted": 12} == states(outbox)
    assert 12 == sum(fake.got.values())


def test_stopped_before_it_began(notifier: Notifier, outbox: Outbox, fake: Fake) -> None:
    """Nothing is claimed."""
    run = sending(notifier, outbox)
    run.stop()
    assert (End.STOPPED, []) == (run.run(), fake.sent)


def test_stopped_by_whoever_watches(notifier: Notifier, outbox: Outbox, fake: Fake) -> None:
    """The batch under way is finished, and no other begun."""
    run = sending(notifier, outbox)

    def stop(message: Message) -> None:
        run.stop()

    fake.answer = stop
    assert (End.STOPPED, {"queued": 15, "accepted": 5}) == (run.run(), states(outbox))


@pytest.mark.parametrize(
    ("error", "end", "tried"),
    [
        (errors.NotEnoughCredits("x"), End.CREDITS, 5),
        (errors.InvalidSender("x"), End.REFUSED, 5),
        # Pauses of a quarter and of half a second lie between the three tries of a login.
        (errors.Unauthorized("x"), End.LOGIN, 15),
        (errors.Forbidden("x"), End.REFUSED, 5 + 1 + 1),
        (errors.InvalidOperation("x"), End.REFUSED, 5 + 1 + 1),
        (errors.PluginError("x"), End.PLUGIN, 5 + 1 + 1),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else None,
)
def test_what_the_account_is_refused_for_loses_nothing(
    notifier: Notifier, outbox: Outbox, fake: Fake, error: DevinotifyError, end: End, tried: int
) -> None:
    """Every recipient waits as if nothing had been tried, the cause is told, and few were tried to find it."""
    fake.answer = always(error)
    run = sending(notifier, outbox)
    assert (end, error, Sent()) == (run.run(), run.error, run.sent)
    assert ({"queued": 20}, {0}, tried) == (states(outbox), {row.attempts for row in outbox}, sum(fake.got.values()))


@pytest.mark.parametrize("error", [errors.Unauthorized("x"), errors.NotEnoughCredits("x"), errors.Forbidden("x")])
def test_set_right_it_goes_on_with_everybody(
    notifier: Notifier, outbox: Outbox, fake: Fake, error: DevinotifyError
) -> None:
    """The next run sends to all whom the account was refused for."""
    fake.answer = always(error)
    assert End.DONE is not sending(notifier, outbox).run()
    fake.answer = lambda message: None  # noqa: ARG005 - whatever it is
    assert (End.DONE, {"accepted": 20}) == (sending(notifier, outbox).run(), states(outbox))


def test_failing(notifier: Notifier, outbox: Outbox, fake: Fake) -> None:
    """One batch is unknown, then one recipient at a time, until it has gone wrong too often in a row."""
    fake.answer = always(errors.InternalServerError("x"))
    assert End.FAILING is sending(notifier, outbox, most_troubles=3).run()
    assert ([5, 1, 1], {"queued": 13, "unknown": 7}) == ([len(some) for some in fake.sent], states(outbox))


def test_somebody_who_is_refused_alone_holds_nobody_up(notifier: Notifier, outbox: Outbox, fake: Fake) -> None:
    """A refusal that names nobody is found to be about the one; the others are sent to once."""
    guilty = numbers(20)[7]
    fake.answer = lambda message: errors.Forbidden("x") if guilty in message.recipients else None
    assert (End.DONE, {"accepted": 19, "rejected": 1}) == (sending(notifier, outbox).run(), states(outbox))
    assert [guilty] == [row.recipient for row in outbox if row.state == "rejected"]


def test_a_refusal_that_passes_is_tried_again(notifier: Notifier, outbox: Outbox, fake: Fake) -> None:
    """A 429 puts the batch back; its recipients are sent to once."""
    again = errors.UnexpectedResponse("429", verdict=Verdict.REJECTED, retryable=True)
    left = [again]
    fake.answer = lambda message: left.pop() if left else None  # noqa: ARG005 - whatever it is
    assert (End.DONE, {"accepted": 20}) == (sending(notifier, outbox).run(), states(outbox))
    assert [5, 5, 5, 5, 5] == [len(some) for some in fake.sent]


# --- what is told while nothing goes out


def told(run: Sending) -> tuple[DevinotifyError | None, float | None]:
    """Return why nothing goes out, and the next try, as it is told the first time; the run ends by that."""
    found: list[tuple[DevinotifyError | None, float | None]] = []

    def observe(sent: Sent) -> None:
        trouble = run.trouble()
        if trouble[0] is not None:
            found.append(trouble)
            run.stop()

    assert End.STOPPED is run.run(observe, every=0.01)
    return found[0]


def test_the_next_try_is_that_of_what_waits_to_be_sent(notifier: Notifier, fake: Fake) -> None:
    """The soonest of it, wherever it stands in the journal; when a delivery is to be looked at does not count."""
    clock = Clock()
    with Outbox(MemoryStore(clock), random=lambda: 1.0) as outbox:
        outbox.enqueue(Message("sent", numbers(1), channel="fake"))
        assert End.DONE is sending(notifier, outbox).run()
        clock.now += 60  # a look is due
        outbox.enqueue(Message("later", numbers(1), channel="fake"), not_before=clock.datetime + timedelta(hours=1))
        outbox.enqueue(Message("now", numbers(1), channel="fake"))
        away = errors.NotSent("connection refused")
        fake.answer = always(away)
        assert (away, BACKOFF.pause(1)) == told(sending(notifier, outbox))


def test_the_next_try_waits_out_the_pause_that_the_gateway_asked_for(
    notifier: Notifier, outbox: Outbox, fake: Fake
) -> None:
    """What it has put back is due at once, and nothing goes out before the pause is over."""
    busy = errors.UnexpectedResponse("429", verdict=Verdict.REJECTED, retryable=True)
    busy.retry_after = 300.0
    fake.answer = always(busy)
    error, next_try = told(sending(notifier, outbox))
    assert (busy, True) == (error, next_try is not None and 200 < next_try <= 300)


def test_a_trouble_that_is_over_is_told_no_more(notifier: Notifier, outbox: Outbox, fake: Fake) -> None:
    """A batch that takes its time after it is not one that does not go out."""
    left = [errors.UnexpectedResponse("429", verdict=Verdict.REJECTED, retryable=True)]
    run = sending(notifier, outbox)
    told: list[tuple[DevinotifyError | None, float | None]] = []

    def answer(message: Message) -> DevinotifyError | None:
        told.extend([run.trouble(), run.trouble()])
        return left.pop() if left else None

    fake.answer = answer
    assert End.DONE is run.run()
    nothing = (None, None)
    # Of the five batches the second is tried after the trouble, and tells it; those after it do not.
    assert [nothing] * 2 == told[:2]
    assert ["429"] == [str(error) for error, _ in told[3:4]]
    assert [nothing] * 6 == told[4:]


def test_another_process_that_still_sends_is_told(notifier: Notifier, fake: Fake, tmp_path: Path) -> None:
    """What it has claimed is neither this run's nor a failure of it."""
    some, path = tmp_path / "a.txt", tmp_path / "journal.db"
    some.write_text("\n".join(numbers(10)))
    with Campaign(notifier, some, text="hi", channel="fake", journal=path) as campaign:
        assert End.LIMIT is campaign.run(Speed(limit=2)).end
        with Journal(path) as other:
            claimed = other.outbox.claim(3)
            assert claimed is not None
            result = campaign.run()
            assert (End.ELSEWHERE, 7, 3, None) == (
                result.end,
                result.tally.accepted,
                result.tally.in_flight,
                result.error,
            )
            other.outbox.release(claimed)
        result = campaign.run()
    assert (End.DONE, 10, dict.fromkeys(numbers(10), 1)) == (result.end, result.tally.accepted, dict(fake.got))


def test_every_end_is_told_in_words() -> None:
    """No run ends without saying why."""
    assert (10, set(End)) == (len(End), set(ENDS))


def test_what_comes_due_is_waited_for_by_the_journals_own_clock(notifier: Notifier) -> None:
    """A database's clock may be an hour ahead of this machine's: nobody waits an hour for what is due in a moment."""
    ahead = 3600.0
    with Outbox(MemoryStore(lambda: time.time() + ahead)) as outbox:
        soon = datetime.now(UTC) + timedelta(seconds=ahead + 0.2)
        outbox.enqueue(Message("soon", numbers(1), channel="fake"), not_before=soon)
        assert [End.DONE] == run_within(sending(notifier, outbox))


def test_what_is_put_back_comes_due_by_the_journals_own_clock(notifier: Notifier, fake: Fake) -> None:
    """It may be an hour behind this machine's: nobody waits an hour for what stands behind the others for a moment."""
    guilty = numbers(20)[7]
    fake.answer = lambda message: errors.Forbidden("x") if guilty in message.recipients else None
    with Outbox(MemoryStore(lambda: time.time() - 3600.0)) as outbox:
        outbox.enqueue(Message("hi", numbers(20), channel="fake"), watch=False)
        assert ([End.DONE], 19) == (run_within(sending(notifier, outbox)), outbox.counts().accepted)


@pytest.mark.parametrize(
    ("second", "expected"),
    [(None, End.OVER_LIMIT), (errors.NotSent("gone", retryable=False), End.DONE)],
    ids=["then it is sent", "then it is given up"],
)
def test_a_limit_that_is_full_of_what_does_not_leave_ends_no_run(
    tmp_path: Path, outbox: Outbox, fake: Fake, second: DevinotifyError | None, expected: End
) -> None:
    """One batch takes all the room and cannot leave; the other one, meanwhile, finds none: ten go out all the same."""
    plugins = make_plugin_manager(fake, discover=False)
    url = f"devino://a:b@DEVINO?gateway=http://127.0.0.1:1/rest&outbox={tmp_path / 'l.db'}&limit=10messages/day"
    url += f"&limit_zone={noon()}"

    def is_put_off() -> bool:
        return any(row.error == "LimitExceeded" for row in outbox.rows(states={RowState.QUEUED}))

    def answer(message: Message) -> DevinotifyError | None:
        if len(fake.sent) > 1:
            return second if message.recipients == fake.sent[0] else None
        until = time.monotonic() + 30
        while not is_put_off() and time.monotonic() < until:
            time.sleep(0.01)
        return errors.NotSent("refused", retryable=True)

    fake.answer = answer
    with Notifier(url, plugins=plugins) as notifier:
        run = sending(notifier, outbox, connections=2, batch=10)
        assert ([expected], 10) == (run_within(run), outbox.counts().accepted)


def test_a_limit_that_has_room_again_ends_no_run(notifier: Notifier, tmp_path: Path, fake: Fake) -> None:
    """After midnight a long pause is one like any other, and is waited for."""
    clock = Clock(time.time())
    with Outbox(tmp_path / "clock.db", retry_for=None, clock=clock) as outbox:
        soon = datetime.fromtimestamp(clock.now + 30, UTC)
        outbox.enqueue(Message("hi", numbers(5), channel="fake"), watch=False)
        later = datetime.fromtimestamp(clock.now + 7200, UTC)
        outbox.enqueue(Message("hi", numbers(6)[5:], channel="fake"), watch=False, not_before=later)
        run = sending(notifier, outbox)

        def answer(message: Message) -> DevinotifyError | None:
            if len(fake.sent) > 1:
                return None
            clock.now += 60  # by then the new period has begun
            return errors.LimitExceeded("enough", limit="5/day,recipient", resets_at=soon)

        fake.answer = answer

        looks: list[int] = []

        def observe(sent: Sent) -> None:
            clock.now += 1  # whoever was refused asks again in a second at the soonest
            looks.append(sent.done)
            if looks[-20:] == [5] * 20:  # it waits: nothing else is left to be done now
                run.stop()

        assert End.STOPPED is run.run(observe, every=0.02)
