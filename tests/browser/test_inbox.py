"""The inbox as people use it."""

from __future__ import annotations

import re
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from tests.browser.conftest import show
from tests.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Callable

    from playwright.sync_api import FloatRect, Page, Route

    from devinotify import Client
    from devinotify.sandbox import Sandbox

NUMBER = "79161234567"
ROWS = "#messages .row"


def texts(page: Page) -> list[str]:
    """Return the texts of the rows, from the top."""
    return page.locator(f"{ROWS} .text").all_inner_texts()


def wait_for_rows(page: Page, count: int) -> None:
    """Wait until there are so many rows."""
    page.wait_for_function("([rows, count]) => document.querySelectorAll(rows).length === count", arg=[ROWS, count])


def wait_for_texts(page: Page, expected: list[str]) -> None:
    """Wait until the rows hold these texts, from the top."""
    page.wait_for_function(
        "([cells, expected]) => [...document.querySelectorAll(cells)].map(cell => cell.innerText).join() === expected",
        arg=[f"{ROWS} .text", ",".join(expected)],
    )


def test_a_message_appears_without_reload(page: Page, client: Client) -> None:
    """What the client sends is there by itself, and its status moves on by itself."""
    page.evaluate("window.mark = 1")
    client.sms.send(NUMBER, "Привет")
    row = page.locator(ROWS)
    row.wait_for()
    shown = row.inner_text()
    assert [] == [
        words for words in ("DEVINO", "+7 916 123-45-67", "Привет", "SMS", "UCS-2", "2.50") if words not in shown
    ]
    row.locator(".pill.good", has_text="delivered").wait_for()
    assert (1, "(1) devinotify sandbox") == (page.evaluate("window.mark"), page.title())


def test_search_and_filters(page: Page, client: Client) -> None:
    """Search finds texts and numbers, filters narrow the list, and Clear takes them back."""
    client.sms.send(NUMBER, "first")
    client.sms.send("79031112233", "second", sender="OTHER")
    client.viber.send("79000000024", "third")
    wait_for_rows(page, 3)
    for label, value, expected in (
        ("Search by number or text", "SECO", ["second"]),
        ("Search by number or text", "916 123", ["first"]),
        ("Search by number or text", "nothing of the kind", []),
    ):
        page.get_by_label(label).fill(value)
        wait_for_texts(page, expected)
    page.get_by_text("No message fits these filters.").wait_for()
    page.get_by_role("button", name="Clear").click()
    wait_for_rows(page, 3)
    for label, value, expected in (
        ("Channel", "viber", ["third"]),
        ("Sender", "OTHER", ["second"]),
        ("Status", "undelivered", ["third"]),
    ):
        page.get_by_label(label, exact=True).select_option(value)
        wait_for_texts(page, expected)
        page.get_by_label(label, exact=True).select_option("")
        wait_for_rows(page, 3)


def test_a_forced_fate_reaches_the_client(page: Page, client: Client, sandbox: Sandbox) -> None:
    """A press of a button is what the client's state then says."""
    sandbox.set_timeline("delivered", sms=[(0.1, -1), (3600, 0)])
    receipt = client.sms.send(NUMBER, "test")
    page.locator(ROWS).click()
    page.get_by_role("button", name="Rejected").click()
    page.locator(".detail .head .pill", has_text="rejected").wait_for()
    assert "rejected" == client.sms.state(receipt.message_ids[0]).status
    page.get_by_role("button", name="Delivered").click()
    page.locator(".detail .head .pill", has_text="delivered").wait_for()
    assert "delivered" == client.sms.state(receipt.message_ids[0]).status


def test_not_a_viber_user(page: Page, client: Client) -> None:
    """A Viber message that is made to fail shows the SMS that was sent in its place, and leads to it."""
    client.viber.send_with_resend("79031112233", "test")
    page.locator(ROWS).click()
    page.get_by_role("button", name="Not a Viber user").click()
    page.get_by_role("link", name="message 2").click()
    page.get_by_role("heading", name="Message 2").wait_for()
    page.get_by_text("Sent in place of Viber:").wait_for()


EVIL = "<script>window.evil = 1</script><img src=x onerror='window.evil = 2'><b>bold</b>"


def test_markup_in_a_message_is_text(page: Page, client: Client, sandbox: Sandbox) -> None:
    """A message with a script in it is shown, and not run, wherever it is shown."""
    client.sms.send(NUMBER, EVIL)
    sandbox.add_incoming(EVIL, NUMBER)
    page.locator(ROWS).click()
    assert EVIL == page.locator(".bubble.in").inner_text()
    assert [EVIL] == texts(page)
    for view in ("incoming", "requests"):
        show(page, sandbox, view)
    assert (None, 0) == (page.evaluate("window.evil"), page.locator("b", has_text="bold").count())


