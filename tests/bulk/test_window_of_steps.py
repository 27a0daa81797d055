"""The later steps of a fallback keep the daily window of their campaign, whoever takes them."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from devinotify import Message, Notifier, Outbox, Worker, hookimpl, make_plugin_manager
from devinotify.bulk import Campaign, Journal
from devinotify.bulk.deliveries import Deliveries
from devinotify.models import ONE_TIME
from devinotify.outbox import RowState
from tests.bulk.conftest import LOST, numbers
from tests.bulk.test_deliveries import due
from tests.bulk.test_fallback import LIST, WELL, on

if TYPE_CHECKING:
    from pathlib import Path

    from devinotify.bulk import Window
    from devinotify.sandbox import Sandbox
    from tests.bulk.conftest import Write

pytestmark = [pytest.mark.once, pytest.mark.usefixtures("_one_is_lost")]

OPENS = datetime(2036, 1, 16, 10)  # noqa: DTZ001 - the recipient's clock
WINDOW = "10-20"


class Shutters:
    """Knows for which channels the window is shut for everybody."""

    def __init__(self) -> None:
        self.shut: set[str] = set()
        self.tags: set[frozenset[str]] = set()

    @hookimpl
    def devinotify_fit_window(self, message: Message, window: Window) -> list[Message]:
        """Put everybody off while it is shut."""
        assert "10:00-20:00" == str(window)
        self.tags.add(message.tags)
        return [replace(message, send_at=OPENS) if message.channel in self.shut else message]


@pytest.fixture
def shutters() -> Shutters:
    """Give a window that is open."""
    return Shutters()


def account(gateway: Sandbox, shutters: Shutters) -> Notifier:
    """Return a notifier with the plugin."""
    return Notifier(gateway.url, plugins=make_plugin_manager(shutters, discover=False))


def watch(gateway: Sandbox, shutters: Shutters, path: Path) -> list[tuple[RowState, float | None]]:
    """Watch a journal until a second step waits for long or nothing is left; return how second steps stand."""
    with Journal(path) as opened, account(gateway, shutters) as notifier:
        deliveries = Deliveries(notifier, opened, rate=None, nap=0.1, quiet=0.1)

        def steps() -> list[tuple[RowState, float | None]]:
            return [(row.state, row.next_attempt_at) for row in opened.steps() if row.channel == "viber"]

        def observe(_counts: object) -> None:
            due(path)
            waiting = [at for state, at in steps() if state is RowState.QUEUED and at is not None]
            if waiting and min(waiting) > opened.outbox.now() + 3600:
                deliveries.stop()

        deliveries.watch(observe)
        return steps()


def step_due(path: Path) -> None:
    """Make what waits to be sent due now, as it would be when the window was to open."""
    with closing(sqlite3.connect(path)) as file, file:
        file.execute("UPDATE rows SET due = 0 WHERE state = 0")


@pytest.mark.parametrize("words", [{"text": "Hi"}, {"template": "Hi {name}"}], ids=["one text", "personal texts"])
def test_a_later_step_waits_for_the_window(
    gateway: Sandbox, shutters: Shutters, write: Write, journal: Path, words: dict[str, str]
) -> None:
    """Where it is shut when the step is due, and where it has shut again when the step is about to leave."""
    options = {**words, "journal": journal, "window": WINDOW, "channel": "sms-viber", "tags": "marketing"}
    with account(gateway, shutters) as notifier, Campaign(notifier, write(LIST), **options) as campaign:  # type: ignore[arg-type]  # its own
        assert 4 == campaign.run().tally.accepted
    shutters.shut.add("viber")
    for _ in range(2):
        ((state, at),) = watch(gateway, shutters, journal)
        assert (RowState.QUEUED, 2036, 0) == (
            state,
            datetime.fromtimestamp(at or 0, UTC).year,
            len(on(gateway, "viber")),
        )
        step_due(journal)
    shutters.shut.clear()
    watch(gateway, shutters, journal)
    assert ([LOST], {frozenset({"marketing"})}) == (list(on(gateway, "viber")), shutters.tags)


def test_a_step_that_follows_at_once_waits_as_well(
    gateway: Sandbox, shutters: Shutters, write: Write, journal: Path
) -> None:
    """The first is refused, and the window is shut by then."""
    for operation in ("Sms/SendBulk", "Sms/Send"):
        gateway.add_fault("error", code=7, operation=operation)
    shutters.shut.add("viber")
    options = {"text": "Hi", "journal": journal, "window": WINDOW, "channel": "sms-viber"}
    with account(gateway, shutters) as notifier, Campaign(notifier, write(LIST), **options) as campaign:  # type: ignore[arg-type]  # its own
        assert 4 == campaign.run().to_come
    assert 0 == len(on(gateway, "viber"))
    shutters.shut.clear()
    step_due(journal)
    watch(gateway, shutters, journal)
    assert {*WELL, LOST} == set(on(gateway, "viber"))


def test_without_the_plugin_no_step_is_taken(gateway: Sandbox, shutters: Shutters, write: Write, journal: Path) -> None:
    """A watch that does not know the recipients' clocks sends nothing, and the step says why."""
    options = {"text": "Hi", "journal": journal, "window": WINDOW, "channel": "sms-viber"}
    with account(gateway, shutters) as notifier, Campaign(notifier, write(LIST), **options) as campaign:  # type: ignore[arg-type]  # its own
        campaign.run()
    shutters.shut.add("viber")
    watch(gateway, shutters, journal)
    step_due(journal)
    with Journal(journal) as opened, Notifier(gateway.url) as notifier:
        Deliveries(notifier, opened, rate=None, nap=0.1, quiet=0.1).watch(lambda _: due(journal))
        (step,) = (row for row in opened.steps() if row.channel == "viber")
    assert (RowState.NOT_SENT, "PluginError", 0) == (step.state, step.error, len(on(gateway, "viber")))


