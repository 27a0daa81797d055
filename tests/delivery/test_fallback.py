"""SMS first, Viber where it fails: the whole fallback through Notifier, against the real sandbox."""

from __future__ import annotations

import os
import signal
import threading
import time
import warnings
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devinotify import Client, Notifier, Outbox, Worker, hookimpl, make_plugin_manager
from devinotify.channels.batch import BATCH, accepted, failed
from devinotify.channels.direct import SMS, VIBER
from devinotify.delivery import storage as storages
from devinotify.delivery.fallback import Fallback, capped
from devinotify.delivery.policy import POLICY, Fate, NextStep
from devinotify.delivery.storage import Storage
from devinotify.delivery.story import is_over, joined, outcome_of
from devinotify.exceptions import (
    DevinotifyError,
    Forbidden,
    InvalidInput,
    InvalidSender,
    InvalidText,
    NotSent,
    OutcomeUnknown,
    UnexpectedResponse,
    Verdict,
    ViberRejected,
)
from devinotify.models import Attempt, DeliveryStatus, Message, Outcome, Receipt, SmsState
from devinotify.outbox import RowState
from devinotify.outbox.outbox import open_outbox
from devinotify.url import parse
from tests.cli.servers import free_port
from tests.tables import table
from tests.waiting import ended

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from devinotify import Channel
    from devinotify.outbox import Batch
    from devinotify.sandbox import Sandbox

NUMBER = "+79161234567"
OTHER = "+79161234568"
POLL = 0.02
"""Seconds between two looks in these tests."""

Make = Callable[..., Notifier]


@pytest.fixture
def gateway(gateway: Sandbox) -> Sandbox:
    """Give the gateway as new; every Viber message is delivered at once."""
    gateway.set_timeline("delivered", viber=[(0.0, 2)])
    return gateway


@pytest.fixture
def make(gateway: Sandbox, tmp_path: Path) -> Iterator[Make]:
    """Give what makes notifiers on one outbox, on sms-viber and with short pauses; all are closed in the end."""
    made: list[Notifier] = []

    def build(**options: Any) -> Notifier:  # noqa: ANN401 - those of Notifier
        url = f"{gateway.url}&channel=sms-viber&outbox={tmp_path / 'outbox.db'}"
        notifier = Notifier(options.pop("url", url), **{"poll": POLL, **options})
        made.append(notifier)
        return notifier

    yield build
    for notifier in made:
        notifier.close()


def sms_ends(gateway: Sandbox, *states: tuple[float, int]) -> None:
    """Let every SMS take these states, each so many seconds after it was sent; Viber is delivered at once."""
    gateway.set_timeline("delivered", sms=states, viber=[(0.0, 2)])


def sms_viber() -> Fallback:
    """Return the built-in fallback, for use by hand."""
    return Fallback("sms-viber", SMS, VIBER)


def posted(gateway: Sandbox) -> list[str]:
    """Return the sends that the gateway was asked for, in order."""
    return [str(request.operation) for request in gateway.requests() if request.method == "POST"]


def arrived(gateway: Sandbox) -> list[tuple[str, str]]:
    """Return channel and recipient of what the gateway took, in order; nobody may have been reached twice on one."""
    found = [(message.channel, message.recipient) for message in gateway.messages()]
    assert len(found) == len(set(found))
    return found


def steps(outcome: Outcome) -> list[tuple[str, str]]:
    """Return channel and verdict of each step."""
    return [(attempt.channel, str(attempt.verdict)) for attempt in outcome.attempts]


# --- the first step


@pytest.mark.parametrize("code", [6, 7])
def test_a_refusal_that_viber_may_not_share_goes_on_at_once(gateway: Sandbox, make: Make, code: int) -> None:
    """A sender or a right that SMS lacks: Viber within the same call, and the outcome is Viber's."""
    gateway.add_fault("error", operation="Sms/Send", code=code)
    (outcome,) = make().notify("hi", NUMBER)
    assert (Verdict.ACCEPTED, [("sms", "rejected"), ("viber", "accepted")], [("viber", NUMBER)]) == (
        outcome.verdict,
        steps(outcome),
        arrived(gateway),
    )


def test_a_refusal_without_a_known_code_goes_on(gateway: Sandbox, make: Make) -> None:
    """A 4xx that says nothing was sent nothing: Viber may try."""
    gateway.add_fault("status", operation="Sms/Send", status=403)
    (outcome,) = make().notify("hi", NUMBER)
    assert [("sms", "rejected"), ("viber", "accepted")] == steps(outcome)


@pytest.mark.parametrize("code", [1, 2, 3, 4, 5])
def test_a_refusal_that_viber_shares_is_the_end(gateway: Sandbox, make: Make, code: int) -> None:
    """A bad request, login or balance is no better on Viber."""
    gateway.add_fault("error", operation="Sms/Send", code=code)
    notifier = make()
    waited = notifier.wait(notifier.notify("hi", NUMBER), 60)
    assert ([[("sms", "rejected")]], []) == ([steps(outcome) for outcome in waited], arrived(gateway))


def test_a_gateway_out_of_reach_is_the_end(make: Make, tmp_path: Path) -> None:
    """What did not reach the gateway would not by Viber; the caller may send it again, so the outbox must not."""
    url = f"devino://a:b@DEVINO?gateway=http://127.0.0.1:{free_port()}/rest&channel=sms-viber&outbox={tmp_path}/o.db"
    notifier = make(url=url)
    (outcome,) = notifier.notify("hi", NUMBER)
    (row,) = notifier.following().outbox
    assert ([("sms", "not_sent")], True, RowState.NOT_SENT) == (
        steps(outcome),
        outcome.error is not None and outcome.error.retryable,
        row.state,
    )


@pytest.mark.parametrize("hours", [-1, 1])
def test_an_outbox_judges_by_its_own_clock(make: Make, tmp_path: Path, hours: int) -> None:
    """A database's may be off this machine's: what its caller was told is not sent is not tried behind his back."""
    url = f"devino://a:b@DEVINO?gateway=http://127.0.0.1:{free_port()}/rest&channel=sms-viber&outbox={tmp_path}/o.db"
    notifier = make(url=url)
    with Outbox(tmp_path / "other.db", clock=lambda: time.time() + 3600 * hours) as outbox:
        with notifier.storing(outbox):
            (outcome,) = notifier.notify("hi", NUMBER)
        assert (Verdict.NOT_SENT, [RowState.NOT_SENT]) == (outcome.verdict, [row.state for row in outbox])


def test_a_gateway_out_of_reach_is_not_asked_for_every_thousand(make: Make, tmp_path: Path) -> None:
    """Once it is out of reach, the recipients after those are not tried."""
    numbers = [f"+7916{number:07d}" for number in range(1_000_000, 1_000_001 + BATCH)]
    url = f"devino://a:b@DEVINO?gateway=http://127.0.0.1:{free_port()}/rest&channel=sms-viber&outbox={tmp_path}/o.db"
    notifier = make(url=url)
    outcomes = notifier.notify("hi", numbers)
    assert (numbers, {"NotSent"}, BATCH) == (
        [outcome.recipient for outcome in outcomes],
        {type(outcome.error).__name__ for outcome in outcomes},
        len(notifier.following().outbox),
    )


def test_what_our_own_checks_refuse_is_the_end(gateway: Sandbox, make: Make) -> None:
    """An empty text is no better on Viber."""
    (outcome,) = make().notify("  ", NUMBER)
    assert ([("sms", "not_sent")], True, []) == (
        steps(outcome),
        isinstance(outcome.error, InvalidText),
        posted(gateway),
    )


def test_after_an_unknown_sms_viber_goes_out_at_once(gateway: Sandbox, make: Make) -> None:
    """The reply is swallowed, so the SMS may have gone out: another channel is no second send on the same one."""
    gateway.add_fault("drop", operation="Sms/Send")
    (outcome,) = make().notify("hi", NUMBER)
    assert ([("sms", "unknown"), ("viber", "accepted")], Verdict.ACCEPTED, [("sms", NUMBER), ("viber", NUMBER)]) == (
        steps(outcome),
        outcome.verdict,
        arrived(gateway),
    )


