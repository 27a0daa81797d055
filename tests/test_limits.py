"""The limit of time of a test holds what it forks too."""

from __future__ import annotations

import os
import signal

import pytest


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork")
@pytest.mark.filterwarnings(
    "ignore:This process .* is multi-threaded:DeprecationWarning"
)  # the child only asks and ends
def test_what_is_forked_is_ended() -> None:
    """A child has an alarm, which nothing of Python's has to be alive for, though it has not the guard's thread."""
    child = os.fork()
    if not child:
        os._exit(0 if signal.alarm(0) else 1)
    assert 0 == os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
