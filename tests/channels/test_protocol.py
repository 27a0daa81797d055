"""What a channel must have, and what becomes of what it answers."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any, cast

import pytest

from devinotify.channels.answers import is_outcomes, is_state
from devinotify.channels.direct import NULL, SMS, VIBER, VIBER_SMS
from devinotify.channels.protocol import MEMBERS, Channel, billed_as, check_channel, check_message, read_state, send_on
from devinotify.delivery.limiting import Limited
from devinotify.exceptions import DevinotifyError, InvalidSchedule, InvalidText, NotSent, PluginError, Verdict
from devinotify.models import Attempt, DeliveryStatus, Message, Outcome, Receipt, SmsState, ViberState
from tests.channels.twin import Twin, as_client
from tests.tables import table

if TYPE_CHECKING:
    from devinotify import Client
    from devinotify.delivery.limiting import Limiter

ONE, TWO = "+79161234567", "+79161234568"


class Pigeon:
    """A channel that answers, or raises, what it is told to."""

    name = "pigeon"
    max_length = 20
    segmented = False
    schedulable = False

    def __init__(self, answer: object = None) -> None:
        self.answer = answer

    def check_sender(self, sender: str) -> None:
        """Take every sender."""

    def send(self, message: Message, client: Client) -> list[Outcome]:
        """Answer, or raise."""
        if isinstance(self.answer, Exception):
            raise self.answer
        return cast("list[Outcome]", self.answer)

    def state(self, receipt: Receipt, client: Client) -> SmsState:
        """Answer, or raise."""
        return cast("SmsState", self.answer)


def test_a_channel_is_known_by_its_methods() -> None:
    """Whatever has the members of the protocol is a channel, and nothing else is."""

    class Pigeon:
        name = "pigeon"
        max_length = 20
        segmented = False
        schedulable = False

        def check_sender(self, sender: str) -> None: ...

        def send(self, message: Message, client: object) -> list[Outcome]:
            return []

        def state(self, receipt: Receipt, client: object) -> SmsState:
            return SmsState(DeliveryStatus.SENT, -1)

    assert (isinstance(Pigeon(), Channel), isinstance(object(), Channel)) == (True, False)


@table("channel", [SMS, VIBER, VIBER_SMS, NULL, Pigeon()])
def test_what_has_all_members_is_a_channel(channel: Channel) -> None:
    """The built-in channels and one that fits are taken."""
    check_channel(channel)


@table("member", MEMBERS)
def test_a_missing_member_is_named(member: str) -> None:
    """A channel that lacks one thing is refused with the name of it, whatever it is."""
    members = {name: getattr(Pigeon(), name) for name in MEMBERS if name != member}
    with pytest.raises(ValueError, match=f"the channel Lame has no {member}: see devinotify.Channel"):
        check_channel(type("Lame", (), members)())


@table(
    "member, value, said",
    [
        ("name", None, "a channel's name is of lower-case letters"),
        ("name", "Pigeon", "a channel's name is of lower-case letters"),
        ("max_length", 0, "max_length must be a number of characters"),
        ("max_length", True, "max_length must be a number of characters"),
        ("max_length", "20", "max_length must be a number of characters"),
        ("segmented", None, "segmented must be True or False"),
        ("schedulable", 1, "schedulable must be True or False"),
        ("send", None, "send must be a function"),
    ],
)
def test_a_member_of_the_wrong_type_is_named(member: str, value: object, said: str) -> None:
    """What a member must be is said where it is something else."""
    pigeon = Pigeon()
    setattr(pigeon, member, value)
    with pytest.raises(ValueError, match=said):
        check_channel(pigeon)


def test_what_the_built_in_channels_can_do() -> None:
    """Billed by segments, and with a send_at: pinned by value, since the settings hang on it."""
    assert [("sms", True, True), ("viber", False, False), ("viber-sms", True, False), ("null", True, True)] == [
        (channel.name, channel.segmented, channel.schedulable) for channel in (SMS, VIBER, VIBER_SMS, NULL)
    ]


def test_where_the_gateway_resends_the_channel_says_so() -> None:
    """What both messages are billed as, limited or not; a plugin's channel of that name is none of these."""
    limiter, plugins = cast("Limiter", None), Pigeon()
    plugins.name = VIBER_SMS.name
    others: list[Channel] = [SMS, VIBER, NULL, plugins, Limited(SMS, limiter)]
    assert [("viber", "sms"), ("viber", "sms")] == [billed_as(VIBER_SMS), billed_as(Limited(VIBER_SMS, limiter))]
    assert {None} == {billed_as(channel) for channel in others}


def test_a_text_that_is_too_long() -> None:
    """One character more than the channel takes is refused, with both figures."""
    check_message(Pigeon(), Message("x" * 20, (ONE,)))
    with pytest.raises(InvalidText, match="21 of at most 20"):
        check_message(Pigeon(), Message("x" * 21, (ONE,)))


@table("send_at", [datetime(2030, 1, 1), datetime(2030, 1, 1, tzinfo=UTC)])  # noqa: DTZ001 - a wall clock
def test_a_channel_that_cannot_send_later(send_at: datetime) -> None:
    """A send_at is refused by what the channel says of itself, not by its name."""
    with pytest.raises(InvalidSchedule, match="pigeon cannot send later"):
        check_message(Pigeon(), Message("x", (ONE,), send_at=send_at))


