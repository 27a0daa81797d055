"""What plugins keep in a database: one for the outbox and all campaigns beside it."""

from __future__ import annotations

import pytest

from devinotify.exceptions import InvalidInput
from devinotify.outbox import Outbox

pytestmark = pytest.mark.once(traced=True)


def campaign_of(url: str) -> str:
    """Return the URL of a campaign's journal beside an outbox."""
    return f"{url}{'&' if '?' in url else '?'}campaign=spring"


def test_a_campaign_has_those_of_the_outbox_beside_it(url: str) -> None:
    """So that whoever sends from it knows the stop list of the fleet."""
    with Outbox(url) as outbox, Outbox(campaign_of(url)) as campaign:
        outbox.bucket("stop").put({"a": "1"})
        campaign.bucket("stop").put({"b": "2"})
        campaign.bucket("stop").remove(["a"])
        assert {"b": "2"} == dict(outbox.bucket("stop").items()) == campaign.bucket("stop").get(["a", "b"])


def test_a_campaign_alone_has_none(url: str) -> None:
    """What is asked for is not there, and what is to be kept is refused, rather than kept where nobody looks."""
    with Outbox(campaign_of(url)) as campaign:
        bucket = campaign.bucket("stop")
        assert ({}, [], 0) == (bucket.get(["a"]), list(bucket.items()), bucket.remove(["a"]))
        with pytest.raises(InvalidInput, match="outbox migrate"):
            bucket.put({"a": "1"})
