"""The pace of an account, which is one for the outbox and all campaigns beside it: it stands in the outbox's schema."""

from __future__ import annotations

from typing import TYPE_CHECKING

from devinotify.exceptions import InvalidInput
from devinotify.outbox.pace import StoredPace

if TYPE_CHECKING:
    from devinotify.outbox.postgres.session import Session


def read(session: Session, account: str, *, lock: bool) -> StoredPace | None:
    """Return the pace of an account; ``lock`` keeps it from others until the end of the transaction."""
    if not session.has_base("paces"):
        return None
    ask = f"SELECT rate, next_at, booked_at FROM {session.base}paces WHERE account = %s"  # noqa: S608 - our own name
    line = session.one(f"{ask} FOR UPDATE" if lock else ask, account)
    return None if line is None else StoredPace(*line)


def write(session: Session, account: str, pace: StoredPace | None) -> None:
    """Store the pace of an account; raise InvalidInput where there is no outbox to store it in."""
    if not session.has_base("paces"):
        raise InvalidInput("the pace is the outbox's, beside which campaigns stand, and there is none yet")
    if pace is None:
        session.run(f"DELETE FROM {session.base}paces WHERE account = %s", account)  # noqa: S608 - our own name
        return
    session.run(
        f"INSERT INTO {session.base}paces VALUES (%s, %s, %s, %s)"  # noqa: S608 - our own name
        " ON CONFLICT (account) DO UPDATE"
        " SET rate = excluded.rate, next_at = excluded.next_at, booked_at = excluded.booked_at",
        account,
        *pace,
    )
