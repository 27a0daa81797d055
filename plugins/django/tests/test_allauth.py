"""allauth's own tests of phones, unmodified, which get their codes by SMS from a sandbox."""

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
QUIET = ("-p", "no:cacheprovider", "-p", "no:schemathesis", "-p", "no:xdist", "-q")


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The unpacked source distribution of the installed allauth, which has its own tests."""
    wanted = version("django-allauth")
    folder = tmp_path_factory.mktemp("source")
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--no-binary", "django-allauth"]
    done = subprocess.run(
        [*command, "--dest", str(folder), f"django-allauth=={wanted}"],
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    if done.returncode and not os.environ.get("CI"):
        pytest.skip(f"allauth's source distribution cannot be fetched: {done.stderr.strip()[-200:]}")
    assert 0 == done.returncode, done.stderr
    with tarfile.open(next(folder.glob("*.tar.gz"))) as archive:
        archive.extractall(folder, filter="data")
    return next(path for path in folder.iterdir() if path.is_dir())


FILES = tuple(f"tests/apps/{app}/test_phone.py" for app in ("account", "headless/account", "socialaccount"))


@pytest.mark.long
def test_their_own_tests(source: Path, tmp_path: Path) -> None:
    """They pass, all of them, where the answer to each SMS is lost: the codes are good, and each comes once."""
    shim = ("-p", "shim_plugin", "--ds=shim_settings")
    report = tmp_path / "report.xml"
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *QUIET, *shim, f"--junit-xml={report}", *FILES],
        cwd=source,
        env={**os.environ, "PYTHONPATH": str(SHIM), "SHIM_OUTBOX": str(tmp_path / "sms.db")},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert 0 == done.returncode, done.stdout + done.stderr
    (suite,) = ElementTree.parse(report).iter("testsuite")  # noqa: S314 - our own
    assert ("0", "0", "0") == (suite.get("failures"), suite.get("errors"), suite.get("skipped")), done.stdout
    assert {name.removesuffix(".py").replace("/", ".") for name in FILES} == {each.get("classname") for each in suite}
