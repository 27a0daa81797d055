"""The manual pages: of every command, and such that man shows them as they are meant."""

from __future__ import annotations

import re
import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest

from devinotify.cli.app import COMMANDS
from devinotify.cli.manual import describe, pages
from tests.cli import manuals
from tests.tables import table

if TYPE_CHECKING:
    from pathlib import Path

PAGES = pages("1.2.3")
with_mandoc = pytest.mark.skipif(shutil.which("mandoc") is None, reason="mandoc is not installed")


def test_there_is_one_for_each_command() -> None:
    """And one for all."""
    assert {"devinotify.1", *(f"devinotify-{name}.1" for name in COMMANDS)} == set(PAGES)


def test_no_other_command_is_described() -> None:
    """A name that is none is an error of whoever asks."""
    with pytest.raises(LookupError, match="nothing"):
        describe("nothing")


@pytest.mark.once
@table("folder", manuals.folders())
def test_those_of_a_plugin_are_as_its_commands(folder: Path) -> None:
    """Each command that it adds has one, which says what its help does: ``python -m tests.cli.manuals``."""
    pages_of_it = manuals.made(folder)
    assert pages_of_it
    assert pages_of_it == manuals.kept(folder)


@pytest.mark.once
@with_mandoc
def test_mandoc_has_nothing_against_them(tmp_path: Path) -> None:
    """But that they have no date: they are as old as the help."""
    paths = []
    plugins = {name: text for folder in manuals.folders() for name, text in manuals.kept(folder).items()}
    for name, text in {**PAGES, **plugins}.items():
        paths.append(tmp_path / name)
        paths[-1].write_text(text, "utf-8")
    command = ["mandoc", "-T", "lint", "-W", "warning", *map(str, paths)]
    said = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    lines = (said.stdout + said.stderr).splitlines()
    assert [] == [line for line in lines if "missing date" not in line]


@pytest.mark.once
@with_mandoc
def test_they_read_as_the_help_does(tmp_path: Path) -> None:
    """Quotes, backslashes, hyphens and what begins with a dot come out as they went in; so do commands to copy."""
    page = tmp_path / "page.1"
    found = []
    for name in COMMANDS:
        page.write_text(PAGES[f"devinotify-{name}.1"], "utf-8")
        command = ["mandoc", "-T", "utf8", "-O", "width=200", str(page)]
        shown = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout
        plain = " ".join(re.sub("(.)\b\\1|_\b", r"\1", shown).split())
        description = describe(name)
        wanted = [text for text, _ in description.text] + [meaning for _, meaning in description.options]
        found += [text for text in wanted if " ".join(text.split()) not in plain]
    assert [] == found


def test_a_line_is_no_request() -> None:
    """Not one begins with a dot or a quote but those that are meant."""
    requests = {".TH", ".SH", ".SS", ".B", ".BR", ".TP", ".PP", ".nf", ".fi"}
    lines = [line for text in PAGES.values() for line in text.splitlines() if line.startswith((".", "'"))]
    assert set() == {line.split()[0] for line in lines} - requests
