"""The tasks in place: what they send, what they return, and when they fail."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from devinotify import (
    DevinotifyError,
    InvalidArgument,
    InvalidInput,
    InvalidPhoneNumber,
    InvalidSchedule,
    NotSent,
    RowState,
)

from devinotify_celery import DevinoTask, drain, get_notifier, notifiers, notify, send_sms, watch
from devinotify_celery.task import ALWAYS
from tests.brokers import free_port
from tests.conftest import NUMBER
from tests.workers import wait_for

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from devinotify import Outbox
    from devinotify.sandbox import Sandbox

OTHER = "+79031234567"
MASKED = "+7916***4567"


def told(result: Any) -> list[tuple[str, str]]:
    """Return recipient and verdict of each entry of a result."""
    return [(each["recipient"], each["verdict"]) for each in result.get(timeout=60)]


@pytest.fixture
def nobody(app: Any) -> int:
    """Let the app's gateway be one where nobody listens, and return its port."""
    port = free_port()
    app.conf.devinotify_url = f"devino://demo:demo@DEVINO?gateway=http://127.0.0.1:{port}/rest"
    return port


def test_a_message_is_sent(app: Any, gateway: Sandbox, outbox: Outbox) -> None:
    """It arrives once, and the result names the row, with nothing of number and text in it."""
    result = notify.delay("Your parcel is here", NUMBER).get(timeout=60)
    assert [("Your parcel is here", NUMBER)] == [(each.text, each.recipient) for each in gateway.messages()]
    (row,) = outbox
    (ids,) = [entry.pop("ids") for entry in result]
    assert [{"recipient": MASKED, "verdict": "accepted", "row": row.id}] == result
    assert [outbox.describe(row)["message_ids"]] == [ids]  # type: ignore[index]


def test_several_recipients_each_have_an_entry(app: Any, gateway: Sandbox) -> None:
    """In order of first appearance, each once."""
    result = notify.delay("Sale", [NUMBER, OTHER, "8 916 123-45-67"])
    assert [(MASKED, "accepted"), ("+7903***4567", "accepted")] == told(result)


def test_options_are_the_notifiers(app: Any, gateway: Sandbox, outbox: Outbox) -> None:
    """Title, channel, tags and a time of sending reach the message; a time may be text."""
    at = datetime.now(UTC).replace(microsecond=0) + timedelta(hours=1)
    notify.delay("sale", NUMBER, title="Shop", channel="viber", tags=["urgent"])
    notify.delay("later", NUMBER, send_at=at.isoformat())
    notify.delay("later too", NUMBER, send_at=at, deadline=at + timedelta(hours=1))
    first, second, third = (outbox.message(row.message_id).message for row in outbox)  # type: ignore[union-attr]
    assert ("viber", frozenset({"urgent"})) == (first.channel, first.tags)
    assert [at, at] == [second.send_at, third.send_at]


def test_send_sms_is_an_sms_whatever_the_channel(app: Any, gateway: Sandbox) -> None:
    """The account's channel is another's affair."""
    app.conf.devinotify_url = f"{gateway.url}&channel=viber"
    send_sms.delay("Hello", NUMBER).get(timeout=60)
    assert ["sms"] == [each.channel for each in gateway.messages()]


def test_a_time_that_is_none_is_refused(app: Any, gateway: Sandbox) -> None:
    """Text that is no time is an error, and nothing is sent."""
    with pytest.raises(InvalidInput, match="ISO 8601"):
        notify.delay("Hello", NUMBER, send_at="tomorrow").get(timeout=60)
    assert [] == gateway.messages()


# --- what the outbox decides


def test_a_task_that_comes_again_finds_its_row(app: Any, gateway: Sandbox, outbox: Outbox) -> None:
    """The same id sends once, whatever it is delivered with, and returns the same."""
    first = notify.apply(("Hello", NUMBER), task_id="one").get(timeout=60)
    again = notify.apply(("Hello again", NUMBER), task_id="one").get(timeout=60)
    assert first == again
    assert ["Hello"] == [each.text for each in gateway.messages()]
    assert ["one"] == [outbox.message(row.message_id).key for row in outbox]  # type: ignore[union-attr]


def test_what_a_dead_worker_had_is_unknown_and_never_sent(app: Any, gateway: Sandbox, outbox: Outbox) -> None:
    """A row of unknown outcome is returned as data."""
    get_notifier(app=app).enqueue("Hello", NUMBER, key="one")
    outbox.claim()
    notifiers.shared.close()  # as if its process had ended
    result = notify.apply(("Hello", NUMBER), task_id="one")
    assert [(MASKED, "unknown")] == told(result)
    assert [] == gateway.messages()


def test_an_answer_lost_is_returned_and_not_raised(app: Any, gateway: Sandbox) -> None:
    """What may have been sent is no failure, for which a task would be tried again."""
    gateway.add_fault("drop", number=NUMBER)
    assert [(MASKED, "unknown")] == told(notify.apply(("Hello", NUMBER), task_id="one"))
    assert [(MASKED, "unknown")] == told(notify.apply(("Hello", NUMBER), task_id="one"))


