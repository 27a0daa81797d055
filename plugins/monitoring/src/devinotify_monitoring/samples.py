"""The files that hosts are configured with, which come with the package, copied to where somebody can read them."""

from __future__ import annotations

from importlib.resources import files
from typing import TYPE_CHECKING

from devinotify_monitoring.errors import SetupError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from importlib.resources.abc import Traversable
    from pathlib import Path

PROGRAM = 0o755
_FILE = 0o644


def found(folder: Traversable | None = None, within: str = "") -> Iterator[tuple[str, bytes]]:
    """Yield each sample: its path below the samples, by its host, and what it holds."""
    for each in sorted((folder or files(__package__) / "samples").iterdir(), key=lambda one: one.name):
        if each.is_dir():
            yield from found(each, f"{within}{each.name}/")
        else:
            yield f"{within}{each.name}", each.read_bytes()


def copy(to: Path) -> list[Path]:
    """Write all samples into a folder, and return their paths; raise SetupError where one of them is there already."""
    paths = []
    try:
        for name, content in found():
            path = to / name
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("xb") as file:
                file.write(content)
            path.chmod(PROGRAM if content.startswith(b"#!") else _FILE)
            paths.append(path)
    except OSError as error:
        raise SetupError(f"--samples: {error.filename}: {error.strerror}") from None
    return paths