@pytest.mark.parametrize("code", [8, 9])
def test_a_failure_of_the_gateway_is_unknown_and_goes_on(gateway: Sandbox, make: Make, code: int) -> None:
    """Codes 8 and 9 say nothing of what became of the SMS."""
    gateway.add_fault("error", operation="Sms/Send", code=code)
    (outcome,) = make().notify("hi", NUMBER)
    assert [("sms", "unknown"), ("viber", "accepted")] == steps(outcome)


def test_on_unknown_stop_ends_there(gateway: Sandbox, make: Make) -> None:
    """With on_unknown=stop the caller decides, and neither wait nor the outbox does."""
    gateway.add_fault("drop", operation="Sms/Send")
    notifier = make(on_unknown="stop")
    outcomes = notifier.wait(notifier.notify("hi", NUMBER), 60)
    assert ([("sms", "unknown")], [("sms", NUMBER)]) == (steps(outcomes[0]), arrived(gateway))


def test_options_in_code_come_before_the_clients_own(gateway: Sandbox, tmp_path: Path) -> None:
    """A notifier with a client of somebody else's keeps its own rule."""
    gateway.add_fault("drop", operation="Sms/Send")
    path = tmp_path / "o.db"
    with Client(gateway.url) as client, Notifier(client=client, on_unknown="stop", outbox=str(path)) as notifier:
        (outcome,) = notifier.notify("hi", NUMBER, channel="sms-viber")
    assert [("sms", "unknown")] == steps(outcome)


def test_an_sms_that_is_accepted_is_one_step(gateway: Sandbox, make: Make) -> None:
    """notify takes the first step and returns."""
    (outcome,) = make().notify("hi", NUMBER)
    assert ([("sms", "accepted")], ["Sms/Send"]) == (steps(outcome), posted(gateway))


def test_each_recipient_has_its_own_story(gateway: Sandbox, make: Make) -> None:
    """In one bulk one SMS is delivered, and another is lost and goes on."""
    gateway.set_fate("79161234568", "rejected")
    gateway.set_timeline("rejected", sms=[(0.0, 69)], viber=[(0.0, 2)])
    sms_ends(gateway, (0.0, 0))
    notifier = make()
    outcomes = notifier.wait(notifier.notify("hi", [NUMBER, OTHER]), 60)
    assert ([("sms", NUMBER), ("sms", OTHER), ("viber", OTHER)], [1, 2], {True}) == (
        arrived(gateway),
        [len(outcome.attempts) for outcome in outcomes],
        {outcome.status is not None and outcome.status.is_delivered for outcome in outcomes},
    )


# --- the later steps


@pytest.mark.parametrize("code", [10, 11, 41, 42, 46, 47, 48, 69, -98])
def test_an_sms_that_ends_undelivered_goes_on_in_wait(gateway: Sandbox, make: Make, code: int) -> None:
    """Every final state but delivered leads to Viber, once."""
    sms_ends(gateway, (0.0, code))
    notifier = make()
    (outcome,) = notifier.wait(notifier.notify("hi", NUMBER), 60)
    assert ([("sms", NUMBER), ("viber", NUMBER)], ["sms", "viber"], DeliveryStatus.DELIVERED) == (
        arrived(gateway),
        [attempt.channel for attempt in outcome.attempts],
        outcome.status,
    )


@pytest.mark.parametrize("code", [-1, -2, 99, 255])
def test_an_sms_that_is_late_goes_on_when_patience_is_over(
    gateway: Sandbox, make: Make, tmp_path: Path, code: int
) -> None:
    """Under way, queued or unknown: Viber follows after patience and not before."""
    sms_ends(gateway, (0.0, code))
    notifier = make(patience=300)
    ahead = [0]
    with Outbox(tmp_path / "other.db", clock=lambda: time.time() + ahead[0]) as outbox, notifier.storing(outbox):
        early = notifier.wait(notifier.notify("hi", NUMBER), 0.1)
        before = arrived(gateway)
        ahead[0] = 301
        notifier.wait(early, 1)
    assert ([("sms", NUMBER)], [("sms", NUMBER), ("viber", NUMBER)]) == (before, arrived(gateway))


def test_an_sms_that_is_delivered_is_the_end(gateway: Sandbox, make: Make) -> None:
    """Delivered within patience: wait ends, and Viber is never sent."""
    sms_ends(gateway, (0.1, 0))
    notifier = make(patience=30)
    (outcome,) = notifier.wait(notifier.notify("hi", NUMBER), 60)
    assert (DeliveryStatus.DELIVERED, [("sms", NUMBER)]) == (outcome.status, arrived(gateway))


def test_an_sms_that_is_delivered_late_ends_the_story_too(gateway: Sandbox, make: Make) -> None:
    """Viber is under way when the SMS arrives after all: the outcome is delivered."""
    gateway.set_timeline("delivered", sms=[(0.0, -1), (0.5, 0)], viber=[(0.0, 1)])
    notifier = make(patience=0.1)
    (outcome,) = notifier.wait(notifier.notify("hi", NUMBER), 60)
    assert (DeliveryStatus.DELIVERED, ["sms", "viber"], "sms") == (
        outcome.status,
        [attempt.channel for attempt in outcome.attempts],
        outcome.receipt and outcome.receipt.channel,
    )


def test_viber_may_fail_as_well(gateway: Sandbox, make: Make) -> None:
    """Both end undelivered: wait ends, and the outcome tells the last state."""
    gateway.set_timeline("delivered", sms=[(0.0, 69)], viber=[(0.0, 4)])
    notifier = make()
    (outcome,) = notifier.wait(notifier.notify("hi", NUMBER), 60)
    assert (DeliveryStatus.UNDELIVERED, [("sms", NUMBER), ("viber", NUMBER)]) == (outcome.status, arrived(gateway))


def test_viber_may_be_refused_as_well(gateway: Sandbox, make: Make) -> None:
    """Both are refused: rejected, with Viber's error and both attempts."""
    gateway.set_fate("79161234567", "forbidden")
    notifier = make()
    (outcome,) = notifier.notify("hi", NUMBER)
    assert (Verdict.REJECTED, [("sms", "rejected"), ("viber", "rejected")], True, []) == (
        outcome.verdict,
        steps(outcome),
        isinstance(outcome.error, ViberRejected),
        arrived(gateway),
    )


def test_viber_may_be_refused_later(gateway: Sandbox, make: Make) -> None:
    """An accepted SMS that is lost, and a refused Viber: accepted once, undelivered in the end."""
    sms_ends(gateway, (0.0, 69))
    gateway.add_fault("error", operation="Viber/Send", code=7)
    notifier = make()
    (outcome,) = notifier.wait(notifier.notify("hi", NUMBER), 60)
    assert ([("sms", "accepted"), ("viber", "rejected")], Verdict.ACCEPTED, DeliveryStatus.REJECTED) == (
        steps(outcome),
        outcome.verdict,
        outcome.status,
    )


def test_viber_that_is_not_sent_after_a_refused_sms_is_the_callers(gateway: Sandbox, make: Make) -> None:
    """Nothing was sent on either channel: not_sent, and the outbox does not try behind the caller's back."""
    gateway.add_fault("error", operation="Sms/Send", code=6)
    notifier = make(plugins=make_plugin_manager(NoViber(), discover=False))
    (outcome,) = notifier.notify("hi", NUMBER, channel="sms-pager")
    (_, pager) = notifier.following().outbox
    assert ([("sms", "rejected"), ("pager", "not_sent")], RowState.NOT_SENT) == (steps(outcome), pager.state)


