"""Distributions installed for a test: a module and its metadata in a folder that is put on the path."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    import pytest


def make_site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Yield a folder on the path to install distributions in, and forget afterwards what was imported from it."""
    folder = tmp_path / "site"
    folder.mkdir()
    monkeypatch.syspath_prepend(str(folder))
    yield folder
    for name, module in list(sys.modules.items()):
        if str(getattr(module, "__file__", None)).startswith(str(folder)):
            del sys.modules[name]


def install(
    folder: Path, module: str, source: str, *, version: str = "1.2", entry_points: Mapping[str, str] | None = None
) -> None:
    """Install a distribution with one module and its entry points in the group ``devinotify``: by default one.

    That entry point is named like the module and loads its attribute ``plugin`` where ``source`` has one.
    """
    folder.mkdir(exist_ok=True)
    folder.joinpath(f"{module}.py").write_text(source, "utf-8")
    points = {module: f"{module}:plugin" if "plugin =" in source else module} if entry_points is None else entry_points
    metadata = folder / f"{module}-{version}.dist-info"
    metadata.mkdir()
    metadata.joinpath("METADATA").write_text(f"Metadata-Version: 2.1\nName: {module}\nVersion: {version}\n", "utf-8")
    lines = "\n".join(f"{name} = {value}" for name, value in points.items())
    metadata.joinpath("entry_points.txt").write_text(f"[devinotify]\n{lines}\n", "utf-8")
