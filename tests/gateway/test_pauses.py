"""The real pauses between repetitions, on a real server's clock; elsewhere in the tests they are shortened."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import pytest

from devinotify import Client
from devinotify.exceptions import GatewayFailure, NotSent
from tests.faults import acts
from tests.faults.server import LOGIN, PASSWORD, FaultServer

if TYPE_CHECKING:
    from collections.abc import Iterator

SLACK = 10.0
"""Seconds that a busy machine may add: how long a pause is at most stands in test_conversation."""


@pytest.fixture
def server() -> Iterator[FaultServer]:
    """Run a gateway of this test's own."""
    with FaultServer() as running:
        yield running


@pytest.fixture
def client(server: FaultServer) -> Iterator[Client]:
    """Give a client that has logged in."""
    with Client(login=LOGIN, password=PASSWORD, sender="Acme", gateway=server.base) as made:
        made.user.balance()
        yield made


def gaps(times: list[float]) -> list[float]:
    """Return the seconds between one time and the next."""
    return [later - earlier for earlier, later in pairwise(times)]


def test_a_read_is_asked_again_after_growing_pauses(server: FaultServer, client: Client) -> None:
    """Twice more: after 0.05 to 0.1 seconds, then after 0.1 to 0.2."""
    server.play_always("user/balance", acts.code(8, 500))
    with pytest.raises(GatewayFailure):
        client.user.balance()
    first, second = gaps([request.at for request in server.received("user/balance")[1:]])
    assert (0.05 <= first <= 0.1 + SLACK, 0.1 <= second <= 0.2 + SLACK) == (True, True), (first, second)


def test_a_pause_that_was_asked_for_ends_with_five_seconds(
    server: FaultServer, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A gateway may ask for an hour; a caller waits five seconds for it at most, and no less than it asked for."""
    pauses: list[float] = []
    monkeypatch.setattr(client, "_sleep", pauses.append)
    server.play("user/balance", acts.html(503, {"Retry-After": "3600"}), acts.html(503, {"Retry-After": "3"}))
    client.user.balance()
    assert [5.0, 3.0] == pauses


def test_what_was_not_sent_is_tried_again_after_growing_pauses(
    server: FaultServer, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Three times more, each after a pause of 0.05 to 0.1 seconds that doubles."""
    pauses: list[float] = []
    monkeypatch.setattr(client, "_sleep", pauses.append)
    client.close()
    server.stop_listening()
    with pytest.raises(NotSent):
        client.user.balance()
    bounds = [(0.05, 0.1), (0.1, 0.2), (0.2, 0.4)]
    assert [True] * 3 == [low <= pause <= high for pause, (low, high) in zip(pauses, bounds, strict=True)]


@pytest.mark.parametrize("chance", [0.0, 1.0])
def test_chance_makes_the_difference(
    server: FaultServer, client: Client, monkeypatch: pytest.MonkeyPatch, chance: float
) -> None:
    """The shortest pauses are half of the longest: clients that failed together do not come back together."""
    pauses: list[float] = []
    monkeypatch.setattr(client, "_sleep", pauses.append)
    monkeypatch.setattr("random.random", lambda: chance)
    server.play_always("user/balance", acts.code(9, 500))
    with pytest.raises(Exception, match="code 9"):
        client.user.balance()
    assert [0.05 * (1 + chance), 0.1 * (1 + chance)] == pytest.approx(pauses)
