"""The units for systemd: what systemd says of them, and that their services come up with what they are given."""

from __future__ import annotations

import re
import shutil
import signal
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from devinotify import Message, Outbox
from devinotify.cli.exits import ExitCode
from devinotify.sandbox import Sandbox
from tests.supervisors import PATIENCE, Manager
from tests.tables import table
from tests.units import PROGRAM, settings, started

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / "contrib/systemd"
UNITS = sorted([*FOLDER.glob("*.service"), *ROOT.glob("plugins/*/contrib/systemd/*.service")])
FAILED = FOLDER / "devinotify-failed@.service"
SERVICES = [unit for unit in UNITS if unit != FAILED]
"""Those that run until they are stopped."""
NUMBER = "+79161234567"
MOST = 15
"""Tenths of systemd's measure of exposure, from 0 to 100: what is left is the network, and that all share one root."""

pytestmark = [
    pytest.mark.once,
    pytest.mark.skipif(not FOLDER.is_dir(), reason="the tests run without their checkout"),
]
each_unit = pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.stem)
with_systemd = pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd is not installed")


def analyze(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Return what systemd-analyze says; it needs no systemd that runs."""
    command = ["systemd-analyze", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)


@pytest.fixture
def manager(tmp_path: Path) -> Iterator[Manager]:
    """Give a manager that listens at a path."""
    with Manager(tmp_path / "notify") as found:
        yield found


def test_there_is_one_for_each_service() -> None:
    """Each is where the distribution that brings its command takes it from."""
    names = ["devinotify-failed@", "devinotify-sandbox", "devinotify-worker", "devinotify-webhook"]
    assert names == [unit.stem for unit in UNITS]


@with_systemd
@each_unit
def test_systemd_understands_it(unit: Path, tmp_path: Path) -> None:
    """It has nothing to say against a line of it, where the program is there."""
    copy = tmp_path / unit.name
    copy.write_text(unit.read_text("utf-8").replace(PROGRAM, str(shutil.which("true"))), "utf-8")
    said = analyze("verify", "--man=no", str(copy))
    assert (0, []) == (said.returncode, [line for line in said.stderr.splitlines() if unit.name in line])


@with_systemd
def test_the_worker_of_monitoring_is_the_same_unit(tmp_path: Path) -> None:
    """The sample of devinotify-monitoring goes beside it, and says nothing but whose the outbox is."""
    sample = ROOT / "plugins/monitoring/src/devinotify_monitoring/samples/systemd/devinotify-worker.conf"
    unit = tmp_path / "devinotify-worker.service"
    unit.write_text((FOLDER / unit.name).read_text("utf-8").replace(PROGRAM, str(shutil.which("true"))), "utf-8")
    (tmp_path / f"{unit.name}.d").mkdir()
    shutil.copy(sample, tmp_path / f"{unit.name}.d/monitoring.conf")
    said = analyze("verify", "--man=no", str(unit))
    assert (0, []) == (said.returncode, [line for line in said.stderr.splitlines() if "devinotify" in line])
    assert {"DynamicUser": ["no"], "User": ["nagios"]} == settings(sample)


@with_systemd
@each_unit
def test_it_is_exposed_to_little(unit: Path) -> None:
    """By systemd's own measure, at which a unit that says nothing has 9.6."""
    said = analyze("security", "--offline=true", f"--threshold={MOST}", str(unit))
    found = re.search(r"Overall exposure level for \S+ ([\d.]+)", said.stdout)
    assert (0, True) == (said.returncode, found is not None and 10 * float(found[1]) <= MOST), said.stdout + said.stderr


def test_they_are_guarded_alike() -> None:
    """What one of them may not do none of them may; the sandbox reaches nobody elsewhere besides."""
    names = ("Protect", "Restrict", "Private", "System", "Capability", "NoNew", "Lock", "Memory", "Proc", "UMask")
    guards = [{name: value for name, value in settings(unit).items() if name.startswith(names)} for unit in UNITS]
    assert all(guards[0] == each for each in guards[1:])


@table("unit", SERVICES)
def test_its_watchdog_gives_time(unit: Path) -> None:
    """A request with its retries ends well within the watchdog's time, and so does what is under way at the end."""
    found = settings(unit)
    assert (["notify"], ["always"]) == (found["Type"], found["Restart"])
    assert found["WatchdogSec"] in (["5min"], ["1min"])
    assert int(found["TimeoutStopSec"][0]) > 30


def test_the_worker_sends_by_its_unit(tmp_path: Path, manager: Manager) -> None:
    """The account comes from a credential, and the outbox is in the folder that systemd makes for it."""
    with Sandbox() as gateway:
        unit, account = FOLDER / "devinotify-worker.service", {"/etc/devinotify/url": f"{gateway.url}\n"}
        with started(unit, tmp_path, account, manager.environment()) as process:
            manager.until("READY")
            with Outbox(tmp_path / "state/devinotify/outbox.db") as outbox:
                outbox.enqueue(Message("Hello", (NUMBER,)))
            assert gateway.wait(lambda: len(gateway.messages()) == 1, PATIENCE)
            process.send_signal(signal.SIGTERM)
            assert 0 == process.wait(PATIENCE)


def test_a_unit_that_failed_is_told_of(tmp_path: Path) -> None:
    """To whom the account's URL names. A gateway that is away is asked again, and nothing else that may come of it."""
    with Sandbox() as gateway:
        account = gateway.url.replace("?", f"/{NUMBER}?")
        for code, expected in ((0, ["backup.service failed on db-3"]), (4, [])):
            folder = tmp_path / str(code)
            folder.mkdir()
            url = account if code == 0 else account.replace(gateway.gateway, "http://127.0.0.1:9/rest")
            gateway.reset()
            with started(FAILED, folder, {"/etc/devinotify/url": url}, {}, instance="backup.service") as process:
                assert code == process.wait(PATIENCE)
            assert expected == [each.text for each in gateway.messages()]
    assert (["no"], [f"{ExitCode.NOT_SENT:d}"]) == tuple(
        settings(FAILED)[key] for key in ("Restart", "RestartForceExitStatus")
    )


def test_the_sandbox_serves_by_its_unit(tmp_path: Path, manager: Manager) -> None:
    """Its messages are kept in the folder that systemd makes for it; only the port is another here."""
    unit = FOLDER / "devinotify-sandbox.service"
    with started(unit, tmp_path, {}, manager.environment(), "--port", "0") as process:
        manager.until("READY")
        assert (tmp_path / "state/devinotify-sandbox/sandbox.db").is_file()
        process.send_signal(signal.SIGTERM)
        assert 0 == process.wait(PATIENCE)
