"""The numbers that a service lives by, each typed here once more."""

from __future__ import annotations

import pytest

from devinotify_webhook import attempts, bodies, config, house, keys, limits, sender, serving

PINNED: dict[str, tuple[object, object]] = {
    "seconds for which an attempt waits to be made again": (600.0, attempts.OPEN),
    "fields of a form": (1000, bodies.MAX_FIELDS),
    "the port": (9876, config.PORT),
    "seconds for which the same alerts are one message": (600.0, config.DEDUPE),
    "bytes of a body": (5_242_880, config.BODY_LIMIT),
    "seconds for a request to arrive": (30.0, config.TIMEOUT),
    "segments of an alert": (3, config.MAX_SEGMENTS),
    "segments of an alert at most": (12, config.MOST_SEGMENTS),
    "characters of a token": (16, config.MIN_TOKEN),
    "threads at work": (4, house.THREADS),
    "seconds around the end of a window": (5.0, keys.NEAR),
    "seconds for writing down a pause that begins": (5.0, limits.BEGINNING),
    "seconds after which a worker begins again": (5.0, sender.AGAIN),
    "seconds after which a worker hangs": (300.0, sender.HANGS),
    "seconds for what is being sent to end": (40.0, sender.GRACE),
    "seconds that an idle connection is kept": (30, serving.KEEP_ALIVE),
    "connections": (200, serving.CONNECTIONS),
    "seconds for requests to end": (10, serving.GRACE),
}


@pytest.mark.parametrize("name", PINNED)
def test_a_number_is_what_it_was(name: str) -> None:
    """A number changes here and in the code, or not at all."""
    expected, actual = PINNED[name]
    assert expected == actual
