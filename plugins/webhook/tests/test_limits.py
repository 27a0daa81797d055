"""So many SMS an hour, then one last text, then a pause."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from devinotify import Outbox

from tests.support import NUMBER, OTHER, Clock, alert, payload

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.support import Hooks


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
