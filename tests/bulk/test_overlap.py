"""Reading, sending and settling go on beside each other: each waits here until it has seen that the other goes on."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any

import pytest

from devinotify import Message, Notifier, Outbox
from devinotify.bulk import Campaign, End, Result, Speed
from devinotify.bulk.sending import Sending
from devinotify.bulk.sorting import Sorted, sort_out
from devinotify.bulk.table import FIRST_PAGE
from devinotify.outbox.memory import MemoryStore
from tests.bulk.conftest import numbers
from tests.bulk.fake import Fake, run_within
from tests.waiting import ended

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from devinotify.exceptions import DevinotifyError
    from devinotify.models import Outcome
    from devinotify.outbox import Batch, RowState
    from tests.bulk.conftest import Write

ROWS = 12_000
"""More than are put into a journal at once."""
LONGEST = 30.0
"""Seconds after which what has not happened beside something else is taken for not happening."""


def run(notifier: Notifier, write: Write, tmp_path: Path, rows: int = ROWS) -> Result:
    """Run a campaign of several batches on two connections."""
    source = write("\n".join(numbers(rows)), "a.txt")
    with Campaign(notifier, source, text="Hi", channel="fake", journal=tmp_path / "c.db") as campaign:
        return campaign.run(Speed(connections=2, batch=1000))


def test_the_list_is_put_into_the_journal_while_a_request_is_under_way(
    notifier: Notifier, fake: Fake, write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The gateway answers the first request once the next part is in, which waits until that request is under way."""
    under_way, put = threading.Event(), threading.Event()
    seen: list[bool] = []
    extend, parts = Outbox.extend, []

    def spy(outbox: Outbox, message_id: int, recipients: Sequence[str], **options: Any) -> Any:  # noqa: ANN401 - the outbox's own
        parts.append(len(recipients))
        if len(parts) == 2:
            seen.append(under_way.wait(LONGEST))
        answer = extend(outbox, message_id, recipients, **options)
        if len(parts) == 2:
            put.set()
        return answer

    def hold(message: Message) -> DevinotifyError | None:
        if not under_way.is_set():
            under_way.set()
            seen.append(put.wait(LONGEST))
        return None

    monkeypatch.setattr(Outbox, "extend", spy)
    fake.answer = hold
    result = run(notifier, write, tmp_path)
    assert ([True, True], End.DONE, ROWS) == (seen, result.end, result.tally.accepted)


@pytest.mark.untraced
def test_numbers_are_read_while_a_request_is_under_way(
    notifier: Notifier, fake: Fake, write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Sending begins with a short first page: the request with it waits for the last number to be read."""
    under_way, read = threading.Event(), threading.Event()
    seen: list[bool] = []

    def slowly(*arguments: Any, **options: Any) -> Iterator[Sorted]:  # noqa: ANN401 - the function's own
        for number, page in enumerate(sort_out(*arguments, **options)):
            if number == 1:
                seen.append(under_way.wait(LONGEST))
            yield page
        read.set()

    def hold(message: Message) -> DevinotifyError | None:
        if not under_way.is_set():
            under_way.set()
            seen.append(read.wait(LONGEST))
        return None

    monkeypatch.setattr("devinotify.bulk.campaign.sort_out", slowly)
    fake.answer = hold
    result = run(notifier, write, tmp_path, FIRST_PAGE + 1)
    assert ([True, True], End.DONE, FIRST_PAGE + 1) == (seen, result.end, result.tally.accepted)


@pytest.mark.untraced
def test_the_next_request_is_under_way_while_a_batch_is_settled(
    notifier: Notifier, fake: Fake, write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What became of the first batch is written down once the next is being sent, which waits for that to begin."""
    settling, sending = threading.Event(), threading.Event()
    seen: list[bool] = []
    settle = Outbox.settle

    def spy(outbox: Outbox, batch: Batch, outcomes: Sequence[Outcome], **options: Any) -> dict[int, RowState]:  # noqa: ANN401 - the outbox's own
        if not settling.is_set():
            settling.set()
            seen.append(sending.wait(LONGEST))
        return settle(outbox, batch, outcomes, **options)

    def hold(message: Message) -> DevinotifyError | None:
        if len(fake.sent) == 2:
            seen.append(settling.wait(LONGEST))
            sending.set()
        return None

    monkeypatch.setattr(Outbox, "settle", spy)
    fake.answer = hold
    result = run(notifier, write, tmp_path)
    assert ([True, True], End.DONE, ROWS) == (seen, result.end, result.tally.accepted)


def test_campaigns_keep_the_pace_of_their_journal_together(notifier: Notifier, fake: Fake) -> None:
    """Two runs on one, with batches and connections that would be through at once; none is over a second's worth."""
    store = MemoryStore()
    with Outbox(store) as outbox:
        outbox.enqueue(Message("hi", tuple(numbers(40)), channel="fake"), watch=False)
        outbox.set_pace(20)
        others = [Outbox(store.another()) for _ in range(2)]
        runs = [Sending(notifier, other, Speed(connections=4, batch=500)) for other in others]
        begun = time.monotonic()
        threads = [threading.Thread(target=one.run) for one in runs]
        for thread in threads:
            thread.start()
        ended(*threads)
        # The last batch begins when all others have had their time.
        assert time.monotonic() - begun >= (40 - len(fake.sent[-1])) / 20
        assert (40, {1}) == (outbox.counts().accepted, set(fake.got.values()))
        assert max(map(len, fake.sent)) <= 20
        # What was booked and not used was given back: the next waits for no more than what was sent.
        assert outbox.reserve(1) <= 20 / 20
        for other in others:
            other.close()


def test_nobody_waits_for_a_turn_that_nobody_needs(
    notifier: Notifier, fake: Fake, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Connections that have booked one, minutes ahead, let it go once the others have sent all there was."""
    with Outbox(MemoryStore()) as outbox:
        outbox.enqueue(Message("hi", tuple(numbers(1)), channel="fake"), watch=False)
        outbox.set_pace(1 / 600)
        reserve, claim = outbox.reserve, outbox.claim
        booked: list[float] = []
        all_have = threading.Event()

        def spy(number: int, account: str | None = None) -> float:
            wait = reserve(number, account)
            if number > 0:
                booked.append(wait)
            if len(booked) == 4:
                all_have.set()
            return wait

        def late(*arguments: Any, **options: Any) -> Batch | None:  # noqa: ANN401 - the outbox's own
            assert all_have.wait(LONGEST)
            return claim(*arguments, **options)

        monkeypatch.setattr(outbox, "reserve", spy)
        monkeypatch.setattr(outbox, "claim", late)
        assert [End.DONE] == run_within(Sending(notifier, outbox, Speed(connections=4)), LONGEST)
        assert ([0, 1, 2, 3], 1) == ([round(wait / 600) for wait in sorted(booked)], sum(fake.got.values()))
        assert reserve(1) <= 600
