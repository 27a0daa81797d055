"""Clients as they are written in other languages, over real HTTP: the base URL is all that is ours."""

from __future__ import annotations

import http.client
import json
import re
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, quote_plus, urlencode, urlsplit

import pytest

from tests.sandbox.conftest import NUMBERS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from devinotify.sandbox import Sandbox

FORM = "application/x-www-form-urlencoded"


def exchange(base: str, method: str, resource: str, body: str | bytes, content_type: str, query: str = "") -> Any:  # noqa: ANN401 - any JSON document
    """Return the document of an answer, which must be 200, to a request on a connection of its own."""
    status, document = attempt(base, method, resource, body, content_type, query)
    assert 200 == status, document
    return document


def attempt(
    base: str, method: str, resource: str, body: str | bytes, content_type: str, query: str = ""
) -> tuple[int, Any]:
    """Return status and document of an answer."""
    parts = urlsplit(base)
    connection = http.client.HTTPConnection(str(parts.hostname), parts.port, timeout=60)
    target = f"{parts.path}/{resource}{'?' + query if query else ''}"
    connection.request(method, target, body, {"Content-Type": content_type} if body else {})
    reply = connection.getresponse()
    document = json.loads(reply.read())
    connection.close()
    return reply.status, document


def http_build_query(parameters: Mapping[str, str | int | Sequence[str]]) -> str:
    """Return a form as PHP's function of that name writes it: lists with indices, brackets escaped."""
    pairs = []
    for name, value in parameters.items():
        given = (
            {f"{name}[{index}]": one for index, one in enumerate(value)} if isinstance(value, list) else {name: value}
        )
        pairs += [f"{quote_plus(key)}={quote_plus(str(one))}" for key, one in given.items()]
    return "&".join(pairs)


class PhpClient:
    """A client like the vendor's PHP SDK: a login by POST, lists with indices, camelCase paths."""

    def __init__(self, base: str) -> None:
        self._base = base
        form = http_build_query({"login": "demo", "password": "demo"})
        self._session = exchange(base, "POST", "User/SessionId", form, FORM).strip('"')

    def post(self, resource: str, **parameters: str | int | Sequence[str]) -> Any:  # noqa: ANN401 - any JSON document
        """Return the document of a POST."""
        form = http_build_query({"sessionID": self._session, **parameters})
        return exchange(self._base, "POST", resource, form, FORM)

    def get(self, resource: str, **parameters: str | int | Sequence[str]) -> Any:  # noqa: ANN401 - any JSON document
        """Return the document of a GET."""
        return exchange(
            self._base, "GET", resource, "", "", http_build_query({"sessionID": self._session, **parameters})
        )


def test_php_lists(sandbox: Sandbox) -> None:
    """A bulk of http_build_query goes to everybody in its order, and its states come back in the field's words."""
    client = PhpClient(sandbox.gateway)
    ids = client.post(
        "Sms/SendBulk",
        sourceAddress="DEVINO",
        destinationAddresses=NUMBERS,
        data="Привет & a+b",
        sendDate="",
        validity=0,
    )
    sandbox.advance(2)
    states = [client.get("Sms/State", messageId=part) for part in ids]
    assert [f"+{number}" for number in NUMBERS] == [message.recipient for message in sandbox.messages()]
    assert {"Привет & a+b"} == {message.text for message in sandbox.messages()}
    assert [(0, "Доставлено")] * 2 == [(state["State"], state["StateDescription"]) for state in states]


def test_php_reads_by_post(sandbox: Sandbox) -> None:
    """State, balance and incoming messages are asked for by POST as well."""
    client = PhpClient(sandbox.gateway)
    (part,) = client.post("Sms/Send", sourceAddress="DEVINO", destinationAddress=NUMBERS[0], data="test")
    sandbox.advance(2)
    assert (0, 99997.5) == (client.post("Sms/State", messageId=part)["State"], client.post("User/Balance"))


