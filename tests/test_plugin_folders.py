"""The folders of plugins/: one shape for all of them, an environment each, and public names only."""

from __future__ import annotations

import ast
import configparser
import re
import tomllib
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import devinotify
from tests.tables import table

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[1]
PLUGINS = ROOT / "plugins"
FOLDERS = sorted(path.parent for path in PLUGINS.glob("*/pyproject.toml"))

pytestmark = [
    pytest.mark.skipif(not PLUGINS.is_dir(), reason="a source distribution of the core has no plugins"),
    pytest.mark.once,
]
each_folder = table("folder", FOLDERS, ids=[folder.name for folder in FOLDERS])

PUBLIC_MODULES = {
    "devinotify",
    *(f"devinotify.{name}" for name in ("bulk", "sandbox", "systemd", "testing", "translation")),
}
"""The modules whose ``__all__`` plugins may import from."""


def package_of(folder: Path) -> str:
    """Return the import name of a folder's package."""
    return f"devinotify_{folder.name.replace('-', '_')}"


def settings_of(folder: Path) -> dict[str, Any]:
    """Return a folder's pyproject.toml."""
    return tomllib.loads((folder / "pyproject.toml").read_text("utf-8"))


def private_names(source: str, own: str) -> Iterator[str]:
    """Yield what a module uses of devinotify, or of another plugin, that is not public."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ImportFrom) and node.module is not None:
            if node.module.split(".")[0] == "devinotify":
                public = import_module(node.module).__all__ if node.module in PUBLIC_MODULES else ()
                yield from (f"{node.module}.{alias.name}" for alias in node.names if alias.name not in public)
            elif node.module.startswith("devinotify_") and node.module.split(".")[0] != own:
                yield node.module
        elif isinstance(node, ast.Import):
            for alias in node.names:
                name = alias.name.split(".")[0]
                others = name.startswith("devinotify_") and name != own
                if others or (name == "devinotify" and alias.name not in PUBLIC_MODULES):
                    yield alias.name
        elif (
            isinstance(node, ast.Attribute)
            and isinstance(node.value, ast.Name)
            and node.value.id == "devinotify"
            and node.attr not in devinotify.__all__
            and f"devinotify.{node.attr}" not in PUBLIC_MODULES
        ):
            yield f"devinotify.{node.attr}"


def test_every_folder_is_a_plugin() -> None:
    """Nothing but plugins lies in plugins/, and there are some."""
    folders = sorted(path for path in PLUGINS.iterdir() if path.is_dir() and not path.name.startswith((".", "_")))
    assert folders
    assert folders == FOLDERS


@each_folder
def test_has_the_files(folder: Path) -> None:
    """A folder has every file that plugins/README.md names."""
    package = f"src/{package_of(folder)}"
    wanted = ["README.md", "LICENSE", f"{package}/__init__.py", f"{package}/py.typed"]
    wanted += ["tests/__init__.py", "tests/conftest.py", "tests/test_readme.py"]
    assert [] == [name for name in wanted if not (folder / name).is_file()]


@each_folder
def test_has_the_license(folder: Path) -> None:
    """A folder's license is the repository's own."""
    assert (ROOT / "LICENSE").read_text("utf-8") == (folder / "LICENSE").read_text("utf-8")


@each_folder
def test_is_a_distribution(folder: Path) -> None:
    """The distribution is named after the folder, built like the others, and depends on no other plugin."""
    settings = settings_of(folder)
    project = settings["project"]
    needs = [re.match(r"[A-Za-z0-9._-]+", need) for need in project["dependencies"]]
    names = [need[0] for need in needs if need is not None]
    assert f"devinotify-{folder.name}" == project["name"]
    assert ("hatchling.build", "MIT", ["LICENSE"]) == (
        settings["build-system"]["build-backend"],
        project["license"],
        project["license-files"],
    )
    assert ["devinotify"] == [name for name in names if name.startswith("devinotify")]
    assert "test" in project["optional-dependencies"]
    assert [f"src/{package_of(folder)}"] == settings["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]


@each_folder
def test_entry_point_is_its_own(folder: Path) -> None:
    """What a folder offers as a hook plugin has the folder's name and is in the folder's package."""
    offered = settings_of(folder)["project"].get("entry-points", {}).get("devinotify", {})
    assert {} == {
        name: at for name, at in offered.items() if name != folder.name or not at.startswith(package_of(folder))
    }


@each_folder
def test_is_held_to_the_same(folder: Path) -> None:
    """Style is the repository's, types are strict, warnings are errors, branches are covered to 95 %."""
    tools = settings_of(folder)["tool"]
    assert ("../../pyproject.toml", True, "error") == (
        tools["ruff"]["extend"],
        tools["mypy"]["strict"],
        tools["pytest"]["ini_options"]["filterwarnings"][0],
    )
    assert (True, True) == (tools["coverage"]["run"]["branch"], tools["coverage"]["report"]["fail_under"] >= 95)


