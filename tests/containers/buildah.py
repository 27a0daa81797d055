"""Images built and run by buildah without an engine, in a store of their own."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

CHROOT = ("--isolation", "chroot")
"""Containers as a changed root: nothing but that is to be had within a container."""
HOSTS = "/etc/hosts"
"""A file of names, in place of the one that buildah would write."""


class Store:
    """Where images are, below a folder."""

    def __init__(self, folder: Path) -> None:
        places = ["--root", str(folder / "store"), "--runroot", str(folder / "run")]
        # Ahead of what runs beside it, since to build takes a core for a minute; where it may not be, it runs as it is.
        self._command = ["nice", "-n", "-10", "buildah", *places]

    def call(self, *arguments: str, patience: float = 60) -> subprocess.CompletedProcess[str]:
        """Return what a command of buildah's comes to."""
        return subprocess.run(
            [*self._command, *arguments], capture_output=True, text=True, check=False, timeout=patience
        )

    def build(self, folder: Path, name: str, *arguments: str, patience: float) -> subprocess.CompletedProcess[str]:
        """Build an image of what is in a folder, with the network of this machine."""
        options = ("bud", *CHROOT, "--network", "host", "--tag", f"localhost/{name}")
        return self.call(*options, *arguments, str(folder), patience=patience)

    def container(self, image: str) -> str:
        """Return a new container of an image."""
        made = self.call("from", f"localhost/{image}")
        assert 0 == made.returncode, made.stderr
        return made.stdout.strip()

    def command(
        self, container: str, *command: str, variables: Mapping[str, str], files: Mapping[str, Path]
    ) -> list[str]:
        """Return the command that runs something in a container; ``files`` are put there, to be read alone."""
        options = [f"--env={name}={value}" for name, value in variables.items()]
        options += [f"--volume={path}:{at}:ro" for at, path in files.items()]
        options += ["--no-hosts"] if HOSTS in files else []
        return [*self._command, "run", *CHROOT, *options, container, "--", *command]

    def close(self) -> None:
        """Remove all containers and images: their files are other users'."""
        self.call("rm", "--all", patience=120)
        self.call("rmi", "--all", "--force", patience=120)