@pytest.mark.parametrize("title", [None, "Alert"])
def test_a_text_that_is_too_long_for_a_later_step_is_refused_first(
    gateway: Sandbox, make: Make, title: str | None
) -> None:
    """Viber takes 1000 characters, title included: nothing is stored and nothing sent where they are more."""
    notifier = make()
    room = 1000 - (0 if title is None else len(title) + 1)
    (fits,) = notifier.notify("x" * room, NUMBER, title=title)
    (outcome,) = notifier.notify("x" * (room + 1), NUMBER, title=title)
    assert (Verdict.ACCEPTED, Verdict.NOT_SENT, InvalidText, 1, ["Sms/Send"]) == (
        fits.verdict,
        outcome.verdict,
        type(outcome.error),
        len(notifier.following().outbox),
        posted(gateway),
    )


def test_a_text_that_is_too_long_is_refused_first_by_hand_too(gateway: Sandbox) -> None:
    """As of any channel's ``send``: an outcome each, and nothing raised, stored or sent."""
    channel = sms_viber()
    with Client(gateway.url) as client:
        (outcome,) = channel.send(Message("x" * 1001, (NUMBER,), channel="sms-viber"), client)
    assert (Verdict.NOT_SENT, InvalidText, []) == (outcome.verdict, type(outcome.error), posted(gateway))


def test_wait_returns_at_the_timeout_with_what_is_known(gateway: Sandbox, make: Make) -> None:
    """A story that goes on is given back as it stands."""
    sms_ends(gateway, (0.0, -1))
    notifier = make(patience=30)
    start = time.monotonic()
    (outcome,) = notifier.wait(notifier.notify("hi", NUMBER), 0.2)
    assert (DeliveryStatus.SENT, True) == (outcome.status, time.monotonic() - start < 25)


def test_wait_gives_back_what_the_outbox_has_forgotten(gateway: Sandbox, make: Make) -> None:
    """Rows that somebody removed leave nothing to wait for."""
    notifier = make()
    outcomes = notifier.notify("hi", NUMBER)
    outbox = notifier.following().outbox
    outbox.forget(list(outbox))
    assert outcomes == notifier.wait(outcomes, 60)


def test_states_are_told_to_the_observers_of_both_steps(gateway: Sandbox, make: Make) -> None:
    """status_changed is called for the SMS and for Viber."""
    seen: list[tuple[str, str]] = []

    class Observer:
        @hookimpl
        def devinotify_status_changed(self, receipt: Receipt, state: SmsState) -> None:
            seen.append((receipt.channel, str(state.whole_status)))

    sms_ends(gateway, (0.0, 69))
    notifier = make(plugins=make_plugin_manager(Observer(), discover=False))
    notifier.wait(notifier.notify("hi", NUMBER), 60)
    assert [("sms", "rejected"), ("viber", "delivered")] == seen


# --- what is sent


@pytest.mark.parametrize(
    ("validity", "patience", "expected"),
    [(None, 300, 5), (3, 300, 3), (60, 300, 5), (0, 600, 10), (None, 90, 1), (None, 1, 1)],
)
def test_the_validity_of_the_sms_ends_with_patience(
    gateway: Sandbox, make: Make, validity: int | None, patience: float, expected: int
) -> None:
    """In minutes, at least one: an SMS still under way when Viber is sent would arrive as a second one."""
    notifier = make(patience=patience)
    notifier.url = notifier.url.with_options(**({} if validity is None else {"validity": validity}))
    notifier.notify("hi", NUMBER)
    parameters = {name.lower(): value for name, value in gateway.requests()[-1].parameters.items()}
    assert (str(expected),) == parameters["validity"]


@pytest.mark.parametrize(("validity", "expected"), [(60, "60"), (3000, "1440")])
def test_viber_has_the_validity_that_was_asked_for(gateway: Sandbox, make: Make, validity: int, expected: str) -> None:
    """Its own validity is not capped at patience, but at Viber's one day."""
    gateway.add_fault("error", operation="Sms/Send", code=6)
    notifier = make()
    notifier.url = notifier.url.with_options(validity=validity)
    notifier.notify("hi", NUMBER)
    parameters = {name.lower(): value for name, value in gateway.requests()[-1].parameters.items()}
    assert (expected,) == parameters["validity"]


def validities(gateway: Sandbox) -> list[tuple[str, str]]:
    """Return each request to send, with the validity in it."""
    return [
        (str(each.operation), {name.lower(): value[0] for name, value in each.parameters.items()}["validity"])
        for each in gateway.requests()
        if each.operation in ("Sms/Send", "Viber/Send")
    ]


def test_viber_has_what_is_left_of_a_one_time_code(gateway: Sandbox, make: Make) -> None:
    """In whole minutes, from when it was asked for; a message that is none has all that was asked for."""
    gateway.add_fault("error", operation="Sms/Send", code=6)
    notifier = make()
    notifier.url = notifier.url.with_options(validity=5)
    notifier.notify("hi", NUMBER, tags="one-time")
    notifier.notify("hi", NUMBER)
    assert [("Sms/Send", "5"), ("Viber/Send", "4"), ("Sms/Send", "5"), ("Viber/Send", "5")] == validities(gateway)


@pytest.mark.parametrize("fault", [{"kind": "error", "code": 6}, {"kind": "drop"}])
def test_a_one_time_code_that_has_no_minute_left_goes_on_no_more(
    gateway: Sandbox, make: Make, fault: dict[str, Any]
) -> None:
    """Its verdict is that of the first step, and no worker takes the second later."""
    gateway.add_fault(operation="Sms/Send", **fault)
    notifier = make()
    notifier.url = notifier.url.with_options(validity=1)
    outcomes = notifier.notify("hi", NUMBER, tags="one-time")
    (outcome,) = notifier.wait(outcomes, 1)
    expected = Verdict.REJECTED if "code" in fault else Verdict.UNKNOWN
    assert ([("sms", str(expected))], [("Sms/Send", "1")]) == (steps(outcome), validities(gateway))
    assert [None] == [row.next_poll_at for row in notifier.following().outbox]


@pytest.mark.parametrize(("waited", "sent"), [(119, ["3"]), (181, ["1"]), (239, ["1"]), (241, []), (3600, [])])
@pytest.mark.parametrize("ended", [False, True], ids=["late", "undelivered"])
def test_a_one_time_code_is_never_late(
    gateway: Sandbox, make: Make, tmp_path: Path, waited: int, sent: list[str], ended: bool
) -> None:
    """The step after an SMS that is late, or ends undelivered, lives until the code does, and no longer."""
    sms_ends(gateway, (0.0, 69 if ended else -1))
    notifier = make(patience=60)
    notifier.url = notifier.url.with_options(validity=5)
    ahead = [0]
    with Outbox(tmp_path / "other.db", clock=lambda: time.time() + ahead[0]) as outbox, notifier.storing(outbox):
        outcomes = notifier.notify("hi", NUMBER, tags="one-time")
        ahead[0] = waited
        Worker(notifier, outbox).run(once=True)
        assert [("Sms/Send", "1"), *(("Viber/Send", minutes) for minutes in sent)] == validities(gateway)
        assert 1 + len(sent) == len(outbox.steps(outcomes[0].row or 0))


@pytest.mark.parametrize(("left", "sent"), [(239, [("Sms/Send", "3"), ("Viber/Send", "2")]), (59, [])])
def test_a_one_time_code_that_was_queued_is_never_late(
    gateway: Sandbox, make: Make, left: int, sent: list[tuple[str, str]]
) -> None:
    """Its deadline is that of both steps."""
    gateway.add_fault("error", operation="Sms/Send", code=6)
    notifier = make()
    notifier.url = notifier.url.with_options(validity=5)
    notifier.enqueue("hi", NUMBER, tags="one-time", deadline=datetime.now(UTC) + timedelta(seconds=left))
    Worker(notifier).run(once=True)
    assert sent == validities(gateway)


