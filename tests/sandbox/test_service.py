"""The 14 operations, called without a server."""

from __future__ import annotations

import json
import logging
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from devinotify.gateway.codes import ERRORS, SMS_STATES, VIBER_WORDS
from devinotify.sandbox import service
from devinotify.sandbox.fates import FATES
from devinotify.sandbox.operations import OPERATIONS, Kind, Operation
from devinotify.sandbox.service import _COUNTERS, STATISTICS_TOO_LONG
from tests.sandbox.conftest import START, Api

NUMBERS = ["79161234567", "79031234567"]
SMS_SENDS = [operation.name for operation in OPERATIONS if operation.kind is Kind.SEND_SMS]
VIBER_SENDS = [operation.name for operation in OPERATIONS if operation.kind is Kind.SEND_VIBER]
NOW = "2026-01-28T12:00:00"
MILLISECONDS = int(START.timestamp() * 1000)
NO_DATE = "/Date(-62135596800000)/"


def date(seconds: float) -> str:
    """Return a date of the API, so many seconds after the clock's start."""
    return f"/Date({MILLISECONDS + int(seconds * 1000)})/"


def error(code: int, description: str) -> tuple[int, dict[str, Any]]:
    """Return what a refusal looks like."""
    return ERRORS[code].http_status, {"Code": code, "Desc": description}


def dated(resource: str) -> dict[str, str]:
    """Return the SendDate that an operation requires, if it does."""
    return {"SendDate": NOW} if "TimeZone" in resource else {}


# Sessions


def test_wrong_credentials(api: Api) -> None:
    """A wrong password is 401, Code 4, in the documented words."""
    reply = api.call("GET", "User/SessionID", Login="demo", Password="nope")
    assert error(4, "Invalid user login or password") == reply


def test_a_session_is_a_quoted_string(api: Api) -> None:
    """A session comes as 36 characters in quotation marks."""
    reply = api.raw("GET", "/rest/user/sessionid", "login=demo&password=demo")
    assert (200, 38, b'""') == (reply.status, len(reply.body), reply.body[:1] + reply.body[-1:])


def test_login_by_post_is_taken(api: Api) -> None:
    """A read is answered to a POST as well."""
    assert 200 == api.raw("POST", "/rest/user/sessionid", body="login=demo&password=demo").status


WITH_SESSION = [operation for operation in OPERATIONS if operation.kind is not Kind.LOGIN]


def complete(operation: Operation, **parameters: object) -> dict[str, object]:
    """Return valid parameters for an operation."""
    values: dict[str, object] = {
        "DestinationAddress": NUMBERS[0],
        "DestinationAddresses": NUMBERS,
        "Data": "test",
        "SourceAddress": "DEVINO",
        "SendDate": NOW,
        "MessageID": "1",
        "maxDateUTC": NOW,
        "minDateUTC": "2026-01-01T00:00:00",
        "startDateTime": "2026-01-01T00:00:00",
        "endDateTime": NOW,
    }
    names = {parameter.name for parameter in operation.parameters}
    return {name: value for name, value in values.items() if name in names} | parameters


EVERY_OPERATION = pytest.mark.parametrize("operation", WITH_SESSION, ids=lambda operation: operation.name)


@EVERY_OPERATION
def test_complete_calls_are_answered(api: Api, operation: Operation) -> None:
    """Every operation answers 200 to valid parameters."""
    assert 200 == api.call(operation.methods[0], operation.name, **complete(operation))[0]


@EVERY_OPERATION
def test_an_expired_session(api: Api, operation: Operation) -> None:
    """After 120 minutes every operation answers 401, Code 4, SessionID expired."""
    api.log_in()
    api.emulator.advance(7200)
    reply = api.call(operation.methods[0], operation.name, **complete(operation))
    assert error(4, "SessionID expired") == reply


