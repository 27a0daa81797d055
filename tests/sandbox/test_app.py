"""What the network shows, asked by clients that share no code with ours."""

from __future__ import annotations

import http.client
import json
import socket
from typing import TYPE_CHECKING, Any

import pytest
import requests

from devinotify.sandbox import bodies
from tests.sandbox.conftest import NUMBER
from tests.tables import table

if TYPE_CHECKING:
    from collections.abc import Iterator

    from devinotify.sandbox import Sandbox


@pytest.fixture
def http_session() -> Iterator[requests.Session]:
    """Give a requests session that heeds no proxy of the environment."""
    with requests.Session() as session:
        session.trust_env = False
        yield session


@pytest.fixture
def session_id(sandbox: Sandbox, http_session: requests.Session) -> str:
    """Give the id of an open session."""
    reply = http_session.get(
        f"{sandbox.gateway}/user/sessionid", params={"login": "demo", "password": "demo"}, timeout=60
    )
    return str(reply.json())


def raw(sandbox: Sandbox, request: bytes) -> bytes:
    """Return all that comes back for some bytes, up to the end of the connection."""
    with socket.create_connection(("127.0.0.1", sandbox.port), timeout=60) as connection:
        connection.sendall(request)
        received = b""
        while chunk := connection.recv(65536):
            received += chunk
        return received


def test_the_documented_headers(sandbox: Sandbox) -> None:
    """An answer carries the documented headers."""
    connection = http.client.HTTPConnection("127.0.0.1", sandbox.port, timeout=60)
    connection.request("GET", "/rest/user/sessionid?login=demo&password=demo")
    reply = connection.getresponse()
    names = ("Cache-Control", "Connection", "Content-Type")
    assert ["private", "Keep-Alive", "application/json; charset=utf-8"] == [reply.getheader(name) for name in names]
    assert 38 == len(reply.read())
    connection.close()


def test_a_connection_serves_many_requests(sandbox: Sandbox) -> None:
    """One connection is kept for the next request."""
    connection = http.client.HTTPConnection("127.0.0.1", sandbox.port, timeout=60)
    ports = set()
    for _ in range(3):
        connection.request("GET", "/rest/User/Balance")
        connection.getresponse().read()
        ports.add(connection.sock.getsockname()[1])
    connection.close()
    assert 1 == len(ports)


