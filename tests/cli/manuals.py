"""The manual pages of plugins' commands: ``python -m tests.cli.manuals`` writes them into the plugins' folders.

A plugin is built from a clone before the core is on any index, so that its build cannot ask the core for them as the
core's own does.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tomllib
from pathlib import Path

PLUGINS = Path(__file__).parents[2] / "plugins"
_HOOK = "devinotify_register_commands"

_PROGRAM = """
import importlib, json, sys
import click
from devinotify.cli.manual import pages_of_plugin

offered, hook, maker = sys.argv[1:]
module, _, name = offered.partition(":")
plugin = importlib.import_module(module)
group = click.Group()
getattr(getattr(plugin, name) if name else plugin, hook)(group)
print(json.dumps(pages_of_plugin(group.commands, maker)))
"""


def folders() -> list[Path]:
    """Return the folders of the plugins that add commands."""
    modules = PLUGINS.glob("*/src/*/*.py")
    return sorted({path.parents[2] for path in modules if f"def {_HOOK}(" in path.read_text("utf-8")})


def made(folder: Path) -> dict[str, str]:
    """Return the pages of a plugin's commands as they have to be, from its sources; it need not be installed."""
    project = tomllib.loads((folder / "pyproject.toml").read_text("utf-8"))["project"]
    (offered,) = project["entry-points"]["devinotify"].values()
    done = subprocess.run(
        [sys.executable, "-c", _PROGRAM, offered, _HOOK, f"{project['name']} {project['version']}"],
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(folder / "src"), *sys.path])},
        stdout=subprocess.PIPE,
        text=True,
        timeout=60,
        check=True,
    )
    found: dict[str, str] = json.loads(done.stdout)
    return found


def kept(folder: Path) -> dict[str, str]:
    """Return the pages that a plugin's folder has."""
    return {path.name: path.read_text("utf-8") for path in sorted((folder / "man").glob("*"))}


if __name__ == "__main__":
    for each in folders():
        for name in kept(each):
            (each / "man" / name).unlink()
        for name, text in made(each).items():
            (each / "man").mkdir(exist_ok=True)
            (each / "man" / name).write_text(text, "utf-8")
