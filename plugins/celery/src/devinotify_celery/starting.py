"""What is done as a worker starts and its processes end, by Celery's signals."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from celery.signals import celeryd_after_setup, import_modules, task_prerun, worker_process_shutdown, worker_shutdown
from devinotify import DevinotifyError

from devinotify_celery import settings
from devinotify_celery.contexts import conceal
from devinotify_celery.notifiers import get_notifier, shared
from devinotify_celery.task import DevinoTask

if TYPE_CHECKING:
    from celery import Celery

log: logging.Logger = logging.getLogger(__name__)


@import_modules.connect
def hide_settings(sender: Celery, **others: Any) -> None:  # noqa: ANN401, ARG001 - celery's own
    """Hide the URL as soon as a command of Celery's reads an app: ``celery report`` prints its settings."""
    settings.hide(sender)


@celeryd_after_setup.connect
def begin(sender: str, instance: Any, **others: Any) -> None:  # noqa: ANN401, ARG001 - celery's own
    """Say what is wrong with the settings, or with an outbox for a fleet, before the first task comes."""
    settings.hide(instance.app)
    inspect(instance.app)
    shared.close()  # nothing of this process is to be in those that it forks off


def inspect(app: Celery) -> None:
    """Log what somebody who starts a worker should know of its account and outbox."""
    try:
        outbox = get_notifier(app=app).following().outbox
    except DevinotifyError as error:
        log.error("nothing can be sent: %s", error)
        return
    if "://" not in outbox.name:
        log.warning(
            "the outbox is a file (%s): safe as long as all workers and all who enqueue are on this one machine;"
            " a fleet on many hosts needs one in PostgreSQL",
            outbox.name,
        )


@task_prerun.connect
def conceal_arguments(task: Any, **others: Any) -> None:  # noqa: ANN401, ARG001 - celery's own
    """Keep the arguments of our tasks out of what is stored of them (``result_extended``)."""
    if isinstance(task, DevinoTask):
        conceal(task.request)


@worker_process_shutdown.connect
@worker_shutdown.connect
def end(**others: Any) -> None:  # noqa: ANN401, ARG001 - celery's own
    """Close what a process has opened: Celery's end without Python's own clean-up."""
    shared.close()
