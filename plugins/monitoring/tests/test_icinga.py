"""Icinga 2, run for real with the sample as it is shipped: a disk is full, and the gateway's answer is lost."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from devinotify import Verdict

from tests.hosts import Place, needs, place
from tests.support import NUMBER, lasts_for_ever, until

if TYPE_CHECKING:
    from devinotify.sandbox import Sandbox

pytestmark = [pytest.mark.once, needs("icinga2", "icinga2-bin")]

OBJECTS = """\
object CheckerComponent "checker" {{ }}
object NotificationComponent "notification" {{ }}
include "devinotify.conf"

object CheckCommand "check" {{
  command = [ "{folder}/check", "$what$" ]
}}
object Host "web1" {{
  check_command = "check"
  vars.what = "power"
  vars.sms = true
  check_interval = 1s
  retry_interval = 1s
  max_check_attempts = 1
}}
object Service "disk" {{
  host_name = "web1"
  display_name = "Disk"
  check_command = "check"
  vars.what = "disk"
  check_interval = 1s
  retry_interval = 1s
  max_check_attempts = 1
}}
"""


def command_line(at: Place) -> list[str]:
    """Return the command that runs Icinga in a place."""
    defined = {
        "ConfigDir": at.folder,
        "DataDir": at.folder / "data",
        "LogDir": at.folder / "log",
        "CacheDir": at.folder / "cache",
        "SpoolDir": at.folder / "spool",
        "InitRunDir": at.folder / "run",
        "RunAsUser": at.user,
        "NodeName": "tests",
    }
    constants = [word for name, value in defined.items() for word in ("-D", f"{name}={value}")]
    return ["icinga2", "daemon", "-c", str(at.folder / "icinga2.conf"), "-x", "warning", *constants]


def test_a_full_disk(gateway: Sandbox) -> None:
    """One SMS whose answer is lost, and no second one of it; its end, and a host that is down, are told as well."""
    with place("nagios", gateway) as at:
        at.sample("icinga/devinotify.conf")
        (at.folder / "icinga2.conf").write_text(OBJECTS.format(folder=at.folder), "utf-8")
        for name in ("data", "log", "cache", "spool", "run"):
            (at.folder / name).mkdir()
        at.write_check()
        with at.worker(), at.running("icinga", *command_line(at)):
            disk, power = at.folder / "disk.broken", at.folder / "power.broken"
            at.lose_the_next_answer()
            disk.touch()
            problem = (NUMBER, 'CRITICAL web1/Disk: the disk isn\'t well: 95% "full"')
            assert [problem] == at.arrived(1)
            until(lambda: at.verdicts() == [Verdict.UNKNOWN])
            disk.unlink()
            recovery = (NUMBER, "OK web1/Disk: the disk is well")
            assert [problem, recovery] == at.arrived(2)
            power.touch()
            assert [problem, recovery, (NUMBER, 'DOWN web1: the power isn\'t well: 95% "full"')] == at.arrived(3)
            until(lambda: at.verdicts() == [Verdict.UNKNOWN, Verdict.ACCEPTED, Verdict.ACCEPTED])
        assert 3 == at.posts()
        assert [True] * 3 == [lasts_for_ever(key) for key in at.stored_under()]
        log = (at.folder / "icinga.out").read_text("utf-8")
        assert [] == [line for line in log.splitlines() if "failed" in line or "not defined" in line]
