"""What a service manager is told, on a real datagram socket."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

import pytest

from devinotify.systemd import Supervisor
from tests.supervisors import Manager
from tests.tables import table

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such sockets")


@pytest.fixture
def manager(tmp_path: Path) -> Iterator[Manager]:
    """Give a manager that listens at a path."""
    with Manager(tmp_path / "notify") as found:
        yield found


def test_ready_and_what_it_does(manager: Manager) -> None:
    """One datagram has both, so that the one is never seen without the other."""
    Supervisor(manager.address).ready("serving")
    assert {"READY": "1", "STATUS": "serving"} == manager.told()


@pytest.mark.skipif(sys.platform != "linux", reason="abstract sockets are Linux's")
def test_an_abstract_socket() -> None:
    """Where the address begins with @, as with a user's manager of old or a container's."""
    with Manager(f"@devinotify-{os.getpid()}") as manager:
        Supervisor(manager.address).ready("serving")
        assert {"READY": "1", "STATUS": "serving"} == manager.told()


def test_a_status_is_told_once(manager: Manager) -> None:
    """And again when it is another."""
    supervisor = Supervisor(manager.address)
    for status in ("serving", "serving", "in trouble", "in trouble", "serving"):
        supervisor.status(status)
    told = [manager.told(), manager.told(), manager.told(), manager.told(0.01)]
    assert [{"STATUS": "serving"}, {"STATUS": "in trouble"}, {"STATUS": "serving"}, None] == told


def test_a_status_is_one_line(manager: Manager) -> None:
    """A second one would be an order of its own, such as to take another process for the service."""
    Supervisor(manager.address).status("in trouble\nMAINPID=1")
    assert {"STATUS": "in trouble MAINPID=1"} == manager.told()


def test_the_end_is_the_last(manager: Manager) -> None:
    """It is told once, and no status after it says otherwise."""
    supervisor = Supervisor(manager.address)
    supervisor.stopping()
    supervisor.stopping()
    supervisor.status("serving")
    told = [manager.told(), manager.told(0.01)]
    assert [{"STOPPING": "1", "STATUS": "ending after what is under way"}, None] == told


def test_signs_of_life_are_as_many_as_are_of_use(manager: Manager) -> None:
    """Four in the time that the watchdog waits, however often there was occasion for one."""
    now = 1000.0
    supervisor = Supervisor(manager.address, 60.0, clock=lambda: now)
    for _ in range(120):
        supervisor.lives()
        now += 1.0
    told = [manager.told(0.01) for _ in range(9)]
    assert [*[{"WATCHDOG": "1"}] * 8, None] == told


def test_without_a_watchdog_there_are_none(manager: Manager) -> None:
    """Nobody waits for them."""
    Supervisor(manager.address).lives()
    assert manager.told(0.01) is None


@table(
    "environment, expected",
    [
        ({}, None),
        ({"WATCHDOG_USEC": "30000000"}, 30.0),
        ({"WATCHDOG_USEC": "30000000", "WATCHDOG_PID": str(os.getpid())}, 30.0),
        ({"WATCHDOG_USEC": "30000000", "WATCHDOG_PID": "1"}, None),
        ({"WATCHDOG_USEC": "0"}, None),
        ({"WATCHDOG_USEC": "soon"}, None),
        ({"WATCHDOG_USEC": "-1"}, None),
    ],
)
def test_the_environments_watchdog(environment: dict[str, str], expected: float | None) -> None:
    """In microseconds, and of this process alone: a child inherits what is not for it."""
    assert expected == Supervisor.of(environment).watchdog


@table("address", ["/nowhere/notify", "vsock:2:1234", "with\0nul", "x" * 200, ""])
def test_a_manager_that_cannot_be_told_breaks_nothing(address: str) -> None:
    """The service goes on."""
    Supervisor.of({"NOTIFY_SOCKET": address}).ready("serving")
