"""Settings: which URL, for how long, and how numbers are read."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from devinotify import DevinoURL
from hypothesis import given
from hypothesis import strategies as st

from devinotify_flask_security import settings

if TYPE_CHECKING:
    from typing import Any

START = "devino://login:password@SENDER"
TWO = {"SECURITY_TWO_FACTOR": True, "SECURITY_TWO_FACTOR_SMS_VALIDITY": 120}
UNIFIED = {"SECURITY_UNIFIED_SIGNIN": True, "SECURITY_US_TOKEN_VALIDITY": 301}


@pytest.mark.parametrize(
    ("config", "minutes"),
    [
        ({}, None),
        (TWO, 2),
        (UNIFIED, 6),
        (TWO | UNIFIED, 6),
        (TWO | UNIFIED | {"SECURITY_UNIFIED_SIGNIN": False}, 2),
        (TWO | {"SECURITY_TWO_FACTOR_SMS_VALIDITY": 1}, 1),
        (TWO | {"SECURITY_TWO_FACTOR_SMS_VALIDITY": 0}, None),
        (TWO | {"SECURITY_TWO_FACTOR_SMS_VALIDITY": None}, None),
    ],
)
def test_validity(config: dict[str, Any], minutes: int | None) -> None:
    """A code is worth delivering for as long as the feature that is on says, the longer where both are."""
    assert minutes == settings.validity(config)
    assert minutes == settings.account({"DEVINOTIFY_URL": START, **config}).validity
    assert 9 == settings.account({"DEVINOTIFY_URL": f"{START}?validity=9", **config}).validity


@given(seconds=st.one_of(st.integers(1, 10**9), st.floats(0.001, 1e9)))
def test_validity_is_one_that_a_url_takes(seconds: float) -> None:
    """Whatever is set, it is a validity that the gateway knows, and no code dies before its time."""
    minutes = settings.account({"DEVINOTIFY_URL": START, **TWO, "SECURITY_TWO_FACTOR_SMS_VALIDITY": seconds}).validity
    assert minutes is not None
    assert minutes * 60 >= seconds or minutes == 10_080


@pytest.mark.parametrize(
    "config",
    [
        {"DEVINOTIFY_URL": START},
        {"DEVINOTIFY_URL": DevinoURL.parse(START)},
        {"SECURITY_SMS_SERVICE_CONFIG": {"URL": START}, "DEVINOTIFY_URL": "devino://other:password@SENDER"},
        {"SECURITY_SMS_SERVICE_CONFIG": {"PHONE_NUMBER": None}, "DEVINOTIFY_URL": START},
    ],
)
def test_url(config: dict[str, Any]) -> None:
    """The URL is Flask-Security's place's, else the app's own."""
    assert DevinoURL.parse(START) == settings.account(config)


def test_region_is_the_one_that_the_number_was_checked_by() -> None:
    """Numbers are read as Flask-Security has read them."""
    assert "KZ" == settings.account({"DEVINOTIFY_URL": START, "SECURITY_PHONE_REGION_DEFAULT": "KZ"}).region
