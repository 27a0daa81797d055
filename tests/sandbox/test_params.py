"""Query and body, merged."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from devinotify.sandbox import bodies, params
from devinotify.sandbox.replies import Refused
from tests.laws import both_ways
from tests.strategies import changed
from tests.tables import table


def test_the_documented_encoding() -> None:
    """The API's own example of an encoded password reads back."""
    arguments = params.merge(b"login=Jonathan&password=a%2Bb%3D%3D13%25!", b"")
    assert ("Jonathan", "a+b==13%!") == (arguments.scalar("Login"), arguments.scalar("Password"))


def test_names_are_matched_in_any_case() -> None:
    """The case of a name does not matter, on either side."""
    assert "x" == params.merge(b"sEsSiOnId=x", b"").scalar("SessionID")


def test_query_and_body_are_one_list() -> None:
    """Addresses in the query and the rest in the body make one request."""
    arguments = params.merge(b"DestinationAddresses=1&DestinationAddresses=2", b"Data=a+b&destinationaddresses=3")
    assert (["1", "2", "3"], "a b") == (arguments.all("DestinationAddresses"), arguments.scalar("data"))


def test_a_scalar_takes_the_first_value_that_is_not_empty() -> None:
    """Of Data= and data=x the latter counts."""
    assert "x" == params.merge(b"Data=&data=x", b"Data=y").scalar("Data")


def test_a_list_keeps_empty_values() -> None:
    """An empty value of a list keeps its place."""
    assert ["", "b"] == params.merge(b"Optionals=&Optionals=b", b"").all("Optionals")


def test_absence() -> None:
    """A name that is not there, or there without a value, is not given."""
    arguments = params.merge(b"a=", b"")
    assert ([False, False], "", []) == (
        [arguments.given("a"), arguments.given("b")],
        arguments.scalar("b"),
        list(arguments.all("b")),
    )


def test_raw_utf8_is_read() -> None:
    """A body that nobody encoded is read as UTF-8."""
    assert "Привет" == params.merge(b"", "Data=Привет".encode()).scalar("Data")


@table("query", [b"a=%ff", b"a=\xff"])
def test_broken_utf8_is_replaced(query: bytes) -> None:
    """What is not UTF-8 becomes the replacement character."""
    assert "\ufffd" == params.merge(query, b"").scalar("a")


@table(
    "query, body",
    [
        (b"a" * (bodies.MAX_BYTES + 1), b""),
        (b"", b"a" * (bodies.MAX_BYTES + 1)),
        (b"&" * bodies.MAX_FIELDS, b""),
    ],
)
def test_too_much_is_refused(query: bytes, body: bytes) -> None:
    """A query or body over 1 MiB, and too many parameters, are an invalid argument."""
    with pytest.raises(Refused) as refusal:
        params.merge(query, body)
    assert (2, bodies.TOO_LARGE) == (refusal.value.code, refusal.value.description)


LIST = "DestinationAddresses"


@table(
    "query",
    [
        "DestinationAddresses=1&DestinationAddresses=2&DestinationAddresses=3",
        "DestinationAddresses[0]=1&DestinationAddresses[1]=2&DestinationAddresses[2]=3",
        "DestinationAddresses%5B0%5D=1&DestinationAddresses%5B1%5D=2&DestinationAddresses%5B2%5D=3",
        "destinationaddresses[2]=3&destinationaddresses[0]=1&destinationaddresses[1]=2",
        "DestinationAddresses[]=1&DestinationAddresses[]=2&DestinationAddresses[]=3",
        "DestinationAddresses%5B%5D=1&DESTINATIONADDRESSES[]=2&DestinationAddresses=3",
        "DestinationAddresses=1&DestinationAddresses[0]=2&DestinationAddresses[1]=3",
    ],
)
def test_every_notation_of_a_list(query: str) -> None:
    """Repeated names, PHP's indices and Ruby's brackets are one list, indices in their own order."""
    assert ["1", "2", "3"] == params.merge(query.encode(), b"").all(LIST)


