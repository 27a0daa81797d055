"""The 14 operations: the requests as the API's tables spell them, the replies with all their damage."""

from __future__ import annotations

import html
import json
import pickle
import re
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from itertools import product
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, quote, quote_plus

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from devinotify import exceptions
from devinotify.exceptions import (
    DevinotifyError,
    GatewayError,
    InvalidInput,
    NotSent,
    OutcomeUnknown,
    Unauthorized,
    UnexpectedResponse,
    Verdict,
    ViberRejected,
)
from devinotify.gateway import wire
from devinotify.gateway.codes import sms_status, viber_status
from devinotify.gateway.http1 import Reply
from devinotify.gateway.replies import DEEPEST
from devinotify.gateway.wire import Operation, build, interpret
from devinotify.models import IncomingSms, SmsState, SmsStatistics, ViberState, combine
from tests.laws import both_ways
from tests.strategies import changed, credentials, numbers, passwords, texts, words
from tests.tables import table

if TYPE_CHECKING:
    from collections.abc import Mapping

SESSION_ID = "Z5CYSZEKDL1DPICU37WEHQVOYKP0T1GSLHX1"

# The tables of the primary source (Viber: the vendor's own): name -> method, path, required, optional parameters.
_SMS = "SessionID SourceAddress {} Data"
TABLES = {
    "User/SessionID": ("GET", "/user/sessionid", "Login Password", ""),
    "User/Balance": ("GET", "/User/Balance", "SessionID", ""),
    "Sms/Send": ("POST", "/Sms/Send", _SMS.format("DestinationAddress"), "SendDate Validity"),
    "Sms/SendByTimeZone": ("POST", "/Sms/SendByTimeZone", _SMS.format("DestinationAddress") + " SendDate", "Validity"),
    "Sms/SendBulk": ("POST", "/Sms/SendBulk", _SMS.format("DestinationAddresses"), "SendDate Validity"),
    "Sms/SendByTimeZoneToAddresses": (
        "POST",
        "/Sms/SendByTimeZoneToAddresses",
        _SMS.format("DestinationAddresses") + " SendDate",
        "Validity",
    ),
    "Sms/State": ("GET", "/Sms/State", "SessionID messageId", ""),
    "Sms/In": ("GET", "/Sms/In", "SessionID minDateUTC maxDateUTC", ""),
    "Sms/Statistics": ("GET", "/Sms/Statistics", "SessionID startDateTime endDateTime", ""),
    "Viber/Send": ("POST", "/Viber/Send", _SMS.format("DestinationAddress"), "Validity Optional"),
    "Viber/SendBulk": ("POST", "/Viber/SendBulk", _SMS.format("DestinationAddresses"), "Validity Optionals"),
    "Viber/SendWithResend": ("POST", "/Viber/SendWithResend", _SMS.format("DestinationAddress"), "Validity Optional"),
    "Viber/SendWithResendBulk": (
        "POST",
        "/Viber/SendWithResendBulk",
        _SMS.format("DestinationAddresses"),
        "Validity Optionals",
    ),
    "Viber/State": ("GET", "/Viber/State", "SessionID messageId", ""),
}

BY_NAME = {operation.name: operation for operation in wire.OPERATIONS}
SENDS = [operation for operation in wire.OPERATIONS if operation.is_send]
LISTS = {"DestinationAddresses", "Optionals"}
Call = tuple[Operation[Any], dict[str, wire.Value], list[tuple[str, str]]]
"""An operation, values for it, and the parameters that a server has to read in its request."""

LOCAL_TIME = {"Sms/SendByTimeZone", "Sms/SendByTimeZoneToAddresses"}

operations = st.sampled_from(wire.OPERATIONS)


def reply(body: str | bytes, status: int = 200, *, framed: bool = True, retry_after: float | None = None) -> Reply:
    """Return a reply with a body."""
    return Reply(status, body.encode() if isinstance(body, str) else body, framed=framed, retry_after=retry_after)


def decoded(operation: Operation[Any], values: Mapping[str, wire.Value]) -> list[tuple[str, str]]:
    """Return the parameters of the built request as any server reads them."""
    request = build(operation, values)
    form = request.target.partition("?")[2] if request.body is None else request.body.decode("ascii")
    return parse_qsl(form, keep_blank_values=True, strict_parsing=True, errors="strict")


def refused(operation: Operation[Any], answer: Reply, **more: Any) -> DevinotifyError:  # noqa: ANN401 - passed on
    """Return the error that a reply gives."""
    with pytest.raises(DevinotifyError) as caught:
        interpret(operation, answer, **more)
    return caught.value


# --- requests --------------------------------------------------------------------------------------


def test_there_are_the_14_operations() -> None:
    """Each documented operation is there, once, under its own name and constant."""
    assert list(TABLES) == [operation.name for operation in wire.OPERATIONS]


@table("operation", wire.OPERATIONS)
def test_an_operation_is_spelt_like_its_table(operation: Operation[Any]) -> None:
    """Method, path and each parameter's spelling are those of the API's tables."""
    method, path, required, optional = TABLES[operation.name]
    actual = (
        operation.method,
        operation.path,
        {parameter.name for parameter in operation.parameters if parameter.required},
        {parameter.name for parameter in operation.parameters if not parameter.required},
    )
    assert (method, path, set(required.split()), set(optional.split())) == actual


@table("operation", wire.OPERATIONS)
def test_what_posts_is_a_send(operation: Operation[Any]) -> None:
    """Exactly the operations that send are those that may not be repeated."""
    assert operation.is_send == (TABLES[operation.name][0] == "POST")


@table("operation", wire.OPERATIONS)
def test_what_no_error_may_show_is_marked(operation: Operation[Any]) -> None:
    """Passwords, session ids, texts, numbers and a caller's own parameters are secret wherever they occur."""
    texts_and_numbers = {"Data", "DestinationAddress", "DestinationAddresses", "Optional", "Optionals"}
    expected = ({"Password", "SessionID"} | texts_and_numbers) & {parameter.name for parameter in operation.parameters}
    assert expected == {parameter.name for parameter in operation.parameters if parameter.secret}


@st.composite
def calls(draw: st.DrawFn) -> Call:
    """Return an operation, values for it, and the parameters that a server has to read."""
    operation = draw(operations)
    values: dict[str, wire.Value] = {}
    expected: list[tuple[str, str]] = []
    for parameter in operation.parameters:
        name = parameter.name
        if not parameter.required and draw(st.booleans()):
            values[name] = None
        elif name in LISTS:
            items = draw(st.lists(texts if name == "Optionals" else numbers, min_size=1, max_size=4))
            values[name] = items
            expected += [(name, item) for item in items]
        elif "Date" in name:
            moment = draw(st.datetimes(datetime(1970, 1, 2), datetime(2100, 1, 1)))  # noqa: DTZ001 - bounds are naive
            local = operation.name in LOCAL_TIME
            zone = timezone(timedelta(hours=draw(st.integers(-12, 14))))
            values[name] = moment if local else moment.replace(tzinfo=UTC).astimezone(zone)
            expected.append((name, moment.strftime("%Y-%m-%dT%H:%M:%S")))
        elif name == "Validity":
            minutes = draw(st.integers(0, 100_000))
            values[name] = minutes
            expected.append((name, str(minutes)))
        else:
            text = draw(credentials)
            values[name] = text
            expected.append((name, text))
    return operation, values, expected


@given(call=calls())
def test_a_server_reads_what_was_built(
    call: Call,
) -> None:
    """Whatever the values are, decoding the request gives them back under the documented names."""
    operation, values, expected = call
    assert expected == decoded(operation, values)


@given(call=calls())
def test_a_get_has_a_query_and_a_post_a_body(
    call: Call,
) -> None:
    """Nothing of a send stands in its URL."""
    operation, values, _ = call
    request = build(operation, values)
    expected = ("GET", True, True) if operation.method == "GET" else ("POST", False, False)
    assert expected == (request.method, "?" in request.target, request.body is None)


@given(call=calls())
def test_a_request_is_plain_ascii(call: Call) -> None:
    """A request holds no byte that would need an escape or end a line."""
    request = build(call[0], call[1])
    sent = request.target + (request.body or b"").decode("ascii")
    assert re.fullmatch(r"[A-Za-z0-9/?&=%+._~-]+", sent) is not None


