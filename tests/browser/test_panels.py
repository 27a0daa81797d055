"""The other views, and signing in."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

from devinotify import Client, exceptions
from devinotify.sandbox import Sandbox
from tests.browser.conftest import show
from tests.desk import Desk

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

NUMBER = "79161234567"
TOKEN = "correct-horse-battery"


def test_a_fault_at_a_press(page: Page, client: Client, sandbox: Sandbox) -> None:
    """A press arms a fault that the client meets, and another ends it."""
    client.user.balance()  # A login that fails is not tried again at once.
    show(page, sandbox, "faults")
    page.get_by_role("button", name="Down for a minute").click()
    page.get_by_text("active", exact=True).wait_for()
    with pytest.raises(exceptions.DevinotifyError):
        client.sms.send(NUMBER, "test")
    page.get_by_role("button", name="Remove all").click()
    page.get_by_role("button", name="Remove all").wait_for(state="hidden")
    client.sms.send(NUMBER, "test")
    assert 1 == len(sandbox.messages())


def test_a_fault_of_ones_own(page: Page, client: Client, sandbox: Sandbox) -> None:
    """The form takes every setting, and asks for those of the kind alone."""
    show(page, sandbox, "faults")
    page.get_by_label("What goes wrong").select_option("error")
    assert (True, False) == (
        page.get_by_role("spinbutton", name="Code").is_visible(),
        page.get_by_label("Seconds to wait").is_visible(),
    )
    page.get_by_label("Operation").select_option("Sms/Send")
    page.get_by_role("textbox", name="Number").fill("8 916 123-45-67")
    page.get_by_role("spinbutton", name="Code").fill("5")
    page.get_by_label("The request").select_option("yes")
    page.get_by_label("At most, times").fill("1")
    page.get_by_role("button", name="Add", exact=True).click()
    page.get_by_text("Code 5 · at most 1 · carried out").wait_for()
    client.sms.send("79031112233", "spared")
    with pytest.raises(exceptions.NotEnoughCredits):
        client.sms.send(NUMBER, "test")
    page.get_by_text("1 hit", exact=True).wait_for()
    assert 2 == len(sandbox.messages())


def test_its_labels_are_words_a_stranger_understands(page: Page, client: Client, sandbox: Sandbox) -> None:
    """Each card of faults, what adds one, and what sets a message's status, by the names that are read out."""
    show(page, sandbox, "faults")
    assert ["Presets", "Custom fault", "Active"] == page.locator("#content h2").all_inner_texts()
    page.get_by_role("button", name="Add", exact=True).wait_for()
    client.sms.send("79161234567", "hello")
    show(page, sandbox, "messages/1")
    outcomes = page.get_by_role("group", name="Set status")
    outcomes.get_by_role("button", name="Expired").click()
    page.locator(".detail .pill", has_text="expired").first.wait_for()


def test_a_rate_is_armed_as_it_stands(page: Page, sandbox: Sandbox) -> None:
    """The form comes with the vendor's limit, and asks for a status or a code."""
    show(page, sandbox, "faults")
    page.get_by_label("What goes wrong").select_option("rate")
    assert ["10", "429", ""] == [
        page.get_by_role("spinbutton", name=name).input_value() for name in ("Requests a second", "HTTP status", "Code")
    ]
    page.get_by_role("button", name="Add", exact=True).click()
    page.get_by_text("status 429 · past 10 a second · not carried out").wait_for()
    page.get_by_label("What goes wrong").select_option("latency")
    assert "3" == page.get_by_label("Seconds to wait").input_value()
    assert [("rate", 10, 429, None)] == [
        (fault.kind, fault.limit, fault.status, fault.code) for fault in sandbox.faults()
    ]


def test_a_wrong_setting_is_told(page: Page, sandbox: Sandbox) -> None:
    """What the sandbox refuses is shown with its reason."""
    show(page, sandbox, "faults")
    page.get_by_role("textbox", name="Number").fill("none")
    # The browser logs a refused request by itself: the form's own check is what is tested here.
    page.get_by_label("Probability").fill("7")
    page.get_by_role("button", name="Add", exact=True).click()
    assert (False, []) == (
        page.get_by_label("Probability").evaluate("field => field.checkValidity()"),
        sandbox.faults(),
    )


def test_the_settings(page: Page, client: Client, sandbox: Sandbox) -> None:
    """Clock, balance and sessions are set and shown, and all goes back to the start."""
    client.user.balance()
    show(page, sandbox, "settings")
    page.get_by_text("1 valid session").wait_for()
    page.get_by_role("button", name="+ 1 hour").click()
    page.get_by_text("advanced by 1 h").wait_for()
    page.get_by_role("button", name="End all").click()
    page.get_by_text("0 valid sessions").wait_for()
    page.get_by_label("New balance").fill("12.50")
    page.locator("form", has=page.get_by_label("New balance")).get_by_role("button").click()
    page.locator("p.big", has_text="12.50").wait_for()
    assert Decimal("12.50") == sandbox.balance
    page.get_by_role("button", name="Reset everything").click()
    page.locator("#confirm-yes").click()
    page.locator("p.big", has_text="000.00").wait_for()
    assert Decimal("100000.00") == sandbox.balance


