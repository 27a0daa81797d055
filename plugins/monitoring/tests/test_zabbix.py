"""Zabbix, run for real with the samples as they are shipped: a disk is full, and the gateway's answer is lost."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from devinotify import Verdict

from devinotify_monitoring import samples
from tests.hosts import needs, place
from tests.support import NUMBER, lasts_for_ever, until
from tests.zabbix import ADMIN, USUAL_ACTION, running

if TYPE_CHECKING:
    from devinotify.sandbox import Sandbox

pytestmark = [
    pytest.mark.once,
    needs("zabbix_server", "zabbix-server-pgsql"),
    needs("php", "zabbix-frontend-php"),
]
SENT = "1"
"""The status of an alert that Zabbix counts as sent, and tries no more."""


def test_a_full_disk(gateway: Sandbox) -> None:
    """The media type is imported; one SMS whose answer is lost counts as sent, and none is sent again."""
    with place("zabbix", gateway) as at:
        at.sample("zabbix/devinotify.sh")
        with running(at) as zabbix:
            export = dict(samples.found())["zabbix/zbx_media_devinotify.yaml"].decode()
            rules = {"mediaTypes": {"createMissing": True, "updateExisting": True}}
            assert zabbix.ask("configuration.import", format="yaml", source=export, rules=rules)
            (kind,) = zabbix.ask("mediatype.get", filter={"name": "SMS by devinotify"})
            medium = {"mediatypeid": kind["mediatypeid"], "sendto": NUMBER, "active": 0, "severity": 63}
            zabbix.ask("user.update", userid=ADMIN, medias=[{**medium, "period": "1-7,00:00-24:00"}])
            zabbix.ask("action.update", actionid=USUAL_ACTION, status=0)
            (group,) = zabbix.ask("hostgroup.create", name="tests")["groupids"]
            (host,) = zabbix.ask("host.create", host="web1", groups=[{"groupid": group}])["hostids"]
            zabbix.ask("item.create", hostid=host, name="Disk", key_="disk", type=2, value_type=3)
            expression = "last(/web1/disk)>90"
            zabbix.ask("trigger.create", description="/ is full", expression=expression, priority=4)

            at.lose_the_next_answer()
            until(lambda: zabbix.report("web1", "disk", 95))
            problem = (NUMBER, "High web1: / is full")
            assert [problem] == at.arrived(1)
            until(lambda: at.verdicts() == [Verdict.UNKNOWN])
            until(lambda: [SENT] == [alert["status"] for alert in zabbix.ask("alert.get")])
            assert zabbix.report("web1", "disk", 50)
            assert [problem, (NUMBER, "OK web1: / is full")] == at.arrived(2)
            until(lambda: [SENT] * 2 == [alert["status"] for alert in zabbix.ask("alert.get")])
        assert 2 == at.posts()
        assert [True] * 2 == [lasts_for_ever(key) for key in at.stored_under()]