def test_the_documented_example_of_encoding() -> None:
    """The API's own example of a login and a password decodes to the same."""
    assert [("Login", "Jonathan"), ("Password", "a+b==13%!")] == decoded(
        wire.LOGIN, {"Login": "Jonathan", "Password": "a+b==13%!"}
    )


def test_the_documented_example_of_encoding_in_letters() -> None:
    """Plus, equals and percent are escaped as documented; whether ``!`` is does not matter."""
    target = build(wire.LOGIN, {"Login": "Jonathan", "Password": "a+b==13%!"}).target
    assert target.replace("%21", "!") == "/user/sessionid?Login=Jonathan&Password=a%2Bb%3D%3D13%25!"


@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1))
def test_a_text_is_written_as_forms_are(text: str) -> None:
    """The standard library's way of writing a form's value is the measure, for every text there is."""
    target = build(wire.SMS_STATE, {"SessionID": "s", "messageId": text}).target
    assert f"/Sms/State?SessionID=s&messageId={quote_plus(text)}" == target


def test_a_space_is_a_plus() -> None:
    """Form encoding writes a space as the documents do."""
    assert b"Data=a+b&" in (
        build(
            wire.SMS_SEND,
            {"SessionID": "s", "SourceAddress": "S", "DestinationAddress": "7", "Data": "a b", "Validity": 0},
        ).body
        or b""
    )


def test_a_list_is_the_name_repeated() -> None:
    """Each address of a bulk has the parameter's name."""
    values = {"SessionID": "s", "SourceAddress": "S", "DestinationAddresses": ["1", "2"], "Data": "t"}
    body = build(wire.SMS_SEND_BULK, values).body
    assert body == b"SessionID=s&SourceAddress=S&DestinationAddresses=1&DestinationAddresses=2&Data=t"


def test_a_plus_in_a_message_id_is_escaped() -> None:
    """A raw plus would mean a space."""
    target = build(wire.SMS_STATE, {"SessionID": "s", "messageId": "SAR-W+84333"}).target
    assert target == "/Sms/State?SessionID=s&messageId=SAR-W%2B84333"


@table("hours, written", [(0, "2011-01-28T16:00:00"), (3, "2011-01-28T13:00:00"), (-5, "2011-01-28T21:00:00")])
def test_an_instant_is_written_in_utc(hours: int, written: str) -> None:
    """An aware time is converted, and no zone or fraction is written."""
    at = datetime(2011, 1, 28, 16, 0, 0, 999_999, timezone(timedelta(hours=hours)))
    values: dict[str, wire.Value] = {"SessionID": "s", "minDateUTC": at, "maxDateUTC": at}
    assert [("SessionID", "s"), ("minDateUTC", written), ("maxDateUTC", written)] == decoded(wire.SMS_INCOMING, values)


@table("operation", wire.OPERATIONS)
def test_a_missing_parameter_is_named(operation: Operation[Any]) -> None:
    """A request without a required parameter is not built."""
    with pytest.raises(ValueError, match=f"{operation.name} needs {operation.parameters[0].name}"):
        build(operation, {})


@table("operation", wire.OPERATIONS)
def test_an_unknown_parameter_is_named(operation: Operation[Any]) -> None:
    """A request with a parameter that the operation does not have is not built."""
    with pytest.raises(ValueError, match=f"{operation.name} has no parameter sessionid, x"):
        build(operation, {"x": "1", "sessionid": "2"})


def test_half_a_character_is_refused() -> None:
    """A lone surrogate cannot be written as UTF-8; the parameter is named."""
    with pytest.raises(InvalidInput, match="messageId holds a lone surrogate"):
        build(wire.SMS_STATE, {"SessionID": "s", "messageId": "\ud800"})


@given(password=passwords, number=numbers, text=words)
def test_a_requests_repr_shows_its_path_alone(password: str, number: str, text: str) -> None:
    """Neither query nor body is shown."""
    login = build(wire.LOGIN, {"Login": "me", "Password": password})
    send = build(
        wire.SMS_SEND, {"SessionID": password, "SourceAddress": "S", "DestinationAddress": number, "Data": text}
    )
    assert (repr(login), str(send)) == ("<Request GET /user/sessionid>", "<Request POST /Sms/Send>")


# --- documented replies ----------------------------------------------------------------------------


@table(
    "body",
    [f'"{SESSION_ID}"', SESSION_ID, f' "{SESSION_ID}"\r\n', f'\ufeff"{SESSION_ID}"', f"\ufeff{SESSION_ID}"],
)
def test_a_session_id_is_read(body: str) -> None:
    """The id is read with quotes or without."""
    assert interpret(wire.LOGIN, reply(body)) == SESSION_ID


@table("body", ["c619df83-829f-4c30-94cb-54f4d6287878", "C619DF83829F4C3094CB54F4D62878786B5B"])
def test_a_session_id_may_be_a_guid(body: str) -> None:
    """The source calls the id a GUID and shows both forms of 36 characters."""
    assert body == interpret(wire.LOGIN, reply(f'"{body}"'))


@table(
    "body",
    ["MOCK-SESSION-ID", SESSION_ID[:-1], SESSION_ID + "1", SESSION_ID[:-2] + "OK", "nullable", "a.b_c~d/e=", "5797"],
)
def test_a_session_id_is_any_printable_token(body: str) -> None:
    """Other hosts of the API have ids of their own."""
    assert [body, body] == [interpret(wire.LOGIN, reply(body)), interpret(wire.LOGIN, reply(f'"{body}"'))]


@table(
    "body",
    [
        *("", '"', '""', "null", '"null"', "true", "OK", f'"{SESSION_ID}', f"[{SESSION_ID}]", "<html>", "я" * 36),
        *(f"{SESSION_ID[:18]} {SESSION_ID[18:]}", f"{SESSION_ID}\n{SESSION_ID}", "a" * 257, "{}", "a<b", "a'b"),
    ],
)
def test_what_is_no_session_id_is_refused(body: str) -> None:
    """Anything but one printable token is no session."""
    assert isinstance(refused(wire.LOGIN, reply(body)), UnexpectedResponse)


@table(
    "body, balance",
    [
        ("20015.3", "20015.3"),
        ('"20015.3"', "20015.3"),
        ('" -5 "', "-5"),
        ("0", "0"),
        ("-5.50", "-5.50"),
        (" 12\r\n", "12"),
        ("\ufeff1", "1"),
        ("1e3", "1e3"),
    ],
)
def test_a_balance_is_an_exact_number(body: str, balance: str) -> None:
    """The bare number arrives as the Decimal that was written."""
    assert Decimal(balance) == interpret(wire.BALANCE, reply(body))


@table(
    "body",
    [
        *(
            "",
            "null",
            "true",
            '"20015,3"',
            '"many"',
            '""',
            "20015,3",
            "NaN",
            "Infinity",
            "-Infinity",
            "[1]",
            "{}",
            "1 2",
            "<html>",
            "٣",
        ),
        *("1e999999999999999999999", "1e999", "-1e999", "1e-999", "9" * 40, "9" * 5000, "0x1", "1.", "+1"),
    ],
)
def test_what_is_no_balance_is_refused(body: str) -> None:
    """Anything else, numbers beyond all money included, is no balance."""
    assert isinstance(refused(wire.BALANCE, reply(body)), UnexpectedResponse)


@table("operation, body", [(wire.LOGIN, f'"{SESSION_ID}"'), (wire.BALANCE, "1234")])
def test_a_scalar_needs_a_declared_length(operation: Operation[Any], body: str) -> None:
    """A number that was cut is still a number, so an unframed one is not believed."""
    assert "declare" in str(refused(operation, reply(body, framed=False)))