@given(st.none() | st.integers(0, 10_080), st.floats(0, 172_800))
def test_capped_is_a_validity_within_patience(validity: int | None, patience: float) -> None:
    """Whatever is asked for: at least a minute, no more than asked for, and no more than patience where that allows."""
    found = capped(validity, patience)
    assert 1 <= found
    assert found * 60 <= max(patience, 60)
    assert not validity or found <= validity


def test_title_and_transliteration_are_part_of_both_steps(gateway: Sandbox, make: Make) -> None:
    """The text is made once, for the SMS, and goes out the same by Viber."""
    gateway.add_fault("drop", operation="Sms/Send")
    notifier = make()
    notifier.url = notifier.url.with_options(transliterate=True)
    notifier.notify("Привет", NUMBER, title="Дом")
    assert ["Dom\nPrivet", "Dom\nPrivet"] == [message.text for message in gateway.messages()]


def test_the_sender_must_do_for_both() -> None:
    """A sender of digits longer than Viber's is refused although SMS would take it."""
    with pytest.raises(InvalidSender):
        sms_viber().check_sender("123456789012345")


def test_the_longest_text_is_that_of_both() -> None:
    """A text that Viber could not take is no text for this channel."""
    assert 1000 == sms_viber().max_length


# --- scheduled


def test_the_viber_of_a_scheduled_sms_does_not_go_out_before_it(gateway: Sandbox, make: Make) -> None:
    """Refused at once, the SMS would have gone out later: Viber waits as long, and the outcome is open until then."""
    gateway.add_fault("error", operation="Sms/Send", code=6)
    notifier = make()
    when = datetime.now(UTC) + timedelta(seconds=1)
    (outcome,) = notifier.notify("hi", NUMBER, send_at=when)
    early = notifier.wait([outcome], 0.3)
    before = posted(gateway)
    (late,) = notifier.wait(early, 60)
    created = datetime.fromisoformat(gateway.messages()[0].created_at)
    assert (Verdict.UNKNOWN, ["Sms/Send"], Verdict.ACCEPTED, True) == (
        outcome.verdict,
        before,
        late.verdict,
        created >= when.replace(microsecond=0),
    )


def test_a_scheduled_sms_that_is_unknown_waits_with_viber_too(gateway: Sandbox, make: Make) -> None:
    """The instant counts whatever became of the first step."""
    gateway.add_fault("drop", operation="Sms/Send")
    notifier = make()
    (outcome,) = notifier.notify("hi", NUMBER, send_at=datetime.now(UTC) + timedelta(hours=1))
    (waited,) = notifier.wait([outcome], 0.2)
    assert ([("sms", "unknown")], ["Sms/Send"], Verdict.UNKNOWN) == (steps(outcome), posted(gateway), waited.verdict)


def test_a_scheduled_sms_that_is_lost_goes_on_after_its_time(gateway: Sandbox, make: Make) -> None:
    """Accepted, sent when it was due, and undelivered: Viber."""
    sms_ends(gateway, (0.0, 69))
    notifier = make()
    outcomes = notifier.notify("hi", NUMBER, send_at=datetime.now(UTC) + timedelta(seconds=1))
    notifier.wait(outcomes, 0.3)
    before = posted(gateway)
    notifier.wait(outcomes, 60)
    assert (["Sms/Send"], ["Sms/Send", "Viber/Send"]) == (before, posted(gateway))


def test_patience_of_a_scheduled_sms_begins_when_it_is_sent(gateway: Sandbox, make: Make) -> None:
    """An hour from now: nothing is overdue by then."""
    notifier = make(patience=0.1)
    outcomes = notifier.notify("hi", NUMBER, send_at=datetime.now(UTC) + timedelta(hours=1))
    notifier.wait(outcomes, 0.3)
    assert ["Sms/Send"] == posted(gateway)


@pytest.mark.parametrize(
    ("number", "zone"),
    # The latest clock of all that a Russian number may show is Kaliningrad's.
    [(NUMBER, "Europe/Kaliningrad"), ("+998901234567", "Asia/Tashkent"), ("+12125551234", "America/New_York")],
)
def test_a_wall_clock_is_that_of_the_numbers_own_zones(gateway: Sandbox, make: Make, number: str, zone: str) -> None:
    """A naive send_at is the recipient's own clock: Viber waits for the latest of their zones that shows it."""
    gateway.add_fault("error", operation="Sms/SendByTimeZone", code=6)
    notifier = make(plugins=make_plugin_manager(discover=False))
    local = datetime(2040, 6, 1, 8)  # noqa: DTZ001 - a wall clock, and no hour that one has twice or not at all
    notifier.notify("hi", number, send_at=local)
    (_, viber) = notifier.following().outbox
    due = local.replace(tzinfo=ZoneInfo(zone)).timestamp()
    assert ("viber", RowState.QUEUED, due) == (viber.channel, viber.state, viber.next_attempt_at)


@pytest.mark.parametrize(("tags", "sent"), [((), ["Sms/Send", "Viber/Send"]), ("one-time", ["Sms/Send"])])
def test_a_step_that_waits_is_tried_once_however_late(
    gateway: Sandbox, make: Make, tmp_path: Path, tags: str | tuple[str, ...], sent: list[str]
) -> None:
    """Where no worker ran for days after it was due, or the clock was as far behind: but a code is of no use then."""
    gateway.add_fault("error", operation="Sms/Send", code=6)
    notifier = make(plugins=make_plugin_manager(discover=False))
    ahead = [0.0]
    with Outbox(tmp_path / "other.db", clock=lambda: time.time() + ahead[0]) as outbox, notifier.storing(outbox):
        notifier.notify("hi", NUMBER, tags=tags, send_at=datetime.now(UTC) + timedelta(hours=1))
        ahead[0] = 72 * 3600
        Worker(notifier, outbox).run(once=True)
    assert sent == posted(gateway)


class Away:
    """A plugin for which Viber is out of reach."""

    @hookimpl
    def devinotify_send_message(self, message: Message, channel: Channel) -> list[Outcome] | None:
        """Send no Viber."""
        if channel.name != "viber":
            return None
        return [failed("viber", recipient, NotSent("out of reach", retryable=True)) for recipient in message.recipients]


def test_a_step_that_waits_is_tried_for_a_day_at_most(gateway: Sandbox, make: Make, tmp_path: Path) -> None:
    """From when it was due: one that fails days later is not tried again and again."""
    gateway.add_fault("error", operation="Sms/Send", code=6)
    notifier = make(plugins=make_plugin_manager(Away(), discover=False))
    ahead = [0.0]
    found = []
    with Outbox(tmp_path / "other.db", clock=lambda: time.time() + ahead[0]) as outbox, notifier.storing(outbox):
        notifier.notify("hi", NUMBER, send_at=datetime.now(UTC) + timedelta(hours=1))
        for ahead[0] in (2 * 3600, 26 * 3600):
            Worker(notifier, outbox).run(once=True)
            found += [row.state for row in outbox if row.channel == "viber"]
    assert [RowState.QUEUED, RowState.NOT_SENT] == found


def test_recipients_in_several_zones_have_each_their_own_time(gateway: Sandbox, make: Make) -> None:
    """One message by the wall clock to two countries: each second step is due by its own."""
    for operation in ("Sms/SendByTimeZoneToAddresses", "Sms/SendByTimeZone"):
        gateway.add_fault("error", operation=operation, code=6)
    notifier = make(plugins=make_plugin_manager(discover=False))
    local = datetime(2040, 6, 1, 8)  # noqa: DTZ001 - a wall clock
    notifier.notify("hi", ["+998901234567", "+12125551234"], send_at=local)
    due = [row.next_attempt_at for row in notifier.following().outbox if row.channel == "viber"]
    assert [local.replace(tzinfo=ZoneInfo(zone)).timestamp() for zone in ("Asia/Tashkent", "America/New_York")] == due


