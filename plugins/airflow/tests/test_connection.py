"""Connections as Airflow reads them, from a URI or the form, and the URL that each of them is."""

from __future__ import annotations

import asyncio
import json
import traceback
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from airflow.providers.common.compat.sdk import redact
from devinotify import DevinoURL, InvalidURL

from devinotify_airflow import DevinoHook
from devinotify_airflow.connection import secrets_of, url_of
from devinotify_airflow.provider import FIELDS
from tests.conftest import CONNECTION, PASSWORD

if TYPE_CHECKING:
    from collections.abc import Callable


def stored(extra: object = None, /, **parts: Any) -> Any:
    """Return a connection as the form stores it."""
    given = {"login": "login", "password": PASSWORD, "host": "SENDER", "schema": None}
    return SimpleNamespace(**{**given, "extra": None if extra is None else json.dumps(extra), **parts})


def test_by_uri(monkeypatch: pytest.MonkeyPatch) -> None:
    """A connection URI is devinotify's URL; the sender is in the query, where its letters stay as they are."""
    uri = f"devino://log%2Fin:{PASSWORD}@/+79161234567/79031234567?from=SENDER&channel=sms-viber&to=oncall&validity=60"
    monkeypatch.setenv(CONNECTION, uri)
    assert DevinoURL.parse(uri) == DevinoHook().get_url()


def test_by_json(monkeypatch: pytest.MonkeyPatch) -> None:
    """A connection in JSON is the same, with the sender as its host."""
    monkeypatch.setenv(CONNECTION, json.dumps({"conn_type": "devino", **vars(stored({"to": "oncall"}))}))
    url = DevinoHook().get_url()
    assert ("login", PASSWORD, "SENDER", ("oncall",)) == (url.login, url.password, url.sender, url.targets)


def test_by_form() -> None:
    """What the form stores: texts, numbers, switches, and nothing where a field was left empty."""
    extra = {"to": "+79161234567, oncall", "channel": "", "region": None, "timeout": 5, "transliterate": True}
    url = url_of(stored(extra))
    assert (("+79161234567", "oncall"), "sms", "RU", 5.0, True) == (
        url.targets,
        url.channel,
        url.region,
        url.timeout,
        url.transliterate,
    )


def test_recipients_in_a_list() -> None:
    """JSON has lists, and a switch may be off."""
    url = url_of(stored({"to": ["+79161234567", "oncall"], "transliterate": False}))
    assert (("+79161234567", "oncall"), False) == (url.targets, url.transliterate)


def test_any_field_of_the_form_is_a_key_of_the_url() -> None:
    """What the form asks for is taken."""
    values = {"to": "oncall", "channel": "viber", "region": "KZ", "outbox": "sms.db", "gateway": "https://example.com"}
    assert set(FIELDS) == set(values)
    url = url_of(stored(values))
    assert ("viber", "KZ", "sms.db", "https://example.com") == (url.channel, url.region, url.outbox, url.gateway)


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (stored({"chanel": "sms"}), "did you mean channel?"),
        (stored({"channel": {"sms": 1}}), "a value for channel"),
        (stored(["sms"]), "is to be a JSON object"),
        (stored(extra="{"), "is to be a JSON object"),
        (stored(host=None), "the sender is missing"),
        (stored(login=None), "the login is missing"),
        (stored(password=None), "the password is missing"),
        (stored({"a b&c": "d"}), "unknown key"),
    ],
)
def test_what_is_wrong_is_named(given: Any, told: str) -> None:
    """A mistake is told without the password, in the frames as well."""
    with pytest.raises(InvalidURL, match=told) as caught:
        url_of(given)
    shown = "".join(traceback.TracebackException.from_exception(caught.value, capture_locals=True).format())
    assert PASSWORD not in shown.replace(repr(given), "")


@pytest.mark.parametrize(
    ("outbox", "secrets"),
    [
        (None, set()),
        ("/var/lib/sms.db", set()),
        ("~/a:b@c.db", set()),
        ("postgresql://db/sms", set()),
        ("postgresql://sms@db/sms", set()),
        ("postgresql://sms:one-word@db/sms?schema=a:b@c", {"one-word"}),
        ("postgresql://sms:o%40ne@db/sms", {"o@ne", "o%40ne"}),
        ("postgresql://sms:o@ne@db", {"o@ne", "o%40ne"}),
        ("postgres:///sms?user=sms&password=o%2Fne&sslpassword=two", {"o/ne", "o%2Fne", "two"}),
    ],
)
def test_the_passwords_of_an_outbox(outbox: str | None, secrets: set[str]) -> None:
    """A database's URL may hold a password, before its host or in its query."""
    assert secrets == secrets_of(outbox)


def read(hook: DevinoHook) -> None:
    """Read a connection as a task does."""
    hook.get_url()


def awaited(hook: DevinoHook) -> None:
    """Read a connection as the triggerer does."""
    asyncio.run(hook.aget_url())


@pytest.mark.parametrize("way", [read, awaited])
@pytest.mark.parametrize("place", ["extra", "variable"])
def test_the_password_of_an_outbox_is_masked(
    monkeypatch: pytest.MonkeyPatch, way: Callable[[DevinoHook], None], place: str
) -> None:
    """Once the connection is read Airflow masks it in whatever it logs, wherever the outbox is named."""
    secret = f"{way.__name__}-{place}-of-the-outbox"
    outbox = f"postgresql://sms:{secret}%2F@db/sms"
    extra = {"outbox": outbox} if place == "extra" else {}
    monkeypatch.setenv("DEVINOTIFY_OUTBOX", outbox if place == "variable" else "sms.db")
    monkeypatch.setenv(CONNECTION, json.dumps({"conn_type": "devino", **vars(stored(extra))}))
    shown = f"{outbox} {secret}/"
    assert shown == redact(shown)
    way(DevinoHook())
    assert "postgresql://sms:***@db/sms ***" == redact(shown)