@table("operation", SENDS)
@table(
    "body, found",
    [
        ('["579700854169272358"]', ("579700854169272358",)),
        ('["579700854169272358", "579700854169272359"]', ("579700854169272358", "579700854169272359")),
        ("[579700854169272358,579700854169272359]", ("579700854169272358", "579700854169272359")),
        ('["GW0261BBD6B3"]', ("GW0261BBD6B3",)),
        ('\ufeff ["SAR-W+84333", 5]\r\n', ("SAR-W+84333", "5")),
    ],
)
def test_the_ids_of_a_send_are_texts(operation: Operation[Any], body: str, found: tuple[str, ...]) -> None:
    """Ids come as strings or numbers and are always given as str."""
    assert found == interpret(operation, reply(body))


def test_a_list_of_ids_needs_no_declared_length() -> None:
    """A list shows its own end."""
    assert interpret(wire.SMS_SEND, reply('["1"]', framed=False)) == ("1",)


NO_IDS = [
    *("", "[]", "{}", "null", '"579700854169272358"', "579700854169272358", "[null]", "[true]", '[""]', '[" "]'),
    *("[1.5]", "[[1]]", '[{"id": 1}]', '["1"', '["1"]]', '["1"],', "['1']", "[NaN]", "<html>[1]</html>", "ok"),
    *('{"Code": 0, "Desc": "ok"}', '{"Code": 0', "[1e5]", "[" * 100_000, "[" + "9" * 5000 + "]"),
]


@table("operation", SENDS)
def test_a_send_whose_reply_does_not_fit_is_unknown(operation: Operation[Any]) -> None:
    """A 2xx that is not a list of ids says nothing about the message."""
    errors = {body: refused(operation, reply(body)) for body in NO_IDS}
    assert dict.fromkeys(NO_IDS, (UnexpectedResponse, "unknown", False)) == {
        body: (type(error), error.verdict, error.retryable) for body, error in errors.items()
    }


@table("body, found", [('["1"]', ("1",)), ("[]", ()), ('["1","2"]', ("1", "2"))])
def test_fewer_ids_than_recipients_are_unknown_and_kept(body: str, found: tuple[str, ...]) -> None:
    """Where ids are missing, nobody knows whose they are; those that came are kept on the error."""
    error = refused(wire.SMS_SEND_BULK, reply(body), recipients=3)
    assert isinstance(error, UnexpectedResponse)
    assert (found, "unknown", False) == (error.message_ids, error.verdict, error.retryable)


@table("count", [3, 4, 6])
def test_as_many_ids_as_recipients_or_more_are_taken(count: int) -> None:
    """A recipient may have several segments, and ids that do not divide are kept."""
    assert len(interpret(wire.SMS_SEND_BULK, reply(json.dumps(list(range(1, count + 1)))), recipients=3)) == count


STATE = (
    '{"State":255,"CreationDateUtc":null,"SubmittedDateUtc":null,"ReportedDateUtc":null,'
    '"TimeStampUtc":"/Date(-62135596800000)/","StateDescription":"Неизвестный","Price":null}'
)
UNKNOWN_STATE = SmsState(sms_status(255), 255, "Неизвестный")
SEEDS_DAMAGED_STATE = (
    '{"State":255,"CreationDateUtc":null,"SubmittedDateUtc":null,"ReportedDateU tc":null,'
    '"TimeStampUtc":"\\Date(-62135596800000)\\",\\"StateDescription\\":\\"Неизвестный\\", \\"Price\\":null}'
)


@table(
    "body",
    [
        STATE,
        "\ufeff" + STATE,
        STATE.replace("/", "\\/"),
        STATE.replace('"/Date(-62135596800000)/"', "null"),
        STATE.replace('"State"', '"state"').replace('"Price"', '"PRICE"'),
        STATE.replace("255", '"255"'),
        STATE.replace('"/Date(-62135596800000)/"', '"\\Date(-62135596800000)\\\\"'),
        STATE.replace('"/Date(-62135596800000)/"', '"/Date(-62135596800000+0300)/"'),
        SEEDS_DAMAGED_STATE,
    ],
)
def test_the_documented_state_is_read(body: str) -> None:
    """The documented reply is read in each form that the documents and the service have."""
    assert interpret(wire.SMS_STATE, reply(body)) == UNKNOWN_STATE


@table(
    "written",
    [
        '"/Date(1294045911213)/"',
        r'"\/Date(1294045911213)\/"',
        r'"\Date(1294045911213)\\"',
        r'"\Date(1294045911213)\"',
        '"/Date(1294045911213+0300)/"',
        r'"\/Date(1294045911213-1200)\/"',
    ],
)
@table("key", ["CreationDateUtc", "SubmittedDateUtc", "ReportedDateUtc", "TimeStampUtc"])
def test_a_date_is_an_instant_in_utc(key: str, written: str) -> None:
    """Each date of a state is read in every documented form; an offset does not change the instant."""
    state = interpret(wire.SMS_STATE, reply(f'{{"State": 0, "{key}": {written}, "Price": 1.25}}'))
    name = {"Creation": "created_at", "Submitted": "submitted_at", "Reported": "reported_at", "TimeStamp": "updated_at"}
    field = name[key.removesuffix("Utc").removesuffix("Date")]
    assert datetime(2011, 1, 3, 9, 11, 51, 213000, UTC) == getattr(state, field)


@given(milliseconds=st.integers(-62135596799999, 253402300799999))
def test_any_date_is_exact_to_the_millisecond(milliseconds: int) -> None:
    """What a datetime can hold is read exactly."""
    state = interpret(wire.SMS_STATE, reply(f'{{"State": 0, "TimeStampUtc": "/Date({milliseconds})/"}}'))
    assert state.updated_at is not None
    assert milliseconds == (state.updated_at - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1)


@table("price, expected", [("1.25", Decimal("1.25")), ("2", Decimal(2)), ("null", None)])
def test_a_price_is_exact(price: str, expected: Decimal | None) -> None:
    """A price is the Decimal that was written, or absent."""
    assert expected == interpret(wire.SMS_STATE, reply(f'{{"State": 0, "Price": {price}}}')).price


@given(code=st.integers(-(2**31), 2**31 - 1))
def test_an_undocumented_state_keeps_its_number(code: int) -> None:
    """Any state is read, whether it is documented or not."""
    assert code == interpret(wire.SMS_STATE, reply(json.dumps({"State": code}))).code


@table("operation", [wire.SMS_STATE, wire.VIBER_STATE])
@table(
    "body",
    [
        *("", "[]", "null", "{}", "255", '{"State": null}', '{"State": "many"}', '{"State": true}', '{"State": 1.5}'),
        *('{"State": 0', '{"Price": 1}', '{"State": ' + "9" * 5000 + "}", '{"State": [0]}'),
    ],
)
def test_what_is_no_state_is_refused(operation: Operation[Any], body: str) -> None:
    """A reply without a state's number is not understood; asking again is safe."""
    error = refused(operation, reply(body))
    assert (type(error), error.retryable) == (UnexpectedResponse, True)


@pytest.mark.untraced
@table("operation", [wire.SMS_STATE, wire.VIBER_STATE])
def test_a_deep_state_is_refused(operation: Operation[Any]) -> None:
    """Nor is one that no stack would hold."""
    error = refused(operation, reply('{"a":' * 100_000))
    assert (type(error), error.retryable) == (UnexpectedResponse, True)


@table("operation", [wire.SMS_STATE, wire.VIBER_STATE])
@table("price", ['"many"', '"1,5"', "true", "1e999", "[1]", '""', '"' + "9" * 40 + '"', '"1e5"', '"NaN"', "{}"])
def test_an_odd_price_is_absent(operation: Operation[Any], price: str) -> None:
    """What is no price does not keep the state from being final."""
    state = interpret(operation, reply(f'{{"State": 3, "Price": {price}, "StateDescription": 5}}'))
    assert (3, None, "") == (state.code, state.price, state.description)


@table(
    "written",
    [
        '"2011-01-03T09:11:51.213Z"',
        '"2011-01-03T09:11:51.2130000Z"',
        '"2011-01-03T12:11:51.213+03:00"',
        '"2011-01-03T09:11:51.213"',
        '" 2011-01-03 09:11:51.213 "',
        "1294045911213",
        '"1294045911213"',
    ],
)
def test_a_date_may_be_written_in_other_ways(written: str) -> None:
    """ISO 8601, in UTC where it names no zone, and bare milliseconds."""
    state = interpret(wire.SMS_STATE, reply(f'{{"State": 0, "TimeStampUtc": {written}}}'))
    assert datetime(2011, 1, 3, 9, 11, 51, 213000, UTC) == state.updated_at


