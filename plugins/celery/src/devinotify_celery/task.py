"""``DevinoTask``: a task that sends, and sends once, however often the broker delivers it."""

from __future__ import annotations

import logging
import random
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NoReturn

from celery import Task
from celery.exceptions import MaxRetriesExceededError, Reject
from devinotify import Backoff, DevinotifyError, InvalidInput, InvalidSchedule, Verdict

from devinotify_celery import settings
from devinotify_celery.contexts import revealed
from devinotify_celery.masking import mask_arguments
from devinotify_celery.notifiers import get_notifier
from devinotify_celery.sending import Sending, moment
from devinotify_celery.verdicts import failure

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import datetime

    from devinotify_celery.verdicts import Standing

    Recipients = str | int | Iterable[str | int] | None

log: logging.Logger = logging.getLogger(__name__)

ALWAYS = 2**31
"""Retries that are never reached: how long something is tried is the outbox's to say, by the message's deadline."""
AWAY: Backoff = Backoff(5.0, most=900.0, jitter=0.5)
"""Seconds after which an outbox that could not be reached is asked again; by chance, as many tasks may find it away."""
_STEPS = "devinotify_steps"


class DevinoTask(Task):
    """The base of a task that sends by ``self.notify``: at most one message, whatever happens to worker and broker.

    What it sends is stored in the outbox under the task's id before it leaves, so that the task is acknowledged late
    and delivered again after its worker was lost: a task that comes again finds what became of it. Its arguments are
    JSON, and shown to nobody. ETA and countdown are refused.
    """

    abstract = True
    acks_late = True
    reject_on_worker_lost = True
    serializer = "json"
    Request = "devinotify_celery.request:MaskedRequest"

    def notify(
        self,
        text: str,
        to: Recipients = None,
        *,
        using: str = settings.DEFAULT,
        title: str | None = None,
        channel: str | None = None,
        tags: str | Iterable[str] = (),
        send_at: datetime | str | None = None,
        deadline: datetime | str | None = None,
        step: str | None = None,
    ) -> list[dict[str, Any]]:
        """Send a text once, and return ``{"recipient", "verdict", "ids", "row"}`` of each recipient, masked.

        The arguments are those of ``Notifier.enqueue``, ``using`` an entry of Django's ``DEVINOTIFY``. A task that
        sends more than once names each further send by ``step``. What was not sent and is worth it is tried again by a
        retry of the task, until ``deadline`` (a day without one). Raises the DevinotifyError of a recipient that was
        refused, once nothing is open any more. What may have been sent (``unknown``) is returned.
        """
        self._check_request()
        key = self._key(step)
        options = {
            "title": title,
            "channel": channel,
            "tags": tags,
            "send_at": moment(send_at, "send_at"),
            "deadline": moment(deadline, "deadline"),
        }
        try:
            sending = Sending(get_notifier(using, app=self.app), key, text, to, options)
            sent = sending.send()
        except DevinotifyError as error:
            if not error.retryable or not self._comes_again():
                raise
            chance = random.random()  # noqa: S311 - spreads out who comes back, and keeps nothing secret
            self._come_again(AWAY.pause(self.request.retries + 1, chance), error)
        standings = sent.standings
        if sent.again is not None:
            if self._comes_again():
                self._come_again(sent.again, next((each.error for each in standings if each.verdict is None), None))
            standings = sending.cancel()
        _tell(standings)
        refusal = failure(standings)
        if refusal is not None:
            raise refusal
        return [standing.as_result() for standing in standings]

    # --- what Celery calls

    def apply_async(
        self,
        args: Any = None,  # noqa: ANN401 - celery's own, as all that follows
        kwargs: Any = None,  # noqa: ANN401
        task_id: str | None = None,
        producer: Any = None,  # noqa: ANN401
        link: Any = None,  # noqa: ANN401
        link_error: Any = None,  # noqa: ANN401
        shadow: str | None = None,
        **options: Any,  # noqa: ANN401
    ) -> Any:  # noqa: ANN401
        """Send the task, its arguments as JSON and masked where they are shown.

        Raises InvalidSchedule for an ETA or a countdown, InvalidInput for another serialiser.
        """
        if not options.get("retries"):
            _check_schedule(options.get("eta"), options.get("countdown"))
        if options.get("serializer") not in (None, "json"):
            raise InvalidInput("a task that sends takes its arguments as JSON alone")
        shown, named = mask_arguments(args, kwargs)
        options |= {"serializer": "json", "argsrepr": repr(tuple(shown)), "kwargsrepr": repr(named)}
        return super().apply_async(args, kwargs, task_id, producer, link, link_error, shadow, **options)

    def retry(self, *args: Any, **options: Any) -> Any:  # noqa: ANN401 - celery's own
        """Retry the task, as Celery does; what it raises at the end of all retries does not tell its arguments.

        Where the broker cannot be reached the task is given back to it, and not dropped.
        """
        try:
            with revealed(self.request):
                return super().retry(*args, **options)
        except MaxRetriesExceededError:
            raise MaxRetriesExceededError(f"{self.name}[{self.request.id}] was retried as often as it may be") from None
        except Reject as rejected:
            # The broker is away, and delivers again what it has not been answered for. Anything else would only recur.
            raise Reject(rejected.reason, requeue=isinstance(rejected.reason, self.OperationalError)) from None

    def signature_from_request(self, request: Any = None, *args: Any, **options: Any) -> Any:  # noqa: ANN401 - celery's own
        """Return a signature with the request's arguments as they are, masked as they may be in the request itself."""
        with revealed(self.request if request is None else request):
            return super().signature_from_request(request, *args, **options)

    # --- how it is done

    def _check_request(self) -> None:
        if not self.request.retries:  # by send_task, which asks nobody
            _check_schedule(self.request.eta, None)

    def _key(self, step: str | None) -> str | None:
        """Return what a send of this task is stored under: the task's id, the same however often it comes."""
        request = self.request
        steps: set[str | None] = request.__dict__.setdefault(_STEPS, set())
        if step in steps:
            raise InvalidInput("a task that sends more than once names each further send: notify(…, step='second')")
        steps.add(step)
        if request.id is None:
            return None
        # A task that has replaced itself has the same id.
        parts = [request.id, f"replaced {request.replaced_task_nesting}" if request.replaced_task_nesting else "", step]
        return " ".join(part for part in parts if part)

    def _comes_again(self) -> bool:
        """Whether a retry of this task comes back later: not where it was called as a function, or is run in place."""
        return not (self.request.called_directly or self.request.is_eager)

    def _come_again(self, pause: float, error: DevinotifyError | None) -> NoReturn:
        """Retry after so many seconds, but never so late that the broker delivers the waiting task twice meanwhile."""
        visible = (self.app.conf.broker_transport_options or {}).get("visibility_timeout")
        countdown = pause if visible is None else min(pause, visible / 2)
        with self._own_retries():
            raise self.retry(exc=error, countdown=countdown, max_retries=ALWAYS)

    @contextmanager
    def _own_retries(self) -> Iterator[None]:
        """Keep what Celery remembers of a retry without an end from counting for the task's own retries."""
        try:
            yield
        finally:
            self.__dict__.pop("override_max_retries", None)


def _check_schedule(eta: object, countdown: object) -> None:
    if eta is not None or countdown is not None:
        raise InvalidSchedule(
            "ETA and countdown hold a task in a worker, from where brokers deliver it again and again:"
            " a scheduled send is send_at=, which the gateway keeps"
        )


def _tell(standings: list[Standing]) -> None:
    """Log what was not accepted: a result may be read by nobody."""
    for each in standings:
        if each.verdict is Verdict.UNKNOWN:
            log.warning("row %s: a message to %s may or may not have been sent", each.row, each.recipient)
        elif each.verdict is not Verdict.ACCEPTED:
            log.warning("row %s: a message to %s is %s: %s", each.row, each.recipient, each.verdict, each.error)
