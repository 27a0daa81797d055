"""The inbox: what arrived and what was refused, marks, deleting what fits, files and lines for a shell."""

from __future__ import annotations

import csv
import io
import json
import subprocess
from typing import TYPE_CHECKING, Any

import pytest

from devinotify import Client, exceptions
from devinotify.sandbox import Sandbox
from devinotify.sandbox.emulator import NotFound
from tests.sandbox.conftest import NUMBER, NUMBERS, Api
from tests.sandbox.test_control import ask
from tests.tables import table

if TYPE_CHECKING:
    from pathlib import Path

    from devinotify.sandbox.exports import Download
    from devinotify.sandbox.views import Entry

Document = dict[str, Any]


def entries(api: Api, **filters: object) -> list[Document]:
    """Return the entries of the inbox, newest first."""
    found: list[Document] = ask(api, "GET", "/inbox", **filters)["entries"]
    return found


def keys(api: Api, **filters: object) -> list[str]:
    """Return their keys."""
    return [entry["key"] for entry in entries(api, **filters)]


def test_a_refused_send_is_listed_as_refused(api: Api) -> None:
    """With what it said and why, beside what arrived; it is no message and takes no message's number."""
    api.send(Data="one")
    api.send(Data="two", DestinationAddress="8 (916) 1", SourceAddress="OTHER")
    api.send(Data="three")
    assert [("2", "three", "queued"), ("r1", "two", "refused"), ("1", "one", "queued")] == [
        (entry["key"], entry["text"], entry["status"]) for entry in entries(api)
    ]
    refused = entries(api)[1]
    assert ("8 (916) 1", "OTHER", 2, "Invalid destination address", "0") == tuple(
        refused[name] for name in ("recipient", "sender", "code", "reason", "price")
    )
    assert (2, [1, 2]) == (
        ask(api, "GET", "/messages")["total"],
        sorted(message["number"] for message in ask(api, "GET", "/messages")["messages"]),
    )


@table(
    "resource, given, reason",
    [
        ("Sms/SendBulk", {"DestinationAddresses": [*NUMBERS, "x"]}, "Invalid destination address"),
        ("Viber/Send", {"DestinationAddress": "79000000007"}, "error-address-unknown"),
        ("Sms/Send", {"Data": None}, "Data can not be null or empty Parameter name: data"),
        ("Sms/Send", {"SessionID": "x" * 36}, "Invalid session id"),
    ],
)
def test_each_kind_of_refusal(resource: str, given: Document, reason: str) -> None:
    """Bulk, Viber, what is missing, and a session that is over."""
    api = Api()
    api.send(resource, **given)
    (entry,) = entries(api)
    assert ("refused", reason, resource) == (entry["status"], entry["reason"], entry["operation"])


def test_a_refused_bulk_tells_how_many(api: Api) -> None:
    """The first of them is shown, each of them found."""
    api.send("Sms/SendBulk", DestinationAddresses=[NUMBER, "79031234567", "x"])
    (entry,) = entries(api, search="to:8 903")
    assert (NUMBER, 3) == (entry["recipient"], entry["recipients"])


def test_a_fault_that_answers_is_a_refusal(sandbox: Sandbox) -> None:
    """An error, a status and a page are; a lost answer is none, and neither is what was carried out."""
    with Client(sandbox.url) as client:
        client.user.balance()
        for kind, given in (
            ("error", {"code": 5}),
            ("html", {"status": 502}),
            ("drop", {"accepts": False}),
            ("error", {"code": 8, "accepts": True}),
        ):
            sandbox.add_fault(kind, operation="Sms/Send", times=1, **given)
            with pytest.raises(exceptions.DevinotifyError):
                client.sms.send(NUMBER, "test")
    assert [("queued", ""), ("refused", "HTTP status 502"), ("refused", "Not enough credits")] == [
        (entry.status, entry.reason) for entry in sandbox.inbox()
    ]


def test_other_operations_are_no_messages(api: Api) -> None:
    """A refused read is a request and nothing else; half a character in a text breaks nothing."""
    api.call("GET", "Sms/State", MessageID="")
    api.raw("POST", "/rest/Sms/Send", body="%FF")
    assert ["r1"] == keys(api)


def test_one_of_the_inbox_in_full(api: Api) -> None:
    """A message has its story, a refused send its request."""
    api.send()
    api.send(DestinationAddress="x")
    message, refused = (ask(api, "GET", "/entry", key=key) for key in ("1", "r1"))
    assert (1, 3, None, []) == (
        message["message"]["number"],
        len(message["story"]),
        refused["message"],
        refused["story"],
    )
    assert ([200, 400], [False, False]) == (
        [one["request"]["status"] for one in (message, refused)],
        [one["releasable"] for one in (message, refused)],
    )


