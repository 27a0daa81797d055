"""The Notifiers of this process: one for each URL, made when it is first asked for, closed at its end.

Flask-Security makes a sender for each code; the login and the connections outlive it here.
"""

from __future__ import annotations

import atexit
import os
import threading
from typing import TYPE_CHECKING

from devinotify import DevinoURL, Notifier
from flask import current_app

from devinotify_flask_security import settings

if TYPE_CHECKING:
    from flask import Flask


class Notifiers:
    """Notifiers by URL; safe to share between threads, and to go on with after a fork."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: dict[DevinoURL, Notifier] = {}

    def get(self, url: DevinoURL) -> Notifier:
        """Return the Notifier of a URL; raise DevinotifyError where channel, sender or outbox are wrong."""
        with self._lock:
            notifier = self._kept.get(url)
            if notifier is None:
                notifier = self._kept[url] = Notifier(url)
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


def get_notifier(app: Flask | None = None, *, sender: str | None = None) -> Notifier:
    """Return this process's Notifier of an app (the current one without ``app``), for texts that hold no code too.

    Its messages are valid for as long as a code is. Raises DevinotifyError where the app's settings are wrong.
    """
    return shared.get(settings.account((app or current_app).config, sender))


atexit.register(shared.close)
if hasattr(os, "register_at_fork"):  # not on Windows
    os.register_at_fork(after_in_child=shared.start_anew)