def test_patience_of_a_message_by_the_wall_clock_begins_at_its_own_hour(gateway: Sandbox, make: Make) -> None:
    """An SMS for 8:00 in Tashkent that is not delivered goes on five minutes later, not at the last 8:00 on earth."""
    notifier = make(plugins=make_plugin_manager(discover=False))
    local = (datetime.now(ZoneInfo("Asia/Tashkent")) + timedelta(hours=1)).replace(tzinfo=None, microsecond=0)
    notifier.notify("hi", "+998901234567", send_at=local)
    (row,) = notifier.following().outbox
    assert local.replace(tzinfo=ZoneInfo("Asia/Tashkent")).timestamp() + 300 == row.patience_until


def test_patience_of_a_first_step_that_is_sent_again_begins_at_its_own_hour(gateway: Sandbox, make: Make) -> None:
    """By whoever works on the outbox, as where it was sent at first."""
    gateway.add_fault("drop", operation="Sms/SendByTimeZone", times=1)
    notifier = make(plugins=make_plugin_manager(discover=False), on_unknown="stop")
    local = (datetime.now(ZoneInfo("Asia/Tashkent")) + timedelta(hours=1)).replace(tzinfo=None, microsecond=0)
    notifier.notify("hi", "+998901234567", send_at=local)
    outbox = notifier.following().outbox
    assert 1 == outbox.retry(list(outbox), force=True)
    Worker(notifier).run(once=True)
    (row,) = outbox
    due = local.replace(tzinfo=ZoneInfo("Asia/Tashkent")).timestamp()
    assert (RowState.ACCEPTED, due + 300) == (row.state, row.patience_until)


def test_an_hour_that_has_passed_at_the_recipients_begins_patience_now(gateway: Sandbox, make: Make) -> None:
    """It has not passed everywhere on earth, so it is taken, and sent at once: nothing is overdue by then."""
    notifier = make(plugins=make_plugin_manager(discover=False))
    local = (datetime.now(ZoneInfo("Asia/Tashkent")) - timedelta(hours=1)).replace(tzinfo=None)
    before = time.time()
    (outcome,) = notifier.notify("hi", "+998901234567", send_at=local)
    (row,) = notifier.following().outbox
    assert row.patience_until is not None
    assert before + 300 <= row.patience_until <= time.time() + 300
    notifier.wait([outcome], 0)
    assert ["Sms/SendByTimeZone"] == posted(gateway)


@pytest.mark.parametrize("channel", ["sms", "sms-viber"])
@pytest.mark.parametrize("stored", [False, True], ids=["notify", "enqueue"])
def test_a_delivery_is_looked_at_from_its_own_hour_on(
    gateway: Sandbox, make: Make, channel: str, *, stored: bool
) -> None:
    """And told of by it, not by the last such hour on earth, a day later."""
    notifier = make(plugins=make_plugin_manager(discover=False))
    local = (datetime.now(ZoneInfo("Asia/Tashkent")) + timedelta(hours=1)).replace(tzinfo=None, microsecond=0)
    due = local.replace(tzinfo=ZoneInfo("Asia/Tashkent"))
    if stored:
        notifier.enqueue("hi", "+998901234567", channel=channel, send_at=local)
        Worker(notifier).run(once=True)
    else:
        (outcome,) = notifier.notify("hi", "+998901234567", channel=channel, send_at=local)
        told = [outcome.receipt, *(attempt.receipt for attempt in outcome.attempts)]
        assert [due, due] == [receipt and receipt.sent_at for receipt in told]
    looks = [row.next_poll_at for row in notifier.following().outbox if row.channel == "sms"]
    assert ([] if channel == "sms" and not stored else [due.timestamp() + POLL]) == looks


def test_a_time_that_has_passed_holds_nothing_back(gateway: Sandbox, make: Make) -> None:
    """A send_at in the past is now; what is decided in wait goes out at once."""
    gateway.add_fault("error", operation="Sms/Send", code=6)
    notifier = make()
    (outcome,) = notifier.wait(notifier.notify("hi", NUMBER, send_at=datetime.now(UTC) - timedelta(seconds=5)), 60)
    assert [("sms", "rejected"), ("viber", "accepted")] == steps(outcome)


# --- the outbox


def test_an_outbox_that_cannot_be_written_is_told_at_construction(gateway: Sandbox, tmp_path: Path) -> None:
    """One line that names the file, before anything is sent."""
    with pytest.raises(InvalidInput, match=r"outbox .*/no/o\.db: its folder does not exist") as caught:
        Notifier(f"{gateway.url}&channel=sms-viber&outbox={tmp_path}/no/o.db")
    assert 1 == len(str(caught.value).splitlines())


def test_other_channels_need_no_outbox(gateway: Sandbox, tmp_path: Path) -> None:
    """SMS alone writes nothing down, and cares for no file."""
    with Notifier(f"{gateway.url}&outbox={tmp_path}/no/o.db") as notifier:
        assert [Verdict.ACCEPTED] == [outcome.verdict for outcome in notifier.notify("hi", NUMBER)]


def test_the_channel_without_a_notifier_takes_the_clients_settings(gateway: Sandbox, tmp_path: Path) -> None:
    """A channel that is used by hand keeps its rows where the client's URL says, and tells states by the receipt."""
    gateway.set_timeline("delivered", sms=[(3600.0, 0)])  # queued until long after the test
    channel = sms_viber()
    with Client(f"{gateway.url}&outbox={tmp_path}/o.db") as client:
        (outcome,) = channel.send(Message("hi", (NUMBER,)), client)
        assert outcome.receipt is not None
        state = channel.state(outcome.receipt, client)
    channel.close()
    channel.close()
    with Outbox(tmp_path / "o.db") as outbox:
        assert (1, "queued") == (len(outbox), state.status)


def test_a_full_outbox_sends_nothing(gateway: Sandbox, tmp_path: Path) -> None:
    """Without a row there is no send: the recipients that found no room are not_sent."""
    with Outbox(tmp_path / "o.db", max_rows=1) as outbox, Client(gateway.url) as client:
        channel = sms_viber().bound(Storage(lambda: client.url, outbox))
        outcomes = channel.send(Message("hi", (NUMBER, OTHER)), client)
        again = channel.send(Message("hi", (NUMBER,)), client)
        verdicts = [str(outcome.verdict) for outcome in [*outcomes, *again]]
    assert (["accepted", "not_sent", "not_sent"], [("sms", NUMBER)]) == (verdicts, arrived(gateway))


class Pager:
    """A channel of a third party's, which refuses everything before it is sent."""

    name = "pager"
    max_length = 2000
    segmented = False
    schedulable = False

    def check_sender(self, sender: str) -> None:
        """Take every sender."""

    def send(self, message: Message, client: Client) -> list[Outcome]:
        """Refuse."""
        return [failed(self.name, recipient, InvalidInput("not on duty")) for recipient in message.recipients]

    def state(self, receipt: Receipt, client: Client) -> SmsState:
        """Know nothing."""
        return SmsState(DeliveryStatus.UNKNOWN, 255)


class NoViber:
    """A plugin that brings a fallback from SMS to a pager."""

    @hookimpl
    def devinotify_register_channels(self) -> list[Channel]:
        """Bring it."""
        return [Fallback("sms-pager", SMS, Pager())]


class Failing(Outbox):
    """An outbox whose disk is full for some of its operations."""

    failing: tuple[str, ...] = ()

    def _fail(self, operation: str) -> None:
        if operation in self.failing:
            raise DevinotifyError("the disk is full", verdict=Verdict.NOT_SENT, retryable=True)

    def begin(self, *arguments: Any, **options: Any) -> Batch | None:  # noqa: ANN401 - as the original
        """Begin, or fail."""
        self._fail("begin")
        return super().begin(*arguments, **options)

    def settle(self, *arguments: Any, **options: Any) -> dict[int, RowState]:  # noqa: ANN401 - as the original
        """Settle, or fail."""
        self._fail("settle")
        return super().settle(*arguments, **options)

    def go_on(self, *arguments: Any, **options: Any) -> Batch | None:  # noqa: ANN401 - as the original
        """Go on, or fail."""
        self._fail("go_on")
        return super().go_on(*arguments, **options)


