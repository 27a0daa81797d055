"""A clone of the repository that somebody installs from: by pip, without an index, into an environment of their own.

What else the distributions need is found where the tests run.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from zipfile import ZipFile

from tests.docs.pages import ROOT

_LEFT_OUT = shutil.ignore_patterns(".*", "build", "dist", "docs", "tests", "__pycache__", "*.egg-info")
_OURS = ("devinotify", "_devinotify", "_editable_impl_devinotify", "__editable__")
_PIP = """#!/bin/sh
exec "{python}" "{pip}/pip" "$@"
"""


def make(folder: Path) -> dict[str, str]:
    """Copy what is installed from, and make `.venv` there; return the environment in which `pip` installs into it."""
    for path in ROOT.iterdir():
        if path.is_file():
            shutil.copy(path, folder)
        elif path.name in {"contrib", "plugins", "src"}:
            shutil.copytree(path, folder / path.name, ignore=_LEFT_OUT)
    programs = folder / ".venv" / "bin"
    # Without pip, which takes seconds to install: it runs from what comes with Python.
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder / ".venv"], check=True, timeout=60)
    (programs / "pip").write_text(_PIP.format(python=programs / "python", pip=_pip().name), "utf-8")
    (programs / "pip").chmod(0o755)
    return {
        "PATH": os.pathsep.join([str(programs), str(Path(sys.executable).parent), os.environ["PATH"]]),
        "PYTHONPATH": str(_others(folder / ".others")),
        "PIP_NO_INDEX": "1",
        "PIP_COMPILE": "0",  # most of it is never imported here; pip takes PIP_NO_COMPILE=1 for a wish to compile
        "PIP_NO_BUILD_ISOLATION": "0",  # "no" to isolation, as pip reads it
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
        "PIP_ROOT_USER_ACTION": "ignore",
    }


@cache
def _pip() -> TemporaryDirectory[str]:
    """Return a folder with the wheel's files, whose bytecode lasts: of the wheel itself each run would compile them."""
    folder = TemporaryDirectory(prefix="pip-")
    wheel = next(Path(sysconfig.get_path("stdlib"), "ensurepip", "_bundled").glob("pip-*.whl"))
    with ZipFile(wheel) as packed:
        packed.extractall(folder.name)
    return folder


def _others(folder: Path) -> Path:
    """Return a folder with all that is installed here but devinotify's own."""
    folder.mkdir()
    for path in Path(sysconfig.get_path("purelib")).iterdir():
        if path.suffix != ".pth" and not path.name.startswith((*_OURS, "pip", "setuptools", "__pycache__")):
            (folder / path.name).symlink_to(path)
    return folder
