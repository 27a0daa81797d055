"""The one-step channels: which operation each uses, and what it makes of the answers."""

from __future__ import annotations

import logging
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from devinotify.channels import direct
from devinotify.channels.protocol import Channel
from devinotify.exceptions import (
    InvalidInput,
    InvalidPhoneNumber,
    InvalidSchedule,
    InvalidSender,
    InvalidText,
    NotSent,
    Verdict,
    ViberRejected,
)
from devinotify.models import DeliveryStatus, Message, Receipt, SmsState, ViberState
from devinotify.url import parse
from tests.channels.twin import Request, Twin, as_client
from tests.tables import table

if TYPE_CHECKING:
    from devinotify.models import Outcome

ONE, TWO, THREE = "+79161234567", "+79161234568", "+79161234569"
INSTANT = datetime(2030, 1, 31, 9, tzinfo=UTC)
WALL_CLOCK = datetime(2030, 1, 31, 9)  # noqa: DTZ001 - a recipient's own clock
CHANNELS = (direct.SMS, direct.VIBER, direct.VIBER_SMS, direct.NULL)

each_channel = table("channel", CHANNELS)


def verdicts(outcomes: list[Outcome]) -> dict[str, str]:
    """Return the verdicts by recipient."""
    return {outcome.recipient: str(outcome.verdict) for outcome in outcomes}


@each_channel
def test_is_a_channel(channel: Channel) -> None:
    """Each has what the protocol asks for."""
    assert isinstance(channel, Channel)


@each_channel
def test_a_bad_sender_is_refused(channel: Channel) -> None:
    """Each knows its rule for senders."""
    with pytest.raises(InvalidSender):
        channel.check_sender("much too long a sender")


def test_senders_differ() -> None:
    """SMS takes digits of 15 and Latin signs that Viber does not."""
    direct.SMS.check_sender("My-Shop")
    with pytest.raises(InvalidSender):
        direct.VIBER.check_sender("My-Shop")


@table("channel, length", [(direct.SMS, 2000), (direct.VIBER, 1000), (direct.VIBER_SMS, 1000), (direct.NULL, 2000)])
def test_max_length(channel: Channel, length: int) -> None:
    """Each knows how long a text may be."""
    assert length == channel.max_length


@table(
    "channel, segmented",
    [(direct.SMS, True), (direct.VIBER, False), (direct.VIBER_SMS, True), (direct.NULL, True)],
)
def test_segmented(channel: direct.SmsChannel, segmented: bool) -> None:
    """Pure Viber alone is not billed by segments."""
    assert segmented == channel.segmented


@table(
    "channel, send_at, recipients, operation",
    [
        (direct.SMS, None, (ONE,), "sms.send"),
        (direct.SMS, INSTANT, (ONE,), "sms.send"),
        (direct.SMS, WALL_CLOCK, (ONE,), "sms.send_by_time_zone"),
        (direct.SMS, None, (ONE, TWO), "sms.send_bulk"),
        (direct.SMS, INSTANT, (ONE, TWO), "sms.send_bulk"),
        (direct.SMS, WALL_CLOCK, (ONE, TWO), "sms.send_by_time_zone_to_addresses"),
        (direct.VIBER, None, (ONE,), "viber.send"),
        (direct.VIBER, None, (ONE, TWO), "viber.send_bulk"),
        (direct.VIBER_SMS, None, (ONE,), "viber.send_with_resend"),
        (direct.VIBER_SMS, None, (ONE, TWO), "viber.send_with_resend_bulk"),
    ],
)
def test_operation(channel: Channel, send_at: datetime | None, recipients: tuple[str, ...], operation: str) -> None:
    """One request of the right operation is made, for one or for many, with sender, validity and schedule."""
    twin = Twin()
    outcomes = channel.send(
        Message("Hello", recipients, sender="ME", validity=7, send_at=send_at, channel=channel.name), as_client(twin)
    )
    (request,) = twin.requests
    assert (operation, recipients) == (request.operation, request.recipients)
    assert dict.fromkeys(recipients, "accepted") == verdicts(outcomes)
    assert ("ME", 7) == (request.arguments["sender"], request.arguments["validity"])
    if channel is direct.SMS:
        assert send_at == request.arguments.get("local_time", request.arguments.get("send_at"))


