"""A record as it was when it was logged: frozen in the caller's thread, understood in the sender's. Pure.

``freeze`` takes what may change later (arguments, the exception) and nothing else, since the program waits for it.
``Event.of`` does the rest: it reads what structlog, loguru and QueueHandler make of a record.
"""

from __future__ import annotations

import json
import re
from sys import exception
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping
    from logging import LogRecord
    from types import TracebackType

LONGEST = 4000
"""Characters of a text that are kept: a full queue of them is a few megabytes, and an alert shows far fewer."""

Kind = tuple[str, int, str, str, str]
"""What equal records share: logger, level, message template, exception type, place."""


class Frozen(NamedTuple):
    """What an alert needs of a record; a tuple, since the program waits while it is made.

    ``template`` is the message before its arguments, or structlog's event dictionary. ``formatted`` is the text by a
    formatter of the user's own, or ``None``. ``error`` is the exception's type, where it was raised, and its text.
    """

    logger: str
    level: int
    level_name: str
    template: str | Mapping[str, Any]
    message: str
    created: float
    file: str
    line: int
    function: str
    error: tuple[str, str, str] | None
    formatted: str | None


class Event(NamedTuple):
    """A record as an alert shows it; ``error`` is the exception's type, ``where`` its last frame, ``why`` its text.

    ``formatted`` is the whole text by a formatter of the user's own, or ``None``.
    """

    kind: Kind
    level: int
    level_name: str
    message: str
    created: float
    error: str = ""
    where: str = ""
    why: str = ""
    formatted: str | None = None

    @classmethod
    def of(cls, frozen: Frozen) -> Event:
        """Return the event that a frozen record tells of."""
        error, where, why = frozen.error or ("", "", "")
        place = where or f"{frozen.file}:{frozen.line}"
        message, template = frozen.message, frozen.template
        if isinstance(template, str):
            structured = _parse_json(message)
            if structured is not None:
                message, template = _in_words(structured)
            else:
                plain = _without_prefix(message, frozen)
                if plain is not None or (not error and "\nTraceback (most recent call last):" in message):
                    message, told = split_traceback(message if plain is None else plain)
                    template = message
                    if not error and told is not None:
                        error, where, why = told
                        place = where or place
        else:
            message, template = _in_words(template)
        kind = (frozen.logger, frozen.level, template[:LONGEST], error, place)
        return cls(
            kind,
            frozen.level,
            frozen.level_name,
            message.strip(),
            frozen.created,
            error,
            where,
            why,
            frozen.formatted,
        )


def freeze(record: LogRecord, formatted: str | None = None) -> Frozen:
    """Return what an alert needs of a record, as it is now; raises what ``getMessage`` raises."""
    template = record.msg
    message: str
    error = None
    if record.exc_info:
        error = summarize(record.exc_info)
    if isinstance(template, str):
        message = template % record.args if record.args else template
    elif isinstance(template, dict) and "event" in template:  # structlog's, on its way to ProcessorFormatter
        given = template.get("exc_info")
        if given is True:
            given = exception()
        template = {str(key): _short(value) for key, value in template.items() if key != "exc_info"}
        message = ""
        if error is None:
            error = summarize(given)
    else:
        # An exception or another object is told by its text alone.
        message = record.getMessage()
        template = message
    return Frozen(
        record.name,
        record.levelno,
        record.levelname,
        template,
        message[:LONGEST],
        record.created,
        record.filename,
        record.lineno,
        record.funcName or "",
        error,
        None if formatted is None else formatted[:LONGEST],
    )


def summarize(given: object) -> tuple[str, str, str] | None:
    """Return an exception's type, the frame that raised it (``jobs.py:42 in run``), and its text; ``None`` for none.

    ``given`` is an exception, or what ``sys.exc_info()`` returns.
    """
    value: object
    trace: TracebackType | None
    if isinstance(given, BaseException):
        value, trace = given, given.__traceback__
    elif isinstance(given, tuple) and len(given) == 3 and isinstance(given[1], BaseException):
        value, trace = given[1], given[2]
    else:
        return None
    where = ""
    if trace is not None:
        while trace.tb_next is not None:
            trace = trace.tb_next
        code = trace.tb_frame.f_code
        where = f"{_base_name(code.co_filename)}:{trace.tb_lineno} in {code.co_name}"
    return type(value).__name__, where, _short(value)


_FRAME = re.compile(r'^\s*File "([^"]*)", line (\d+)(?:, in (.+))?$', re.MULTILINE)
_RAISED = re.compile(r"^([A-Za-z_][\w.]*)(?:: (.*))?$")


def split_traceback(text: str) -> tuple[str, tuple[str, str, str] | None]:
    """Return the text before a printed traceback, and the traceback's summary; ``None`` where there is no traceback."""
    message, mark, trace = text.partition("Traceback (most recent call last):")
    if not mark or (message and not message.endswith("\n")):
        return text, None
    frames = _FRAME.findall(trace)
    where = ""
    if frames:
        file, line, function = frames[-1]
        where = f"{_base_name(file)}:{line}" + (f" in {function}" if function else "")
    # The last line that starts at the margin names the exception; its text may go on below it.
    raised = next((found for line in reversed(trace.splitlines()) if (found := _RAISED.match(line))), None)
    if raised is None:
        return message.rstrip(), ("", where, "")
    return message.rstrip(), (raised[1].rpartition(".")[2], where, raised[2] or "")


_QUIET = frozenset({"event", "level", "log_level", "logger", "timestamp", "message", "msg", "exception", "stack"})


def _in_words(fields: Mapping[str, Any]) -> tuple[str, str]:
    """Return an event dictionary as a line of text, and the template that equal ones share."""
    event = str(fields.get("event", fields.get("message", fields.get("msg", ""))))
    rest = " ".join(f"{key}={value}" for key, value in fields.items() if key not in _QUIET and not key.startswith("_"))
    return (f"{event} {rest}" if rest else event)[:LONGEST], event


def _parse_json(message: str) -> Mapping[str, Any] | None:
    if not (message.startswith("{") and message.endswith("}")):
        return None
    try:
        fields = json.loads(message)
    except ValueError:
        return None
    named = isinstance(fields, dict) and any(isinstance(fields.get(key), str) for key in ("event", "message", "msg"))
    return fields if named else None


_LOGURU = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3} \| [^|]{8,} \| ")


def _without_prefix(message: str, frozen: Frozen) -> str | None:
    """Return a message without the columns that loguru's default format puts before it, or ``None`` without them."""
    match = _LOGURU.match(message)
    place = f"{frozen.logger}:{frozen.function}:{frozen.line} - "
    if match is None or not message.startswith(place, match.end()):
        return None
    return message[match.end() + len(place) :]


def _base_name(path: str) -> str:
    return path.replace("\\", "/").rpartition("/")[2]


def _short(value: object) -> str:
    try:
        return str(value)[:LONGEST]
    except Exception as error:  # noqa: BLE001 - an object that cannot be shown must not keep the alert from going out
        return f"<{type(value).__name__}: no text, {type(error).__name__}>"
