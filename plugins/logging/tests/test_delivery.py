"""How alerts go out: tried again one apart from the other, and through an outbox by a thread that can be reached."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

import pytest
from devinotify import Message, Notifier, NotSent, Outbox, Outcome, OutcomeUnknown, Verdict, Worker, hookimpl
from devinotify.sandbox import Sandbox

from devinotify_logging import DevinoHandler, delivery
from devinotify_logging.delivery import Direct, Durable, OutgoingAlert
from tests.support import NUMBER, texts, url_of

if TYPE_CHECKING:
    import logging
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def complaints() -> list[BaseException]:
    """Return what was complained of."""
    return []


class Away:
    """A plugin that lets nothing leave while the gateway is ``away``."""

    def __init__(self) -> None:
        self.away = True

    @hookimpl(tryfirst=True)
    def devinotify_send_message(self, message: Message) -> list[Outcome] | None:
        """Answer that nothing was sent."""
        if not self.away:
            return None
        error = NotSent("the gateway is away")
        return [Outcome(recipient, Verdict.NOT_SENT, message.channel, error=error) for recipient in message.recipients]


@pytest.fixture
def plugin() -> Away:
    """Return a gateway that is away."""
    return Away()


@pytest.fixture
def notifier(gateway: Sandbox, plugin: Away) -> Iterator[Notifier]:
    """Yield a notifier of that gateway."""
    with Notifier(url_of(gateway)) as made:
        made.plugins.register(plugin)
        yield made


def outgoing(text: str) -> OutgoingAlert:
    """Return a text on its way."""
    return OutgoingAlert(lambda late: f"late {text}" if late else text, time.time(), (NUMBER,))


def test_one_that_fails_keeps_no_other(
    gateway: Sandbox, notifier: Notifier, plugin: Away, complaints: list[BaseException]
) -> None:
    """An alert that cannot be written again is told of, and the one behind it is tried all the same."""
    direct = Direct(notifier, None, complaints.append)

    def odd(late: bool) -> str:
        if late:
            raise RuntimeError("odd")
        return "first"

    direct.post(OutgoingAlert(odd, time.time(), (NUMBER,)))
    direct.post(outgoing("second"))
    plugin.away = False
    assert None is direct.turn(final=True)
    assert (["late second"], ["odd"]) == (texts(gateway), [str(error) for error in complaints])


def counted(records: int) -> OutgoingAlert:
    """Return a text that tells of so many records."""
    return OutgoingAlert(lambda _: "text", time.time(), (NUMBER,), records)


def test_what_nobody_has(notifier: Notifier, plugin: Away, complaints: list[BaseException]) -> None:
    """The records of alerts that were not sent are counted until somebody has them, and when they are given up."""
    now = [1000.0]
    direct = Direct(notifier, None, complaints.append, lambda: now[0])
    direct.post(counted(3))
    direct.post(counted(4))
    counts = [direct.unsent]
    now[0] += delivery.RETRY_FOR
    direct.turn(final=False)
    counts.append(direct.unsent)  # given up: lost for good
    direct.post(counted(5))
    counts.append(direct.unsent)
    plugin.away = False
    direct.turn(final=True)
    counts.append(direct.unsent)
    assert ([7, 7, 12, 7], 0) == (counts, direct.under_way)


def test_what_is_crowded_out(notifier: Notifier, complaints: list[BaseException]) -> None:
    """What too many others push out of memory is counted as well."""
    direct = Direct(notifier, None, complaints.append)
    for _ in range(delivery.MOST_RETRIED + 2):
        direct.post(counted(1))
    assert delivery.MOST_RETRIED + 2 == direct.unsent


def test_what_one_of_two_has(gateway: Sandbox, complaints: list[BaseException]) -> None:
    """An alert that one of its recipients may have is not lost, though another waits for it."""

    class Half(Away):
        @hookimpl(tryfirst=True)
        def devinotify_send_message(self, message: Message) -> list[Outcome] | None:
            """Lose the answer for the first, and send to nobody else."""
            first, *others = message.recipients
            error = NotSent("the gateway is away")
            return [
                Outcome(first, Verdict.UNKNOWN, message.channel, error=OutcomeUnknown("the answer is lost")),
                *(Outcome(each, Verdict.NOT_SENT, message.channel, error=error) for each in others),
            ]

    with Notifier(url_of(gateway)) as notifier:
        notifier.plugins.register(Half())
        direct = Direct(notifier, None, complaints.append)
        direct.post(OutgoingAlert(lambda _: "text", time.time(), (NUMBER, "+79161234568"), 1))
        assert (0, True) == (direct.unsent, direct.turn(final=False) is not None)


def test_not_before_it_is_due(notifier: Notifier, complaints: list[BaseException]) -> None:
    """What was not sent is tried again after a pause that doubles, for a while, and then given up."""
    now = [1000.0]
    direct = Direct(notifier, None, complaints.append, lambda: now[0])
    direct.post(outgoing("text"))
    pauses = []
    while (pause := direct.turn(final=False)) is not None:
        pauses.append(pause)
        now[0] += pause
    assert [2.0, 4.0, 8.0, 16.0, 32.0, 60.0] == pauses[:6]
    assert {60.0} == set(pauses[6:])
    assert delivery.RETRY_FOR <= sum(pauses) < delivery.RETRY_FOR + delivery.RETRY.most


def test_no_more_than_memory_keeps(
    gateway: Sandbox, notifier: Notifier, plugin: Away, complaints: list[BaseException]
) -> None:
    """Of many that were not sent the oldest are given up."""
    direct = Direct(notifier, None, complaints.append)
    for number in range(delivery.MOST_RETRIED + 2):
        direct.post(outgoing(f"number {number}"))
    plugin.away = False
    direct.turn(final=True)
    assert [f"late number {number}" for number in range(2, delivery.MOST_RETRIED + 2)] == texts(gateway)


def test_outbox_thread_takes_breath(gateway: Sandbox, tmp_path: Path, complaints: list[BaseException]) -> None:
    """An outbox thread that finds something due after every turn is reached in between, and sends it all."""
    notifier, outbox = Notifier(url_of(gateway)), Outbox(tmp_path / "alerts.db")
    for number in range(5):
        outbox.enqueue(Message(f"number {number}", (NUMBER,), sender="DEVINO", channel="sms"), watch=False)
    durable = Durable(notifier, outbox, None, complaints.append, longest_turn=0.0)
    durable.wake()
    assert gateway.wait(lambda: len(gateway.messages()) == 5, 60)
    assert {f"number {number}" for number in range(5)} == set(texts(gateway))
    assert (True, []) == (durable.finish(60), complaints)


def test_an_alert_is_its_accounts(gateway: Sandbox, tmp_path: Path, complaints: list[BaseException]) -> None:
    """One that waits behind another, too: a worker of another account on the same file sends none of them."""
    sending, hold = threading.Event(), threading.Event()

    class Held:
        @hookimpl(tryfirst=True)
        def devinotify_send_message(self) -> None:
            """Have the outbox thread wait."""
            sending.set()
            hold.wait(60)

    with (
        Sandbox(login="other", password="of the other") as other,
        Notifier(url_of(other)) as elsewhere,
        Notifier(url_of(gateway)) as own,
        Outbox(tmp_path / "alerts.db") as watcher,
    ):
        own.plugins.register(Held())
        durable = Durable(own, Outbox(tmp_path / "alerts.db"), None, complaints.append)
        try:
            durable.post(outgoing("first"))
            assert sending.wait(60)
            durable.post(outgoing("second"))
            stored = [watcher.message(row.message_id) for row in watcher]
            states = [str(row.state) for row in watcher]
            Worker(elsewhere, watcher).run(once=True)
        finally:
            hold.set()
            is_over = durable.finish(60)
        assert (["claimed", "queued"], [own.url.account] * 2) == (states, [each and each.account for each in stored])
        assert (True, ["late first", "late second"], []) == (is_over, texts(gateway), texts(other))


def test_what_is_another_accounts_is_not_waited_for(
    notifier: Notifier, tmp_path: Path, complaints: list[BaseException]
) -> None:
    """However long it is due: the outbox thread rests as if it were not there."""
    outbox = Outbox(tmp_path / "alerts.db")
    outbox.enqueue(Message("theirs", (NUMBER,)), account="other@gateway.example/rest")
    durable = Durable(notifier, outbox, None, complaints.append)
    pause = durable._carry([], False, False)  # noqa: FBT003 - a loop's turn
    durable._close()
    assert delivery.LOOK_AGAIN == pause


def test_end_that_comes_twice(gateway: Sandbox, tmp_path: Path, complaints: list[BaseException]) -> None:
    """Told of its end again while it closes, an outbox thread does not look into a file that is closed."""
    closing, hold = threading.Event(), threading.Event()

    class Slow(Notifier):
        def close(self) -> None:
            """Close in a while."""
            closing.set()
            hold.wait(60)
            super().close()

    durable = Durable(Slow(url_of(gateway)), Outbox(tmp_path / "alerts.db"), None, complaints.append)
    durable.post(outgoing("text"))
    durable.end()
    assert closing.wait(60)
    assert not durable.finish(0)
    hold.set()
    assert durable.finish(60)
    assert (["late text"], []) == (texts(gateway), complaints)


def test_close_that_fails(gateway: Sandbox, tmp_path: Path, complaints: list[BaseException]) -> None:
    """A file that cannot be closed is told of, and the rest is closed all the same."""
    outbox = Outbox(tmp_path / "alerts.db")
    closed = threading.Event()

    class Stubborn(Notifier):
        def close(self) -> None:
            """Close, and complain."""
            super().close()
            closed.set()
            raise OSError("stubborn")

    durable = Durable(Stubborn(url_of(gateway)), outbox, None, complaints.append)
    durable.post(outgoing("text"))
    durable.end()
    assert durable.finish(60)
    assert (["late text"], ["stubborn"], True) == (
        texts(gateway),
        [str(error) for error in complaints],
        closed.is_set(),
    )


def test_ended_all_the_same(gateway: Sandbox, logger: logging.Logger, capsys: pytest.CaptureFixture[str]) -> None:
    """Where closing fails, that is reported, the thread ends, and what is logged later is sent."""
    handler = DevinoHandler(url_of(gateway))
    logger.addHandler(handler)

    def fail() -> None:
        raise OSError("stubborn")

    handler._sender._current.close = fail  # type: ignore[method-assign]
    handler.close()
    logger.error("later")
    assert gateway.wait(lambda: len(gateway.messages()) == 1, 60)
    assert "OSError: stubborn" in capsys.readouterr().err
