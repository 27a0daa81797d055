"""The control API's routes, called without a server."""

from __future__ import annotations

import contextlib
import re
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from devinotify.sandbox import control
from tests.sandbox.conftest import NUMBER, START, Api

Document = dict[str, Any]


def ask(api: Api, method: str, path: str, **arguments: object) -> Any:  # noqa: ANN401 - any JSON document
    """Return a route's answer."""
    return control.answer(api.emulator, control.BY_PATH[f"/sandbox{path}"][method], arguments)


def test_the_docstring_lists_every_route() -> None:
    """The table at the top of the module is the table of routes."""
    rows = re.findall(r"^(GET|POST)\s+(/\S+)", control.__doc__ or "", re.MULTILINE)
    assert [(route.method, route.path) for route in control.ROUTES] == rows


def test_the_index_lists_every_route(api: Api) -> None:
    """The control API says what it offers, and the gateway's 14 operations."""
    index = ask(api, "GET", "")
    assert (len(control.ROUTES), 14) == (len(index["control"]), len(index["operations"]))


def test_messages_show_what_arrived(api: Api) -> None:
    """A message is shown in full, with all that became of it."""
    _, parts = api.send(Data="Привет", DestinationAddress="89161234567")
    api.advance(0.5)
    assert {
        "total": 1,
        "messages": [
            {
                "number": 1,
                "channel": "sms",
                "operation": "Sms/Send",
                "sender": "DEVINO",
                "recipient": "+79161234567",
                "text": "Привет",
                "segments": 1,
                "encoding": "UCS-2",
                "message_ids": tuple(parts),
                "price": "2.50",
                "state": -1,
                "status": "sent",
                "fate": "delivered",
                "created_at": "2026-01-28T12:00:00.000Z",
                "send_at": "2026-01-28T12:00:00.000Z",
                "timeline": (
                    ("2026-01-28T12:00:00.000Z", -2),
                    ("2026-01-28T12:00:00.200Z", -1),
                    ("2026-01-28T12:00:01.000Z", 0),
                ),
                "optional": "",
                "resent_as": None,
                "resent_from": None,
            }
        ],
    } == ask(api, "GET", "/messages")


def test_messages_join_viber_and_its_resend(api: Api) -> None:
    """A failed Viber message and its SMS name one another."""
    api.send("Viber/SendWithResend", DestinationAddress="79000000024")
    api.advance(5)
    sms, viber = ask(api, "GET", "/messages")["messages"]
    assert (2, 1) == (viber["resent_as"], sms["resent_from"])


@pytest.mark.parametrize(
    ("filters", "numbers"),
    [
        ({}, [3, 2, 1]),
        ({"channel": "viber"}, [3]),
        ({"to": "+7 (903)"}, [2]),
        ({"to": "4567"}, [3, 2, 1]),
        ({"sender": "OTHER"}, [2]),
        ({"text": "ПРИВЕТ"}, [1]),
        ({"operation": "Viber/Send"}, [3]),
        ({"status": "delivered"}, [3, 2, 1]),
        ({"status": "sent"}, []),
        ({"limit": "1", "offset": 1}, [2]),
    ],
)
def test_message_filters(api: Api, filters: Document, numbers: list[int]) -> None:
    """Each filter leaves what fits it, newest first."""
    api.send(Data="привет, мир")
    api.send(SourceAddress="OTHER", DestinationAddress="79031234567")
    api.send("Viber/Send")
    api.advance(5)
    assert numbers == [message["number"] for message in ask(api, "GET", "/messages", **filters)["messages"]]


def test_fates_are_listed_and_set(api: Api) -> None:
    """Every fate is listed with its magic number, and what was set is told."""
    ask(api, "POST", "/fates", number="+79161234567", fate="expired")
    listed = ask(api, "GET", "/fates")
    assert {"79161234567": "expired"} == listed["set"]
    assert {"delivered": "+79000000000", "expired": "+79000000046"}.items() <= {
        fate["fate"]: fate["number"] for fate in listed["fates"]
    }.items()
    assert {"set": {}} == ask(api, "POST", "/fates", number=NUMBER, fate=None)


def test_zones_are_set(api: Api) -> None:
    """A number's zone is set and taken back."""
    assert {"set": {NUMBER: "Asia/Omsk"}} == ask(api, "POST", "/zones", number=NUMBER, zone="Asia/Omsk")
    assert {"set": {}} == ask(api, "POST", "/zones", number=NUMBER, zone=None)


