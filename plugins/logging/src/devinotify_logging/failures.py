"""What went wrong, from an exception: its type, the place in the program's own code, its text, its cause. Pure."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import TracebackType

LONGEST = 4000
"""Characters of a text that are kept: a full queue of them is a few megabytes, and an alert shows far fewer."""
MOST_CAUSES = 3
"""Causes that are told of at most, each the cause of the one before it."""

Frame = tuple[str, str, str]
"""Of a frame the file's path, the line and the function, which a syntax error has none of."""


class Failure(NamedTuple):
    """An exception as an alert shows it.

    ``where`` is the frame (``jobs.py:42 in run``), ``why`` the text. Of a group it is the first exception inside, and
    ``others`` says how many more there are. ``cause`` is what it was raised from: ``KeyError: 5``.
    """

    type: str
    where: str
    why: str
    others: int = 0
    cause: str = ""


def summarize(given: object, home: str = "") -> Failure | None:
    """Return what an alert shows of an exception, or of what ``sys.exc_info()`` returns; ``None`` where it is neither.

    ``home`` is the path of the file that logs it: its package is the program's own, wherever it is installed.
    """
    value: object
    trace: TracebackType | None
    if isinstance(given, BaseException):
        value, trace = given, given.__traceback__
    elif isinstance(given, tuple) and len(given) == 3 and isinstance(given[1], BaseException):
        value, trace = given[1], given[2]
    else:
        return None
    first, others = _leaves(value)
    if first is not value:
        trace = first.__traceback__ or trace
    cause = "" if first.__cause__ is None else causes_of(_raised_from(first))
    return Failure(type(first).__name__, _place(trace, home), shown(first), others, cause)


def causes_of(causes: Sequence[tuple[str, str]]) -> str:
    """Return a line of causes, given by type and text, the nearest first: ``KeyError: 5, from OSError: no space``."""
    return ", from ".join(": ".join(filter(None, cause)) for cause in causes[:MOST_CAUSES])


def place_of(frames: Sequence[Frame], home: str = "") -> str:
    """Return the last frame of the program's own code, ``jobs.py:42 in run``; where there is none, the last of all."""
    if not frames:
        return ""
    package = package_of(home)
    own = next((frame for frame in reversed(frames) if not _LIBRARY.search(frame[0])), None)
    if own is None and package:
        own = next((frame for frame in reversed(frames) if package_of(frame[0]) == package), None)
    file, line, function = own or frames[-1]
    return f"{base_name(file)}:{line}" + (f" in {function}" if function else "")


# The standard library, installed packages, and what is frozen into the interpreter.
_LIBRARY = re.compile(
    r"[\\/](?:site|dist)-packages[\\/]|[\\/]lib(?:32|64)?[\\/]python\d[^\\/]*[\\/]"
    r"|[\\/]python[\d.]*[\\/]lib[\\/]|^<frozen ",
    re.IGNORECASE,
)
_PACKAGE = re.compile(r".*[\\/](?:site|dist)-packages[\\/][^\\/]+")


def package_of(path: str) -> str:
    """Return the folder of the installed package that a file belongs to, or nothing."""
    match = _PACKAGE.match(path)
    return match[0] if match else ""


def base_name(path: str) -> str:
    """Return a file's name, of a path of any system."""
    return path.replace("\\", "/").rpartition("/")[2]


def shown(value: object) -> str:
    """Return an object's text, as far as it is kept and can be made."""
    try:
        return str(value)[:LONGEST]
    except Exception as error:  # noqa: BLE001 - an object that cannot be shown must not keep the alert from going out
        return f"<{type(value).__name__}: no text, {type(error).__name__}>"


def _leaves(value: BaseException) -> tuple[BaseException, int]:
    """Return the first exception of a group that is none itself, and how many more of these there are."""
    if not isinstance(value, BaseExceptionGroup):
        return value, 0
    first: BaseException = value
    count = 0
    left: list[BaseException] = [value]
    while left:
        one = left.pop()
        if isinstance(one, BaseExceptionGroup):
            left.extend(reversed(one.exceptions))
        else:
            first, count = (first, count + 1) if count else (one, 1)
    return first, count - 1


def _raised_from(value: BaseException) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    cause = value.__cause__
    while cause is not None and len(found) < MOST_CAUSES:
        found.append((type(cause).__name__, shown(cause)))
        cause = cause.__cause__
    return found


@lru_cache(maxsize=1024)
def _own_name(path: str) -> str | None:
    """Return the name of a file of the program's own, ``None`` for a library's: asked with each exception."""
    return None if _LIBRARY.search(path) else base_name(path)


def _place(trace: TracebackType | None, home: str) -> str:
    traces: list[TracebackType] = []
    while trace is not None:
        traces.append(trace)
        trace = trace.tb_next
    # The program waits meanwhile, and as a rule the last frame is its own.
    for one in reversed(traces):
        code = one.tb_frame.f_code
        name = _own_name(code.co_filename)
        if name is not None:
            return f"{name}:{one.tb_lineno} in {code.co_name}"
    codes = [(one.tb_frame.f_code, one.tb_lineno) for one in traces]
    return place_of([(code.co_filename, str(line), code.co_name) for code, line in codes], home)