@table(
    "written",
    [
        *('""', '" "', '"today"', "true", "[]", '["/Date(1)/"]', "{}", "1.5", '"/Date()/"', '"/Date(9e9)/"'),
        *('"/Date(99999999999999999)/"', '"/Date(-99999999999999999)/"', '"/Date(253402300800000)/"', "9" * 30),
        *('"0001-01-01T00:00:00"', '"0001-01-01T00:00:00+05:00"', '"2011-13-01"', '"2011-02-30T00:00:00Z"', "null"),
    ],
)
@table("key", ["CreationDateUtc", "SubmittedDateUtc", "ReportedDateUtc", "TimeStampUtc"])
def test_what_is_no_date_is_absent(key: str, written: str) -> None:
    """The state is read all the same, and is final where it is."""
    assert SmsState(sms_status(0), 0) == interpret(wire.SMS_STATE, reply(f'{{"State": 0, "{key}": {written}}}'))


@table("code", ["0.0", "0", '"0"', '" 0 "'])
def test_a_states_number_may_be_written_in_other_ways(code: str) -> None:
    """Quoted, or with an empty fraction."""
    assert interpret(wire.SMS_STATE, reply(f'{{"State": {code}}}')).code == 0


def test_a_viber_state_is_read_by_its_own_table() -> None:
    """Zero is sending for Viber, and there is no resend."""
    assert interpret(wire.VIBER_STATE, reply('{"State": 0}')) == ViberState(viber_status(0), 0)


@table("resent", ["", ', "ResentSms": null', ', "ResentSms": []'])
def test_a_viber_state_may_have_no_resend(resent: str) -> None:
    """Where the platform resent nothing, there is nothing."""
    assert interpret(wire.VIBER_STATE, reply(f'{{"State": 4{resent}}}')).resent_sms == ()


def test_resent_sms_are_read_with_their_ids() -> None:
    """Each SMS that the platform sent in place of the Viber message comes with its fields and its id."""
    resent = [{"State": 0, "Id": 5797, "Price": 1.5, "TimeStampUtc": "/Date(0)/"}, {"State": -1, "ID": "5798"}]
    state = interpret(wire.VIBER_STATE, reply(json.dumps({"State": 4, "ResentSms": resent})))
    epoch = datetime(1970, 1, 1, tzinfo=UTC)
    expected = (
        SmsState(sms_status(0), 0, message_id="5797", updated_at=epoch, price=Decimal("1.5")),
        SmsState(sms_status(-1), -1, message_id="5798"),
    )
    assert expected == state.resent_sms


@table("resent", ["{}", "5", '"x"', "[5]", "[{}]", "[null]", '[{"State": "?", "Id": true}]'])
def test_a_resend_that_cannot_be_read_is_not_passed_over(resent: str) -> None:
    """An SMS of which nothing is known keeps the whole story open."""
    state = interpret(wire.VIBER_STATE, reply(f'{{"State": 4, "ResentSms": {resent}}}'))
    assert ((SmsState(sms_status(255), 255),), "unknown") == (state.resent_sms, state.whole_status)


def test_a_resend_may_be_one_object() -> None:
    """One SMS that is not in a list is one SMS."""
    state = interpret(wire.VIBER_STATE, reply('{"State": 4, "ResentSms": {"State": 0, "Id": 5}}'))
    assert (SmsState(sms_status(0), 0, message_id="5"),) == state.resent_sms


def test_a_state_is_given_the_id_it_was_asked_for() -> None:
    """The reply does not repeat the id, so it is put in."""
    assert wire.named(UNKNOWN_STATE, "5797").message_id == "5797"


INCOMING = (
    '[{"Data": "test1","SourceAddress": "7926000000","DestinationAddress": "7916000000","ID": "539187174",'
    '"CreateDateUtc": "\\Date(1294045911213)\\\\"},{"Data": "test2","SourceAddress": "7926000001",'
    '"DestinationAddress": "7916000000","ID": "539187214","CreateDateUtc": "\\Date(1294045911353)\\\\"}]'
)
RECEIVED = [
    IncomingSms("539187174", "test1", "7926000000", "7916000000", datetime(2011, 1, 3, 9, 11, 51, 213000, UTC)),
    IncomingSms("539187214", "test2", "7926000001", "7916000000", datetime(2011, 1, 3, 9, 11, 51, 353000, UTC)),
]


@table(
    "body",
    [
        INCOMING,
        "\ufeff" + INCOMING,
        INCOMING.replace("CreateDateUtc", "CreatedDateUtc"),
        INCOMING.replace('"\\Date(', '"/Date(').replace(')\\\\"', ')/"'),
        INCOMING.replace('"\\Date(', '"\\/Date(').replace(')\\\\"', ')\\/"'),
        INCOMING.replace('"539187174"', "539187174").replace('"7926000000"', "7926000000"),
        re.sub(r',"', ',\r\n"', INCOMING),
    ],
)
def test_the_documented_incoming_messages_are_read(body: str) -> None:
    """The documented reply is read with its damaged dates, and in each form that the service has."""
    assert interpret(wire.SMS_INCOMING, reply(body)) == RECEIVED


@given(text=st.text(st.characters(exclude_categories=["Cs"]), max_size=60))
@example(text='say "hi", Code: 4 {Desc: "x"} /Date(5)/ \\Date(6)\\ 7 "Desc":')
@example(text='\\"')
def test_a_repair_never_changes_a_text(text: str) -> None:
    """The text of a message arrives as it was sent, though the dates beside it are damaged."""
    body = INCOMING.replace('"test1"', json.dumps(text, ensure_ascii=False))
    assert text == interpret(wire.SMS_INCOMING, reply(body))[0].text


@table("text", ["[" * 200, "{[" * 100 + '"' + "[{" * 100])
def test_brackets_of_a_text_are_no_depth(text: str) -> None:
    """However many somebody writes, his message arrives."""
    body = INCOMING.replace('"test1"', json.dumps(text))
    assert text == interpret(wire.SMS_INCOMING, reply(body))[0].text


@table("opening", ["[", '{"a":'])
def test_a_body_is_read_to_a_depth(opening: str) -> None:
    """No parser gets near the end of the stack, where finalizers of other things would fail; the list and its objects
    are two of the levels."""
    closing = "]" if opening == "[" else "}"
    within, beyond = (
        INCOMING.replace('"test1"', f'"test1", "Extra": {opening * deep}0{closing * deep}')
        for deep in (DEEPEST - 2, DEEPEST - 1)
    )
    assert interpret(wire.SMS_INCOMING, reply(within)) == RECEIVED
    assert isinstance(refused(wire.SMS_INCOMING, reply(beyond)), UnexpectedResponse)


def test_no_incoming_messages_are_an_empty_list() -> None:
    """A period without messages is no error."""
    assert interpret(wire.SMS_INCOMING, reply("[]")) == []


@table("body", ["", "null", "{}", "[1]", "[{}]", '["x"]', '[{"Code": 5}, null]', INCOMING[:-1]])
def test_what_are_no_incoming_messages_are_refused(body: str) -> None:
    """A list of which nothing can be read, or that was cut, is not understood."""
    assert isinstance(refused(wire.SMS_INCOMING, reply(body)), UnexpectedResponse)


@table(
    "old, new, changed",
    [
        ('"test1"', "null", {"text": ""}),
        ('"test1"', "5", {"text": ""}),
        ('"539187174"', "null", {"id": ""}),
        ('"7926000000"', "[]", {"sender": ""}),
        ('"7926000000"', "{}", {"sender": ""}),
        ('"\\Date(1294045911213)\\\\"', '"yesterday"', {"created_at": None}),
        ('"\\Date(1294045911213)\\\\"', '""', {"created_at": None}),
        ('"test1"', '"test1", "More": [1, {"a": null}]', {}),
        ('"test1"', '"te\tst\n1"', {"text": "te\tst\n1"}),
        ('"CreateDateUtc": "\\Date(1294045911213', '"CreationDateUtc": "\\Date(1294045911213', {}),
        ('"CreateDateUtc": "\\Date(1294045911213', '"CreateDateUtc": null, "CreatedDateUtc": "/Date(1294045911213', {}),
    ],
)
def test_one_odd_field_keeps_no_message_back(old: str, new: str, changed: dict[str, Any]) -> None:
    """What can be read of a message is read, and everybody else's as they are."""
    assert old in INCOMING
    first, second = interpret(wire.SMS_INCOMING, reply(INCOMING.replace(old, new, 1)))
    assert (replace(RECEIVED[0], **changed), RECEIVED[1]) == (first, second)


