"""What happens where a task cannot end yet: it comes again, and nothing is dropped on the way."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest
from celery.exceptions import MaxRetriesExceededError, Reject, Retry
from devinotify import DevinotifyError, NotSent, RowState, Verdict

from devinotify_celery import DevinoTask, get_notifier, notify, sending
from devinotify_celery.sending import Sending
from tests.conftest import NUMBER

if TYPE_CHECKING:
    from collections.abc import Iterator

    from devinotify import Outbox
    from devinotify.sandbox import Sandbox


@contextmanager
def delivered(task: Any, **request: Any) -> Iterator[None]:
    """Let a task be one that a broker has delivered."""
    task.app.conf.task_always_eager = False
    task.push_request(**{"id": "one", "called_directly": False, "args": ["Hello", NUMBER], "kwargs": {}, **request})
    try:
        yield
    finally:
        task.pop_request()


class Away:
    """An account whose outbox cannot be reached."""

    def __init__(self, *, retryable: bool) -> None:
        self.error = DevinotifyError("the outbox is away", verdict=Verdict.NOT_SENT, retryable=retryable)

    def get(self, using: str, *, app: Any) -> None:
        """Fail as the Notifier would."""
        raise self.error


def test_an_outbox_that_is_away_is_asked_again(app: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is stored yet: the broker keeps the message for as long as it takes."""
    monkeypatch.setattr("devinotify_celery.task.get_notifier", Away(retryable=True).get)
    with delivered(notify, retries=100), pytest.raises(Retry) as raised:
        notify.run("Hello", NUMBER)
    assert 1 <= raised.value.when <= 900


@pytest.mark.parametrize(("chance", "share"), [(1.0, 1.0), (0.0, 0.5)])
def test_the_pauses_grow(app: Any, monkeypatch: pytest.MonkeyPatch, chance: float, share: float) -> None:
    """They double to a quarter of an hour, each shortened by chance, to its half at most."""
    monkeypatch.setattr("devinotify_celery.task.get_notifier", Away(retryable=True).get)
    monkeypatch.setattr("random.random", lambda: chance)
    pauses = []
    for retries in range(10):
        with delivered(notify, retries=retries), pytest.raises(Retry) as raised:
            notify.run("Hello", NUMBER)
        pauses.append(raised.value.when)
    assert [share * longest for longest in (5, 10, 20, 40, 80, 160, 320, 640, 900, 900)] == pauses


