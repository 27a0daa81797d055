"""Whatever is done to an outbox in whatever order: every row is in one state, and the counts add up."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import ClassVar

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, invariant, rule

from devinotify import exceptions as errors
from devinotify.exceptions import InvalidInput, Verdict
from devinotify.models import DeliveryStatus, Message, Outcome, Receipt
from devinotify.outbox import Batch, RowState
from devinotify.outbox.states import LATE, RETRIES, TRANSITIONS
from tests.outbox.conftest import PLACES, InMemory, InPostgres, Place
from tests.outbox.support import Clock, message, numbers, state, step

pytestmark = pytest.mark.once

ERRORS = st.sampled_from(
    [
        None,
        errors.Forbidden("no", code=7),
        errors.OutcomeUnknown("lost"),
        errors.InvalidText("empty"),
        errors.NotSent("refused"),
    ]
)

LEGAL = {before: set(after) for before, after in TRANSITIONS.items()}
for before in RETRIES:
    LEGAL[before].add(RowState.QUEUED)
for before in LATE:
    LEGAL[before] |= LATE[before]
LEGAL[RowState.QUEUED].add(RowState.NOT_SENT)  # claimed and expired within one transaction


class Accounting(RuleBasedStateMachine):
    """An outbox for twelve rows, and a book kept beside it."""

    batches: Bundle[Batch | None] = Bundle("batches")
    kind: ClassVar[type[Place]] = Place

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp())
        self.clock = Clock()
        self.place = self.kind(self.folder / "outbox.db", self.clock)
        self.outbox = self.place.open(max_rows=12, retry_for=100.0)
        self.offered = 0
        self.states: dict[int, RowState] = {}

    def teardown(self) -> None:
        """Close and remove the file."""
        self.place.close()
        shutil.rmtree(self.folder)

    @rule(count=st.integers(1, 4), key=st.none() | st.sampled_from("ab"), fallback=st.booleans())
    def enqueue(self, count: int, key: str | None, fallback: bool) -> None:
        """Enqueue for some recipients, perhaps under a known key."""
        known = key is not None and bool(self.outbox.find(key))
        self.outbox.enqueue(message(*numbers(count)), key=key, fallback=fallback)
        self.offered += 0 if known else count

    @rule(target=batches, limit=st.integers(1, 5))
    def claim(self, limit: int) -> Batch | None:
        """Claim, and see that nothing is sent again that may have been sent."""
        batch = self.outbox.claim(limit)
        for row in batch.rows if batch else ():
            assert self.states.get(row.id, RowState.QUEUED) is RowState.QUEUED
        return batch

    @rule(batch=consumes(batches), error=ERRORS, count=st.integers(1, 5))
    def settle(self, batch: Batch | None, error: errors.DevinotifyError | None, count: int) -> None:
        """Settle a batch or a part of it."""
        if batch is None:
            return
        outcomes = [
            Outcome(row.recipient, Verdict.ACCEPTED, row.channel, Receipt(row.recipient, ("id",), 1))
            if error is None
            else Outcome(row.recipient, error.verdict, row.channel, error=error)
            for row in batch.rows[:count]
        ]
        self.outbox.settle(batch, outcomes)

    @rule(batch=consumes(batches))
    def release(self, batch: Batch | None) -> None:
        """Give a batch back."""
        if batch is not None:
            self.outbox.release(batch)

    @rule(seconds=st.sampled_from([1, 10, 120, 200_000]))
    def wait(self, seconds: float) -> None:
        """Let time pass."""
        self.clock.now += seconds

    @rule(status=st.sampled_from(DeliveryStatus))
    def watch(self, status: DeliveryStatus) -> None:
        """Look at what is due and record what the gateway says, or go on to the next channel."""
        for row in self.outbox.watch_due():
            if row.state is RowState.ACCEPTED:
                self.outbox.record_state(row, state(status))
            elif row.channel == "sms":
                step(self.outbox, row)
                self.offered += 1
            else:
                self.outbox.close_watch([row])

    @rule(force=st.booleans(), data=st.data())
    def retry(self, force: bool, data: st.DataObject) -> None:
        """Retry a row, whatever its state."""
        rows = list(self.outbox)
        if rows:
            row = data.draw(st.sampled_from(rows))
            risky = RETRIES.get(row.state, True) or row.stepped
            legal = row.state in RETRIES and (force or not risky)
            try:
                self.outbox.retry([row], force=force)
            except InvalidInput:
                assert not legal
            else:
                assert legal

    @rule(data=st.data())
    def forget(self, data: st.DataObject) -> None:
        """Forget a row, whatever its state."""
        rows = list(self.outbox)
        if rows:
            row = data.draw(st.sampled_from(rows))
            try:
                self.outbox.forget([row])
            except InvalidInput:
                assert row.state is RowState.CLAIMED
            else:
                assert row.state is not RowState.CLAIMED

    @rule(target=batches)
    def crash(self) -> Batch | None:
        """Open the file anew as after a crash: what was claimed is recovered."""
        self.outbox.close()
        self.outbox = self.place.open(max_rows=12, retry_for=100.0)
        self.outbox.recover()
        return None

    @invariant()
    def adds_up(self) -> None:
        """What was offered is in a state, forgotten or dropped, and the steps from state to state were legal."""
        counts = self.outbox.counts()
        rows = {row.id: row for row in self.outbox}
        assert (self.offered, counts.total) == (counts.offered, len(rows))
        assert len({(row.message_id, row.recipient, row.channel) for row in rows.values()}) == len(rows)
        for number, row in rows.items():
            before = self.states.get(number, RowState.QUEUED)
            assert row.state is before or row.state in LEGAL[before], (before, row)
        self.states = {number: row.state for number, row in rows.items()}


class AccountingInMemory(Accounting):
    """The same over the store in memory."""

    kind = InMemory


class AccountingInPostgres(Accounting):
    """The same over the store in PostgreSQL."""

    kind = InPostgres


SETTINGS = settings(max_examples=40, stateful_step_count=30, deadline=None)
Accounting.TestCase.settings = AccountingInMemory.TestCase.settings = SETTINGS
TestAccounting = Accounting.TestCase
TestAccountingInMemory = AccountingInMemory.TestCase
if "postgres" in PLACES:
    # A third as often: each step asks a server.
    AccountingInPostgres.TestCase.settings = settings(SETTINGS, max_examples=12)
    TestAccountingInPostgres = AccountingInPostgres.TestCase


def test_the_book_is_of_messages() -> None:
    """The machine enqueues what the public API takes."""
    assert isinstance(message(), Message)