@table("odd", ["null", "5", "[]", "{}", '"x"'])
def test_a_message_of_which_nothing_can_be_read_is_there(odd: str) -> None:
    """Nobody is told that there was nothing."""
    body = INCOMING[:-1] + f", {odd}]"
    assert [*RECEIVED, IncomingSms("", "", "", "")] == interpret(wire.SMS_INCOMING, reply(body))


STATISTICS = (
    '{"Sent":9,"Delivered":0,"Errors":0,"InProcess":7780,"Expired":0,"Rejected":56876,"Total":64665,'
    '"TotalWithErrors":64665,"DeliveryRatio":0}'
)


@table("ratio", ["0", "0.5", "87.25"])
def test_the_documented_statistics_are_read(ratio: str) -> None:
    """Each documented number has its field."""
    body = STATISTICS.replace('"DeliveryRatio":0', f'"DeliveryRatio":{ratio}')
    expected = SmsStatistics(
        sent=9,
        delivered=0,
        errors=0,
        in_process=7780,
        expired=0,
        rejected=56876,
        total=64665,
        total_with_errors=64665,
        delivery_ratio=Decimal(ratio),
    )
    assert expected == interpret(wire.SMS_STATISTICS, reply(body))


@table("odd", [None, "many", [], {}, True, 1.5, ""])
@table("key", json.loads(STATISTICS))
def test_a_number_that_cannot_be_read_is_absent(key: str, odd: object) -> None:
    """It is not taken for zero, and the others are told."""
    found = {**json.loads(STATISTICS), key: odd}
    field = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", key).lower()
    whole = asdict(interpret(wire.SMS_STATISTICS, reply(STATISTICS)))
    expected = Decimal("1.5") if (key, odd) == ("DeliveryRatio", 1.5) else None
    assert {**whole, field: expected} == asdict(interpret(wire.SMS_STATISTICS, reply(json.dumps(found))))


def test_numbers_may_be_quoted() -> None:
    """As some hosts write them."""
    quoted = re.sub(r":(\d+)", r':"\1"', STATISTICS)
    assert interpret(wire.SMS_STATISTICS, reply(STATISTICS)) == interpret(wire.SMS_STATISTICS, reply(quoted))


@table("body", ["{}", "[]", '{"DeliveryRatio": 1}', '{"Sent": null}'])
def test_what_are_no_statistics_are_refused(body: str) -> None:
    """A reply without any count is not understood."""
    assert isinstance(refused(wire.SMS_STATISTICS, reply(body)), UnexpectedResponse)


# --- errors ----------------------------------------------------------------------------------------

ERROR_BODIES = [
    '{"Code": 6, "Desc": "Invalid source address"}',
    '{"Code": "6", "Desc": "Invalid source address"}',
    '{"code":6,"desc":"Invalid source address"}',
    '\ufeff{"Code": 6, "Desc": "Invalid source address"}',
    '{\n  Code: 6,\n  Desc: "Invalid source address"\n}',
    '{Code:6,Desc:"Invalid source address"}',
    '{\r\n  Code: "6",\r\n  Desc: "Invalid source address"\r\n}',
    '{\n  Code: 6\n  Desc: "Invalid source address"\n}',
    '{"Code": 6 "Desc": "Invalid source address"}',
    '{ "Code": "6" "Desc": "Invalid source address" }',
    '{"Desc": "Invalid source address", "Code": 6}',
    '{"Code": 6, "Desc": "Invalid source address", "More": [1, {"a": null}]}',
]


@table("status", [200, 400])
@table("operation", wire.OPERATIONS)
def test_an_error_body_is_read_in_every_form(operation: Operation[Any], status: int) -> None:
    """Unquoted keys, a missing comma, a code in quotes: the gateway's error is told all the same."""
    errors = {body: refused(operation, reply(body, status)) for body in ERROR_BODIES}
    expected = (exceptions.InvalidOperation, 6, status, "Invalid source address", operation.name, "rejected")
    assert dict.fromkeys(ERROR_BODIES, expected) == {
        body: (
            type(error),
            getattr(error, "code", None),
            getattr(error, "http_status", None),
            getattr(error, "description", None),
            error.operation,
            error.verdict,
        )
        for body, error in errors.items()
    }


NULL_ENTRY = (
    "The parameters dictionary contains a null entry for parameter 'maxDateUtc' of non-nullable type 'DateTime' for"
    " method 'System.Web.Mvc.ActionResult In(System.String, DateTime, DateTime)' in"
    " 'RestService.Controllers.SmsController'. An optional parameter must be a reference type, a nullable type, or"
    " be declared as an optional parameter. Parameter name: parameters"
)
DOCUMENTED_ERRORS = [
    (401, 4, "Invalid user login or password", "Unauthorized"),
    (401, 4, "SessionID expired", "Unauthorized"),
    (400, 6, "Invalid source address", "InvalidOperation"),
    (400, 1, "MessageID can not be null or empty Parameter name: messageid", "ArgumentMissing"),
    (
        500,
        9,
        NULL_ENTRY,
        "InternalServerError",
    ),
    (400, 2, "Нельзя указывать диапазон дат более 90 дней.", "InvalidArgument"),
]


@table("status, code, description, name", DOCUMENTED_ERRORS)
def test_a_documented_error_is_its_class(status: int, code: int, description: str, name: str) -> None:
    """Each error that the documents show becomes its class, with the start of its words."""
    error = refused(wire.SMS_STATISTICS, reply(f'{{\n  Code: {code},\n  Desc: "{description}"\n}}', status))
    assert isinstance(error, GatewayError)
    assert (name, code, description[:100]) == (type(error).__name__, error.code, error.description[:100])


CLASS_OF = {
    1: "ArgumentMissing",
    2: "InvalidArgument",
    3: "InvalidSession",
    4: "Unauthorized",
    5: "NotEnoughCredits",
    6: "InvalidOperation",
    7: "Forbidden",
    8: "GatewayFailure",
    9: "InternalServerError",
}


# The design's rule for a reply, row by row: the codes of an error body, the statuses, and the verdict of a send. The
# first row that fits holds.
_ANY = range(100, 1000)
_OPEN = (408, 425, 444, 460, 499)
_KNOWN, _FAILED, _SUCCESS = range(1, 8), (8, 9), (0, 200)
VERDICTS: list[tuple[str, Sequence[int] | None, Sequence[int], str]] = [
    # whose words, codes (None: any other), statuses, verdict
    ("error-system", None, _ANY, "unknown"),
    ("word", None, range(100, 500), "rejected"),
    ("word", None, _ANY, "unknown"),
    ("code", _SUCCESS, _ANY, "unknown"),
    ("code", _FAILED, _ANY, "unknown"),
    ("code", _KNOWN, range(100, 500), "rejected"),
    ("code", _KNOWN, _ANY, "unknown"),
    ("code", None, range(300, 500), "rejected"),
    ("code", None, _ANY, "unknown"),
    ("words for ids", None, _ANY, "unknown"),
    ("ids", None, range(200, 300), "accepted"),
    ("ids", None, _ANY, "unknown"),
    ("neither", None, _OPEN, "unknown"),
    ("neither", None, range(300, 500), "rejected"),
    ("neither", None, _ANY, "unknown"),
]


def verdict_of_design(status: int, code: int | None, word: str = "", body: str = "neither") -> str:
    """Return the verdict of a send that the design's rule gives."""
    says = "error-system" if word == "error-system" else "word" if word else "code" if code is not None else body
    return next(
        verdict
        for what, codes, statuses, verdict in VERDICTS
        if what == says and (codes is None or code in codes) and status in statuses
    )


