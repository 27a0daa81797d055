"""The README: what it shows is what happens. Its block, automation and flow are run in ``test_automation``."""

from __future__ import annotations

import re
import subprocess
import sys
from typing import TYPE_CHECKING

from devinotify import Verdict

import devinotify_prefect
from devinotify_prefect import DevinoNotification
from tests.servers import PATIENCE, unmeasured
from tests.support import ONE, README, arrived, example

if TYPE_CHECKING:
    from pathlib import Path

    from devinotify.sandbox import Sandbox

RUN_AND_SENSE = """

@dg.op
def load():
    raise ValueError("no rows")


@dg.job
def nightly():
    load()


with dg.DagsterInstance.ephemeral() as instance:
    done = nightly.execute_in_process(instance=instance, raise_on_error=False)
    (event,) = [event for event in done.all_events if event.event_type_value == "PIPELINE_FAILURE"]
    context = dg.build_run_status_sensor_context("call_the_owner", event, instance, done.dagster_run)
    for _ in range(2):
        call_the_owner(context.for_run_failure())
notifier.close()
"""


def test_dagsters_sensor_sends_once(gateway: Sandbox, tmp_path: Path) -> None:
    """The recipe's sensor, evaluated twice for a job that failed, sends one message."""
    (tmp_path / "dagster").mkdir()
    done = subprocess.run(
        [sys.executable, "-c", example("dagster", gateway) + RUN_AND_SENSE],
        cwd=tmp_path,
        env={**unmeasured(), "DAGSTER_HOME": str(tmp_path / "dagster"), "DAGSTER_DISABLE_TELEMETRY": "1"},
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert 0 == done.returncode, done.stderr
    ((recipient, text),) = arrived(gateway)
    assert (ONE, "nightly", True) == (recipient, text.splitlines()[0], 'Execution of run for "nightly" failed' in text)


def test_the_recipe_has_ten_lines(gateway: Sandbox) -> None:
    """The recipe is as short as it is said to be."""
    assert 10 == len([line for line in example("dagster", gateway).splitlines() if line])


def test_every_example_is_run() -> None:
    """There is no Python that no test runs."""
    assert ["setup", "flow", "dagster"] == re.findall(r"```python ?(\w*)", README)


def test_verdicts_are_all_there() -> None:
    """The table names each verdict."""
    table = README.partition("| verdict |")[2].partition("\n\n")[0]
    assert list(Verdict) == re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE)


def test_fields_are_all_there() -> None:
    """The table names each field."""
    table = README.partition("| field |")[2].partition("\n\n")[0]
    assert list(DevinoNotification.model_fields) == re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE)


def test_public_names() -> None:
    """The package's names are what they are."""
    assert ["DevinoNotification"] == devinotify_prefect.__all__
