"""Which account an app has, and what its settings show of it."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest
from devinotify import InvalidURL

from devinotify_celery import settings

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


DJANGO = """
import sys
from django.conf import settings
settings.configure(DEVINOTIFY={
    "default": {"URL": "devino://one:p@SENDER", "OUTBOX": "/one.db"},
    "alerts": {"URL": "devino://two:p@SENDER"},
    "wrong": "devino://three:p@SENDER",
})
from celery import Celery
from devinotify import InvalidURL
from devinotify_celery import settings as ours
app = Celery("shop")
app.config_from_object("django.conf:settings", namespace="CELERY")
for name in ("default", "alerts"):
    found = ours.account(app, name)
    print(found.url.login, found.outbox)
for name in ("wrong", "missing"):
    try:
        ours.account(app, name)
    except InvalidURL as error:
        print(error)
settings.CELERY_DEVINOTIFY_URL = "devino://mine:p@SENDER"
other = Celery("other")
other.config_from_object("django.conf:settings", namespace="CELERY")
print(ours.account(other).url.login)
"""


def test_djangos_setting_is_used_where_there_is_one() -> None:
    """Each entry by its name; what the app itself has comes first."""
    done = subprocess.run([sys.executable, "-c", DJANGO], capture_output=True, text=True, timeout=120, check=False)
    assert [
        "one /one.db",
        "two None",
        "the account has no URL: set devinotify_url, or URL in DEVINOTIFY, to devino://LOGIN:PASSWORD@SENDER",
        "DEVINOTIFY has no entry 'missing': there is default, alerts, wrong",
        "mine",
    ] == done.stdout.splitlines(), done.stderr
