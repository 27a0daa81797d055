"""What fails here before its first byte has left was not sent, whoever has written it down before it was tried."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

from devinotify import Notifier, Outbox, Worker, hookimpl, make_plugin_manager
from devinotify.bulk import Campaign, Journal
from devinotify.bulk.sending import Sending
from devinotify.exceptions import Verdict
from devinotify.gateway import wire
from devinotify.gateway.transport import Transport
from devinotify.outbox import RowState

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from devinotify.channels.protocol import Channel
    from devinotify.models import Message, Outcome
    from devinotify.sandbox import Sandbox

NUMBERS = ("+79161234567", "+79161234568")
FAULTS = [
    "a request that cannot be built",
    "a closed client",
    "a hook before the sending",
    "a hook that sends",
]


class Broken:
    """A plugin one of whose hooks raises."""

    def __init__(self, hook: str) -> None:
        self._hook = hook

    @hookimpl(tryfirst=True)
    def devinotify_prepare_message(self, message: Message) -> list[Message] | None:
        """Raise, where it is this one's turn."""
        if self._hook == "a hook before the sending":
            raise ValueError(message.text)
        return None

    @hookimpl(tryfirst=True)
    def devinotify_send_message(self, message: Message, channel: Channel) -> list[Outcome] | None:
        """Raise, where it is this one's turn."""
        if self._hook == "a hook that sends":
            raise ValueError(message.text)
        return None


@pytest.fixture
def notifier(
    request: pytest.FixtureRequest, gateway: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Notifier]:
    """Give a notifier that has logged in, and whose sends fail by the fault that is asked for."""
    fault = request.param
    plugins = make_plugin_manager(Broken(fault), discover=False)
    with Notifier(f"{gateway.url}&outbox={tmp_path / 'o.db'}", plugins=plugins) as made:
        made.client.user.balance()

        def fail(*arguments: Any, **options: Any) -> None:  # noqa: ANN401 - whatever it is called with
            raise ValueError("I/O operation on closed file")

        if fault == "a request that cannot be built":
            monkeypatch.setattr(wire, "build", fail)
        elif fault == "a closed client":
            monkeypatch.setattr(Transport, "_checkout", fail)
        yield made


def states(outbox: Outbox) -> set[RowState]:
    """Return the states of all rows."""
    return {row.state for row in outbox}


def verdicts(outcomes: Sequence[Outcome]) -> list[Verdict]:
    """Return the verdicts in their order."""
    return [outcome.verdict for outcome in outcomes]


@pytest.mark.parametrize("notifier", FAULTS, indirect=True)
@pytest.mark.parametrize("to", [NUMBERS[:1], NUMBERS])
@pytest.mark.parametrize("channel", ["sms", "sms-viber"])
def test_notify(notifier: Notifier, gateway: Sandbox, channel: str, to: tuple[str, ...]) -> None:
    """Not sent, in the outcome and in the rows of a fallback, which were written down before."""
    outcomes = notifier.notify("hi", to, channel=channel)
    assert ([Verdict.NOT_SENT] * len(to), []) == (verdicts(outcomes), gateway.messages())
    assert states(notifier.following().outbox) <= {RowState.NOT_SENT}


@pytest.mark.parametrize("notifier", FAULTS, indirect=True)
@pytest.mark.parametrize("to", [NUMBERS[:1], NUMBERS])
@pytest.mark.parametrize("channel", ["sms", "sms-viber"])
def test_the_worker(notifier: Notifier, gateway: Sandbox, channel: str, to: tuple[str, ...]) -> None:
    """Nothing that it had claimed is unknown: it ends as not sent, or is queued to be tried again."""
    notifier.enqueue("hi", to, channel=channel)
    Worker(notifier).run(once=True)
    found = states(notifier.following().outbox)
    assert ([], True) == (gateway.messages(), found <= {RowState.NOT_SENT, RowState.QUEUED}), found


@pytest.mark.parametrize("notifier", FAULTS, indirect=True)
@pytest.mark.parametrize("words", [{"text": "hi"}, {"template": "hi {name}"}], ids=["one text", "personal texts"])
@pytest.mark.parametrize("channel", ["sms", "sms-viber"])
def test_a_campaign(
    notifier: Notifier,
    gateway: Sandbox,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    channel: str,
    words: dict[str, Any],
) -> None:
    """Nothing that it had begun is unknown, in its account, in the journal and in the steps of a fallback."""
    monkeypatch.setattr("devinotify.bulk.campaign.Sending", partial(Sending, put_back=0.01))
    source = tmp_path / "list.csv"
    source.write_text("phone,name\n" + "".join(f"{number},Ann\n" for number in NUMBERS))
    with Campaign(notifier, source, journal=tmp_path / "c.db", channel=channel, **words) as campaign:
        result = campaign.run(fail_fast=True)
    assert ([], 0, len(NUMBERS), 0) == (
        gateway.messages(),
        result.tally.unknown,
        result.tally.not_sent,
        result.sent.unknown + result.sent.accepted,
    )
    with Journal(tmp_path / "c.db") as journal:
        found = states(journal.outbox)
    assert found <= {RowState.NOT_SENT, RowState.QUEUED}, found
