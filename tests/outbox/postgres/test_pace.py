"""One pace for an outbox and the campaigns beside it, over processes."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from devinotify.exceptions import InvalidInput
from devinotify.outbox import Outbox

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.once(traced=True)


@pytest.fixture
def campaign(url: str) -> Iterator[Outbox]:
    """Give the journal of a campaign beside an outbox that need not be there."""
    with Outbox(f"{url}&campaign=spring") as found:
        yield found


def test_a_campaign_keeps_the_outboxs_pace(url: str, campaign: Outbox) -> None:
    """It is the account's, whatever it sends."""
    assert 0.0 == campaign.reserve(100)
    with pytest.raises(InvalidInput, match="there is none yet"):
        campaign.set_pace(10)
    with Outbox(url) as outbox:
        outbox.set_pace(0.1)
        outbox.reserve(10)
        assert (0.1, True) == (campaign.pace(), 90 < campaign.reserve(1) <= 100)
        campaign.set_pace(None)
        assert None is outbox.pace()


def test_bookings_at_once_follow_each_other(url: str) -> None:
    """No two have the same time."""
    with Outbox(url) as outbox:
        outbox.set_pace(0.01)

    def book(_: int) -> float:
        with Outbox(url) as outbox:
            return outbox.reserve(1)

    with ThreadPoolExecutor(8) as pool:
        waits = sorted(pool.map(book, range(16)))
    # By the database's clock, which goes on meanwhile: less than the hundred seconds that each takes.
    assert list(range(16)) == [round(wait / 100 + 0.2) for wait in waits]
