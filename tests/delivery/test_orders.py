"""What is enqueued through Notifier: what is stored, what is refused, and what a worker makes of it."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from devinotify import (
    DevinotifyError,
    Enqueued,
    InvalidInput,
    InvalidPhoneNumber,
    InvalidSchedule,
    InvalidText,
    InvalidURL,
    Message,
    Notifier,
    Outbox,
    Outcome,
    Worker,
    hookimpl,
    make_plugin_manager,
)
from devinotify.outbox import RowState

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from devinotify.outbox import Row, StoredMessage
    from devinotify.sandbox import Sandbox

ONE, TWO = "+79161234567", "+79161234568"

Make = Callable[..., Notifier]


@pytest.fixture
def make(gateway: Sandbox, tmp_path: Path) -> Iterator[Make]:
    """Give what makes notifiers on one outbox with some plugins and no others; all are closed in the end."""
    made: list[Notifier] = []

    def build(*plugins: object, query: str = "", **options: Any) -> Notifier:  # noqa: ANN401 - those of Notifier
        manager = make_plugin_manager(*plugins, discover=False)
        made.append(Notifier(f"{gateway.url}&outbox={tmp_path / 'o.db'}{query}", plugins=manager, **options))
        return made[-1]

    yield build
    for notifier in made:
        notifier.close()


class Rota:
    """A plugin that knows one group, and notes what is recorded."""

    def __init__(self) -> None:
        self.recorded: list[tuple[str, str]] = []

    @hookimpl
    def devinotify_resolve_recipient(self, recipient: str) -> list[str] | None:
        """Return the members."""
        return [ONE, "8 916 123-45-68"] if recipient == "oncall" else None

    @hookimpl
    def devinotify_outcome_recorded(self, outcome: Outcome) -> None:
        """Take note."""
        self.recorded.append((outcome.recipient, str(outcome.verdict)))


def read(notifier: Notifier, number: int) -> tuple[Row, StoredMessage]:
    """Return a row of the notifier's outbox, and its message."""
    outbox = notifier.following().outbox
    row = outbox.get(number)
    assert row is not None
    stored = outbox.message(row.message_id)
    assert stored is not None
    return row, stored


def said(errors: Enqueued) -> dict[str, type[DevinotifyError]]:
    """Return the kinds of the refusals by recipient."""
    return {recipient: type(error) for recipient, error in errors.refused.items()}


def test_what_is_enqueued_is_sent_by_a_worker(gateway: Sandbox, make: Make) -> None:
    """Aliases and notations are read, nothing is sent, and a worker sends it with its title."""
    notifier = make(Rota())
    stored = notifier.enqueue("disk full", "oncall", title="db1", tags="urgent")
    before = gateway.messages()
    worker = Worker(notifier)
    worker.run(once=True)
    assert ([ONE, TWO], {}, False, []) == (list(stored.rows), dict(stored.refused), stored.known, before)
    assert {(ONE, "db1\ndisk full"), (TWO, "db1\ndisk full")} == {(m.recipient, m.text) for m in gateway.messages()}
    assert [RowState.ACCEPTED] * 2 == [read(notifier, row)[0].state for row in stored.rows.values()]


def test_what_is_refused_is_beside_its_recipient(make: Make) -> None:
    """The others are stored; an observer hears of what never became a row."""
    rota = Rota()
    stored = make(rota).enqueue("hi", ["nobody", ONE])
    assert ([ONE], {"nobody": InvalidPhoneNumber}) == (list(stored.rows), said(stored))
    assert [("nobody", "not_sent")] == rota.recorded


@pytest.mark.parametrize(
    ("text", "options", "error"),
    [
        ("x" * 1001, {"channel": "viber"}, InvalidText),
        ("x" * 1001, {"channel": "sms-viber"}, InvalidText),
        ("x" * 1000, {"channel": "viber", "title": "db1"}, InvalidText),
        ("  ", {}, InvalidText),
        ("hi", {"channel": "viber", "send_at": datetime(2040, 1, 1, tzinfo=UTC)}, InvalidSchedule),
    ],
)
def test_a_text_that_cannot_be_sent_is_not_stored(
    make: Make, text: str, options: dict[str, Any], error: type[DevinotifyError]
) -> None:
    """What the channel would refuse is told now, and not when a worker comes to it."""
    notifier = make()
    stored = notifier.enqueue(text, [ONE, TWO], **options)
    assert ({}, {ONE: error, TWO: error}, 0) == (dict(stored.rows), said(stored), len(notifier.following().outbox))