@EVERY_OPERATION
@pytest.mark.parametrize("session", ["A" * 36, "short", "я"])
def test_an_unknown_session(api: Api, operation: Operation, session: str) -> None:
    """A session id that was never given out, or cannot be one, is 400, Code 3."""
    reply = api.call(operation.methods[0], operation.name, **complete(operation, SessionID=session))
    assert error(3, "Invalid session id") == reply


@EVERY_OPERATION
def test_the_session_is_required(api: Api, operation: Operation) -> None:
    """Without a session id every operation answers Code 1 in the documented words."""
    reply = api.call(operation.methods[0], operation.name, **complete(operation, SessionID=""))
    assert error(1, "SessionID can not be null or empty Parameter name: sessionid") == reply


MISSING = {
    ("Sms/In", "maxDateUTC"): (9, None),
    **{
        (name, parameter): (1, word)
        for name in VIBER_SENDS
        for parameter, word in {
            "DestinationAddress": "error-address-not-specified",
            "DestinationAddresses": "error-address-not-specified",
            "Data": "error-content-not-specified",
            "SourceAddress": "error-subject-not-specified",
        }.items()
    },
}


@pytest.mark.parametrize(
    ("operation", "name"),
    [
        (operation, parameter.name)
        for operation in OPERATIONS
        for parameter in operation.parameters
        if parameter.code is not None
    ],
    ids=lambda value: value if isinstance(value, str) else value.name,
)
def test_missing_arguments(api: Api, operation: Operation, name: str) -> None:
    """A required argument that is empty is refused with its documented Code and words."""
    code, description = MISSING.get((operation.name, name), (1, None))
    parameters = complete(operation, **{"Login": "demo", "Password": "demo"} if operation.kind is Kind.LOGIN else {})
    status, document = api.call(operation.methods[0], operation.name, **{**parameters, name: ""})
    words = description or f"{name} can not be null or empty Parameter name: {name.lower()}"
    assert ERRORS[code].http_status == status
    assert document["Desc"].startswith("The parameters dictionary") if code == 9 else words == document["Desc"]


def test_the_documented_text_of_a_missing_date(api: Api) -> None:
    """Sms/In without maxDateUTC answers 500, Code 9, with the .NET text of the API's example."""
    status, document = api.call("GET", "Sms/In", minDateUTC=NOW)
    assert (500, 9) == (status, document["Code"])
    assert (
        "The parameters dictionary contains a null entry for parameter 'maxDateUtc' of non-nullable type 'DateTime' "
        "for method 'System.Web.Mvc.ActionResult In(System.String, DateTime, DateTime)' in "
        "'RestService.Controllers.SmsController'. An optional parameter must be a reference type, a nullable type, "
        "or be declared as an optional parameter. Parameter name: parameters"
    ) == document["Desc"]


# Paths and methods


def test_unknown_resources(api: Api) -> None:
    """A path that is none of the API's is 404 with Code 6."""
    reply = api.raw("GET", "/rest/v2/Sms/Send")
    assert (404, 6) == (reply.status, json.loads(reply.body)["Code"])


@pytest.mark.parametrize(("method", "resource"), [("GET", "Sms/Send"), ("PUT", "User/Balance"), ("HEAD", "Viber/Send")])
def test_other_methods(api: Api, method: str, resource: str) -> None:
    """A method that an operation does not take is 405 with Code 6, and says which it takes."""
    reply = api.raw(method, f"/rest/{resource}")
    assert (405, 6, True) == (reply.status, json.loads(reply.body)["Code"], "POST" in reply.allow)


def test_an_oversized_body(api: Api) -> None:
    """A body over 1 MiB is an invalid argument."""
    assert 2 == json.loads(api.raw("POST", "/rest/Sms/Send", body="a" * (2**20 + 1)).body)["Code"]