# --- answers

RECEIPT = Receipt(ONE, ("1",), 1)
ACCEPTED = Outcome(ONE, Verdict.ACCEPTED, "pigeon", RECEIPT, None, (Attempt("pigeon", Verdict.ACCEPTED, RECEIPT),))
STATE = SmsState(DeliveryStatus.DELIVERED, 0, price=Decimal(1), reported_at=datetime(2030, 1, 1, tzinfo=UTC))


def changed(value: Any, **changes: Any) -> Any:  # noqa: ANN401 - a value of the wrong type is the point
    """Return a value with parts of any type."""
    return replace(value, **changes)


WRONG_OUTCOMES = [
    None,
    ACCEPTED,
    (ACCEPTED,),
    [ACCEPTED, None],
    [changed(ACCEPTED, recipient=79161234567)],
    [changed(ACCEPTED, verdict="accepted")],
    [changed(ACCEPTED, channel=None)],
    [changed(ACCEPTED, error="no")],
    [changed(ACCEPTED, attempts=[])],
    [changed(ACCEPTED, attempts=(None,))],
    [changed(ACCEPTED, attempts=(changed(ACCEPTED.attempts[0], verdict="accepted"),))],
    [changed(ACCEPTED, state="delivered")],
    [changed(ACCEPTED, row="1")],
    [changed(ACCEPTED, receipt=("1",))],
    [changed(ACCEPTED, receipt=changed(RECEIPT, message_ids=(1,)))],
    [changed(ACCEPTED, receipt=changed(RECEIPT, message_ids="1"))],
    [changed(ACCEPTED, receipt=changed(RECEIPT, segments="1"))],
    [changed(ACCEPTED, receipt=changed(RECEIPT, channel=None))],
    [changed(ACCEPTED, receipt=changed(RECEIPT, sent_at=datetime(2030, 1, 1)))],  # noqa: DTZ001 - names no instant
    [changed(ACCEPTED, receipt=changed(RECEIPT, sent_at=0.0))],
    [changed(ACCEPTED, receipt=changed(RECEIPT, resends=None))],
]

WRONG_STATES = [
    None,
    "delivered",
    changed(STATE, status="delivered"),
    changed(STATE, code="0"),
    changed(STATE, price=1.0),
    changed(STATE, price=Decimal("NaN")),
    changed(STATE, reported_at=datetime(2030, 1, 1)),  # noqa: DTZ001 - names no instant
    changed(STATE, updated_at=0),
    ViberState(DeliveryStatus.FAILED, 0, resent_sms=cast("Any", ["1"])),
    ViberState(DeliveryStatus.FAILED, 0, resent_sms=(changed(STATE, code=None),)),
]


@table("answer", WRONG_OUTCOMES)
def test_an_answer_of_the_wrong_types_is_unknown(answer: object, caplog: pytest.LogCaptureFixture) -> None:
    """Something may have been sent, so every recipient is unknown; nothing of the wrong type goes any further."""
    caplog.clear()
    outcomes = send_on(Pigeon(answer), Message("x", (ONE, TWO)), as_client(Twin()))
    assert [(ONE, Verdict.UNKNOWN), (TWO, Verdict.UNKNOWN)] == [(one.recipient, one.verdict) for one in outcomes]
    assert isinstance(outcomes[0].error, PluginError)
    assert "the channel pigeon answered" in caplog.text


def test_right_answers_pass() -> None:
    """What is of the right types is taken as it is; a recipient that was left out is unknown."""
    assert is_outcomes([ACCEPTED, Outcome(TWO, Verdict.NOT_SENT, "pigeon", error=NotSent("no"), state=STATE, row=1)])
    outcomes = send_on(Pigeon([ACCEPTED]), Message("x", (TWO, ONE)), as_client(Twin()))
    assert [(TWO, Verdict.UNKNOWN), (ONE, Verdict.ACCEPTED)] == [(one.recipient, one.verdict) for one in outcomes]


@table(
    "error, verdict, kind",
    [(NotSent("no"), Verdict.NOT_SENT, NotSent), (RuntimeError("x"), Verdict.UNKNOWN, PluginError)],
)
def test_what_a_channel_raises(error: Exception, verdict: Verdict, kind: type[DevinotifyError]) -> None:
    """One of our errors counts as it is; any other may have come after the send."""
    (outcome,) = send_on(Pigeon(error), Message("x", (ONE,)), as_client(Twin()))
    assert (verdict, kind) == (outcome.verdict, type(outcome.error))


@table("answer", WRONG_STATES)
def test_a_state_of_the_wrong_types_is_an_error(answer: object) -> None:
    """It says nothing about the message, and is told by the channel's name."""
    with pytest.raises(PluginError, match=r"the channel pigeon answered .* in place of a state"):
        read_state(Pigeon(answer), RECEIPT, as_client(Twin()))


@table("state", [STATE, ViberState(DeliveryStatus.FAILED, 2, resent_sms=(STATE,))])
def test_a_state_of_the_right_types(state: SmsState) -> None:
    """It is returned as it is."""
    assert is_state(state)
    assert read_state(Pigeon(state), RECEIPT, as_client(Twin())) is state
