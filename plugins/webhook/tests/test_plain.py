"""Texts as programs post them: bodies, forms, queries, and the names of their fields."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from devinotify_webhook import bodies
from devinotify_webhook.errors import NotUnderstood
from devinotify_webhook.plain import Plain, plain
from tests.support import NUMBER, OTHER

FIXTURES = Path(__file__).parent / "fixtures"


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("authentik", Plain("Use this code to authenticate in authentik: 123456", (NUMBER,))),
        ("uptime-kuma", Plain("[Shop] [Down] timeout")),
        ("home-assistant", Plain("The garage is open", (NUMBER,), "Home")),
    ],
)
def test_documented_bodies(name: str, found: Plain) -> None:
    """What authentik, Uptime Kuma and Home Assistant post is understood as it is."""
    assert found == plain(json.loads((FIXTURES / f"{name}.json").read_text("utf-8")), {})


def test_a_form_as_frappe_posts_it() -> None:
    """Names of one's own come before the usual ones."""
    form = bodies.fields(bodies.FORM, f"message=Hi+there&no=%2B{NUMBER[1:]}&to=x".encode(), b"user=frappe")
    assert Plain("Hi there", (NUMBER,)) == plain(form, {"to": "no", "text": "message"})


def test_a_query_as_healthchecks_asks() -> None:
    """A GET has all in its query; commas and several values are several recipients."""
    query = f"text=Backup%20is%20down&to={NUMBER[1:]},{OTHER[1:]}&to=boss".encode()
    assert Plain("Backup is down", (NUMBER[1:], OTHER[1:], "boss")) == plain(bodies.fields("", b"", query), {})


@pytest.mark.parametrize(
    ("fields", "found"),
    [
        ({"TEXT": "a", "text": "b"}, Plain("a")),
        ({"text": " ", "message": "b"}, Plain("b")),
        ({"text": 5, "to": 79161234567}, Plain("5", ("79161234567",))),
        ({"text": "a", "to": [NUMBER, None, {}, NUMBER]}, Plain("a", (NUMBER,))),
        ({"text": "a", "to": f"{NUMBER}; {OTHER},,"}, Plain("a", (NUMBER, OTHER))),
        ({"text": "a", "to": None, "phone": NUMBER, "subject": "s", "key": "k"}, Plain("a", (NUMBER,), "s", "k")),
        ({"text": "\ud83d\ude00 \ud83d"}, Plain("😀 �")),
    ],
)
def test_names_and_values(fields: dict[str, Any], found: Plain) -> None:
    """Names in any case, values of any type; what is empty does not count."""
    assert found == plain(fields, {})


@pytest.mark.parametrize(
    ("names", "said"), [({}, "send it as text or message or msg"), ({"text": "sms"}, "send it as sms$")]
)
def test_no_text(names: dict[str, str], said: str) -> None:
    """It is said under which name a text is looked for."""
    with pytest.raises(NotUnderstood, match=said):
        plain({"txt": "a"}, names)


@pytest.mark.parametrize(
    ("kind", "body", "found"),
    [
        ("application/json", b'{"a": 1}', {"a": 1, "q": "2"}),
        ("application/vnd.x+json; charset=utf-8", b'{"q": 1}', {"q": 1}),
        ("", b' {"a": 1}', {"a": 1, "q": "2"}),
        (bodies.FORM, b'{"a": "1&b=2"}', {"a": "1&b=2", "q": "2"}),  # as curl -d and axios post it
        (bodies.FORM, b"%7Ba%7D=1", {"{a}": "1", "q": "2"}),
        ("text/plain", b"a=1&a=2&a=3", {"a": ["1", "2", "3"], "q": "2"}),
        ("application/octet-stream", b"  ", {"q": "2"}),
    ],
)
def test_kinds_of_bodies(kind: str, body: bytes, found: dict[str, Any]) -> None:
    """JSON, a form, or nothing; what the body says counts before the query."""
    assert found == bodies.fields(kind, body, b"q=2")


@pytest.mark.parametrize(
    ("kind", "body", "said"),
    [
        ("application/json", b"{", "is not JSON$"),
        ("application/json", b'{"a": NaN}', "is not JSON$"),
        ("application/json", b"[1]", "is not a JSON object"),
        ("application/json", b'{"a": ' + b"[" * 100_000, "is not JSON$"),
        ("application/json", b'{"a": ' + b"9" * 10_000 + b"}", "is not JSON$"),
        ("application/json", b'{"a": "\xff"}', "is not JSON$"),
        (bodies.FORM, b"a=%ff", "is not UTF-8"),
        (bodies.FORM, b"\xff=1", "is not UTF-8"),
        (bodies.FORM, b"&".join(b"a%d=1" % n for n in range(1001)), "has more than 1000 fields"),
        ("multipart/form-data", b"--x", "neither JSON nor a form"),
    ],
)
def test_what_is_no_body(kind: str, body: bytes, said: str) -> None:
    """Each is refused with a reason that shows nothing of it."""
    with pytest.raises(NotUnderstood, match=said):
        bodies.fields(kind, body, b"")


def test_odd_numbers() -> None:
    """A number that Python does not write is no text."""
    assert ("", "1.5", "true", "") == tuple(bodies.text_of(value) for value in (10**5000, 1.5, True, None))
