"""Puts the manual pages into the wheel, made from the commands' own help: pip installs them below ``share/man``."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class ManualPages(BuildHookInterface[Any]):
    """Makes the pages for the time of one build."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Add the pages; an editable installation, whose help changes under it, gets none."""
        if version == "editable":
            return
        sys.path.insert(0, str(Path(self.root, "src")))
        from devinotify.cli.manual import pages

        self._folder = tempfile.TemporaryDirectory()
        for name, text in pages(self.metadata.version).items():
            path = Path(self._folder.name, name)
            path.write_text(text, "utf-8")
            build_data["shared_data"][str(path)] = f"share/man/man1/{name}"

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:  # noqa: ARG002 - hatchling's
        """Remove them: they are in the wheel."""
        if version != "editable":
            self._folder.cleanup()
