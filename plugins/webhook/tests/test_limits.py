"""So many SMS an hour, then one last text, then a pause."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest
from devinotify import DevinotifyError, Outbox

from devinotify_webhook import durable, limits
from tests.support import NUMBER, OTHER, Clock, alert, payload

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.support import Hooks

TEAMS = {"label": "team", "table": {"sre": [NUMBER], "shop": [OTHER]}, "default": [NUMBER]}


def post(hooks: Hooks, *names: str, **labels: str) -> tuple[int, int, bool]:
    """Post some alerts; return the status, how many rows were told, and whether a pause was."""
    answer = hooks.post("/alertmanager/oncall", payload(*(alert(name, **labels) for name in names)))
    told = answer.json()
    return answer.status_code, len(told.get("rows", ())), "paused_until" in told


STORED, PAUSED = (200, 1, False), (200, 0, True)
REFUSED = (503, 0, False)


def test_one_last_text_and_then_a_pause(hooks: Callable[..., Hooks], tmp_path: Path) -> None:
    """Beyond the limit one text says how much is left out and until when; then nothing, and later all as before."""
    clock = Clock()
    outbox = Outbox(tmp_path / "clock.db", clock=clock)
    one = hooks(limit=2, outbox=outbox)
    answers = [one.post("/alertmanager/oncall", payload(alert(f"A{n}"), alert("B"))).json() for n in range(4)]
    assert [False, False, True, True] == ["paused_until" in answer for answer in answers]
    assert [1, 1, 1, 0] == [len(answer["rows"]) for answer in answers]
    assert 3 == len(one.texts())
    assert re.fullmatch(r"2 more alerts, paused until \d\d:\d\d \S+", one.texts()[-1])
    assert 'held_back_total{receiver="oncall"} 4' in one.get("/metrics").text
    clock.later = 3601
    assert 1 == len(one.post("/alertmanager/oncall", payload(alert("C"))).json()["rows"])
    one.close()
    outbox.close()


def test_a_repetition_counts_nothing(hooks: Callable[..., Hooks]) -> None:
    """What is stored already is no use of the limit, and is known in a pause too."""
    one = hooks(limit=1)
    first = [one.post("/alertmanager/oncall", payload(alert())).json()["known"] for _ in range(3)]
    one.post("/alertmanager/oncall", payload(alert("B")))
    again = one.post("/alertmanager/oncall", payload(alert())).json()
    assert ([False, True, True], True, 1) == (first, again["known"], len(again["rows"]))


def test_each_recipient_counts(hooks: Callable[..., Hooks]) -> None:
    """An SMS is one to one recipient."""
    one = hooks(limit=3, to=[NUMBER, OTHER])
    answers = [one.post("/alertmanager/oncall", payload(alert(name))).json() for name in ("A", "B")]
    assert ["paused_until" in answer for answer in answers] == [False, True]


def test_a_pause_outlives_the_process(hooks: Callable[..., Hooks]) -> None:
    """Limits and pauses are the outbox's: a restart, or a second process, begins nothing anew."""
    first = hooks(limit=1)
    for name in ("A", "B"):
        first.post("/alertmanager/oncall", payload(alert(name)))
    answer = hooks(limit=1).post("/alertmanager/oncall", payload(alert("C"))).json()
    assert ([], True) == (answer["rows"], "paused_until" in answer)


def test_a_text_in_a_pause_is_refused(hooks: Callable[..., Hooks]) -> None:
    """Nobody else would tell of a text that is not stored: 503, and one announcement for all of them."""
    one = hooks(limit=1)
    answers = [one.post("/sms/oncall", {"text": f"Code {number}"}).status_code for number in range(3)]
    assert [200, 503, 503] == answers
    assert ["Code 0", True] == [one.texts()[0], one.texts()[1].startswith("1 more message, paused until ")]
    assert 2 == len(one.texts())


def test_texts_to_many_in_a_pause_are_announced_once(hooks: Callable[..., Hooks]) -> None:
    """Whoever names the recipients is told by the answer: he cannot cause an announcement to each of them."""
    one = hooks(limit=1, to="request")
    to = ["+79161234567", "+79161234568", "+79161234569"]
    answers = [one.post("/sms/oncall", {"text": "Hi", "to": number}).status_code for number in to]
    assert ([200, 503, 503], to[:2]) == (answers, one.recipients())


# --- what is not stored does not count


