"""Contexts as Airflow hands them to callbacks: the parts of them that are read here."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

RUN_ID = "scheduled__2026-11-28T00:00:00+00:00"
LINK = (
    "https://airflow.example.com/dags/orders/runs/scheduled__2026-11-28T00%3A00%3A00%2B00%3A00/tasks/load?try_number=1"
)


def of_task(**parts: Any) -> dict[str, Any]:
    """Return a task's context, with some of its task instance's attributes changed."""
    given = {
        "dag_id": "orders",
        "task_id": "load",
        "run_id": RUN_ID,
        "map_index": -1,
        "try_number": 1,
        "max_tries": 0,
        "state": "failed",
        "log_url": LINK,
        "task": SimpleNamespace(retries=0),
    }
    return {"ti": SimpleNamespace(**{**given, **parts}), "run_id": RUN_ID, "dag": None}


def of_run(reason: str = "task_failure", clear_number: int = 0) -> dict[str, Any]:
    """Return a DAG run's context."""
    run = SimpleNamespace(dag_id="orders", run_id=RUN_ID, clear_number=clear_number)
    return {**of_task(), "reason": reason, "dag_run": run}


def of_deadline(number: str = "0199") -> dict[str, Any]:
    """Return a missed deadline's context, as the triggerer has it."""
    return {
        "dag_run": {"dag_id": "orders", "dag_run_id": RUN_ID},
        "deadline": {"id": number, "deadline_time": "2026-11-28T06:00:00+00:00"},
    }
