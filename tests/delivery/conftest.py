"""One running gateway for each file, and places for outboxes of each kind."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from devinotify.sandbox import Sandbox
from tests.outbox.conftest import PLACES, Place
from tests.outbox.support import Clock

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(scope="module")
def running() -> Iterator[Sandbox]:
    """Give one running gateway to all the tests of a file."""
    with Sandbox() as gateway:
        yield gateway


@pytest.fixture
def gateway(running: Sandbox) -> Sandbox:
    """Give the gateway as new."""
    running.reset()
    return running


@pytest.fixture
def clock() -> Clock:
    """Give a clock to turn."""
    return Clock()


# What is asked of a store is the same under each Python: once is enough for all but the file.
@pytest.fixture(params=[pytest.param(name, marks=() if name == "sqlite" else pytest.mark.once) for name in PLACES])
def place(request: pytest.FixtureRequest, tmp_path: Path, clock: Clock) -> Iterator[Place]:
    """Give a place for outboxes, of each kind in turn."""
    found = PLACES[request.param](tmp_path / "outbox.db", clock)
    yield found
    found.close()
