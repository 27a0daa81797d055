"""The notifier: what a DAG's and a task's callbacks and its deadlines tell somebody."""

from __future__ import annotations

import asyncio
import copy
import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from airflow.providers.common.compat.sdk import BaseNotifier, redact

from devinotify_airflow import event
from devinotify_airflow.hook import DEFAULT, DevinoHook
from devinotify_airflow.wording import default_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence


class DevinoNotifier(BaseNotifier):
    """Sends a text when Airflow calls it back: ``on_failure_callback=DevinoNotifier()``.

    ``text``, ``title`` and ``to`` are templates. Without ``text`` it says what happened, in one segment; without ``to``
    it goes to the recipients of the connection, which is the better place for numbers: Airflow logs the arguments of
    callbacks that fail. ``channel`` is ``sms``, ``viber``, …, the connection's own without it.

    A message about an event (dag, run, task, map index, try and kind) is sent once, however often it is called. What is
    not accepted is raised, with its verdict by its name; Airflow logs it and tries nothing again.
    """

    template_fields: Sequence[str] = ("text", "title", "to")

    def __init__(
        self,
        text: str | None = None,
        to: str | Iterable[str] | None = None,
        channel: str | None = None,
        title: str | None = None,
        devinotify_conn_id: str = DEFAULT,
        *,
        context: Any = None,  # noqa: ANN401 - what Airflow hands over in the triggerer
    ) -> None:
        # Airflow before 3.1 takes no context here, and has none to give.
        super().__init__(**({} if context is None else {"context": context}))
        self.text = text
        self.to: str | list[str] | None = to if to is None or isinstance(to, str) else list(to)
        self.channel = channel
        self.title = title
        self.devinotify_conn_id = devinotify_conn_id
        # As it was written: what a template makes of it may be another each time, and the message is the same.
        self._written = json.dumps([text, title, self.to, channel], default=lambda value: type(value).__name__)

    def __call__(self, *args: Any) -> None:  # noqa: ANN401 - one context, or what Airflow 2 hands to an SLA's callback
        """Send, with the templates filled in: in a copy, since this one may be called for another task next."""
        BaseNotifier.__call__(copy.copy(self), *args)

    def get_template_env(self, dag: Any = None) -> Any:  # noqa: ANN401 - a DAG, and what Jinja makes of it
        """Return what fills the templates in: by ``airflow dags test`` a callback gets a DAG that has nothing such."""
        return super().get_template_env(dag if hasattr(dag, "get_template_env") else None)

    def notify(self, context: Mapping[str, Any]) -> None:
        """Send; raise AirflowException, with the verdict by its name, for whatever is not accepted."""
        self._hook.send(**self._message(context))

    async def async_notify(self, context: Mapping[str, Any]) -> None:
        """Send as ``notify`` does, without blocking the loop: for deadlines, whose callbacks run in the triggerer."""
        await self._hook.asend(**await asyncio.to_thread(self._message, context))

    @property
    def _hook(self) -> DevinoHook:
        return DevinoHook(self.devinotify_conn_id)

    def _message(self, context: Mapping[str, Any]) -> dict[str, Any]:
        happened = event.read(context)
        if self.text is None:
            # What was raised may hold a password: it is masked here as Airflow masks it in its logs.
            text = default_text(replace(happened, error=str(redact(happened.error))))
        else:
            text = str(self.text)
        return {
            "text": text,
            "to": self.to,
            "title": None if self.title is None else str(self.title),
            "channel": self.channel,
            "key": happened.key(self._written),
        }


send_devino_notification = DevinoNotifier
"""The notifier by the name that Airflow's own providers would give it."""
