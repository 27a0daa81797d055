"""What runs checks beside each other for tox: all of them run, and none fails unseen."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.tables import table

BESIDE = Path(__file__).parents[1] / ".ci" / "beside.py"

pytestmark = [
    pytest.mark.once,
    pytest.mark.skipif(not BESIDE.is_file(), reason="a source distribution does not have it"),
]


def says(text: str, code: int = 0) -> str:
    """Return a command that prints a text and ends with a code."""
    return f'"{sys.executable}" -c "print({text!r}); raise SystemExit({code})"'


@table("codes", [(0, 0, 0), (0, 0, 3), (4, 0, 0), (0, 5, 0), (1, 2, 0)])
def test_it_fails_with_any_of_them(codes: tuple[int, int, int]) -> None:
    """Each is run to its end and shown, the last one first; of several that fail one gives the exit code."""
    commands = [says(text, code) for text, code in zip(("types", "names", "tests"), codes, strict=True)]
    done = subprocess.run([sys.executable, BESIDE, *commands], capture_output=True, text=True, check=False, timeout=60)
    shown = [line for line in done.stdout.splitlines() if line and not line.startswith("$")]
    assert ["tests", "types", "names"] == shown
    assert next((code for code in (codes[2], *codes[:2]) if code), 0) == done.returncode