def test_whatever_fails_has_the_documented_form(
    api: Api, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A fault of the sandbox itself is 500, Code 9, and is logged without what was sent."""
    monkeypatch.setattr(service.texts, "count_segments", lambda _: 1 / 0)
    with caplog.at_level(logging.ERROR):
        reply = api.send(Data="secret text")
    assert error(9, "Internal server error") == reply
    assert ["The sandbox failed at Sms/Send: ZeroDivisionError"] == caplog.messages


# Sending SMS


@pytest.mark.parametrize("resource", SMS_SENDS)
def test_one_id_per_segment(api: Api, resource: str) -> None:
    """Each SMS operation answers one id per segment, those of the first recipient first."""
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


@pytest.mark.parametrize("resource", ["Sms/SendBulk", "Viber/SendBulk", "Viber/SendWithResendBulk"])
@pytest.mark.parametrize("bad", ["123", ""])
def test_bulk_is_all_or_nothing(api: Api, resource: str, bad: str) -> None:
    """One invalid number in a bulk refuses all of it, uncharged."""
    _, document = api.send(resource, DestinationAddresses=[*NUMBERS, bad])
    words = "error-address-format" if resource.startswith("Viber") else "Invalid destination address"
    assert (words, 0, Decimal("1000.00")) == (document["Desc"], len(api.emulator.store), api.balance)


def test_duplicates_are_sent_twice(api: Api) -> None:
    """A number that stands twice in a bulk gets the message twice."""
    assert 2 == len(api.send("Sms/SendBulk", DestinationAddresses=[NUMBERS[0]] * 2)[1])


@pytest.mark.parametrize(
    ("parameters", "code", "words"),
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
def test_sms_refusals(api: Api, parameters: dict[str, str], code: int, words: str) -> None:
    """Each wrong value is refused with its Code and words, uncharged."""
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


@pytest.mark.parametrize("extreme", ["0001-01-01T00:00:00", "9999-12-31T23:59:59"])
@pytest.mark.parametrize("resource", ["Sms/Send", "Sms/SendByTimeZone"])
def test_extreme_dates(api: Api, resource: str, extreme: str) -> None:
    """The first and the last date that can be written are taken, and what they made can be read."""
    _, (part,) = api.send(resource, SendDate=extreme)
    assert api.state(part)["State"] == -2


# States


def test_states_over_time(api: Api) -> None:
    """A message is queued, sent, delivered; each answer has the documented fields and dates."""
    _, (part,) = api.send()
    documents = [api.state(part)]
    for seconds in (0.25, 1):
        api.advance(seconds)
        documents.append(api.state(part))
    common = {"CreationDateUtc": date(0), "Price": 2.5}
    pending = {"ReportedDateUtc": None, "TimeStampUtc": NO_DATE}
    assert [
        {**common, **pending, "State": -2, "SubmittedDateUtc": None, "StateDescription": "В очереди"},
        {
            **common,
            **pending,
            "State": -1,
            "SubmittedDateUtc": date(0.2),
            "StateDescription": "Отправлено (передано в мобильную сеть)",
        },
        {
            **common,
            "State": 0,
            "SubmittedDateUtc": date(0.2),
            "ReportedDateUtc": date(1),
            "TimeStampUtc": date(1),
            "StateDescription": "Доставлено абоненту",
        },
    ] == documents


UNKNOWN = {
    "State": 255,
    "CreationDateUtc": None,
    "SubmittedDateUtc": None,
    "ReportedDateUtc": None,
    "TimeStampUtc": NO_DATE,
    "StateDescription": "Неизвестный",
    "Price": None,
}


@pytest.mark.parametrize("channel", ["Sms", "Viber"])
def test_an_unknown_id(api: Api, channel: str) -> None:
    """An id that was never given out has state 255, as in the API's example."""
    assert UNKNOWN == api.state("579700854169272358", channel)


def test_the_unknown_state_is_written_as_documented(api: Api) -> None:
    """The body of the answer for an unknown id, byte by byte."""
    session = api.log_in()
    assert (
        r'{"State":255,"CreationDateUtc":null,"SubmittedDateUtc":null,"ReportedDateUtc":null,'
        r'"TimeStampUtc":"\/Date(-62135596800000)\/","StateDescription":"Неизвестный","Price":null}'
    ) == api.raw("GET", "/rest/Sms/State", f"sessionId={session}&messageId=1").body.decode()


def test_a_channels_id_is_unknown_to_the_other(api: Api) -> None:
    """An SMS id asked of Viber/State, and the other way round, is unknown."""
    _, (sms,) = api.send()
    _, (viber,) = api.send("Viber/Send")
    assert [255, 255] == [api.state(sms, "Viber")["State"], api.state(viber, "Sms")["State"]]


@pytest.mark.parametrize(("resource", "channel"), [("Sms/Send", "Sms"), ("Viber/Send", "Viber")])
def test_states_are_told_for_48_hours(api: Api, resource: str, channel: str) -> None:
    """48 hours after the sending a message's state is 255."""
    _, (part,) = api.send(resource)
    api.advance(48 * 3600)
    before = api.state(part, channel)["State"]
    api.advance(1)
    assert (True, 255) == (before != 255, api.state(part, channel)["State"])


def test_the_48_hours_count_from_the_sending(api: Api) -> None:
    """A scheduled message's 48 hours begin with its SendDate."""
    _, (part,) = api.send(SendDate="2026-02-28T12:00:00")
    api.advance(32 * 86400)
    assert 0 == api.state(part)["State"]


def test_a_raw_plus_in_an_id_is_tried_both_ways() -> None:
    """An id with + is found escaped, and raw, where the query makes a space of it."""
    api = Api(id_prefix="SAR-W+")
    _, (part,) = api.send()
    session = api.log_in()
    raw = json.loads(api.raw("GET", "/rest/Sms/State", f"sessionId={session}&messageId={part}").body)
    assert (True, -2, -2) == (part.startswith("SAR-W+"), raw["State"], api.state(part)["State"])


def test_validity_ends_what_is_under_way(api: Api) -> None:
    """A message that its network never reports expires after its validity."""
    _, (part,) = api.send(DestinationAddress="79000000003", Validity="10")
    states = []
    for seconds in (599, 1):
        api.advance(seconds)
        states.append(api.state(part)["State"])
    assert [-1, 46] == states


@pytest.mark.parametrize("fate", [fate for fate in FATES.values() if not fate.refusal], ids=lambda fate: fate.name)
def test_magic_numbers_meet_their_fate(api: Api, fate: Any) -> None:  # noqa: ANN401 - the table's own
    """A magic number's messages end in its fate's last state on either channel."""
    number = f"790000000{fate.ending}"
    _, (sms,) = api.send(DestinationAddress=number)
    _, (viber,) = api.send("Viber/Send", DestinationAddress=number)
    api.advance(1440 * 60)
    ends = [api.state(sms)["State"], api.state(viber, "Viber")["State"]]
    expected = [
        next((step.state for step in reversed(steps) if step.state not in under_way), expired)
        for steps, under_way, expired in ((fate.sms, (-2, -1), 46), (fate.viber, (0, 1), 7))
    ]
    assert expected == ends


@pytest.mark.parametrize("fate", [fate for fate in FATES.values() if fate.refusal], ids=lambda fate: fate.name)
def test_magic_numbers_that_refuse(api: Api, fate: Any) -> None:  # noqa: ANN401 - the table's own
    """A magic number whose fate is a refusal refuses the send on either channel, uncharged."""
    number = f"790000000{fate.ending}"
    sms, viber = (api.send(resource, DestinationAddress=number) for resource in ("Sms/Send", "Viber/Send"))
    assert (ERRORS[fate.refusal].http_status, fate.refusal) == (sms[0], sms[1]["Code"])
    assert fate.word is None or fate.word == viber[1]["Desc"]
    assert (Decimal("1000.00"), 0) == (api.balance, len(api.emulator.store))


# Viber


@pytest.mark.parametrize("resource", VIBER_SENDS)
def test_one_viber_id_per_recipient(api: Api, resource: str) -> None:
    """Each Viber operation answers one id per recipient, however long the text."""
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


@pytest.mark.parametrize(
    ("parameters", "words"),
    [
        ({"SourceAddress": "a b"}, "error-subject-format"),
        ({"DestinationAddress": "89161234567"}, "error-address-format"),
        ({"Validity": "0"}, "error-validity-period-seconds-format"),
        ({"Validity": "1441"}, "error-validity-period-seconds-format"),
    ],
)
def test_viber_refusals(api: Api, parameters: dict[str, str], words: str) -> None:
    """Each wrong value is refused with Code 1 and its documented word."""
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


# Incoming messages


def incoming(api: Api, start: str = "", end: str = "2026-01-29T00:00:00") -> tuple[int, Any]:
    """Return the incoming messages of a period."""
    return api.call("GET", "Sms/In", minDateUTC=start, maxDateUTC=end)


def test_incoming_messages_have_the_documented_keys(api: Api) -> None:
    """An incoming message is told with its five documented fields."""
    message = api.emulator.add_incoming("стоп", "79260000000", "79160000000")
    assert (
        200,
        [
            {
                "Data": "стоп",
                "SourceAddress": "79260000000",
                "DestinationAddress": "79160000000",
                "ID": message.id,
                "CreateDateUtc": date(0),
            }
        ],
    ) == incoming(api)


@pytest.mark.parametrize(
    ("start", "end", "found"),
    [
        ("2026-01-28T12:00:00", "2026-01-28T12:00:01", 1),
        ("2026-01-28T11:00:00", "2026-01-28T12:00:00", 1),
        ("2026-01-28T11:00:00", "2026-01-28T11:59:59", 0),
        ("2026-01-28T12:00:01", "2026-01-28T13:00:00", 0),
    ],
)
def test_incoming_messages_of_a_period(api: Api, start: str, end: str, found: int) -> None:
    """Only messages of the period are told, its last second included."""
    api.emulator.add_incoming("x", "1", "2")
    assert found == len(incoming(api, start, end)[1])


@pytest.mark.parametrize(
    ("start", "end"),
    [
        ("2026-01-28T12:00:00", "2026-01-28T12:00:00"),
        ("2026-01-28T12:00:00", "2026-01-28T11:00:00"),
        ("2025-01-01T00:00:00", "2026-01-28T12:00:00"),
        ("x", "2026-01-28T12:00:00"),
        ("", "x"),
    ],
)
def test_invalid_periods(api: Api, start: str, end: str) -> None:
    """A period that ends before it begins, begins over a year ago, or is no period, is an invalid argument."""
    status, document = incoming(api, start, end)
    assert (400, 2) == (status, document["Code"])


# Statistics


def statistics(api: Api, start: str = "2026-01-28 00:00:00", end: str = "2026-01-28T23:59:00") -> tuple[int, Any]:
    """Return the statistics of a period."""
    return api.call("GET", "Sms/Statistics", startDateTime=start, endDateTime=end)


def test_every_state_is_counted_once() -> None:
    """The counters share out all SMS states."""
    assert sorted(SMS_STATES) == sorted(state for states in _COUNTERS.values() for state in states)


def test_statistics_count_segments(api: Api) -> None:
    """Segments are counted by what became of them; the sums and the ratio follow."""
    for ending in ("46", "42", "11", "02", "03"):
        api.send(DestinationAddress=f"790000000{ending}")
    api.send(Data="я" * 71)
    api.send("Viber/Send")
    api.advance(10)
    assert (
        200,
        {
            "Sent": 1,
            "Delivered": 2,
            "Errors": 1,
            "InProcess": 1,
            "Expired": 1,
            "Rejected": 1,
            "Total": 6,
            "TotalWithErrors": 7,
            "DeliveryRatio": 33.33,
        },
    ) == statistics(api)


def test_statistics_of_nothing(api: Api) -> None:
    """A period without messages counts nothing and divides by nothing."""
    api.send()
    status, document = statistics(api, "2026-01-01", "2026-01-02")
    assert (200, {0}) == (status, set(document.values()))


def test_statistics_of_90_days(api: Api) -> None:
    """90 days are taken, a second more is refused in the documented words."""
    assert 200 == statistics(api, "2025-11-01", "2026-01-30")[0]
    assert error(2, STATISTICS_TOO_LONG) == statistics(api, "2025-11-01", "2026-01-30T00:00:01")


@pytest.mark.parametrize(("start", "end"), [("2026-01-02", "2026-01-01"), ("x", "2026-01-01")])
def test_invalid_statistics_periods(api: Api, start: str, end: str) -> None:
    """A period that ends before it begins, or is none, is an invalid argument."""
    assert 2 == statistics(api, start, end)[1]["Code"]


# The log


def test_requests_are_logged_without_secrets(api: Api) -> None:
    """The log keeps what the API names, and nothing of login, password, session id or unknown names."""
    api.log_in()
    api.send(Passwrod="hunter2", DestinationAddress=NUMBERS[0])
    api.raw("GET", "/nowhere", "password=demo")
    login, send, nowhere = api.emulator.store.requests
    assert {"login": ("***",), "password": ("***",)} == dict(login.parameters)
    assert ("***",) == dict(send.parameters)["passwrod"] == dict(send.parameters)["sessionid"]
    assert ("test",) == dict(send.parameters)["data"]
    assert (None, (), 404, 6) == (nowhere.operation, nowhere.parameters, nowhere.status, nowhere.code)


# Rubbish

rubbish = st.one_of(
    st.text(max_size=30),
    st.sampled_from(["0", "-1", "79161234567", NOW, "\0", "' OR 1=1", "９", "2026-01-28T12:00:00Z", "1e5", "+", "%"]),
)


def documented(operation: Operation, status: int, body: bytes) -> bool:
    """Return whether an answer has one of the forms that the API documents for an operation."""
    document = json.loads(body)
    if status != 200:
        words = document["Desc"].startswith("error-")
        return set(document) == {"Code", "Desc"} and (
            (ERRORS[document["Code"]].http_status == status) and (not words or document["Desc"] in VIBER_WORDS)
        )
    if operation.kind in (Kind.SEND_SMS, Kind.SEND_VIBER):
        return bool(document) and all(isinstance(part, str) for part in document)
    if operation.kind in (Kind.SMS_STATE, Kind.VIBER_STATE):
        return document["State"] == 255
    if operation.kind is Kind.INCOMING:
        return isinstance(document, list)
    if operation.kind is Kind.STATISTICS:
        return all(isinstance(count, int | float) for count in document.values())
    return isinstance(document, str | int | float)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=300, deadline=None)
