"""The bounds of the histograms, which dashboards are made by, each typed here once more."""

from __future__ import annotations

import pytest

from devinotify_metrics import instruments

PINNED: dict[str, tuple[object, object]] = {
    "seconds of a request": (
        (0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10, 30),
        instruments._REQUEST_SECONDS,
    ),
    "seconds of a delivery": (
        (1, 2, 5, 10, 30, 60, 120, 300, 600, 1800, 3600, 14_400, 86_400),
        instruments._DELIVERY_SECONDS,
    ),
    "segments of a message": ((1, 2, 3, 4, 6, 8, 10, 15, 20, 30), instruments._SEGMENT_COUNTS),
}


@pytest.mark.parametrize("name", PINNED)
def test_a_number_is_what_it_was(name: str) -> None:
    """A bound changes here and in the code, or not at all."""
    expected, actual = PINNED[name]
    assert expected == actual
