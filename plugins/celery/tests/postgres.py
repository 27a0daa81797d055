"""The PostgreSQL server of the core's tests, which are beside ours in the repository."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg
import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

FILE = Path(__file__).parents[3] / "tests" / "postgres_server.py"


@dataclass(frozen=True)
class Database:
    """A database, and the schema in it that an outbox has for itself."""

    url: str
    schema: str

    @property
    def outbox(self) -> str:
        """What ``devinotify_outbox`` is set to."""
        return f"{self.url}?schema={self.schema}"

    def connect(self) -> psycopg.Connection[Any]:
        """Return a connection of one's own, which finds the outbox's tables by their names."""
        return psycopg.connect(self.url, options=f"-c search_path={self.schema}")


@contextmanager
def running() -> Iterator[Callable[[], Database]]:
    """Yield what gives a database with a schema that is not there yet, while a server runs; skip where it cannot."""
    programs = _programs()
    if programs is None:
        pytest.skip("no PostgreSQL is installed (Debian: apt-get install postgresql)")
    with programs.running() as server:
        yield lambda: Database(server.url(), programs.fresh())


def _programs() -> Any:
    """Return the core's module, ``None`` without it (from our sdist alone) or without PostgreSQL.

    By its file: its package has the name of ours.
    """
    spec = spec_from_file_location("devinotify_postgres_server", FILE) if FILE.exists() else None
    if spec is None or spec.loader is None:
        return None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module if module.binaries() else None