def test_php_viber_bulk(sandbox: Sandbox) -> None:
    """Optionals with indices reach their recipients."""
    client = PhpClient(sandbox.gateway)
    client.post(
        "Viber/SendBulk",
        sourceAddress="DEVINO",
        destinationAddresses=NUMBERS,
        data="x",
        optionals=["a", "b"],
        validity=86400,
    )
    assert ["a", "b"] == [message.optional for message in sandbox.messages()]


def test_optional_repeated_for_a_bulk(sandbox: Sandbox) -> None:
    """The older name of the list is taken as well: one for each recipient."""
    client = PhpClient(sandbox.gateway)
    form = urlencode(
        {
            "SessionID": client._session,
            "SourceAddress": "DEVINO",
            "DestinationAddresses": NUMBERS,
            "Optional": ["a", "b"],
            "Data": "x",
        },
        doseq=True,
    )
    exchange(sandbox.gateway, "POST", "Viber/SendWithResendBulk", form, FORM)
    assert ["a", "b"] == [message.optional for message in sandbox.messages()]


class FaradayClient:
    """A client on Ruby's Faraday: nested parameters with empty brackets, escaped or not, on one kept connection."""

    def __init__(self, base: str, *, escaped: bool) -> None:
        parts = urlsplit(base)
        self._path = parts.path
        self._brackets = quote("[]") if escaped else "[]"
        self._connection = http.client.HTTPConnection(str(parts.hostname), parts.port, timeout=60)
        self._session = self._ask("GET", "/user/sessionid?login=demo&password=demo")

    def _ask(self, method: str, target: str, body: str | None = None) -> Any:  # noqa: ANN401 - any JSON document
        headers = {"User-Agent": "Faraday v2.9.0", "Content-Type": FORM} if body else {"User-Agent": "Faraday v2.9.0"}
        self._connection.request(method, self._path + target, body, headers)
        reply = self._connection.getresponse()
        document = json.loads(reply.read())
        assert 200 == reply.status, document
        return document

    def bulk(self, numbers: Sequence[str], text: str) -> Any:  # noqa: ANN401 - any JSON document
        """Return the ids of a bulk."""
        # Faraday sorts the parameters by their names.
        pairs = [("Data", text), *((f"DestinationAddresses{self._brackets}", number) for number in numbers)]
        pairs += [("SessionID", self._session), ("SourceAddress", "DEVINO")]
        return self._ask("POST", "/Sms/SendBulk", "&".join(f"{name}={quote_plus(value)}" for name, value in pairs))

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()


@pytest.mark.parametrize("escaped", [True, False])
def test_rubys_brackets(sandbox: Sandbox, escaped: bool) -> None:
    """Lists with empty brackets go to everybody."""
    client = FaradayClient(sandbox.gateway, escaped=escaped)
    ids = client.bulk(NUMBERS, "test")
    client.close()
    assert (2, [f"+{number}" for number in NUMBERS]) == (
        len(ids),
        [message.recipient for message in sandbox.messages()],
    )


class V2Client:
    """A client of the flavour with login and password on every call, and no session."""

    def __init__(self, gateway: str, login: str = "demo", password: str = "demo") -> None:  # noqa: S107 - published
        self._base = f"{gateway}/v2"
        self._account = {"Login": login, "Password": password}

    def attempt(
        self, method: str, resource: str, *, as_json: bool = False, **parameters: str | int | list[str]
    ) -> tuple[int, Any]:
        """Return status and document of a call: GET in the query, POST as a form or as JSON."""
        given = {**self._account, **parameters}
        if method == "GET":
            return attempt(self._base, "GET", resource, "", "", urlencode(given))
        if as_json:
            return attempt(self._base, "POST", resource, json.dumps(given), "application/json; charset=utf-8")
        return attempt(self._base, "POST", resource, urlencode(given, doseq=True), FORM)

    def call(self, method: str, resource: str, **parameters: Any) -> Any:  # noqa: ANN401 - any JSON document
        """Return the document of a call that must succeed."""
        status, document = self.attempt(method, resource, **parameters)
        assert 200 == status, document
        return document