@pytest.mark.parametrize(
    ("failing", "rule", "expected"),
    [
        # Not written down, so not sent.
        ("begin", "continue", ([], Verdict.NOT_SENT)),
        # The row will be taken for unknown, from which the outbox goes on, or not.
        ("settle", "continue", (["Sms/Send"], Verdict.UNKNOWN)),
        ("settle", "stop", (["Sms/Send"], Verdict.REJECTED)),
        # The step is left to a worker, so nobody else may send it: unknown.
        ("go_on", "continue", (["Sms/Send"], Verdict.UNKNOWN)),
    ],
)
def test_a_disk_that_is_full_sends_nothing_that_is_not_written_down(
    gateway: Sandbox, tmp_path: Path, failing: str, rule: str, expected: tuple[list[str], Verdict]
) -> None:
    """Each step is written before it is taken, or it is not taken; and who may send again is told the truth."""
    gateway.add_fault("error", operation="Sms/Send", code=6)
    with Failing(tmp_path / "o.db") as outbox, Client(f"{gateway.url}&on_unknown={rule}") as client:
        outbox.failing = (failing,)
        channel = sms_viber().bound(Storage(lambda: client.url, outbox))
        (outcome,) = channel.send(Message("hi", (NUMBER,)), client)
    assert expected == (posted(gateway), outcome.verdict)


def test_a_worker_does_not_take_the_step_that_notify_is_about_to(gateway: Sandbox, tmp_path: Path) -> None:
    """Between the refusal and Viber the row is offered to nobody else, else the caller would be told wrong."""
    gateway.add_fault("error", operation="Sms/Send", code=6)
    offered: list[int] = []

    class Watched(Outbox):
        def go_on(self, *arguments: Any, **options: Any) -> Batch | None:  # noqa: ANN401 - as the original
            offered.append(len(self.watch_due()))
            return super().go_on(*arguments, **options)

    with Watched(tmp_path / "o.db") as outbox, Client(gateway.url) as client:
        channel = sms_viber().bound(Storage(lambda: client.url, outbox))
        channel.send(Message("hi", (NUMBER,)), client)
    assert [0] == offered


# --- any two channels


class Line:
    """A channel of a third party's that logs in nowhere: answers and states are what a test puts there."""

    segmented = False
    schedulable = False

    def __init__(self, name: str, max_length: int = 100) -> None:
        self.name = name
        self.max_length = max_length
        self.sent: list[str] = []
        self.error: DevinotifyError | None = None
        self.status = DeliveryStatus.SENT

    def check_sender(self, sender: str) -> None:
        """Take every sender."""

    def send(self, message: Message, client: Client) -> list[Outcome]:
        """Take the message, or refuse it."""
        if self.error is not None:
            return [failed(self.name, recipient, self.error) for recipient in message.recipients]
        self.sent += message.recipients
        now = datetime.now(UTC)
        return [
            accepted(self.name, to, Receipt(to, (f"{self.name}-1",), 1, self.name, sent_at=now))
            for to in message.recipients
        ]

    def state(self, receipt: Receipt, client: Client) -> SmsState:
        """Tell the status."""
        assert (f"{self.name}-1",) == receipt.message_ids
        return SmsState(self.status, 0)


class Bringing:
    """A plugin that brings channels."""

    def __init__(self, *channels: Channel) -> None:
        self.channels = list(channels)

    @hookimpl
    def devinotify_register_channels(self) -> list[Channel]:
        """Bring them."""
        return self.channels


@pytest.fixture
def lines() -> tuple[Line, Line]:
    """Give two channels of a third party's."""
    return Line("horn"), Line("drum", 50)


@pytest.fixture
def make_signal(gateway: Sandbox, tmp_path: Path, lines: tuple[Line, Line]) -> Iterator[Make]:
    """Give what makes notifiers on a fallback over these two, on one outbox, as a plugin brings it."""
    made: list[Notifier] = []

    def build(**options: Any) -> Notifier:  # noqa: ANN401 - those of Notifier
        plugins = make_plugin_manager(Bringing(Fallback("signal", *lines)), discover=False)
        url = f"{gateway.url}&channel=signal&outbox={tmp_path / 'signal.db'}"
        made.append(Notifier(url, plugins=plugins, **{"poll": POLL, **options}))
        return made[-1]

    yield build
    for notifier in made:
        notifier.close()


def test_a_fallback_over_two_channels_of_a_plugins(
    gateway: Sandbox, make_signal: Make, lines: tuple[Line, Line]
) -> None:
    """Refused on the first, taken on the second; no Devino account is asked for, so nobody logs in."""
    lines[0].error = Forbidden("no", code=7)
    (outcome,) = make_signal().notify("hi", NUMBER)
    assert ([("horn", "rejected"), ("drum", "accepted")], "signal", []) == (
        steps(outcome),
        outcome.channel,
        gateway.requests(),
    )


@pytest.mark.parametrize(
    ("error", "rule", "expected"),
    [
        (Forbidden("no", code=7), "continue", [("horn", "rejected"), ("drum", "accepted")]),
        (InvalidInput("no"), "continue", [("horn", "not_sent")]),
        (NotSent("no"), "continue", [("horn", "not_sent")]),
        (OutcomeUnknown("perhaps"), "continue", [("horn", "unknown"), ("drum", "accepted")]),
        (OutcomeUnknown("perhaps"), "stop", [("horn", "unknown")]),
    ],
)
def test_the_policy_holds_for_any_two_channels(
    make_signal: Make, lines: tuple[Line, Line], error: DevinotifyError, rule: str, expected: list[tuple[str, str]]
) -> None:
    """What became of the first step decides, whatever the channels are called."""
    lines[0].error = error
    (outcome,) = make_signal(on_unknown=rule).notify("hi", NUMBER)
    assert expected == steps(outcome)


def test_a_policy_of_ones_own(gateway: Sandbox, tmp_path: Path, lines: tuple[Line, Line]) -> None:
    """What follows a fate is the fallback's table to say."""
    policy = {**POLICY, (Fate.REFUSED_HERE, "continue"): NextStep.NOTHING}
    plugins = make_plugin_manager(Bringing(Fallback("signal", *lines, policy=policy)), discover=False)
    lines[0].error = Forbidden("no", code=7)
    with Notifier(f"{gateway.url}&channel=signal&outbox={tmp_path}/o.db", plugins=plugins) as notifier:
        (outcome,) = notifier.notify("hi", NUMBER)
    assert [("horn", "rejected")] == steps(outcome)


@pytest.mark.parametrize("status", [DeliveryStatus.UNDELIVERED, DeliveryStatus.SENT])
def test_another_process_goes_on_with_two_channels_of_a_plugins(
    make_signal: Make, lines: tuple[Line, Line], status: DeliveryStatus
) -> None:
    """Accepted, then the process ends: a worker of another one watches, and goes on where it is lost or late."""
    first = make_signal(patience=0.2)
    first.notify("hi", NUMBER)
    first.close()
    lines[0].status = status
    second = make_signal()
    worker = Worker(second)
    until = time.monotonic() + 60
    while not lines[1].sent and time.monotonic() < until:
        worker.turn()
    lines[1].status = DeliveryStatus.DELIVERED
    assert (1, 1) == (len(lines[0].sent), len(lines[1].sent))
    assert ["horn", "drum"] == [row.channel for row in worker.outbox]


def test_wait_watches_two_channels_of_a_plugins(make_signal: Make, lines: tuple[Line, Line]) -> None:
    """wait takes the later step and tells the states of both."""
    lines[0].status, lines[1].status = DeliveryStatus.EXPIRED, DeliveryStatus.READ
    notifier = make_signal()
    (outcome,) = notifier.wait(notifier.notify("hi", NUMBER), 60)
    assert ([("horn", "accepted"), ("drum", "accepted")], DeliveryStatus.READ) == (steps(outcome), outcome.status)