@table("recipients", [(ONE,), (ONE, TWO)])
@table("late", [timedelta(minutes=5), timedelta(days=2)])
def test_what_was_queued_past_its_time_goes_out_at_once(late: timedelta, recipients: tuple[str, ...]) -> None:
    """A client refuses a time that has passed; a message that only waited too long for a worker is not lost by that."""
    twin = Twin()
    when = datetime.now(UTC) - late
    for send_at in (when, (when - timedelta(hours=12)).replace(tzinfo=None)):
        outcomes = direct.SMS.send(Message("Hello", recipients, send_at=send_at), as_client(twin))
        assert dict.fromkeys(recipients, "accepted") == verdicts(outcomes)
        request = twin.requests[-1]
        assert (None, False) == (request.arguments.get("send_at"), "local_time" in request.arguments)


@table("channel", [direct.VIBER, direct.VIBER_SMS])
@table("send_at", [INSTANT, WALL_CLOCK])
def test_viber_cannot_be_scheduled(channel: Channel, send_at: datetime) -> None:
    """A message with a ``send_at`` is refused on Viber, before any request."""
    twin = Twin()
    outcomes = channel.send(Message("Hello", (ONE, TWO), send_at=send_at), as_client(twin))
    assert ([], {ONE: "not_sent", TWO: "not_sent"}) == (twin.requests, verdicts(outcomes))
    assert {InvalidSchedule} == {type(outcome.error) for outcome in outcomes}


@table("channel", [direct.SMS, direct.VIBER, direct.VIBER_SMS])
def test_a_bad_number_never_stops_the_good_ones(channel: Channel) -> None:
    """Where the gateway refuses a bulk because of one number, the others are sent."""

    def refuse() -> Exception:
        return ViberRejected("no", reason="error-address-format", code=1)

    twin = Twin(frozenset({TWO})) if channel is direct.SMS else Twin(frozenset({TWO}), refuse)  # type: ignore[arg-type]
    outcomes = channel.send(Message("Hello", (ONE, TWO, THREE)), as_client(twin))
    assert {ONE: "accepted", TWO: "rejected", THREE: "accepted"} == verdicts(outcomes)
    assert [ONE, THREE] == twin.sent


def test_one_number_written_in_two_ways_is_sent_once() -> None:
    """What comes from an outbox may name a number twice: one message goes out, and both outcomes tell of it."""
    twin = Twin()
    outcomes = direct.SMS.send(Message("Hello", ("8 916 123-45-67", TWO, ONE)), as_client(twin))
    assert [ONE, TWO] == twin.sent
    assert ["8 916 123-45-67", TWO, ONE] == [outcome.recipient for outcome in outcomes]
    assert outcomes[0].receipt == outcomes[2].receipt


def test_what_is_no_number_is_left_out_of_the_bulk() -> None:
    """It is refused here, at its place, and never makes the gateway refuse the bulk."""
    twin = Twin()
    outcomes = direct.SMS.send(Message("Hello", (ONE, "nobody", TWO)), as_client(twin))
    assert [("sms.send_bulk", (ONE, TWO))] == [(request.operation, request.recipients) for request in twin.requests]
    assert {ONE: "accepted", "nobody": "not_sent", TWO: "accepted"} == verdicts(outcomes)
    assert isinstance(outcomes[1].error, InvalidPhoneNumber)


def test_the_outcomes_are_in_order() -> None:
    """Whoever was refused, the outcomes are in the order of the recipients."""
    recipients = tuple(f"+7916{number:07d}" for number in range(50))
    outcomes = direct.SMS.send(Message("Hello", recipients), as_client(Twin(frozenset(recipients[10:40:7]))))
    assert list(recipients) == [outcome.recipient for outcome in outcomes]


