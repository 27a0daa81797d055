"""A post for two teams, of which one message is stored and the other is not: each team gets one, however it ends."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from devinotify import DevinotifyError, Outbox, Worker

from devinotify_webhook.attempts import OPEN
from tests.support import NUMBER, OTHER, Clock, alert, payload

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from devinotify.sandbox import Sandbox

    from tests.support import Hooks

    Make = Callable[..., Hooks]

TEAMS = {"label": "team", "table": {"sre": [NUMBER], "shop": [OTHER]}, "default": [NUMBER]}
ALERTS = payload(alert("A", team="sre"), alert("B", team="shop"))
BOTH = [(NUMBER, "FIRING critical A"), (OTHER, "FIRING critical B")]


@pytest.fixture
def clock() -> Clock:
    """Return a clock that can be set forward."""
    return Clock()


@pytest.fixture
def small(tmp_path: Path, clock: Clock) -> Iterator[Outbox]:
    """Yield an outbox with room for one row."""
    with Outbox(tmp_path / "small.db", max_rows=1, clock=clock) as outbox:
        yield outbox


def stored(hooks: Hooks) -> list[tuple[str, str]]:
    """Return who has which text in the outbox."""
    return list(zip(hooks.recipients(), hooks.texts(), strict=True))


def post(hooks: Hooks) -> int:
    """Post the alerts of both teams; return the status."""
    return hooks.post("/alertmanager/oncall", ALERTS).status_code


@pytest.mark.parametrize("dedupe", [0, 600])
def test_an_outbox_with_room_for_one(dedupe: int, hooks: Make, gateway: Sandbox, small: Outbox) -> None:
    """503 while the second team's message finds no room; posted again and again, each team gets one SMS."""
    one = hooks(to=TEAMS, dedupe=dedupe, outbox=small)
    assert [503, 503] == [post(one) for _ in range(2)]
    assert BOTH[:1] == stored(one)
    Worker(one.app.house.notifier, small).run(once=True)
    small.close_watch(small.rows())  # as after its delivery: it is finished, and makes room
    assert [200, BOTH[1:]] == [post(one), stored(one)]
    Worker(one.app.house.notifier, small).run(once=True)
    assert BOTH == [(message.recipient, message.text) for message in gateway.messages()]
    one.close()


def test_after_the_answer_it_is_another_post(hooks: Make) -> None:
    """Once all of it was stored, the same body is another message: that is what ``dedupe = 0`` says."""
    one = hooks(to=TEAMS, dedupe=0)
    assert [200, 200] == [post(one) for _ in range(2)]
    assert BOTH * 2 == stored(one)


class Broken:
    """An app on an outbox of two teams, where storing one team's message fails as often as it is told."""

    def __init__(self, hooks: Make, outbox: Outbox, monkeypatch: pytest.MonkeyPatch) -> None:
        self.hooks = hooks(to=TEAMS, dedupe=0, outbox=outbox)
        self.fails: dict[str, Exception] = {}
        notifier = self.hooks.app.house.notifier
        real = notifier.enqueue

        def enqueue(text: str, to: list[str], **options: Any) -> Any:  # noqa: ANN401 - whatever it returns
            if to[0] in self.fails:
                raise self.fails[to[0]]
            return real(text, to, **options)

        monkeypatch.setattr(notifier, "enqueue", enqueue)


@pytest.fixture
def broken(hooks: Make, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, clock: Clock) -> Iterator[Broken]:
    """Yield an app where ``dedupe`` is 0."""
    with Outbox(tmp_path / "broken.db", clock=clock) as outbox:
        made = Broken(hooks, outbox, monkeypatch)
        yield made
        made.hooks.close()


@pytest.mark.parametrize("first", [True, False])
def test_one_team_keeps_no_other_from_its_alert(first: bool, broken: Broken) -> None:
    """Whichever of them cannot be stored, the other is; posted again, the one that is missing is stored alone."""
    broken.fails = {NUMBER if first else OTHER: DevinotifyError("the disk is full")}
    assert [503, 503] == [post(broken.hooks) for _ in range(2)]
    assert [BOTH[1] if first else BOTH[0]] == stored(broken.hooks)
    broken.fails = {}
    assert [200, BOTH] == [post(broken.hooks), sorted(stored(broken.hooks), key=lambda one: one[1])]


def test_another_process_goes_on_with_it(broken: Broken, hooks: Make) -> None:
    """Which attempt it is stands in the outbox: a restart, or a kill before the answer, forgets nothing."""
    broken.fails = {OTHER: DevinotifyError("the disk is full")}
    assert 503 == post(broken.hooks)
    second = hooks(to=TEAMS, dedupe=0, outbox=broken.hooks.app.house.outbox)
    assert [200, BOTH] == [post(second), stored(second)]


def test_an_attempt_is_over_some_time(broken: Broken, clock: Clock) -> None:
    """As long as it is posted again it is one; when it was not for ten minutes, the same is another post."""
    broken.fails = {OTHER: DevinotifyError("the disk is full")}
    told = []
    for seconds in (0.0, OPEN - 1, OPEN - 1, OPEN + 1):
        clock.later += seconds
        assert 503 == post(broken.hooks)
        told.append(len(stored(broken.hooks)))
    assert [1, 1, 1, 2] == told


def test_what_is_stored_is_known_where_the_end_is_not_written(broken: Broken, monkeypatch: pytest.MonkeyPatch) -> None:
    """A post whose end cannot be written down is refused: posted again, all of it is known."""
    outbox = broken.hooks.app.house.outbox
    real, calls = outbox.remember, []

    def remember(name: str, value: str) -> None:
        calls.append(name)
        if len(calls) == 2:
            raise DevinotifyError("the disk is full")
        real(name, value)

    monkeypatch.setattr(outbox, "remember", remember)
    assert [503, 200] == [post(broken.hooks) for _ in range(2)]
    assert BOTH == stored(broken.hooks)


def test_where_no_attempt_can_be_written_down_nothing_is_stored(
    broken: Broken, monkeypatch: pytest.MonkeyPatch
) -> None:
    """503, and nobody has it yet."""

    def remember(name: str, value: str) -> None:
        raise DevinotifyError("the disk is full")

    with monkeypatch.context() as failing:
        failing.setattr(broken.hooks.app.house.outbox, "remember", remember)
        assert [503, []] == [post(broken.hooks), stored(broken.hooks)]
    assert [200, BOTH] == [post(broken.hooks), stored(broken.hooks)]


def test_attempts_take_little_room(broken: Broken) -> None:
    """One that is over leaves nothing behind but an empty text, one of a few."""
    outbox = broken.hooks.app.house.outbox
    kept: dict[str, str] = {}
    real = outbox.remember

    def remember(name: str, value: str) -> None:
        kept[name] = value
        real(name, value)

    outbox.remember = remember  # type: ignore[method-assign]
    assert 200 == post(broken.hooks)
    assert ["{}"] == list(kept.values())