def test_what_is_wrong_for_good_is_not_tried_again(app: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is an error."""
    monkeypatch.setattr("devinotify_celery.task.get_notifier", Away(retryable=False).get)
    with delivered(notify), pytest.raises(DevinotifyError, match="away"):
        notify.run("Hello", NUMBER)


def test_what_another_sends_is_waited_for(app: Any, gateway: Sandbox, outbox: Outbox) -> None:
    """A task that is delivered while it is at work elsewhere comes again, and sends nothing."""
    get_notifier(app=app).enqueue("Hello", NUMBER, key="one")
    batch = outbox.claim()
    with delivered(notify), pytest.raises(Retry) as raised:
        notify.run("Hello", NUMBER)
    assert sending.UNDER_WAY == raised.value.when
    assert batch is not None
    outbox.release(batch)
    assert [] == gateway.messages()


def test_a_task_never_waits_beyond_the_visibility_timeout(app: Any, outbox: Outbox) -> None:
    """Or each wait would make one more of it."""
    app.conf.broker_transport_options = {"visibility_timeout": 4}
    get_notifier(app=app).enqueue("Hello", NUMBER, key="one")
    batch = outbox.claim()
    with delivered(notify), pytest.raises(Retry) as raised:
        notify.run("Hello", NUMBER)
    assert 2 == raised.value.when
    assert batch is not None


def test_a_retry_that_cannot_be_sent_gives_the_task_back(app: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A broker that is away must not cost the message."""
    monkeypatch.setattr("devinotify_celery.task.get_notifier", Away(retryable=True).get)

    def away(*args: Any, **options: Any) -> None:
        raise notify.OperationalError("the broker is away")

    monkeypatch.setattr(app, "send_task", away)
    with delivered(notify), pytest.raises(Reject) as raised:
        notify.run("Hello", NUMBER)
    assert raised.value.requeue


def test_a_retry_that_is_wrong_is_not_given_back(app: Any) -> None:
    """It would come again and again at once; what is stored goes out by the next bell."""
    with delivered(notify, args=[]), pytest.raises(Reject) as raised:
        notify.retry(countdown=1)
    assert not raised.value.requeue


def test_retries_that_are_used_up_tell_no_arguments(app: Any) -> None:
    """Celery's own error would."""

    @app.task(base=DevinoTask, bind=True, max_retries=0)
    def mine(self: Any, text: str) -> None:
        raise self.retry(countdown=1)

    with delivered(mine, args=["Zx secret text"]), pytest.raises(MaxRetriesExceededError) as raised:
        mine.run("Zx secret text")
    assert "Zx" not in f"{raised.value!r} {vars(raised.value)}"


def test_a_retry_has_the_arguments_as_they_are(app: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Masked as they are in the request meanwhile."""
    from devinotify_celery.contexts import conceal

    sent: list[Any] = []

    def send(name: str, args: Any, kwargs: Any, **options: Any) -> None:
        sent.append((args, kwargs, options))

    monkeypatch.setattr(app, "send_task", send)
    with delivered(notify, args=["Hello", NUMBER], kwargs={"title": "Shop"}):
        conceal(notify.request)
        conceal(notify.request)
        assert (["***", "+7916***4567"], {"title": "***"}) == (notify.request.args, notify.request.kwargs)
        with pytest.raises(Retry):
            notify.retry(countdown=1)
        assert ["***", "+7916***4567"] == notify.request.args
    ((args, kwargs, options),) = sent
    assert (["Hello", NUMBER], {"title": "Shop"}) == (list(args), kwargs)
    assert "Hello" not in options["argsrepr"] + options["kwargsrepr"]


def test_what_another_has_claimed_is_waited_for_in_place(
    app: Any, gateway: Sandbox, outbox: Outbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A caller that will not come back is told how it ended, and what is queued is nobody's any more."""
    notifier = get_notifier(app=app)
    some = Sending(notifier, "one", "Hello", [NUMBER, "+79031234567"], {})
    first, _ = outbox
    claimed = outbox.claim(rows=[first])
    assert claimed is not None
    monkeypatch.setattr("time.sleep", lambda _: notifier.following().deliver(claimed))
    ended = some.cancel()
    assert [RowState.ACCEPTED, RowState.NOT_SENT] == [each.state for each in ended]
    assert [NUMBER] == [each.recipient for each in gateway.messages()]
    assert [first.id] == [row.id for row in outbox]


def test_what_was_claimed_as_it_was_to_be_given_up_is_waited_for(
    app: Any, gateway: Sandbox, outbox: Outbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between the look and the giving up another came: it ends there, once."""
    notifier = get_notifier(app=app)
    some = Sending(notifier, "one", "Hello", NUMBER, {})
    forget = outbox.forget
    batches: list[Any] = []

    def late(rows: Any) -> int:
        batches.append(outbox.claim())
        return forget(rows)

    monkeypatch.setattr(outbox, "forget", lambda rows: late(rows) if not batches else forget(rows))
    monkeypatch.setattr("time.sleep", lambda _: notifier.following().deliver(batches[0]))
    assert [RowState.ACCEPTED] == [each.state for each in some.cancel()]
    assert 1 == len(gateway.messages())


def test_a_turn_that_is_far_off_is_come_back_for(app: Any, gateway: Sandbox, outbox: Outbox) -> None:
    """At the outbox's pace, without keeping a process waiting."""
    outbox.set_pace(0.01)
    outbox.reserve(1)
    with delivered(notify), pytest.raises(Retry) as raised:
        notify.run("Hello", NUMBER)
    assert sending.LONGEST_TURN < raised.value.when <= 100
    assert ([RowState.QUEUED], []) == ([row.state for row in outbox], gateway.messages())


@pytest.mark.parametrize("taken", [0, 1, 2])
def test_a_turn_that_was_not_used_is_given_back(
    app: Any, gateway: Sandbox, outbox: Outbox, monkeypatch: pytest.MonkeyPatch, taken: int
) -> None:
    """Where another took rows between the booking and the claim, the pace is booked for what was sent and no more."""
    outbox.set_pace(1000.0)
    some = Sending(get_notifier(app=app), "one", "Hello", [NUMBER, "+79031234567"], {})
    reserve = outbox.reserve
    booked: list[int] = []
    others: list[Any] = []

    def late(number: int, account: str | None = None) -> float:
        if taken and not others:
            others.append(outbox.claim(taken))
        booked.append(number)
        return reserve(number, account)

    monkeypatch.setattr(outbox, "reserve", late)
    states = [each.state for each in some.send().standings]
    assert [RowState.CLAIMED] * taken + [RowState.ACCEPTED] * (2 - taken) == states
    assert (2, 2 - taken) == (booked[0], sum(booked))
    assert 2 - taken == len(gateway.messages())


def test_an_error_of_what_waits_is_told_with_the_retry(app: Any) -> None:
    """So that whoever reads the log knows why."""
    app.conf.devinotify_url = "devino://a:b@DEVINO?gateway=http://127.0.0.1:9/rest"
    with delivered(notify), pytest.raises(Retry) as raised:
        notify.run("Hello", NUMBER)
    assert isinstance(raised.value.exc, NotSent)
