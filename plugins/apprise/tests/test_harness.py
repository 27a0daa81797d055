"""Apprise's own tests, taken from the source distribution of the installed version and run on this plugin."""

from __future__ import annotations

import importlib.util
import logging
import sys
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import apprise
import pytest

from devinotify_apprise import NotifyDevino
from tests.bridge import bridge

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from types import ModuleType

pytestmark = pytest.mark.versions

START = "devino://login:password@SENDER"
FINE: dict[str, Any] = {"instance": NotifyDevino}
REFUSED: dict[str, Any] = {"instance": TypeError}
NOBODY: dict[str, Any] = {"instance": NotifyDevino, "response": False}


def failing(code: int, text: str | None = None, **more: object) -> dict[str, Any]:
    """Return what the harness is told of a gateway that answers with an error."""
    return {
        "instance": NotifyDevino,
        "response": False,
        "requests_response_code": code,
        "requests_response_text": text,
        **more,
    }


URLS: dict[str, dict[str, Any]] = {
    # Nothing, and next to nothing.
    "devino://": REFUSED,
    "devino://:@/": REFUSED,
    "devino://SENDER": REFUSED,
    "devino://login@SENDER/79161234567": REFUSED,
    "devino://:password@SENDER/79161234567": REFUSED,
    "devino://login:password@/79161234567": REFUSED,
    # Targets.
    START: NOBODY,
    f"{START}/": NOBODY,
    f"{START}/12345/nobody": NOBODY,
    f"{START}/79161234567": {**FINE, "privacy_url": "devino://login:****@SENDER/+7916***4567/"},
    f"{START}/+79161234567/": {**FINE, "url_matches": r"^devino://login:password@SENDER/\+79161234567/\?"},
    f"{START}/89161234567": {**FINE, "self": {"targets": ("+79161234567",)}},
    f"{START}/8%20(916)%20123-45-67": {**FINE, "self": {"targets": ("+79161234567",)}},
    f"{START}/79161234567/79161234567/89161234567": {**FINE, "self": {"targets": ("+79161234567",)}},
    f"{START}/79161234567/12345": {**FINE, "self": {"invalid_targets": ("12345",)}},
    f"{START}/79161234567?to=+12125550123,oncall": {**FINE, "url_matches": r"/\+79161234567/\+12125550123/oncall/\?"},
    f"{START}?to=+79161234567;+79161234568": {**FINE, "self": {"targets": ("+79161234567", "+79161234568")}},
    f"{START}?to=79161234567&to=79161234568": {**FINE, "self": {"targets": ("+79161234567", "+79161234568")}},
    f"{START}/a%2Fb/79161234567": {**FINE, "self": {"targets": ("+79161234567",)}},
    # Login, password and sender.
    f"devino://{quote('lo:gin@x/y?z#', safe='')}:{quote('p@ss:w/rd?#%&;', safe='')}@SENDER/79161234567": {
        **FINE,
        "self": {"user": "lo:gin@x/y?z#", "password": "p@ss:w/rd?#%&;"},
    },
    "devino://login:password@My%20Shop/79161234567": {**FINE, "url_matches": "@My%20Shop/"},
    "devino://login:password@79031234567/79161234567": FINE,
    f"{START}/79161234567?from=OTHER": {**FINE, "url_matches": "@OTHER/"},
    f"{START}/79161234567?from=%D0%9C%D0%9E%D0%99": REFUSED,
    "devino://login:password@MUCHTOOLONGASENDER/79161234567": REFUSED,
    "devino://login@SENDER/79161234567?password=secret": {**FINE, "self": {"password": "secret"}},
    "devino://SENDER/79161234567?user=login&pass=secret": {**FINE, "self": {"user": "login"}},
    # devinotify's options.
    f"{START}/79161234567?channel=viber": {**FINE, "self": {"body_maxlen": 1000}},
    f"{START}/79161234567?channel=viber-sms": FINE,
    f"{START}/79161234567?channel=SMS": {**FINE, "self": {"body_maxlen": 2000}},
    f"{START}/79161234567?channel=null": FINE,
    f"{START}/79161234567?channel=pigeon": REFUSED,
    f"{START}/2125550123?region=us": {**FINE, "self": {"targets": ("+12125550123",)}},
    f"{START}/79161234567?region=Russia": REFUSED,
    f"{START}/79161234567?validity=60": {**FINE, "url_matches": "validity=60"},
    f"{START}/79161234567?validity=soon": REFUSED,
    f"{START}/79161234567?transliterate=yes": FINE,
    f"{START}/79161234567?max_segments=2": {**FINE, "url_matches": "max_segments=2"},
    f"{START}/79161234567?max_segments=0": REFUSED,
    f"{START}/79161234567?timeout=10s&patience=5m&poll=1&on_unknown=stop": {**FINE, "url_matches": "on_unknown=stop"},
    f"{START}/79161234567?timeout=never": REFUSED,
    f"{START}/79161234567?chanel=viber": REFUSED,
    f"{START}/79161234567?channel=sms&channel=viber": {**FINE, "self": {"body_maxlen": 1000}},
    f"{START}/79161234567?gateway=http://gateway.example/rest": REFUSED,
    f"{START}/79161234567?ca=/nowhere&gateway=https://127.0.0.1/rest": REFUSED,
    # Apprise's.
    f"{START}/79161234567/79161234568?batch=no": FINE,
    f"{START}/79161234567/79161234568?batch=yes": {**FINE, "url_matches": "batch=yes"},
    f"{START}/79161234567?verify=no": FINE,
    f"{START}/79161234567?rto=5&cto=2.5": {**FINE, "url_matches": "timeout=7.5"},
    f"{START}/79161234567?format=html&overflow=split&emojis=yes": FINE,
    f"{START}/79161234567?format=markdown&overflow=truncate&store=no": FINE,
    f"{START}/79161234567?avatar_url=https://changedetection.example/avatar.png": FINE,
    f"{START}/79161234567?retry=2&wait=0.001&optional=no": FINE,
    # A gateway that says no, says nothing, or says what nobody understands.
    f"{START}/79161234567#1": failing(400, '{"Code": 6, "Desc": "Invalid source address"}'),
    f"{START}/79161234567#2": failing(401, '{"Code": 4, "Desc": "Invalid user login or password"}'),
    f"{START}/79161234567#3": failing(403, '{"Code": 5, "Desc": "Not enough credits"}'),
    f"{START}/79161234567/79161234568#4": failing(500, '{"Code": 9, "Desc": "Internal server error"}'),
    f"{START}/79161234567#5": failing(999, "odd"),
    f"{START}/79161234567#6": failing(200, "<html>"),
    f"{START}/79161234567?batch=no#7": {**FINE, "test_requests_exceptions": True},
    f"{START}/79161234567/79161234568#8": {**FINE, "test_requests_exceptions": True},
}


