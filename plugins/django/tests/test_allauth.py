"""allauth's own tests of phones, unmodified, which get their codes by SMS from a sandbox."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tarfile
from importlib.metadata import version
from pathlib import Path

import pytest

SHIM = Path(__file__).parent / "shim"
QUIET = ("-p", "no:cacheprovider", "-p", "no:schemathesis", "-p", "no:xdist", "-q")


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The unpacked source distribution of the installed allauth, which has its own tests."""
    wanted = version("django-allauth")
    folder = tmp_path_factory.mktemp("source")
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--no-binary", "django-allauth"]
    done = subprocess.run(
        [*command, "--dest", str(folder), f"django-allauth=={wanted}"], capture_output=True, text=True, check=False
    )
    if done.returncode and not os.environ.get("CI"):
        pytest.skip(f"allauth's source distribution cannot be fetched: {done.stderr.strip()[-200:]}")
    assert 0 == done.returncode, done.stderr
    with tarfile.open(next(folder.glob("*.tar.gz"))) as archive:
        archive.extractall(folder, filter="data")
    return next(path for path in folder.iterdir() if path.is_dir())


def test_their_own_tests(source: Path, tmp_path: Path) -> None:
    """They pass where the answer to each SMS is lost: the codes are good, and each comes once."""
    shim = ("-p", "shim_plugin", "--ds=shim_settings")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *QUIET, *shim, "tests/apps/account/test_phone.py"],
        cwd=source,
        env={**os.environ, "PYTHONPATH": str(SHIM), "SHIM_OUTBOX": str(tmp_path / "sms.db")},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )  # fmt: skip
    assert 0 == done.returncode, done.stdout + done.stderr
    passed = re.search(r"^(\d+) passed", done.stdout, re.MULTILINE)
    assert passed is not None
    assert int(passed[1]) >= 10
