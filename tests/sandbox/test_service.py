"""Sessions, paths, methods, the log, and rubbish: what holds for every operation."""

from __future__ import annotations

import json
import logging
from urllib.parse import urlencode

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from devinotify import text as texts
from devinotify.gateway.codes import ERRORS, VIBER_WORDS
from devinotify.sandbox import service
from devinotify.sandbox.operations import OPERATIONS, Action, Operation
from tests.laws import both_ways
from tests.sandbox.conftest import NOW, NUMBERS, Api, error
from tests.tables import table

VIBER_SENDS = [operation.name for operation in OPERATIONS if operation.action is Action.SEND_VIBER]


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


WITH_SESSION = [operation for operation in OPERATIONS if operation.action is not Action.LOGIN]


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


every_operation = table("operation", WITH_SESSION)


@every_operation
def test_complete_calls_are_answered(operation: Operation) -> None:
    """Every operation answers 200 to valid parameters."""
    api = Api()
    assert 200 == api.call(operation.methods[0], operation.name, **complete(operation))[0]


@every_operation
def test_an_expired_session(operation: Operation) -> None:
    """After 120 minutes every operation answers 401, Code 4, SessionID expired."""
    api = Api()
    api.log_in()
    api.emulator.advance(7200)
    reply = api.call(operation.methods[0], operation.name, **complete(operation))
    assert error(4, "SessionID expired") == reply


@every_operation
@table("session", ["A" * 36, "short", "я"])
def test_an_unknown_session(operation: Operation, session: str) -> None:
    """A session id that was never given out, or cannot be one, is 400, Code 3."""
    api = Api()
    reply = api.call(operation.methods[0], operation.name, **complete(operation, SessionID=session))
    assert error(3, "Invalid session id") == reply


@every_operation
def test_the_session_is_required(operation: Operation) -> None:
    """Without a session id every operation answers Code 1 in the documented words."""
    api = Api()
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


@table(
    "operation, name",
    [
        (operation, parameter.name)
        for operation in OPERATIONS
        for parameter in operation.parameters
        if parameter.code is not None
    ],
)
def test_missing_arguments(operation: Operation, name: str) -> None:
    """A required argument that is empty is refused with its documented Code and words."""
    api = Api()
    code, description = MISSING.get((operation.name, name), (1, None))
    parameters = complete(
        operation, **{"Login": "demo", "Password": "demo"} if operation.action is Action.LOGIN else {}
    )
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


def test_unknown_resources(api: Api) -> None:
    """A path that is not one of the API's is 404 with Code 6."""
    reply = api.raw("GET", "/rest/v3/Sms/Send")
    assert (404, 6) == (reply.status, json.loads(reply.body)["Code"])


@table("method, resource", [("GET", "Sms/Send"), ("PUT", "User/Balance"), ("HEAD", "Viber/Send")])
def test_other_methods(method: str, resource: str) -> None:
    """A method that an operation does not take is 405 with Code 6, and says which it takes."""
    api = Api()
    reply = api.raw(method, f"/rest/{resource}")
    assert (405, 6, True) == (reply.status, json.loads(reply.body)["Code"], "POST" in reply.allow)


def test_an_oversized_body(api: Api) -> None:
    """A body over 1 MiB is an invalid argument."""
    assert 2 == json.loads(api.raw("POST", "/rest/Sms/Send", body="a" * (2**20 + 1)).body)["Code"]


def test_whatever_fails_has_the_documented_form(
    api: Api, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A fault of the sandbox itself is 500, Code 9, and is logged without what was sent."""
    monkeypatch.setattr(texts, "count_segments", lambda _: 1 / 0)
    with caplog.at_level(logging.ERROR):
        reply = api.send(Data="secret text")
    assert error(9, "Internal server error") == reply
    assert ["The sandbox failed at Sms/Send: ZeroDivisionError"] == caplog.messages


def test_requests_are_logged_without_secrets(api: Api) -> None:
    """The log keeps what the API names, and nothing of login, password, session id or unknown names."""
    api.log_in()
    api.send(Passwrod="hunter2", DestinationAddress=NUMBERS[0])
    api.raw("GET", "/nowhere", "password=demo")
    login, send, nowhere = api.emulator.store.requests
    assert {"login": ("***",), "password": ("***",)} == dict(login.parameters)
    assert ("***",) == dict(send.parameters)["passwrod"] == dict(send.parameters)["sessionid"]
    assert ("test",) == dict(send.parameters)["data"]
    assert (None, {"password": ("***",)}, 404, 6) == (
        nowhere.operation,
        nowhere.parameters,
        nowhere.status,
        nowhere.code,
    )


rubbish = st.one_of(
    st.text(max_size=30),
    st.sampled_from(["0", "-1", *NUMBERS, NOW, "\0", "' OR 1=1", "９", "2026-01-28T12:00:00Z", "1e5", "+", "%"]),
)


def documented(operation: Operation, status: int, body: bytes) -> bool:
    """Return whether an answer has one of the forms that the API documents for an operation."""
    document = json.loads(body)
    if status != 200:
        words = document["Desc"].startswith("error-")
        return set(document) == {"Code", "Desc"} and (
            (ERRORS[document["Code"]].http_status == status) and (not words or document["Desc"] in VIBER_WORDS)
        )
    if operation.action in (Action.SEND_SMS, Action.SEND_VIBER):
        return bool(document) and all(isinstance(part, str) for part in document)
    if operation.action in (Action.SMS_STATE, Action.VIBER_STATE):
        return bool(document["State"] == 255)
    if operation.action is Action.INCOMING:
        return isinstance(document, list)
    if operation.action is Action.STATISTICS:
        return all(isinstance(count, int | float) for count in document.values())
    return isinstance(document, str | int | float)


@pytest.mark.once
@both_ways(
    given(operation=st.sampled_from(OPERATIONS), data=st.data(), odd=rubbish | st.lists(rubbish, max_size=3)),
    settings(suppress_health_check=[HealthCheck.function_scoped_fixture]),
)
def test_rubbish_is_answered_in_the_documented_forms(
    api: Api, operation: Operation, data: st.DataObject, odd: str | list[str]
) -> bool:
    """Whatever stands in a parameter, the answer is one that the API documents, and never a fault."""
    values = complete(operation, SessionID=api.log_in())
    values[data.draw(st.sampled_from([*(parameter.name for parameter in operation.parameters), "x"]))] = odd
    form = urlencode(values, doseq=True)
    in_query = data.draw(st.booleans())
    reply = api.raw("POST", f"/rest/{operation.name}", *((form, "") if in_query else ("", form)))
    assert documented(operation, reply.status, reply.body)
    assert (reply.status == 500) == (reply.code == 9 and operation.action is Action.INCOMING)
    return reply.status == 200


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=200, deadline=None)
@given(
    st.sampled_from(["GET", "POST", "HEAD", "DELETE"]),
    st.sampled_from(["/rest/Sms/Send", "/rest/user/sessionid", "/", "/rest/\0"]),
    st.binary(max_size=300),
    st.binary(max_size=300),
)
def test_any_bytes_are_answered(api: Api, method: str, path: str, query: bytes, body: bytes) -> None:
    """Whatever the bytes of a request, the answer is an error in the documented form."""
    reply = service.answer(api.emulator, service.Received(method, path, query, body))
    assert {"Code", "Desc"} == set(json.loads(reply.body))