def test_what_the_gateway_refuses_fails_the_task(app: Any, gateway: Sandbox) -> None:
    """With the error, and again with the same one where it comes again; one request is made."""
    gateway.add_fault("error", number=NUMBER, code=2, times=1)
    for _ in range(2):
        with pytest.raises(InvalidArgument):
            notify.apply(("Hello", NUMBER), task_id="one").get(timeout=60)
    assert [] == gateway.messages()


def test_a_number_that_is_none_fails_the_task_after_the_others(app: Any, gateway: Sandbox) -> None:
    """The good ones get it once, however often the task comes."""
    for _ in range(2):
        with pytest.raises(InvalidPhoneNumber):
            notify.apply(("Hello", [NUMBER, "12"]), task_id="one").get(timeout=60)
    assert [NUMBER] == [each.recipient for each in gateway.messages()]


def test_what_did_not_leave_is_given_up_in_place(app: Any, nobody: int, outbox: Outbox) -> None:
    """A task that is run in place does not come again: nothing is left that somebody sends later."""
    with pytest.raises(NotSent):
        notify.delay("Hello", NUMBER).get(timeout=60)
    assert 0 == len(outbox)


def test_a_task_that_is_called_sends_each_time(app: Any, gateway: Sandbox) -> None:
    """A plain call has no id that it could be known by."""
    for _ in range(2):
        assert ["accepted"] == [each["verdict"] for each in notify("Hello", NUMBER)]
    assert 2 == len(gateway.messages())


def test_a_task_keeps_the_pace_of_the_outbox(app: Any, gateway: Sandbox, outbox: Outbox) -> None:
    """The pace that all share is booked, and a turn that is too far off to be waited for is given back."""
    outbox.set_pace(1000.0)
    assert [(MASKED, "accepted"), ("+7903***4567", "accepted")] == told(notify.delay("Hello", [NUMBER, OTHER]))
    outbox.set_pace(0.001)
    outbox.reserve(1)
    with pytest.raises(DevinotifyError):  # its turn is in a quarter of an hour, and it does not come again
        notify.delay("Later", NUMBER).get(timeout=60)
    assert outbox.reserve(0) <= 1000  # seconds, for the one that was booked above and no other
    assert ["Hello", "Hello"] == [each.text for each in gateway.messages()]


# --- tasks of one's own


def test_a_task_of_ones_own_names_its_further_sends(app: Any, gateway: Sandbox) -> None:
    """Two sends of one task are two messages; a second without a name is a mistake that is told."""

    @app.task(base=DevinoTask, bind=True)
    def order(self: Any, *steps: str | None) -> None:
        for step in steps:
            self.notify(f"Step {step}", NUMBER, step=step)

    for _ in range(2):
        order.apply((None, "second"), task_id="one").get(timeout=60)
    assert ["Step None", "Step second"] == [each.text for each in gateway.messages()]
    with pytest.raises(InvalidInput, match="names each further send"):
        order.apply((None, None), task_id="two").get(timeout=60)


def test_a_task_that_replaces_itself_sends_its_own(app: Any, gateway: Sandbox) -> None:
    """The id is the same, the message another."""

    for nesting, text in enumerate(("first", "second")):
        notify.push_request(id="one", called_directly=False, is_eager=True, replaced_task_nesting=nesting)
        try:
            assert 1 == len(notify.run(text, NUMBER))
        finally:
            notify.pop_request()
    assert ["first", "second"] == [each.text for each in gateway.messages()]


@pytest.mark.parametrize("when", [{"countdown": 5}, {"eta": datetime(2030, 1, 1, tzinfo=UTC)}, {"countdown": 0}])
def test_eta_and_countdown_are_refused(app: Any, gateway: Sandbox, when: dict[str, Any]) -> None:
    """With the advice to use send_at, and nothing is sent."""
    with pytest.raises(InvalidSchedule, match="send_at"):
        notify.apply_async(("Hello", NUMBER), **when)
    assert [] == gateway.messages()


def test_an_eta_that_nobody_was_asked_about_is_refused_by_the_worker(app: Any, gateway: Sandbox) -> None:
    """A task that came with one by send_task fails and sends nothing; a retry of our own may have one."""
    notify.push_request(id="one", eta="2030-01-01T00:00:00+00:00", called_directly=False, is_eager=True)
    try:
        with pytest.raises(InvalidSchedule, match="send_at"):
            notify.run("Hello", NUMBER)
        notify.request.retries = 1
        assert 1 == len(notify.run("Hello", NUMBER))
    finally:
        notify.pop_request()


def test_arguments_are_json(app: Any) -> None:
    """Another serialiser is refused."""
    with pytest.raises(InvalidInput, match="JSON"):
        notify.apply_async(("Hello", NUMBER), serializer="pickle")
    assert "json" == notify.serializer