def class_of(status: int, code: int) -> str:
    """Return the name of the error: what is no refusal is no GatewayError either."""
    if code in (0, 200) or (code not in CLASS_OF and status < 400):
        return "UnexpectedResponse"
    return CLASS_OF.get(code, "GatewayError")


STATUSES = [
    *(200, 201, 202, 204, 299, 300, 301, 302, 304, 307, 399, 400, 401, 403, 404, 407, 408, 409, 413, 425, 429, 444),
    *(460, 498, 499, 500, 502, 503, 504, 599, 999),
]


@table("code", [*range(1, 10), 0, 10, 77, 200, 201, -1, 255])
@table("operation", [wire.SMS_SEND, wire.VIBER_SEND_BULK])
def test_the_verdict_of_every_code_and_status(operation: Operation[Any], code: int) -> None:
    """An error body decides by code and status alone, as the design's rule says."""
    errors = {status: refused(operation, reply(f'{{"Code": {code}, "Desc": "x"}}', status)) for status in STATUSES}
    assert {status: (verdict_of_design(status, code), class_of(status, code), False) for status in STATUSES} == {
        status: (
            error.verdict,
            type(error).__name__,
            error.retryable and not (status == 429 and error.verdict == "rejected"),
        )
        for status, error in errors.items()
    }


@table("code", ["0", '"0"', "200", '"200"'])
@table("description", ["OK", "ok", "", "accepted"])
def test_what_the_vendors_own_clients_take_for_success_is_no_refusal(code: str, description: str) -> None:
    """Whoever sent again after it would have sent twice."""
    error = refused(wire.SMS_SEND, reply(f'{{"Code": {code}, "Desc": "{description}"}}', 200))
    assert (UnexpectedResponse, "unknown", False) == (type(error), error.verdict, error.retryable)


@table("word", ["error-system", "error-address-format", "Error-System ", "error-new", "ok"])
def test_a_word_where_an_id_was_due_is_no_id(word: str) -> None:
    """It may be a refusal or a failure, and nobody can say which: unknown, with the ids that stand beside it."""
    found = {}
    for status in STATUSES:
        alone = refused(wire.VIBER_SEND, reply(json.dumps([word]), status))
        beside = refused(wire.VIBER_SEND_BULK, reply(json.dumps(["GW02", word, 7]), status), recipients=3)
        found[status] = [(type(error), error.verdict, getattr(error, "message_ids", None)) for error in (alone, beside)]
    expected = [(UnexpectedResponse, "unknown", ()), (UnexpectedResponse, "unknown", ("GW02", "7"))]
    assert dict.fromkeys(STATUSES, expected) == found


@table("status", STATUSES)
@table("operation", SENDS)
def test_the_verdict_of_a_list_of_ids(operation: Operation[Any], status: int) -> None:
    """A 2xx with ids is an acceptance; with any other status they leave it open, and are kept."""
    answer = reply('["5797", 5798]', status)
    if verdict_of_design(status, None, body="ids") == "accepted":
        assert interpret(operation, answer) == ("5797", "5798")
    else:
        error = refused(operation, answer)
        assert isinstance(error, UnexpectedResponse)
        assert (verdict_of_design(status, None, body="ids"), ("5797", "5798"), False) == (
            error.verdict,
            error.message_ids,
            error.retryable,
        )


BODIES = {
    "nothing": "",
    "HTML": "<html><body>Hello</body></html>",
    "a cut list": '["5797',
    "another type": '{"State": 0}',
    "a number": "5",
    "an empty list": "[]",
    "a cut error": '{"Code": 6, "De',
    "an error without a code": '{"Desc": "Invalid source address"}',
    "a code in words": '{"Code": "six", "Desc": "x"}',
    "a code that is none": '{"Code": null, "Desc": "x"}',
    "a code that is true": '{"Code": true, "Desc": "x"}',
    "a fraction of a code": '{"Code": 6.5, "Desc": "x"}',
    "a code beyond Int32": '{"Code": 79161234567, "Desc": "x"}',
    "a code beyond all": '{"Code": ' + "9" * 5000 + ', "Desc": "x"}',
    "words that are none": '{"Code": 6, "Desc": 5}',
    "a list of errors": '[{"Code": 6, "Desc": "x"}]',
    "the word ok": '{"Code": 1, "Desc": "ok"}',
}


@pytest.mark.once
@table("name", BODIES)
@table("operation", [wire.SMS_SEND, wire.SMS_SEND_BULK, wire.VIBER_SEND_WITH_RESEND])
def test_the_verdict_of_every_other_reply(operation: Operation[Any], name: str) -> None:
    """Without a well-formed error body, the status decides, as the design's rule says."""
    errors = {status: refused(operation, reply(BODIES[name], status)) for status in STATUSES}
    assert {status: (verdict_of_design(status, None), UnexpectedResponse, operation.name) for status in STATUSES} == {
        status: (error.verdict, type(error), error.operation) for status, error in errors.items()
    }


VIBER_WORDS = [
    "error-address-format",
    "error-address-not-specified",
    "error-address-unknown",
    "error-content-not-specified",
    "error-subject-format",
    "error-subject-not-specified",
    "error-subject-unknown",
    "error-system",
    "error-validity-period-seconds-format",
    "not-permitted",
    "error-account-locked",
    "error-route-not-found",
]


@table("status", [200, 400, 401, 403, 500])
@table("word", VIBER_WORDS)
def test_a_viber_word_decides_whatever_the_code(word: str, status: int) -> None:
    """The word gives class, reason and verdict; a 5xx still leaves it open."""
    expected = verdict_of_design(status, 1, word)  # beside a word, codes 8 and 9 mean nothing
    for code in (*range(10), 77):
        error = refused(wire.VIBER_SEND, reply(f'{{"Code": {code}, "Desc": "{word}"}}', status))
        assert isinstance(error, ViberRejected)
        assert (word, code, expected, word) == (error.reason, error.code, error.verdict, error.description)


@table("body", ['{ Code: 1 Desc: "error-address-format" }', '{"Code": 1, "Desc": " Error-Address-Format"}'])
def test_a_viber_word_is_known_in_damaged_bodies(body: str) -> None:
    """The Viber examples lack the comma; space and case around the word do not matter."""
    error = refused(wire.VIBER_SEND, reply(body, 400))
    assert isinstance(error, ViberRejected)
    assert error.reason == "error-address-format"


@table("body", ['{"Code": 3}', '{"Code": 3, "Desc": null}', '{"Code": 3, "Desc": ""}'])
def test_an_error_may_have_no_words(body: str) -> None:
    """A code alone is an error."""
    error = refused(wire.BALANCE, reply(body, 400))
    assert (str(error), getattr(error, "description", None)) == (
        "User/Balance: Invalid session id (code 3, HTTP 400): no description",
        "",
    )


@table("operation", wire.OPERATIONS)
@table("code", range(1, 10))
def test_only_a_read_is_worth_repeating_after_an_error(operation: Operation[Any], code: int) -> None:
    """Codes 8 and 9 pass for reads; a send that the gateway failed on is never safe to repeat."""
    error = refused(operation, reply(f'{{"Code": {code}, "Desc": ""}}', 400))
    final = code == 9 and operation is wire.LOGIN  # some hosts refuse wrong credentials so
    assert error.retryable == (code in (8, 9) and not operation.is_send and not final)


@table(
    "status, read, send",
    [
        (200, True, False),
        (302, False, False),
        (404, False, False),
        (408, True, False),
        (425, True, False),
        (444, True, False),
        (460, True, False),
        (499, True, False),
        (429, True, True),
        (503, True, False),
    ],
)
def test_what_is_worth_repeating_after_a_strange_reply(status: int, read: bool, send: bool) -> None:
    """A read may be repeated where the reason passes; a send only where it was refused for now."""
    assert (read, send) == (
        refused(wire.BALANCE, reply("<html>", status)).retryable,
        refused(wire.SMS_SEND, reply("<html>", status)).retryable,
    )


