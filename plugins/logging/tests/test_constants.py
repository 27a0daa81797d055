"""The numbers that alerts live by, each typed here once more."""

from __future__ import annotations

import pytest
from devinotify import Backoff

from devinotify_logging import delivery, failures, limiter, loop, records, rendering, sender, settings, storm

PINNED: dict[str, tuple[object, object]] = {
    "seconds before an alert is tried again": (Backoff(2.0, most=60.0), delivery.RETRY),
    "seconds for which an alert is tried from memory": (900.0, delivery.RETRY_FOR),
    "alerts that memory keeps": (20, delivery.MOST_RETRIED),
    "seconds after which an idle outbox is looked at": (30.0, delivery.LOOK_AGAIN),
    "seconds of an outbox thread's turn": (30.0, delivery.LONGEST_TURN),
    "seconds after an outbox failed": (5.0, delivery.AFTER_FAULT),
    "characters of a record": (4000, failures.LONGEST),
    "causes of an error": (3, failures.MOST_CAUSES),
    "characters of a record in JSON": (64_000, records.LONGEST_JSON),
    "seconds that a limiter's file is waited for": (2.0, limiter.BUSY),
    "windows that a limiter keeps": (2000, limiter.MOST_WINDOWS),
    "records taken at once": (500, loop.AT_ONCE),
    "seconds after which an alert tells its time": (60.0, rendering.LATE),
    "characters of an alert": (1000, rendering.MOST_CHARACTERS),
    "losses that are reported": (50, sender.MOST_REPORTED),
    "seconds that a sender waits": (60.0, sender.LONGEST_WAIT),
    "seconds after a fault of the sender": (1.0, sender.AFTER_FAULT),
    "segments of an alert": (12, settings.MOST_SEGMENTS),
    "seconds of a setting": (2_592_000.0, settings.LONGEST),
    "kinds of error that are held": (20, storm.MOST_HELD),
    "seconds for which they are held": (600.0, storm.HELD_FOR),
    "kinds of error that are known": (2000, storm.MOST_KINDS),
    "seconds that a new kind is fresh": (1.0, storm.FRESH),
}


@pytest.mark.parametrize("name", PINNED)
def test_a_number_is_what_it_was(name: str) -> None:
    """A number changes here and in the code, or not at all."""
    expected, actual = PINNED[name]
    assert expected == actual