def test_a_worker_keeps_the_window_of_what_is_stored(gateway: Sandbox, shutters: Shutters, journal: Path) -> None:
    """As one on another machine does that works on a campaign in a database."""
    some = numbers(2)
    shutters.shut.add("sms")
    with account(gateway, shutters) as notifier, Outbox(journal) as outbox:
        outbox.enqueue(Message("Hi", tuple(some)), meta={"daily_window": "10:00-20:00"})
        Worker(notifier, outbox).turn()
        rows = list(outbox.rows())
    assert {"Sms/SendByTimeZoneToAddresses"} == {message.operation for message in gateway.messages()}
    assert [(RowState.ACCEPTED, 2036)] * 2 == [
        (row.state, datetime.fromtimestamp(row.sent_at or 0, UTC).year) for row in rows
    ]


def test_no_code_goes_out_when_its_time_is_over(gateway: Sandbox, shutters: Shutters, journal: Path) -> None:
    """The step that waits for the window to open ends with the code."""
    gateway.add_fault("error", code=6, operation="Sms/Send")
    shutters.shut.add("viber")
    code = Message("Hi", tuple(numbers(1)), channel="sms-viber", validity=5, tags=frozenset({ONE_TIME}))
    with account(gateway, shutters) as notifier, Outbox(journal) as outbox:
        outbox.enqueue(code, meta={"daily_window": "10:00-20:00"})
        Worker(notifier, outbox).turn()
        (step,) = outbox.rows(channel="viber")
        assert (RowState.QUEUED, True) == (step.state, 0 < (step.deadline or 0) - outbox.now() <= 300)


def test_personal_texts_have_the_tags_too(gateway: Sandbox, shutters: Shutters, write: Write, journal: Path) -> None:
    """A limit on a tag, and a plugin, know them by it."""
    options = {"template": "Hi {name}", "journal": journal, "tags": "marketing"}
    with account(gateway, shutters) as notifier, Campaign(notifier, write(LIST), **options) as campaign:  # type: ignore[arg-type]  # its own
        campaign.run()
    with Journal(journal) as opened:
        found = [opened.outbox.message(row.message_id) for row in opened.rows()]
    assert {frozenset({"marketing"})} == {stored.message.tags for stored in found if stored is not None}
