"""What the inbox offers whoever looks through many messages: search, marks, files, and a way to a real phone."""

from __future__ import annotations

import csv
import io
import json
import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from devinotify import Client, exceptions
from devinotify.sandbox import Sandbox
from tests.browser.conftest import show
from tests.browser.test_inbox import NUMBER, ROWS, wait_for_rows, wait_for_texts

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser, Page

OTHER = "79031112233"
SEARCH = "Search by number or text"
OPEN = f"{ROWS}[aria-current]"


def refuse(client: Client, text: str = "refused") -> None:
    """Send what the gateway refuses."""
    with pytest.raises(exceptions.NotEnoughCredits):
        client.sms.send("79000000005", text)


def test_a_view_is_shared_by_its_address(page: Page, client: Client, sandbox: Sandbox) -> None:
    """Search, filters and what is open stand in it: they survive a reload, and each is one step back."""
    client.sms.send(NUMBER, "one two")
    client.sms.send(OTHER, "two three", sender="OTHER")
    client.viber.send(NUMBER, "two")
    wait_for_rows(page, 3)
    page.get_by_label(SEARCH).press_sequentially("three two", delay=10)
    wait_for_texts(page, ["two three"])
    page.get_by_label(SEARCH).press("Enter")
    page.locator(ROWS).click()
    page.get_by_role("heading", name="Message 2").wait_for()
    assert re.search(r"#/messages/2\?search=three\+two$", page.url)
    page.reload()
    page.get_by_role("heading", name="Message 2").wait_for()
    wait_for_rows(page, 1)  # which come by themselves
    assert "three two" == page.get_by_label(SEARCH).input_value()
    page.go_back()
    page.locator(".detail").wait_for(state="hidden")
    page.go_back()
    wait_for_rows(page, 3)
    assert "" == page.get_by_label(SEARCH).input_value()
    page.goto(f"{sandbox.origin}/#/messages?channel=sms&sender=OTHER&status=delivered")
    wait_for_texts(page, ["two three"])
    assert ["sms", "OTHER", "delivered"] == [
        page.get_by_label(name, exact=True).input_value() for name in ("Channel", "Sender", "Status")
    ]


TYPED = """([search, rows]) => {
  const field = document.querySelector(search), types = (text) => {
    field.value = text;
    field.dispatchEvent(new Event("input", { bubbles: true }));
  };
  types("one");
  field.dispatchEvent(new Event("change", { bubbles: true }));
  const first = [location.hash, document.querySelector(rows).getAttribute("href")];
  types("one two");
  field.dispatchEvent(new Event("change", { bubbles: true }));
  return [...first, location.hash];
}"""
"""Types, and leaves the field before what was typed is taken up by itself; returns the addresses of that moment."""


def test_what_was_typed_counts_at_once_where_the_reader_goes_on(page: Page, client: Client) -> None:
    """Whoever presses a row just after he has typed takes his whole search along, and each search is one step back."""
    client.sms.send(NUMBER, "one two")
    wait_for_rows(page, 1)
    searches = ["#/messages?search=one", "#/messages/1?search=one", "#/messages?search=one+two"]
    assert searches == page.evaluate(TYPED, ["#search", ROWS])
    page.go_back()
    page.wait_for_url("**/#/messages?search=one")
    page.go_back()
    page.wait_for_url("**/#/messages")


def test_a_page_of_the_list_has_an_address(page: Page, client: Client) -> None:
    """And is gone back to."""
    client.sms.send_bulk([f"7916{number:07}" for number in range(60)], "test")
    wait_for_rows(page, 50)
    page.get_by_role("button", name="Older").click()
    wait_for_rows(page, 10)
    assert page.url.endswith("#/messages?page=2")
    page.go_back()
    wait_for_rows(page, 50)


def test_a_refused_send_is_in_the_list(page: Page, client: Client) -> None:
    """As refused, with its reason where it is opened, among the filters, and deleted like the others."""
    client.sms.send(NUMBER, "fine")
    refuse(client)
    wait_for_texts(page, ["refused", "fine"])
    page.get_by_label("Status", exact=True).select_option("refused")
    wait_for_texts(page, ["refused"])
    page.locator(ROWS).click()
    page.get_by_text("Refused with Code 5: Not enough credits").wait_for()
    assert "no phone" in page.locator(".phone .receipt").inner_text()
    page.locator(".detail").get_by_role("button", name="Delete").click()
    page.get_by_text("No message fits these filters.").wait_for()


