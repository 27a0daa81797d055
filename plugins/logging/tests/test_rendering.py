"""Rendering: what stands on the phone, within its segments."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from devinotify import text as texts
from hypothesis import given
from hypothesis import strategies as st

from devinotify_logging import rendering
from devinotify_logging.failures import Failure
from devinotify_logging.records import Event
from devinotify_logging.rendering import Style, render
from devinotify_logging.storm import Alert, Rest

STYLE = Style("billing", "web1")
KIND = ("shop", 40, "t", "", "f:1")


def alert(
    message: str = "disk full",
    *,
    times: int = 1,
    suppressed: int = 0,
    dropped: int = 0,
    formatted: str | None = None,
    **failure: str,
) -> Alert:
    """Return an alert of one event."""
    told = Failure(failure.get("error", ""), failure.get("where", ""), failure.get("why", ""))
    made = Event(KIND, 40, "ERROR", message, 0.0, told._replace(cause=failure.get("cause", "")), formatted)
    return Alert(made, times, 60.2, suppressed, dropped)


def rest(*messages: str, untold: int = 7, dropped: int = 0) -> Rest:
    """Return what cannot be told any more."""
    return Rest(
        tuple((alert(message, error="OSError").event, times) for times, message in enumerate(messages, 1)),
        untold,
        dropped,
    )


def test_closing() -> None:
    """The last message has the numbers first, then the worst by name, each on a line, as many as fit."""
    text = rendering.closing(rest("disk full", "no route\nat all", dropped=3), STYLE)
    assert (
        "+7 more from billing@web1:\n+3 dropped, queue full\nERROR disk full OSError\nERROR no route OSError x2"
    ) == text
    many = rendering.closing(rest(*["disk full on the big server"] * 20), Style("billing", "web1", 1))
    assert (1, 4) == (texts.count_segments(many), len(many.split("\n")))


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (rest(untold=0, dropped=3), "+3 dropped, queue full, billing@web1"),
        (rest(untold=2), "+2 more from billing@web1:"),
    ],
)
def test_closing_without_names(given: Rest, expected: str) -> None:
    """What was only counted is a number alone."""
    assert expected == rendering.closing(given, STYLE)


@given(st.lists(st.text(st.characters(), max_size=100), max_size=5), st.integers(1, 3), st.text("биллнг", max_size=30))
def test_closing_always_fits(messages: list[str], segments: int, service: str) -> None:
    """Whatever was logged, the last message is in its segments, begins with the number, and names the worst."""
    style = Style(service or "x", "web1", segments)
    text = rendering.closing(rest(*messages), style)
    assert texts.count_segments(text) <= segments
    assert text.startswith("+7 more from ")
    assert not messages or "\nERROR" in text


def test_in_order() -> None:
    """Level, service, host and message come first, then the exception and its last frame, then its text."""
    told = alert("disk full on db3", error="OSError", where="jobs.py:42 in run", why="No space left")
    assert ("ERROR billing@web1: disk full on db3\nOSError jobs.py:42 in run: No space left") == render(told, STYLE)


def test_notes() -> None:
    """Repetitions and what nobody was shown stand at the end, in GSM-7 where the rest is."""
    text = render(alert(times=47, suppressed=3, dropped=12), STYLE)
    assert ("ERROR billing@web1: disk full\nx47 in 60 s\n+3 more not shown\n+12 dropped, queue full") == text
    assert texts.is_gsm7(text)


def test_late() -> None:
    """A late alert begins with when it happened."""
    moment = datetime(2026, 11, 23, 14, 3, 22, tzinfo=UTC)
    assert "11-23 14:03:22 ERROR billing@web1: disk full" == render(alert(), STYLE, moment)


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ("can’t write “a” — naïve ô…", 'can\'t write "a" - naive o...'),
        ("диск — «полон»", "диск — «полон»"),
        ("diskfull 🔥", "diskfull 🔥"),
    ],
)
def test_cheaper_encoding(message: str, expected: str) -> None:
    """Typography and accents give way where that makes a text GSM-7; Cyrillic and emoji stay as they are."""
    assert f"ERROR billing@web1: {expected}" == render(alert(message), STYLE)


def test_repetitions_keep_their_sign_in_cyrillic() -> None:
    """In a text that is UCS-2 anyway nothing is replaced."""
    assert render(alert("диск полон", times=47), STYLE).endswith("диск полон\n×47 in 60 s")


def test_transliterate() -> None:
    """With ``transliterate`` Cyrillic goes out in Latin letters."""
    text = render(alert("Диск полон"), Style("billing", "web1", transliterate=True))
    assert ("ERROR billing@web1: Disk polon", True) == (text, texts.is_gsm7(text))


def test_own_formatter() -> None:
    """The text by a formatter of the user's own is taken as it is, its traceback in short."""
    formatted = 'SHOP disk full\nTraceback (most recent call last):\n  File "/a/jobs.py", line 4, in run\nOSError: no'
    told = alert("unused", formatted=formatted, times=2)
    assert "SHOP disk full\nOSError jobs.py:4 in run: no\nx2 in 60 s" == render(told, STYLE)


