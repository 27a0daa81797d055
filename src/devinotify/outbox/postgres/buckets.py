"""Texts by key, in buckets: what plugins keep. As the pace, they are one for the outbox and all campaigns beside it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from devinotify.exceptions import InvalidInput
from devinotify.outbox.postgres.schema import LOCK

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from devinotify.outbox.postgres.session import Session


def entries(session: Session, bucket: str, keys: Sequence[str], *, lock: bool) -> dict[str, str]:
    """Return what stands under these keys; ``lock`` keeps the bucket from others until the end of the transaction."""
    if not session.has_base("entries"):
        return {}
    if lock:  # not the lines themselves: where there are none yet, two would find none
        session.all("SELECT pg_advisory_xact_lock(%s, hashtext(%s))", LOCK, bucket)
    ask = f"SELECT key, value FROM {session.base}entries WHERE bucket = %s AND key = ANY(%s::text[])"  # noqa: S608 - our own name
    return dict(session.all(ask, bucket, list(keys)))


def after(session: Session, bucket: str, last: str, size: int) -> list[tuple[str, str]]:
    """Return up to ``size`` keys above ``last`` with their values, in order."""
    if not session.has_base("entries"):
        return []
    ask = f"SELECT key, value FROM {session.base}entries WHERE bucket = %s AND key > %s ORDER BY key LIMIT %s"  # noqa: S608 - our own name
    return [(key, value) for key, value in session.all(ask, bucket, last, size)]


def put(session: Session, bucket: str, values: Mapping[str, str]) -> None:
    """Store values under their keys; raise InvalidInput where there is no outbox to store them in."""
    if not values:
        return
    if not session.has_base("entries"):
        raise InvalidInput(
            "what plugins keep stands in the outbox, beside which campaigns stand, and there is none yet, or an"
            " older one: run `devinotify outbox migrate`"
        )
    session.run(
        f"INSERT INTO {session.base}entries SELECT %s, * FROM unnest(%s::text[], %s::text[])"  # noqa: S608 - our own name
        " ON CONFLICT (bucket, key) DO UPDATE SET value = excluded.value",
        bucket,
        list(values.keys()),
        list(values.values()),
    )


def drop(session: Session, bucket: str, keys: Collection[str]) -> None:
    """Remove these keys."""
    if keys and session.has_base("entries"):
        statement = f"DELETE FROM {session.base}entries WHERE bucket = %s AND key = ANY(%s::text[])"  # noqa: S608 - our own name
        session.run(statement, bucket, list(keys))
