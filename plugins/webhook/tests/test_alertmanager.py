"""Alertmanager and Prometheus as Debian ships them, against the command in a process of its own."""

from __future__ import annotations

import shutil
import signal
import subprocess
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest
from devinotify import Outbox

from tests.support import NUMBER, PATIENCE, fetch, free_port, listens, running, served, until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from devinotify.sandbox import Sandbox

ALERTMANAGER = shutil.which("prometheus-alertmanager") or shutil.which("alertmanager")

pytestmark = pytest.mark.skipif(
    ALERTMANAGER is None or shutil.which("amtool") is None, reason="Alertmanager is not installed"
)

GROUP_INTERVAL, DEDUPE, REPEAT_INTERVAL = 2, 4, 8
"""Seconds, in the order that they have to have: what is posted again within the group interval is one message."""


def hooks_toml(gateway: Sandbox, folder: Path) -> str:
    """Return the configuration of the receiver."""
    return (
        f'url = "{gateway.url}"\noutbox = "{folder / "alerts.db"}"\n'
        f'[receivers.oncall]\nto = "{NUMBER}"\ndedupe = {DEDUPE}\n'
    )


@contextmanager
def alertmanager(
    folder: Path, hooks: int, name: str = "alertmanager", *, peers: str = "", group_wait: int = 1
) -> Iterator[str]:
    """Yield the URL of an Alertmanager that posts to the receiver on this port; ``peers`` are two ports of a pair."""
    assert ALERTMANAGER is not None
    port = free_port()
    (folder / f"{name}.yml").write_text(
        f"""
route:
  receiver: sms
  group_by: [alertname]
  group_wait: {group_wait}s
  group_interval: {GROUP_INTERVAL}s
  repeat_interval: {REPEAT_INTERVAL}s
receivers:
  - name: sms
    webhook_configs:
      - url: http://127.0.0.1:{hooks}/alertmanager/oncall
""",
        "utf-8",
    )
    own, _, other = peers.partition(" ")
    cluster = [f"--cluster.listen-address={f'127.0.0.1:{own}' if own else ''}"]
    if other:
        # Both post at once: the one that waits for the other's news would post nothing while all is well.
        cluster += [f"--cluster.peer=127.0.0.1:{other}", "--cluster.peer-timeout=0s", "--cluster.settle-timeout=5s"]
    command = [ALERTMANAGER, f"--config.file={name}.yml", f"--storage.path={folder / name}", *cluster]
    with running([*command, f"--web.listen-address=127.0.0.1:{port}"], folder, name) as process:
        url = f"http://127.0.0.1:{port}"
        listens(f"{url}/-/ready", process, folder / f"{name}.log")
        yield url


def written(moment: datetime) -> str:
    """Return a time as amtool takes it."""
    return moment.isoformat(timespec="seconds")


def amtool(url: str, *arguments: str) -> None:
    """Add an alert as a person would."""
    command = ["amtool", f"--alertmanager.url={url}", "alert", "add", *arguments]
    subprocess.run(command, check=True, capture_output=True, timeout=PATIENCE)


def test_firing_grouped_repeated_and_resolved(gateway: Sandbox, tmp_path: Path) -> None:
    """While the receiver is away nothing is lost; then a group is one SMS, and so is each repeat, and its end."""
    port = free_port()
    with alertmanager(tmp_path, port, group_wait=5) as url:
        start = f"--start={written(datetime.now(UTC))}"
        disk = ("DiskFull", "severity=critical", "--annotation=summary=/ is full", start)
        for host in "ab":
            amtool(url, *disk, f"instance={host}")
        with served(tmp_path, hooks_toml(gateway, tmp_path), port=port):
            assert gateway.wait(lambda: len(gateway.messages()) >= 2, PATIENCE)
            # Both at one moment, which is still to come: otherwise the group may be told of in between.
            end = f"--end={written(datetime.now(UTC) + timedelta(seconds=10))}"
            for host in "ab":
                amtool(url, *disk, f"instance={host}", end)
            assert gateway.wait(lambda: "RESOLVED" in gateway.messages()[-1].text, PATIENCE)
            told = [message.text for message in gateway.messages()]
            metrics = fetch(f"http://127.0.0.1:{port}/metrics")[1]
    line = "critical DiskFull: / is full"
    assert [f"FIRING {line}\nFIRING {line}"] * (len(told) - 1) + [f"RESOLVED {line}\nRESOLVED {line}"] == told
    assert 'code="503"' not in metrics
    assert 'code="400"' not in metrics


RULE = """
groups:
  - name: disks
    rules:
      - alert: DiskFull
        expr: vector({value}) > 0
        labels: {{severity: critical}}
        annotations: {{summary: "/ on web1 is 95% full"}}
"""