@pytest.fixture
def address(schema: None) -> Iterator[str]:
    """The base URL of a gateway that asks the harness."""
    with bridge() as gateway:
        yield gateway


def folder_of_tests(source: Path) -> Path:
    """Return the folder of Apprise's tests; older versions name it otherwise."""
    return next(source / name for name in ("tests", "test") if (source / name).is_dir())


def load(path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """Return a module of Apprise's tests; its loggers stay as they were."""
    monkeypatch.syspath_prepend(str(path.parents[1] if path.parent.name == "helpers" else path.parent))
    spec = importlib.util.spec_from_file_location(f"apprise_own_{path.stem}", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    logging.disable(logging.NOTSET)
    for name in [name for name in sys.modules if name.partition(".")[0] == "helpers"]:
        monkeypatch.delitem(sys.modules, name)
    return module


@pytest.mark.parametrize(("url", "meta"), URLS.items())
def test_url_passes(
    url: str, meta: dict[str, Any], address: str, source: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Apprise's tester of URLs is content: made, told, made again, sent in every way, refused, failed."""
    tester = load(folder_of_tests(source) / "helpers" / "rest.py", monkeypatch).AppriseURLTester()
    url = url.partition("#")[0]
    if "gateway=" not in url:
        url += f"{'&' if '?' in url else '?'}gateway={address}"
    tester.run(url, meta, str(tmp_path))


def test_there_are_enough_urls() -> None:
    """At least 40 URLs, good and bad."""
    assert len(URLS) >= 40


@pytest.mark.parametrize("name", ["plugin_verification", "plugin_raw_template_tokens"])
def test_details_pass(name: str, schema: None, source: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Apprise's verification of what plugins say of themselves is content with this one, too."""
    check = getattr(load(folder_of_tests(source) / "test_api.py", monkeypatch), f"test_apprise_details_{name}", None)
    if check is None:
        pytest.skip(f"Apprise {apprise.__version__} does not have this check")
    names = [entry["service_name"] for entry in apprise.Apprise().details()["schemas"]]
    assert NotifyDevino.service_name in names
    check()
