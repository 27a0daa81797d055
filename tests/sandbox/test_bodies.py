"""Bodies: a form, JSON and multipart."""

from __future__ import annotations

import email.policy
import json
from email.message import EmailMessage
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devinotify.sandbox import bodies
from devinotify.sandbox.replies import Refused
from tests.tables import table

JSON = b"application/json"
MULTIPART = b"multipart/form-data; boundary=b"


@table(
    "content_type, media",
    [
        ("", bodies.FORM),
        ("application/x-www-form-urlencoded; charset=utf-8", bodies.FORM),
        ("text/plain", bodies.FORM),
        ("Application/JSON; charset=utf-8", bodies.JSON),
        ("text/json", bodies.JSON),
        ("application/vnd.api+json", bodies.JSON),
        ("multipart/form-data; boundary=x", bodies.MULTIPART),
        ("multipart/mixed; boundary=x", bodies.FORM),
    ],
)
def test_types(content_type: str, media: str) -> None:
    """A type is known in any case and with parameters; any other is read as a form, as ever."""
    assert media == bodies.media_type(content_type.encode())


@table(
    "document, pairs",
    [
        ("{}", []),
        ("", []),
        ('{"Data": "Привет"}', [("Data", "Привет")]),
        (
            '{"Validity": 60, "x": 1.50, "y": true, "z": false}',
            [("Validity", "60"), ("x", "1.50"), ("y", "true"), ("z", "false")],
        ),
        ('{"SendDate": null}', []),
        ('{"A": ["1", 2, null]}', [("A", "1"), ("A", "2"), ("A", "")]),
        ('{"Data": "a", "Data": "b"}', [("Data", "a"), ("Data", "b")]),
        (r'{"Data": "\ud83d\ude00 \ud800"}', [("Data", "😀 \ufffd")]),
        ('{"Validity": ' + "9" * 5000 + "}", [("Validity", "9" * 5000)]),
    ],
)
def test_json(document: str, pairs: list[tuple[str, str]]) -> None:
    """Texts and numbers are what they are, lists are lists, null is nothing, and half a surrogate is replaced."""
    assert pairs == bodies.read(JSON, document.encode())


@table("encoding", ["utf-8-sig", "utf-16", "utf-32"])
def test_json_in_other_encodings(encoding: str) -> None:
    """JSON says by itself in which Unicode encoding it is."""
    assert [("Data", "Привет")] == bodies.read(JSON, '{"Data": "Привет"}'.encode(encoding))


@table(
    "document",
    [
        "{",
        "[]",
        "1",
        '"x"',
        "null",
        "[" * 50_000,
        '{"A": {"b": 1}}',
        '{"A": [["1"]]}',
        '{"A": NaN}',
        "Data=x",
        '{"A": [{}]}',
    ],
)
def test_what_is_not_an_object_of_texts(document: str) -> None:
    """Anything else is Code 2, with a reason that shows nothing of it."""
    with pytest.raises(Refused) as refusal:
        bodies.read(JSON, document.encode())
    assert (2, bodies.NOT_JSON) == (refusal.value.code, refusal.value.description)


DATA = 'Content-Disposition: form-data; name="Data"'


def part(head: str, value: str) -> str:
    """Return one part of a multipart body."""
    return f"--b\r\n{head}\r\n\r\n{value}\r\n"


@table(
    "body, pairs",
    [
        ("", []),
        ("--b--", []),
        (
            part('Content-Disposition: form-data; name="Data"', "Привет\r\nмир") + "--b--\r\n",
            [("Data", "Привет\r\nмир")],
        ),
        ("preamble\r\n" + part("content-disposition: FORM-DATA; NAME=Data", "") + "--b--epilogue", [("Data", "")]),
        (
            part('Content-Type: text/plain; charset=utf-8\r\nContent-Disposition: form-data; name="Data"', "a--b")
            + "--b--",
            [("Data", "a--b")],
        ),
        (part('Content-Disposition: form-data; name="file"; filename="x.txt"', "content") + "--b--", []),
        (part('Content-Disposition: form-data; filename="x.txt"; name="file"', "content") + "--b--", []),
        (part('Content-Disposition: form-data; name="a%22b"', "x") + "--b--", [('a"b', "x")]),
    ],
)
def test_multipart(body: str, pairs: list[tuple[str, str]]) -> None:
    """Fields are read with their line breaks, and files are left out."""
    assert pairs == bodies.read(MULTIPART, body.encode())


@table("body", ["x", part(DATA, "x"), "--b\r\n\r\nx\r\n--b--", "--b\r\nx--b--"])
def test_what_is_not_multipart(body: str) -> None:
    """A body without its end, or a part without a name, is Code 2."""
    with pytest.raises(Refused) as refusal:
        bodies.read(MULTIPART, body.encode())
    assert (2, bodies.NOT_MULTIPART) == (refusal.value.code, refusal.value.description)


def test_multipart_without_a_boundary() -> None:
    """What stands between the parts has to be told."""
    with pytest.raises(Refused, match="Content-Type announces"):
        bodies.read(b"multipart/form-data", b"--b--")


@table(
    "content_type, body",
    [
        (JSON, json.dumps({"A": ["1"] * (bodies.MAX_FIELDS + 1)})),
        (MULTIPART, "--b\r\n" * (bodies.MAX_FIELDS + 1)),
        (b"", "&" * bodies.MAX_FIELDS),
    ],
)
def test_too_many_parameters(content_type: bytes, body: str) -> None:
    """There is an end to how many a request has, whatever its body is."""
    with pytest.raises(Refused) as refusal:
        bodies.read(content_type, body.encode())
    assert bodies.TOO_LARGE == refusal.value.description


def encoded(fields: list[tuple[str, str]]) -> tuple[bytes, bytes]:
    """Return content type and body as the standard library writes multipart."""
    message = EmailMessage(policy=email.policy.HTTP)
    message["Content-Type"] = "multipart/form-data"
    for name, value in fields:
        field = EmailMessage(policy=email.policy.HTTP)
        field.set_content(value.encode(), "application", "octet-stream", cte="binary")
        field.add_header("Content-Disposition", "form-data", name=name)
        del field["Content-Disposition"]
        field["Content-Disposition"] = f'form-data; name="{name}"'
        message.attach(field)
    body: Any = message.as_bytes().partition(b"\r\n\r\n")[2]
    return str(message["Content-Type"]).replace("\r\n", "").encode(), body


@given(
    st.lists(
        st.tuples(st.sampled_from(["Data", "SourceAddress", "x"]), st.text("abя \U0001f600=&-", max_size=20)),
        min_size=1,
        max_size=5,
    )
)
def test_another_writers_multipart(fields: list[tuple[str, str]]) -> None:
    """What the standard library writes is read back."""
    content_type, body = encoded(fields)
    assert fields == bodies.read(content_type, body)


@given(
    st.dictionaries(
        st.text(min_size=1, max_size=8), st.text(max_size=20) | st.lists(st.text(max_size=8), max_size=4), max_size=6
    )
)
def test_another_writers_json(document: dict[str, str | list[str]]) -> None:
    """What the standard library writes is read back, escaped or not."""
    expected = [
        (name, one) for name, value in document.items() for one in ([value] if isinstance(value, str) else value)
    ]
    for ascii_only in (True, False):
        assert expected == bodies.read(JSON, json.dumps(document, ensure_ascii=ascii_only).encode())
