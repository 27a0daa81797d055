"""One message sent on to a real account, which here is another sandbox."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from devinotify import Client
from devinotify.sandbox import Sandbox

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

NUMBER, OTHER = "79161234567", "79031234567"


@pytest.fixture(scope="module")
def account() -> Iterator[Sandbox]:
    """Give the gateway of the real account."""
    with Sandbox(sender="REAL") as running:
        yield running


@pytest.fixture
def real(account: Sandbox) -> Iterator[Client]:
    """Give a client of it, to which nothing was sent."""
    account.reset()
    with Client(account.url) as client:
        yield client


@pytest.fixture
def desk(real: Client) -> Iterator[Sandbox]:
    """Give a sandbox that may send on to one number, with a message to it and one to another."""
    with Sandbox(release=real, release_to=["8 916 123-45-67"]) as running, Client(running.url) as client:
        client.sms.send(NUMBER, "Привет", sender="LOCAL")
        client.sms.send(OTHER, "nobody's")
        client.viber.send(NUMBER, "Viber", sender="LOCAL")
        yield running


def test_a_message_is_sent_on(desk: Sandbox, account: Sandbox) -> None:
    """By its own channel, with its text, from the real account's sender; what came of it is told and kept."""
    answers = [desk.release(number) for number in (1, 3)]
    assert [("sms", f"+{NUMBER}", "REAL", "Привет"), ("viber", f"+{NUMBER}", "REAL", "Viber")] == [
        (one.channel, one.recipient, one.sender, one.text) for one in account.messages()
    ]
    assert ["accepted", "accepted"] == [answer["verdict"] for answer in answers]
    assert list(account.messages()[0].message_ids) == answers[0]["message_ids"]
    assert ["accepted", "", "accepted"] == [entry.released for entry in desk.inbox()]


def test_another_number_is_not_written_to(desk: Sandbox, account: Sandbox) -> None:
    """However it is asked for; nor is a message sent on that is not there."""
    with pytest.raises(ValueError, match="not among the numbers"):
        desk.release(2)
    with pytest.raises(LookupError):
        desk.release(9)
    assert [] == account.messages()


def test_it_is_off_by_default(sandbox: Sandbox, real: Client) -> None:
    """Without an account, and without a number."""
    with Client(sandbox.url) as client:
        client.sms.send(NUMBER, "test")
    with pytest.raises(ValueError, match="no account to release to"):
        sandbox.release(sandbox.messages()[0].number)
    with Sandbox(release=real) as running, Client(running.url) as client:
        client.sms.send(NUMBER, "test")
        with pytest.raises(ValueError, match="not among the numbers"):
            running.release(1)


@pytest.mark.parametrize("verdict", ["accepted", "unknown"])
def test_what_may_have_been_sent_is_not_sent_again(desk: Sandbox, account: Sandbox, verdict: str) -> None:
    """By whatever number of presses."""
    if verdict == "unknown":
        account.add_fault("drop", operation="Sms/Send", times=1)
    first = desk.release(1)
    with pytest.raises(ValueError, match=f"released already: {verdict}"):
        desk.release(1)
    assert (verdict, 1) == (first["verdict"], len(account.messages()))


@pytest.mark.parametrize(("verdict", "code"), [("rejected", 5), ("not_sent", None)])
def test_what_provably_was_not_sent_may_be(desk: Sandbox, account: Sandbox, verdict: str, code: int | None) -> None:
    """A refusal, or a failed login, told as what it is."""
    if code is None:
        account.add_fault("error", operation="User/SessionID", code=8)
    else:
        account.add_fault("error", operation="Sms/Send", code=code)
    first = desk.release(1)
    account.remove_fault()
    account.expire_sessions()
    assert (verdict, True) == (first["verdict"], bool(first["error"]))
    assert [] == account.messages()
    assert (verdict, True) == (desk.inbox("id:1")[0].released, desk._ask("GET", "/entry", key="1")["releasable"])


def test_a_double_click_sends_once(desk: Sandbox, account: Sandbox) -> None:
    """The second press finds the first under way, and the gateway goes on answering meanwhile."""
    account.add_fault("latency", seconds=1, operation="Sms/Send", times=1)
    together = threading.Barrier(4)

    def press() -> str:
        together.wait(60)
        try:
            return str(desk.release(1)["verdict"])
        except ValueError as refused:
            return str(refused)

    with ThreadPoolExecutor(4) as presses:
        told = sorted(one.result(60) for one in [presses.submit(press) for _ in range(4)])
    assert (["accepted"] + ["it was released already: sending"] * 3, 1) == (told, len(account.messages()))


def test_a_sandbox_that_died_meanwhile_knows_not(tmp_path: Path, real: Client) -> None:
    """What was being sent on when it ended is unknown to the next one, which does not send it again."""
    with Sandbox(db=tmp_path / "inbox.db") as first, Client(first.url) as client:
        client.sms.send(NUMBER, "test")
        message = first._emulator.store.get(1)
        assert message is not None
        first._emulator.store.release(message, "sending")
    with Sandbox(db=tmp_path / "inbox.db", release=real, release_to=[NUMBER]) as second:
        with pytest.raises(ValueError, match="released already: unknown"):
            second.release(1)
        assert ["unknown"] == [entry.released for entry in second.inbox()]


def test_a_fault_of_our_own_is_told_as_unknown(sandbox: Sandbox) -> None:
    """Whatever the client raises, without its words."""

    class Broken:
        @property
        def sms(self) -> Broken:
            return self

        def send(self, *_: object) -> None:
            raise RuntimeError(NUMBER)

    with Sandbox(release=Broken(), release_to=[NUMBER]) as running, Client(running.url) as client:  # type: ignore[arg-type]
        client.sms.send(NUMBER, "test")
        told = running.release(1)
    assert ("unknown", "RuntimeError") == (told["verdict"], told["error"])
