"""The numbers of the gateway's own channels, each typed here once more."""

from __future__ import annotations

from devinotify.channels import batch
from tests.tables import table

PINNED: dict[str, tuple[object, object]] = {
    "recipients of one request": (1000, batch.BATCH),
    "recipients refused alone before it is the account": (3, batch.REFUSED_ALONE),
}


@table("name", PINNED)
def test_a_number_is_what_it_was(name: str) -> None:
    """A number changes here and in the code, or not at all."""
    expected, actual = PINNED[name]
    assert expected == actual