def test_cause() -> None:
    """What an exception was raised from has a line of its own, where there is room for it."""
    told = alert("job failed", error="LookupError", where="jobs.py:42 in run", why="no order 5", cause="KeyError: 5")
    whole = "ERROR billing@web1: job failed\nLookupError jobs.py:42 in run: no order 5\nfrom KeyError: 5"
    assert whole == render(told, STYLE)
    long = alert(
        " ".join(["job"] * 22), error="LookupError", where="jobs.py:42 in run", why="no order 5", cause="KeyError: 5"
    )
    assert render(long, Style("billing", "web1", 1)).endswith("job\nLookupError jobs.py:42 in run: no order 5")


def test_cause_gives_way_first() -> None:
    """A cause that is too long is cut, and nothing else is."""
    told = alert("job failed", error="LookupError", where="jobs.py:42 in run", why="no order 5", cause="word " * 100)
    text = render(told, Style("billing", "web1", 1))
    assert text.startswith("ERROR billing@web1: job failed\nLookupError jobs.py:42 in run: no order 5\nfrom word")
    assert (1, True) == (texts.count_segments(text), text.endswith("..."))


def test_group() -> None:
    """Of a group the number of the exceptions that are not told stands beside the one that is."""
    event = Event(KIND, 40, "ERROR", "failed", 0.0, Failure("OSError", "jobs.py:42 in run", "no space", 2))
    text = render(Alert(event, 1, 0.0), STYLE)
    assert "ERROR billing@web1: failed\nOSError (+2 more) jobs.py:42 in run: no space" == text


def test_says_nothing_twice() -> None:
    """The text of an exception that the message has already is not told again."""
    told = alert("failed: no space left", error="OSError", where="jobs.py:42 in run", why="no space left")
    assert "ERROR billing@web1: failed: no space left\nOSError jobs.py:42 in run" == render(told, STYLE)


def test_exception_text_gives_way_first() -> None:
    """Where not everything fits, the exception's text is cut; message, type and frame stand."""
    told = alert("disk full", error="OSError", where="jobs.py:42 in run", why="word " * 100)
    text = render(told, Style("billing", "web1", 1))
    assert text.startswith("ERROR billing@web1: disk full\nOSError jobs.py:42 in run: word word")
    assert (1, True) == (texts.count_segments(text), text.endswith("..."))


def test_message_gives_way_next() -> None:
    """A message that is too long is cut; type, frame and number stand."""
    told = alert("word " * 200, error="OSError", where="jobs.py:42 in run", times=9)
    text = render(told, Style("billing", "web1", 1))
    assert text.endswith("word...\nOSError jobs.py:42 in run\nx9 in 60 s")
    assert 1 == texts.count_segments(text)