def test_a_fork_while_the_outbox_is_being_opened(
    gateway: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A thread of the parent is at it when the process is forked: the child opens its own, and does not hang."""
    parent, begun, may_end = os.getpid(), threading.Event(), threading.Event()
    opens = open_outbox

    def open_slowly(given: str | None, **options: Any) -> Outbox:  # noqa: ANN401 - the function's own
        if os.getpid() == parent:
            begun.set()
            may_end.wait(60)
        return opens(given, **options)

    monkeypatch.setattr(storages, "open_outbox", open_slowly)
    settings = parse(f"{gateway.url}&outbox={tmp_path}/o.db")
    storage = Storage(lambda: settings)
    thread = threading.Thread(target=storage.open)
    thread.start()
    assert begun.wait(60)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # Python 3.12 on: a process with threads is forked
        child = os.fork()
    if child == 0:  # pragma: no cover - measured in the parent
        signal.alarm(20)
        storage.open()
        os._exit(0)
    _, status = os.waitpid(child, 0)
    may_end.set()
    ended(thread)
    storage.close()
    assert 0 == status


def test_several_fallbacks_in_one_notifier(gateway: Sandbox, tmp_path: Path, lines: tuple[Line, Line]) -> None:
    """Each goes on by its own channels, although they share an outbox."""
    horn, drum = lines
    horn.status = drum.status = DeliveryStatus.UNDELIVERED
    horn_first, drum_first = Fallback("horn-drum", horn, drum), Fallback("drum-horn", drum, horn)
    plugins = make_plugin_manager(Bringing(horn_first, drum_first), discover=False)
    with Notifier(f"{gateway.url}&outbox={tmp_path}/o.db", plugins=plugins, poll=POLL) as notifier:
        told = [
            notifier.wait(notifier.notify("hi", NUMBER, channel=name), 60)[0] for name in ("horn-drum", "drum-horn")
        ]
    assert [["horn", "drum"], ["drum", "horn"]] == [[step.channel for step in outcome.attempts] for outcome in told]


def test_one_fallback_in_two_notifiers(gateway: Sandbox, tmp_path: Path, lines: tuple[Line, Line]) -> None:
    """A plugin of the process brings the same object to each: what one of them stores is not the other's."""
    plugin = Bringing(Fallback("signal", *lines))
    notifiers = [
        Notifier(
            f"{gateway.url}&channel=signal&outbox={tmp_path}/{name}.db",
            plugins=make_plugin_manager(plugin, discover=False),
        )
        for name in ("one", "two")
    ]
    notifiers[0].notify("hi", NUMBER)
    stored = [len(notifier.following().outbox) for notifier in notifiers]
    for notifier in notifiers:
        notifier.close()
    assert [1, 0] == stored


def test_what_a_fallback_takes_is_what_both_take(lines: tuple[Line, Line]) -> None:
    """The shorter text, segments where either has them, a schedule where the first has one."""
    horn, drum = lines
    signal, mixed, turned = Fallback("a", horn, drum), Fallback("b", SMS, drum), Fallback("c", drum, SMS)
    assert [(50, False, False), (50, True, True), (50, True, False)] == [
        (channel.max_length, channel.segmented, channel.schedulable) for channel in (signal, mixed, turned)
    ]
    assert "<Fallback a: horn, then drum>" == repr(signal)


class Lame:
    """Not all of a channel."""

    name = "lame"
    max_length = 20


@table(
    "arguments, said",
    [
        (("a", SMS, Fallback("b", SMS, VIBER)), "the fallback a: b is a fallback itself"),
        (("a", Fallback("b", SMS, VIBER), SMS), "the fallback a: b is a fallback itself"),
        (("a", SMS, SMS), "must have different names"),
        (("sms", SMS, VIBER), "must have different names"),
        (("a", SMS, Lame()), "the channel Lame has no segmented and no schedulable"),
        (("a", SMS, VIBER, {}), "its policy does not say what follows DELIVERED"),
    ],
)
def test_channels_that_cannot_be_put_together(arguments: tuple[Any, ...], said: str) -> None:
    """A fallback of a fallback, of one channel twice, of what is not a channel, of half a policy: said at once."""
    with pytest.raises(InvalidInput, match=said):
        Fallback(*arguments)


def test_a_stored_step_of_a_fallback_that_is_gone_is_left_alone(
    make_signal: Make, lines: tuple[Line, Line], gateway: Sandbox, tmp_path: Path
) -> None:
    """A worker without the plugin neither sends it nor forgets it."""
    lines[0].status = DeliveryStatus.UNDELIVERED
    make_signal().notify("hi", NUMBER)
    plugins = make_plugin_manager(discover=False)
    with Notifier(f"{gateway.url}&outbox={tmp_path / 'signal.db'}", plugins=plugins) as other:
        outbox = other.following().outbox
        other.following().attend(list(outbox))
        assert ([("horn", "accepted", True)], []) == (
            [(row.channel, str(row.state), row.next_poll_at is not None) for row in outbox],
            lines[1].sent,
        )


def test_the_steps_of_another_account_are_left_alone(gateway: Sandbox, make: Make, tmp_path: Path) -> None:
    """Two accounts share a file: neither looks up, goes on with or sends the other's."""
    sms_ends(gateway, (0.0, 69))
    ours = make()
    ours.notify("hi", NUMBER)
    theirs = f"devino://other:pw@DEVINO?gateway={gateway.gateway}&channel=sms-viber&outbox={tmp_path / 'outbox.db'}"
    with Notifier(theirs, plugins=make_plugin_manager(discover=False)) as other:
        before = len(gateway.requests())
        tracker = other.following()
        tracker.attend(list(tracker.outbox))
    assert (0, [("sms", NUMBER)]) == (len(gateway.requests()) - before, arrived(gateway))


def work_until(worker: Worker, done: Callable[[], bool]) -> None:
    """Let a worker take turns until something is so, a minute at most."""
    until = time.monotonic() + 60
    while not done() and time.monotonic() < until:
        worker.turn()


@pytest.mark.parametrize(
    ("horn", "drum", "expected"),
    [
        (DeliveryStatus.DELIVERED, DeliveryStatus.SENT, RowState.DELIVERED),
        (DeliveryStatus.UNDELIVERED, DeliveryStatus.READ, RowState.DELIVERED),
        (DeliveryStatus.UNDELIVERED, DeliveryStatus.EXPIRED, RowState.FAILED),
    ],
)
def test_the_row_that_ordered_a_story_has_its_state(
    make_signal: Make, lines: tuple[Line, Line], horn: DeliveryStatus, drum: DeliveryStatus, expected: RowState
) -> None:
    """What was enqueued for a fallback is delivered where a step was, and failed where both were."""
    lines[0].status, lines[1].status = horn, drum
    notifier = make_signal()
    (number,) = notifier.enqueue("hi", NUMBER).rows.values()
    worker = Worker(notifier)

    def state() -> RowState:
        row = worker.outbox.get(number)
        assert row is not None
        return row.state

    work_until(worker, lambda: state() in (RowState.DELIVERED, RowState.FAILED))
    assert expected is state()


def test_the_row_that_ordered_a_story_is_failed_where_the_second_step_is_refused(
    make_signal: Make, lines: tuple[Line, Line]
) -> None:
    """Accepted once, lost, and refused on the other channel: it does not stay accepted for ever."""
    lines[0].status, lines[1].error = DeliveryStatus.UNDELIVERED, Forbidden("no", code=7)
    notifier = make_signal()
    (number,) = notifier.enqueue("hi", NUMBER).rows.values()
    worker = Worker(notifier)
    work_until(worker, lambda: (row := worker.outbox.get(number)) is not None and row.state is RowState.FAILED)
    assert [RowState.FAILED, RowState.FAILED, RowState.REJECTED] == [row.state for row in worker.outbox]


def test_an_order_whose_second_step_came_later_is_not_unknown_for_ever(
    make_signal: Make, lines: tuple[Line, Line]
) -> None:
    """Refused on the first channel with the second still to come: unknown until that is taken, and then delivered."""
    lines[0].error, lines[1].status = Forbidden("no", code=7), DeliveryStatus.DELIVERED
    lines[0].schedulable = True
    notifier = make_signal()
    send_at = datetime.now(UTC) + timedelta(seconds=1)
    (number,) = notifier.enqueue("hi", NUMBER, send_at=send_at).rows.values()
    worker = Worker(notifier)
    worker.turn()
    before = worker.outbox.get(number)
    work_until(worker, lambda: (row := worker.outbox.get(number)) is not None and row.state is RowState.DELIVERED)
    after = worker.outbox.get(number)
    assert before is not None
    assert after is not None
    assert (RowState.UNKNOWN, RowState.DELIVERED) == (before.state, after.state)


class Dying(Outbox):
    """An outbox whose process ends before it records what became of an order."""

    def settle(self, batch: Batch, *arguments: Any, **options: Any) -> dict[int, RowState]:  # noqa: ANN401 - as the original
        """Settle the steps, and die at the order."""
        if batch.rows[0].channel == "signal":
            raise KeyboardInterrupt
        return super().settle(batch, *arguments, **options)


def test_an_order_that_was_given_up_learns_what_came_of_it(
    make_signal: Make, lines: tuple[Line, Line], tmp_path: Path
) -> None:
    """A worker dies after the step was recorded and before the order was: nobody may take it for unknown and send it
    again beside a message that was delivered."""
    lines[0].status = DeliveryStatus.DELIVERED
    with Dying(tmp_path / "signal.db", poll=POLL) as outbox:
        notifier = make_signal()
        tracker = notifier.following(outbox)
        (number,) = notifier.enqueue("hi", NUMBER).rows.values()
        batch = outbox.claim()
        assert batch is not None
        with pytest.raises(KeyboardInterrupt):
            tracker.deliver(batch)
    worker = Worker(make_signal())
    worker.outbox.recover()
    given_up = worker.outbox.get(number)
    work_until(worker, lambda: (row := worker.outbox.get(number)) is not None and row.state is RowState.DELIVERED)
    told = worker.outbox.get(number)
    assert given_up is not None
    assert told is not None
    assert (RowState.UNKNOWN, RowState.DELIVERED, 1) == (given_up.state, told.state, len(lines[0].sent))


def test_patience_under_a_minute_is_said(
    gateway: Sandbox, make: Make, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """The gateway counts a validity in whole minutes, so the SMS outlives it: told once, wherever the rows are."""
    said = "patience is 59 s, and the first step lives a whole minute: both may arrive"
    short = make(patience=59)
    short.notify("hi", NUMBER, channel="sms")
    make(patience=60).notify("hi", NUMBER)
    assert said not in caplog.messages
    for _ in range(2):
        short.notify("hi", NUMBER)
    assert 1 == caplog.messages.count(said)
    with Outbox(tmp_path / "given.db") as outbox:
        outbox.enqueue(Message("hi", (NUMBER,), channel="sms-viber"))
        Worker(make(patience=59), outbox).run(once=True)
    assert 2 == caplog.messages.count(said)


def test_waiting_for_what_was_waited_for_goes_on(gateway: Sandbox, make: Make) -> None:
    """wait(wait(outcomes, 0), t): a step that is queued for later is waited for, although its outcome is unknown."""
    gateway.add_fault("error", operation="Sms/Send", code=6)
    notifier = make(plugins=make_plugin_manager(discover=False))
    outcomes = notifier.notify("hi", NUMBER, send_at=datetime.now(UTC) + timedelta(seconds=1))
    early = notifier.wait(outcomes, 0)
    (late,) = notifier.wait(early, 60)
    assert (Verdict.UNKNOWN, Verdict.ACCEPTED) == (early[0].verdict, late.verdict)


# --- outcomes of several steps

RECEIPT = Receipt(NUMBER, ("1",), 1)
ERRORS: dict[Verdict, DevinotifyError | None] = {
    Verdict.ACCEPTED: None,
    Verdict.REJECTED: UnexpectedResponse("no", verdict=Verdict.REJECTED),
    Verdict.NOT_SENT: NotSent("no"),
    Verdict.UNKNOWN: OutcomeUnknown("perhaps"),
}


def step(verdict: Verdict, status: DeliveryStatus | None, index: int) -> Outcome:
    """Return the outcome of one step."""
    accepted = verdict is Verdict.ACCEPTED
    attempt = Attempt(f"channel-{index}", verdict, RECEIPT if accepted else None, ERRORS[verdict])
    state = SmsState(status, 0) if accepted and status is not None else None
    return Outcome(NUMBER, verdict, "sms-viber", attempt.receipt, attempt.error, (attempt,), state, row=index)


STORIES = st.lists(
    st.tuples(st.sampled_from(Verdict), st.none() | st.sampled_from(DeliveryStatus)), min_size=1, max_size=4
)


def whole(parts: list[Outcome]) -> Outcome:
    """Return the parts joined from the left."""
    outcome = parts[0]
    for part in parts[1:]:
        outcome = joined(outcome, part)
    return outcome


@given(STORIES)
def test_an_outcome_is_as_good_as_its_best_step(story: list[tuple[Verdict, DeliveryStatus | None]]) -> None:
    """Accepted where any step was, else unknown where any was, else as the last one; every attempt is kept in order."""
    parts = [step(verdict, status, index) for index, (verdict, status) in enumerate(story)]
    verdicts = [verdict for verdict, _ in story]
    expected = next((each for each in (Verdict.ACCEPTED, Verdict.UNKNOWN) if each in verdicts), verdicts[-1])
    found = whole(parts)
    assert (expected, tuple(part.attempts[0] for part in parts), 0, "sms-viber") == (
        found.verdict,
        found.attempts,
        found.row,
        found.channel,
    )


@given(STORIES)
def test_an_outcome_is_delivered_where_any_step_was(story: list[tuple[Verdict, DeliveryStatus | None]]) -> None:
    """Whichever step reached the handset."""
    parts = [step(verdict, status, index) for index, (verdict, status) in enumerate(story)]
    status = whole(parts).status
    delivered = [part for part in parts if part.status is not None and part.status.is_delivered]
    assert bool(delivered) == (status is not None and status.is_delivered)


@given(STORIES, STORIES)
def test_joining_is_associative(
    first: list[tuple[Verdict, DeliveryStatus | None]], then: list[tuple[Verdict, DeliveryStatus | None]]
) -> None:
    """A story may be told in parts."""
    parts = [step(verdict, status, index) for index, (verdict, status) in enumerate([*first, *then])]
    split = len(first)
    assert whole(parts) == joined(whole(parts[:split]), whole(parts[split:]))
    assert all(before.row != after.row for before, after in pairwise(parts))


def test_a_story_of_which_nothing_has_ended_is_unknown(gateway: Sandbox, tmp_path: Path) -> None:
    """Another process is sending: nobody may send it again."""
    with Outbox(tmp_path / "o.db") as outbox:
        batch = outbox.begin(Message("hi", (NUMBER,), channel="sms-viber"), channel="sms", fallback=True)
        assert batch is not None
        outcome = outcome_of(batch.rows, "sms-viber")
    assert (Verdict.UNKNOWN, batch.rows[0].id, False) == (outcome.verdict, outcome.row, is_over(batch.rows))


def test_settings_are_read_from_the_url(gateway: Sandbox) -> None:
    """patience, poll and on_unknown stand on the URL as well."""
    url = parse(f"{gateway.url}&patience=90s&poll=2&on_unknown=stop")
    assert (90.0, 2.0, "stop") == (url.patience, url.poll, url.on_unknown)
