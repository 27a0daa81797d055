"""What is kept, and for how long."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from devinotify.sandbox import ids, requestlog
from tests.sandbox.conftest import Api

if TYPE_CHECKING:
    import pytest


def test_the_oldest_message_is_pruned() -> None:
    """Past the cap the oldest message goes, its ids with it."""
    api = Api(keep=2)
    parts = [api.send(Data="я" * 71)[1] for _ in range(3)]
    assert [255, -2, -2] == [api.state(second)["State"] for _, second in parts]
    assert 2 == len(api.emulator.store)


def test_numbers_are_never_used_twice(api: Api) -> None:
    """Messages are numbered from 1, and go on counting after a reset."""
    api.send()
    api.emulator.reset()
    api.session = ""
    api.send()
    assert [2] == [message.serial for message in api.emulator.store]
    assert api.emulator.store.get(1) is None


def test_an_id_that_is_taken_is_not_given_again(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ids are drawn until one is free."""
    draws = iter([("1",), ("1",), ("2",)])
    monkeypatch.setattr(ids, "sms_ids", lambda *_: next(draws))
    assert [["1"], ["2"]] == [api.send()[1], api.send()[1]]


def test_requests_are_capped(api: Api) -> None:
    """What the log keeps of a request is bounded, and says how much is missing."""
    api.send("Sms/SendBulk", DestinationAddresses=["79161234567"] * 300)
    # What was cut within its name may be a secret's.
    assert re.search(r"&\*\*\*&… \d+ more bytes$", api.emulator.store.requests[-1].body)
    assert len(api.emulator.store.requests[-1].body) < requestlog.KEPT_BYTES + 40


def test_nothing_is_kept_of_another_emulator() -> None:
    """Two emulators share nothing."""
    first, second = Api(), Api()
    first.send()
    assert 0 == len(second.emulator.store)
