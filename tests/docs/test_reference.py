"""The reference is complete: every public name is on one page of it, and every key of the URL in its table."""

from __future__ import annotations

import re
import tomllib
from collections import Counter
from importlib import import_module
from typing import TYPE_CHECKING

import pytest

import devinotify
from devinotify.url import OPTION_NAMES
from tests.distributions import install, make_site
from tests.docs.pages import ROOT, blocks
from tests.tables import table

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.once

SHOWN = Counter(
    name
    for page in (ROOT / "docs" / "reference" / "api").glob("*.md")
    for name in re.findall(r"^\.\. auto\w+:: (devinotify[\w.]+)$", page.read_text("utf-8"), re.MULTILINE)
)
MODULES = ("text", "phones", "bulk", "sandbox", "systemd", "testing")
"""The public modules with names of their own."""


def test_shows_every_public_name() -> None:
    """Those of the facade, and those of the public modules."""
    wanted = {f"devinotify.{name}" for name in devinotify.__all__} | {
        f"devinotify.{module}.{name}" for module in MODULES for name in import_module(f"devinotify.{module}").__all__
    }
    elsewhere = {"devinotify.phones.PhoneNumber"}  # it is the facade's
    assert set() == wanted - elsewhere - set(SHOWN)


@table("name", sorted(SHOWN))
def test_shows_what_is_there(name: str) -> None:
    """Once, by a name that leads to it."""
    module, _, attribute = name.rpartition(".")
    try:
        found = import_module(name)
    except ModuleNotFoundError:
        found = getattr(import_module(module), attribute)
    assert (True, 1) == (found is not None, SHOWN[name])


def test_has_every_key_of_the_url() -> None:
    """And no key that the URL does not take."""
    table = (ROOT / "docs" / "reference" / "url.md").read_text("utf-8").partition("| key | meaning |")[2]
    cells = re.findall(r"^\| ((?:`\w+`(?:, )?)+) \|", table.partition("\n\n")[0], re.MULTILINE)
    assert sorted(OPTION_NAMES) == sorted(re.findall(r"`(\w+)`", " ".join(cells)))


@table("page", ["docs/how-to/install.md", "docs/ru/how-to/install.md"])
def test_has_every_extra(page: str) -> None:
    """The page on installing names what can be installed."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    named = re.findall(r"^\| `devinotify\[(\w+)\]` \|", (ROOT / page).read_text("utf-8"), re.MULTILINE)
    assert sorted(project["optional-dependencies"]) == sorted(named)


_ROTA = """
from devinotify import hookimpl

@hookimpl
def devinotify_resolve_recipient(recipient):
    return ["+79161234567"] if recipient == "oncall" else None
"""


@pytest.mark.once
def test_a_plugin_is_offered_as_it_is_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A distribution with the entry point of docs/reference/hooks.md is found, by the name that it has there."""
    (shown,) = (block.code for block in blocks(ROOT / "docs/reference/hooks.md") if block.kind == "toml")
    ((group, offered),) = tomllib.loads(shown)["project"]["entry-points"].items()
    ((name, module),) = offered.items()
    assert "devinotify" == group
    for folder in make_site(tmp_path, monkeypatch):
        install(folder, module, _ROTA, entry_points=offered)
        manager = devinotify.make_plugin_manager()
        assert manager.has_plugin(name)
        assert ["+79161234567"] == manager.hook.devinotify_resolve_recipient(recipient="oncall")
