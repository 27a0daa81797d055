"""Records: what is frozen, and what is read from what other libraries make of them."""

from __future__ import annotations

import json
import logging
import sys
import traceback

import pytest

from devinotify_logging.failures import LONGEST, Failure, place_of, summarize
from devinotify_logging.records import Event, freeze


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
    assert frozen.failure is not None
    assert ("OSError", "[Errno 28] No space left") == (frozen.failure.type, frozen.failure.why)
    assert frozen.failure.where.startswith("test_records.py:")
    assert frozen.failure.where.endswith(" in failing")


def test_exception_without_text() -> None:
    """An exception whose text raises is told by its type."""

    class Mute(Exception):
        def __str__(self) -> str:
            raise RuntimeError

    assert Failure("Mute", "", "<Mute: no text, RuntimeError>") == summarize(Mute())


@pytest.mark.parametrize("given", [None, (None, None, None), True, "text"])
def test_no_exception(given: object) -> None:
    """What is no exception is none."""
    assert None is summarize(given)


def test_long_texts_are_cut() -> None:
    """A message of megabytes takes a few kilobytes in the queue."""
    frozen = freeze(record("x" * 10**6), "y" * 10**6)
    assert frozen.formatted is not None
    assert (LONGEST, LONGEST) == (len(frozen.message), len(frozen.formatted))


def test_end_of_a_long_text_is_kept() -> None:
    """A traceback of hundreds of frames still has its exception."""
    frames = '  File "/app/jobs.py", line 9, in again\n' * 500
    text = f"job failed\nTraceback (most recent call last):\n{frames}RecursionError: too deep"
    event = Event.of(freeze(finished(text)))
    assert ("job failed", Failure("RecursionError", "jobs.py:9 in again", "too deep")) == (event.message, event.failure)


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


def finished(message: str, **attributes: object) -> logging.LogRecord:
    """Return a record whose text is finished, as QueueHandler leaves it."""
    return record(message, **attributes)


def plain(message: str, **attributes: object) -> logging.LogRecord:
    """Return a record of a text without arguments, as a logger makes it."""
    return record(message, args=(), **attributes)


def test_kind_of_a_finished_text() -> None:
    """Where the template is not known, logger, level and place tell equal records."""
    base = Event.of(freeze(finished("full: a"))).kind
    assert base == Event.of(freeze(finished("full: b"))).kind
    loguru = [plain(message, extra={}) for message in ("full: a", "full: b")]
    assert {base} == {Event.of(freeze(one)).kind for one in loguru}
    others = [finished("full: a", **changed) for changed in ({"name": "x"}, {"levelno": 50}, {"lineno": 43})]
    assert 4 == len({base, *(Event.of(freeze(one)).kind for one in others)})


def test_kind_of_a_text_with_an_exception() -> None:
    """The text tells nothing where an exception and its place do; where it is logged still does."""
    error = caught()
    same = [plain(f"order {number} failed", exc_info=(type(error), error, error.__traceback__)) for number in (1, 2)]
    same += [finished(f"order {number} failed\n{printed(error)}") for number in (3, 4)]
    other = plain("giving up", exc_info=(type(error), error, error.__traceback__), lineno=50)
    kinds = [Event.of(freeze(one)).kind for one in (*same, other)]
    assert ({kinds[0]}, True) == (set(kinds[:4]), kinds[0] != kinds[4])


def test_kind_of_a_plain_text() -> None:
    """A text without arguments and exception is its own template, but for the time that it begins with."""
    kinds = [
        Event.of(freeze(plain(message))).kind
        for message in ("2026-11-23 10:00:00,5 a", "2026-11-23 10:00:01,7 a", "2026-11-23 10:00:00,5 b")
    ]
    assert (True, False) == (kinds[0] == kinds[1], kinds[0] == kinds[2])


def printed(error: BaseException) -> str:
    """Return what Python prints of an exception."""
    return "".join(traceback.format_exception(error))


def test_group_is_its_first_leaf() -> None:
    """A group is told, and known, by the first exception inside that is none itself."""
    error = caught()
    groups = [
        ExceptionGroup("unhandled errors in a TaskGroup", [ExceptionGroup("inner", [first, error]), KeyError(5)])
        for first in (error, ValueError("other"), OSError("elsewhere"))
    ]
    events = [Event.of(freeze(record("failed", exc_info=(type(one), one, None)))) for one in groups]
    assert events[0].failure is not None
    assert ("OSError", "[Errno 28] No space left", 2) == (
        events[0].failure.type,
        events[0].failure.why,
        events[0].failure.others,
    )
    assert 3 == len({event.kind for event in events})


