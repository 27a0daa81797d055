"""The Notifiers of this process: one for each URL, made when it is first asked for, closed at its end.

Flask-Security makes a sender for each code; the login and the connections outlive it here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from devinotify import DevinoURL, Notifier, Pool
from flask import current_app

from devinotify_flask_security import settings

if TYPE_CHECKING:
    from flask import Flask


shared: Pool[DevinoURL, Notifier] = Pool(Notifier, Notifier.close)
"""Those of this process; ``get`` raises DevinotifyError where channel, sender or outbox are wrong."""


def get_notifier(app: Flask | None = None, *, sender: str | None = None) -> Notifier:
    """Return this process's Notifier of an app (the current one without ``app``), for texts that hold no code too.

    Its messages are valid for as long as a code is. Raises DevinotifyError where the app's settings are wrong.
    """
    return shared.get(settings.account((app or current_app).config, sender))
