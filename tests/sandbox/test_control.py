"""The control API's routes, called without a server."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devinotify.sandbox import control
from devinotify.sandbox import fates as steps
from devinotify.sandbox.emulator import NotFound
from devinotify.sandbox.exports import Download
from devinotify.sandbox.faults import Fault
from devinotify.sandbox.settings import Settings
from tests.laws import both_ways
from tests.sandbox.conftest import NUMBER, START, Api
from tests.tables import table

Document = dict[str, Any]


def ask(api: Api, method: str, path: str, **arguments: object) -> Any:  # noqa: ANN401 - any JSON document
    """Return a route's answer."""
    return control.answer(api.emulator, control.BY_PATH[f"/sandbox{path}"][method], arguments)


def test_the_docstring_lists_every_route() -> None:
    """The table at the top of the module is the table of routes."""
    rows = re.findall(r"^(GET|POST|DELETE)\s+(/\S+)", control.__doc__ or "", re.MULTILINE)
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


@table(
    "filters, numbers",
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
def test_message_filters(filters: Document, numbers: list[int]) -> None:
    """Each filter leaves what fits it, newest first."""
    api = Api()
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
    assert {
        "now": "2026-01-28T13:00:00.000Z",
        "seconds": START.timestamp() + 3600,
        "advanced": 3600.0,
        "running": False,
    } == ask(api, "POST", "/clock", advance=3600)


def test_incoming_messages_are_added_and_listed(api: Api) -> None:
    """An added message is listed, newest first, to the account's number unless another is named."""
    ask(api, "POST", "/incoming", text="one", sender="79260000000")
    ask(api, "POST", "/incoming", text="two", sender="79260000000", recipient="1234")
    listed = ask(api, "GET", "/incoming")["incoming"]
    assert [("two", "1234"), ("one", control.DEFAULT_RECIPIENT)] == [
        (message["text"], message["recipient"]) for message in listed
    ]


@table("given, balance", [("10.50", "10.50"), (7, "7"), (0.1, "0.1"), (0, "0")])
def test_the_balance_is_set(given: object, balance: str) -> None:
    """A balance is set from a string or a number, and told as a string."""
    api = Api()
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


def test_one_message_in_full(api: Api) -> None:
    """One message is shown with its segments, its blockers, its story and its request; places count UTF-16."""
    api.send(Data="😀" + "a" * 75 + "—")
    shown = ask(api, "GET", "/message", number=1)
    assert ([(0, 67), (67, 78)], 2) == (
        [(part["start"], part["end"]) for part in shown["anatomy"]["segments"]],
        shown["message"]["segments"],
    )
    assert [(0, "😀", "GRINNING FACE"), (77, "—", "EM DASH")] == [
        (blocker["position"], blocker["character"], blocker["name"]) for blocker in shown["anatomy"]["blockers"]
    ]
    assert [("queued", True), ("sent", False), ("delivered", False)] == [
        (step["status"], step["reached"]) for step in shown["story"]
    ]
    assert "SessionID=***" in shown["request"]["raw"]
    assert ("Sms/Send", 200) == (shown["request"]["operation"], shown["request"]["status"])


def test_a_resent_sms_shows_the_request_of_its_viber(api: Api) -> None:
    """What the platform sent by itself came of the Viber message's request."""
    api.send("Viber/SendWithResend", DestinationAddress="79000000024")
    api.advance(5)
    assert ["Viber/SendWithResend"] * 2 == [
        ask(api, "GET", "/message", number=number)["request"]["operation"] for number in (1, 2)
    ]


@table(
    "method, path, arguments",
    [
        ("GET", "/message", {"number": 9}),
        ("POST", "/messages", {"number": 9, "fate": "expired"}),
        ("DELETE", "/messages", {"number": 9}),
        ("DELETE", "/faults", {"id": 9}),
    ],
)
def test_nothing_has_the_number(method: str, path: str, arguments: Document) -> None:
    """What has no such number is not found."""
    api = Api()
    with pytest.raises(NotFound):
        ask(api, method, path, **arguments)


@table(
    "resource, fate, states",
    [
        ("Sms/Send", "delivered", [-2, 0]),
        ("Sms/Send", "expired", [-2, 46]),
        ("Sms/Send", "rejected", [-2, 69]),
        ("Viber/Send", "not-a-viber-user", [0, 4]),
        ("Viber/Send", "read", [0, 2, 3]),
        ("Sms/Send", "queued", [-2]),
    ],
)
def test_a_fate_is_forced(resource: str, fate: str, states: list[int]) -> None:
    """A forced fate comes true at once, and is what the gateway answers."""
    api = Api()
    api.send(resource)
    api.emulator.set_timeline("delivered", ((steps.TimelineStep(9, 0)),), None)
    forced = ask(api, "POST", "/messages", number=1, fate=fate)
    skipped = {-1, 1}
    assert (states, fate) == ([state for _, state in forced["timeline"] if state not in skipped], forced["fate"])
    assert states[-1] == api.state(forced["message_ids"][0], resource.partition("/")[0])["State"]


def test_a_fate_that_is_forced_may_lead_to_a_resend(api: Api) -> None:
    """A Viber message that is made to fail is resent; one that is made to succeed is not."""
    for _ in range(2):
        api.send("Viber/SendWithResend", DestinationAddress="79000000024")
    ask(api, "POST", "/messages", number=1, fate="delivered")
    ask(api, "POST", "/messages", number=2, fate="not-a-viber-user")
    api.advance(60)
    assert [("sms", 2), ("viber", None), ("viber", None)] == [
        (message["channel"], message["resent_from"]) for message in ask(api, "GET", "/messages")["messages"]
    ]


def test_a_refusal_cannot_be_forced(api: Api) -> None:
    """A message that was accepted cannot be refused any more."""
    api.send()
    with pytest.raises(ValueError, match="can be refused no more"):
        ask(api, "POST", "/messages", number=1, fate="no-credits")


def test_messages_are_deleted(api: Api) -> None:
    """One goes by its number, then all; what was to be resent is not."""
    for _ in range(3):
        api.send("Viber/SendWithResend", DestinationAddress="79000000024")
    assert {"deleted": 1} == ask(api, "DELETE", "/messages", number="2")
    assert [3, 1] == [message["number"] for message in ask(api, "GET", "/messages")["messages"]]
    assert {"deleted": 2} == ask(api, "DELETE", "/messages")
    api.advance(60)
    assert 0 == ask(api, "GET", "/messages")["total"]


def test_statistics(api: Api) -> None:
    """Messages are counted by status and channel, with segments, money and senders."""
    api.send(Data="я" * 71)
    api.send("Viber/Send", SourceAddress="OTHER")
    api.advance(5)
    counted = ask(api, "GET", "/statistics")
    assert {
        "total": 2,
        "status": {"delivered": 2},
        "channel": {"sms": 1, "viber": 1},
        "segments": 3,
        "spent": "6.50",
        "balance": "993.50",
        "sessions": 1,
        "incoming": 0,
        "faults": 0,
        "senders": ["DEVINO", "OTHER"],
        "posted": None,
        "now": "2026-01-28T12:00:05.000Z",
    } == counted


def test_a_timeline_is_set(api: Api) -> None:
    """A fate's timeline is changed for what is sent from then on, and taken back."""
    ask(api, "POST", "/timelines", fate="delivered", sms=[[1, -1], [30, 0]])
    _, (part,) = api.send()
    api.advance(29)
    before = api.state(part)["State"]
    api.advance(1)
    assert (-1, 0) == (before, api.state(part)["State"])
    ask(api, "POST", "/timelines", fate="delivered")
    _, (part,) = api.send()
    api.advance(1)
    assert 0 == api.state(part)["State"]


def test_a_fate_of_ones_own(api: Api) -> None:
    """A new fate has its timeline, can be given to a number, and is gone with it."""
    ask(api, "POST", "/timelines", fate="my-own", sms=[[3, 47]], viber=[[3, 6]])
    ask(api, "POST", "/fates", number=NUMBER, fate="my-own")
    _, (part,) = api.send()
    api.advance(3)
    assert 47 == api.state(part)["State"]
    listed = next(fate for fate in ask(api, "GET", "/fates")["fates"] if fate["fate"] == "my-own")
    assert (None, [[3.0, 47]], True) == (listed["number"], listed["sms"], listed["changed"])
    ask(api, "POST", "/timelines", fate="my-own", sms=None, viber=None)
    assert {} == ask(api, "GET", "/fates")["set"]


def test_timelines_are_capped() -> None:
    """There is an end to how many are set."""
    api = Api(settings=Settings(most_timelines=1))
    ask(api, "POST", "/timelines", fate="one", sms=[])
    with pytest.raises(ValueError, match="reset first"):
        ask(api, "POST", "/timelines", fate="two", sms=[])


@table("search, numbers", [("6123", [2, 1]), ("+7 (903)", [3]), ("МИР", [1]), ("20", [2]), ("", [3, 2, 1]), ("-", [2])])
def test_search(search: str, numbers: list[int]) -> None:
    """One field finds a part of a number or of a text."""
    api = Api()
    api.send(Data="привет, мир")
    api.send(Data="20-30")
    api.send(DestinationAddress="79031234567")
    assert numbers == [message["number"] for message in ask(api, "GET", "/messages", search=search)["messages"]]


def test_pages(api: Api) -> None:
    """A page tells the total of what fits."""
    for number in range(5):
        api.send(Data=f"{number % 2}")
    found = ask(api, "GET", "/messages", text="0", offset="1", limit="1")
    assert (3, [3]) == (found["total"], [message["number"] for message in found["messages"]])
    assert (5, []) == (
        ask(api, "GET", "/messages", offset="9")["total"],
        ask(api, "GET", "/messages", offset="9")["messages"],
    )


def test_incoming_messages_of_one_number(api: Api) -> None:
    """Incoming messages are listed by where they came from."""
    ask(api, "POST", "/incoming", text="one", sender="+79260000000")
    ask(api, "POST", "/incoming", text="two", sender="79260000001")
    listed = ask(api, "GET", "/incoming", sender="+79260000000")
    assert (1, ["one"]) == (listed["total"], [message["text"] for message in listed["incoming"]])


@table(
    "method, path, arguments, reason",
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
        ("POST", "/balance", {"balance": None}, "balance must be a number"),
        ("POST", "/balance", {"balance": -1}, "balance must be a number from 0 to 10^15"),
        ("POST", "/balance", {"balance": "-0.01"}, "balance must be a number from 0 to 10^15"),
        ("POST", "/sessions", {"expire": False}, "expire must be true"),
        ("POST", "/timelines", {"fate": "A B"}, "fate must have 1 to 40"),
        ("POST", "/timelines", {"fate": "a", "sms": [[1]]}, "sms must be a list of pairs"),
        ("POST", "/timelines", {"fate": "a", "sms": [[1, 0.5]]}, "sms must be a whole number"),
        ("POST", "/timelines", {"fate": "a", "sms": [[1, 12345]]}, "sms must name states of the table: -98,"),
        ("POST", "/timelines", {"fate": "a", "viber": [[2, 1], [1, 2]]}, "viber must have seconds"),
        ("POST", "/timelines", {"fate": "a", "viber": [[1, 1]] * 51}, "viber must have at most 50 steps"),
        ("POST", "/faults", {"kind": "drop", "operation": "Sms/Fly"}, "operation must be * or one of"),
        ("POST", "/faults", {"kind": "fire"}, "kind must be one of: latency"),
        ("POST", "/faults", {"kind": "drop", "accepts": 1}, "accepts must be true or false"),
        ("POST", "/faults", {"kind": "drop", "number": "x"}, "number"),
        ("POST", "/messages", {"number": 1.5, "fate": "x"}, "number must be a whole number"),
        ("GET", "/messages", {"limit": "-1"}, "limit must be a whole number"),
        ("GET", "/messages", {"limit": "٣"}, "limit must be a whole number"),
        ("GET", "/messages", {"page": "1"}, "no such argument: 'page'"),
        ("POST", "/reset", {"all": True}, "no such argument: 'all'; there are: none"),
    ],
)
def test_wrong_arguments(method: str, path: str, arguments: Document, reason: str) -> None:
    """A wrong argument is refused with its name."""
    api = Api()
    with pytest.raises(ValueError, match=re.escape(reason)):
        ask(api, method, path, **arguments)