@pytest.fixture
def full(tmp_path: Path) -> Iterator[Outbox]:
    """Yield an outbox that has no room left."""
    with Outbox(tmp_path / "full.db", max_rows=1) as outbox:
        yield outbox


def fill(hooks: Hooks) -> None:
    """Take what room an outbox has, by a receiver without a limit."""
    assert 200 == hooks.post("/sms/filler", {"text": "first"}).status_code


@pytest.mark.parametrize("dedupe", [0, 600])
def test_a_full_outbox_counts_nothing(dedupe: int, hooks: Callable[..., Hooks], full: Outbox) -> None:
    """However often an alert is posted while there is no room, it is stored when there is, and so is the next one."""
    one = hooks(
        receivers={"oncall": {"to": NUMBER, "limit": 2, "dedupe": dedupe}, "filler": {"to": NUMBER}}, outbox=full
    )
    fill(one)
    assert [REFUSED] * 4 == [post(one, "A") for _ in range(4)]
    for name in "AB":
        full.forget(full.rows())
        assert [STORED, [f"FIRING critical {name}"]] == [post(one, name), one.texts()]
    full.forget(full.rows())
    assert (200, 1, True) == post(one, "C")
    one.close()


def test_what_could_not_be_given_back_counts_once(hooks: Callable[..., Hooks], monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the disk lets nothing be given back either, the alert that is posted again takes no more of the limit."""
    one = hooks(limit=1)

    def full(*arguments: Any, **options: Any) -> Any:  # noqa: ANN401 - whatever they take
        raise DevinotifyError("the disk is full")

    with monkeypatch.context() as failing:
        failing.setattr(one.app.house.notifier, "enqueue", full)
        failing.setattr(one.app.house.outbox, "give_back", full)
        assert [REFUSED] * 3 == [post(one, "A") for _ in range(3)]
    assert [STORED, (200, 1, True)] == [post(one, name) for name in "AB"]


def test_a_process_that_ended_before_it_stored_counts_once(
    hooks: Callable[..., Hooks], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The next process stores what it is posted again, for the use that was counted already."""
    one = hooks(limit=1)

    def killed(*arguments: Any, **options: Any) -> Any:  # noqa: ANN401 - whatever it takes
        raise DevinotifyError("it ends here")

    with monkeypatch.context() as failing:
        failing.setattr(one.app.house.notifier, "enqueue", killed)
        failing.setattr(limits.Use, "end", lambda *_: None)
        assert REFUSED == post(one, "A")
    assert [STORED, (200, 1, True)] == [post(hooks(limit=1), name) for name in "AB"]


def test_a_recipient_that_is_refused_counts_nothing(hooks: Callable[..., Hooks]) -> None:
    """Only what is stored counts."""
    one = hooks(limit=2, to="request")
    texts = [{"text": text, "to": [NUMBER, "1234567"]} for text in "abc"]
    assert [200, 200, 503] == [one.post("/sms/oncall", text).status_code for text in texts]


def test_what_is_stored_counts_though_the_disk_does_not_sync(
    hooks: Callable[..., Hooks], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is refused and yet sent: posted again it is known, and has been counted once."""
    one = hooks(limit=2)

    def broken(name: str) -> None:
        raise OSError(5, "Input/output error")

    with monkeypatch.context() as failing:
        failing.setattr(durable, "sync", broken)
        assert [503, 503] == [post(one, "A")[0] for _ in range(2)]
    assert [STORED, STORED, (200, 1, True)] == [post(one, name) for name in "ABC"]


def test_two_that_store_the_same_at_once_count_it_once(
    hooks: Callable[..., Hooks], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of a pair's posts to two processes at one moment, one is a use of the limit, whichever of them stores it."""
    with Outbox(tmp_path / "pair.db") as mine, Outbox(tmp_path / "pair.db") as others:
        one, other = hooks(limit=2, outbox=mine), hooks(limit=2, outbox=others)
        notifier = one.app.house.notifier
        real = notifier.enqueue
        told = []

        def enqueue(*arguments: Any, **options: Any) -> Any:  # noqa: ANN401 - whatever it takes
            told.append(post(other, "A"))
            return real(*arguments, **options)

        with monkeypatch.context() as meanwhile:
            meanwhile.setattr(notifier, "enqueue", enqueue)
            told.append(post(one, "A"))
        assert [STORED] * 3 + [(200, 1, True)] == told + [post(one, name) for name in "BC"]
        one.close()
        other.close()


# --- who is told of a pause


def announced(hooks: Hooks) -> list[tuple[str, str]]:
    """Return who was told of how many more."""
    told = zip(hooks.recipients(), hooks.texts(), strict=True)
    return [(to, text.partition(",")[0]) for to, text in told if "paused until" in text]


def test_each_team_is_told_once(hooks: Callable[..., Hooks], tmp_path: Path) -> None:
    """A pause is the receiver's; each team that loses alerts in it is told of its own, and in the next one again."""
    clock = Clock()
    with Outbox(tmp_path / "clock.db", clock=clock) as outbox:
        one = hooks(limit=1, to=TEAMS, outbox=outbox)
        both = payload(alert("A", team="sre"), alert("B", team="shop"), alert("C", team="shop"))
        assert 2 == len(one.post("/alertmanager/oncall", both).json()["rows"])
        assert [(OTHER, "2 more alerts")] == announced(one)
        assert [(200, 1, True), PAUSED, PAUSED] == [
            post(one, *names, team=team) for names, team in (("DEF", "sre"), ("G", "sre"), ("H", "shop"))
        ]
        assert [(OTHER, "2 more alerts"), (NUMBER, "3 more alerts")] == announced(one)
        assert 'held_back_total{receiver="oncall"} 7' in one.get("/metrics").text
        outbox.forget(outbox.rows())
        clock.later = 3601
        assert [STORED, (200, 1, True), (200, 1, True), PAUSED] == [
            post(one, name, team=team) for name, team in (("I", "sre"), ("J", "sre"), ("K", "shop"), ("L", "shop"))
        ]
        assert [(NUMBER, "1 more alert"), (OTHER, "1 more alert")] == announced(one)
        one.close()


def test_a_pause_that_could_not_be_told_is_told(hooks: Callable[..., Hooks], full: Outbox) -> None:
    """While there is no room for the announcement the post is refused: posted again, its team is told."""
    one = hooks(
        receivers={"oncall": {"to": TEAMS, "limit": 1}, "filler": {"to": NUMBER}},
        outbox=full,
    )
    assert STORED == post(one, "A", team="sre")
    assert [REFUSED] * 2 == [post(one, "B", team=team) for team in ("sre", "shop")]
    for team in ("sre", "shop"):
        full.forget(full.rows())
        assert [(200, 1, True), PAUSED] == [post(one, "B", team=team) for _ in range(2)]
    one.close()


def test_two_that_begin_a_pause_tell_it_once(
    hooks: Callable[..., Hooks], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One process begins a pause; another that would at the same moment refuses, and then finds it."""
    with Outbox(tmp_path / "pair.db") as mine, Outbox(tmp_path / "pair.db") as others:
        one, other = hooks(limit=1, outbox=mine), hooks(limit=1, outbox=others)
        assert STORED == post(one, "A")
        real = mine.remember
        told: list[tuple[int, int, bool]] = []

        def remember(name: str, value: str) -> None:
            if not told:
                told.append(post(other, "B"))
            real(name, value)

        with monkeypatch.context() as meanwhile:
            meanwhile.setattr(mine, "remember", remember)
            told.append(post(one, "B"))
        told.append(post(other, "B"))
        assert ([REFUSED, (200, 1, True), PAUSED], [(NUMBER, "1 more alert")]) == (told, announced(one))
        one.close()
        other.close()


def test_a_pause_that_another_has_begun_is_the_one(
    hooks: Callable[..., Hooks], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where another process has begun it between our look and our beginning, there is one pause, told once."""
    with Outbox(tmp_path / "pair.db") as mine, Outbox(tmp_path / "pair.db") as others:
        one, other = hooks(limit=1, outbox=mine), hooks(limit=1, outbox=others)
        assert STORED == post(one, "A")
        real = limits.begin
        told: list[tuple[int, int, bool]] = []

        def begin(*arguments: Any) -> Any:  # noqa: ANN401 - whatever it takes
            meanwhile.undo()
            told.append(post(other, "B"))
            return real(*arguments)

        with monkeypatch.context() as meanwhile:
            meanwhile.setattr(limits, "begin", begin)
            told.append(post(one, "C"))
        assert ([(200, 1, True), PAUSED], [(NUMBER, "1 more alert")]) == (told, announced(one))
        one.close()
        other.close()