def test_a_client_that_closes_is_told_so(sandbox: Sandbox) -> None:
    """Where the client asks to close, the answer says close and nothing else."""
    reply = raw(sandbox, b"GET /rest/User/Balance HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
    head = reply.partition(b"\r\n\r\n")[0].lower()
    assert (1, 0) == (head.count(b"connection: close"), head.count(b"keep-alive"))


def parameters(session_id: str, **changed: str) -> dict[str, str]:
    """Return valid parameters of Sms/Send."""
    return {
        "SessionID": session_id,
        "SourceAddress": "DEVINO",
        "DestinationAddress": NUMBER,
        "Data": "Привет, a+b=c & d",
        **changed,
    }


def test_parameters_in_the_body(sandbox: Sandbox, http_session: requests.Session, session_id: str) -> None:
    """A form body is read."""
    reply = http_session.post(f"{sandbox.gateway}/Sms/Send", data=parameters(session_id), timeout=60)
    assert (200, ["Привет, a+b=c & d"]) == (reply.status_code, [message.text for message in sandbox.messages()])


def test_parameters_in_the_query(sandbox: Sandbox, http_session: requests.Session, session_id: str) -> None:
    """A POST with everything in the query and Content-Length: 0 is read."""
    reply = http_session.post(f"{sandbox.gateway}/Sms/Send", params=parameters(session_id), timeout=60)
    assert ("0", 200) == (reply.request.headers["Content-Length"], reply.status_code)
    assert ["Привет, a+b=c & d"] == [message.text for message in sandbox.messages()]


def test_mixed_parameters(sandbox: Sandbox, http_session: requests.Session, session_id: str) -> None:
    """Addresses in the query and the rest in the body make one request."""
    rest = {name: value for name, value in parameters(session_id).items() if name != "DestinationAddress"}
    reply = http_session.post(
        f"{sandbox.gateway}/sms/sendbulk",
        params={"DestinationAddresses": ["79161234567", "+79031234567"]},
        data=rest,
        timeout=60,
    )
    assert (200, 2) == (reply.status_code, len(reply.json()))


@pytest.mark.once
def test_a_bulk_of_thousands_fits(sandbox: Sandbox, http_session: requests.Session, session_id: str) -> None:
    """Twenty thousand recipients fit into one request, in the body as in the query."""
    addresses = [f"79{number:09d}" for number in range(160000000, 160020000)]
    form = {"SessionID": session_id, "SourceAddress": "DEVINO", "Data": "x"}
    sandbox.balance = 10**6
    in_body = http_session.post(
        f"{sandbox.gateway}/Sms/SendBulk", data={**form, "DestinationAddresses": addresses}, timeout=60
    )
    in_query = http_session.post(
        f"{sandbox.gateway}/Sms/SendBulk", params={"DestinationAddresses": addresses}, data=form, timeout=60
    )
    assert [(200, 20000)] * 2 == [(reply.status_code, len(reply.json())) for reply in (in_body, in_query)]


@table("size", [bodies.MAX_BYTES + 1, 3 * bodies.MAX_BYTES])
def test_an_oversized_body_is_told_so(sandbox: Sandbox, http_session: requests.Session, size: int) -> None:
    """A body past the limit is read to its end and refused in the documented form."""
    reply = http_session.post(f"{sandbox.gateway}/Sms/Send", data=b"a" * size, timeout=60)
    assert (400, 2, bodies.TOO_LARGE) == (reply.status_code, reply.json()["Code"], reply.json()["Desc"])


def test_a_body_without_end_is_cut(sandbox: Sandbox) -> None:
    """A chunked body that goes on and on is refused after 8 MiB of it."""
    chunk = b"%x\r\n" % 2**20 + b"a" * 2**20 + b"\r\n"
    with socket.create_connection(("127.0.0.1", sandbox.port), timeout=60) as connection:
        connection.sendall(
            b"POST /rest/Sms/Send HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n" + chunk * 9
        )
        assert connection.recv(1024).startswith(b"HTTP/1.1 400")


def test_a_client_that_leaves_midway_harms_nothing(sandbox: Sandbox, http_session: requests.Session) -> None:
    """A request cut off in its body is dropped, and the next client is served."""
    with socket.create_connection(("127.0.0.1", sandbox.port), timeout=60) as connection:
        connection.sendall(b"POST /rest/Sms/Send HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\nData=")
    assert 400 == http_session.get(f"{sandbox.gateway}/User/Balance", timeout=60).status_code
    assert ["/rest/User/Balance"] == [request.path for request in sandbox.requests()]


def test_methods_are_told(sandbox: Sandbox, http_session: requests.Session) -> None:
    """A wrong method is 405 with the methods that are taken."""
    reply = http_session.get(f"{sandbox.gateway}/Sms/Send", timeout=60)
    assert (405, "POST", 6) == (reply.status_code, reply.headers["Allow"], reply.json()["Code"])


def test_paths_outside_the_api(sandbox: Sandbox, http_session: requests.Session) -> None:
    """Any other path is the API's 404."""
    reply = http_session.get(f"{sandbox.origin}/favicon.ico", timeout=60)
    assert (404, {"Code", "Desc"}) == (reply.status_code, set(reply.json()))


def test_doubled_slashes_and_case(sandbox: Sandbox, http_session: requests.Session) -> None:
    """A base URL that ends in a slash does no harm, nor does a path in capitals."""
    reply = http_session.get(f"{sandbox.gateway}//USER/SESSIONID/?LOGIN=demo&PASSWORD=demo", timeout=60)
    assert 200 == reply.status_code


# The control API and the page


def test_the_control_api(sandbox: Sandbox, http_session: requests.Session) -> None:
    """A route answers JSON to a JSON object, whatever the content type says."""
    url = f"{sandbox.origin}/sandbox/balance"
    reply = http_session.post(url, data='{"balance": "7.50"}', timeout=60)
    assert (200, {"balance": "7.50"}) == (reply.status_code, reply.json())
    assert {"balance": "7.50"} == http_session.get(url, timeout=60).json()


def test_messages_by_http(sandbox: Sandbox, http_session: requests.Session, session_id: str) -> None:
    """What arrived is listed, by the filters in the query, raw and in UTF-8."""
    http_session.post(f"{sandbox.gateway}/Sms/Send", data=parameters(session_id), timeout=60)
    reply = http_session.get(f"{sandbox.origin}/sandbox/messages", params={"text": "привет"}, timeout=60)
    assert (1, True) == (reply.json()["total"], "Привет".encode() in reply.content)


@table("body", ["{", "[]", "1", '"x"', "[" * 50000, "\0"])
def test_wrong_bodies(sandbox: Sandbox, http_session: requests.Session, body: str) -> None:
    """A body that is not a JSON object is 400 with a reason."""
    reply = http_session.post(f"{sandbox.origin}/sandbox/reset", data=body, timeout=60)
    assert (400, ["error"]) == (reply.status_code, list(reply.json()))


def test_an_oversized_control_body(sandbox: Sandbox, http_session: requests.Session) -> None:
    """A control request over 64 KiB is 413."""
    reply = http_session.post(f"{sandbox.origin}/sandbox/incoming", data=b" " * 70000, timeout=60)
    assert (413, ["error"]) == (reply.status_code, list(reply.json()))


@table(
    "method, path, status",
    [
        ("GET", "/sandbox/nowhere", 404),
        ("DELETE", "/sandbox/reset", 405),
        ("POST", "/sandbox/clock", 400),
        ("HEAD", "/sandbox", 200),
    ],
)
def test_other_control_requests(
    sandbox: Sandbox, http_session: requests.Session, method: str, path: str, status: int
) -> None:
    """Unknown routes, methods and missing arguments have their statuses, and a reason in JSON."""
    reply = http_session.request(method, f"{sandbox.origin}{path}", timeout=60)
    assert status == reply.status_code
    assert status == 200 or ["error"] == list(reply.json())


@table("host", ["localhost:1", "127.0.0.1", "[::1]:80", "app.localhost", "127.9.9.9"])
def test_loopback_names_may_use_it(sandbox: Sandbox, http_session: requests.Session, host: str) -> None:
    """A browser or client that calls the machine by a loopback name is served."""
    headers = {"Host": host, "Origin": f"http://{host}"}
    assert 200 == http_session.get(f"{sandbox.origin}/sandbox/clock", headers=headers, timeout=60).status_code


@table(
    "headers",
    [
        {"Host": "evil.example"},
        {"Host": "localhost.evil.example"},
        {"Host": "[::1"},
        {"Host": "localhost:port"},
        {"Host": ""},
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
    ],
)
@table("path", ["/", "/sandbox/messages"])
def test_other_sites_may_not(
    sandbox: Sandbox, http_session: requests.Session, headers: dict[str, str], path: str
) -> None:
    """A web site cannot read the inbox, neither by a name that leads here nor from its own origin."""
    reply = http_session.get(f"{sandbox.origin}{path}", headers=headers, timeout=60)
    assert (403, ["error"]) == (reply.status_code, list(reply.json()))


def test_a_foreign_form_presses_no_button(sandbox: Sandbox, http_session: requests.Session, session_id: str) -> None:
    """A form that another site posts here changes nothing."""
    http_session.post(f"{sandbox.gateway}/Sms/Send", data=parameters(session_id), timeout=60)
    reply = http_session.post(f"{sandbox.origin}/sandbox/reset", headers={"Origin": "http://evil.example"}, timeout=60)
    assert (403, 1) == (reply.status_code, len(sandbox.messages()))


def test_the_page(sandbox: Sandbox, http_session: requests.Session) -> None:
    """The page is HTML under a policy that lets nothing load but its own files."""
    reply = http_session.get(f"{sandbox.origin}/", timeout=60)
    assert (200, "text/html; charset=utf-8") == (reply.status_code, reply.headers["Content-Type"])
    assert "default-src 'none'" in reply.headers["Content-Security-Policy"]
    assert "script-src 'self'" in reply.headers["Content-Security-Policy"]


def test_files_are_asked_for_once(sandbox: Sandbox, http_session: requests.Session) -> None:
    """A browser that has a file already is told so."""
    url = f"{sandbox.origin}/static/app.js"
    first = http_session.get(url, timeout=60)
    again = http_session.get(url, headers={"If-None-Match": first.headers["ETag"]}, timeout=60)
    assert (200, 304, b"") == (first.status_code, again.status_code, again.content)


@table("name", ["nothing.js", "..%2fpage.py", "%2e%2e/page.py"])
def test_there_are_no_other_files(sandbox: Sandbox, http_session: requests.Session, name: str) -> None:
    """Nothing but the page's own files can be asked for."""
    assert 404 == http_session.get(f"{sandbox.origin}/static/{name}", timeout=60).status_code


def test_what_nothing_has_is_not_found(sandbox: Sandbox, http_session: requests.Session) -> None:
    """A number that no message has is 404, by whichever way it is asked for."""
    assert 404 == http_session.get(f"{sandbox.origin}/sandbox/message?number=9", timeout=60).status_code
    with pytest.raises(LookupError, match="no such message"):
        sandbox.force(9, "expired")


# A client as published ones are written: names in their own case, Validity 0, an empty sendDate.


class PublishedClient:
    """The least that clients of this API do."""

    def __init__(self, url: str, http_session: requests.Session) -> None:
        self._url = url
        self._http = http_session
        self._session = self.ask("get", "/user/sessionId", {"login": "demo", "password": "demo"})

    def ask(self, method: str, path: str, form: dict[str, Any]) -> Any:  # noqa: ANN401 - any JSON document
        """Return the document of an answer."""
        url = self._url + path
        reply = (
            self._http.get(url, params=form, timeout=60)
            if method == "get"
            else self._http.post(url, data=form, timeout=60)
        )
        assert 200 == reply.status_code
        return reply.json()

    def call(self, method: str, path: str, **form: object) -> Any:  # noqa: ANN401 - any JSON document
        """Return the document of a call with the session's id."""
        return self.ask(method, path, {"sessionId": self._session, **form})


def test_published_clients_work(sandbox: Sandbox, http_session: requests.Session) -> None:
    """A client written to the published API sends, asks for the state and the balance."""
    client = PublishedClient(sandbox.gateway, http_session)
    bulk = client.call(
        "post",
        "/sms/sendBulk",
        sourceAddress="DEVINO",
        DestinationAddresses=["79161234567", "89031234567"],
        data="test",
        validity=0,
        sendDate="",
    )
    sandbox.advance(2)
    state = client.call("get", "/sms/state", messageId=bulk[0])
    assert (2, 0, 2.5, 99995.0) == (len(bulk), state["State"], state["Price"], client.call("get", "/user/balance"))


def test_json_is_valid_for_a_strict_parser(sandbox: Sandbox, http_session: requests.Session, session_id: str) -> None:
    """A text full of slashes and quotes comes back as it was, with its date escaped as documented."""
    text = 'a/b \\/ "\\" </script> /Date(1)/ \u2028 😀'
    sandbox.add_incoming(text, "79260000000")
    reply = http_session.get(
        f"{sandbox.gateway}/Sms/In", params={"sessionId": session_id, "maxDateUTC": "2026-01-29T00:00:00"}, timeout=60
    )
    (message,) = json.loads(reply.content)
    assert (text, True) == (message["Data"], rb'"CreateDateUtc":"\/Date(17' in reply.content)