@given(st.data())
def test_rubbish_is_answered_in_the_documented_forms(api: Api, data: st.DataObject) -> None:
    """Whatever stands in the parameters, the answer is one that the API documents, and never a fault."""
    operation = data.draw(st.sampled_from(OPERATIONS))
    values = complete(operation, SessionID=api.log_in())
    names = data.draw(st.sets(st.sampled_from([parameter.name for parameter in operation.parameters])))
    for name in names:
        values[name] = data.draw(st.one_of(rubbish, st.lists(rubbish, max_size=3)))
    form = urlencode(values, doseq=True)
    in_query = data.draw(st.booleans())
    reply = api.raw("POST", f"/rest/{operation.name}", *((form, "") if in_query else ("", form)))
    assert documented(operation, reply.status, reply.body)
    assert (reply.status == 500) == (reply.code == 9 and operation.kind is Kind.INCOMING)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=200, deadline=None)
@given(
    st.sampled_from(["GET", "POST", "HEAD", "DELETE"]),
    st.sampled_from(["/rest/Sms/Send", "/rest/user/sessionid", "/", "/rest/\0"]),
    st.binary(max_size=300),
    st.binary(max_size=300),
)
def test_any_bytes_are_answered(api: Api, method: str, path: str, query: bytes, body: bytes) -> None:
    """Whatever the bytes of a request, the answer is an error in the documented form."""
    reply = service.answer(api.emulator, method, path, query, body)
    assert {"Code", "Desc"} == set(json.loads(reply.body))