def test_many_indices_keep_their_order() -> None:
    """Indices are numbers: 10 comes after 2."""
    query = "&".join(f"{LIST}[{index}]={index}" for index in reversed(range(300)))
    assert [str(index) for index in range(300)] == params.merge(b"", query.encode()).all(LIST)


@table(
    "query, lacking",
    [("[1]=a", 0), ("[0]=a&DestinationAddresses[2]=c", 1), ("[0]=a&DestinationAddresses[999999999]=c", 1)],
)
def test_a_list_with_a_gap_is_refused(query: str, lacking: int) -> None:
    """What the gateway would drop without a word, the recipients after a gap, is told here."""
    with pytest.raises(Refused, match=rf"destinationaddresses\[{lacking}\] is missing") as refusal:
        params.merge(f"{LIST}{query}".encode(), b"")
    assert 2 == refusal.value.code


@table("name", ["Data[0]", "Data[]", "DestinationAddresses[x]", "DestinationAddresses[0][1]", "[]"])
def test_brackets_make_a_list_of_lists_alone(name: str) -> None:
    """Nothing else has brackets in its name: it is another parameter."""
    arguments = params.merge(f"{name}=x".encode(), b"")
    assert ("", []) == (arguments.scalar("Data"), list(arguments.all(LIST)))


def test_a_body_of_another_type_joins_the_query() -> None:
    """Query and body are one list, whatever the body is."""
    arguments = params.merge(b"DestinationAddresses=1", b'{"DestinationAddresses": ["2"]}', b"application/json")
    assert ["1", "2"] == arguments.all(LIST)


BODIES = {
    b"application/x-www-form-urlencoded": b"Data=a+b%20%D0%B6&DestinationAddresses[0]=1&DestinationAddresses[1]=2",
    b"application/json": '{"Data": "a\\ud83d\\ude00ж", "DestinationAddresses": ["1", 2.5, null], "x": true}'.encode(),
    b"multipart/form-data; boundary=b": (
        b'--b\r\nContent-Disposition: form-data; name="Data"\r\n\r\na b\r\n'
        b'--b\r\nContent-Type: text/plain\r\nContent-Disposition: form-data; name="DestinationAddresses"\r\n\r\n1\r\n'
        b"--b--\r\n"
    ),
}
"""A whole body of each type that one can have."""
PIECES = [
    b"",
    b"&",
    b"=",
    b"%",
    b"%ff",
    b"[",
    b"[]",
    b"]",
    b'"',
    b",",
    b"\\",
    b"\\ud800",
    b"\xff",
    b"\r\n",
    b"--b",
    b"1",
]


def check(arguments: params.Arguments) -> bool:
    """Check that UTF-8 can carry each text, and return whether there are any."""
    texts = [text for name, values in arguments.items() for text in (name, *values)]
    assert "".join(texts).encode().decode() == "".join(texts)
    return bool(texts)


@table("content_type, body", BODIES.items())
def test_a_whole_body_is_read(content_type: bytes, body: bytes) -> None:
    """Each type has its own notation."""
    arguments = params.merge(b"", body, content_type)
    assert check(arguments)
    assert arguments.all(LIST)[:1] == ["1"]
    assert arguments.scalar("Data").startswith("a")


@both_ways(given(data=st.data()))
def test_a_changed_body_is_read_or_refused(data: st.DataObject) -> bool:
    """There are arguments that UTF-8 can carry, or Code 2."""
    content_type, body = data.draw(st.sampled_from(sorted(BODIES.items())))
    try:
        arguments = params.merge(b"", data.draw(changed(body, PIECES)), content_type)
    except Refused as refusal:
        assert 2 == refusal.code  # noqa: PT017 - either end is right
        return False
    return check(arguments)


@settings(max_examples=50)
@given(query=st.binary(max_size=100), body=st.binary(max_size=100), content_type=st.sampled_from(sorted(BODIES)))
def test_any_bytes_are_read_or_refused(query: bytes, body: bytes, content_type: bytes) -> None:
    """Whatever the bytes are."""
    try:
        check(params.merge(query, body, content_type))
    except Refused as refusal:
        assert 2 == refusal.code  # noqa: PT017 - either end is right