def test_a_scheduled_message_says_when(page: Page, client: Client, sandbox: Sandbox) -> None:
    """And is muted until then."""
    due = datetime.fromtimestamp(sandbox.now, UTC) + timedelta(hours=2)
    client.sms.send(NUMBER, "later", send_at=due)
    row = page.locator(f"{ROWS}.scheduled")
    row.wait_for()
    instant = row.locator(".due time").get_attribute("datetime")
    assert (True, "scheduled") == (
        (instant or "").startswith(f"{due:%Y-%m-%dT%H:%M}"),
        row.locator(".pill").inner_text(),
    )
    colour = "element => getComputedStyle(element).color"
    muted = page.locator(".pager").evaluate(colour)
    assert muted == row.locator(".text").evaluate(colour)
    sandbox.advance(7300)
    page.locator(f"{ROWS}.scheduled").wait_for(state="detached")
    page.locator(f"{ROWS} .pill.good").wait_for()


def test_what_is_found_is_deleted(page: Page, client: Client, sandbox: Sandbox) -> None:
    """After a question that says how many."""
    for text in ("keep", "drop one", "drop two"):
        client.sms.send(NUMBER, text)
    page.get_by_label(SEARCH).fill("drop")
    page.get_by_role("button", name="Delete 2 found").click()
    page.get_by_text("Delete 2 messages that fit these filters?").wait_for()
    page.locator("#confirm-yes").click()
    page.get_by_text("No message fits these filters.").wait_for()
    assert ["keep"] == [message.text for message in sandbox.messages()]


def test_read_and_unread(page: Page, client: Client) -> None:
    """What is opened is read; it can be unread again, and all that is shown is read at a press."""
    for text in ("one", "two"):
        client.sms.send(NUMBER, text)
    unread = page.locator(f"{ROWS}.unread")
    wait_for_rows(page, 2)
    assert (2, "(2) devinotify sandbox") == (unread.count(), page.title())
    page.locator(ROWS).first.click()
    page.locator(f"{OPEN}:not(.unread)").wait_for()
    page.get_by_role("button", name="Mark as unread").click()
    page.locator(f"{ROWS}.unread").nth(1).wait_for()
    page.get_by_role("button", name="Mark as read").click()
    page.wait_for_function("() => document.title === 'devinotify sandbox'")
    page.locator(ROWS).first.focus()
    page.keyboard.press("u")
    unread.wait_for()


def test_tags(page: Page, client: Client) -> None:
    """They are added by the keyboard, shown in the list, searched by a press, and removed."""
    client.sms.send(NUMBER, "other")
    client.sms.send(NUMBER, "tagged")
    page.locator(ROWS, has_text="tagged").click()
    for tag in ("demo", "for review"):
        page.get_by_label("Add a tag").fill(tag)
        page.get_by_label("Add a tag").press("Enter")
        page.get_by_role("button", name=f"Remove the tag {tag}").wait_for()
    assert ["demo", "for review"] == page.locator(f"{ROWS} .tag").all_inner_texts()
    page.get_by_role("button", name="for review", exact=True).click()
    wait_for_rows(page, 1)
    assert 'tag:"for review"' == page.get_by_label(SEARCH).input_value()
    page.get_by_role("button", name="Remove the tag demo").click()
    page.locator(f"{ROWS} .tag", has_text="demo").wait_for(state="detached")


def test_what_is_found_is_exported(page: Page, client: Client) -> None:
    """As a file with what the filters leave."""
    client.sms.send(NUMBER, "=1+1")
    client.sms.send(NUMBER, "other")
    page.get_by_label(SEARCH).fill("1+1")
    wait_for_rows(page, 1)
    page.locator("a[download='inbox.csv'][href$='search=1%2B1']").wait_for()
    with page.expect_download() as download:
        page.get_by_role("link", name="Export as CSV").click()
    text = download.value.path().read_text("utf-8-sig")
    assert ["'=1+1"] == [row["text"] for row in csv.DictReader(io.StringIO(text))]
    with page.expect_download() as download:
        page.get_by_role("link", name="Export as JSON").click()
    assert "inbox.json" == download.value.suggested_filename
    (entry,) = json.loads(download.value.path().read_text("utf-8"))["entries"]
    assert ("=1+1", NUMBER) == (entry["text"], entry["recipient"].removeprefix("+"))


