"""The file in Apprise's plugin folder: where it goes, what it replaces, what is removed."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import click
import pytest
from click.testing import CliRunner

from devinotify_apprise import hooks, shim

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def group() -> click.Group:
    """A command line with what the hook adds."""
    group = click.Group()
    hooks.devinotify_register_commands(group)
    return group


def test_loading_the_hooks_is_cheap() -> None:
    """A process that uses devinotify without Apprise does not pay for it."""
    code = "import sys, devinotify_apprise.hooks; print([name for name in ('apprise', 'click') if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, encoding="utf-8", check=True, timeout=60)
    assert "[]\n" == done.stdout


def test_has_two_lines() -> None:
    """It imports this package and registers, no more."""
    assert ["import devinotify_apprise", "devinotify_apprise.register()"] == [
        line.partition("  #")[0] for line in shim.FILE.content.splitlines()
    ]


def test_install_and_uninstall(group: click.Group, tmp_path: Path) -> None:
    """What install writes uninstall removes; both may be said twice."""
    file = tmp_path / "plugins" / shim.FILE.name
    said = [
        CliRunner().invoke(group, ["apprise", command, "--path", str(tmp_path / "plugins")]).output
        for command in ("install", "install", "uninstall", "uninstall")
    ]
    assert [
        f"installed: {file}\n",
        f"already installed: {file}\n",
        f"removed: {file}\n",
        f"not installed: {file}\n",
    ] == said
    assert [] == list(file.parent.iterdir())


@pytest.mark.parametrize("command", ["install", "uninstall"])
@pytest.mark.parametrize("content", ["print('mine')\n", shim.FILE.content + "\n# and mine\n"])
def test_other_files_stay(command: str, content: str, group: click.Group, tmp_path: Path) -> None:
    """A file of that name that somebody else wrote or changed is neither overwritten nor removed."""
    file = tmp_path / shim.FILE.name
    file.write_text(content, "utf-8")
    done = CliRunner().invoke(group, ["apprise", command, "--path", str(tmp_path)])
    assert (1, content) == (done.exit_code, file.read_text("utf-8"))
    assert "stays as it is" in done.output


@pytest.mark.parametrize("command", ["install", "uninstall"])
def test_folder_in_its_place_stays(command: str, group: click.Group, tmp_path: Path) -> None:
    """A folder of that name is somebody else's."""
    (tmp_path / shim.FILE.name).mkdir()
    assert 1 == CliRunner().invoke(group, ["apprise", command, "--path", str(tmp_path)]).exit_code


def test_folder_that_cannot_be_made(group: click.Group, tmp_path: Path) -> None:
    """Where no folder can be, the reason is said in one line."""
    (tmp_path / "file").touch()
    done = CliRunner().invoke(group, ["apprise", "install", "--path", str(tmp_path / "file" / "plugins")])
    assert (1, 1) == (done.exit_code, len(done.output.splitlines()))


@pytest.mark.versions
def test_folder_of_the_user(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Without a word the folder is the first of the user's, or the one that there is."""
    monkeypatch.setenv("HOME", str(tmp_path))
    assert tmp_path / ".apprise" / "plugins" == shim.folder()
    (tmp_path / ".config" / "apprise" / "plugins").mkdir(parents=True)
    assert tmp_path / ".config" / "apprise" / "plugins" == shim.folder()


@pytest.mark.versions
def test_folder_of_the_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Where the environment names folders, Apprise scans no others."""
    monkeypatch.setenv("APPRISE_PLUGIN_PATH", f"{tmp_path / 'one'};{tmp_path / 'two'}")
    assert tmp_path / "one" == shim.folder()
    (tmp_path / "two").mkdir()
    assert tmp_path / "two" == shim.folder()
