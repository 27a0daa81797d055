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

_DATA = "22"
"""The class of what is wrong with a value."""

UNREACHABLE = "there is no connection to the database: is it up, and are host, login, password and database right?"
UNCONFIRMED = "no standby has confirmed the change: it may be lost with this server"
NOT_CLAIMED = "what it may have claimed is not sent, and is queued again as soon as that can be done"
_REPEATED = frozenset(
    {"settle", "record", "conclude", "claim", "step", "release", "recover", "watch", "reserve", "beat", "duty"}
)
"""Operations that come to the same when they are made twice, but for a pause: what a worker does by itself. It goes on
when the database is back, whatever moment it was lost in. Not what stores a message: it would be sent twice."""

IN_DOUBT = "the connection was lost while it answered: whether the change was made is not known"


def trouble(error: psycopg.Error) -> tuple[str, bool]:
    """Return what an error means, and whether the same call may work later."""
    if error.sqlstate is None:
        # Connecting fails without one, whatever the server said.
        return (UNREACHABLE if isinstance(error, psycopg.OperationalError) else type(error).__name__), True
    return _meaning(error.sqlstate)


def _meaning(code: str) -> tuple[str, bool]:
    for beginning, text, retryable in _TROUBLES:
        if code.startswith(beginning):
            return f"{text} ({code})", retryable
    return f"PostgreSQL failed ({code})", False


class InDoubtError(DevinotifyError):
    """The connection was lost while a change was being committed: it may have been made."""


class UnconfirmedError(DevinotifyError):
    """A change was committed, but no standby has confirmed it: it may be lost with this server."""


def in_doubt(name: str, operation: str) -> InDoubtError:
    """Return that nobody knows whether a change was made to an outbox that is called ``name``."""
    return InDoubtError(
        f"outbox {name}: {IN_DOUBT}",
        operation=f"outbox.{operation}",
        verdict=Verdict.UNKNOWN,
        retryable=operation in _REPEATED,
    )


def unconfirmed(name: str, operation: str, verdict: Verdict) -> UnconfirmedError:
    """Return that a change counts for nothing yet."""
    return UnconfirmedError(
        f"outbox {name}: {UNCONFIRMED}", operation=f"outbox.{operation}", verdict=verdict, retryable=True
    )


def not_claimed(error: DevinotifyError) -> DevinotifyError:
    """Return that nothing counts as claimed, for an error of the commit, or of what was to undo it."""
    return DevinotifyError(
        f"{error}; {NOT_CLAIMED}", operation=error.operation, verdict=Verdict.NOT_SENT, retryable=True
    )


def unfit(name: str, operation: str) -> InvalidInput:
    """Return that a text has half a character in it."""
    return _unfit(name, "half a character", operation)


def as_error(name: str, error: psycopg.Error, operation: str, verdict: Verdict) -> DevinotifyError:
    """Return an error in our words, of an outbox that is called ``name``."""
    if error.sqlstate is not None:
        return of_code(name, error.sqlstate, operation, verdict)
    if isinstance(error, psycopg.DataError):
        return _unfit(name, "a character that it has not", operation)
    return _error(name, trouble(error), operation, verdict)


def of_code(name: str, code: str, operation: str, verdict: Verdict) -> DevinotifyError:
    """Return the error that a SQLSTATE stands for."""
    if code.startswith(_DATA):
        # What was given, not the store: a NUL character, which PostgreSQL keeps in no text, or a number out of range.
        return _unfit(name, code, operation)
    return _error(name, _meaning(code), operation, verdict)


def _unfit(name: str, why: str, operation: str) -> InvalidInput:
    return InvalidInput(f"outbox {name}: it cannot keep what was given ({why})", operation=f"outbox.{operation}")


def _error(name: str, meaning: tuple[str, bool], operation: str, verdict: Verdict) -> DevinotifyError:
    text, retryable = meaning
    return DevinotifyError(
        f"outbox {name}: {text}", operation=f"outbox.{operation}", verdict=verdict, retryable=retryable
    )