def test_a_request_is_copied_as_curl(page: Page, client: Client) -> None:
    """From the message and from the log."""
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    client.sms.send(NUMBER, "it's")
    page.locator(ROWS).click()
    page.get_by_role("button", name="Copy as curl").click()
    page.get_by_role("button", name="Copy as curl").filter(has_text="Copied").wait_for()
    copied = page.evaluate("navigator.clipboard.readText()")
    assert ["curl", "/rest/Sms/Send", "'Data=it'\"'\"'s'"] == [
        words for words in ("curl", "/rest/Sms/Send", "'Data=it'\"'\"'s'") if words in copied
    ]


def test_requests_tell_what_they_were(page: Page, client: Client, sandbox: Sandbox) -> None:
    """Number, beginning of the text, duration, fault, and the form decoded."""
    sandbox.add_fault("latency", seconds=0.05, operation="Sms/Send")
    client.sms.send(NUMBER, "Привет, мир")
    show(page, sandbox, "requests")
    line = page.locator("summary", has_text="Sms/Send")
    shown = line.inner_text()
    assert [] == [words for words in ("+7 916 123-45-67", "Привет, мир", "ms", "latency", "200") if words not in shown]
    line.click()
    decoded = page.locator("details[open] .decoded")
    assert [] == [
        words for words in ("destinationaddress", NUMBER, "Привет, мир", "***") if words not in decoded.inner_text()
    ]
    page.locator("details[open]").get_by_role("button", name="Copy as curl").wait_for()


def test_a_phone_answers_by_itself(page: Page, client: Client, sandbox: Sandbox) -> None:
    """Once it is told to, and until that is taken back; a press says STOP."""
    show(page, sandbox, "incoming")
    page.get_by_role("textbox", name="Number").fill("8 916 123-45-67")
    page.get_by_role("button", name="Set").click()
    client.sms.send(NUMBER, "Sale")
    page.locator(".replies .body", has_text="STOP").wait_for()
    page.get_by_role("button", name="Take the answer of +7 916 123-45-67 back").click()
    page.locator(".armed li").wait_for(state="detached")
    show(page, sandbox, "messages/1")
    page.get_by_role("button", name="STOP").click()
    page.locator(".bubble.out").nth(1).wait_for()


@pytest.fixture
def desk() -> Iterator[tuple[Sandbox, Sandbox]]:
    """Give a sandbox that may send on to one number, and the account that it does so by."""
    with (
        Sandbox() as account,
        Client(account.url) as real,
        Sandbox(release=real, release_to=[NUMBER]) as running,
        Client(running.url) as client,
    ):
        client.sms.send(NUMBER, "for real")
        client.sms.send(OTHER, "not this one")
        yield running, account


def test_a_message_is_released_once(browser: Browser, desk: tuple[Sandbox, Sandbox]) -> None:
    """To a number on the list, after a question; what came of it stays, and the button goes."""
    sandbox, account = desk
    with browser.new_context() as context:
        page = context.new_page()
        show(page, sandbox, "messages/2")
        page.get_by_role("heading", name="Message 2").wait_for()
        assert 0 == page.get_by_role("button", name="Release…").count()
        show(page, sandbox, "messages/1")
        page.get_by_role("button", name="Release…").click()
        page.get_by_role("button", name="Cancel").click()
        page.get_by_role("button", name="Release…").click()
        page.locator("#confirm-yes").dblclick()
        page.locator(".doing .pill", has_text="released: accepted").wait_for()
        assert ([["for real"], 0]) == [
            [message.text for message in account.messages()],
            page.get_by_role("button", name="Release…").count(),
        ]


