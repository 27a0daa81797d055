"""A plugin that is installed for a test: it refuses one recipient, and notes what became of each."""

from __future__ import annotations

import importlib
import json
import os
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

_NAME = "devinotify_screened_host"
_SOURCE = '''\
"""Refuses who has opted out, and notes every outcome."""

import json

from devinotify import Suppressed, hookimpl


@hookimpl
def devinotify_screen_recipients(message):
    return {{number: Suppressed("has opted out") for number in message.recipients if number == {number!r}}}


@hookimpl
def devinotify_outcome_recorded(message, outcome):
    noted = json.dumps([outcome.recipient, outcome.verdict, type(outcome.error).__name__])
    with open({path!r}, "a", encoding="utf-8") as book:
        book.write(noted + "\\n")
'''


@contextmanager
def refusing(number: str, folder: Path) -> Iterator[Callable[[], list[tuple[str, str, str]]]]:
    """Have a plugin refuse this number as ``Suppressed``, in all processes that are begun inside the block.

    It is installed in ``folder``, which is empty, as any other: a Notifier that is made inside the block has it. Yields
    what returns recipient, verdict and class of the error of each outcome up to then.
    """
    book = folder / "outcomes"
    book.touch()
    site = folder / "site"
    metadata = site / f"{_NAME}-1.dist-info"
    metadata.mkdir(parents=True)
    (site / f"{_NAME}.py").write_text(_SOURCE.format(number=number, path=str(book)), "utf-8")
    (metadata / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {_NAME}\nVersion: 1\n", "utf-8")
    (metadata / "entry_points.txt").write_text(f"[devinotify]\n{_NAME} = {_NAME}\n", "utf-8")

    def noted() -> list[tuple[str, str, str]]:
        return [tuple(json.loads(line)) for line in book.read_text("utf-8").splitlines()]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "path", [str(site), *sys.path])
        patch.setenv("PYTHONPATH", str(site), prepend=os.pathsep)
        importlib.invalidate_caches()
        try:
            yield noted
        finally:
            sys.modules.pop(_NAME, None)
            importlib.invalidate_caches()