def test_segments_and_blockers_are_marked(page: Page, client: Client) -> None:
    """Where each segment begins and what forced UCS-2 is shown, with what could stand in its place."""
    client.sms.send(NUMBER, "a" * 40 + "—" + "b" * 60)
    page.locator(ROWS).click()
    page.locator(".bubble .cut").wait_for()
    assert ["2"] == page.locator(".bubble .cut").all_inner_texts()
    assert ["—"] == page.locator(".bubble mark").all_inner_texts()
    page.get_by_text("Replaced (transliterate=yes), it would take 1 segment.").wait_for()
    before = page.evaluate("[...document.querySelector('.bubble.in').childNodes].map(node => node.textContent.length)")
    assert [40, 1, 26, 1, 34] == before


def test_the_request_is_shown_without_secrets(page: Page, client: Client) -> None:
    """The request as it came in is shown, its session masked."""
    client.sms.send(NUMBER, "test")
    page.locator(ROWS).click()
    raw = page.get_by_label("Request as received").inner_text()
    assert raw.startswith("POST /rest/Sms/Send HTTP/1.1")
    assert ["***"] == re.findall(r"SessionID=([^&]*)", raw)


def test_a_reply_is_an_incoming_message(page: Page, client: Client) -> None:
    """What is typed into the phone is what Sms/In answers."""
    client.sms.send(NUMBER, "Will you come?")
    page.locator(ROWS).click()
    page.get_by_label("Reply as +7 916 123-45-67").fill("Да, приду")
    page.get_by_role("button", name="Reply").click()
    page.locator(".bubble.out", has_text="Да, приду").wait_for()
    now = datetime.now(UTC)
    incoming = client.sms.incoming(now - timedelta(hours=1), now + timedelta(hours=1))
    assert [("Да, приду", "+79161234567")] == [(message.text, message.sender) for message in incoming]


def test_deleting_one_and_all(page: Page, client: Client, sandbox: Sandbox) -> None:
    """One message goes at a press, all go after a question."""
    for count in range(3):
        client.sms.send(NUMBER, str(count))
    wait_for_rows(page, 3)
    page.locator(ROWS, has_text="+7").nth(1).click()
    page.locator(".detail").get_by_role("button", name="Delete").click()
    wait_for_rows(page, 2)
    assert ["2", "0"] == texts(page)
    page.get_by_role("button", name="Delete all").click()
    page.get_by_role("button", name="Keep").click()
    assert 2 == len(sandbox.messages())
    page.get_by_role("button", name="Delete all").click()
    page.locator("#confirm-yes").click()
    page.get_by_role("heading", name="Nothing has arrived yet").wait_for()
    assert [] == sandbox.messages()


def test_nobody_asks_for_what_is_deleted(page: Page, client: Client, sandbox: Sandbox) -> None:
    """A message that is open is closed before it is deleted, however slow the answer: by a button, a key, with all."""
    for count in range(3):
        client.sms.send(NUMBER, str(count))
    wait_for_rows(page, 3)

    def late(route: Route) -> None:
        """Answer a deletion after its change has been told of."""
        if route.request.method == "DELETE":
            reply = route.fetch()
            page.evaluate("() => new Promise(done => setTimeout(done, 300))")
            route.fulfill(response=reply)
        else:
            route.continue_()

    page.route("**/sandbox/inbox?*", late)
    button = page.locator(".detail").get_by_role("button", name="Delete")
    ways: list[tuple[int, Callable[[], None]]] = [(2, button.click), (1, lambda: page.keyboard.press("x"))]
    for expected, way in ways:
        page.locator(ROWS).first.click()
        page.locator(".detail").wait_for()
        way()
        wait_for_rows(page, expected)
    page.locator(ROWS).click()
    page.locator(".detail").wait_for()
    page.get_by_role("button", name="Delete all").click()
    page.locator("#confirm-yes").click()
    page.get_by_role("heading", name="Nothing has arrived yet").wait_for()
    assert [] == sandbox.messages()  # and the console of the window is silent: the fixture looks


