"""The values: what they compute, that they cannot be changed, and what their reprs keep to themselves."""

from __future__ import annotations

import dataclasses
import pickle
from datetime import UTC, datetime
from decimal import Decimal
from itertools import chain

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devinotify import models
from devinotify.exceptions import InvalidInput, NotSent, Verdict
from devinotify.models import (
    Attempt,
    BulkReceipt,
    DeliveryStatus,
    IncomingSms,
    Message,
    Outcome,
    Receipt,
    SmsState,
    SmsStatistics,
    ViberState,
    by_columns,
    combine,
    worst,
)
from tests.strategies import numbers, words
from tests.tables import table

NOW = datetime(2026, 5, 4, 3, 2, 1, tzinfo=UTC)
FINAL = {"delivered", "read", "undelivered", "expired", "rejected", "deleted", "stopped", "failed"}

statuses = st.sampled_from(DeliveryStatus)
sms_states = st.builds(
    SmsState, status=statuses, code=st.integers(-99, 255), price=st.none() | st.decimals(0, 9, places=2)
)


def test_the_statuses_are_the_designs() -> None:
    """The vocabulary is that of the design."""
    assert {*FINAL, "queued", "sent", "unknown"} == set(DeliveryStatus)


@table("status", DeliveryStatus)
def test_a_status_is_final_once_delivery_is_decided(status: DeliveryStatus) -> None:
    """Queued, sent and unknown may still change; everything else is decided."""
    assert status.is_final == (status in FINAL)


@table("status", DeliveryStatus)
def test_a_status_is_delivered_once_it_reached_the_handset(status: DeliveryStatus) -> None:
    """Delivered and read are delivered, nothing else is."""
    assert status.is_delivered == (status in {"delivered", "read"})


@given(parts=st.lists(statuses, min_size=1, max_size=5))
def test_the_worst_of_parts_is_one_of_them(parts: list[DeliveryStatus]) -> None:
    """The status of a whole is that of one of its parts."""
    assert worst(parts) in parts


@given(parts=st.lists(statuses, min_size=1, max_size=5))
def test_a_whole_is_final_when_all_parts_are(parts: list[DeliveryStatus]) -> None:
    """One open part keeps the whole open."""
    assert worst(iter(parts)).is_final == all(part.is_final for part in parts)


@given(parts=st.lists(statuses, min_size=1, max_size=5))
def test_a_whole_is_delivered_when_all_parts_are(parts: list[DeliveryStatus]) -> None:
    """One part that did not arrive means that the message did not."""
    assert worst(parts).is_delivered == all(part.is_delivered for part in parts)


@given(parts=st.lists(statuses, min_size=1, max_size=5), data=st.data())
def test_the_order_of_parts_does_not_matter(parts: list[DeliveryStatus], data: st.DataObject) -> None:
    """The worst of parts is the same in any order."""
    assert worst(parts) == worst(data.draw(st.permutations(parts)))


def test_an_sms_is_its_own_whole() -> None:
    """An SMS has no resend, so its own status is that of the whole."""
    assert SmsState(DeliveryStatus.SENT, -1).whole_status == "sent"


@table(
    "viber, resent, whole",
    [
        ("undelivered", ["delivered"], "delivered"),
        ("failed", ["delivered", "sent"], "sent"),
        ("expired", ["expired", "delivered"], "expired"),
        ("expired", [], "expired"),
        ("delivered", ["undelivered"], "delivered"),
        ("read", ["rejected"], "read"),
        ("queued", [], "queued"),
    ],
)
def test_the_story_goes_on_in_the_resent_sms(viber: str, resent: list[str], whole: str) -> None:
    """After a Viber that failed, the resent SMS decide; after one that arrived, they do not matter."""
    parts = tuple(SmsState(DeliveryStatus(status), 0) for status in resent)
    assert whole == ViberState(DeliveryStatus(viber), 0, resent_sms=parts).whole_status


@given(states=st.lists(sms_states, min_size=1, max_size=5))
def test_combined_parts_have_the_worst_status(states: list[SmsState]) -> None:
    """The state of a message has the worst status among its segments'."""
    assert combine(states).whole_status == worst([state.status for state in states])


@given(states=st.lists(sms_states, min_size=1, max_size=5))
def test_combined_parts_cost_their_sum(states: list[SmsState]) -> None:
    """The price of a message is the sum of its segments' prices, and unknown while one of them is."""
    prices = [state.price for state in states]
    expected = None if None in prices else sum(price for price in prices if price is not None)
    assert expected == combine(states).price


VIBER, SMS = Decimal("1.50"), Decimal("2.50")


