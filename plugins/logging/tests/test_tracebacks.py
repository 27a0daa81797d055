"""Printed tracebacks: what is read back from Python's own, from those of groups, from loguru's and rich's."""

from __future__ import annotations

import io
import sys
import traceback
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from loguru import logger as loguru_logger
from rich.console import Console

from devinotify_logging.failures import Failure, summarize
from devinotify_logging.tracebacks import split_traceback

if TYPE_CHECKING:
    from collections.abc import Callable


def test_queue_handler_text() -> None:
    """QueueHandler puts the traceback into the message; it is told as a summary again."""
    text = (
        'job failed\nTraceback (most recent call last):\n  File "C:\\app\\jobs.py", line 9\n'
        '  File "/app/deep.py", line 11, in dig\n    x\n    ^\nshop.errors.Lost: first\nsecond line'
    )
    assert ("job failed", Failure("Lost", "deep.py:11 in dig", "first")) == split_traceback(text)


def test_traceback_without_end() -> None:
    """A traceback that was cut has at least its last frame."""
    text = 'job failed\nTraceback (most recent call last):\n  File "/app/jobs.py", line 9, in run\n    x = '
    assert ("job failed", Failure("", "jobs.py:9 in run", "")) == split_traceback(text)


def test_no_traceback() -> None:
    """A sentence that mentions one is a sentence."""
    text = "see the Traceback (most recent call last): above"
    assert (text, None) == split_traceback(text)


def missing() -> None:
    """Raise an error."""
    raise OSError("no space left")


def chained() -> None:
    """Raise an error from another one."""
    try:
        missing()
    except OSError as error:
        raise LookupError("no order 5") from error


def while_handling() -> None:
    """Raise an error while another one is handled, which it does not come from."""
    try:
        missing()
    except OSError:
        raise LookupError("no order 5")  # noqa: B904 - that is what is tested


def grouped() -> None:
    """Raise a group with a group in it."""
    errors: list[Exception] = []
    for call in (chained, missing, while_handling):
        try:
            call()
        except Exception as error:  # noqa: BLE001 - whatever it is
            errors.append(error)
    raise ExceptionGroup("unhandled errors in a TaskGroup", [errors[0], ExceptionGroup("inner", errors[1:])])


CALLS = [missing, chained, while_handling, grouped]


def raised(call: Callable[[], None]) -> tuple[Failure, str]:
    """Return what is told of the exception of a call, and the traceback that Python prints of it."""
    try:
        call()
    except Exception:  # noqa: BLE001 - whatever it is
        found = summarize(sys.exc_info())
        assert found is not None
        return found, traceback.format_exc()
    raise AssertionError


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("before", ["", "failed: ", "failed:\n", "failed\n\n"])
def test_says_the_same_as_the_exception(call: Callable[[], None], before: str) -> None:
    """What is read from a printed traceback is what the exception itself would have told, wherever it stands."""
    failure, printed = raised(call)
    assert (before.strip(": \n"), failure) == split_traceback(before + printed)


@pytest.mark.parametrize("call", CALLS[:3])
@pytest.mark.parametrize("safe", [False, True], ids=["box", "plain box"])
def test_rich(call: Callable[[], None], safe: bool) -> None:
    """rich's boxes are read as well, so that not the first line of the box but the exception is told."""
    console = Console(file=io.StringIO(), width=300, safe_box=safe, legacy_windows=safe)
    try:
        call()
    except Exception:  # noqa: BLE001 - whatever it is
        failure = summarize(sys.exc_info())
        console.print_exception()
    assert isinstance(console.file, io.StringIO)
    assert ("failed", failure) == split_traceback("failed\n" + console.file.getvalue())


@pytest.mark.parametrize("call", CALLS[:3])
def test_loguru(call: Callable[[], None]) -> None:
    """So are loguru's, which mark the frame that caught it and show values between the lines."""
    written: list[str] = []
    number = loguru_logger.add(
        lambda text: written.append(str(text)), format="{message}", diagnose=True, backtrace=True
    )
    try:
        call()
    except Exception:  # noqa: BLE001 - whatever it is
        failure = summarize(sys.exc_info())
        loguru_logger.exception("failed")
    loguru_logger.remove(number)
    assert ("failed", failure) == split_traceback(written[0])


def test_last_frame_of_the_own_code() -> None:
    """The frames of a library and of the standard library are passed by; a traceback of nothing else keeps its last."""
    library = '  File "/v/lib/python3.11/site-packages/requests/api.py", line 73, in get\n    x\n'
    standard = '  File "/usr/lib/python3.11/socket.py", line 962, in getaddrinfo\n    x\n'
    own = '  File "/app/jobs.py", line 4, in run\n    x\n'
    title, end = "Traceback (most recent call last):\n", "OSError: away\n"
    found = [split_traceback(title + frames + end)[1] for frames in (own + library + standard, library + standard)]
    assert [
        Failure("OSError", "jobs.py:4 in run", "away"),
        Failure("OSError", "socket.py:962 in getaddrinfo", "away"),
    ] == (found)


@given(st.text(alphabet='Tracebk (mostcl):\nFile" |+-╭─╮OSError0123,in./', max_size=300))
def test_any_text_is_read(text: str) -> None:
    """Whatever text is given, it is read, and what is told before a traceback is a part of it."""
    message, _ = split_traceback(text)
    assert message in text


def test_time_is_linear() -> None:
    """A text twice as long takes no more than a few times as long to read."""
    import time

    for piece in ("Traceback (most recent call last):\n", ' File "a", line 1\n', "a" * 40, " " * 40, "| + - "):
        taken = []
        for times in (500, 4000):
            start = time.process_time()
            split_traceback("Traceback (most recent call last):\n" + piece * times)
            taken.append(time.process_time() - start)
        assert taken[1] < 40 * taken[0] + 0.2
