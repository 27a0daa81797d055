"""Records: what is frozen, and what is read from what other libraries make of them."""

from __future__ import annotations

import json
import logging
import sys

import pytest

from devinotify_logging.records import LONGEST, Event, freeze, split_traceback, summarize


def record(msg: object = "disk full on %s", *args: object, **attributes: object) -> logging.LogRecord:
    """Return a record as a logger makes it."""
    made = logging.LogRecord("shop.db", logging.ERROR, "/app/jobs.py", 42, msg, args or None, None, "run")
    made.__dict__.update(attributes)
    return made


def failing() -> None:
    """Raise an error, from a frame that can be named."""
    raise OSError(28, "No space left")


def caught() -> OSError:
    """Return an error with its traceback."""
    try:
        failing()
    except OSError as error:
        return error
    raise AssertionError


def test_freezes_arguments() -> None:
    """What an argument becomes later does not change the message."""
    hosts = ["db3"]
    frozen = freeze(record("full: %s", hosts))
    hosts.append("db4")
    assert ("full: ['db3']", "full: %s") == (frozen.message, frozen.template)


def test_freezes_an_exception() -> None:
    """Of an exception the type, the place that raised it and its text are kept, and no frame."""
    error = caught()
    frozen = freeze(record("failed", exc_info=(type(error), error, error.__traceback__)))
    assert frozen.error is not None
    assert ("OSError", "[Errno 28] No space left") == (frozen.error[0], frozen.error[2])
    assert frozen.error[1].startswith("test_records.py:")
    assert frozen.error[1].endswith(" in failing")


def test_exception_without_text() -> None:
    """An exception whose text raises is told by its type."""

    class Mute(Exception):
        def __str__(self) -> str:
            raise RuntimeError

    assert ("Mute", "", "<Mute: no text, RuntimeError>") == summarize(Mute())


@pytest.mark.parametrize("given", [None, (None, None, None), True, "text"])
def test_no_exception(given: object) -> None:
    """What is no exception is none."""
    assert None is summarize(given)


def test_long_texts_are_cut() -> None:
    """A message of megabytes takes a few kilobytes in the queue."""
    frozen = freeze(record("x" * 10**6), "y" * 10**6)
    assert frozen.formatted is not None
    assert (LONGEST, LONGEST) == (len(frozen.message), len(frozen.formatted))


def test_message_may_be_any_object() -> None:
    """An object is told by its text."""
    event = Event.of(freeze(record(ValueError("bad"))))
    assert ("bad", "bad") == (event.message, event.kind[2])


def test_kind_is_the_template() -> None:
    """Records with other arguments are of one kind; another logger, level, template, type or place is another."""
    base = Event.of(freeze(record("full: %s", "a"))).kind
    assert base == Event.of(freeze(record("full: %s", "b"))).kind
    error = caught()
    others = [
        record("FULL: %s", "a"),
        record("full: %s", "a", name="shop.api"),
        record("full: %s", "a", levelno=50),
        record("full: %s", "a", lineno=43),
        record("full: %s", "a", exc_info=(type(error), error, error.__traceback__)),
    ]
    kinds = {Event.of(freeze(other)).kind for other in others}
    assert (5, False) == (len(kinds), base in kinds)


def test_structlog_dictionary() -> None:
    """An event dictionary on its way to ProcessorFormatter is the event and its fields, exception included."""
    error = caught()
    event = Event.of(
        freeze(record({"event": "disk full", "host": "db3", "level": "error", "_record": 1, "exc_info": error}))
    )
    assert ("disk full host=db3", "disk full", "OSError") == (event.message, event.kind[2], event.error)


def test_structlog_exc_info_true() -> None:
    """``exc_info=True`` in an event dictionary means the exception that is being handled."""
    try:
        failing()
    except OSError:
        event = Event.of(freeze(record({"event": "disk full", "exc_info": True})))
    assert "OSError" == event.error


def test_json_message() -> None:
    """A message that is JSON is told in words; its time stamp makes it no other kind."""
    one, two = (
        Event.of(freeze(record(json.dumps({"event": "disk full", "host": "db3", "timestamp": stamp}))))
        for stamp in ("10:00", "10:01")
    )
    assert ("disk full host=db3", one.kind) == (one.message, two.kind)


@pytest.mark.parametrize("message", ["{not json}", "{}", '{"a": 1}', "{1: 2}", '{"event": 5}'])
def test_other_braces_are_text(message: str) -> None:
    """What is no event stays as it is."""
    assert message == Event.of(freeze(record(message))).message


def test_loguru_prefix() -> None:
    """loguru's columns of time, level and place are left out, and so is the traceback behind them."""
    text = (
        "2026-11-23 21:09:46.123 | ERROR    | shop.db:run:42 - disk full\n"
        'Traceback (most recent call last):\n  File "/app/jobs.py", line 9, in step\n    x\nOSError: no space'
    )
    event = Event.of(freeze(record(text)))
    assert ("disk full", "disk full", "OSError", "jobs.py:9 in step", "no space") == (
        event.message,
        event.kind[2],
        event.error,
        event.where,
        event.why,
    )


def test_prefix_of_another_place_is_text() -> None:
    """What only looks like loguru's columns stays."""
    text = "2026-11-23 21:09:46.123 | ERROR    | other:run:1 - disk full"
    assert text == Event.of(freeze(record(text))).message


def test_queue_handler_text() -> None:
    """QueueHandler puts the traceback into the message; it is told as a summary again."""
    text = (
        'job failed\nTraceback (most recent call last):\n  File "C:\\app\\jobs.py", line 9\n'
        '  File "/app/deep.py", line 11, in dig\n    x\n    ^\nshop.errors.Lost: first\nsecond line'
    )
    assert ("job failed", ("Lost", "deep.py:11 in dig", "first")) == split_traceback(text)


def test_traceback_without_end() -> None:
    """A traceback that was cut has at least its last frame."""
    text = 'job failed\nTraceback (most recent call last):\n  File "/app/jobs.py", line 9, in run\n    x = '
    assert ("job failed", ("", "jobs.py:9 in run", "")) == split_traceback(text)


def test_no_traceback() -> None:
    """A sentence that mentions one is a sentence."""
    text = "see the Traceback (most recent call last): above"
    assert (text, None) == split_traceback(text)


def test_recursion_is_summarised() -> None:
    """The thousand frames of a recursion are walked to the last."""

    def again() -> None:
        again()

    try:
        again()
    except RecursionError:
        found = summarize(sys.exc_info())
    assert found is not None
    assert ("RecursionError", True) == (found[0], found[1].endswith(" in again"))