@table(
    "viber, resent, whole",
    [
        (VIBER, (), VIBER),
        (VIBER, (SMS,), Decimal(4)),
        (VIBER, (SMS, SMS), Decimal("6.50")),
        (VIBER, (SMS, None), None),
        (None, (SMS,), None),
    ],
)
def test_the_story_costs_what_was_resent_too(
    viber: Decimal | None, resent: tuple[Decimal | None, ...], whole: Decimal | None
) -> None:
    """Viber and each SMS in its place are paid for; as long as one has no price, the whole has none."""
    parts = tuple(SmsState(DeliveryStatus.SENT, -1, price=price) for price in resent)
    state = ViberState(DeliveryStatus.FAILED, 5, price=viber, resent_sms=parts)
    delivered = ViberState(DeliveryStatus.DELIVERED, 2, price=VIBER)
    assert (whole, None if whole is None else whole + VIBER) == (
        state.whole_price,
        combine([delivered, state]).whole_price,
    )


def test_a_message_without_parts_is_unknown() -> None:
    """Where there is nothing to ask about, the state is the gateway's own 255."""
    assert SmsState(DeliveryStatus.UNKNOWN, 255) == combine([])


def test_a_combined_viber_state_keeps_its_resends() -> None:
    """The one part of a Viber message comes back as it is."""
    state = ViberState(DeliveryStatus.FAILED, 5, resent_sms=(SmsState(DeliveryStatus.SENT, -1),))
    assert combine([state]) is state


@table("segments, estimated, differs", [(1, 1, False), (2, 1, True), (None, 1, False), (1, None, False)])
def test_an_estimate_differs_where_both_are_known(segments: int | None, estimated: int | None, differs: bool) -> None:
    """A receipt says that another number of segments is billed only where it knows both numbers."""
    assert differs == Receipt("+79161234567", ("1",), segments, estimated_segments=estimated).estimate_differs


@given(recipients=st.lists(numbers, min_size=1, max_size=6, unique=True), each=st.integers(1, 4))
def test_a_bulk_gives_each_recipient_its_ids(recipients: list[str], each: int) -> None:
    """All segments of the first recipient come first, then all of the second."""
    ids = [[f"{recipient}-{part}" for part in range(each)] for recipient in recipients]
    bulk = BulkReceipt(tuple(recipients), tuple(chain.from_iterable(ids)))
    expected = [(recipient, tuple(own), each) for recipient, own in zip(recipients, ids, strict=True)]
    assert expected == [(receipt.recipient, receipt.message_ids, receipt.segments) for receipt in bulk]


@given(recipients=st.integers(2, 6), ids=st.integers(0, 20))
def test_a_bulk_that_does_not_divide_guesses_nothing(recipients: int, ids: int) -> None:
    """Ids that do not divide evenly are all kept, and no recipient is given any."""
    if ids and ids % recipients == 0:
        ids += 1
    bulk = BulkReceipt(tuple(map(str, range(recipients))), tuple(map(str, range(ids))))
    assert (ids, {((), None)}) == (
        len(bulk.message_ids),
        {(receipt.message_ids, receipt.segments) for receipt in bulk},
    )


def test_a_bulk_has_the_length_of_its_recipients() -> None:
    """A bulk counts its recipients."""
    assert len(BulkReceipt(("+79161234567", "+79161234568"), ("1", "2"))) == 2


def test_a_bulk_without_recipients_is_empty() -> None:
    """A bulk to nobody iterates as nothing."""
    assert list(BulkReceipt((), ())) == []


def test_the_receipts_of_a_bulk_carry_its_settings() -> None:
    """Channel, estimate, time and resend are the same for each recipient of a bulk."""
    bulk = BulkReceipt(("+79161234567",), ("1",), "viber", estimated_segments=1, sent_at=NOW, resends=True)
    assert [Receipt("+79161234567", ("1",), 1, "viber", 1, NOW, resends=True)] == list(bulk)


def test_an_outcome_without_a_state_has_no_status() -> None:
    """Before anybody asked, the delivery status is absent."""
    assert Outcome("+79161234567", Verdict.ACCEPTED, "sms").status is None


def test_an_outcome_tells_the_status_of_the_whole() -> None:
    """An outcome's status counts resends in."""
    state = ViberState(DeliveryStatus.FAILED, 5, resent_sms=(SmsState(DeliveryStatus.DELIVERED, 0),))
    assert Outcome("+79161234567", Verdict.ACCEPTED, "viber", state=state).status == "delivered"


