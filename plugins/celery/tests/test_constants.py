"""The numbers that tasks live by, each typed here once more."""

from __future__ import annotations

import pytest
from devinotify import Backoff

from devinotify_celery import sending, task, tasks, verdicts

PINNED: dict[str, tuple[object, object]] = {
    "seconds of a bell's task": (10.0, tasks.LONGEST),
    "seconds that no time limit ends a bell's task in": (3600, tasks.LIMIT),
    "recipients of a request": (500, sending.SOME),
    "seconds of a turn": (10.0, sending.LONGEST_TURN),
    "seconds after which what is under way is looked at again": (5.0, sending.UNDER_WAY),
    "seconds between two looks": (0.1, sending.LOOK_EVERY),
    "pauses while the outbox is away": (Backoff(5.0, 2.0, 900.0, 0.5), task.AWAY),
    "seconds before a retry at least": (1.0, verdicts.LEAST),
}


@pytest.mark.parametrize("name", PINNED)
def test_a_number_is_what_it_was(name: str) -> None:
    """A number changes here and in the code, or not at all."""
    expected, actual = PINNED[name]
    assert expected == actual
