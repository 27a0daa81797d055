"""Whether an outbox is in one of Django's own databases, and the connection that leads there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

from django.db import connections

if TYPE_CHECKING:
    from collections.abc import Mapping

_PORT = "5432"
_HERE = frozenset({"", "localhost", "127.0.0.1", "::1"})
_PLACE = frozenset({"host", "hostaddr", "port", "dbname"})
"""What libpq finds a database by; an outbox's URL has settings besides that libpq knows nothing of."""


def holds(alias: str, outbox: str | None) -> bool:
    """Whether the outbox at this location is in the database of this alias, by their settings.

    The outbox itself makes sure of it once more when it is given the connection.
    """
    if not outbox or not outbox.startswith(("postgresql://", "postgres://")):
        return False
    settings = connections[alias].settings_dict
    if connections[alias].vendor != "postgresql":
        return False
    given = {"host": settings.get("HOST"), "port": settings.get("PORT"), "dbname": settings.get("NAME")}
    ours = _place({**settings.get("OPTIONS", {}), **{name: value for name, value in given.items() if value}})
    theirs = _place(_read(outbox))
    return theirs[1:] == ours[1:] and (theirs[0] == ours[0] or {theirs[0], ours[0]} <= _HERE)


def _place(settings: Mapping[str, Any]) -> tuple[str, str, str]:
    """Return host, port and name of a database by the settings of a connection; a host may be a socket's folder."""
    host = str(settings.get("hostaddr") or settings.get("host") or "")
    host = host.rstrip("/") if host.startswith("/") else host.lower()
    return host, str(settings.get("port") or _PORT), str(settings.get("dbname"))


def _read(outbox: str) -> Mapping[str, Any]:
    """Return where libpq takes a URL to lead; nothing where it does not understand it."""
    from psycopg import ProgrammingError  # here: what has an outbox in a database has it
    from psycopg.conninfo import conninfo_to_dict

    parts = urlsplit(outbox)
    query = urlencode([(name, value) for name, value in parse_qsl(parts.query) if name in _PLACE], quote_via=quote)
    try:
        return conninfo_to_dict(f"postgresql://{parts.netloc}{parts.path}?{query}")
    except ProgrammingError:
        return {}  # whoever opens the outbox is told


def connection(alias: str) -> object:
    """Return the driver's own connection of an alias, opened where it is not."""
    wrapper = connections[alias]
    wrapper.ensure_connection()
    return wrapper.connection
