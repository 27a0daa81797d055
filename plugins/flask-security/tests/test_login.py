"""A real app over HTTP: somebody logs in by the code that arrives, and a lost answer costs nobody a code."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import pytest
from flask_security import uia_email_mapper, uia_phone_mapper

import devinotify_flask_security
from tests.shop import NUMBER, PASSWORD, TYPED, Browser, code_of, served, shop

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from devinotify.sandbox import Sandbox


@pytest.fixture
def browser(gateway: Sandbox, tmp_path: Path) -> Iterator[Browser]:
    """Somebody at the shop's door."""
    with shop(gateway.url, tmp_path) as app:
        devinotify_flask_security.register(app)
        with served(app) as address, Browser(address) as somebody:
            yield somebody


@pytest.mark.parametrize("lost", [False, True], ids=["answered", "answer lost"])
def test_sets_up_and_logs_in(
    browser: Browser, gateway: Sandbox, caplog: pytest.LogCaptureFixture, *, lost: bool
) -> None:
    """A number is set up and used to log in, by one SMS each time whose code works; what is lost is a warning."""
    if lost:
        gateway.add_fault("drop", number=NUMBER, accepts=True)
    assert "setup_from_login" == browser.log_in()["tf_state"]
    assert 200 == browser.post("/tf-setup", setup="sms", phone=TYPED)["status"]
    assert 200 == browser.post("/tf-validate", code=code_of(gateway))["status"]
    assert "your cart" == browser.get("/cart").text
    browser.post("/logout")
    assert 302 == browser.get("/cart").status_code

    assert "ready" == browser.log_in()["tf_state"]
    assert 302 == browser.get("/cart").status_code
    assert 200 == browser.post("/tf-validate", code=code_of(gateway))["status"]
    assert "your cart" == browser.get("/cart").text

    warned = [record for record in caplog.records if record.levelno >= logging.WARNING]
    ours = [record.message for record in warned if record.name.startswith("devinotify_flask_security")]
    assert (2 if lost else 0) == len(ours)
    assert all("a code to +7916***4567 may or may not have been sent" in line for line in ours)


def test_refused(browser: Browser, gateway: Sandbox, caplog: pytest.LogCaptureFixture) -> None:
    """What the gateway refuses is told to the user, and the log says why, without number and code."""
    gateway.add_fault("error", number=NUMBER, code=2)
    browser.log_in()
    answer = browser.post("/tf-setup", setup="sms", phone=TYPED)
    assert (500, ["Failed to send code. Please try again later"]) == (answer["status"], answer["errors"])
    (line,) = [each.message for each in caplog.records if each.name.startswith("devinotify_flask_security")]
    assert line.startswith("a code to +7916***4567 was not sent: ")
    assert [] == [secret for secret in (NUMBER[2:], PASSWORD, "password") if secret in line]


def test_unified_sign_in(gateway: Sandbox, tmp_path: Path) -> None:
    """Somebody signs in by a code alone, which is delivered for as long as it is good."""
    unified = {
        "SECURITY_TWO_FACTOR": False,
        "SECURITY_UNIFIED_SIGNIN": True,
        "SECURITY_US_ENABLED_METHODS": ["password", "sms"],
        "SECURITY_US_TOKEN_VALIDITY": 301,
        "SECURITY_USER_IDENTITY_ATTRIBUTES": [
            {"email": {"mapper": uia_email_mapper}},
            {"us_phone_number": {"mapper": uia_phone_mapper}},
        ],
    }
    with shop(gateway.url, tmp_path, **unified) as app:
        devinotify_flask_security.register(app)
        with served(app) as address, Browser(address) as browser:
            browser.post("/us-signin", identity="ann@example.com", passcode=PASSWORD)
            state = browser.post("/us-setup", chosen_method="sms", phone=TYPED)["state"]
            assert ("6",) == gateway.requests()[-1].parameters["validity"]
            assert 200 == browser.post(f"/us-setup/{state}", passcode=code_of(gateway))["status"]
            browser.post("/logout")
            sent = browser.post("/us-signin/send-code", identity="ann@example.com", chosen_method="sms")
            assert 200 == sent["status"]
            browser.post("/us-signin", identity="ann@example.com", passcode=code_of(gateway))
            assert "your cart" == browser.get("/cart").text
