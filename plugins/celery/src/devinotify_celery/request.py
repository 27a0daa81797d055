"""A task's request as the worker keeps, logs and reports it: with its arguments masked, whoever has sent it.

Imported by workers alone, by its name in ``DevinoTask``.
"""

from __future__ import annotations

import logging
import re
from typing import Any

from celery import current_app
from celery.worker.request import Request

from devinotify_celery.contexts import conceal
from devinotify_celery.masking import HIDDEN, mask_arguments
from devinotify_celery.task import DevinoTask


class MaskedRequest(Request):
    """Celery's request, which shows no argument to logs, events, monitors or the result backend."""

    def __init__(self, message: Any, **options: Any) -> None:  # noqa: ANN401 - celery's own
        super().__init__(message, **options)
        args, kwargs = mask_arguments(self._args, self._kwargs)
        self._argsrepr, self._kwargsrepr = repr(tuple(args)), repr(kwargs)
        self._request_dict.update(argsrepr=self._argsrepr, kwargsrepr=self._kwargsrepr)

    def info(self, safe: bool = False) -> dict[str, Any]:  # noqa: ARG002 - celery's own
        """Return what monitors are told of it."""
        told: dict[str, Any] = super().info(safe=True)
        return told

    @property
    def _context(self) -> Any:  # noqa: ANN401 - celery's own
        context = Request._context.__get__(self, type(self))
        conceal(context)
        return context


class PoolFilter(logging.Filter):
    """Hides what a worker's pool is given of our tasks: with ``-l DEBUG`` Celery logs it as it is."""

    _name = re.compile(r"\('([^']+)'")

    def filter(self, record: logging.LogRecord) -> bool:
        """Let every record pass, one of our tasks without its arguments."""
        if str(record.msg).startswith("TaskPool: Apply") and isinstance(record.args, tuple) and len(record.args) == 3:
            target, args, _ = record.args
            found = self._name.match(str(args))
            task = current_app.tasks.get(found[1]) if found is not None else None
            if isinstance(task, DevinoTask):
                record.args = (target, HIDDEN, HIDDEN)
        return True


logging.getLogger("celery.pool").addFilter(PoolFilter())