@pytest.mark.parametrize("msg", ["failed: %s", "failed: %r"])
def test_exception_among_the_arguments(msg: str) -> None:
    """An exception that is an argument is told like one that was given as such, and the template stays the kind's."""
    error = caught()
    one, two = (Event.of(freeze(record(msg, given))) for given in (error, ExceptionGroup("group", [error, error])))
    assert one.failure is not None
    assert two.failure is not None
    assert ("OSError", 1, msg) == (one.failure.type, two.failure.others, one.kind[2])
    assert None is Event.of(freeze(record("failed: %s", ValueError("never raised")))).failure
    assert None is Event.of(freeze(record("%s and %s", error, error))).failure


def test_object_that_is_an_exception() -> None:
    """``log.error(error)`` tells of the error's type and place too."""
    event = Event.of(freeze(record(caught())))
    assert ("[Errno 28] No space left", "OSError") == (event.message, event.kind[3])


def test_exception_that_was_given_comes_first() -> None:
    """Where an object is logged with an exception, that one is told, whatever the object is."""
    error = caught()
    event = Event.of(freeze(record(KeyError("x"), exc_info=(type(error), error, error.__traceback__))))
    assert "OSError" == event.kind[3]


def test_raised_from() -> None:
    """What an exception was raised from is told, three of them at most, and no circle stops it."""
    try:
        raise LookupError("no order 5") from caught()
    except LookupError as error:
        found = summarize(error)
    assert found is not None
    assert ("LookupError", "OSError: [Errno 28] No space left") == (found.type, found.cause)
    circle = ValueError("a")
    circle.__cause__ = KeyError()
    circle.__cause__.__cause__ = circle
    again = summarize(circle)
    assert again is not None
    assert "KeyError, from ValueError: a, from KeyError" == again.cause


def test_last_own_frame() -> None:
    """Of an exception out of a library the last frame of the program's own code is told."""
    try:
        json.loads("{")
    except ValueError as error:
        found = summarize(error)
    assert found is not None
    assert ("JSONDecodeError", True) == (found.type, found.where.startswith("test_records.py:"))


def test_package_that_logs_is_its_own() -> None:
    """Code that is installed as a package is its own where it logs itself, unless there is code beside it."""
    shop, library = "/v/site-packages/shop/jobs.py", "/v/site-packages/requests/api.py"
    frames = [("/usr/lib/python3.11/threading.py", "1", "run"), (shop, "2", "work"), (library, "3", "get")]
    found = [place_of(frames, home) for home in ("/v/site-packages/shop/log.py", "", library)]
    assert ["jobs.py:2 in work", "api.py:3 in get", "api.py:3 in get"] == found
    assert "app.py:4 in view" == place_of([*frames, ("/srv/app.py", "4", "view"), frames[1]], shop)


def test_asyncio_task() -> None:
    """A task whose exception nobody retrieved is told by the exception, and not by asyncio's repr of the task."""
    error = caught()
    told = "{0}\nfuture: <Task finished name='Task-{1}' coro=<work() done, defined at /app/a.py:5> exception=OSError()>"
    events = [
        Event.of(
            freeze(
                plain(
                    told.format("Task exception was never retrieved", number),
                    name="asyncio",
                    exc_info=(type(error), error, error.__traceback__),
                )
            )
        )
        for number in (1, 2)
    ]
    assert ("Task exception was never retrieved (work)", 1) == (events[0].message, len({one.kind for one in events}))
    assert events[0].failure is not None
    assert "OSError" == events[0].failure.type


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        (
            "Unclosed client session\nclient_session: <aiohttp.client.ClientSession object at 0x7f>",
            "Unclosed client session",
        ),
        ("Executing took 0.2 seconds", "Executing took 0.2 seconds"),
    ],
)
def test_asyncio_without_a_task(message: str, expected: str) -> None:
    """asyncio's other reprs are left out as well, and a message without one stays."""
    assert expected == Event.of(freeze(plain(message, name="asyncio"))).message


def test_structlog_dictionary() -> None:
    """An event dictionary on its way to ProcessorFormatter is the event and its fields, exception included."""
    error = caught()
    event = Event.of(
        freeze(record({"event": "disk full", "host": "db3", "level": "error", "_record": 1, "exc_info": error}))
    )
    assert ("disk full host=db3", "disk full", "OSError") == (event.message, event.kind[2], event.kind[3])


def test_structlog_exc_info_true() -> None:
    """``exc_info=True`` in an event dictionary means the exception that is being handled."""
    try:
        failing()
    except OSError:
        event = Event.of(freeze(record({"event": "disk full", "exc_info": True})))
    assert "OSError" == event.kind[3]


