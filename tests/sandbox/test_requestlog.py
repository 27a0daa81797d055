"""Requests as they are kept."""

from __future__ import annotations

import pytest

from devinotify.sandbox.requestlog import RequestRecord, masked_form, masked_headers


@pytest.mark.parametrize(
    ("form", "shown"),
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