def test_a_key_that_is_known_stores_nothing(make: Make) -> None:
    """The second call gets the rows of the first, whatever it says."""
    notifier = make()
    first = notifier.enqueue("hi", ONE, key="disk-42")
    again = notifier.enqueue("other", [ONE, TWO], key="disk-42")
    assert (False, True, dict(first.rows), {}, 1) == (
        first.known,
        again.known,
        dict(again.rows),
        dict(again.refused),
        len(notifier.following().outbox),
    )


def test_of_two_at_once_with_one_key_one_has_stored_it(make: Make) -> None:
    """Threads that race with a key: one row, and one call that says that it is new."""
    notifiers = [make() for _ in range(4)]
    with ThreadPoolExecutor() as pool:
        stored = list(pool.map(lambda notifier: notifier.enqueue("hi", ONE, key="k"), notifiers))
    assert ([False, True, True, True], 1) == (
        sorted(each.known for each in stored),
        len({each.rows[ONE] for each in stored}),
    )


def test_it_is_the_accounts(make: Make) -> None:
    """What is enqueued is this account's, and no worker of another one sends it."""
    notifier = make()
    (row,) = notifier.enqueue("hi", ONE).rows.values()
    assert notifier.url.account == read(notifier, row)[1].account


def test_a_deadline_is_kept(make: Make) -> None:
    """It is tried until then and no longer."""
    notifier = make()
    deadline = datetime.now(UTC) + timedelta(hours=2)
    (row,) = notifier.enqueue("hi", ONE, deadline=deadline).rows.values()
    assert deadline.timestamp() == read(notifier, row)[0].deadline


def test_a_full_outbox_refuses(gateway: Sandbox, make: Make, tmp_path: Path) -> None:
    """Whoever found no room is refused, and not lost without a word."""
    notifier = make()
    with Outbox(tmp_path / "small.db", max_rows=1) as outbox:
        notifier.following(outbox)
        stored = notifier.enqueue("hi", [ONE, TWO])
    assert ([ONE], {TWO: InvalidInput}) == (list(stored.rows), said(stored))


@pytest.mark.parametrize(
    ("arguments", "error", "words"),
    [
        ({"connection": object()}, InvalidInput, "outbox in PostgreSQL"),
        ({"key": 42}, InvalidInput, "the key must be a str"),
        ({"deadline": "tomorrow"}, InvalidInput, "the deadline must be a datetime"),
        ({"deadline": datetime(2040, 1, 1)}, InvalidInput, "needs its time zone"),  # noqa: DTZ001 - names no instant
        ({"send_at": "tomorrow"}, InvalidSchedule, "send_at must be a datetime"),
        ({"channel": "pager"}, InvalidURL, "there is no channel 'pager'"),
        ({"to": []}, InvalidInput, "nobody to send to"),
    ],
)
def test_what_is_wrong_with_the_call_is_raised(
    make: Make, arguments: dict[str, Any], error: type[DevinotifyError], words: str
) -> None:
    """An argument of the wrong type, and nobody to send to, are the caller's errors, and nothing is stored."""
    notifier = make()
    with pytest.raises(error, match=words):
        notifier.enqueue("hi", **{"to": ONE, **arguments})
    assert 0 == len(notifier.following().outbox)


def test_its_repr_masks_numbers() -> None:
    """A log line shows what was stored and no number in full."""
    stored = Enqueued(dict.fromkeys((ONE, TWO, "+79161234569", "+79161234560"), 7), {"nobody": InvalidInput()})
    assert "<Enqueued rows=[+7916***4567: 7, +7916***4568: 7, +7916***4569: 7, …] refused=1 known=False>" == repr(
        stored
    )


def test_a_message_by_hand_is_the_same(make: Make) -> None:
    """The Message that a worker takes is the one that notify would send."""
    notifier = make(query="&validity=30")
    (row,) = notifier.enqueue("hi", ONE, title="db1", tags=["urgent"], channel="viber").rows.values()
    assert read(notifier, row)[1].message == Message(
        "hi", (), "db1", notifier.url.sender, "viber", validity=30, tags=frozenset({"urgent"})
    )