def test_the_keyboard_is_enough(page: Page, client: Client, sandbox: Sandbox) -> None:
    """Without a mouse: search, go through the list, open, close, delete, change the view, ask for help."""
    for word in ("one", "two", "three"):
        client.sms.send(NUMBER, word)
    wait_for_rows(page, 3)
    page.keyboard.press("/")
    page.keyboard.type("two")
    wait_for_rows(page, 1)
    page.keyboard.press("ControlOrMeta+a")
    page.keyboard.press("Delete")
    wait_for_rows(page, 3)
    page.keyboard.press("Escape")
    page.keyboard.press("j")
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    page.get_by_role("heading", name="Message 2").wait_for()
    page.keyboard.press("ArrowDown")
    page.get_by_role("heading", name="Message 1").wait_for()
    page.keyboard.press("k")
    page.get_by_role("heading", name="Message 2").wait_for()
    page.keyboard.press("Escape")
    page.locator(".detail").wait_for(state="hidden")
    page.keyboard.press("x")
    wait_for_rows(page, 2)
    assert ["one", "three"] == [message.text for message in sandbox.messages()]
    page.keyboard.press("?")
    page.get_by_role("heading", name="Keys").wait_for()
    page.keyboard.press("Escape")
    page.keyboard.press("3")
    page.get_by_role("heading", name="Faults").wait_for()


def test_a_row_that_changes_while_it_is_pressed_opens(page: Page, client: Client, sandbox: Sandbox) -> None:
    """Nothing is drawn anew between press and release, and what came meanwhile is drawn then."""
    sandbox.set_timeline("delivered", sms=[(0.1, -1), (3600, 0)])
    client.sms.send(NUMBER, "first")
    # A change that came while it is pressed would be waited with, and what is asked of the second behind it.
    page.locator(ROWS).locator(".pill", has_text="sent").wait_for()
    page.locator(ROWS).hover()
    page.mouse.down()
    with page.expect_response("**/sandbox/statistics"):
        client.sms.send(NUMBER, "second")
    page.evaluate("() => new Promise(done => setTimeout(done, 100))")  # what has come would have been drawn by now
    assert ["first"] == texts(page)
    page.mouse.up()
    page.get_by_role("heading", name="Message 1").wait_for()
    wait_for_texts(page, ["second", "first"])


def test_what_is_typed_does_not_take_the_reader_back(page: Page, client: Client) -> None:
    """Who types, and has opened a message or another view before the list is narrowed, stays there."""
    client.sms.send(NUMBER, "first")
    page.locator(ROWS).wait_for()
    search = "document.querySelector('#search')"
    typed = f"{search}.value = 'fir'; {search}.dispatchEvent(new Event('input'));"
    # Both within one task: no timer runs between them, and the view has not followed the address yet as one does.
    late = "const until = performance.now() + 300; while (performance.now() < until);"
    page.evaluate(f"() => {{ {typed} document.querySelector('#messages .row').click(); {late} }}")
    page.get_by_role("heading", name="Message 1").wait_for()
    page.evaluate("() => new Promise(done => setTimeout(done, 300))")
    assert page.get_by_role("heading", name="Message 1").is_visible()
    page.evaluate(f"() => {{ {typed} location.hash = '#/faults'; }}")
    page.get_by_role("heading", name="Faults").wait_for()
    page.evaluate("() => new Promise(done => setTimeout(done, 300))")
    assert page.url.endswith("#/faults")


def test_the_focus_stays_where_it_is(page: Page, client: Client) -> None:
    """New messages do not take the focus from the row that has it, nor what is typed from the reply box."""
    client.sms.send(NUMBER, "first")
    page.locator(ROWS).focus()
    client.sms.send(NUMBER, "second")
    wait_for_rows(page, 2)
    assert "1" == page.evaluate("document.activeElement.dataset.number")
    page.keyboard.press("Enter")
    page.get_by_label("Reply as").fill("half a")
    client.sms.send(NUMBER, "third")
    wait_for_rows(page, 3)
    assert "half a" == page.get_by_label("Reply as").input_value()


def test_pages(page: Page, client: Client) -> None:
    """A long list comes in pages from the server."""
    client.sms.send_bulk([f"7916{number:07}" for number in range(120)], "test")
    page.get_by_text("1–50 of 120").wait_for()
    page.get_by_role("button", name="Older").click()
    page.get_by_text("51–100 of 120").wait_for()
    page.get_by_role("button", name="Older").click()
    page.get_by_text("101–120 of 120").wait_for()
    assert (20, True) == (page.locator(ROWS).count(), page.get_by_role("button", name="Older").is_disabled())
    page.get_by_role("button", name="Newer").click()
    page.get_by_text("51–100 of 120").wait_for()


@pytest.mark.parametrize(
    ("name", "program"), [("curl", ["bash", "-c"]), ("v2", ["bash", "-c"]), ("python", [sys.executable, "-c"])]
)
def test_the_empty_page_says_how_to_begin(page: Page, name: str, program: list[str]) -> None:
    """The lines on the empty page send the first message as they stand."""
    lines = page.locator(f"#example-{name}").inner_text()
    subprocess.run([*program, lines], check=True, capture_output=True, timeout=60)
    wait_for_rows(page, 1)
    assert ["Hello"] == texts(page)


