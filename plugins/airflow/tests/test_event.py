"""What is read from a context, and what makes two messages one."""

from __future__ import annotations

from enum import StrEnum
from types import SimpleNamespace
from typing import Any

import pytest

from devinotify_airflow import event
from tests import contexts


class State(StrEnum):
    """A state, as Airflow has them."""

    FAILED = "failed"


def key(context: dict[str, Any], *rest: str) -> str | None:
    """Return the key of a context's message."""
    return event.read(context).key(*rest)


def test_a_task() -> None:
    """All of a task's event is read from its task instance, and the exception's first line."""
    context = contexts.of_task(map_index=3, try_number=2, state=State.FAILED)
    context["exception"] = ValueError("\n no such table: orders\nSELECT 1")
    found = event.read(context)
    assert event.Event(
        state="failed",
        kind="failed",
        dag="orders",
        run=contexts.RUN_ID,
        task="load",
        map_index=3,
        attempt=2,
        error="ValueError: no such table: orders",
        link=contexts.LINK,
    ) == (found)


def test_an_exception_without_words() -> None:
    """An exception that says nothing has its name, and a text its first line."""
    assert ["ValueError", "timed out"] == [
        event.read({**contexts.of_task(), "exception": raised}).error for raised in (ValueError(), "timed out\nat 6")
    ]


@pytest.mark.parametrize(
    ("reason", "state", "error"),
    [("task_failure", "failed", "task failure"), ("timed_out", "failed", "timed out"), ("success", "success", "")],
)
def test_a_run(reason: str, state: str, error: str) -> None:
    """A run's event has the run's state, and no task."""
    found = event.read(contexts.of_run(reason, clear_number=1))
    assert (state, "orders", contexts.RUN_ID, "", 1, error) == (
        found.state,
        found.dag,
        found.run,
        found.task,
        found.attempt,
        found.error,
    )


def test_a_run_with_a_minimal_context() -> None:
    """Where Airflow knows no task, it hands over no run either, but its id."""
    context = {"dag": SimpleNamespace(dag_id="orders"), "run_id": "r1", "reason": "task_failure"}
    found = event.read(context)
    assert ("orders", "r1") == (found.dag, found.run)


def test_a_deadline() -> None:
    """A deadline's event is the run's, which is a plain dict there."""
    found = event.read(contexts.of_deadline())
    assert ("deadline", "orders", contexts.RUN_ID, "not done by 2026-11-28T06:00:00+00:00") == (
        found.state,
        found.dag,
        found.run,
        found.error,
    )


def test_an_sla() -> None:
    """An SLA of Airflow 2 has no run: what is late tells one from another."""
    late = [{"dag": SimpleNamespace(dag_id="orders"), "task_list": f"load on {day}\nnext"} for day in ("1st", "2nd")]
    assert ("sla", "load on 1st") == (event.read(late[0]).state, event.read(late[0]).error)
    assert 2 == len({key(context) for context in late})


@pytest.mark.parametrize(("tries", "kind"), [(0, "failed"), (1, "up_for_retry")])
def test_a_task_that_was_killed(tries: int, kind: str) -> None:
    """Its state is not told: it failed where it has no try left."""
    assert kind == event.read(contexts.of_task(state=None, max_tries=tries)).kind


@pytest.mark.parametrize(("tries", "state"), [(0, "failed"), (1, "up_for_retry")])
def test_a_task_that_was_killed_has_the_key_of_its_state(tries: int, state: str) -> None:
    """Its callback may be called by the task and, without a state, by the DAG processor: it is one event."""
    known, unknown = (contexts.of_task(state=each, max_tries=tries) for each in (state, None))
    assert key(known, "a") == key(unknown, "a")


DIFFERENT = {
    "another dag": contexts.of_task(dag_id="other"),
    "another run": contexts.of_task(run_id="other"),
    "another task": contexts.of_task(task_id="other"),
    "another of a mapped task": contexts.of_task(map_index=1),
    "the next of a mapped task": contexts.of_task(map_index=2),
    "another try": contexts.of_task(try_number=2),
    "another kind": contexts.of_task(state="up_for_retry"),
    "the run": contexts.of_run(),
    "the run that was cleared": contexts.of_run(clear_number=1),
    "the run's success": contexts.of_run("success"),
    "a deadline": contexts.of_deadline(),
    "another deadline": contexts.of_deadline("0200"),
    "names that a slash could mix up": contexts.of_task(dag_id="orders/load"),
}


def test_each_event_has_a_key() -> None:
    """Dag, run, task, map index, try and kind each make another key, and so does what the message is."""
    keys = [key(contexts.of_task()), key(contexts.of_task(), "a"), key(contexts.of_task(), "a", "b")]
    keys += [key(context) for context in DIFFERENT.values()]
    assert len(keys) == len(set(keys))


def test_the_same_event_has_the_same_key() -> None:
    """What is raised, and where the log is, changes nothing."""
    other = {**contexts.of_task(log_url="elsewhere"), "exception": ValueError("another")}
    assert key(contexts.of_task(), "a") == key(other, "a")


def test_nothing_has_no_key() -> None:
    """A context that tells of nothing tells nothing apart."""
    assert (None, "failed") == (key({}), event.read({}).state)


@pytest.mark.parametrize(
    ("tries", "retries", "life"), [(0, 0, 0), (2, 2, 0), (3, 2, 1), (5, 2, 3)], ids=["", "", "cleared", "cleared later"]
)
def test_generation(tries: int, retries: int, life: int) -> None:
    """A task's retries are one life, and clearing begins another."""
    assert life == event.generation(SimpleNamespace(max_tries=tries, task=SimpleNamespace(retries=retries)))
