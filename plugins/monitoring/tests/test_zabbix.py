"""Zabbix, run for real with the samples as they are shipped: a disk is full, and the gateway's answer is lost."""

from __future__ import annotations

import re
from contextlib import contextmanager
from pathlib import Path
from textwrap import dedent
from typing import TYPE_CHECKING

import pytest
from devinotify import Verdict

from devinotify_monitoring import samples
from tests.hosts import PROGRAMS, needs, place
from tests.support import NUMBER, OTHER, lasts_for_ever, until
from tests.zabbix import ADMIN, USUAL_ACTION, free_port, listens, running

if TYPE_CHECKING:
    from collections.abc import Iterator

    from devinotify.sandbox import Sandbox

    from tests.hosts import Place
    from tests.zabbix import Zabbix

pytestmark = [
    pytest.mark.once,
    needs("zabbix_server", "zabbix-server-pgsql"),
    needs("php", "zabbix-frontend-php"),
]
SENT = "1"
"""The status of an alert that Zabbix counts as sent, and tries no more."""
ALWAYS = {"active": 0, "severity": 63, "period": "1-7,00:00-24:00"}
TOKEN = "a-long-random-token"
README = (Path(__file__).parents[1] / "README.md").read_text("utf-8")


def test_a_full_disk(gateway: Sandbox) -> None:
    """Both media types are imported; one SMS each whose answer is lost counts as sent, and none is sent again."""
    with place("zabbix", gateway) as at, webhook(at) as url:
        at.sample("zabbix/devinotify.sh")
        with running(at) as zabbix:
            zabbix.ask("usermacro.createglobal", macro="{$DEVINOTIFY_TOKEN}", value=TOKEN, type=1)
            mediums = [
                {"mediatypeid": imported(zabbix, name, file, url), "sendto": number, **ALWAYS}
                for name, file, number in (
                    ("SMS by devinotify", "zbx_media_devinotify_script.yaml", NUMBER),
                    ("SMS by devinotify-webhook", "zbx_media_devinotify.yaml", OTHER),
                )
            ]
            zabbix.ask("user.update", userid=ADMIN, medias=mediums)
            (group,) = zabbix.ask("hostgroup.create", name="tests")["groupids"]
            (host,) = zabbix.ask("host.create", host="web1", groups=[{"groupid": group}])["hostids"]
            # Of this host alone: Zabbix watches itself too, and on a slow machine it has something to tell.
            of_host = {"evaltype": 0, "conditions": [{"conditiontype": 1, "operator": 0, "value": host}]}
            zabbix.ask("action.update", actionid=USUAL_ACTION, status=0, filter=of_host)
            zabbix.ask("item.create", hostid=host, name="Disk", key_="disk", type=2, value_type=3)
            expression = "last(/web1/disk)>90"
            zabbix.ask("trigger.create", description="/ is full", expression=expression, priority=4)

            at.lose_the_next_answer()
            at.lose_the_next_answer(OTHER)
            # A value may come between the item and its trigger, and is then compared with nothing.
            until(lambda: zabbix.report("web1", "disk", 95) and zabbix.ask("problem.get"))
            problem = "High web1: / is full"
            assert {(NUMBER, problem), (OTHER, problem)} == set(at.arrived(2))
            until(lambda: at.verdicts() == at.verdicts("webhook.db") == [Verdict.UNKNOWN])
            until(lambda: [SENT] * 2 == zabbix.statuses())
            assert zabbix.report("web1", "disk", 50)
            well = "OK web1: / is full"
            assert {(NUMBER, well), (OTHER, well)} == set(at.arrived(4)[2:])
            until(lambda: [SENT] * 4 == zabbix.statuses())
        assert 4 == at.posts()
        assert [True] * 2 == [lasts_for_ever(key) for key in at.stored_under()]
        # A key that was given is stored as its digest; one that the webhook makes up is not.
        assert [True] * 2 == [
            bool(re.fullmatch(r"webhook\.[0-9a-f]{40}", key)) for key in at.stored_under("webhook.db")
        ]


def imported(zabbix: Zabbix, name: str, file: str, url: str) -> str:
    """Import a media type as it is shipped, but for where the webhook listens; return its id."""
    export = dict(samples.found())[f"zabbix/{file}"].decode().replace("http://127.0.0.1:9876", url)
    rules = {"mediaTypes": {"createMissing": True, "updateExisting": True}}
    assert zabbix.ask("configuration.import", format="yaml", source=export, rules=rules)
    (kind,) = zabbix.ask("mediatype.get", filter={"name": name})
    return str(kind["mediatypeid"])


@contextmanager
def webhook(at: Place) -> Iterator[str]:
    """Run devinotify-webhook with the receiver that the README names; yield where it listens."""
    port = free_port()
    config = at.folder / "hooks.toml"
    (receiver,) = re.findall(r"```toml\n(.*?)```", README, re.DOTALL)
    where = f'listen = "127.0.0.1:{port}"\noutbox = "{at.folder / "webhook.db"}"\n'
    config.write_text(where + dedent(f"   {receiver.strip()}"), "utf-8")
    environment = {"DEVINOTIFY_URL": at.gateway.url, "DEVINOTIFY_DISABLE_PLUGINS": ""}
    with at.running("webhook", str(PROGRAMS / "devinotify"), "webhook", "--config", str(config), **environment):
        until(lambda: listens(port))
        yield f"http://127.0.0.1:{port}"
