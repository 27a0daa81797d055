"""Making the schema ``devino://`` known to Apprise, which has no entry points."""

from __future__ import annotations

from apprise import NotificationManager

from devinotify_apprise.notify import NotifyDevino
from devinotify_apprise.options import SCHEMA


def register() -> None:
    """Make ``devino://`` known to Apprise in this process.

    May be called any number of times, and has to be called again after Apprise has unloaded its modules. Raises
    RuntimeError where the schema belongs to another plugin, which stays in its place.
    """
    manager = NotificationManager()
    if SCHEMA in manager:
        known = manager[SCHEMA]
        if known is NotifyDevino:
            return
        if known.__module__ != NotifyDevino.__module__:
            raise RuntimeError(f"{SCHEMA}:// belongs to another Apprise plugin: {known.__module__}.{known.__name__}")
        del manager[SCHEMA]  # our own class, from before this package was imported anew
    manager.add(NotifyDevino)
