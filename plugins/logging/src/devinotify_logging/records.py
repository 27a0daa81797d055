"""A record as it was when it was logged: frozen in the caller's thread, understood in the sender's. Pure.

``freeze`` takes what may change later (arguments, the exception) and nothing else, since the program waits for it.
``Event.of`` does the rest: it reads what structlog, loguru and QueueHandler make of a record.
"""

from __future__ import annotations

import re
from sys import exception
from typing import TYPE_CHECKING, Any, NamedTuple

from devinotify_logging.failures import LONGEST, Failure, shown, summarize
from devinotify_logging.rendered import Told, in_words, read

if TYPE_CHECKING:
    from collections.abc import Mapping
    from logging import LogRecord

LONGEST_JSON = 16 * LONGEST
"""Characters of a JSON text that are kept: cut, it could not be read any more."""
_HEAD = LONGEST // 4
_CUT = "\n[...]\n"

RecordKind = tuple[str, int, str, str, str]
"""What equal records share: logger, level, message template, exception type, place.

Where the template is not known (loguru and QueueHandler hand on finished texts) the place tells equal ones, and so it
does for a text without arguments that comes with an exception: where that was raised, and where it was logged.
"""


class Frozen(NamedTuple):
    """What an alert needs of a record; a tuple, since the program waits while it is made.

    ``template`` is the message before its arguments, or structlog's event dictionary, or ``None`` where somebody
    else put the text together. ``formatted`` is the text by a formatter of the user's own, or ``None``.
    """

    logger: str
    level: int
    level_name: str
    template: str | Mapping[str, Any] | None
    has_arguments: bool
    message: str
    created: float
    file: str
    line: int
    function: str
    failure: Failure | None
    formatted: str | None


class Event(NamedTuple):
    """A record as an alert shows it; ``failure`` is the exception that it tells of.

    ``formatted`` is the whole text by a formatter of the user's own, or ``None``.
    """

    kind: RecordKind
    level: int
    level_name: str
    message: str
    created: float
    failure: Failure | None = None
    formatted: str | None = None

    @classmethod
    def of(cls, frozen: Frozen) -> Event:
        """Return the event that a frozen record tells of."""
        told = _told(frozen)
        failure = frozen.failure or told.failure
        kind = (frozen.logger, frozen.level, *_what(frozen, told, failure))
        return cls(
            kind, frozen.level, frozen.level_name, told.message.strip(), frozen.created, failure, frozen.formatted
        )


def freeze(record: LogRecord, formatted: str | None = None) -> Frozen:
    """Return what an alert needs of a record, as it is now; raises what ``getMessage`` raises."""
    given, args = record.msg, record.args
    template: str | Mapping[str, Any] | None
    failure = summarize(record.exc_info, record.pathname) if record.exc_info else None
    if isinstance(given, str):
        message = given % args if args else given
        template = None if not args and _is_finished(record) else given
        if args and failure is None:
            failure = _among(args, record.pathname)
    elif isinstance(given, dict) and "event" in given:  # structlog's, on its way to ProcessorFormatter
        error = given.get("exc_info")
        if failure is None:
            failure = summarize(exception() if error is True else error, record.pathname)
        template = {str(key): shown(value) for key, value in given.items() if key != "exc_info"}
        message = ""
    else:
        # An exception or another object is told by its text alone.
        message = template = record.getMessage()
        if failure is None:
            failure = _among((given,), record.pathname)
    return Frozen(
        record.name,
        record.levelno,
        record.levelname,
        template,
        bool(args),
        _kept(message),
        record.created,
        record.filename,
        record.lineno,
        record.funcName or "",
        failure,
        None if formatted is None else _kept(formatted),
    )


def _told(frozen: Frozen) -> Told:
    template, message = frozen.template, frozen.message
    if template is not None and not isinstance(template, str):
        return in_words(template)
    place = f"{frozen.logger}:{frozen.function}:{frozen.line}"
    told = read(message, place, asyncio=frozen.logger == "asyncio")
    if told is None:
        return Told(message, template)
    return told._replace(template=template) if frozen.has_arguments else told


_TIME = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d[\d.,]*(?:Z|[+-]\d\d:?\d\d)?")


def _what(frozen: Frozen, told: Told, failure: Failure | None) -> tuple[str, str, str]:
    """Return the template, the exception's type and the place that equal records share."""
    logged = f"{frozen.file}:{frozen.line}"
    raised = failure.where if failure is not None else ""
    kind = failure.type if failure is not None else ""
    structured = not isinstance(frozen.template, str) or told.template not in (None, frozen.template)
    if frozen.has_arguments or (told.template is not None and (structured or not raised)):
        return _TIME.sub("", told.template or "")[:LONGEST], kind, raised or logged
    return "", kind, f"{raised} {logged}" if raised else logged


def _is_finished(record: LogRecord) -> bool:
    """Whether somebody else has put arguments and exception into the text: QueueHandler leaves ``None`` for them.

    A record of loguru's has the ``extra`` of its own.
    """
    return (record.args is None and not record.exc_info) or isinstance(record.__dict__.get("extra"), dict)


def _among(values: object, home: str) -> Failure | None:
    """Return the failure of the one exception among a record's arguments that was raised, or is a group."""
    listed = values if isinstance(values, tuple) else ()
    found = [one for one in listed if isinstance(one, BaseException)]
    if len(found) != 1 or not (found[0].__traceback__ or isinstance(found[0], BaseExceptionGroup)):
        return None
    return summarize(found[0], home)


def _kept(text: str) -> str:
    """Return a text as far as it is kept: its beginning and its end, where a traceback has the exception."""
    if len(text) <= LONGEST or (text.startswith("{") and len(text) <= LONGEST_JSON):
        return text
    return text[:_HEAD] + _CUT + text[_HEAD + len(_CUT) - LONGEST :]
