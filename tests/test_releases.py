"""What is released: versions in step, and distributions that have all that their sources have."""

from __future__ import annotations

import fcntl
import os
import re
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from pathlib import Path
from typing import Any

import pytest
import yaml

from devinotify.cli.app import COMMANDS
from tests.cli import manuals

ROOT = Path(__file__).parents[1]
FOLDERS = [ROOT, *sorted(path.parent for path in ROOT.glob("plugins/*/pyproject.toml"))]
WORKFLOW = ROOT / ".github/workflows/release.yml"

pytestmark = [
    pytest.mark.once,
    pytest.mark.skipif(not WORKFLOW.is_file(), reason="the tests run without their checkout"),
]


def project(folder: Path) -> dict[str, Any]:
    """Return the table ``project`` of a folder's pyproject.toml."""
    found: dict[str, Any] = tomllib.loads((folder / "pyproject.toml").read_text("utf-8"))["project"]
    return found


VERSION: str = project(ROOT)["version"]


def test_versions_are_in_step() -> None:
    """The core and its plugins are released together, by one tag."""
    assert {VERSION} == {project(folder)["version"] for folder in FOLDERS}


def test_plugins_need_a_core_of_their_own_minor_version() -> None:
    """What a plugin was tested with is the least that it takes."""
    floor = ".".join(VERSION.split(".")[:2])
    needs = {folder.name: " ".join(project(folder)["dependencies"]) for folder in FOLDERS[1:]}
    found = {name: re.findall(r"\bdevinotify(?:\[[\w,]+\])?>=([\d.]+)", need) for name, need in needs.items()}
    assert {name: [floor] for name in needs} == found


def test_the_changes_of_the_version_are_told() -> None:
    """CHANGELOG has a heading for what is next, or for the version."""
    headings = re.findall(r"^## \[(.+?)\]", (ROOT / "CHANGELOG.md").read_text("utf-8"), re.MULTILINE)
    assert headings[0] in ("Unreleased", VERSION)


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give the folder of all distributions, built as the release builds them, with the packages that are here."""
    # One for all of xdist's processes: whoever comes first builds, and the others wait for it.
    shared = tmp_path_factory.getbasetemp()
    shared = shared.parent if "PYTEST_XDIST_WORKER" in os.environ else shared
    folder, done_before = shared / "dist", shared / "dist-is-built"
    with (shared / "dist-lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # the build itself has a limit of time
        if not done_before.exists():
            build(folder)
            done_before.touch()
    return folder


def build(folder: Path) -> None:
    """Build all of them into a folder."""
    done = subprocess.run(
        # What they need to build is here or the build fails: to ask each of them before would take two processes more.
        [ROOT / ".ci/build", folder, "--no-isolation", "--skip-dependency-check"],
        env={**os.environ, "PYTHON": sys.executable, "PYTHONWARNINGS": ""},
        capture_output=True,
        text=True,
        check=False,
        timeout=400,
    )
    assert 0 == done.returncode, done.stdout + done.stderr


def distribution(folder: Path) -> str:
    """Return how the files of a folder's distribution begin."""
    return f"{project(folder)['name'].replace('-', '_')}-{VERSION}"


def sources(folder: Path) -> set[str]:
    """Return all files of the package: modules, py.typed, pages, catalogues, samples."""
    package = folder / "src"
    return {
        str(path.relative_to(package))
        for path in package.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts and ".egg-info" not in str(path)
    }


def test_wheels_have_all_of_their_sources(built: Path) -> None:
    """A file that is missing from the wheel is missing from what people install."""
    missing = {}
    for folder in FOLDERS:
        with zipfile.ZipFile(built / f"{distribution(folder)}-py3-none-any.whl") as wheel:
            names = set(wheel.namelist())
        package = project(folder)["name"].replace("-", "_")
        assert f"{package}/py.typed" in names
        missing[folder.name] = sources(folder) - names
    assert {} == {name: files for name, files in missing.items() if files}


