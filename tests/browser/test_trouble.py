"""What the inbox does when the sandbox is away, comes back as another, or another window has been faster."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from devinotify import Client
from devinotify.sandbox import Sandbox
from tests.browser.conftest import show
from tests.browser.test_inbox import NUMBER, ROWS, wait_for_rows, wait_for_texts

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser, BrowserContext, Page

TOKEN = "t" * 20


@pytest.fixture
def window(browser: Browser) -> Iterator[BrowserContext]:
    """Give a window whose console may say that something failed."""
    with browser.new_context(viewport={"width": 1280, "height": 800}) as opened:
        yield opened


def opened(window: BrowserContext, sandbox: Sandbox, view: str = "messages/1") -> Page:
    """Return a page that shows a message."""
    page = window.new_page()
    show(page, sandbox, view)
    return page


def test_another_window_deletes_what_is_open(window: BrowserContext, sandbox: Sandbox, client: Client) -> None:
    """That is told, and the list is shown."""
    client.sms.send(NUMBER, "one")
    client.sms.send(NUMBER, "two")
    reader, other = opened(window, sandbox), opened(window, sandbox)
    other.locator(".detail").get_by_role("button", name="Delete").click()
    reader.locator(".toast", has_text="The message that was open is gone").wait_for()
    wait_for_texts(reader, ["two"])
    reader.wait_for_url("**/#/messages")
    reader.locator(".detail").wait_for(state="hidden")  # a moment after the address
    assert 0 == other.locator(".toast", has_text="is gone").count()


def test_a_failure_closes_no_message(window: BrowserContext, sandbox: Sandbox, client: Client) -> None:
    """Only one that is not there any more is closed."""
    client.sms.send(NUMBER, "one")
    page = opened(window, sandbox)
    page.route("**/sandbox/entry?*", lambda route: route.fulfill(status=502, body="<html>"))
    client.sms.send(NUMBER, "two")
    page.locator(".toast.bad", has_text="cannot be read (status 502)").first.wait_for()
    page.unroute("**/sandbox/entry?*")
    client.sms.send(NUMBER, "three")
    wait_for_rows(page, 3)
    assert (True, True) == (page.url.endswith("#/messages/1"), page.locator(".detail").is_visible())


def test_the_sandbox_is_away_and_comes_back(window: BrowserContext) -> None:
    """A press says that it does not answer; what is typed stays, and what arrived meanwhile is shown."""
    with Sandbox() as first, Client(first.url) as client:
        client.sms.send(NUMBER, "one")
        page = opened(window, first, "messages")
        wait_for_rows(page, 1)
        page.locator(ROWS).click()
        page.get_by_label("Reply as").fill("typed")
        port = first.port
    page.locator("#live[data-state=lost]").wait_for()
    page.get_by_role("button", name="Expired").click()
    page.locator(".toast.bad", has_text="The sandbox does not answer").wait_for()
    assert ("typed", 1) == (page.get_by_label("Reply as").input_value(), page.locator(ROWS).count())
    with Sandbox(port=port) as second, Client(second.url) as client:
        for text in ("two", "three"):
            client.sms.send(NUMBER, text)
        page.locator("#live[data-state=live]").wait_for()
        wait_for_texts(page, ["three", "two"])


def test_the_sandbox_comes_back_with_a_token(window: BrowserContext) -> None:
    """Who is not signed in any more is asked for the token, without a reload of his own."""
    with Sandbox() as first:
        page = opened(window, first, "messages")
        port = first.port
    with Sandbox(port=port, token=TOKEN):
        page.get_by_label("The token").fill(TOKEN)
        page.get_by_role("button", name="Sign in").click()
        page.locator("#live[data-state=live]").wait_for()


def test_the_focus_goes_on_where_a_message_is_deleted(page: Page, sandbox: Sandbox, client: Client) -> None:
    """To the row below, or the one above where that was the last; nothing found is nothing to delete."""
    for text in ("last", "middle", "first"):
        client.sms.send(NUMBER, text)
    show(page, sandbox, "messages/2")
    for left in ("last", "first"):
        page.locator(".detail").get_by_role("button", name="Delete").click()
        page.locator(f"{ROWS}:focus", has_text=left).wait_for()
        page.keyboard.press("Enter")
    page.get_by_label("Search by number").fill("nothing like it")
    page.get_by_text("No message fits").wait_for()
    assert [True, True] == [
        page.get_by_role("button", name=name).is_disabled() for name in ("Mark as read", "Delete all")
    ]
