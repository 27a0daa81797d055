"""Nagios 4, run for real with the sample as it is shipped: a disk is full, and the gateway's answer is lost."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from devinotify import Verdict

from tests.hosts import Place, needs, place
from tests.support import NUMBER, OTHER, lasts_for_ever, until

if TYPE_CHECKING:
    from devinotify.sandbox import Sandbox

pytestmark = [pytest.mark.once, needs("nagios4", "nagios4-core")]

SETTINGS = """\
cfg_file={folder}/objects.cfg
cfg_file={folder}/devinotify.cfg
log_file={folder}/nagios.log
object_cache_file={folder}/objects.cache
precached_object_file={folder}/objects.precache
status_file={folder}/status.dat
command_file={folder}/nagios.cmd
check_result_path={folder}/checkresults
temp_path={folder}
temp_file={folder}/nagios.tmp
lock_file={folder}/nagios.pid
query_socket={folder}/nagios.qh
retain_state_information=0
use_syslog=0
log_notifications=1
check_external_commands=0
interval_length=1
enable_notifications=1
enable_flap_detection=0
check_for_updates=0
illegal_macro_output_chars=`~$&|'"<>
enable_environment_macros={environment}
"""
"""What a test has to say of its own: paths, and minutes that last a second."""

OBJECTS = """\
define timeperiod {{
    timeperiod_name  24x7
    alias            always
    sunday           00:00-24:00
    monday           00:00-24:00
    tuesday          00:00-24:00
    wednesday        00:00-24:00
    thursday         00:00-24:00
    friday           00:00-24:00
    saturday         00:00-24:00
}}
define command {{
    command_name  check-disk
    command_line  {folder}/check disk
}}
define command {{
    command_name  check-power
    command_line  {folder}/check power
}}
define contact {{
    contact_name                   second
    pager                          {other}
    host_notification_period       24x7
    service_notification_period    24x7
    host_notification_options      d,u,r
    service_notification_options   w,u,c,r
    host_notification_commands     devinotify-alert-by-arguments
    service_notification_commands  devinotify-alert-by-arguments
}}
define host {{
    host_name              web1
    address                127.0.0.1
    check_command          check-power
    check_interval         1
    max_check_attempts     1
    check_period           24x7
    notification_period    24x7
    notification_interval  0
    contacts               second
}}
define service {{
    host_name              web1
    service_description    Disk
    check_command          check-disk
    check_interval         1
    retry_interval         1
    max_check_attempts     1
    check_period           24x7
    notification_period    24x7
    notification_interval  0
    contacts               oncall
}}
"""


def set_up(at: Place) -> None:
    """Write Nagios' files."""
    at.sample("nagios/devinotify.cfg")
    (at.folder / "checkresults").mkdir()
    (at.folder / "nagios.cfg").write_text(SETTINGS.format(folder=at.folder, environment=1), "utf-8")
    (at.folder / "objects.cfg").write_text(OBJECTS.format(folder=at.folder, other=OTHER), "utf-8")
    at.write_check()


def test_a_full_disk(gateway: Sandbox) -> None:
    """One SMS whose answer is lost, and no second one of it; its end, and a host that is down, are told as well.

    The service is told by variables, the host by arguments, to another contact.
    """
    with place("nagios", gateway) as at:
        set_up(at)
        with at.worker(), at.running("nagios", "nagios4", str(at.folder / "nagios.cfg")):
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
            # By arguments Nagios takes from an output what a shell would understand.
            assert [problem, recovery, (OTHER, "DOWN web1: the power isnt well: 95% full")] == at.arrived(3)
            until(lambda: at.verdicts() == [Verdict.UNKNOWN, Verdict.ACCEPTED, Verdict.ACCEPTED])
        assert 3 == at.posts()
        assert [True] * 3 == [lasts_for_ever(key) for key in at.stored_under()]
        assert "exited with return code" not in (at.folder / "nagios.log").read_text("utf-8")