_FOUND = {
    "search": "to:916 -Hi",
    "channel": "sms",
    "to": "916",
    "sender": "DEVINO",
    "text": "test",
    "status": "sent",
    "operation": "Sms/Send",
}
_PAGE = {"limit": "5", "offset": "0"}
ASKED: list[tuple[str, str, Document]] = [
    ("GET", "", {}),
    ("GET", "/messages", {**_FOUND, **_PAGE}),
    ("POST", "/messages", {"number": 1, "fate": "expired"}),
    ("DELETE", "/messages", {"number": "1"}),
    ("GET", "/message", {"number": "1"}),
    ("GET", "/inbox", {**_FOUND, **_PAGE}),
    ("POST", "/inbox", {**_FOUND, "read": True, "tags": ["A"]}),
    ("DELETE", "/inbox", _FOUND),
    ("GET", "/entry", {"key": "1"}),
    ("GET", "/export.json", _FOUND),
    ("GET", "/export.csv", _FOUND),
    ("GET", "/curl", {"key": "1", "base": "http://127.0.0.1:8026/rest"}),
    ("GET", "/statistics", {}),
    ("GET", "/fates", {}),
    ("POST", "/fates", {"number": NUMBER, "fate": "expired"}),
    ("POST", "/timelines", {"fate": "slow", "sms": [[5, -1], [60, 0]], "viber": None}),
    ("POST", "/zones", {"number": NUMBER, "zone": "Asia/Vladivostok"}),
    ("GET", "/answers", {}),
    ("POST", "/answers", {"number": "*", "text": "STOP"}),
    ("GET", "/faults", {}),
    (
        "POST",
        "/faults",
        {"kind": "rate", "operation": "*", "number": "*", "probability": 0.5, "seed": 7, "times": 2, "lasts": 60.5}
        | {"seconds": None, "code": None, "status": 429, "limit": 3, "accepts": False},
    ),
    ("DELETE", "/faults", {"id": "1"}),
    ("GET", "/clock", {}),
    ("POST", "/clock", {"advance": 7200}),
    ("GET", "/incoming", {"sender": NUMBER, **_PAGE}),
    ("POST", "/incoming", {"text": "Hi", "sender": NUMBER, "recipient": NUMBER}),
    ("GET", "/balance", {}),
    ("POST", "/balance", {"balance": "10.50"}),
    ("GET", "/sessions", {}),
    ("POST", "/sessions", {"expire": True}),
    ("GET", "/requests", _PAGE),
    ("POST", "/reset", {}),
]
"""A valid request to each route, but to the one that talks to somebody, with each of its arguments."""


