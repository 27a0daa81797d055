"""The README: what it shows is what happens."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from devinotify_quiet_hours import FromEnvironment, Night, QuietHours

README = Path(__file__).parents[1].joinpath("README.md").read_text("utf-8")
EXAMPLES = re.findall(r"```python\n(.*?)```\n\n```text\n(.*?)```", README, re.DOTALL)


@pytest.mark.parametrize(("code", "output"), EXAMPLES, ids=[f"example {number}" for number in range(len(EXAMPLES))])
def test_prints_what_it_says(code: str, output: str, tmp_path: Path) -> None:
    """Each example, run as it stands in a process of its own, prints the block that follows it."""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        capture_output=True,
        encoding="utf-8",
        check=False,
        timeout=60,
        cwd=tmp_path,
    )

    assert (output, "", 0) == (done.stdout, done.stderr, done.returncode)


def test_has_no_python_without_output() -> None:
    """Every Python block is an example that is run."""
    assert 3 == len(EXAMPLES) == README.count("```python")


def test_settings_are_settings() -> None:
    """The variables that it exports are understood."""
    environ = dict(re.findall(r"^export (\w+)=(.*)$", README, re.MULTILINE))

    hours = FromEnvironment(environ).quiet_hours()

    assert isinstance(hours, QuietHours)
    assert (Night.parse("21:30-09:00"), {"RU": "Asia/Novosibirsk", "AU": "any"}) == (hours.night, hours.zones)
    assert {"viber": "sms", "viber-sms": "now"} == hours.channels
