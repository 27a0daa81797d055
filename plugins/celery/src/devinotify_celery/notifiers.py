"""The Notifiers of this process: one for each account, made when it is first asked for, closed at its end."""

from __future__ import annotations

from typing import TYPE_CHECKING

from celery import current_app
from devinotify import Notifier, Pool

from devinotify_celery import settings

if TYPE_CHECKING:
    from celery import Celery


def _make(account: settings.Account) -> Notifier:
    return Notifier(account.url, outbox=account.outbox)


shared: Pool[settings.Account, Notifier] = Pool(_make, Notifier.close)
"""Those of this process; ``get`` raises DevinotifyError where an account's settings are wrong."""


def get_notifier(using: str = settings.DEFAULT, *, app: Celery | None = None) -> Notifier:
    """Return this process's Notifier of an app (the current one without ``app``): to enqueue, or to wait.

    Its settings are ``devinotify_url`` and ``devinotify_outbox``, else the entry ``using`` of Django's ``DEVINOTIFY``.
    Raises DevinotifyError where they are wrong.
    """
    return shared.get(settings.account(current_app if app is None else app, using))
