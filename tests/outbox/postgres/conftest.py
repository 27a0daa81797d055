"""A server for what the shared suite does not ask."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

import pytest

from tests.outbox.conftest import postgres_server
from tests.postgres_server import binaries

if TYPE_CHECKING:
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
    return server.url(schema=f"test_{secrets.token_hex(6)}")
