"""The four operations that send SMS."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

from devinotify.sandbox.operations import OPERATIONS, Action
from tests.sandbox.conftest import NOW, NUMBERS, START, Api, dated, error
from tests.tables import table

SMS_SENDS = [operation.name for operation in OPERATIONS if operation.action is Action.SEND_SMS]


@table("resource", SMS_SENDS)
def test_one_id_per_segment(resource: str) -> None:
    """Each SMS operation answers one id per segment, those of the first recipient first."""
    api = Api()
    bulk = "Bulk" in resource or "ToAddresses" in resource
    recipients = {"DestinationAddresses": NUMBERS} if bulk else {}
    status, part_ids = api.send(resource, Data="я" * 71, **dated(resource), **recipients)
    arrived = [message.recipient for message in api.emulator.store for _ in message.part_ids]
    assert (200, part_ids) == (status, [part for message in api.emulator.store for part in message.part_ids])
    assert ([number for number in NUMBERS for _ in range(2)] if bulk else NUMBERS[:1] * 2) == arrived
    assert len(part_ids) == len(set(part_ids))


def test_segments_are_charged(api: Api) -> None:
    """The balance falls by the price of every segment for every recipient."""
    api.send("Sms/SendBulk", DestinationAddresses=NUMBERS, Data="я" * 71)
    assert Decimal("1000.00") - 4 * Decimal("2.50") == api.balance


def test_the_balance_is_a_bare_number(api: Api) -> None:
    """The balance is a JSON number without an exponent."""
    session = api.log_in()
    api.emulator.set_balance(Decimal("1E+6"))
    assert b"1000000" == api.raw("GET", "/rest/user/balance", f"sessionid={session}").body


def test_not_enough_credits_sends_nothing(api: Api) -> None:
    """A bulk that the balance does not cover is refused whole, and costs nothing."""
    api.emulator.set_balance(Decimal("4.99"))
    reply = api.send("Sms/SendBulk", DestinationAddresses=NUMBERS)
    assert error(5, "Not enough credits") == reply
    assert (0, Decimal("4.99")) == (len(api.emulator.store), api.balance)


def test_the_last_credit_can_be_spent(api: Api) -> None:
    """A balance that covers the send to the cent is enough."""
    api.emulator.set_balance(Decimal("2.50"))
    assert (200, Decimal("0.00")) == (api.send()[0], api.balance)


@table("resource", ["Sms/SendBulk", "Viber/SendBulk", "Viber/SendWithResendBulk"])
@table("bad", ["123", ""])
def test_bulk_is_all_or_nothing(resource: str, bad: str) -> None:
    """One invalid number in a bulk refuses all of it, uncharged."""
    api = Api()
    _, document = api.send(resource, DestinationAddresses=[*NUMBERS, bad])
    words = "error-address-format" if resource.startswith("Viber") else "Invalid destination address"
    assert (words, 0, Decimal("1000.00")) == (document["Desc"], len(api.emulator.store), api.balance)


def test_duplicates_are_sent_twice(api: Api) -> None:
    """A number that stands twice in a bulk gets the message twice."""
    assert 2 == len(api.send("Sms/SendBulk", DestinationAddresses=[NUMBERS[0]] * 2)[1])


@table(
    "parameters, code, words",
    [
        ({"SourceAddress": "ДЕВИНО"}, 6, "Invalid source address"),
        ({"SourceAddress": "a" * 12}, 6, "Invalid source address"),
        ({"DestinationAddress": "nobody"}, 2, "Invalid destination address"),
        ({"Data": "a" * 2001}, 2, "Data can not be longer than 2000 characters"),
        ({"Validity": "-1"}, 2, "Validity is not a number of minutes Parameter name: validity"),
        (
            {"SendDate": "tomorrow"},
            2,
            "SendDate is not a date and time like 2011-01-28T16:00:00 Parameter name: senddate",
        ),
    ],
)
def test_sms_refusals(parameters: dict[str, str], code: int, words: str) -> None:
    """Each wrong value is refused with its Code and words, uncharged."""
    api = Api()
    assert error(code, words) == api.send(**parameters)
    assert Decimal("1000.00") == api.balance


def test_checks_come_in_the_documented_order(api: Api) -> None:
    """Of several wrong values the one that the API checks first is told."""
    api.emulator.set_balance(Decimal(0))
    parameters: dict[str, object] = {
        "SendDate": "",
        "SessionID": "unknown",
        "DestinationAddress": "nobody",
        "SourceAddress": "ДЕВИНО",
        "Data": "a" * 2001,
    }
    cures: list[tuple[str, object]] = [
        ("SendDate", NOW),
        ("SessionID", api.log_in()),
        ("balance", Decimal(1000)),
        ("DestinationAddress", NUMBERS[0]),
        ("SourceAddress", "DEVINO"),
    ]
    told = []
    for name, value in cures:
        told.append(api.call("POST", "Sms/SendByTimeZone", **parameters)[1]["Code"])
        if isinstance(value, Decimal):
            api.emulator.set_balance(value)
        else:
            parameters[name] = value
    assert [1, 3, 5, 2, 6] == told
    assert "Data can not be longer" in api.call("POST", "Sms/SendByTimeZone", **parameters)[1]["Desc"]


def test_an_empty_send_date_means_now(api: Api) -> None:
    """Published clients send sendDate= for now."""
    assert 200 == api.send(sendDate="", Validity="0")[0]
    assert [START.timestamp()] == [message.due for message in api.emulator.store]


def test_a_past_send_date_goes_at_once(api: Api) -> None:
    """A date that has passed sends the message now."""
    _, (part,) = api.send(SendDate="2011-01-28T16:00:00")
    api.advance(1)
    assert 0 == api.state(part)["State"]


def test_a_future_send_date_waits(api: Api) -> None:
    """A message for later is queued until its instant, in UTC."""
    _, (part,) = api.send(SendDate="2026-01-28T13:00:00")
    states = []
    for seconds in (0, 3599, 1.5, 1):
        api.advance(seconds)
        states.append(api.state(part)["State"])
    assert [-2, -2, -1, 0] == states


def test_time_zone_sends_go_by_the_recipients_clock(api: Api) -> None:
    """A wall clock's time is reached in Vladivostok seven hours before Moscow, whose time Russian mobiles go by."""
    api.emulator.set_time_zone(NUMBERS[1], "Asia/Vladivostok")
    api.send("Sms/SendByTimeZoneToAddresses", DestinationAddresses=NUMBERS, SendDate="2026-01-29T09:00:00")
    due = [datetime.fromtimestamp(message.due, UTC).isoformat() for message in api.emulator.store]
    assert ["2026-01-29T06:00:00+00:00", "2026-01-28T23:00:00+00:00"] == due


@table("extreme", ["0001-01-01T00:00:00", "9999-12-31T23:59:59"])
@table("resource", ["Sms/Send", "Sms/SendByTimeZone"])
def test_extreme_dates(resource: str, extreme: str) -> None:
    """The first and the last date that can be written are taken, and what they made can be read."""
    api = Api()
    _, (part,) = api.send(resource, SendDate=extreme)
    assert api.state(part)["State"] == -2