@table("key", ["9", "r9", "x", "", "r", "٣"])
def test_what_is_not_there(key: str) -> None:
    """No other key is anybody's."""
    api = Api()
    for method, path in (("GET", "/entry"), ("DELETE", "/inbox"), ("GET", "/curl")):
        with pytest.raises(NotFound):
            ask(api, method, path, key=key)


def test_read_and_unread(api: Api) -> None:
    """What comes is unread; one is marked, or all that fit."""
    for text in ("a", "b", "c"):
        api.send(Data=text)
    api.send(DestinationAddress="x", Data="a")
    ask(api, "POST", "/inbox", key="2", read=True)
    one = (keys(api, search="is:unread"), ask(api, "GET", "/inbox")["unread"])
    assert {"marked": 2} == ask(api, "POST", "/inbox", search="a", read=True)
    assert ((["r1", "3", "1"], 3), ["3"]) == (one, keys(api, search="is:unread"))
    ask(api, "POST", "/inbox", read=False)
    assert 4 == ask(api, "GET", "/inbox")["unread"]


def test_tags(api: Api) -> None:
    """They are set in place of those that were there, listed, and found in any case."""
    api.send()
    api.send(DestinationAddress="x")
    ask(api, "POST", "/inbox", key="1", tags=["Demo", " release ", "Demo"])
    ask(api, "POST", "/inbox", key="r1", tags=["bug"])
    assert (["1"], ["Demo", "bug", "release"], ("Demo", "release")) == (
        keys(api, search="tag:demo"),
        ask(api, "GET", "/inbox")["tags"],
        entries(api, search="tag:release")[0]["tags"],
    )
    for wrong in ([""], ["x" * 31], ["x\ny"], ["x"] * 1 + [str(number) for number in range(10)], "x", [1]):
        with pytest.raises(ValueError, match="tags must"):
            ask(api, "POST", "/inbox", key="1", tags=wrong)
    with pytest.raises(ValueError, match="read or tags is missing"):
        ask(api, "POST", "/inbox", key="1")


def test_what_is_filtered_is_deleted(api: Api) -> None:
    """And nothing else; without a filter all goes, what was refused as well."""
    for text in ("a", "b", "a"):
        api.send(Data=text)
    api.send(DestinationAddress="x", Data="a")
    assert ({"deleted": 3}, ["2"]) == (ask(api, "DELETE", "/inbox", search="a"), keys(api))
    with pytest.raises(ValueError, match="leave the filters out"):
        ask(api, "DELETE", "/inbox", key="2", search="a")
    assert ({"deleted": 1}, []) == (ask(api, "DELETE", "/inbox"), keys(api))


def test_scheduled_messages_say_so(api: Api) -> None:
    """Until their time has come."""
    api.send(SendDate="2026-01-28T13:00:00")
    before = entries(api, search="is:scheduled")
    api.advance(3601)
    assert ((True, "2026-01-28T13:00:00.000Z"), []) == (
        (before[0]["scheduled"], before[0]["send_at"]),
        entries(api, search="is:scheduled"),
    )
    assert [False] == [entry["scheduled"] for entry in entries(api)]


def test_marks_and_refusals_outlive_the_sandbox(tmp_path: Path) -> None:
    """With a file, what was refused, read and tagged is there again, and is deleted from it."""

    def shown(sandbox: Sandbox) -> list[Entry]:
        return sandbox.inbox()

    with Sandbox(db=tmp_path / "inbox.db") as first, Client(first.url) as client:
        client.sms.send(NUMBER, "one")
        with pytest.raises(exceptions.NotEnoughCredits):
            client.sms.send("79000000005", "two")
        first.advance(60)
        first._ask("POST", "/inbox", read=True, tags=["a"])
        before = shown(first)
        request = first._ask("GET", "/entry", key="r1")["request"]
    with Sandbox(db=tmp_path / "inbox.db") as second:
        assert (before, request) == (shown(second), second._ask("GET", "/entry", key="r1")["request"])
        second._ask("DELETE", "/inbox", key="r1")
    with Sandbox(db=tmp_path / "inbox.db") as third:
        assert ["1"] == [entry.key for entry in shown(third)]
        third._ask("DELETE", "/inbox")
    with Sandbox(db=tmp_path / "inbox.db") as last:
        assert [] == shown(last)