def test_the_clock_is_advanced(api: Api) -> None:
    """Advancing tells the new time."""
    assert {"now": "2026-01-28T13:00:00.000Z", "seconds": START.timestamp() + 3600} == ask(
        api, "POST", "/clock", advance=3600
    )


def test_incoming_messages_are_added_and_listed(api: Api) -> None:
    """An added message is listed, newest first, to the account's number unless another is named."""
    ask(api, "POST", "/incoming", text="one", sender="79260000000")
    ask(api, "POST", "/incoming", text="two", sender="79260000000", recipient="1234")
    listed = ask(api, "GET", "/incoming")["incoming"]
    assert [("two", "1234"), ("one", control.DEFAULT_RECIPIENT)] == [
        (message["text"], message["recipient"]) for message in listed
    ]


@pytest.mark.parametrize(("given", "balance"), [("10.50", "10.50"), (7, "7"), (0.1, "0.1"), ("-3", "-3")])
def test_the_balance_is_set(api: Api, given: object, balance: str) -> None:
    """A balance is set from a string or a number, and told as a string."""
    assert {"balance": balance} == ask(api, "POST", "/balance", balance=given)


def test_sessions_are_counted_and_ended(api: Api) -> None:
    """Ending the sessions makes the next call expired."""
    api.log_in()
    before = ask(api, "GET", "/sessions")
    ended = ask(api, "POST", "/sessions", expire=True)
    after = ask(api, "GET", "/sessions")
    assert ({"valid": 1}, {"expired": 1}, {"valid": 0}) == (before, ended, after)
    assert "SessionID expired" == api.send()[1]["Desc"]


def test_requests_are_listed_without_secrets(api: Api) -> None:
    """The last requests are listed newest first, and hold no secret."""
    session = api.log_in()
    api.send()
    listed = ask(api, "GET", "/requests")["requests"]
    assert ["Sms/Send", "User/SessionID"] == [request["operation"] for request in listed]
    assert [False, False] == [secret in repr(listed) for secret in (session, "'demo'")]


def test_reset(api: Api) -> None:
    """A reset empties the list."""
    api.send()
    assert {"reset": True} == ask(api, "POST", "/reset")
    assert 0 == ask(api, "GET", "/messages")["total"]


@pytest.mark.parametrize(
    ("method", "path", "arguments", "reason"),
    [
        ("POST", "/fates", {"number": NUMBER}, "fate is missing"),
        ("POST", "/fates", {"number": 7, "fate": None}, "number must be a string"),
        ("POST", "/fates", {"number": NUMBER, "fate": "eaten"}, "no such fate"),
        ("POST", "/zones", {"number": NUMBER, "zone": "Mars"}, "no such time zone"),
        ("POST", "/clock", {"advance": "1"}, "advance must be a number of seconds"),
        ("POST", "/clock", {"advance": True}, "advance must be a number of seconds"),
        ("POST", "/clock", {"advance": 10**400}, "advance must be a smaller number"),
        ("POST", "/clock", {"advance": -1}, "finite number of seconds"),
        ("POST", "/balance", {"balance": "much"}, "balance must be a number"),
        ("POST", "/balance", {"balance": True}, "balance must be a number"),
        ("POST", "/sessions", {"expire": False}, "expire must be true"),
        ("GET", "/messages", {"limit": "-1"}, "limit must be a whole number"),
        ("GET", "/messages", {"limit": "٣"}, "limit must be a whole number"),
        ("GET", "/messages", {"page": "1"}, "no such argument: 'page'"),
        ("POST", "/reset", {"all": True}, "no such argument: 'all'; there are: none"),
    ],
)
def test_wrong_arguments(api: Api, method: str, path: str, arguments: Document, reason: str) -> None:
    """A wrong argument is refused with its name."""
    with pytest.raises(ValueError, match=re.escape(reason)):
        ask(api, method, path, **arguments)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    st.sampled_from(control.ROUTES),
    st.dictionaries(
        st.sampled_from(["number", "fate", "zone", "advance", "text", "sender", "balance", "limit", "to", "x"]),
        st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=20) | st.just(NUMBER),
    ),
)
def test_rubbish_is_a_value_error(api: Api, route: control.Route, arguments: Document) -> None:
    """Whatever the arguments, a route answers or says what is wrong."""
    with contextlib.suppress(ValueError):
        assert control.answer(api.emulator, route, arguments) is not None
