"""What the tests of the outbox share: a clock to turn, messages, and outcomes of every kind."""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from devinotify import exceptions as errors
from devinotify.exceptions import DevinotifyError, Verdict
from devinotify.models import DeliveryStatus, Message, Outcome, Receipt, SmsState
from devinotify.outbox.sqlite.store import SqliteStore

if TYPE_CHECKING:
    from devinotify.outbox import Batch, Outbox, Row
    from devinotify.outbox.sqlite.database import Database
    from devinotify.sandbox import Sandbox

START = 1_760_000_000.0
NUMBER = "+79161234567"


@dataclass
class Clock:
    """A clock that stands still until it is turned."""

    now: float = START

    def __call__(self) -> float:
        """Return the seconds since the epoch that it shows."""
        return self.now

    @property
    def datetime(self) -> datetime:
        """What it shows, as an aware datetime."""
        return datetime.fromtimestamp(self.now, UTC)


def message(*recipients: str, text: str = "disk full", channel: str = "sms") -> Message:
    """Return a message to the given numbers, or to one."""
    return Message(text, recipients or (NUMBER,), channel=channel)


def numbers(count: int, start: int = 79160000000) -> tuple[str, ...]:
    """Return so many distinct numbers."""
    return tuple(f"+{start + index}" for index in range(count))


def arrivals(gateway: Sandbox) -> Counter[str]:
    """Return how often each number was sent to."""
    return Counter(each.recipient for each in gateway.messages())


def accepted(batch: Batch, *, at: datetime | None = None) -> list[Outcome]:
    """Return the outcomes of a batch that the gateway took: an id each."""
    sent_at = at or datetime.fromtimestamp(START, UTC)
    return [
        Outcome(
            row.recipient,
            Verdict.ACCEPTED,
            row.channel,
            Receipt(row.recipient, (f"id-{row.id}",), 1, channel=row.channel, sent_at=sent_at),
        )
        for row in batch.rows
    ]


def failed(batch: Batch, error: DevinotifyError) -> list[Outcome]:
    """Return the outcomes of a batch that met an error, with the error's own verdict."""
    return [Outcome(row.recipient, error.verdict, row.channel, error=error) for row in batch.rows]


def not_sent() -> DevinotifyError:
    """Return an error that is worth another attempt."""
    return errors.NotSent("connection refused")


def state(status: DeliveryStatus, code: int = 0) -> SmsState:
    """Return a delivery state as the gateway tells it."""
    return SmsState(status=status, code=code)


def claim(outbox: Outbox, limit: int = 500) -> Batch:
    """Return the next batch, of which there must be one."""
    batch = outbox.claim(limit)
    assert batch is not None
    return batch


def step(
    outbox: Outbox,
    row: Row | int,
    channel: str = "viber",
    *,
    not_before: datetime | None = None,
    deadline: datetime | None = None,
) -> Row:
    """Return the row that was queued as the next step of one."""
    number = row if isinstance(row, int) else row.id
    at = not_before or datetime.fromtimestamp(START, UTC)
    assert 1 == outbox.step_later([number], channel, not_before=at, deadline=deadline)
    return outbox.steps(number)[-1]


def path_of(outbox: Outbox) -> Path:
    """Return the file of an outbox."""
    return Path(outbox.name)


def database_of(outbox: Outbox) -> Database:
    """Return what an outbox in a file stands on."""
    store = outbox._store
    assert isinstance(store, SqliteStore)
    return store.database


def finish(process: subprocess.Popen[str]) -> int:
    """Wait for the end of a process; return its exit code."""
    process.communicate(timeout=60)
    return process.returncode


def run_python(path: Path | str, code: str, *arguments: str) -> subprocess.Popen[str]:
    """Start a process of its own that runs ``code`` with ``sys.argv[1]`` the outbox's path; it talks over its pipes."""
    return subprocess.Popen(
        [sys.executable, "-c", code, str(path), *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=dict(os.environ),
    )
