"""The token: who is let in, and how browsers keep it."""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING

import pytest
import requests
from starlette.requests import HTTPConnection

from devinotify.sandbox import Sandbox, access
from devinotify.sandbox.access import Access
from devinotify.sandbox.hosts import TOKEN_MISSING
from tests.tables import table

if TYPE_CHECKING:
    from collections.abc import Iterator

TOKEN = "correct-horse-battery"
PATHS = ["/sandbox/messages", "/sandbox/events", "/sandbox/examples", "/openapi.json"]


@pytest.fixture(scope="module")
def guarded() -> Iterator[Sandbox]:
    """Give a running sandbox that asks for a token."""
    with Sandbox(host="0.0.0.0", token=TOKEN, allow_remote=True) as sandbox:  # noqa: S104 - what is guarded
        yield sandbox


@pytest.fixture
def browser() -> Iterator[requests.Session]:
    """Give a session that keeps cookies and heeds no proxy."""
    with requests.Session() as session:
        session.trust_env = False
        yield session


def address(sandbox: Sandbox) -> str:
    """Return an origin by which the sandbox is reached here."""
    return f"http://127.0.0.1:{sandbox.port}"


@pytest.mark.parametrize("path", PATHS)
def test_nobody_gets_in_without_the_token(guarded: Sandbox, browser: requests.Session, path: str) -> None:
    """Without a token, or with a wrong one, there is a 401 that says what to send."""
    for headers in ({}, {"Authorization": "Bearer wrong"}, {"Authorization": f"Basic {TOKEN}"}, {"Cookie": "a=b"}):
        reply = browser.get(address(guarded) + path, headers=headers, timeout=60)
        assert (401, "Bearer") == (reply.status_code, reply.headers["WWW-Authenticate"])


@pytest.mark.parametrize("path", ["/sandbox/messages", "/sandbox/examples", "/openapi.json"])
def test_programs_show_the_token(guarded: Sandbox, browser: requests.Session, path: str) -> None:
    """A program sends the token with each request; any host name will do."""
    headers = {"Authorization": f"Bearer {TOKEN}", "Host": "sandbox.example:8026"}
    assert 200 == browser.get(address(guarded) + path, headers=headers, timeout=60).status_code


def test_another_origin_may_not(guarded: Sandbox, browser: requests.Session) -> None:
    """A page of another site has no say, with the token or without."""
    headers = {"Authorization": f"Bearer {TOKEN}", "Origin": "http://evil.example"}
    for path in ("/sandbox/messages", "/"):
        assert 403 == browser.get(address(guarded) + path, headers=headers, timeout=60).status_code
    assert 403 == browser.post(f"{address(guarded)}/login", headers=headers, timeout=60).status_code


def test_a_browser_signs_in_once(guarded: Sandbox, browser: requests.Session) -> None:
    """The page asks for the token, and its cookie lets the browser in; the cookie is not the token."""
    origin = address(guarded)
    assert "The token" in browser.get(origin, timeout=60).text
    reply = browser.post(f"{origin}/login", data={"token": TOKEN}, allow_redirects=False, timeout=60)
    cookie = reply.headers["Set-Cookie"]
    assert (303, "/", False) == (reply.status_code, reply.headers["Location"], TOKEN in cookie)
    assert [True, True] == [words in cookie for words in ("HttpOnly", "SameSite=strict")]
    assert 200 == browser.get(f"{origin}/sandbox/messages", timeout=60).status_code
    assert "The token" not in browser.get(origin, timeout=60).text


def test_a_wrong_token_signs_nobody_in(guarded: Sandbox, browser: requests.Session) -> None:
    """A wrong token leads back to the form."""
    reply = browser.post(f"{address(guarded)}/login", data={"token": "wrong"}, allow_redirects=False, timeout=60)
    assert (303, "/?wrong", {}) == (reply.status_code, reply.headers["Location"], browser.cookies.get_dict())


def test_the_gateway_asks_for_its_own_login(guarded: Sandbox, browser: requests.Session) -> None:
    """Clients of the gateway know nothing of the token."""
    reply = browser.get(f"{address(guarded)}/rest/user/sessionid?login=demo&password=demo", timeout=60)
    assert 200 == reply.status_code


def test_the_description_names_the_token(guarded: Sandbox, browser: requests.Session) -> None:
    """The description says how the token is sent."""
    headers = {"Authorization": f"Bearer {TOKEN}"}
    document = browser.get(f"{address(guarded)}/openapi.json", headers=headers, timeout=60).json()
    assert [{"token": []}] == document["security"]


def connection(**headers: str) -> HTTPConnection:
    """Return a request's head."""
    pairs = [(name.encode(), value.encode()) for name, value in headers.items()]
    return HTTPConnection({"type": "http", "headers": pairs})


def test_a_visit_ends() -> None:
    """A cookie is good for twelve hours; one that cannot be read is none."""
    rules = Access(TOKEN)
    head = connection(cookie=f"{access.COOKIE}={rules.sign_in(0.0)}")
    assert [True, False] == [rules.admits(head, now) for now in (access.VISIT - 1, access.VISIT)]
    assert not rules.admits(connection(cookie="a[]=b; \x00=1"), 0.0)


def test_visitors_are_capped() -> None:
    """The oldest visitor goes where there are too many."""
    rules = Access(TOKEN, most_visitors=1)
    first, second = rules.sign_in(0.0), rules.sign_in(0.0)
    assert [False, True] == [rules.admits(connection(cookie=f"{access.COOKIE}={one}"), 1.0) for one in (first, second)]


def test_neither_is_kept_in_clear() -> None:
    """What an Access holds shows neither token nor cookie."""
    rules = Access(TOKEN)
    cookie = rules.sign_in(time.monotonic())
    assert [False, False] == [secret in repr(vars(rules)) for secret in (TOKEN, cookie)]


@table("token", ["short", "ключ-ключ-ключ-ключ", "a token with spaces", "a" * 257])
def test_tokens_that_are_none(token: str) -> None:
    """A token must be long enough, and fit into a header."""
    with pytest.raises(ValueError, match="the token must have 16 to 256"):
        Sandbox(token=token)


def test_another_address_needs_both() -> None:
    """Leave alone is not enough for another address than loopback."""
    with pytest.raises(ValueError, match=re.escape(TOKEN_MISSING)):
        Sandbox(host="0.0.0.0", allow_remote=True)  # noqa: S104 - what is refused
