"""``devinotify worker``: sends what the outbox holds, until it is told to stop."""

from __future__ import annotations

import logging
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

from devinotify.channels.batch import BATCH
from devinotify.cli import output
from devinotify.cli.exits import ExitCode, of_error
from devinotify.cli.options import Whole, json_option, settings_of, url_option
from devinotify.cli.outbox import counts_document, summary
from devinotify.cli.outboxes import outbox_option, usage_errors
from devinotify.cli.posting import post_option, posting
from devinotify.translation import _

if TYPE_CHECKING:
    from collections.abc import Iterator


@click.command("worker")
@click.option("--once", is_flag=True, help="End when nothing is due at the moment, or the gateway is out of reach.")
@click.option(
    "--batch",
    type=Whole(1, BATCH),
    default=BATCH,
    show_default=True,
    metavar="N",
    help="Recipients in one request, and so the most whose outcome is unknown after a crash.",
)
@click.option(
    "--connections",
    type=Whole(1, 256),
    default=4,
    show_default=True,
    metavar="N",
    help="Requests at a time: messages of different texts cannot go in one.",
)
@click.option(
    "--incoming",
    is_flag=True,
    help="Read what subscribers sent as well and tell plugins of each message once, as `devinotify incoming --follow`.",
)
@post_option("With --incoming")
@outbox_option
@url_option
@json_option
def command(
    path: str | None,
    url: str | None,
    batch: int,
    connections: int,
    post: str | None,
    *,
    once: bool,
    incoming: bool,
    as_json: bool,
) -> ExitCode:
    """Send what the outbox holds, watch it, and take the later steps of fallbacks.

    It runs until SIGTERM or Ctrl-C: no new batch is begun then, and what is being sent is finished; a second one
    ends it at once. Several workers may share an outbox. What was being sent by one that was killed becomes
    unknown, and is never sent again by itself.

    What the account is refused for (no credits, a wrong password), and what the gateway is too busy for, stays queued:
    the worker waits, longer each time, and goes on when it is over. With --once it ends then, says why, and the exit
    code is that of the error.
    """
    if post is not None and not incoming:
        raise click.UsageError(_("--post goes with --incoming"))
    settings = settings_of(url)
    from devinotify.delivery.receiving import EVERY
    from devinotify.delivery.worker import Worker, rare_collections
    from devinotify.notifier import Notifier
    from devinotify.plugins import make_plugin_manager
    from devinotify.systemd import Supervisor

    if path is not None:
        settings = settings.with_options(outbox=path)
    with (
        posting(post) as posters,
        usage_errors(),
        Notifier(settings, plugins=make_plugin_manager(*posters)) as notifier,
    ):
        worker = Worker(notifier, batch=batch, connections=connections, incoming=EVERY if incoming else None)
        with _logged(), rare_collections():
            logging.getLogger(__name__).info("working on %s", worker.outbox.name)
            worker.run(once=once, signals=True, supervisor=Supervisor.of())
        counts = worker.outbox.counts()
        cause, error = worker.cause, worker.error
    code = ExitCode.ACCEPTED if cause is None or error is None else of_error(error)
    if as_json:
        output.emit({"counts": counts_document(counts), "cause": cause, "exit_code": code})
    else:
        output.write(_("in the outbox: {counts}", counts=summary(counts)))
    output.forgive()
    return code


@contextmanager
def _logged() -> Iterator[None]:
    """Log to stderr what devinotify does, without personal data."""
    logger = logging.getLogger("devinotify")
    handler = logging.StreamHandler()
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
    before = logger.level
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    try:
        yield
    finally:
        logger.removeHandler(handler)
        logger.setLevel(before)