@pytest.mark.parametrize("as_json", [False, True], ids=["form", "json"])
def test_v2_sends_and_asks(sandbox: Sandbox, as_json: bool) -> None:
    """All is done without a session, and ids hold the number, as the field has them."""
    client = V2Client(sandbox.gateway)
    ids = client.call(
        "POST", "Sms/SendBulk", as_json=as_json, SourceAddress="DEVINO", DestinationAddresses=NUMBERS, Data="я" * 71
    )
    sandbox.advance(2)
    expected = [rf"SAR-GW01\+{number}-[0-9a-f]{{8}}-2-{part}" for number in NUMBERS for part in (1, 2)]
    assert [True] * 4 == [bool(re.fullmatch(form, part)) for form, part in zip(expected, ids, strict=True)]
    states = [client.call("GET", "Sms/State", MessageID=part)["State"] for part in ids]
    assert ([0] * 4, 99990.0, 0) == (states, client.call("GET", "User/Balance"), sandbox.expire_sessions())


def test_v2_has_every_other_operation(sandbox: Sandbox) -> None:
    """Viber, its states, incoming messages and statistics stand there too."""
    client = V2Client(sandbox.gateway)
    (part,) = client.call("POST", "Viber/Send", SourceAddress="DEVINO", DestinationAddress=NUMBERS[0], Data="x")
    sandbox.advance(2)
    sandbox.add_incoming("да", NUMBERS[0])
    assert [2, ["да"], 0] == [
        client.call("GET", "Viber/State", messageId=part)["State"],
        [one["Data"] for one in client.call("GET", "Sms/In", maxDateUTC="2026-01-29T00:00:00")],
        client.call("GET", "Sms/Statistics", startDateTime="2026-01-28", endDateTime="2026-01-29")["Total"],
    ]


def test_v2_wrong_password(sandbox: Sandbox) -> None:
    """A wrong password is Code 4 on every call, and there is no code 3."""
    for client in (V2Client(sandbox.gateway, password="wrong"), V2Client(sandbox.gateway, login="other")):
        assert (401, {"Code": 4, "Desc": "Invalid user login or password"}) == client.attempt("GET", "User/Balance")


@pytest.mark.parametrize("missing", ["Login", "Password"])
def test_v2_needs_both(sandbox: Sandbox, missing: str) -> None:
    """A missing login or password is Code 1, in the words of a missing parameter."""
    account = {"Login": "demo", "Password": "demo", missing: ""}
    expected = {"Code": 1, "Desc": f"{missing} can not be null or empty Parameter name: {missing.lower()}"}
    assert (400, expected) == attempt(f"{sandbox.gateway}/v2", "GET", "User/Balance", "", "", urlencode(account))


def test_v2_has_no_session_step(sandbox: Sandbox) -> None:
    """There is no login to call, and a session's id opens nothing."""
    client = V2Client(sandbox.gateway)
    assert 404 == client.attempt("GET", "User/SessionID")[0]
    session = PhpClient(sandbox.gateway)._session
    assert 400 == attempt(f"{sandbox.gateway}/v2", "GET", "User/Balance", "", "", f"SessionID={session}")[0]


def test_v2_keeps_no_password(sandbox: Sandbox) -> None:
    """Login and password are masked in the log of requests, however they came."""
    client = V2Client(sandbox.gateway, password="hunter2")
    client.attempt("GET", "User/Balance")
    client.attempt("POST", "Sms/Send", Data="x")
    client.attempt("POST", "Sms/Send", as_json=True, Data="x")
    assert ["***"] * 3 == [request.parameters["password"][0] for request in sandbox.requests()]
    assert [False] * 3 == ["hunter2" in request.raw for request in sandbox.requests()]