def test_long_lists_go_in_batches() -> None:
    """A thousand recipients go in one request."""
    twin = Twin()
    recipients = tuple(f"+7916{number:07d}" for number in range(2100))
    direct.SMS.send(Message("Hello", recipients), as_client(twin))
    assert [1000, 1000, 100] == [len(request.recipients) for request in twin.requests]


def test_long_texts_go_in_smaller_batches() -> None:
    """The ids that a bulk brings back stay within the client's limit: 20,000, here 13 for each recipient."""
    twin = Twin()
    recipients = tuple(f"+7916{number:07d}" for number in range(2100))
    direct.SMS.send(Message("ж" * 1999, recipients), as_client(twin))
    assert [666, 666, 666, 102] == [len(request.recipients) for request in twin.requests]


def test_a_gateway_out_of_reach_is_asked_once() -> None:
    """The batches after one that was not sent are not tried."""

    def fail(request: Request) -> None:
        raise NotSent("refused")

    twin = Twin(before=fail)
    recipients = tuple(f"+7916{number:07d}" for number in range(2100))
    outcomes = direct.SMS.send(Message("Hello", recipients), as_client(twin))
    assert (1, {"not_sent"}) == (len(twin.requests), set(verdicts(outcomes).values()))


@table("channel", [direct.SMS, direct.VIBER, direct.VIBER_SMS])
def test_receipts_divide(channel: Channel) -> None:
    """Each recipient has a receipt of its own from a bulk."""
    outcomes = channel.send(Message("Hello", (ONE, TWO)), as_client(Twin()))
    assert [(ONE, ("id-1",)), (TWO, ("id-2",))] == [
        (outcome.receipt.recipient, outcome.receipt.message_ids) for outcome in outcomes if outcome.receipt
    ]


def state(status: DeliveryStatus, code: int = 1) -> SmsState:
    """Return the state of one SMS segment."""
    return SmsState(status, code)


def test_the_state_of_an_sms_is_the_worst_of_its_segments() -> None:
    """One lost segment makes the message lost."""
    twin = Twin()
    twin.states = {"1": state(DeliveryStatus.DELIVERED), "2": state(DeliveryStatus.EXPIRED)}
    assert DeliveryStatus.EXPIRED is direct.SMS.state(Receipt(ONE, ("1", "2"), 2), as_client(twin)).status


def test_the_state_of_an_sms_is_open_while_a_segment_is() -> None:
    """A message is not decided before all its segments are."""
    twin = Twin()
    twin.states = {"1": state(DeliveryStatus.EXPIRED), "2": state(DeliveryStatus.SENT)}
    assert not direct.SMS.state(Receipt(ONE, ("1", "2"), 2), as_client(twin)).whole_status.is_final


def test_the_state_of_viber_is_its_own() -> None:
    """Viber alone ends where Viber ends."""
    twin = Twin()
    twin.states = {"1": ViberState(DeliveryStatus.UNDELIVERED, 4)}
    found = direct.VIBER.state(Receipt(ONE, ("1",), 1, "viber"), as_client(twin))
    assert DeliveryStatus.UNDELIVERED is found.whole_status


@table(
    "code, status",
    [(4, DeliveryStatus.UNDELIVERED), (5, DeliveryStatus.FAILED), (7, DeliveryStatus.EXPIRED)],
)
def test_a_resend_that_is_not_listed_yet_is_still_to_come(code: int, status: DeliveryStatus) -> None:
    """Where Viber has failed and the platform resends, the story is not over before its SMS is."""
    twin = Twin()
    twin.states = {"1": ViberState(status, code)}
    found = direct.VIBER_SMS.state(Receipt(ONE, ("1",), 1, "viber", resends=True), as_client(twin))
    assert (DeliveryStatus.QUEUED, False) == (found.whole_status, found.whole_status.is_final)


