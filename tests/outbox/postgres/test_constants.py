"""The numbers that workers on a server live by, each typed here once more."""

from __future__ import annotations

from devinotify.outbox.postgres import claiming, database, failover, heartbeat, positions, store
from tests.tables import table

PINNED: dict[str, tuple[object, object]] = {
    "seconds between two signs of a worker": (10.0, heartbeat.BEAT_EVERY),
    "seconds without a sign after which a worker is dead": (90.0, heartbeat.DEAD_AFTER),
    "seconds that a worker has left to live when its request departs": (70.0, heartbeat.MOST_SPARE),
    "times that a transaction is made which others keep from it": (10, database.TRIES),
    "seconds for which a transaction's token stays": (86_400.0, failover.TOKENS_KEPT),
    "batches that a claim looks ahead": (4, claiming.LOOK_AHEAD),
    "seconds for which rows that are passed by are not looked for": (1.0, positions.LOOK_EVERY),
    "seconds for which a commit that is under way is waited for": (5.0, store.COMMIT_WAITED_FOR),
}


@table("name", PINNED)
def test_a_number_is_what_it_was(name: str) -> None:
    """A number changes here and in the code, or not at all."""
    expected, actual = PINNED[name]
    assert expected == actual
