"""``devinotify alert`` in Russian: everything that it says of an alert, of its host and of its setup."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from tests.support import NUMBER, Command, file_of, run

if TYPE_CHECKING:
    from pathlib import Path

    from devinotify.sandbox import Sandbox

RUSSIAN = ("--lang", "ru")
ZABBIX = (*RUSSIAN, "--", NUMBER, "Problem: disk of web1", "/ is 95% full")
NAGIOS = {"NAGIOS_HOSTNAME": "web1", "NAGIOS_HOSTSTATE": "DOWN", "NAGIOS_CONTACTPAGER": NUMBER}
HOSTS = ("zabbix", "checkmk", "nagios", "icinga")
_QUOTED = re.compile(r"Send to|Pager address|\{[A-Z.]+\}")
_ENGLISH = re.compile(r"(?<![\w./])[a-z]{2,} [a-z]{2,}")


def told(line: str, expected: str) -> None:
    """Fail unless this one line says it, and nothing in English but names of fields."""
    assert (1, True) == (len(line.splitlines()), line.removeprefix("devinotify: ").startswith(expected)), line
    assert _ENGLISH.search(_QUOTED.sub("", line)) is None, line


def test_accepted(command: Command) -> None:
    """What has gone out."""
    told(command("zabbix", *ZABBIX).out, "оповещение на +7916***4567 принято\n")


def test_stored(command: Command) -> None:
    """What a worker sends, and what it has already."""
    told(command("nagios", *RUSSIAN, "--key", "1", **NAGIOS).out, "оповещение на +7916***4567 поставлено в очередь")
    told(command("nagios", *RUSSIAN, "--key", "1", **NAGIOS).out, "оповещение на +7916***4567 уже в очереди")


def test_refused(command: Command, gateway: Sandbox) -> None:
    """With the reason, behind which the gateway's own words stand as they came."""
    gateway.add_fault("error", number=NUMBER, code=2)
    line = command("zabbix", *ZABBIX).err.replace("Invalid destination address", "")
    told(line, "оповещение на +7916***4567 отклонено: Sms/Send: неверный параметр")


def test_unknown(command: Command, gateway: Sandbox) -> None:
    """What may have gone out."""
    gateway.add_fault("drop", number=NUMBER, accepts=True)
    told(command("zabbix", *ZABBIX).out, "оповещение на +7916***4567 могло уйти, а могло и не уйти; ")


def test_not_sent(gateway: Sandbox, tmp_path: Path) -> None:
    """What waits, and why; the worker's own log, which is in English, stands before it."""
    url = gateway.url.replace(str(gateway.port), "1")
    command = Command(file_of(f"{url}&outbox={tmp_path / 'alerts.db'}", tmp_path / "url"))
    last = command("zabbix", *ZABBIX).err.splitlines()[-1]
    told(last, "оповещение на +7916***4567 пока не отправлено и остаётся в очереди: не удалось соединиться")


def test_a_number_that_is_none(command: Command) -> None:
    """It is refused before anything is sent."""
    told(command("zabbix", *RUSSIAN, "--", "123", "Problem", "").err, "оповещение на *** не отправлено: ")


@pytest.mark.parametrize("host", HOSTS)
def test_nothing_given(host: str, command: Command) -> None:
    """Why the host may have told nothing."""
    told(command(host, *RUSSIAN).err, f"{host}: ")


@pytest.mark.parametrize("host", HOSTS)
def test_nobody(host: str, command: Command) -> None:
    """Where the host keeps the number."""
    arguments = ("", "Problem", "") if host == "zabbix" else ("HOSTNAME=web1", "HOSTSTATE=DOWN")
    told(command(host, *RUSSIAN, "--", *arguments).err, "некому отправлять: укажите --to или заполните ")


def test_by_the_locale(gateway: Sandbox, tmp_path: Path) -> None:
    """The same without an option, as Zabbix's server is started in it."""
    file = file_of(f"{gateway.url}&outbox={tmp_path / 'alerts.db'}", tmp_path / "url")
    done = run("--profile", "zabbix", "--url-file", str(file), *ZABBIX[2:], LANG="ru_RU.UTF-8", LC_ALL="", LANGUAGE="")
    told(done.out, "оповещение на +7916***4567 принято\n")
