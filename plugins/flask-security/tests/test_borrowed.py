"""Flask-Security's own tests of two-factor, unmodified, which get their codes by SMS from a sandbox."""

from __future__ import annotations

import os
import subprocess
import sys
import tarfile
from importlib.metadata import version
from pathlib import Path
from xml.etree import ElementTree

import pytest

SHIM = Path(__file__).parent / "shim"
QUIET = ("-p", "no:schemathesis", "-p", "no:xdist", "-q")
NAME = "flask-security"
FILE = "tests/test_two_factor.py"
# The same once more by other databases, each with packages of its own.
SELECT = ("-k", "not mongo and not peewee and not fsqlalite")


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The unpacked source distribution of the installed Flask-Security, which has its own tests."""
    folder = tmp_path_factory.mktemp("source")
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--no-binary", NAME]
    done = subprocess.run(
        [*command, "--dest", str(folder), f"{NAME}=={version(NAME)}"],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    if done.returncode and not os.environ.get("CI"):
        pytest.skip(f"Flask-Security's source distribution cannot be fetched: {done.stderr.strip()[-200:]}")
    assert 0 == done.returncode, done.stderr
    with tarfile.open(next(folder.glob("*.tar.gz"))) as archive:
        archive.extractall(folder, filter="data")
    return next(path for path in folder.iterdir() if path.is_dir())


def test_their_own_tests(source: Path, tmp_path: Path) -> None:
    """They pass where the answer to each SMS is lost: the codes are good, and each comes once; a refusal is told."""
    report = tmp_path / "report.xml"
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *QUIET, "-p", "shim_plugin", *SELECT, f"--junit-xml={report}", FILE],
        cwd=source,
        env={**os.environ, "PYTHONPATH": os.pathsep.join((str(source), str(SHIM)))},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert 0 == done.returncode, done.stdout + done.stderr
    (suite,) = ElementTree.parse(report).iter("testsuite")  # noqa: S314 - our own
    assert ("0", "0", "0") == (suite.get("failures"), suite.get("errors"), suite.get("skipped")), done.stdout
    assert {"tests.test_two_factor"} == {each.get("classname") for each in suite}