def test_source_distributions_have_their_tests(built: Path) -> None:
    """Whoever packages for a system builds from them, and runs the tests."""
    for folder in FOLDERS:
        with tarfile.open(built / f"{distribution(folder)}.tar.gz") as archive:
            names = set(archive.getnames())
        wanted = ["pyproject.toml", "README.md", "LICENSE", "tests/__init__.py", "tests/conftest.py"]
        assert [] == [name for name in wanted if f"{distribution(folder)}/{name}" not in names]


def test_what_systems_take_comes_along(built: Path) -> None:
    """Manual pages of every command, and the units of the services, each with the distribution that has the command."""
    shared = {}
    for folder in FOLDERS:
        with zipfile.ZipFile(built / f"{distribution(folder)}-py3-none-any.whl") as wheel:
            parts = [name.partition(".data/data/share/")[2] for name in wheel.namelist()]
        shared[folder] = {part for part in parts if part}
    units = {ROOT: ("worker", "sandbox", "failed@"), ROOT / "plugins/webhook": ("webhook",)}
    pages = {folder: {f"man/man1/{name}" for name in manuals.kept(folder)} for folder in FOLDERS[1:]}
    pages[ROOT] = {"man/man1/devinotify.1", *(f"man/man1/devinotify-{name}.1" for name in COMMANDS)}
    wanted = {
        folder: pages[folder] | {f"devinotify/systemd/devinotify-{name}.service" for name in units.get(folder, ())}
        for folder in FOLDERS
    }
    assert wanted == shared


def jobs() -> dict[str, Any]:
    """Return the jobs of the release."""
    found: dict[str, Any] = yaml.safe_load(WORKFLOW.read_text("utf-8"))["jobs"]
    return found


def test_the_core_is_uploaded_before_its_plugins() -> None:
    """A plugin whose core is not there yet cannot be installed."""
    assert ("build", "core") == (jobs()["core"]["needs"], jobs()["plugins"]["needs"])


def test_only_what_uploads_may_show_who_it_is() -> None:
    """No job that runs code of the repository can ask PyPI for anything, and those that can run nothing of it."""
    may = {name for name, job in jobs().items() if "id-token" in job.get("permissions", {})}
    runs = {name for name, job in jobs().items() if any("run" in step for step in job["steps"])}
    assert ({"core", "plugins"}, {"build"}) == (may, runs)
    assert {"pypi"} == {jobs()[name]["environment"] for name in may}


def test_the_tag_has_to_be_the_version(tmp_path: Path) -> None:
    """Its step passes the tag of the version, and no other."""
    (script,) = [step["run"] for step in jobs()["build"]["steps"] if "tag" in step.get("name", "")]
    codes = [
        subprocess.run(
            ["bash", "-euo", "pipefail", "-c", script.replace("$(python ", f"$({sys.executable} ")],
            cwd=ROOT,
            env={**os.environ, "GITHUB_REF_NAME": tag, "PYTHONWARNINGS": ""},
            check=False,
            timeout=60,
        ).returncode
        for tag in (f"v{VERSION}", "v99.0.0")
    ]
    assert [0, 1] == codes


def test_the_core_is_put_apart(built: Path, tmp_path: Path) -> None:
    """Its two files go first; all others, whose names begin alike, do not."""
    (script,) = [step["run"] for step in jobs()["build"]["steps"] if "apart" in step.get("name", "")]
    (tmp_path / "dist").mkdir()
    for path in built.iterdir():
        (tmp_path / "dist" / path.name).touch()
    subprocess.run(["bash", "-euo", "pipefail", "-c", script], cwd=tmp_path, check=True, timeout=60)
    names = {path.name for path in (tmp_path / "core").iterdir()}
    assert {f"devinotify-{VERSION}.tar.gz", f"devinotify-{VERSION}-py3-none-any.whl"} == names
    assert 2 * (len(FOLDERS) - 1) == len(list((tmp_path / "dist").iterdir()))
