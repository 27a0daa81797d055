"""``devinotify outbox migrate``, ``workers`` and ``pace``, over a file."""

from __future__ import annotations

import json
import os
import socket
from typing import TYPE_CHECKING

import pytest

from devinotify.outbox import Outbox
from tests.outbox.support import message

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.cli.conftest import Run


@pytest.fixture
def outbox(tmp_path: Path) -> Iterator[Outbox]:
    """Give an outbox in a file that is there."""
    with Outbox(tmp_path / "outbox.db") as found:
        yield found


def test_a_file_needs_no_migration(run: Run, outbox: Outbox) -> None:
    """It is brought to its version whenever it is opened."""
    shown, told = (run("outbox", "migrate", "--outbox", outbox.name, *more) for more in ((), ("--json",)))
    assert (0, "nothing to do\n") == (shown.exit_code, shown.stdout)
    assert {"before": None, "after": None, "exit_code": 0} == json.loads(told.stdout)


def test_workers_are_listed(run: Run, outbox: Outbox) -> None:
    """Where they run, and what they have in flight."""
    assert "no worker is alive\n" == run("outbox", "workers", "--outbox", outbox.name).stdout
    outbox.enqueue(message())
    outbox.claim()
    shown, told = (run("outbox", "workers", "--outbox", outbox.name, *more) for more in ((), ("--json",)))
    (worker,) = json.loads(told.stdout)["workers"]
    assert (socket.gethostname(), os.getpid(), 1) == (worker["host"], worker["pid"], worker["in_flight"])
    assert (True, True) == (str(os.getpid()) in shown.stdout, "s ago" in shown.stdout)


def test_a_pace_is_set_shown_and_taken_away(run: Run, outbox: Outbox) -> None:
    """For all, or for one account."""
    found = [
        run("outbox", "pace", *arguments, "--outbox", outbox.name).stdout
        for arguments in ((), ("100",), ("2.5", "--account", "me@host/rest"), (), ("off",), ())
    ]
    most = "messages a second at most\n"
    none = "no pace is set\n"
    assert [none, f"100 {most}", f"2.5 {most}", f"100 {most}", none, none] == found
    told = run("outbox", "pace", "--account", "me@host/rest", "--outbox", outbox.name, "--json").stdout
    assert {"pace": 2.5, "account": "me@host/rest", "exit_code": 0} == json.loads(told)


@pytest.mark.parametrize("arguments", [("fast",), ("0",), ("nan",), ("5", "--account", "me")])
def test_what_is_not_a_pace_is_a_usage_error(run: Run, outbox: Outbox, arguments: tuple[str, ...]) -> None:
    """And sets none."""
    assert 2 == run("outbox", "pace", *arguments, "--outbox", outbox.name).exit_code
    assert None is outbox.pace()
