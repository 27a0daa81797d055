"""The reference is complete: every public name stands on one of its pages, and on one alone."""

from __future__ import annotations

import re
from collections import Counter
from importlib import import_module

import pytest

import devinotify
from tests.docs.pages import ROOT

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


@pytest.mark.parametrize("name", sorted(SHOWN))
def test_shows_what_is_there(name: str) -> None:
    """Once, by a name that leads to it."""
    module, _, attribute = name.rpartition(".")
    try:
        found = import_module(name)
    except ModuleNotFoundError:
        found = getattr(import_module(module), attribute)
    assert (True, 1) == (found is not None, SHOWN[name])