@table(
    "parts, whole",
    [
        ([DeliveryStatus.SENT], DeliveryStatus.SENT),
        ([DeliveryStatus.DELIVERED, DeliveryStatus.QUEUED], DeliveryStatus.QUEUED),
        ([DeliveryStatus.DELIVERED, DeliveryStatus.DELIVERED], DeliveryStatus.DELIVERED),
        ([DeliveryStatus.DELIVERED, DeliveryStatus.REJECTED], DeliveryStatus.REJECTED),
    ],
)
def test_a_resend_is_read_to_its_end(parts: list[DeliveryStatus], whole: DeliveryStatus) -> None:
    """The whole is as its resent SMS: open while one of its parts is, then the worst of them."""
    twin = Twin()
    twin.states = {"1": ViberState(DeliveryStatus.UNDELIVERED, 4, resent_sms=tuple(map(state, parts)))}
    found = direct.VIBER_SMS.state(Receipt(ONE, ("1",), 1, "viber", resends=True), as_client(twin))
    assert whole is found.whole_status


@table("status", [DeliveryStatus.DELIVERED, DeliveryStatus.READ, DeliveryStatus.SENT])
def test_viber_that_does_not_fail_is_not_resent(status: DeliveryStatus) -> None:
    """What Viber delivers, or is still sending, is its own status."""
    twin = Twin()
    twin.states = {"1": ViberState(status, 2)}
    found = direct.VIBER_SMS.state(Receipt(ONE, ("1",), 1, "viber", resends=True), as_client(twin))
    assert status is found.whole_status


def test_the_state_without_ids_is_unknown() -> None:
    """Where a bulk's ids could not be told apart there is nothing to ask for."""
    assert DeliveryStatus.UNKNOWN is direct.SMS.state(Receipt(ONE, (), None), as_client(Twin())).status


def test_null_sends_nothing() -> None:
    """The null channel accepts everybody and makes no request."""
    twin = Twin()
    outcomes = direct.NULL.send(Message("Привет " * 20, (ONE, TWO)), as_client(twin))
    assert ([], {ONE: "accepted", TWO: "accepted"}) == (twin.requests, verdicts(outcomes))
    assert [3, 3] == [outcome.receipt.segments for outcome in outcomes if outcome.receipt]


def test_null_logs_masked(caplog: pytest.LogCaptureFixture) -> None:
    """What the null channel logs shows neither numbers nor texts."""
    with caplog.at_level(logging.DEBUG, "devinotify"):
        direct.NULL.send(Message("a secret word", (ONE,)), as_client(Twin()))
    assert ["null channel: 1 segments to +7916***4567 are not sent"] == [r.getMessage() for r in caplog.records]


@table(
    "message, error",
    [
        (Message("", (ONE,)), InvalidText),
        (Message("x" * 2001, (ONE,)), InvalidText),
        (Message("Hello", (ONE,), sender="much too long a sender"), InvalidSender),
    ],
)
def test_null_checks_as_sms_does(message: Message, error: type[Exception]) -> None:
    """What SMS would refuse, staging shows."""
    (outcome,) = direct.NULL.send(message, as_client(Twin()))
    assert (Verdict.NOT_SENT, error) == (outcome.verdict, type(outcome.error))


def test_null_is_delivered() -> None:
    """Whoever waits for a null message goes on, and the description says why."""
    found = direct.NULL.state(Receipt(ONE, (), 1), as_client(Twin()))
    assert (DeliveryStatus.DELIVERED, "null channel: nothing was sent") == (found.status, found.description)


def test_a_region_that_is_none_is_said() -> None:
    """An unknown region refuses the whole list where a number has to be read by it."""
    twin = Twin()
    twin.url = parse("devino://login:password@SENDER?region=ZZ")
    with pytest.raises(InvalidInput, match="region"):
        direct.SMS.send(Message("Hello", (ONE, "8 916 123-45-68")), as_client(twin))
