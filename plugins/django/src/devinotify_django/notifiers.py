"""The Notifiers of this process: one for each alias, made when it is first asked for, closed at exit.

What differs from an alias in its sender or validity shares its client, and so its login and connections.
"""

from __future__ import annotations

import atexit
import os
import threading
from collections import OrderedDict
from typing import TYPE_CHECKING, Any, Protocol

from devinotify import Client, Notifier, make_plugin_manager
from django.core.signals import setting_changed

from devinotify_django import conf
from devinotify_django.signals import Announcer

if TYPE_CHECKING:
    from collections.abc import Mapping

    from devinotify import Enqueued, Outbox

CAPACITY = 32
"""Notifiers that are kept besides those of the aliases themselves."""


class Notifiers:
    """Notifiers by alias, sender and validity; safe to share between threads, and to go on with after a fork.

    ``capacity`` of them are kept besides those of the aliases themselves.
    """

    def __init__(self, capacity: int = CAPACITY) -> None:
        self._capacity = capacity
        self._lock = threading.Lock()
        self._clients: dict[str, Client] = {}
        self._kept: OrderedDict[tuple[str, str | None, int | None], Notifier] = OrderedDict()

    def get(self, using: str = conf.DEFAULT, *, sender: str | None = None, validity: int | None = None) -> Notifier:
        """Return the Notifier of an alias, with another ``sender`` or ``validity`` (minutes) where they are given.

        Raises ImproperlyConfigured for an alias that is not there or is wrong, DevinotifyError for a bad sender.
        """
        key = (using, sender or None, validity)
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
                return self._kept[key]
            notifier = self._kept[key] = self._make(*key)
            for old in [each for each in self._kept if each != (each[0], None, None)][: -self._capacity]:
                self._kept.pop(old).close()
            return notifier

    def _make(self, using: str, sender: str | None, validity: int | None) -> Notifier:
        account = conf.account(using)
        client = self._clients.get(using)
        if client is None:
            client = self._clients[using] = Client(account.url)
        changes: dict[str, Any] = {"sender": sender, "validity": validity, "outbox": account.outbox}
        url = account.url.with_options(**{name: value for name, value in changes.items() if value is not None})
        plugins = make_plugin_manager()
        plugins.register(Announcer(using), "django")
        if recorder is not None:
            plugins.register(recorder.plugin(using), "django-testing")
        return Notifier(url, client=client, plugins=plugins)

    def start_anew(self) -> None:
        """Go on in a process that was forked off: clients and outboxes see to themselves, the lock may be held."""
        if self._lock.locked():
            self._clients, self._kept = {}, OrderedDict()
        self._lock = threading.Lock()

    def close(self) -> None:
        """Close everything; what is asked for later is made anew."""
        with self._lock:
            for notifier in self._kept.values():
                notifier.close()
            for client in self._clients.values():
                client.close()
            self._kept.clear()
            self._clients.clear()


class Recorder(Protocol):
    """What stands in for the gateway and the outbox while tests run."""

    def plugin(self, using: str) -> object:
        """Return the hook plugin that keeps what an alias sends from leaving."""

    def enqueue(self, notifier: Notifier, using: str, text: str, to: Any, options: Mapping[str, Any]) -> Enqueued:  # noqa: ANN401 - as notify takes it
        """Take what would be stored."""


recorder: Recorder | None = None
"""The one that is at work, as ``devinotify_django.testing`` has set it."""

shared: Notifiers = Notifiers()
"""Those of this process."""


def get(using: str = conf.DEFAULT, *, sender: str | None = None, validity: int | None = None) -> Notifier:
    """Return the Notifier of an alias, as ``Notifiers.get`` does."""
    return shared.get(using, sender=sender, validity=validity)


def outbox(using: str = conf.DEFAULT) -> Outbox:
    """Return the outbox of an alias; raise InvalidInput where it cannot be used."""
    opened: Outbox = get(using).following().outbox
    return opened


def store(notifier: Notifier, using: str, text: str, to: Any, **options: Any) -> Enqueued:  # noqa: ANN401 - as notify takes it
    """Store a message in the outbox of a notifier, as ``Notifier.enqueue`` does."""
    if recorder is not None:
        return recorder.enqueue(notifier, using, text, to, options)
    return notifier.enqueue(text, to, **options)


def _settings_changed(*, setting: str, **others: Mapping[str, object]) -> None:  # noqa: ARG001 - Django's own
    if setting == conf.NAME:
        shared.close()


setting_changed.connect(_settings_changed)
atexit.register(shared.close)
if hasattr(os, "register_at_fork"):  # not on Windows
    os.register_at_fork(after_in_child=shared.start_anew)
