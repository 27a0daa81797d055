"""Looks at deliveries: what is told of those that fail, and when a watch ends."""

from __future__ import annotations

import sqlite3
import threading
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from devinotify import Notifier, Outbox
from devinotify.bulk import End, Journal, Speed
from devinotify.bulk.deliveries import Deliveries
from devinotify.exceptions import InternalServerError, NotSent, Unauthorized
from devinotify.outbox import RowState
from tests.bulk.conftest import numbers
from tests.cli.servers import free_port

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from devinotify.outbox import Counts
    from devinotify.sandbox import Sandbox
    from tests.bulk.conftest import Begin

ROWS = 15


def due(path: Path | str) -> None:
    """Make every delivery due now, as fifteen seconds later it would be."""
    with closing(sqlite3.connect(path)) as file, file:
        file.execute("UPDATE rows SET next_poll_at = 0 WHERE next_poll_at IS NOT NULL")


@pytest.fixture
def journal(begin: Begin, gateway: Sandbox, tmp_path: Path) -> Iterator[Journal]:
    """The journal of a campaign whose deliveries are all due."""
    begin("\n".join(numbers(ROWS)), name="a.txt").run()
    due(tmp_path / "campaign.db")
    gateway.advance(60)
    with Journal(tmp_path / "campaign.db") as opened:
        yield opened


@pytest.fixture
def half_sent(begin: Begin, gateway: Sandbox, tmp_path: Path) -> Iterator[Journal]:
    """The journal of a campaign that was stopped half-way; of what was sent the delivery is due."""
    assert End.LIMIT is begin("\n".join(numbers(10)), name="a.txt").run(Speed(limit=5)).end
    due(tmp_path / "campaign.db")
    gateway.advance(60)
    with Journal(tmp_path / "campaign.db") as opened:
        yield opened


def at(gateway: Sandbox, *, login: str = "demo:demo", port: int | None = None) -> Notifier:
    """Return a Notifier with this login and password, on the gateway or on a port where nobody listens."""
    address = gateway.gateway if port is None else f"http://127.0.0.1:{port}/rest"
    return Notifier(f"devino://{login}@DEVINO?gateway={address}")


def test_looks_that_go_well_leave_no_error(journal: Journal, gateway: Sandbox) -> None:
    """All had an answer."""
    with at(gateway) as notifier:
        looks = Deliveries(notifier, journal)
        assert (ROWS, None, 0) == (looks.poll(), looks.error, looks.unseen)


def test_a_refused_login_ends_the_looks(journal: Journal, gateway: Sandbox) -> None:
    """None is looked at, all are counted, and the account is not locked by hundreds of wrong logins."""
    with at(gateway, login="demo:wrong") as notifier:
        looks = Deliveries(notifier, journal, connections=2)
        assert (0, Unauthorized, True, ROWS) == (looks.poll(), type(looks.error), looks.refused, looks.unseen)
    assert 1 <= sum(each.code == 4 for each in gateway.requests()) <= 4


def test_a_gateway_that_is_away_ends_the_looks(journal: Journal, gateway: Sandbox) -> None:
    """After some that fail in a row; those that were not tried are counted as well, taken or not."""
    with at(gateway, port=free_port()) as notifier:
        journal.outbox.adopt(f"demo@{gateway.gateway.partition('://')[2]}", notifier.url.account)
        looks = Deliveries(notifier, journal, connections=1, some=4, most_failures=1)
        assert (0, NotSent, False, ROWS) == (looks.poll(), type(looks.error), looks.refused, looks.unseen)


def test_an_error_of_one_look_leaves_the_others(journal: Journal, gateway: Sandbox) -> None:
    """It is told, with how many it kept from an answer."""
    # A look is tried three times.
    gateway.add_fault("error", code=9, operation="Sms/State", times=3)
    with at(gateway) as notifier:
        looks = Deliveries(notifier, journal, connections=1)
        assert (ROWS - 1, InternalServerError, 1) == (looks.poll(), type(looks.error), looks.unseen)


def test_an_answer_takes_the_error_back(journal: Journal, gateway: Sandbox) -> None:
    """A later look at the same delivery went well."""
    gateway.add_fault("error", code=9, operation="Sms/State", times=3)
    with at(gateway) as notifier:
        looks = Deliveries(notifier, journal, connections=1)
        looks.poll()
        due(journal.outbox.name)
        assert (1, None, 0) == (looks.poll(), looks.error, looks.unseen)


def test_an_error_stays_while_nothing_is_due(journal: Journal, gateway: Sandbox) -> None:
    """A round without looks is no answer."""
    gateway.add_fault("error", code=9, operation="Sms/State", times=3)
    with at(gateway) as notifier:
        looks = Deliveries(notifier, journal, connections=1)
        looks.poll()
        assert (0, InternalServerError, 1) == (looks.poll(), type(looks.error), looks.unseen)


def test_the_words_of_a_plugins_channel_are_not_told(
    journal: Journal, gateway: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They may hold a number; the kind of the error is enough."""
    with at(gateway) as notifier:

        def fail(*_: object) -> None:
            raise ValueError(numbers(1)[0])

        monkeypatch.setattr(type(notifier.channel("sms")), "state", fail)
        looks = Deliveries(notifier, journal, connections=1)
        looks.poll()
        assert "ValueError was raised while the delivery was looked at" == str(looks.error)


def test_a_refused_login_ends_the_watch(journal: Journal, gateway: Sandbox) -> None:
    """It would be refused for ever."""
    with at(gateway, login="demo:wrong") as notifier:
        looks = Deliveries(notifier, journal)
        assert (0, True) == (looks.watch(), looks.refused)


def test_a_watch_ends_when_all_is_decided(journal: Journal, gateway: Sandbox) -> None:
    """Nobody waits."""
    with at(gateway) as notifier:
        assert (0, ROWS) == (Deliveries(notifier, journal).watch(), journal.outbox.counts().delivered)


def test_a_stopped_campaign_does_not_hold_the_watch(half_sent: Journal, gateway: Sandbox) -> None:
    """Rows wait, and no process sends: how many is told."""
    with at(gateway) as notifier:
        assert 5 == Deliveries(notifier, half_sent, nap=0.1, quiet=0.1).watch()


def test_a_watch_goes_on_while_another_process_sends(half_sent: Journal, gateway: Sandbox) -> None:
    """Until that one has ended, although all that it has sent is decided, and it holds no batch at the moment."""
    rounds: list[bool] = []
    # As another process, which has its own lock.
    with at(gateway) as notifier, Outbox(half_sent.outbox.name, max_rows=None) as other:
        batch = other.claim(1)
        assert batch is not None
        other.release(batch)
        looks = Deliveries(notifier, half_sent, nap=0.01, quiet=0.1)

        def observe(counts: Counts) -> None:
            rounds.append(counts[RowState.ACCEPTED] == 0)
            if len(rounds) == 30:
                other.close()

        assert (5, True, True) == (looks.watch(observe), len(rounds) >= 30, rounds[-1])


def test_a_watch_that_is_stopped_leaves_nobody_alone(half_sent: Journal, gateway: Sandbox) -> None:
    """Whoever stops it knows."""
    with at(gateway) as notifier:
        looks = Deliveries(notifier, half_sent)
        threading.Timer(0.3, looks.stop).start()
        assert 0 == looks.watch()
