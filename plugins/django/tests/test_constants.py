"""The numbers that a site lives by, each typed here once more."""

from __future__ import annotations

import pytest

from devinotify_django import checks, codes, notifiers, panel
from devinotify_django.management.commands import devinotify_worker

PINNED: dict[str, tuple[object, object]] = {
    "credits that are few": (100, checks.LOW),
    "seconds over which codes are counted": (3600.0, codes.HOUR),
    "accounts that are kept open": (32, notifiers.CAPACITY),
    "seconds for which a balance is shown": (60, panel.KEEP),
    "seconds that a balance is waited for": (5.0, panel.TIMEOUT),
    "balances asked for at a time": (8, panel.AT_A_TIME),
    "seconds between two readings of incoming messages": (15.0, devinotify_worker.INCOMING_EVERY),
}


@pytest.mark.parametrize("name", PINNED)
def test_a_number_is_what_it_was(name: str) -> None:
    """A number changes here and in the code, or not at all."""
    expected, actual = PINNED[name]
    assert expected == actual
