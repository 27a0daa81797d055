"""The operator: a step of a pipeline that sends an SMS."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow.providers.common.compat.sdk import BaseOperator

from devinotify_airflow import event
from devinotify_airflow.hook import DEFAULT, DevinoHook

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

KIND = "operator"


class DevinoSmsOperator(BaseOperator):
    """Sends ``text`` to ``to``, a number, an alias or several, or to the recipients of the connection.

    ``text``, ``title`` and ``to`` are templates. The task's retries send to those alone whom provably nothing was sent
    to; a task that was cleared sends anew. What may have been sent, or was refused, fails the task without a retry.
    """

    template_fields: Sequence[str] = ("text", "title", "to")

    def __init__(
        self,
        *,
        text: str,
        to: str | Iterable[str] | None = None,
        title: str | None = None,
        channel: str | None = "sms",
        devinotify_conn_id: str = DEFAULT,
        **options: Any,  # noqa: ANN401 - the base class's own
    ) -> None:
        super().__init__(**options)
        self.text = text
        self.to = to
        self.title = title
        self.channel = channel
        self.devinotify_conn_id = devinotify_conn_id

    def execute(self, context: Mapping[str, Any]) -> list[dict[str, str]]:
        """Send, and return recipients, masked, and verdicts; raise AirflowException with what is not accepted."""
        task = context["ti"]
        step = event.Event(
            state=KIND,
            kind=KIND,
            dag=task.dag_id,
            run=task.run_id,
            task=task.task_id,
            map_index=-1 if task.map_index is None else task.map_index,
            attempt=event.generation(task),
        )
        standings = DevinoHook(self.devinotify_conn_id).send(
            str(self.text), self.to, title=self.title, channel=self.channel, key=step.key()
        )
        return [{"recipient": standing.recipient, "verdict": str(standing.verdict)} for standing in standings]
