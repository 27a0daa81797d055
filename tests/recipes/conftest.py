"""A gateway for each recipe, and an outbox of its own where it stores."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.recipes.support import FOLDER

if TYPE_CHECKING:
    from pathlib import Path

    from devinotify.sandbox import Sandbox

collect_ignore_glob = [] if FOLDER.is_dir() else ["test_*.py"]  # a source distribution has no recipes


@pytest.fixture
def gateway(devino_sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Sandbox:
    """Return a gateway that nothing has been sent to; the environment names it, and an outbox."""
    monkeypatch.setenv("DEVINOTIFY_OUTBOX", str(tmp_path / "outbox.db"))
    return devino_sandbox
