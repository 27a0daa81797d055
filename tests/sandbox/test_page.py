"""The page at /."""

from __future__ import annotations

from html import unescape
from typing import TYPE_CHECKING

from devinotify.sandbox import page

if TYPE_CHECKING:
    from tests.sandbox.conftest import Api

BASE = "http://127.0.0.1:8026/rest"


def render(api: Api) -> str:
    """Return the page as text."""
    return page.render(api.emulator, BASE, "demo").decode()


def test_an_empty_page_says_how_to_begin(api: Api) -> None:
    """Before anything arrived the page shows the lines that send the first message."""
    shown = unescape(render(api))
    assert "Nothing has arrived yet." in shown
    assert f"curl -s '{BASE}/user/sessionid?login=demo&password=demo'" in shown
    assert f'Client("devino://demo:demo@DEVINO?gateway={BASE}")' in shown


def test_messages_are_shown(api: Api) -> None:
    """What arrived is shown with its text and state."""
    api.send(Data="Привет")
    shown = render(api)
    assert [True, True, True] == [words in shown for words in ("Привет", "+79161234567", "queued (-2)")]


def test_markup_is_shown_and_not_run(api: Api) -> None:
    """A message with a script in it is text."""
    api.send(Data="<script>alert('x')</script>", SourceAddress="<b>&'\"")
    shown = render(api)
    assert [False, False] == [markup in shown for markup in ("<script", "<b>")]
    assert "&lt;script&gt;alert(&#x27;x&#x27;)" in shown


def test_only_the_newest_are_shown(api: Api) -> None:
    """The page shows the newest hundred."""
    api.send("Sms/SendBulk", DestinationAddresses=["79161234567"] * 150)
    assert page.SHOWN + 1 == render(api).count("<tr>")


def test_nothing_may_load_or_run() -> None:
    """The page's policy allows its own style sheet and nothing else."""
    policy = dict(page.HEADERS)[b"content-security-policy"].decode()
    assert policy.startswith("default-src 'none'; style-src 'sha256-")
    assert "script" not in policy
