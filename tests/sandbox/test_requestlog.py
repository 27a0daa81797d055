"""Requests as they are kept."""

from __future__ import annotations

import json

from devinotify.sandbox.bodies import MAX_BYTES
from devinotify.sandbox.requestlog import RequestRecord, masked_body, masked_form, masked_headers
from tests.tables import table


@table(
    "form, shown",
    [
        (b"", ""),
        (b"Data=a+b%21&DestinationAddress=%2B7", "Data=a+b%21&DestinationAddress=%2B7"),
        (b"sessionid=Z5CYSZ&data=x", "sessionid=***&data=x"),
        (b"LOGIN=me&Password=pw", "LOGIN=***&Password=***"),
        (b"Session%49D=Z5CYSZ", "***=***"),
        (b"D%61ta=x", "D%61ta=x"),
        (b"passwrod=hunter2", "passwrod=***"),
        (b"hunter2=x", "***=***"),
        (b'{"password": "a=b"}', "***=***"),
        (b"hunter2", "***"),
        (b"&&Data=x", "&&Data=x"),
        (b"Data=\xff", "Data=\ufffd"),
        (b"DestinationAddresses[0]=7916&Optional%5B%5D=x", "DestinationAddresses[0]=7916&Optional%5B%5D=x"),
        (b"Password[0]=pw&Login[]=me", "***=***&***=***"),
    ],
)
def test_only_what_the_api_names_is_kept(form: bytes, shown: str) -> None:
    """A form keeps its spelling, but for the values that are secret or unknown."""
    assert shown == masked_form(form)


def test_headers_that_may_be_secret_are_masked() -> None:
    """Headers keep their values where those are harmless."""
    given = [(b"Host", b"x"), (b"Authorization", b"Bearer abc"), (b"user-agent", b"curl/8")]
    assert (("Host", "x"), ("Authorization", "***"), ("user-agent", "curl/8")) == masked_headers(given)


def test_headers_are_capped() -> None:
    """There is an end to how many headers are kept, and to their lengths."""
    kept = masked_headers([(b"host", b"a" * 9000)] * 99)
    assert (40, 500) == (len(kept), len(kept[0][1]))


def test_the_raw_form() -> None:
    """A request is shown as it stood on the wire."""
    record = RequestRecord(
        0.0, "POST", "/rest/Sms/Send", "Sms/Send", "Data=a", "Data=b&X=***", (("host", "x"),), 200, None
    )
    assert "POST /rest/Sms/Send?Data=a HTTP/1.1\nhost: x\n\nData=b&X=***" == record.raw
    assert {"data": ("a", "b"), "x": ("***",)} == record.parameters


JSON = b"application/json; charset=utf-8"
MULTIPART = b"multipart/form-data; boundary=b"


def part(name: str, value: str) -> str:
    """Return one part of a multipart body."""
    return f'--b\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'


@table(
    "content_type, body, shown",
    [
        (
            JSON,
            '{"Login": "me", "Password": "hunter2", "Data": "x"}',
            '{"Login": "***", "Password": "***", "Data": "x"}',
        ),
        (JSON, '{"DestinationAddresses": ["7916"], "hunter2": 1}', '{"DestinationAddresses": ["7916"], "***": "***"}'),
        (
            JSON,
            '{"DestinationAddresses[0]": "7916", "X": {"a": "hunter2"}}',
            '{"DestinationAddresses[0]": "7916", "X": "***"}',
        ),
        (JSON, '{"Password": "hunter2"', "***"),
        (JSON, "", ""),
        (
            MULTIPART,
            part("Password", "hunter2") + part("Data", "x") + "--b--",
            part("Password", "***") + part("Data", "x") + "--b--\r\n",
        ),
        (MULTIPART, part("Password", "hunter2"), "***"),
        (b"multipart/form-data", part("Password", "hunter2") + "--b--", "***"),
        (b"text/plain", "Data=x&Password=hunter2", "Data=x&Password=***"),
    ],
)
def test_bodies_of_every_type_are_masked(content_type: bytes, body: str, shown: str) -> None:
    """JSON and multipart are kept as they are, but for what the API does not name; what cannot be read is not kept."""
    assert shown == masked_body(content_type, body.encode())


@table("content_type", [JSON, MULTIPART])
def test_long_lists_are_cut(content_type: bytes) -> None:
    """Of a bulk the beginning is kept, in a form that can be read again, and how much is missing."""
    numbers = [f"7916{number:07}" for number in range(1000)]
    if content_type is JSON:
        body = json.dumps({"DestinationAddresses": numbers})
    else:
        body = "".join(part("DestinationAddresses", number) for number in numbers) + "--b--"
    kept = masked_body(content_type, body.encode(), most=20_000)
    assert "… 800 more" in kept
    record = RequestRecord(0.0, "POST", "/", None, "", kept, (("content-type", content_type.decode()),))
    assert numbers[:200] == list(record.parameters["destinationaddresses"][:200])


def test_a_body_that_stays_too_long_is_not_kept() -> None:
    """There is an end to what is kept of a body of any type."""
    assert "***" == masked_body(JSON, json.dumps({"Data": "x" * 9000}).encode())


def test_a_body_past_the_limit_is_not_read() -> None:
    """What the gateway refuses for its size is not taken apart for the log."""
    assert "***" == masked_body(JSON, b" " * (MAX_BYTES + 1))


def test_parameters_of_other_bodies() -> None:
    """The parameters are decoded by the type of the body."""
    headers = (("Content-Type", "application/json"),)
    record = RequestRecord(0.0, "POST", "/", None, "Data=a", '{"DestinationAddresses[0]": "1"}', headers)
    assert {"data": ("a",), "destinationaddresses": ("1",)} == record.parameters
    broken = RequestRecord(0.0, "POST", "/", None, "Data=a", "***", headers)
    assert {"data": ("a",)} == broken.parameters