# --- files


def test_the_file_of_a_spreadsheet_holds_no_formula(api: Api) -> None:
    """Every cell is defused, what fits is in it, and line breaks stay within their cells."""
    api.send(Data='=HYPERLINK("http://x")\n=1', SourceAddress="=A")
    api.send(Data="other")
    file = ask(api, "GET", "/export.csv", search="HYPERLINK")
    heading, row = csv.reader(io.StringIO(file.content.removeprefix("\ufeff")))
    told = dict(zip(heading, row, strict=True))
    assert ("'=HYPERLINK(\"http://x\")\n'=1", "'=A", "+79161234567", "no") == (
        told["text"],
        told["sender"],
        told["recipient"],
        told["read"],
    )
    assert ("inbox.csv", "text/csv; charset=utf-8") == (file.name, file.media)


def test_the_file_of_json_is_the_inbox(api: Api) -> None:
    """As it is listed."""
    api.send(Data="=1")
    file: Download = ask(api, "GET", "/export.json")
    assert json.loads(json.dumps(entries(api))) == json.loads(file.content)["entries"]


# --- lines for a shell


def curl(sandbox: Sandbox, **given: object) -> str:
    """Return the lines that make a request again."""
    return str(sandbox._ask("GET", "/curl", base=sandbox.gateway, **given)["curl"])


def run(lines: str) -> None:
    """Run them as they stand."""
    subprocess.run(["bash", "-euc", lines], check=True, capture_output=True, timeout=60)


TEXT = 'it\'s "$HOME" & `date`\n100 % + ещё'


@pytest.mark.once
def test_the_lines_send_the_same_again(sandbox: Sandbox) -> None:
    """One SMS, a bulk and Viber: to the same, by the same, with the same text, whatever stands in it."""
    with Client(sandbox.url) as client:
        client.sms.send(NUMBER, TEXT)
        client.viber.send_bulk(NUMBERS, TEXT)
    before = [(one.operation, one.recipient, one.sender, one.text) for one in sandbox.messages()]
    for message in sandbox.messages()[:2]:
        run(curl(sandbox, key=str(message.number)))
    again = [(one.operation, one.recipient, one.sender, one.text) for one in sandbox.messages()][3:]
    assert before == again


@pytest.mark.once
def test_a_request_of_the_log_is_made_again(sandbox: Sandbox) -> None:
    """A read, and a login, by their numbers in the log."""
    with Client(sandbox.url) as client:
        client.user.balance()
    listed = sandbox._ask("GET", "/requests")["requests"]
    for one in listed:
        run(curl(sandbox, request=one["id"]))
    assert {"User/Balance", "User/SessionID"} == {one.operation for one in sandbox.requests()[2:]}


def test_no_password_but_the_published_one_is_in_the_lines(api: Api) -> None:
    """Nor a session's id; where the password is one's own, a placeholder stands for it."""
    api.emulator.shown_password = "PASSWORD"
    session = api.log_in()
    api.send()
    lines = ask(api, "GET", "/curl", key="1")["curl"]
    assert (True, False, False) == ("Password=PASSWORD" in lines, "Password=demo" in lines, session in lines)


@table(
    "given, reason",
    [
        ({}, "key or request is missing"),
        ({"key": "1", "request": 1}, "key or request is missing"),
        ({"key": "1", "base": "$(reboot)"}, "base must be a URL"),
        ({"request": 3}, "not one of the API's"),
        ({"request": 4}, "too long"),
    ],
)
def test_lines_that_cannot_be_made(given: Document, reason: str) -> None:
    """Each says why."""
    api = Api()
    api.log_in()
    api.send()
    api.raw("GET", "/rest/Nothing")
    api.send(Data="x" * 9000)
    with pytest.raises(ValueError, match=reason):
        ask(api, "GET", "/curl", **given)


def test_a_request_that_is_not_there(api: Api) -> None:
    """Is not found."""
    with pytest.raises(NotFound):
        ask(api, "GET", "/curl", request=9)


def test_requests_tell_how_long_they_took(sandbox: Sandbox) -> None:
    """A latency counts, as it does for whoever waits."""
    sandbox.add_fault("latency", seconds=0.3, operation="User/Balance")
    with Client(sandbox.url) as client:
        client.user.balance()
    took = [request.took for request in sandbox.requests()]
    assert [True, True] == [0 < took[0], took[1] >= 0.25]
