"""The four operations that send Viber messages, and their resends."""

from __future__ import annotations

from decimal import Decimal

from devinotify.sandbox.operations import OPERATIONS, Action
from tests.sandbox.conftest import NUMBERS, Api, date, error
from tests.tables import table

VIBER_SENDS = [operation.name for operation in OPERATIONS if operation.action is Action.SEND_VIBER]


@table("resource", VIBER_SENDS)
def test_one_viber_id_per_recipient(resource: str) -> None:
    """Each Viber operation answers one id per recipient, however long the text."""
    api = Api()
    bulk = "Bulk" in resource
    status, part_ids = api.send(resource, Data="я" * 1000, **({"DestinationAddresses": NUMBERS} if bulk else {}))
    assert (200, 2 if bulk else 1) == (status, len(part_ids))
    assert Decimal("1000.00") - len(part_ids) * Decimal("1.50") == api.balance


def test_optionals_go_with_their_recipients(api: Api) -> None:
    """The free parameters are kept in the recipients' order; missing ones are empty."""
    api.send("Viber/SendBulk", DestinationAddresses=NUMBERS, Optionals=["first"])
    api.send("Viber/Send", Optional="alone")
    api.send("Viber/SendBulk", DestinationAddresses=NUMBERS[:1], Optionals=["a", "too many"])
    assert ["first", "", "alone", "a"] == [message.optional for message in api.emulator.store]


@table(
    "parameters, words",
    [
        ({"SourceAddress": "a b"}, "error-subject-format"),
        ({"DestinationAddress": "89161234567"}, "error-address-format"),
        ({"Validity": "0"}, "error-validity-period-seconds-format"),
        ({"Validity": "1441"}, "error-validity-period-seconds-format"),
    ],
)
def test_viber_refusals(parameters: dict[str, str], words: str) -> None:
    """Each wrong value is refused with Code 1 and its documented word."""
    api = Api()
    assert error(1, words) == api.send("Viber/Send", **parameters)


def test_a_long_viber_text(api: Api) -> None:
    """There is no word for a text over 1000 characters: it is an invalid argument."""
    assert error(2, "Data can not be longer than 1000 characters") == api.send("Viber/Send", Data="a" * 1001)


def test_viber_states_over_time(api: Api) -> None:
    """A Viber message is sending, sent, delivered, read."""
    _, (part,) = api.send("Viber/Send", DestinationAddress="79000000023")
    states = []
    for seconds in (0, 0.5, 1, 1):
        api.advance(seconds)
        states.append(api.state(part, "Viber")["State"])
    assert [0, 1, 2, 3] == states


def test_no_resend_where_viber_delivered(api: Api) -> None:
    """A delivered message has no ResentSms."""
    _, (part,) = api.send("Viber/SendWithResend")
    api.advance(10)
    assert "ResentSms" not in api.state(part, "Viber")


def test_no_resend_where_none_was_asked_for(api: Api) -> None:
    """Viber/Send that fails stays failed, and nothing more is charged."""
    _, (part,) = api.send("Viber/Send", DestinationAddress="79000000024")
    api.advance(10)
    document = api.state(part, "Viber")
    assert (4, False, Decimal("998.50")) == (document["State"], "ResentSms" in document, api.balance)


def test_failed_viber_is_resent_as_sms(api: Api) -> None:
    """A failure makes an SMS, a status for each of its segments, charged, and known to Sms/State."""
    _, (part,) = api.send("Viber/SendWithResend", DestinationAddress="79000000024", Data="я" * 71)
    early = api.state(part, "Viber")
    api.advance(1)
    resent = api.state(part, "Viber")
    api.advance(1)
    late = api.state(part, "Viber")
    assert (False, 4, [-2, -2], [0, 0]) == (
        "ResentSms" in early,
        resent["State"],
        [sms["State"] for sms in resent["ResentSms"]],
        [sms["State"] for sms in late["ResentSms"]],
    )
    first = dict(late["ResentSms"][0])
    assert first == {**api.state(first["Id"]), "Id": first["Id"]}
    assert Decimal("1000.00") - Decimal("1.50") - 2 * Decimal("2.50") == api.balance


def test_a_resend_nobody_looked_at_went_out_in_time(api: Api) -> None:
    """However late it is asked for, the resent SMS was created when Viber failed."""
    _, (part,) = api.send("Viber/SendWithResendBulk", DestinationAddresses=["79000000044"])
    api.advance(3600)
    (sms,) = api.state(part, "Viber")["ResentSms"]
    assert (46, date(1)) == (sms["State"], sms["CreationDateUtc"])


def test_an_unpaid_resend_is_rejected(api: Api) -> None:
    """A resend that the balance does not cover is an SMS that the platform rejected, uncharged."""
    api.emulator.set_balance(Decimal("1.50"))
    _, (part,) = api.send("Viber/SendWithResend", DestinationAddress="79000000024")
    api.advance(10)
    (sms,) = api.state(part, "Viber")["ResentSms"]
    assert (48, Decimal(0)) == (sms["State"], api.balance)


def test_viber_that_expires_is_resent(api: Api) -> None:
    """A message never delivered is resent when its validity ends."""
    _, (part,) = api.send("Viber/SendWithResend", DestinationAddress="79000000003", Validity="5")
    api.advance(301)
    document = api.state(part, "Viber")
    assert (7, [-1]) == (document["State"], [sms["State"] for sms in document["ResentSms"]])
