"""Which calls are one notification."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devinotify_monitoring import Notice
from devinotify_monitoring.keys import WINDOW, key_of
from tests.support import NUMBER, OTHER, lasts_for_ever

NOTICE = Notice("DOWN web1", "no route", (NUMBER,), ("PROBLEM", "web1", "1", "1764370000"))
PLAIN = Notice("DOWN web1", "no route", (NUMBER,))
GIVEN: dict[str, Any] = {"profile": "nagios", "notice": NOTICE, "to": (NUMBER,), "account": "a@b", "channel": None}


def test_it_shows_nothing() -> None:
    """A key is seen in lists and files: it is a digest."""
    assert lasts_for_ever(key_of(**GIVEN).at(0.0))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("profile", "checkmk"),
        ("notice", Notice("DOWN web1", "no route", (NUMBER,), ("PROBLEM", "web1", "2", "1764370000"))),
        ("to", (OTHER,)),
        ("to", (NUMBER, OTHER)),
        ("account", "c@b"),
        ("channel", "viber"),
        ("given", "incident-17"),
    ],
)
def test_another_notification(name: str, value: object) -> None:
    """Another host, notice, recipient, account or channel makes another key."""
    assert key_of(**GIVEN) != key_of(**{**GIVEN, name: value})


def test_the_same_notification() -> None:
    """The text is no part of it where the host tells more, nor is the order of recipients."""
    again = Notice("DOWN web1", "still no route", (), NOTICE.identity)
    both = {**GIVEN, "to": (NUMBER, OTHER)}
    assert key_of(**both) == key_of(**{**both, "notice": again, "to": (OTHER, NUMBER)})


def test_given() -> None:
    """A key of the operator's own stands for the notice, whatever it says; each recipient has his own all the same."""
    of = {**GIVEN, "given": "incident-17"}
    assert key_of(**of) == key_of(**{**of, "notice": PLAIN, "profile": "zabbix"})
    assert key_of(**of) != key_of(**{**of, "to": (OTHER,)})


def test_texts_alone() -> None:
    """Without anything else the text counts, for a time."""
    key = key_of(**{**GIVEN, "notice": PLAIN})
    assert key != key_of(**{**GIVEN, "notice": Notice("DOWN web1", "no power", (NUMBER,))})
    assert key.at(0.0) != key.at(WINDOW)
    assert key_of(**GIVEN).before(0.0) is None


@given(first=st.floats(0, 1e10), later=st.floats(0, WINDOW, exclude_max=True))
def test_law_of_windows(first: float, later: float) -> None:
    """What comes less than a window later has the same key, or finds the first one's in the window before."""
    key = key_of(**{**GIVEN, "notice": PLAIN})
    assert key.at(first) in (key.at(first + later), key.before(first + later))