def test_fates_and_timelines(page: Page, client: Client, sandbox: Sandbox) -> None:
    """A number's fate and a fate's timeline are set by their forms."""
    show(page, sandbox, "settings")
    fates = page.locator("section", has=page.get_by_role("heading", name="Fates of numbers"))
    fates.get_by_role("textbox", name="Number").fill(NUMBER)
    fates.get_by_label("What becomes of its messages").select_option("expired")
    fates.get_by_role("button", name="Set").click()
    fates.get_by_text("+7 916 123-45-67").wait_for()
    timelines = page.locator("section", has=page.get_by_role("heading", name="Delivery timelines"))
    timelines.get_by_label("Fate").fill("expired")
    page.keyboard.press("Tab")  # Leaving the field loads the fate's timelines.
    timelines.get_by_role("spinbutton", name="SMS: seconds after the sending").last.fill("0")
    timelines.get_by_label("SMS: status").last.select_option("expired")
    timelines.get_by_role("button", name="SMS: remove this step").first.click()
    timelines.get_by_role("button", name="Add a step for SMS").click()
    timelines.get_by_role("button", name="SMS: remove this step").last.click()
    timelines.get_by_role("button", name="Set").click()
    timelines.get_by_text("has a timeline of your own").wait_for()
    receipt = client.sms.send(NUMBER, "test")
    assert "expired" == client.sms.state(receipt.message_ids[0]).status
    timelines.get_by_role("button", name="Take the timeline of expired back").click()
    timelines.get_by_text("has a timeline of your own").wait_for(state="hidden")


def test_replies_and_requests(page: Page, client: Client, sandbox: Sandbox) -> None:
    """A reply is added by the form; each request is listed and opened."""
    show(page, sandbox, "incoming")
    page.get_by_label("Text").fill("стоп")
    page.get_by_role("button", name="Add").click()
    page.locator(".replies .body", has_text="стоп").wait_for()
    client.user.balance()
    show(page, sandbox, "requests")
    page.locator("summary", has_text="User/Balance").click()
    assert "SessionID=***" in page.locator("details[open] pre").inner_text()


def test_a_webhook_that_is_away_is_seen(browser: Browser) -> None:
    """What was posted is counted in the settings, and what waits for a receiver that is away."""
    with (
        Desk([204, *[500] * 9]) as desk,
        Sandbox(post=desk.url, post_secret="s") as posting,
        Client(posting.url) as client,
        browser.new_context() as context,
    ):
        page = context.new_page()
        show(page, posting, "settings")
        shown = page.locator(".card", has=page.get_by_role("heading", name="Webhook")).locator(".big")
        shown.filter(has_text="0 posted").wait_for()
        client.sms.send(NUMBER, "taken")
        shown.filter(has_text="1 posted").wait_for()
        client.sms.send(NUMBER, "not taken")
        shown.filter(has_text="1 waiting").wait_for()


def test_no_webhook_has_no_card(page: Page, sandbox: Sandbox) -> None:
    """Most sandboxes post nothing."""
    show(page, sandbox, "settings")
    assert not page.get_by_role("heading", name="Webhook").is_visible()


def test_armed_faults_stand_in_columns(page: Page, sandbox: Sandbox) -> None:
    """So that many are read at a glance; on a small screen nothing of them, or of a request, stands out."""
    sandbox.add_fault("latency", seconds=0.01, number="79161234567", probability=0.5)
    sandbox.add_fault("expired-session", operation="Viber/SendWithResendBulk", times=3)
    show(page, sandbox, "faults")
    left = "(rows, at) => rows.map(row => row.children[at].getBoundingClientRect().left)"
    rows = page.locator(".armed.columns li")
    columns = [rows.evaluate_all(left, at) for at in range(rows.first.evaluate("row => row.children.length"))]
    assert [1] * len(columns) == [len(set(column)) for column in columns]
    page.set_viewport_size({"width": 360, "height": 720})
    assert page.evaluate("() => document.querySelector('main').scrollWidth <= innerWidth")


def test_signing_in(browser: Browser) -> None:
    """A page that is guarded asks for the token once, and works then."""
    with Sandbox(token=TOKEN) as guarded, Client(guarded.url) as client, browser.new_context() as context:
        page = context.new_page()
        page.goto(guarded.origin)
        assert 0 == page.get_by_role("alert").count()
        page.get_by_label("The token").fill("wrong")
        page.get_by_role("button", name="Sign in").click()
        page.get_by_role("alert").filter(has_text="That is not the token.").wait_for()
        page.get_by_label("The token").fill(TOKEN)
        page.get_by_role("button", name="Sign in").click()
        page.wait_for_selector("#live[data-state=live]")
        client.sms.send(NUMBER, "test")
        page.locator("#messages .row").wait_for()


def test_signing_in_leads_to_what_was_asked_for(browser: Browser) -> None:
    """A link to a message shows it behind the form, after a wrong token too."""
    with Sandbox(token=TOKEN) as guarded, Client(guarded.url) as client, browser.new_context() as context:
        client.sms.send(NUMBER, "the one")
        client.sms.send(NUMBER, "another")
        page = context.new_page()
        page.goto(f"{guarded.origin}/#/messages/1")
        for token in ("wrong", TOKEN):
            page.get_by_label("The token").fill(token)
            page.get_by_role("button", name="Sign in").click()
            page.wait_for_url("**/?wrong#/messages/1" if token == "wrong" else f"{guarded.origin}/#/messages/1")
        page.locator(".detail", has_text="the one").wait_for()
