"""Answers in the gateway's form."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from devinotify.gateway.codes import ERRORS
from devinotify.sandbox import replies
from tests.tables import table


@table("code", ERRORS)
def test_errors_have_the_status_of_the_table(code: int) -> None:
    """Every Code comes with its documented HTTP status, and a body of Code and Desc."""
    reply = replies.error(code, "words")
    assert (ERRORS[code].http_status, {"Code": code, "Desc": "words"}) == (reply.status, json.loads(reply.body))


def test_the_missing_argument_text() -> None:
    """The Desc of a missing argument is the documented one."""
    assert "MessageID can not be null or empty Parameter name: messageid" == replies.missing("MessageID")


def test_dates_are_escaped() -> None:
    """A date is written with escaped slashes, in milliseconds."""
    assert rb'["\/Date(1294045911213)\/"]' == replies.dumps([replies.date(1294045911.213)])


def test_no_date() -> None:
    """No date is null."""
    assert replies.date(None) is None


def test_ids_are_a_list_of_strings() -> None:
    """Ids are quoted, whatever their number."""
    assert b'["1","2"]' == replies.message_ids(["1", "2"]).body


@given(st.recursive(st.text() | st.integers() | st.none(), lambda inner: st.lists(inner, max_size=3), max_leaves=5))
def test_json_survives_the_escaping(value: object) -> None:
    """Escaping slashes changes no value."""
    assert value == json.loads(replies.dumps(value))
