"""What Airflow's context tells of the event that somebody is told of, and the key that its message has. Pure.

Airflow calls a callback with one of five contexts: a task's, a DAG run's (with a ``reason``), a missed deadline's (with
a ``deadline``, and a run that is a plain dict), an SLA's of Airflow 2 (with a ``task_list``), or nothing.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

SUCCESS = "success"
FAILED = "failed"
RETRY = "up_for_retry"
DEADLINE = "deadline"
SLA = "sla"
RUN = "run"
"""What stands in a key before the state of a whole run: the same word is a task's kind, too."""


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened: to a task in a run, or to the run as a whole."""

    state: str
    """``failed``, ``up_for_retry``, ``success``, …: a task's or a run's; ``deadline`` and ``sla`` for what is late."""
    kind: str
    """The state, as the key has it: a run's apart from a task's, and one missed deadline apart from another."""
    dag: str = ""
    run: str = ""
    task: str = ""
    map_index: int = -1
    """Which of a mapped task's instances, counted from 0; -1 where the task is not mapped."""
    attempt: int = 0
    """The task's try, counted from 1; of a run, how often it was cleared."""
    error: str = ""
    """What was raised, in one line."""
    link: str = ""
    """The address of the task's log."""

    def key(self, *rest: str) -> str | None:
        """Return what a message about this is stored under; ``None`` where nothing tells it from another event.

        ``rest`` is what makes one message about the same event another one: whose it is, and what it says.
        """
        if not (self.dag and (self.run or self.kind.startswith(SLA))):
            return None
        parts = (self.dag, self.run, self.task, str(self.map_index), str(self.attempt), self.kind)
        return "/".join(["airflow", *(quote(part, safe=":+") for part in parts), digest(*rest)])


def digest(*parts: str) -> str:
    """Return a short name of some texts, the same in every process."""
    return hashlib.sha256("\0".join(parts).encode(errors="surrogatepass")).hexdigest()[:16]


def read(context: Mapping[str, Any]) -> Event:
    """Return the event of a callback's context, of whichever kind."""
    if DEADLINE in context:
        return _missed_deadline(context)
    if "task_list" in context:
        return _missed_sla(context)
    if "reason" in context:
        return _of_run(context)
    return _of_task(context)


def generation(task_instance: Any) -> int:  # noqa: ANN401 - a class of Airflow's
    """Return which of its lives a task instance is in: one for all of its own retries, another once it was cleared.

    Airflow gives a task that is cleared its retries anew, beyond the tries that it has had.
    """
    return int(task_instance.max_tries or 0) - int(getattr(task_instance.task, "retries", 0) or 0)


def _of_task(context: Mapping[str, Any]) -> Event:
    task = context.get("ti") or context.get("task_instance")
    state = _state_of(task)
    return Event(
        state=state,
        kind=state,
        dag=_text(task, "dag_id"),
        run=_text(task, "run_id"),
        task=_text(task, "task_id"),
        map_index=_number(task, "map_index", -1),
        attempt=_number(task, "try_number", 0),
        error=_first_line(context.get("exception")),
        link=_text(task, "log_url"),
    )


def _of_run(context: Mapping[str, Any]) -> Event:
    reason = str(context["reason"] or "")
    state = SUCCESS if reason == SUCCESS else FAILED
    run, task = context.get("dag_run"), context.get("ti")
    return Event(
        state=state,
        kind=f"{RUN} {state}",
        dag=_text(context.get("dag"), "dag_id") or _text(run, "dag_id"),
        run=str(context.get("run_id") or _text(run, "run_id")),
        attempt=_number(run, "clear_number", 0),
        error="" if state == SUCCESS else reason.replace("_", " "),
        link=_text(task, "log_url"),
    )


def _missed_deadline(context: Mapping[str, Any]) -> Event:
    run, deadline = context.get("dag_run"), context[DEADLINE]
    return Event(
        state=DEADLINE,
        kind=f"{DEADLINE} {_text(deadline, 'id')}",
        dag=_text(run, "dag_id"),
        run=_text(run, "dag_run_id") or _text(run, "run_id"),
        error=f"not done by {_text(deadline, 'deadline_time')}",
    )


def _missed_sla(context: Mapping[str, Any]) -> Event:
    # Lines of "task on date", one for each that is late.
    late = str(context["task_list"] or "")
    return Event(
        state=SLA, kind=f"{SLA} {digest(late)}", dag=_text(context.get("dag"), "dag_id"), error=_first_line(late)
    )


def _state_of(task: object) -> str:
    state = getattr(task, "state", None)
    if state is not None:
        return str(getattr(state, "value", state))
    # Of a task that was killed, whose callback the DAG processor runs: it comes again as long as it has tries left.
    tries = _number(task, "max_tries", 0)
    return RETRY if 0 < _number(task, "try_number", 0) <= tries else FAILED


def _first_line(raised: object) -> str:
    """Return an exception's name and the first line of what it says, or the first line of a text."""
    if raised is None:
        return ""
    lines = [line.strip() for line in str(raised).splitlines() if line.strip()]
    if not isinstance(raised, BaseException):
        return "".join(lines[:1])
    return ": ".join([type(raised).__name__, *lines[:1]])


def _text(holder: Any, name: str) -> str:  # noqa: ANN401 - an object of Airflow's, or a dict of what one holds
    value = holder.get(name) if isinstance(holder, Mapping) else getattr(holder, name, None)
    return "" if value is None else str(value)


def _number(holder: object, name: str, default: int) -> int:
    value = getattr(holder, name, None)
    return value if isinstance(value, int) else default
