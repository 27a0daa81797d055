"""The scripts of Zabbix and Checkmk, as they are shipped, called as these call them."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.hosts import place
from tests.support import NUMBER, PATIENCE
from tests.test_command import CHECKMK

if TYPE_CHECKING:
    from devinotify.sandbox import Sandbox

pytestmark = pytest.mark.once


@pytest.mark.parametrize("subject", ["Problem: disk of web1", "-5 degrees: $(id) 'web1' \"x\""])
def test_zabbix(subject: str, gateway: Sandbox) -> None:
    """The three parameters arrive as they are, whatever is in them."""
    with place("nobody", gateway) as at:
        script = at.sample("zabbix/devinotify.sh")
        command = at.as_user([str(script), NUMBER, subject, "on web1\r\nkey: 17.PROBLEM"])
        for _ in range(2):
            done = subprocess.run(command, env=at.environment(), capture_output=True, timeout=PATIENCE, check=False)
            assert (0, b"") == (done.returncode, done.stderr)
    assert [(NUMBER, f"{subject}: on web1")] == [(each.recipient, each.text) for each in gateway.messages()]


def test_checkmk(gateway: Sandbox) -> None:
    """The plugin works with the variables that Checkmk documents, and with the site's own for its programs."""
    with place("nobody", gateway) as at:
        (at.folder / "etc/devinotify").mkdir(parents=True)
        at.url_file.rename(at.folder / "etc/devinotify/url")
        at.own()
        script = at.sample("checkmk/devinotify", "plugin")
        site = {"OMD_ROOT": str(at.folder), "PYTHONPATH": "/nowhere", "PYTHONHOME": "/nowhere"}
        for _ in range(2):
            done = subprocess.run(
                at.as_user([str(script)]),
                env={**at.environment(), **CHECKMK, **site},
                capture_output=True,
                timeout=PATIENCE,
                check=False,
            )
            assert (0, b"") == (done.returncode, done.stderr)
    assert ["CRITICAL web1/Filesystem /: Used: 95% - 19 of 20 GiB (!!)"] == [each.text for each in gateway.messages()]