def values(number: str, text: str) -> list[object]:
    """Return one of each value, all of them holding the number and the text wherever they can."""
    plus, message_id = "+" + number, f"SAR-GW01+{number}-5f3b1972-2-1"
    receipt = Receipt(plus, (message_id, number), 2, estimated_segments=1, sent_at=NOW)
    error = NotSent("the connection was refused")
    attempt = Attempt("sms", Verdict.NOT_SENT, receipt, error)
    state = SmsState(DeliveryStatus.SENT, -1, text, message_id, NOW, NOW, NOW, NOW, Decimal("1.5"))
    return [
        receipt,
        BulkReceipt((plus, number), (message_id, number)),
        attempt,
        Outcome(plus, Verdict.NOT_SENT, "sms", receipt, error, (attempt,), state),
        Outcome(number, Verdict.UNKNOWN, "sms"),
        state,
        ViberState(DeliveryStatus.FAILED, 5, text, message_id, resent_sms=(state,)),
        IncomingSms(message_id, text, number, plus, NOW),
        Message(
            text, (plus, number, plus, number), title=text, sender="DEVINO", send_at=NOW, tags=frozenset({"urgent"})
        ),
        Message(text, (number,)),
    ]


@given(number=numbers, text=words)
def test_no_repr_shows_a_number_or_a_text(number: str, text: str) -> None:
    """Whatever a value holds, its repr and str show neither the full number nor the text."""
    shown = " ".join(f"{value!r} {value!s} {[value]}" for value in values(number, text))
    assert (number in shown, text in shown) == (False, False)


@table(
    "value, shown",
    [
        (
            Receipt("+79161234567", ("579700854169272358",), 1),
            "<Receipt sms to +7916***4567 segments=1 ids=[5797***2358]>",
        ),
        (
            Receipt("+79161234567", ("1", "2"), 2, estimated_segments=1),
            "<Receipt sms to +7916***4567 segments=2 (estimated 1) ids=[***, ***]>",
        ),
        (BulkReceipt(("+79161234567",), ("1", "2")), "<BulkReceipt sms to 1 recipients, 2 ids>"),
        (
            Message("Привет", ("+79161234567",) * 4, tags=frozenset("ba")),
            (
                "<Message sms to [+7916***4567, +7916***4567, +7916***4567, …] (4), 6 characters,"
                " send_at=None tags=['a', 'b']>"
            ),
        ),
        (Attempt("viber", Verdict.ACCEPTED), "<Attempt viber accepted error=None>"),
        (Outcome("oncall", Verdict.NOT_SENT, "sms"), "<Outcome on*** sms not_sent error=None>"),
        (ViberState(DeliveryStatus.READ, 3), "<ViberState read code=3 id=*** price=None>"),
        (
            IncomingSms("539187174", "test1", "7926000000", "7916000000"),
            "<IncomingSms id=5391***7174 from 7926***0000 to 7916***0000 at None, 5 characters>",
        ),
    ],
)
def test_a_repr_says_what_helps(value: object, shown: str) -> None:
    """A repr is short and says what a value is, masked."""
    assert shown == repr(value)


@table("value", [*values("79161234567", "text"), SmsStatistics(1, 1, 0, 0, 0, 0, 1, 1, Decimal(1))])
def test_a_value_cannot_be_changed(value: object) -> None:
    """Every value is frozen."""
    assert dataclasses.is_dataclass(value)
    name = dataclasses.fields(value)[0].name
    with pytest.raises(dataclasses.FrozenInstanceError):
        setattr(value, name, None)


@table("value", [value for value in values("79161234567", "text") if isinstance(value, SmsState | Message)])
def test_a_value_travels_whole(value: object) -> None:
    """A value survives pickling, so that queues and processes may carry it."""
    assert value == pickle.loads(pickle.dumps(value))  # noqa: S301 - our own bytes


def test_every_value_is_slotted() -> None:
    """No dataclass here keeps a dict for each of its values."""
    kinds = [kind for kind in vars(models).values() if dataclasses.is_dataclass(kind) and isinstance(kind, type)]
    assert [kind.__name__ for kind in kinds if "__slots__" not in vars(kind)] == []


def test_one_text_is_no_list_of_recipients() -> None:
    """A number given where the tuple of numbers belongs is refused, and not read as a dozen recipients."""
    with pytest.raises(InvalidInput, match="not one text"):
        Message("hello", "+79161234567")  # type: ignore[arg-type]  # what is refused


def test_three_ids_for_two_are_nobodys() -> None:
    """Each recipient has a receipt without ids, and that receipt knows all of them."""
    assert [("1", ()), ("2", ())] == [
        (receipt.recipient, receipt.message_ids) for receipt in BulkReceipt(("1", "2"), ("a", "b", "c"))
    ]


def test_values_by_columns() -> None:
    """Values made by columns are those that their constructor makes, whatever their fields are."""
    receipts = [
        Receipt(number, (number,), 1, "sms", 1, NOW, resends=True, unassigned_ids=("x",)) for number in ("1", "2")
    ]
    columns = zip(
        *(tuple(getattr(each, one.name) for one in dataclasses.fields(Receipt)) for each in receipts), strict=True
    )
    assert receipts == by_columns(Receipt, 2, *columns)
    with pytest.raises(ValueError, match="zip"):
        by_columns(Receipt, 1, ["1"])