def answer_of(method: str, path: str, arguments: Document) -> Any:  # noqa: ANN401 - any JSON document
    """Return the answer of a sandbox that something has arrived at, and where a fault is armed."""
    api = Api()
    api.send()
    api.emulator.add_fault(Fault("drop"))
    return ask(api, method, path, **arguments)


def written(answer: object) -> str:
    """Return what goes out for an answer; raises ValueError where JSON has no way to write it."""
    return answer.content if isinstance(answer, Download) else json.dumps(answer, allow_nan=False)


def test_what_each_route_is_asked() -> None:
    """All of it is answered, and no route or argument is left out."""
    known = {(route.method, f"{route.path}"): {each.name for each in route.arguments} for route in control.ROUTES}
    del known["POST", "/sandbox/release"]
    for method, path in [("POST", "/sandbox/inbox"), ("DELETE", "/sandbox/inbox")]:
        known[method, path].remove("key")  # it stands in the others' place
    known["GET", "/sandbox/curl"].remove("request")  # and this one in that of a key
    assert known == {(method, f"/sandbox{path}"): set(arguments) for method, path, arguments in ASKED}
    assert all(written(answer_of(*asked)) for asked in ASKED)


_TEXTS: list[object] = ["", "x", "*", "0", "1", "2", "sms", "-1", "٣", "\ud800", "+", NUMBER, "expired", "1e400"]
_NUMBERS: list[object] = [0, 1, 2.0, 0.25, 3, 429, -1, 1.5, 10**9, 10**400, 1e300, float("nan"), float("inf")]
_ODD: list[object] = [None, True, False, [], [1], {}, *_TEXTS, *_NUMBERS]


@both_ways(given(data=st.data()))
def test_a_changed_argument_is_taken_or_told(data: st.DataObject) -> bool:
    """Whatever one of them is, a route answers or says what is wrong."""
    method, path, arguments = data.draw(st.sampled_from([asked for asked in ASKED if asked[2]]))
    name = data.draw(st.sampled_from([*arguments, "x"]))
    likely = {str: _TEXTS, int: _NUMBERS, float: _NUMBERS}.get(type(arguments.get(name)), _ODD)
    value = data.draw(st.sampled_from([*likely * 3, *_ODD]))
    try:
        answer = answer_of(method, path, {**arguments, name: value})
    except (ValueError, NotFound) as wrong:
        assert str(wrong)  # noqa: PT017 - either end is right
        return False
    assert written(answer)
    return True
