"""What an app holds in one process: the account, the outbox, the desk, a worker, and a few threads.

Nothing of it crosses a fork: a server that forks its workers off after the app was made gets a house in each of them.
"""

from __future__ import annotations

import os
import re
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from difflib import get_close_matches
from typing import TYPE_CHECKING

from devinotify import DevinotifyError, Notifier, Worker, hookimpl, make_plugin_manager, phones

from devinotify_webhook.acceptance import Desk
from devinotify_webhook.config import REQUEST
from devinotify_webhook.errors import ConfigError
from devinotify_webhook.sender import Sender

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from devinotify import Outbox

    from devinotify_webhook.config import Config, Receiver
    from devinotify_webhook.metrics import Metrics

THREADS = 4
"""Requests that are read and stored at a time: the store takes them in turns anyway."""
QUIET_HOURS = "quiet-hours"
"""The plugin that holds messages back at night."""


class Aliases:
    """The plugin that knows the configuration's aliases."""

    def __init__(self, config: Config) -> None:
        self._aliases = config.aliases

    @hookimpl
    def devinotify_resolve_recipient(self, recipient: str) -> list[str] | None:
        """Return the members of an alias."""
        members = self._aliases.get(recipient)
        return None if members is None else list(members)


class House:
    """Opened for a configuration; raises ConfigError where an account, an outbox or a recipient cannot be used."""

    def __init__(self, config: Config, metrics: Metrics, *, worker: bool, outbox: Outbox | None = None) -> None:
        self.pid: int = os.getpid()
        self._closing = ExitStack()
        try:
            plugins = make_plugin_manager(Aliases(config), metrics)
            self.notifier: Notifier = self._closing.enter_context(Notifier(config.url, plugins=plugins))
            self._worker = Worker(self.notifier, outbox)
            self.outbox: Outbox = self._worker.outbox
            _check(config, self.notifier, worker=worker)
        except DevinotifyError as error:
            self._closing.close()
            if isinstance(error, ConfigError):
                raise
            raise ConfigError(str(error), retryable=error.retryable) from None
        self.desk: Desk = Desk(self.notifier, self.outbox, metrics)
        self._works = worker
        self._sender: Sender | None = None
        self._pool: ThreadPoolExecutor | None = None
        self._beginning = threading.Lock()

    @property
    def pool(self) -> ThreadPoolExecutor:
        """The threads that read and store; with the first of them the worker begins."""
        with self._beginning:
            if self._pool is None:
                self._pool = ThreadPoolExecutor(THREADS, "devinotify-webhook")
                self._closing.callback(self._pool.shutdown)
                if self._works:
                    self._sender = Sender(self._worker)
                    self._closing.callback(self._sender.close)
            return self._pool

    def reached(self, receiver: Receiver) -> int:
        """Return how many people a receiver can send to, each alias taken for its members."""
        return len(self.notifier.resolve(receiver.recipients)) if receiver.recipients else 0

    def trouble(self) -> str | None:
        """Return why this process cannot do its work at the moment, or ``None``."""
        try:
            self.outbox.counts(self.notifier.url.account)
        except DevinotifyError as error:
            return str(error)
        if self._works and self._sender is not None and not self._sender.is_up:
            return "the worker is not at work"
        return None

    @property
    def is_healthy(self) -> bool:
        """Whether a restart would help nothing: not where the worker hangs."""
        return self._sender is None or not self._sender.hangs

    def gauges(self) -> Iterator[tuple[str, tuple[str, ...], float]]:
        """Yield what is measured now, for the metrics."""
        try:
            counts = self.outbox.counts(self.notifier.url.account)
        except DevinotifyError:  # a gauge that is missing says so, and the next one says why
            yield "devinotify_webhook_outbox_up", (), 0
        else:
            yield "devinotify_webhook_outbox_up", (), 1
            for state, number in counts:
                yield "devinotify_webhook_outbox_messages", (str(state),), number
        yield "devinotify_webhook_worker_up", (), self._sender is not None and self._sender.is_up

    def close(self) -> None:
        """End the worker after what it is sending, and let the outbox go."""
        self._closing.close()


_ALIAS = re.compile(r"[^\W\d_](?:[^\W\d]|[.-]){0,19}")
"""A word without a digit: it can be no number, and is too short for a token."""


def _mistyped(written: str, refused: DevinotifyError, names: Iterable[str]) -> str | None:
    """Return what is said of a word that is neither a number nor an alias, ``None`` of all else: that is masked."""
    if getattr(refused, "reason", None) != phones.Reason.NOT_A_NUMBER or _ALIAS.fullmatch(written) is None:
        return None
    near = get_close_matches(written, list(names), 1)
    return f"there is no alias '{written}'" + (f": did you mean {near[0]}?" if near else "")


def _check(config: Config, notifier: Notifier, *, worker: bool) -> None:
    """Raise ConfigError for a receiver that could send to nobody, or by no channel, on the night that it is needed."""
    loaded = {plugin.name for plugin in notifier.plugins.loaded()}
    for name, receiver in config.receivers.items():
        if receiver.channel is not None:
            try:
                notifier.channel(receiver.channel).check_sender(config.url.sender)
            except DevinotifyError as error:
                raise ConfigError(f"receivers.{name}.channel: {error}") from None
        for number, refused in notifier.resolve(receiver.recipients).items() if receiver.recipients else ():
            if refused is not None:
                direct = number in receiver.recipients
                names = [*config.aliases, *([REQUEST] if direct else [])]
                where = receiver.source if direct else f"{receiver.source}, by an alias"
                raise ConfigError(f"{where}: {_mistyped(number, refused, names) or refused}")
        if receiver.quiet and worker and QUIET_HOURS not in loaded:
            raise ConfigError(
                f"receivers.{name}.quiet: needs the plugin: pip install devinotify-{QUIET_HOURS}"
                f" (in a clone of its repository: pip install . ./plugins/{QUIET_HOURS})"
            )