def test_v2_survives_the_end_of_sessions(sandbox: Sandbox) -> None:
    """A fault that ends sessions concerns nobody who has none."""
    sandbox.add_fault("expired-session")
    assert 100000.0 == V2Client(sandbox.gateway).call("GET", "User/Balance")


def test_a_get_with_a_form_in_its_body(sandbox: Sandbox) -> None:
    """Several clients send a GET's parameters as a body."""
    form = urlencode({"Login": "demo", "Password": "demo"})
    assert 100000.0 == exchange(f"{sandbox.gateway}/v2", "GET", "User/Balance", form, FORM)


def test_a_json_client_within_a_session(sandbox: Sandbox) -> None:
    """JSON is taken below /rest as well, for the login too; a number of minutes is a number."""
    session = exchange(
        sandbox.gateway, "POST", "User/SessionID", json.dumps({"login": "demo", "password": "demo"}), "application/json"
    )
    document = {"sessionId": session, "sourceAddress": "DEVINO", "destinationAddresses": NUMBERS, "data": "😀"}
    body = json.dumps({**document, "validity": 60, "sendDate": None})
    ids = exchange(sandbox.gateway, "POST", "Sms/SendBulk", body, "application/json")
    assert (2, ["😀"] * 2) == (len(ids), [message.text for message in sandbox.messages()])


def test_a_multipart_client(sandbox: Sandbox) -> None:
    """What sends every form as multipart, as a browser's FormData does, is served."""
    fields = [("Login", "demo"), ("Password", "demo"), ("SourceAddress", "DEVINO"), ("Data", "две\r\nстроки")]
    fields += [("DestinationAddresses", number) for number in NUMBERS]
    boundary = "----geckoformboundary5e2f"
    body = "".join(
        f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n' for name, value in fields
    )
    content_type = f"multipart/form-data; boundary={boundary}"
    ids = exchange(f"{sandbox.gateway}/v2", "POST", "Sms/SendBulk", f"{body}--{boundary}--\r\n".encode(), content_type)
    assert (2, {"две\r\nстроки"}) == (len(ids), {message.text for message in sandbox.messages()})


def test_a_body_that_is_not_what_it_says(sandbox: Sandbox) -> None:
    """A form that calls itself JSON is told so, and its secrets are not kept."""
    status, document = attempt(sandbox.gateway, "POST", "Sms/Send", "SessionID=abc&Data=x", "application/json")
    assert (400, 2, "***") == (status, document["Code"], sandbox.requests()[0].raw.rpartition("\n")[2])


def test_ten_requests_a_second(sandbox: Sandbox) -> None:
    """The rate fault refuses the eleventh within a second, and a client that waits goes on."""
    sandbox.add_fault("rate")
    client = V2Client(sandbox.gateway)
    form = urlencode({"Login": "demo", "Password": "demo"})
    for _ in range(10):
        client.call("GET", "User/Balance")
    connection = http.client.HTTPConnection("127.0.0.1", sandbox.port, timeout=60)
    connection.request("GET", f"/rest/v2/User/Balance?{form}")
    reply = connection.getresponse()
    assert (429, b"", "rate") == (reply.status, reply.read(), sandbox.requests()[-1].fault)
    connection.close()
    sandbox.advance(1)
    client.call("GET", "User/Balance")


def test_a_rate_with_a_code(sandbox: Sandbox) -> None:
    """The vendor's anti-spam answers code 7; nothing of what it refuses is sent."""
    sandbox.add_fault("rate", limit=1, code=7, operation="Sms/Send")
    client = V2Client(sandbox.gateway)
    message: dict[str, Any] = {"SourceAddress": "DEVINO", "DestinationAddress": NUMBERS[0], "Data": "x"}
    client.call("POST", "Sms/Send", **message)
    assert (403, {"Code": 7, "Desc": "Forbidden"}) == client.attempt("POST", "Sms/Send", **message)
    assert 1 == len(sandbox.messages())
