"""Configuration files as a user has them: his own, and one in the folder that he is in."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from devinotify.config import places

Write = Callable[[str], Path]


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, which has no file of ours yet, and belongs to the user alone."""
    here = tmp_path / "here"
    here.mkdir(mode=0o755)
    monkeypatch.chdir(here)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setattr(places, "_warned", set())
    return here


@pytest.fixture
def near(folder: Path) -> Write:
    """Return what writes the current folder's file."""
    return lambda text: _written(folder / "devinotify.toml", text)


@pytest.fixture
def users(tmp_path: Path) -> Write:
    """Return what writes the user's own file."""
    return lambda text: _written(tmp_path / "config" / "devinotify" / "config.toml", text)


def _written(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch(mode=0o600)
    path.write_text(text, encoding="utf-8")
    return path
