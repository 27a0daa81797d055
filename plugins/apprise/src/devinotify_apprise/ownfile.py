"""A file that a command writes into somebody else's folder and takes away again, and no other file of its name."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


class ForeignFile(Exception):
    """There is a file of this name that somebody else wrote, or changed; it is left alone."""

    def __init__(self, path: Path) -> None:
        super().__init__(f"{path} was not written by this command: it stays as it is")


@dataclass(frozen=True, slots=True)
class OwnFile:
    """A file by its name and its content, by which it is known for ours."""

    name: str
    content: str

    def install(self, into: Path) -> tuple[Path, bool]:
        """Write it and return its path, and whether it was not there before.

        Raises ForeignFile where another file has its name, OSError where the folder cannot be written.
        """
        path = into / self.name
        if path.exists():
            self._check(path)
            return path, False
        into.mkdir(parents=True, exist_ok=True)
        with path.open("x", encoding="utf-8") as file:
            file.write(self.content)
        return path, True

    def uninstall(self, out_of: Path) -> tuple[Path, bool]:
        """Remove it and return its path, and whether it was there; raises as ``install`` does."""
        path = out_of / self.name
        if not path.exists():
            return path, False
        self._check(path)
        path.unlink()
        return path, True

    def _check(self, path: Path) -> None:
        if not path.is_file() or path.read_text("utf-8", errors="replace") != self.content:
            raise ForeignFile(path)
