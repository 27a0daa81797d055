"""The Notifiers of this process: one for each account, made when it is first asked for, closed at its end."""

from __future__ import annotations

import atexit
import os
import threading
from typing import TYPE_CHECKING

from celery import current_app
from devinotify import Notifier

from devinotify_celery import settings

if TYPE_CHECKING:
    from celery import Celery


class Notifiers:
    """Notifiers by account; safe to share between threads, and to go on with after a fork."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: dict[settings.Account, Notifier] = {}

    def get(self, account: settings.Account) -> Notifier:
        """Return the Notifier of an account; raise DevinotifyError where its settings are wrong."""
        with self._lock:
            notifier = self._kept.get(account)
            if notifier is None:
                notifier = self._kept[account] = Notifier(account.url, outbox=account.outbox)
            return notifier

    def start_anew(self) -> None:
        """Go on in a process that was forked off: Notifiers see to themselves, the lock may be held."""
        if self._lock.locked():
            self._kept = {}
        self._lock = threading.Lock()

    def close(self) -> None:
        """Close everything; what is asked for later is made anew."""
        with self._lock:
            for notifier in self._kept.values():
                notifier.close()
            self._kept.clear()


shared: Notifiers = Notifiers()
"""Those of this process."""


def get_notifier(using: str = settings.DEFAULT, *, app: Celery | None = None) -> Notifier:
    """Return this process's Notifier of an app (the current one without ``app``): to enqueue, or to wait.

    Its settings are ``devinotify_url`` and ``devinotify_outbox``, else the entry ``using`` of Django's ``DEVINOTIFY``.
    Raises DevinotifyError where they are wrong.
    """
    return shared.get(settings.account(current_app if app is None else app, using))


atexit.register(shared.close)
if hasattr(os, "register_at_fork"):  # not on Windows
    os.register_at_fork(after_in_child=shared.start_anew)
