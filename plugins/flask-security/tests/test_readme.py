"""The README: what it shows is what happens."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import devinotify_flask_security
from devinotify_flask_security import settings

if TYPE_CHECKING:
    from devinotify.sandbox import Sandbox

README = Path(__file__).parents[1].joinpath("README.md").read_text("utf-8")


def test_examples_run(gateway: Sandbox) -> None:
    """The app is set up as it stands, and the example after it sends and prints what it says."""
    (app,) = re.findall(r"```python app\n(.*?)```", README, re.DOTALL)
    (code, output) = re.findall(r"```python\n(.*?)```\n\n```text\n(.*?)```", README, re.DOTALL)[0]
    done = subprocess.run(
        [sys.executable, "-c", app + code],
        capture_output=True,
        encoding="utf-8",
        check=False,
        timeout=120,
        env={**os.environ, "DEVINOTIFY_URL": gateway.url},
    )
    assert (output, "", 0) == (done.stdout, done.stderr, done.returncode)
    assert [("+79161234567", "Your password was changed")] == [
        (message.recipient, message.text) for message in gateway.messages()
    ]


def test_has_no_other_python() -> None:
    """Every Python block is one that is run."""
    assert 2 == README.count("```python")


def test_names_every_key() -> None:
    """Every key that is read is in the table."""
    named = set(re.findall(r"^\| `([A-Z_]+)` \|", README, re.MULTILINE))
    read = {settings.URL, settings.SERVICE_CONFIG, settings.REGION, *settings.VALIDITIES.values()}
    assert read | {"SECURITY_SMS_SERVICE"} == named


def test_public_names() -> None:
    """The package's names are what they are."""
    names = devinotify_flask_security.__all__
    assert sorted(names) == names
    assert [] == [name for name in names if not hasattr(devinotify_flask_security, name)]