@contextmanager
def prometheus(folder: Path, targets: list[str]) -> Iterator[subprocess.Popen[bytes]]:
    """Yield a Prometheus whose rule fires, and which tells these Alertmanagers."""
    port = free_port()
    hosts = ", ".join(url.removeprefix("http://") for url in targets)
    (folder / "rules.yml").write_text(RULE.format(value=1), "utf-8")
    (folder / "prometheus.yml").write_text(
        f"""
global: {{evaluation_interval: 1s}}
rule_files: [rules.yml]
alerting:
  alertmanagers:
    - static_configs: [{{targets: [{hosts}]}}]
""",
        "utf-8",
    )
    command = ["prometheus", "--config.file=prometheus.yml", "--storage.tsdb.path=tsdb"]
    # What it tells before it has found its Alertmanagers is told again after a minute otherwise.
    command += ["--rules.alert.resend-delay=1s"]
    with running([*command, f"--web.listen-address=127.0.0.1:{port}"], folder, "prometheus") as process:
        listens(f"http://127.0.0.1:{port}/-/ready", process, folder / "prometheus.log")
        yield process


@pytest.mark.skipif(shutil.which("prometheus") is None, reason="Prometheus is not installed")
@pytest.mark.parametrize("clustered", [True, False], ids=["a pair", "a pair that lost each other"])
def test_a_pair(clustered: bool, gateway: Sandbox, tmp_path: Path) -> None:
    """A rule of Prometheus fires and ends: both Alertmanagers post, and each time there is one SMS."""
    port, one, other = free_port(), free_port(), free_port()
    ports = [f"{one} {other}", f"{other} {one}"] if clustered else ["", ""]
    hooks = f"http://127.0.0.1:{port}"
    with ExitStack() as stack:
        stack.enter_context(
            served(tmp_path, hooks_toml(gateway, tmp_path).replace(f"dedupe = {DEDUPE}", ""), port=port)
        )
        urls = [
            stack.enter_context(alertmanager(tmp_path, port, name, peers=peers))
            for name, peers in zip("ab", ports, strict=True)
        ]
        process = stack.enter_context(prometheus(tmp_path, urls))
        assert gateway.wait(lambda: len(gateway.messages()) == 1, PATIENCE)
        # The window is ten minutes here: the repeats of both are posted, and known.
        until(lambda: known(hooks) >= 1)
        if not clustered:  # one of a cluster does not post what it has heard in time that the other has posted
            until(lambda: all(answered(url) >= 1 for url in urls))
        (tmp_path / "rules.yml").write_text(RULE.format(value=0), "utf-8")
        process.send_signal(signal.SIGHUP)
        assert gateway.wait(lambda: len(gateway.messages()) == 2, PATIENCE)
        before = known(hooks)
        assert before >= 1
    line = "critical DiskFull: / on web1 is 95% full"
    assert [f"FIRING {line}", f"RESOLVED {line}"] == [message.text for message in gateway.messages()]


@pytest.mark.parametrize("clustered", [True, False], ids=["a pair", "a pair that lost each other"])
def test_a_repeat_by_a_pair(clustered: bool, gateway: Sandbox, tmp_path: Path) -> None:
    """Where ``dedupe`` ends before they repeat, what the two post again is told again, and never twice within it."""
    port, one, other = free_port(), free_port(), free_port()
    ports = [f"{one} {other}", f"{other} {one}"] if clustered else ["", ""]
    with ExitStack() as stack:
        stack.enter_context(served(tmp_path, hooks_toml(gateway, tmp_path), port=port))
        urls = [
            stack.enter_context(alertmanager(tmp_path, port, name, peers=peers))
            for name, peers in zip("ab", ports, strict=True)
        ]
        start = f"--start={written(datetime.now(UTC))}"
        with ThreadPoolExecutor() as pool:
            told = ("DiskFull", "severity=critical", "--annotation=summary=/ is full", start)
            list(pool.map(lambda url: amtool(url, *told), urls))
        assert gateway.wait(lambda: len(gateway.messages()) >= 2, PATIENCE)
        if not clustered:  # one of a cluster does not post what it has heard in time that the other has posted
            until(lambda: known(f"http://127.0.0.1:{port}") >= 1)
    with Outbox(tmp_path / "alerts.db") as outbox:
        stored = [outbox.message(row.message_id) for row in outbox.rows()]
    assert {"FIRING critical DiskFull: / is full"} == {each.message.text for each in stored if each is not None}
    times = [each.created_at for each in stored if each is not None]
    assert [] == [later - earlier for earlier, later in pairwise(times) if later - earlier < timedelta(seconds=DEDUPE)]


def known(hooks: str) -> int:
    """Return how many posts were known already."""
    lines = fetch(f"{hooks}/metrics")[1].splitlines()
    return sum(int(line.rpartition(" ")[2]) for line in lines if line.startswith("devinotify_webhook_known_total{"))


def answered(alertmanager: str) -> int:
    """Return how many posts of an Alertmanager were answered 200, by its own account."""
    lines = fetch(f"{alertmanager}/metrics")[1].splitlines()

    def count(name: str) -> int:
        of_webhooks = f'alertmanager_notification_{name}_total{{integration="webhook"}} '
        return sum(int(line.removeprefix(of_webhooks)) for line in lines if line.startswith(of_webhooks))

    return count("requests") - count("requests_failed")
