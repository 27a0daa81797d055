"""A server for what the shared suite does not ask."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from devinotify.sandbox import Sandbox
from tests.outbox.conftest import postgres_server
from tests.postgres_server import binaries, fresh

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.postgres_server import Server


@pytest.fixture
def server() -> Server:
    """Give a running server, or skip where PostgreSQL is not installed."""
    if binaries() is None:
        pytest.skip("PostgreSQL's server is not installed")
    return postgres_server()


@pytest.fixture
def url(server: Server) -> str:
    """Give the URL of a schema that is not there yet."""
    return server.url(schema=fresh())


@pytest.fixture
def gateway() -> Iterator[Sandbox]:
    """Give a running gateway of the test's own."""
    with Sandbox() as found:
        yield found
