"""Whether an outbox is in one of Django's own databases, and the connection that leads there."""

from __future__ import annotations

from urllib.parse import unquote, urlsplit

from django.db import connections

_PORT = "5432"
_HERE = frozenset({"", "localhost", "127.0.0.1", "::1"})


def holds(alias: str, outbox: str | None) -> bool:
    """Whether the outbox at this location is in the database of this alias, by their settings.

    The outbox itself makes sure of it once more when it is given the connection.
    """
    if not outbox or not outbox.startswith(("postgresql://", "postgres://")):
        return False
    settings = connections[alias].settings_dict
    if connections[alias].vendor != "postgresql":
        return False
    theirs = urlsplit(outbox)
    place = (theirs.hostname or "", str(theirs.port or _PORT), unquote(theirs.path.lstrip("/")))
    ours = (settings.get("HOST") or "", str(settings.get("PORT") or _PORT), str(settings.get("NAME")))
    return place[1:] == ours[1:] and (place[0] == ours[0] or {place[0], ours[0]} <= _HERE)


def connection(alias: str) -> object:
    """Return the driver's own connection of an alias, opened where it is not."""
    wrapper = connections[alias]
    wrapper.ensure_connection()
    return wrapper.connection
