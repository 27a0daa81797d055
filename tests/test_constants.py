"""The numbers of what belongs to no room, each typed here once more."""

from __future__ import annotations

from devinotify import async_notifier, credentials, redact, systemd, testing
from devinotify.config import places
from devinotify.phones import refusal
from tests.tables import table

PINNED: dict[str, tuple[object, object]] = {
    "calls of an AsyncNotifier at work at a time": (4, async_notifier.THREADS),
    "calls handed over for each thread": (2, async_notifier.AHEAD),
    "bytes of a file with a password or a URL": (65_536, credentials.MOST),
    "bytes of a file of profiles": (1_048_576, places.MOST),
    "characters of input that may be a number": (250, refusal.MAX_INPUT),
    "characters of the shortest secret that is hidden": (3, redact._LEAST_SECRET),
    "characters by which a part of a secret is known": (6, redact._PIECE),
    "seconds that systemd is told for": (1.0, systemd.PATIENCE),
    "signs of life in systemd's time": (4, systemd.OFTEN),
    "seconds that a test waits": (5.0, testing.WAIT),
}


@table("name", PINNED)
def test_a_number_is_what_it_was(name: str) -> None:
    """A number changes here and in the code, or not at all."""
    expected, actual = PINNED[name]
    assert expected == actual
