"""A command that is forked is as one that starts by itself, to whoever runs it."""

from __future__ import annotations

import os
import signal
import subprocess

import pytest

from tests import forked

pytestmark = [
    pytest.mark.once,
    pytest.mark.skipif(not hasattr(os, "pidfd_open"), reason="it is forked on Linux alone"),
]


@pytest.mark.parametrize("number", [signal.SIGHUP, signal.SIGKILL])
def test_what_ends_it_by_a_signal_is_told(number: signal.Signals) -> None:
    """Killed, it is gone, and has nothing open any more."""
    with subprocess.Popen([*forked.command(), "sandbox", "--port", "0"], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()  # it serves
        process.send_signal(number)
        try:
            rest, _ = process.communicate(timeout=60)
        finally:
            process.kill()
        assert (-number, b"") == (process.returncode, rest)


def shown(folder: str) -> str:
    """Return where a command looks for its configuration in an environment of one variable."""
    line, environment = [*forked.command(), "config", "path"], {"XDG_CONFIG_HOME": folder}
    return subprocess.run(line, env=environment, capture_output=True, text=True, timeout=60, check=False).stdout


def test_it_has_the_environment_of_whoever_asks() -> None:
    """And nothing of another's."""
    told = [shown(folder) for folder in ("/one", "/two")]
    assert [(True, False), (False, True)] == [("/one" in each, "/two" in each) for each in told]
