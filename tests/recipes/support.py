"""A recipe as a reader has it: the file in docs/recipes, loaded as a module or run as a program."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from devinotify import Notifier, Worker

if TYPE_CHECKING:
    from types import ModuleType

    from devinotify.sandbox import Sandbox

FOLDER = Path(__file__).parents[2] / "docs" / "recipes"
NUMBER = "+79161234567"


def url_to(gateway: Sandbox, number: str = NUMBER) -> str:
    """Return the gateway's URL with a recipient."""
    base, _, query = gateway.url.partition("?")
    return f"{base}/{number}?{query}"


def loaded(name: str) -> ModuleType:
    """Return a recipe as a module of its own."""
    spec = importlib.util.spec_from_file_location(f"recipe_{name}", FOLDER / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # where its annotations are looked up
    spec.loader.exec_module(module)
    return module


def run(name: str, url: str) -> subprocess.CompletedProcess[str]:
    """Run a recipe as a program, to its end."""
    return subprocess.run(
        [sys.executable, str(FOLDER / f"{name}.py")],
        env={**os.environ, "DEVINOTIFY_URL": url},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def work(url: str) -> None:
    """Send what is stored, as ``devinotify worker --once`` does."""
    with Notifier(url) as notifier:
        Worker(notifier).run(once=True)


def arrived(gateway: Sandbox) -> list[tuple[str, str]]:
    """Return recipient and text of everything that arrived, in order."""
    return [(message.recipient, message.text) for message in gateway.messages()]