def test_json_message() -> None:
    """A message that is JSON is told in words; its time stamp makes it no other kind."""
    one, two = (
        Event.of(freeze(record(json.dumps({"event": "disk full", "host": "db3", "timestamp": stamp}))))
        for stamp in ("10:00", "10:01")
    )
    assert ("disk full host=db3", one.kind) == (one.message, two.kind)


def test_json_with_a_traceback() -> None:
    """A traceback in an event's field is told as an exception, as a text or as structlog's dictionaries."""
    printed = 'Traceback (most recent call last):\n  File "/app/jobs.py", line 9, in run\nOSError: no space'
    frames = [{"filename": "/app/jobs.py", "lineno": 9, "name": "run", "locals": {"x": "1" * 5000}}]
    stacks = [{"exc_type": "OSError", "exc_value": "no space", "is_cause": False, "frames": frames}]
    for told in (printed, stacks):
        event = Event.of(freeze(record(json.dumps({"event": "job failed", "exception": told}))))
        assert ("job failed", Failure("OSError", "jobs.py:9 in run", "no space")) == (event.message, event.failure)


def test_json_with_a_group() -> None:
    """So is a group in structlog's dictionaries, and what an exception was raised from."""
    cause = {"exc_type": "KeyError", "exc_value": "5", "is_cause": True, "frames": []}
    leaf = {"exc_type": "OSError", "exc_value": "no space", "frames": []}
    group = {"exc_type": "ExceptionGroup", "exc_value": "failed", "exceptions": [[leaf], [leaf], [leaf]]}
    told = [Event.of(freeze(record(json.dumps({"event": "x", "exception": [one, cause]})))) for one in (group, leaf)]
    handled = {"exc_type": "ValueError", "exc_value": "x", "is_cause": False, "frames": []}
    last = Event.of(freeze(record(json.dumps({"event": "x", "exception": [leaf, cause, handled, cause]}))))
    expected = Failure("OSError", "", "no space", 2, "KeyError: 5")
    assert expected._replace(others=0) == last.failure
    assert [expected, expected._replace(others=0)] == [event.failure for event in told]


@pytest.mark.parametrize(
    ("template", "other"),
    [
        ("event='disk full' host='{}' timestamp='{}'", "event='disk fine' host='db3'"),
        ('timestamp={1} level=error event="disk full" host={0}', 'level=error event="disk fine"'),
        ("{1} [error    ] disk full                      [shop.db] host={0}", "[error    ] disk fine       "),
        ("\x1b[2m{1}\x1b[0m [\x1b[31merror\x1b[0m] \x1b[1mdisk full  \x1b[0m host={0}", "[error] disk fine"),
        ('{{"event": "disk full", "host": "{}", "timestamp": "{}"}}', '{"event": "disk fine"}'),
    ],
    ids=["key and value", "logfmt", "console", "console in colours", "JSON"],
)
def test_structlog_renderers(template: str, other: str) -> None:
    """Whatever structlog renders, the event and its fields are told, and equal events are of one kind."""
    stamps = ("2026-11-23T21:09:46.123456Z", "2026-11-23T21:09:47.654321Z")
    one, two = (Event.of(freeze(record(template.format(*told)))) for told in zip(("db3", "db4"), stamps, strict=True))
    assert ["disk full", "host=db3"] == [part.strip() for part in one.message.partition("host=db3")[:2]]
    assert (one.kind, False) == (two.kind, one.kind == Event.of(freeze(record(other))).kind)


@pytest.mark.parametrize("message", ["a=1 b=2", "event=x and more words", "[error] ", "[panic] disk full", "x=1 event"])
def test_other_pairs_are_text(message: str) -> None:
    """What only looks like a rendered event is told as it is."""
    assert message.strip() == Event.of(freeze(record(message))).message


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
    assert ("disk full", Failure("OSError", "jobs.py:9 in step", "no space")) == (event.message, event.failure)


def test_prefix_of_another_place_is_text() -> None:
    """What only looks like loguru's columns stays."""
    text = "2026-11-23 21:09:46.123 | ERROR    | other:run:1 - disk full"
    assert text == Event.of(freeze(record(text))).message


def test_recursion_is_summarised() -> None:
    """The thousand frames of a recursion are walked to the last."""

    def again() -> None:
        again()

    try:
        again()
    except RecursionError:
        found = summarize(sys.exc_info())
    assert found is not None
    assert ("RecursionError", True) == (found.type, found.where.endswith(" in again"))
