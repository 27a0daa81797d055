"""The numbers that the command line lives by, each typed here once more."""

from __future__ import annotations

from devinotify.cli import (
    campaigns,
    demo,
    exits,
    incoming,
    outbox,
    sandbox,
    segments,
    sending,
    tallies,
)
from devinotify.retry import Backoff
from tests.tables import table

PINNED: dict[str, tuple[object, object]] = {
    "seconds between two lines of progress": (5.0, campaigns.LINE_EVERY),
    "seconds between two events of progress": (1.0, campaigns.EVENT_EVERY),
    "rows shown that cannot be sent to": (10, campaigns.SHOWN),
    "seconds until the demo gives up": (30.0, demo.PATIENCE),
    "pauses of a follower": (Backoff(1.0, 2.0, 60.0), incoming.PAUSES),
    "rows that list shows": (50, outbox.PAGE),
    "the sandbox's port": (8026, sandbox.DEFAULT_PORT),
    "bytes of a text whose segments are told": (1_048_576, segments._MOST_BYTES),
    "blockers that are listed": (12, segments._MOST_ROWS),
    "bytes of a text that is sent": (65_536, sending._MOST_BYTES),
    "seconds between two looks at least": (0.2, sending.SHORTEST_POLL),
    "the exit codes": ([0, 1, 2, 3, 4, 5, 6, 74, 130, 141], list(exits.ExitCode)),
    "the exit code of a verdict": ({"accepted": 0, "rejected": 3, "not_sent": 4, "unknown": 5}, exits.BY_VERDICT),
    "the exit code of a campaign, the first that holds": (
        (("unknown", 5), ("not_sent", 4), ("invalid", 4), ("rejected", 3)),
        tallies.CATEGORY_EXITS,
    ),
}


@table("name", PINNED)
def test_a_number_is_what_it_was(name: str) -> None:
    """A number changes here and in the code, or not at all."""
    expected, actual = PINNED[name]
    assert expected == actual
