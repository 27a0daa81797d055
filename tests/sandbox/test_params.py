"""Query and body, merged."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devinotify.sandbox import params
from devinotify.sandbox.replies import Refused


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


@pytest.mark.parametrize("query", [b"a=%ff", b"a=\xff"])
def test_broken_utf8_is_replaced(query: bytes) -> None:
    """What is no UTF-8 becomes the replacement character."""
    assert "\ufffd" == params.merge(query, b"").scalar("a")


@pytest.mark.parametrize(
    ("query", "body"),
    [
        (b"a" * (params.MAX_BYTES + 1), b""),
        (b"", b"a" * (params.MAX_BYTES + 1)),
        (b"&" * params.MAX_FIELDS, b""),
    ],
)
def test_too_much_is_refused(query: bytes, body: bytes) -> None:
    """A query or body over 1 MiB, and too many parameters, are an invalid argument."""
    with pytest.raises(Refused) as refusal:
        params.merge(query, body)
    assert (2, params.TOO_LARGE) == (refusal.value.code, refusal.value.description)


@given(st.binary(max_size=200), st.binary(max_size=200))
def test_any_bytes_are_read(query: bytes, body: bytes) -> None:
    """Whatever the bytes, there are arguments, and their text can be encoded again."""
    for _, values in params.merge(query, body).items():  # noqa: PERF102 - it is no dict
        "".join(values).encode()