def test_it_fits_a_phone(page: Page, client: Client, sandbox: Sandbox) -> None:
    """On a small screen nothing sticks out, and the message takes the list's place."""
    client.sms.send(NUMBER, "a long word: " + "w" * 120)
    page.set_viewport_size({"width": 360, "height": 720})
    for view in ("messages", "messages/1", "incoming", "faults", "requests", "settings"):
        show(page, sandbox, view)
        wide = page.evaluate("document.documentElement.scrollWidth - innerWidth")
        inner = page.evaluate("document.querySelector('#content').scrollWidth - innerWidth")
        assert (True, True) == (wide <= 0, inner <= 0), view
    show(page, sandbox, "messages/1")
    assert (False, True) == (page.locator(".list").is_visible(), page.locator(".detail").is_visible())


def box_of(page: Page, element: str) -> FloatRect:
    """Return where an element is seen; what a view shows may be drawn anew between two questions."""
    found: list[FloatRect] = []

    def is_drawn() -> bool:
        box = page.locator(element).bounding_box()
        found.extend([] if box is None else [box])
        return bool(found)

    page.locator(element).wait_for()
    wait_until(is_drawn)
    return found[0]


@pytest.mark.parametrize("width", [768, 1440])
def test_it_fits_a_tablet_and_a_desk(page: Page, client: Client, sandbox: Sandbox, width: int) -> None:
    """Nothing sticks out of any view, and head, tabs and what the view is for are within the window."""
    client.sms.send(NUMBER, "a long word: " + "w" * 120)
    sandbox.add_incoming("an answer", NUMBER)
    sandbox.add_fault("latency", seconds=0)
    page.set_viewport_size({"width": width, "height": 900})
    parts = {
        "messages": "#messages .row",
        "messages/1": ".detail .bubble",
        "incoming": "#content h1, #content h2",
        "faults": "#content form",
        "requests": "#content .row, #content summary",
        "settings": "#content input",
    }
    for view, part in parts.items():
        show(page, sandbox, view)
        for element in ("header", "nav a >> nth=-1", f"{part} >> nth=0"):
            box = box_of(page, element)
            assert (True, True) == (box["x"] >= 0, box["x"] + box["width"] <= width), (view, element)
        for of in ("document.documentElement", "document.querySelector('#content')"):
            assert page.evaluate(f"{of}.scrollWidth <= {of}.clientWidth"), (view, of)
    show(page, sandbox, "messages/1")
    both = page.locator(".list").is_visible(), page.locator(".detail").is_visible()
    assert (width > 1000, True) == both


def test_the_focus_goes_where_a_phone_shows_something(page: Page, client: Client) -> None:
    """Where the message takes the list's place it has the focus, and once it is closed its row has."""
    client.sms.send(NUMBER, "one")
    client.sms.send(NUMBER, "two")
    page.set_viewport_size({"width": 390, "height": 720})
    wait_for_rows(page, 2)
    page.locator(ROWS, has_text="one").focus()
    page.keyboard.press("Enter")
    page.locator(".detail:focus").wait_for()
    page.keyboard.press("Tab")
    page.locator(".detail").get_by_role("button", name="Delete").and_(page.locator(":focus")).wait_for()
    page.keyboard.press("Escape")
    page.locator(f"{ROWS}:focus", has_text="one").wait_for()


def test_a_button_keeps_the_focus_while_the_message_arrives(page: Page, sandbox: Sandbox, client: Client) -> None:
    """What is shown above a message is drawn anew with its state, and its buttons are not."""
    sandbox.set_timeline("delivered", sms=[(0.0, -1), (3600.0, 0)])
    client.sms.send(NUMBER, "one")
    show(page, sandbox, "messages/1")
    delete = page.locator(".detail").get_by_role("button", name="Delete")
    delete.focus()
    sandbox.advance(3600)
    page.locator(".detail .head .pill", has_text="delivered").wait_for()
    delete.and_(page.locator(":focus")).wait_for()


def test_the_theme_is_kept(page: Page) -> None:
    """A theme that is chosen is the theme after a reload."""
    page.get_by_role("button", name="Theme: auto").click()
    page.get_by_role("button", name="Theme: light").click()
    page.reload()
    page.get_by_role("button", name="Theme: dark").wait_for()
    assert "rgb(13, 17, 23)" == page.evaluate("getComputedStyle(document.body).backgroundColor")


def test_a_message_that_is_gone(page: Page, sandbox: Sandbox) -> None:
    """The address of a message that is no more leads to the list."""
    page.goto(f"{sandbox.origin}/#/messages")
    # The answer that there is none is logged by the browser as an error, which is not one of the page's.
    page.evaluate("location.hash = '#/messages'")
    page.get_by_role("heading", name="Nothing has arrived yet").wait_for()
