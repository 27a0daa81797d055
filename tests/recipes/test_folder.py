"""The folder: each file is listed, and run by a test here."""

from __future__ import annotations

import ast
import re
from pathlib import Path

from tests.recipes.support import FOLDER

FILES = sorted(path.name for path in FOLDER.iterdir() if path.suffix != ".md" and path.is_file())


def test_is_listed() -> None:
    """The page's table has each file, and no other."""
    listed = re.findall(r"^\| \[(\S+)\]\(\1\) \|", (FOLDER / "README.md").read_text("utf-8"), re.MULTILINE)
    assert sorted(listed) == FILES


def test_each_is_run() -> None:
    """Some test here names each recipe, and each says first how it is installed and started."""
    tests = "".join(path.read_text("utf-8") for path in Path(__file__).parent.glob("test_*.py"))
    assert [] == [name for name in FILES if f'"{name.removesuffix(".py")}"' not in tests]
    for name in FILES:
        told = ast.get_docstring(ast.parse((FOLDER / name).read_text("utf-8"))) or ""
        assert ("pip install" in told, "DEVINOTIFY_URL" in told) == (True, True)
