"""Which account an app has, and what its settings show of it."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
from devinotify import InvalidURL

from devinotify_celery import settings

if TYPE_CHECKING:
    from pathlib import Path

URL = "devino://login:s3cret@SENDER"


def test_the_apps_own_settings_come_first(app: Any) -> None:
    """As they are written, the outbox beside them."""
    app.conf.update(devinotify_url=URL, devinotify_outbox="/var/sms.db")
    url, outbox = settings.account(app)
    assert ("login", "/var/sms.db") == (url.login, outbox)


@pytest.mark.parametrize("given", ["https://example.com", 7, None])
def test_a_wrong_url_is_told(app: Any, given: Any) -> None:
    """Without a secret in it."""
    app.conf.devinotify_url = given
    with pytest.raises(InvalidURL):
        settings.account(app)


def test_an_entry_that_is_not_there_is_told(app: Any) -> None:
    """With those that are."""
    with pytest.raises(InvalidURL, match="no entry 'alerts': there is none"):
        settings.account(app, "alerts")


def test_settings_show_no_secret(app: Any) -> None:
    """As monitors and ``celery report`` print them; the account is the same as before."""
    app.conf.update(devinotify_url=URL, devinotify_outbox="postgresql://user:pgs3cret@db/sms")
    settings.hide(app)
    settings.hide(app)
    shown = str(app.conf.table(censored=True)) + app.bugreport()
    assert "s3cret" not in shown
    assert "devino://login:***@SENDER" in shown
    url, outbox = settings.account(app)
    assert ("postgresql://user:pgs3cret@db/sms", None) == (url.outbox, outbox)


def test_a_wrong_url_is_left_for_whoever_sends(app: Any) -> None:
    """It is hidden where it is understood."""
    app.conf.devinotify_url = "https://example.com"
    settings.hide(app)
    assert "https://example.com" == app.conf.devinotify_url


SETTINGS = """
SECRET_KEY = "shop"
DEVINOTIFY = {
    "default": {"URL": "devino://one:s3cret@SENDER", "OUTBOX": "/one.db"},
    "alerts": {"URL": "devino://two:s3cret@SENDER"},
    "wrong": "devino://three:s3cret@SENDER",
}
"""
OWN = """
CELERY_DEVINOTIFY_URL = "devino://mine:s3cret@SENDER"
CELERY_DEVINOTIFY_OUTBOX = "postgresql://shop:s3cret@db/shop"
"""
PROGRAM = """
import django
django.setup()
from celery import Celery
from devinotify import InvalidURL
from devinotify_celery import settings as ours
app = Celery("shop")
app.config_from_object("django.conf:settings", namespace="CELERY")
ours.hide(app)
for name in ("default", "alerts", "wrong", "missing"):
    try:
        found = ours.account(app, name)
        print(found.url.login, found.url.outbox, found.outbox)
    except InvalidURL as error:
        print(error)
print("s3cret" in app.bugreport(), "s3cret" in str(app.conf.table()))
"""


def django_says(folder: Path, settings_: str) -> list[str]:
    """Return what the program prints in a Django with these settings."""
    (folder / "shop_settings.py").write_text(settings_)
    variables = {"DJANGO_SETTINGS_MODULE": "shop_settings", "PYTHONPATH": str(folder)}
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        env={**os.environ, **variables}, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert not done.returncode, done.stderr
    return done.stdout.splitlines()


def test_djangos_setting_is_used_where_there_is_one(tmp_path: Path) -> None:
    """Each entry by its name; no secret is printed with the app's settings."""
    assert [
        "one None /one.db",
        "two None None",
        "the account has no URL: set devinotify_url, or URL in DEVINOTIFY, to devino://LOGIN:PASSWORD@SENDER",
        "DEVINOTIFY has no entry 'missing': there is default, alerts, wrong",
        "False False",
    ] == django_says(tmp_path, SETTINGS)


def test_what_the_app_itself_has_comes_first(tmp_path: Path) -> None:
    """In the way that Celery's settings are written in Django, where no secret is printed either."""
    said = django_says(tmp_path, SETTINGS + OWN)
    assert ["mine postgresql://shop:s3cret@db/shop None", "False False"] == [said[0], said[-1]]
