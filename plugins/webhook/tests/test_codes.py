"""privacyIDEA and eduMFA as they are published, each with a Python of its own: their tokens send through ``/sms``."""

from __future__ import annotations

import json
import os
import re
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from devinotify import RowState

from devinotify_webhook import Webhook, load
from tests.page import block, configuration
from tests.support import NUMBER, OTHER, serving, until

if TYPE_CHECKING:
    from devinotify.sandbox import Sandbox

SERVER = Path(__file__).parent / "code_server.py"
HOSTS = {host: os.environ.get(f"PYTHON_WITH_{host.upper()}") for host in ("privacyidea", "edumfa")}
"""The Python that has each: theirs do not go together, nor with ours. ``tox -e webhook`` makes them."""
FIXED, MORE = "+74951234567", "+79161234568"
TAKEN = {RowState.ACCEPTED, RowState.DELIVERED}
SENT, FAILED = "Enter the OTP from the SMS:", "The PIN was correct, but the SMS could not be sent!"


@pytest.mark.parametrize(
    ("host", "python"),
    [
        pytest.param(host, python, id=host, marks=pytest.mark.skipif(not python, reason=f"no Python with {host}"))
        for host, python in HOSTS.items()
    ],
)
def test_sends_a_code_once(host: str, python: str, gateway: Sandbox, tmp_path: Path) -> None:
    """Accepted and unknown are sent to it, once each; a refused number, and what is not stored, are failures."""
    gateway.add_fault("drop", number=OTHER)
    document = configuration(gateway, tmp_path / "codes.db")
    document["receivers"]["codes"]["limit"] = 2  # so that the last is answered 503
    folder = tmp_path / host
    folder.mkdir()
    hooks = Webhook(load(document))
    with serving(hooks) as base:
        definition = block("privacyIDEA and eduMFA", "json", base).replace("privacyidea.", f"{host}.")
        done = subprocess.run(
            [python, str(SERVER), host, definition, NUMBER, OTHER, FIXED, MORE],
            cwd=folder,
            env={name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "COVERAGE"))},
            capture_output=True,
            text=True,
            check=False,
            timeout=300,
        )
        assert 0 == done.returncode, done.stderr
        outbox = hooks.house.outbox
        wanted = {NUMBER: TAKEN, OTHER: {RowState.UNKNOWN}}
        until(
            lambda: (
                [True] * 2 == [row.state in wanted[row.recipient] for row in outbox.rows() if row.recipient in wanted]
            )
        )
    answers = [tuple(answer) for answer in json.loads(done.stdout.splitlines()[-1])]
    assert [(True, SENT), (True, SENT), (False, FAILED), (False, FAILED)] == answers
    codes = [each for each in gateway.messages() if re.fullmatch(r"Your code: \d{6}", each.text)]
    assert sorted(wanted) == sorted(each.recipient for each in codes)