@table("body", ['{"Code": 8, "Desc": ""}', "<html>"])
def test_the_pause_that_the_gateway_asks_for_is_told(body: str) -> None:
    """``Retry-After`` is found on the error."""
    assert refused(wire.BALANCE, reply(body, 503, retry_after=7.0)).retry_after == 7.0


@table("status", [400, 401, 500])
@table("code", range(11))
def test_a_new_login_helps_after_codes_3_and_4(code: int, status: int) -> None:
    """Codes 3 and 4 ask for a new login, unless the status leaves the request's outcome open."""
    error = refused(wire.SMS_SEND, reply(f'{{"Code": {code}, "Desc": ""}}', status))
    assert wire.needs_login(error) == (code in (3, 4) and status < 500)


@table(
    "error",
    [
        ViberRejected("x", reason="error-address-format", code=4),
        UnexpectedResponse("x", http_status=401),
        NotSent("x"),
        GatewayError("x"),
    ],
)
def test_a_new_login_helps_after_nothing_else(error: DevinotifyError) -> None:
    """A word of Viber's, a status or a broken exchange is no reason for a login."""
    assert wire.needs_login(error) is False


@table(
    "error, verdict",
    [
        (Unauthorized("x", code=4), "rejected"),
        (GatewayError("x", code=5), "not_sent"),
        (exceptions.GatewayFailure("x", code=8), "not_sent"),
        (UnexpectedResponse("x"), "not_sent"),
        (NotSent("x"), "not_sent"),
        (OutcomeUnknown("x"), "not_sent"),
    ],
)
def test_a_failed_login_means_not_sent(error: DevinotifyError, verdict: str) -> None:
    """Nothing of the message left; wrong credentials are a refusal."""
    failure = wire.login_failure(error, wire.SMS_SEND)
    assert (verdict, "Sms/Send") == (failure.verdict, failure.operation)


def test_a_login_of_unknown_outcome_is_not_called_unknown() -> None:
    """The class says like the verdict that the message did not leave."""
    assert isinstance(wire.login_failure(OutcomeUnknown("cut"), wire.SMS_SEND), NotSent)


# --- rubbish ---------------------------------------------------------------------------------------

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    "Code",
                    "Desc",
                    "State",
                    "Price",
                    "TimeStampUtc",
                    "ResentSms",
                    "ID",
                    "Data",
                    "Sent",
                    "DeliveryRatio",
                    "SourceAddress",
                ]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=8,
)
WHOLE: dict[str, list[str]] = {
    "User/SessionID": [f'"{SESSION_ID}"', SESSION_ID],
    "User/Balance": ["1234.56", '"1234.56"', "0"],
    **{operation.name: ['["5812345678901234","5812345678901235"]', "[1, 2]", '["GW02-1"]'] for operation in SENDS},
    "Sms/State": [STATE, SEEDS_DAMAGED_STATE],
    "Viber/State": [STATE, STATE[:-1] + f',"ResentSms":[{STATE}]}}'],
    "Sms/In": [INCOMING, "[]"],
    "Sms/Statistics": [STATISTICS],
}
"""What each operation is answered with where it is carried out."""
PIECES = [b"", b'"', b"\\", b"{", b"]", b"\xff", b"e9", b"\0", b",", b" ", b"7", b"null", b"-", b"\xd0\xb6"]


def check_shown(error: DevinotifyError) -> None:
    """Check that an error can be shown and sent on."""
    assert (True, True) == (str(error).isprintable(), len(str(error)) < 500)
    assert vars(error) == vars(pickle.loads(pickle.dumps(error)))  # noqa: S301 - our own bytes


@both_ways(
    given(
        operation=operations,
        data=st.data(),
        status=st.sampled_from([200, 200, 200, 201, 299, 403, 502]),
        framed=st.sampled_from([True, True, False]),
        recipients=st.integers(1, 2),
    )
)
def test_a_changed_reply_raises_nothing_else(
    operation: Operation[Any], data: st.DataObject, status: int, framed: bool, recipients: int
) -> bool:
    """It is what the operation answers with, or one of our errors."""
    body = data.draw(st.sampled_from(WHOLE[operation.name]).flatmap(lambda whole: changed(whole.encode(), PIECES)))
    try:
        value = interpret(operation, reply(body, status, framed=framed), recipients=recipients)
    except DevinotifyError as error:
        check_shown(error)
        return False
    assert 200 <= status < 300
    assert type(interpret(operation, reply(WHOLE[operation.name][0]))) is type(value)
    assert framed or operation not in (wire.LOGIN, wire.BALANCE)
    if operation.is_send:
        ids = json.loads(body.decode(errors="replace"), strict=False)
        assert (list(map(str, ids)), True) == (list(value), len(ids) >= recipients)
    return True


@both_ways(
    given(
        operation=operations,
        body=st.sampled_from(ERROR_BODIES).flatmap(lambda body: changed(body.encode(), PIECES)),
        status=st.sampled_from(STATUSES),
    )
)
def test_a_changed_error_is_one(operation: Operation[Any], body: bytes, status: int) -> bool:
    """It is the gateway's with the code that stands in it, or a reply that nobody can read."""
    error = refused(operation, reply(body, status))
    check_shown(error)
    assert isinstance(error, GatewayError | UnexpectedResponse)
    assert isinstance(error, UnexpectedResponse) or str(error.code).encode() in body
    return isinstance(error, GatewayError)


@settings(max_examples=50)
@given(
    operation=operations,
    body=st.binary(max_size=60) | json_values.map(lambda value: json.dumps(value).encode()),
    status=st.sampled_from(STATUSES),
)
def test_rubbish_raises_nothing_else(operation: Operation[Any], body: bytes, status: int) -> None:
    """Whatever a reply holds, it is a value or one of our errors, which can be shown and sent on."""
    try:
        interpret(operation, reply(body, status))
    except DevinotifyError as error:
        check_shown(error)


AMOUNTS = st.integers(-(10**27), 10**27) | st.integers(-(10**30), 10**30)


@both_ways(
    given(
        prices=st.lists(
            st.sampled_from(["1.25", "0", "null", "9e27", "1e-27", "1e28", "1e-28", '"much"', "true"])
            | st.tuples(AMOUNTS, st.integers(0, 30)).map("{0[0]}e-{0[1]}".format)
            | AMOUNTS.map('"{}.5"'.format),
            min_size=1,
            max_size=3,
        )
    )
)
def test_what_is_read_of_a_state_can_be_combined(prices: list[str]) -> bool:
    """No price that is read overflows when prices are added up; their sum is told where each is known."""
    states = [interpret(wire.SMS_STATE, reply(STATE.replace('"Price":null', f'"Price":{one}'))) for one in prices]
    read = [state.price for state in states if state.price is not None]
    known = len(read) == len(states)
    assert (sum(read[1:], read[0]) if known else None) == combine(states).price
    return known


@table("price", ["9e27", "1e-27", "-9e27", "9" * 28])
def test_the_largest_prices_can_be_added_up(price: str) -> None:
    """The sum of prices at the limit is a price."""
    state = interpret(wire.SMS_STATE, reply(f'{{"State": 0, "Price": {price}}}'))
    assert combine([state, state]).price == Decimal(price) * 2


@table(
    "body",
    [
        '{"' + '\\"' * 400_000,
        "{" + '"\\' * 400_000,
        "{" + "a " * 400_000,
        '{"a" ' + " " * 800_000,
        "{" + '"/' * 400_000,
    ],
    ids=["escaped quotes", "quotes and escapes", "words", "space", "slashes"],
)
def test_repairing_a_large_body_takes_linear_time(body: str) -> None:
    """A megabyte that looks like broken JSON is refused without hanging: this test would run for hours."""
    assert isinstance(refused(wire.SMS_STATE, reply(body)), UnexpectedResponse)


VALID: dict[str, str] = {
    "Sms/State": STATE,
    "Viber/State": STATE,
    "Sms/In": INCOMING.replace("\\Date(", "/Date(").replace(")\\\\", ")/"),
    "Sms/Statistics": STATISTICS,
}
ESSENTIAL = {"State"}
"""The one field without which its reply says nothing."""


