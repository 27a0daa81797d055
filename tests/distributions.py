"""Distributions installed for a test: a module and its metadata in a folder that is put on the path."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


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