@pytest.mark.parametrize("width", [390, 360])
def test_the_tabs_fit_a_phone(page: Page, client: Client, sandbox: Sandbox, width: int) -> None:
    """All five are within the screen, with whatever counts."""
    refuse(client)
    sandbox.add_fault("latency", seconds=0)
    page.set_viewport_size({"width": width, "height": 720})
    show(page, sandbox, "settings")
    page.locator("#count-faults.bad").wait_for()
    nav = page.locator("nav")
    assert (0, 5) == (nav.evaluate("nav => nav.scrollWidth - nav.clientWidth"), nav.locator("a").count())


def test_the_head_fits_every_width(page: Page, client: Client, sandbox: Sandbox) -> None:
    """Nothing of it sticks out, however wide the window is, with all figures there."""
    refuse(client)
    sandbox.add_fault("latency", seconds=0)
    show(page, sandbox)
    page.locator("#count-faults.bad").wait_for()
    for width in range(360, 1500, 20):
        page.set_viewport_size({"width": width, "height": 720})
        assert page.evaluate("() => document.documentElement.scrollWidth <= innerWidth"), width


@pytest.mark.parametrize("width", [1000, 1440])
def test_nothing_of_a_row_is_cut_but_its_sender_and_text(
    page: Page, client: Client, sandbox: Sandbox, width: int
) -> None:
    """Time and recipient are whole beside the longest sender, of a message of another day too, and cover nothing."""
    client.sms.send(NUMBER, "today", sender="VERYLONGSND")
    client.sms.send("+447911123456", "abroad", sender="79001112233")
    sandbox.advance(86400)
    client.sms.send(NUMBER, "tomorrow", sender="VERYLONGSND")
    page.set_viewport_size({"width": width, "height": 720})
    wait_for_rows(page, 4)  # in the session of the day before it was refused
    cut = page.locator(f"{ROWS} :is(time, .to)").evaluate_all(
        "cells => cells.filter(one => one.scrollWidth > one.clientWidth && one.clientWidth).map(one => one.innerText)"
    )
    ends, begins = (
        page.locator(f"{ROWS} {where}").evaluate_all(f"cells => cells.map(one => one.getBoundingClientRect().{side})")
        for where, side in ((".when time", "right"), (".channel", "left"))
    )
    assert ([], True) == (cut, all(end < begin for end, begin in zip(ends, begins, strict=True)))


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_fields_stand_out_of_what_is_behind_them(page: Page, sandbox: Sandbox, scheme: str) -> None:
    """Their edges have the contrast that WCAG 2.2 (1.4.11) asks for, three to one."""
    page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    for view in ("messages", "faults", "settings"):
        show(page, sandbox, view)
        edges = page.locator("main :is(input, select)").evaluate_all(
            """fields => {
                const channel = value => value <= .03928 ? value / 12.92 : ((value + .055) / 1.055) ** 2.4;
                const light = colour => colour.match(/[\\d.]+/g).slice(0, 3)
                    .reduce((sum, one, at) => sum + channel(one / 255) * [.2126, .7152, .0722][at], 0);
                const behind = element => {
                    const { backgroundColor } = getComputedStyle(element);
                    return /, 0\\)$/.test(backgroundColor) ? behind(element.parentElement) : backgroundColor;
                };
                return fields.filter(one => one.offsetParent).map(one => {
                    const pair = [light(getComputedStyle(one).borderTopColor), light(behind(one.parentElement))].sort();
                    return (Math.max(...pair) + .05) / (Math.min(...pair) + .05);
                });
            }"""
        )
        assert [] == [round(edge, 2) for edge in edges if edge < 3]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_what_is_selected_keeps_its_status_legible(page: Page, client: Client, sandbox: Sandbox, scheme: str) -> None:
    """Its pill stands out of the row, whose own colour is the selection's."""
    page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    sandbox.set_timeline("delivered", sms=[(0.1, -1), (3600, 0)])
    client.sms.send(NUMBER, "under way")
    show(page, sandbox, "messages/1")
    page.locator(f"{OPEN} .pill.open").wait_for()
    row, pill = (
        page.locator(where).evaluate("element => getComputedStyle(element).backgroundColor.match(/\\d+/g).map(Number)")
        for where in (OPEN, f"{OPEN} .pill")
    )
    assert sum(abs(one - other) for one, other in zip(row[:3], pill[:3], strict=True)) >= 30
