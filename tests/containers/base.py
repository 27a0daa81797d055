"""A base for images out of this machine's own Debian packages: a Python and what it needs, and nothing is fetched."""

from __future__ import annotations

import io
import os
import re
import subprocess
import tarfile
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

WANTED = ("ca-certificates", "coreutils", "dash", "findutils", "grep", "libc-bin", "python3-venv")
CERTIFICATES = "/etc/ssl/certs/ca-certificates.crt"
_LEFT_OUT = ("/usr/share/doc", "/usr/share/man", "/usr/share/locale", "/usr/share/lintian", "/usr/share/info")
_LINKS = ("/bin", "/lib", "/lib64", "/sbin")
_NAME = re.compile(r"\s*([a-z0-9.+-]+)")

CONTAINERFILE = """FROM scratch
ADD base.tar /
"""


def _names(field: str) -> Iterator[str]:
    return (found[1] for part in field.split("|") if (found := _NAME.match(part)) is not None)


def closure(wanted: Iterable[str]) -> set[str]:
    """Return the packages with all that they depend on, as far as they are installed here."""
    form = "${Package}\t${Depends},${Pre-Depends}\t${Provides}\n"
    told = subprocess.run(["dpkg-query", "-W", "-f", form], capture_output=True, text=True, check=True, timeout=60)
    needs: dict[str, list[list[str]]] = {}
    provided: dict[str, str] = {}
    for line in told.stdout.splitlines():
        name, depends, provides = line.split("\t")
        needs[name] = [list(_names(group)) for group in depends.split(",")]
        provided |= {virtual: name for field in provides.split(",") for virtual in _names(field)}
    found: set[str] = set()
    left = list(wanted)
    while left:
        name = left.pop()
        real = name if name in needs else provided.get(name)
        if real is not None and real not in found:
            found.add(real)
            left += [other for group in needs[real] for other in group if other in needs or other in provided]
    return found


def write(folder: Path) -> None:
    """Write what an image of them is built from into a folder."""
    told = subprocess.run(
        ["dpkg", "-L", *sorted(closure(WANTED))], capture_output=True, text=True, check=True, timeout=60
    )
    (folder / "Containerfile").write_text(CONTAINERFILE, "utf-8")
    with tarfile.open(folder / "base.tar", "w") as archive:
        for link in filter(os.path.islink, _LINKS):
            archive.add(link)
        written = set()
        for path in sorted(set(told.stdout.splitlines())):
            if not path.startswith("/") or not os.path.lexists(path):
                continue  # a diversion is told in between
            real = str(Path(path).parent.resolve() / Path(path).name)
            if real not in written and not real.startswith(_LEFT_OUT):
                written.add(real)
                archive.add(real, recursive=False)
                if real.endswith(".py"):
                    # Made when the package was installed; without it each command would compile what it imports anew.
                    for compiled in Path(real).parent.glob(f"__pycache__/{Path(real).stem}.cpython-*.pyc"):
                        archive.add(compiled)
        # The cache of libraries is this machine's: what it names beyond those that are there is not looked for.
        for path in ("/etc/ssl/certs", "/etc/passwd", "/etc/group", "/etc/ld.so.cache"):
            archive.add(path)
        for name, mode in (("tmp", 0o1777), ("root", 0o700)):
            made = tarfile.TarInfo(name)
            made.type, made.mode = tarfile.DIRTYPE, mode
            archive.addfile(made)
        # Where packages come by way of a proxy of one's own, that is trusted as it is here.
        lines = ["[global]", f"cert = {CERTIFICATES}"]
        if index := os.environ.get("PIP_INDEX_URL"):
            lines.append(f"index-url = {index}")
        settings = "\n".join([*lines, ""]).encode()
        entry = tarfile.TarInfo("etc/pip.conf")
        entry.size = len(settings)
        archive.addfile(entry, io.BytesIO(settings))
