"""Texts that another library made of an event: JSON, structlog's renderers, loguru's columns, asyncio's reprs. Pure.

Each is read back into what is told, the template that equal ones share, and the failure that it tells of.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, NamedTuple

from devinotify import text

from devinotify_logging.failures import LONGEST, Failure, causes_of, place_of
from devinotify_logging.tracebacks import split_traceback

if TYPE_CHECKING:
    from collections.abc import Mapping

_sendable = text.sendable  # loaded now: a process that is forked while a thread imports cannot import it any more


class Told(NamedTuple):
    """What a text tells: the ``message``, the ``template`` of equal ones (``None``: unknown), the ``failure``."""

    message: str
    template: str | None
    failure: Failure | None = None


_QUIET = frozenset(
    {"event", "level", "log_level", "logger", "timestamp", "message", "msg", "exception", "exc_info", "stack"}
)
_EVENTS = ("event", "message", "msg")


def in_words(fields: Mapping[str, Any]) -> Told:
    """Return what an event dictionary tells: the event and its fields in a line, and the exception it holds."""
    event = str(next((fields[key] for key in _EVENTS if key in fields), ""))
    rest = " ".join(f"{key}={value}" for key, value in fields.items() if key not in _QUIET and not key.startswith("_"))
    failure = _failure_of(fields.get("exception", fields.get("exc_info")))
    return Told((f"{event} {rest}" if rest else event)[:LONGEST], event, failure)


def read(message: str, place: str, *, asyncio: bool = False) -> Told | None:
    """Return what a text tells that was rendered elsewhere, or ``None`` for a text of the program's own.

    ``place`` is what loguru writes before a message, ``logger:function:line``; ``asyncio`` says that it is asyncio's.
    """
    if asyncio:
        return _asyncio(message)
    return _json(message) or _pairs(message) or _console(message) or _loguru(message, place) or _printed(message)


def _failure_of(value: object) -> Failure | None:
    """Return the failure in an event's field: a printed traceback, or the dictionaries that structlog makes of it."""
    if isinstance(value, str):
        return split_traceback(value.replace("\\n", "\n") if "\n" not in value else value)[1]
    if not (isinstance(value, list) and value and all(isinstance(one, dict) for one in value)):
        return None
    first, *others = value
    causes = []
    for one in others:
        if not one.get("is_cause"):
            break
        causes.append((str(one.get("exc_type", "")), str(one.get("exc_value", ""))))
    leaves = _dictionary_leaves(first)
    leaf = leaves[0]
    frames = [
        (str(frame.get("filename", "")), str(frame.get("lineno", "")), str(frame.get("name", "")))
        for frame in leaf.get("frames") or ()
        if isinstance(frame, dict)
    ]
    return Failure(
        str(leaf.get("exc_type", "")),
        place_of(frames),
        str(leaf.get("exc_value", "")),
        len(leaves) - 1,
        causes_of(causes),
    )


def _dictionary_leaves(first: dict[str, Any]) -> list[dict[str, Any]]:
    inner = [stack[0] for stack in first.get("exceptions") or () if isinstance(stack, list) and stack]
    found = [leaf for one in inner if isinstance(one, dict) for leaf in _dictionary_leaves(one)]
    return found or [first]


def _json(message: str) -> Told | None:
    if not (message.startswith("{") and message.endswith("}")):
        return None
    try:
        fields = json.loads(message)
    except ValueError:
        return None
    named = isinstance(fields, dict) and any(isinstance(fields.get(key), str) for key in _EVENTS)
    return in_words(fields) if named else None


_VALUE = r"""'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"|[^\s'"=]*"""
_PAIR = re.compile(rf"([A-Za-z_][\w.]*)=({_VALUE})(?:\s+|$)")


def _pairs(message: str) -> Told | None:
    """Read what structlog's KeyValueRenderer and LogfmtRenderer write: nothing but ``key=value``, an event among it."""
    fields: dict[str, str] = {}
    at = 0
    while (match := _PAIR.match(message, at)) is not None:
        value = match[2]
        fields[match[1]] = value[1:-1] if value[:1] in ("'", '"') else value
        at = match.end()
    return in_words(fields) if at == len(message) and "event" in fields else None


_CONSOLE = re.compile(
    r"(?:\d{4}-\d\d-\d\d\S*(?: \d\d:\d\d\S*)? +)?\[(?:debug|info|warning|error|critical|exception) *\] "
    r"(?P<event>[^\n]+?) *(?: \[[\w.]+\] *)?(?P<rest>(?: [A-Za-z_][\w.]*=[^\n]*)?)(?:\n|$)"
)


def _console(message: str) -> Told | None:
    """Read what structlog's ConsoleRenderer writes, in colours or not: time, level, event, logger, fields."""
    plain = _sendable(message)
    match = _CONSOLE.match(plain)
    if match is None:
        return None
    return Told((match["event"] + match["rest"]).strip(), match["event"], split_traceback(plain[match.end() :])[1])


_LOGURU = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3} \| [^|]{8,} \| ")


def _loguru(message: str, place: str) -> Told | None:
    """Read a message behind the columns that loguru's default format puts before it."""
    match = _LOGURU.match(message)
    if match is None or not message.startswith(f"{place} - ", match.end()):
        return None
    message, failure = split_traceback(message[match.end() + len(place) + 3 :])
    return Told(message, None, failure)


def _printed(message: str) -> Told | None:
    """Read a traceback that was logged as a text, or made one by QueueHandler."""
    before, failure = split_traceback(message)
    return None if failure is None else Told(before, None, failure)


_COROUTINE = re.compile(r"\bcoro=<([\w.<>]+)")


def _asyncio(message: str) -> Told | None:
    """Leave out the reprs that asyncio puts in lines below a message, and name the coroutine of a task."""
    first, mark, rest = message.partition("\n")
    if not mark or "Traceback (most recent call last)" in rest:
        return _printed(message)
    coroutine = _COROUTINE.search(rest)
    return Told(f"{first} ({coroutine[1].removesuffix('()')})" if coroutine else first, first)
