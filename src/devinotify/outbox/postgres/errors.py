"""What PostgreSQL's refusals mean to whoever runs this; their texts are never shown, for these quote what is stored."""

from __future__ import annotations

import psycopg

from devinotify.exceptions import DevinotifyError, InvalidInput, Verdict

_TROUBLES: tuple[tuple[str, str, bool], ...] = (
    # SQLSTATE or the beginning of one, what it means, and whether the same call may work later: the first that fits.
    ("08", "the connection failed", True),
    ("25006", "the server is read-only: a standby, or one that has been set so", True),
    ("28", "the server refuses the login", False),
    ("3D000", "the server has no such database", False),
    ("3F000", "the schema is not there", False),
    ("40", "it was changed by too many at once", True),
    ("42501", "the role lacks a privilege", False),
    ("42P01", "a table is missing", False),
    ("53100", "the server's disk is full", True),
    ("53300", "the server has no connection left", True),
    ("53", "the server is short of resources", True),
    ("55P03", "it is locked by another", True),
    ("57014", "the statement took longer than the server allows", True),
    ("57", "the server is being stopped or started", True),
    ("58", "the server's disk cannot be read or written", True),
    ("XX", "the database is damaged", False),
)

UNREACHABLE = "there is no connection to the database: is it up, and are host, login, password and database right?"
IN_DOUBT = "the connection was lost while it answered: whether the change was made is not known"


def trouble(error: psycopg.Error) -> tuple[str, bool]:
    """Return what an error means, and whether the same call may work later."""
    code = error.sqlstate
    if code is None:
        # Connecting fails without one, whatever the server said.
        return (UNREACHABLE if isinstance(error, psycopg.OperationalError) else type(error).__name__), True
    for beginning, text, retryable in _TROUBLES:
        if code.startswith(beginning):
            return f"{text} ({code})", retryable
    return f"PostgreSQL failed ({code})", False


def as_error(name: str, error: psycopg.Error, operation: str, verdict: Verdict) -> DevinotifyError:
    """Return an error in our words, of an outbox that is called ``name``."""
    if isinstance(error, psycopg.DataError):
        # What was given, not the store: a NUL character, which PostgreSQL keeps in no text, or a number out of range.
        return InvalidInput(
            f"outbox {name}: it cannot keep what was given ({error.sqlstate or 'a character that it has not'})",
            operation=f"outbox.{operation}",
        )
    text, retryable = trouble(error)
    return DevinotifyError(
        f"outbox {name}: {text}", operation=f"outbox.{operation}", verdict=verdict, retryable=retryable
    )