@table("folder", [ROOT, *FOLDERS], ids=["core", *(folder.name for folder in FOLDERS)])
def test_a_test_that_hangs_is_ended(folder: Path) -> None:
    """Whatever is tested has the same limit of time, and pytest ends what passes it."""
    options = settings_of(folder)["tool"]["pytest"]["ini_options"]
    assert (600, True) == (options["faulthandler_timeout"], options["faulthandler_exit_on_timeout"])


@each_folder
def test_has_an_environment(folder: Path) -> None:
    """tox has an environment of the folder's name, runs it by default, and makes it by the section of all of them."""
    tox = configparser.ConfigParser(interpolation=None)
    tox.read(ROOT / "tox.ini", "utf-8")
    shared = next(section for section in tox.sections() if section.startswith("testenv:{"))
    assert folder.name in tox["tox"]["env_list"].split()
    assert folder.name in shared.removeprefix("testenv:{").removesuffix("}").split(",")


@each_folder
def test_is_listed(folder: Path) -> None:
    """plugins/README.md names the folder."""
    assert f"| [`{folder.name}`]({folder.name}/README.md) |" in (PLUGINS / "README.md").read_text("utf-8")


@each_folder
def test_says_how_it_is_installed_from_a_clone(folder: Path) -> None:
    """Its first command does that, with the core before the folder; what it will be is said beside it."""
    readme = (folder / "README.md").read_text("utf-8")
    core, path, *further = readme.partition("```sh\npip install ")[2].partition("\n")[0].partition("  #")[0].split()
    (released,) = re.findall(r"[Oo]nce released, it is\s`pip install (.*?)`", readme)
    assert ("'.[cli]'", f"./plugins/{folder.name}") == (core, path)
    assert {f"devinotify-{folder.name}", *further} <= set(released.split())


@each_folder
def test_uses_public_names_only(folder: Path) -> None:
    """A plugin imports from devinotify what its ``__all__`` names, and nothing from another plugin, in tests too."""
    own = package_of(folder)
    found = {
        str(path.relative_to(folder)): private
        for part in ("src", "tests")
        for path in (folder / part).rglob("*.py")
        if (private := list(private_names(path.read_text("utf-8"), own)))
    }
    assert {} == found


@table(
    "source",
    [
        "from devinotify.redact import mask_number",
        "from devinotify import redact",
        "from devinotify.sandbox import server",
        "import devinotify.notifier",
        "import devinotify\ndevinotify.redact",
        "import devinotify_metrics",
        "from devinotify_metrics.deduplication import Deduplicator",
    ],
)
def test_contract_finds(source: str) -> None:
    """Each way to a private name is found."""
    assert 1 == len(list(private_names(source, "devinotify_quiet_hours")))


@table(
    "source",
    [
        "from devinotify import Message, hookimpl, phones",
        "from devinotify.sandbox import Sandbox",
        "import devinotify\ndevinotify.Message",
        "from devinotify_quiet_hours.night import Night",
        "from . import other",
    ],
)
def test_contract_lets_pass(source: str) -> None:
    """Public names and the plugin's own pass."""
    assert [] == list(private_names(source, "devinotify_quiet_hours"))