def test_place_gives_way_last() -> None:
    """Where even that is too much, the message is worth more than where the exception was raised."""
    told = alert("disk full on the big server", error="E" * 100, where="f" * 50)
    assert "ERROR billing@web1: disk full on the big server" == render(told, Style("billing", "web1", 1))


def test_secrets_are_masked_before_they_are_cut() -> None:
    """A password is gone, colours and control characters too."""
    text = render(alert("\x1b[31mpassword=hunter2\x1b[0m \x07in\r\n\n\n use"), STYLE)
    assert "ERROR billing@web1: password=*** in\nuse" == text


def test_long_names_are_cut() -> None:
    """A host's name of 60 characters does not take the screen."""
    assert "ERROR bbbbbbbbbbbbbbbbbbbbbbbb@wwwwwwwwwwwwwwwwwwwwwwww: disk full" == render(
        alert(), Style("b" * 60, "w" * 60)
    )


@pytest.mark.parametrize("service", ["billing", "биллинг", "ы" * 60])
def test_paused_is_one_segment(service: str) -> None:
    """The last message of the day fits one segment in any alphabet, and says until when."""
    text = rendering.paused(Style(service, "web1"), 100, datetime(2026, 11, 24, tzinfo=UTC))
    assert (1, True) == (texts.count_segments(text), "alerts paused until 2026-11-24 00:00" in text)


ANYTHING = st.characters()
"""Every code point, halves of surrogate pairs and control characters too."""


@given(
    message=st.text(ANYTHING, max_size=400),
    error=st.text(ANYTHING, max_size=40),
    where=st.text(ANYTHING, max_size=60),
    why=st.text(ANYTHING, max_size=300),
    cause=st.text(ANYTHING, max_size=100),
    others=st.integers(0, 10**6),
    formatted=st.none() | st.text(ANYTHING, max_size=400),
    times=st.integers(1, 10**6),
    dropped=st.integers(0, 10**6),
    segments=st.integers(1, 12),
    transliterate=st.booleans(),
)
def test_always_fits(
    message: str,
    error: str,
    where: str,
    why: str,
    cause: str,
    others: int,
    formatted: str | None,
    times: int,
    dropped: int,
    segments: int,
    transliterate: bool,
) -> None:
    """Whatever was logged, the alert is in its segments, not empty, no longer than Viber takes, and can be sent."""
    event = Event(KIND, 40, "ERROR", message, 0.0, Failure(error, where, why, others, cause), formatted)
    style = Style("billing", "web1", segments, transliterate)
    text = render(Alert(event, times, 60.0, 0, dropped), style)
    assert texts.count_segments(text) <= segments
    assert len(text) <= 1000
    assert times == 1 or f"{times} in 60 s" in text
    assert formatted is not None or text.startswith("ERROR billing@web1:")
    assert text == texts.sendable(text)


@given(st.text(alphabet="é👨‍👩‍👧🏽e\u0301к ", min_size=200, max_size=300))
def test_never_cut_inside_a_character(message: str) -> None:
    """What is left of a message ends where a character that a reader sees ends."""
    told = "ключ" + message  # which keeps all of it UCS-2, and so as it was written
    text = render(alert(told), Style("billing", "web1", 1))
    body = text.removeprefix("ERROR billing@web1: ").removesuffix("…")
    assert told.startswith(body)
    assert not text.endswith("…") or told[len(body)] not in "\u0301\u200d🏽"


def test_numbers_are_cut_last() -> None:
    """Where a name of 24 Cyrillic letters and a time leave no room for the message, the numbers stand."""
    moment = datetime(2026, 11, 23, 14, 3, 22, tzinfo=UTC)
    told = alert("диск полон", times=47, dropped=340)
    text = render(told, Style("ы" * 24, "web1", 1), moment)
    assert text.startswith("11-23 14:03:22 ")
    assert text.endswith("...\n×47 in 60 s\n+340 dropped, queue full")
    assert 1 == texts.count_segments(text)