def test_a_task_is_acknowledged_late(app: Any) -> None:
    """So that a lost worker's is delivered again, which is safe here alone."""
    assert (True, True) == (notify.acks_late, notify.reject_on_worker_lost)
    assert not drain.acks_late


def test_retries_end_with_the_deadline_and_not_by_their_number(app: Any) -> None:
    """A row that waits makes a retry when it is due, whatever number it is; the task's own number stays."""
    retried: dict[str, Any] = {}

    class Recording(DevinoTask):
        abstract = True

        def retry(self, *args: Any, **options: Any) -> Any:
            retried.update(options)
            return super().retry(*args, **options)

    app.conf.task_always_eager = False

    @app.task(base=Recording, bind=True, max_retries=1)
    def mine(self: Any) -> None:
        self.notify("Hello", NUMBER)

    app.conf.devinotify_url = f"devino://a:b@DEVINO?gateway=http://127.0.0.1:{free_port()}/rest"
    mine.push_request(id="one", retries=7, called_directly=False, args=(), kwargs={})
    try:
        with pytest.raises(Exception, match="Retry in"):
            mine.run()
    finally:
        mine.pop_request()
    assert ALWAYS == retried["max_retries"]
    assert 1 <= retried["countdown"] <= 5
    assert isinstance(retried["exc"], NotSent)
    assert not hasattr(mine, "override_max_retries")


# --- the bell


def test_a_bell_sends_what_was_enqueued_once(app: Any, gateway: Sandbox, outbox: Outbox) -> None:
    """What was enqueued goes out by a bell, and a second bell changes nothing; a look that is not due is not made."""
    gateway.set_timeline("delivered", sms=[(0.0, 0)])
    get_notifier(app=app).enqueue("Hello", [NUMBER, OTHER])
    for _ in range(2):
        drain.delay()
    assert 2 == len(gateway.messages())
    assert {RowState.ACCEPTED} == {row.state for row in outbox}
    watch.delay()  # not due yet: a look costs a request
    assert {RowState.ACCEPTED} == {row.state for row in outbox}


@pytest.fixture
def soon(app: Any, gateway: Sandbox) -> Callable[[], Outbox]:
    """Let deliveries be due almost at once; what it returns waits until all that are watched are, with their outbox."""
    app.conf.devinotify_url = f"{gateway.url}&poll=1ms"

    def due() -> Outbox:
        opened: Outbox = get_notifier(app=app).following().outbox
        wait_for(lambda: all((row.next_poll_at or 0.0) <= opened.now() for row in opened))
        return opened

    return due


def test_watch_looks_at_deliveries_and_sends_nothing(app: Any, gateway: Sandbox, soon: Callable[[], Outbox]) -> None:
    """What was delivered is so in the outbox by ``devinotify.watch`` and not by the bell; what is queued stays so."""
    gateway.set_timeline("delivered", sms=[(0.0, 0)])
    get_notifier(app=app).enqueue("Hello", NUMBER)
    drain.delay()
    get_notifier(app=app).enqueue("Later", OTHER)
    assert [RowState.ACCEPTED, RowState.QUEUED] == [row.state for row in soon()]
    watch.delay()
    assert [RowState.DELIVERED, RowState.QUEUED] == [row.state for row in soon()]
    drain.delay()
    assert [RowState.DELIVERED, RowState.ACCEPTED] == [row.state for row in soon()]
    drain.delay()  # its delivery is due, and it is not the bell's to look at
    assert [RowState.DELIVERED, RowState.ACCEPTED] == [row.state for row in soon()]
    assert ["Hello", "Later"] == [each.text for each in gateway.messages()]


def test_watch_takes_the_later_step_of_a_fallback(app: Any, gateway: Sandbox, soon: Callable[[], Outbox]) -> None:
    """An SMS that was not delivered is followed by a Viber message, once, whose delivery is looked at in its turn."""
    gateway.set_timeline("delivered", sms=[(0.0, 69)], viber=[(0.0, 2)])
    get_notifier(app=app).enqueue("Hello", NUMBER, channel="sms-viber")
    drain.delay()
    assert [("sms", NUMBER)] == [(each.channel, each.recipient) for each in gateway.messages()]
    for _ in range(3):
        soon()
        watch.delay()
        assert ["sms", "viber"] == [each.channel for each in gateway.messages()]
    assert [
        ("sms-viber", RowState.DELIVERED),
        ("sms", RowState.FAILED),
        ("viber", RowState.DELIVERED),
    ] == [(row.channel, row.state) for row in soon()]


def test_without_a_setting_the_outbox_is_the_environments(
    app: Any, gateway: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As everywhere in devinotify."""
    app.conf.devinotify_outbox = None
    monkeypatch.setenv("DEVINOTIFY_OUTBOX", str(tmp_path / "other.db"))
    assert [(MASKED, "accepted")] == told(notify.delay("Hello", NUMBER))
    assert (tmp_path / "other.db").is_file()