@table("odd", ["NaN", "Infinity", "-Infinity"])
def test_what_is_not_a_number_is_absent(odd: str) -> None:
    """.NET writes the ratio of nothing as NaN, bare: the rest of the statistics can be read."""
    body = re.sub(r'"DeliveryRatio": ?[^,}]+', f'"DeliveryRatio": {odd}', VALID["Sms/Statistics"])
    found = interpret(BY_NAME["Sms/Statistics"], reply(body))
    whole = interpret(BY_NAME["Sms/Statistics"], reply(VALID["Sms/Statistics"]))
    assert odd in body
    assert replace(whole, delivery_ratio=None) == found


@given(name=st.sampled_from(sorted(VALID)), data=st.data(), odd=json_values, shout=st.booleans(), more=json_values)
def test_a_valid_reply_with_one_field_changed_is_read(
    name: str, data: st.DataObject, odd: object, shout: bool, more: object
) -> None:
    """Whatever stands in one field, in whichever case its name is, all the others are what they were."""
    document = json.loads(VALID[name])
    target = document[0] if isinstance(document, list) else document
    key = data.draw(st.sampled_from(sorted(set(target) - ESSENTIAL)))
    target[key] = odd
    target["Zq"] = more
    body = json.dumps(document)
    body = body.replace(f'"{key}"', f'"{key.upper()}"') if shout else body
    before, after = (interpret(BY_NAME[name], reply(text)) for text in (VALID[name], body))
    before, after = (value[0] if isinstance(value, list) else value for value in (before, after))
    changed = [field for field, value in asdict(before).items() if value != asdict(after)[field]]
    assert len(changed) <= 1


# --- secrets ---------------------------------------------------------------------------------------

WAYS: list[Callable[[str], str]] = [
    str,
    quote,
    quote_plus,
    html.escape,
    lambda value: "".join(f"&#{ord(character)};" for character in value),
    lambda value: html.escape(quote(value)),
    lambda value: json.dumps(value)[1:-1],
    lambda value: json.dumps(value, ensure_ascii=False)[1:-1],
]
PAGES: list[tuple[int, Callable[[str], str]]] = [
    (500, "<html><h1>Server error</h1><p>{}</p>".format),
    (200, "<html><title>{}</title>".format),
    (404, lambda value: f"Not found: /rest/user/sessionid?login=me&password={value}"),
    (400, lambda value: json.dumps({"Code": 2, "Desc": f"Invalid argument: {value}"})),
    (200, lambda value: json.dumps([value])[:-1]),
]


def shown(error: DevinotifyError) -> str:
    """Return everything that an error could show."""
    return f"{error!r} {error} {vars(error)}"


@pytest.mark.once
@settings(max_examples=25)  # each of them in 32 replies
@given(secret=st.one_of(passwords, words, words.map("Код & «{}» <b>".format), st.just("p4ss&w0rd=+%")))
def test_no_error_shows_a_secret_that_the_reply_quotes(secret: str) -> None:
    """A page or an error that quotes the request in any way shows neither its password nor its text."""
    for way, (status, write) in product(WAYS, PAGES):
        answer = reply(write(way(secret)), status)
        login = refused(wire.LOGIN, answer, sent={"Login": "me", "Password": secret})
        send = refused(wire.SMS_SEND, answer, sent={"SessionID": SESSION_ID, "Data": secret, "Validity": 5})
        leaks = [form for form in {secret, way(secret)} for error in (login, send) if form in shown(error)]
        assert leaks == []


@given(number=numbers, session=st.from_regex(r"[A-Z0-9]{36}", fullmatch=True), page=st.sampled_from(PAGES))
def test_no_error_shows_a_number_or_a_session(
    number: str, session: str, page: tuple[int, Callable[[str], str]]
) -> None:
    """Numbers and session ids are masked, though nobody said what they were."""
    status, write = page
    error = refused(wire.SMS_SEND_BULK, reply(write(f"{number} {session} +{number}"), status))
    assert (number in shown(error), session in shown(error)) == (False, False)


@table("status", [200, 400, 500])
@table("operation", [wire.SMS_SEND, wire.SMS_SEND_BULK])
def test_no_error_shows_a_part_of_what_was_sent(operation: Operation[Any], status: int) -> None:
    """A piece of the text, a number in another notation, half a session id: in an error of the gateway's and a page."""
    sent: dict[str, wire.Value] = {
        "SessionID": SESSION_ID,
        "Data": "Код подтверждения 4821",
        "DestinationAddress": "79161234567",
        "DestinationAddresses": ["79161234567", "79031234567"],
    }
    quoted = f"near 'тверждени', 4821, to 8/916/123/45/67 or 8(903) 123 45 67, in {SESSION_ID[:18]} {SESSION_ID[18:]}"
    for body in (f"<h1>{quoted}</h1>", json.dumps({"Code": 2, "Desc": quoted})):
        text = shown(refused(operation, reply(body, status), sent=sent))
        digits = re.sub(r"\D", "", text)
        leaks = [piece for piece in ("тверждени", "4821", SESSION_ID[:10], SESSION_ID[-10:]) if piece in text]
        numbers = ["9161234567"] if operation is wire.SMS_SEND else ["9161234567", "9031234567"]
        assert (leaks, [number for number in numbers if number in digits]) == ([], [])


@table("body", [f'"{SESSION_ID[:18]}\n{SESSION_ID[18:]}"', f"<{SESSION_ID[:8]}-{SESSION_ID[8:]}>", SESSION_ID])
@table("status", [200, 404, 500])
def test_the_reply_to_a_login_shows_no_piece_of_a_session(status: int, body: str) -> None:
    """Nobody knows the id yet, so whatever looks like a part of one is hidden."""
    answer = reply(f"x {body} y", status)
    text = shown(refused(wire.LOGIN, answer))
    assert [piece for piece in (SESSION_ID[:8], SESSION_ID[8:18], SESSION_ID[18:]) if piece in text] == []


@given(text=words)
def test_a_cut_reply_of_messages_shows_no_text(text: str) -> None:
    """The start of a reply that holds subscribers' texts is shown without them."""
    cut = INCOMING.replace("test1", f'{text} said \\"{text}\\" and').replace("test2", text)[:-1]
    assert text not in shown(refused(wire.SMS_INCOMING, reply(cut)))


def test_a_short_secret_leaves_the_reply_recognisable() -> None:
    """A text of a letter or two is not hunted for within other words."""
    error = refused(wire.SMS_SEND, reply("<h1>Bad Gateway</h1>", 502), sent={"Data": "a"})
    assert "Bad Gateway" in str(error)


@table("secret", ["", "a", "an"])
def test_a_short_secret_does_not_turn_a_reply_into_stars(secret: str) -> None:
    """A page of 500 characters that every letter of the text occurs in is shown as it is."""
    page = "a man and an ant " * 30
    error = refused(wire.SMS_SEND, reply(page, 502), sent={"Data": secret, "SessionID": secret})
    assert isinstance(error, UnexpectedResponse)
    assert ("***" in str(error), error.excerpt) == (False, page[:119] + "…")


def test_the_code_of_a_strange_error_is_not_a_number_to_dial() -> None:
    """A code that looks like a phone number is masked in the message."""
    assert "1916123456" not in str(refused(wire.SMS_SEND, reply('{"Code": 1916123456, "Desc": ""}', 400)))


@table("body, ends", [("", "; the reply is empty"), ("<b>Oops</b>", "; the reply begins 'Oops'")])
def test_a_strange_reply_is_shown_in_short(body: str, ends: str) -> None:
    """The message says how the reply begins, so that a proxy's page is recognised."""
    error = refused(wire.BALANCE, reply(body, 502))
    assert str(error) == f"User/Balance: HTTP status 502 without the documented error body{ends}"


@given(operation=operations, status=st.integers(100, 999), sequence=st.lists(numbers, max_size=3))
def test_every_error_names_its_operation(operation: Operation[Any], status: int, sequence: Sequence[str]) -> None:
    """Each error says which operation it was and holds the HTTP status."""
    error = refused(operation, reply(f"<p>{sequence}", status))
    assert (operation.name, status, True) == (
        error.operation,
        getattr(error, "http_status", None),
        error.verdict in set(Verdict),
    )
