"""The pipelines that Airflow's own processes run in the tests: they fail, are late, or send."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, NoReturn

from airflow.providers.common.compat.sdk import DAG, BaseHook, BaseOperator

from devinotify_airflow import DevinoNotifier, DevinoSmsOperator

TEXT = "{{ ti.task_id }} failed in {{ run_id }}"
SOON = timedelta(seconds=1)


class Fails(BaseOperator):
    """Fails as a load does."""

    def execute(self, context: Any) -> NoReturn:
        """Raise an error of two lines."""
        raise ValueError("no such table: orders\nSELECT * FROM orders")


class Shows(BaseOperator):
    """Logs what it had better not."""

    def execute(self, context: Any) -> None:
        """Log the connection's password."""
        self.log.info("the password is <%s>", BaseHook.get_connection("devinotify_default").password)


class Stands(BaseOperator):
    """Does nothing."""

    def execute(self, context: Any) -> None:
        """Do nothing: what is late is the run."""


# All that may fail, in one DAG: that of a test is run once.
shared = DevinoNotifier(TEXT)
with DAG("failing", schedule=None, on_failure_callback=DevinoNotifier("{{ dag.dag_id }} failed")):
    DevinoSmsOperator(
        task_id="tell",
        text="{{ dag.dag_id }} begins",
        to="+79031234567",
        on_execute_callback=DevinoNotifier("{{ ti.task_id }}: begun, or done"),
        on_success_callback=DevinoNotifier("{{ ti.task_id }}: begun, or done"),
    )
    DevinoSmsOperator.partial(task_id="each").expand(text=["mapped a", "mapped b"])
    Fails(task_id="load", on_failure_callback=DevinoNotifier())
    # One notifier for several tasks, as default arguments have it, and the same callback twice.
    Fails(task_id="first", on_failure_callback=[shared, DevinoNotifier(TEXT)])
    Fails(task_id="second", on_failure_callback=[shared, DevinoNotifier(TEXT)])

with DAG("shown", schedule=None):
    Shows(task_id="show")

with DAG("by_form", schedule=None):
    DevinoSmsOperator(task_id="tell", text="by form", devinotify_conn_id="by_form")

with DAG("refused", schedule=None):
    Fails(task_id="load", on_failure_callback=DevinoNotifier("refused", to="+79051234567"))

with DAG("retried", schedule=None, on_failure_callback=DevinoNotifier("{{ dag.dag_id }} failed")):
    Fails(
        task_id="load",
        retries=1,
        retry_delay=SOON,
        on_retry_callback=DevinoNotifier("again"),
        on_failure_callback=DevinoNotifier(),
    )


try:
    from airflow.sdk import AsyncCallback, DeadlineAlert, DeadlineReference
except ImportError:  # before Airflow 3.1 there are no deadlines
    pass
else:
    LONG_AGO = DeadlineReference.FIXED_DATETIME(datetime(2025, 1, 1, tzinfo=UTC))

    with DAG("beating", schedule=None, deadline=DeadlineAlert(LONG_AGO, SOON, AsyncCallback("beats.beat"))):
        Stands(task_id="stand")
    alert = AsyncCallback(DevinoNotifier, {"text": "{{ dag_run.dag_id }} is late", "to": "+79031234567"})
    with DAG("late", schedule=None, deadline=DeadlineAlert(LONG_AGO, SOON, alert)):
        Stands(task_id="stand")
