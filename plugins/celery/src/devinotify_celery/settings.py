"""Which account an app sends by: that of its own settings, else of Django's ``DEVINOTIFY``."""

from __future__ import annotations

import sys
from contextlib import suppress
from typing import TYPE_CHECKING, Any, NamedTuple

from devinotify import DevinoURL, InvalidURL

from devinotify_celery.masking import HIDDEN

if TYPE_CHECKING:
    from collections.abc import Mapping

    from celery import Celery

DEFAULT = "default"
URL, OUTBOX = "devinotify_url", "devinotify_outbox"
DJANGO = "DEVINOTIFY"


class Account(NamedTuple):
    """An account at the gateway and where its outbox is: ``None`` is where the URL says, or ``DEVINOTIFY_OUTBOX``."""

    url: DevinoURL
    outbox: str | None


def account(app: Celery, using: str = DEFAULT) -> Account:
    """Return the account of an app; ``using`` is an entry of Django's ``DEVINOTIFY``.

    Raises InvalidURL where there is none of this name, or its URL is wrong.
    """
    given, outbox = app.conf.get(URL), app.conf.get(OUTBOX)
    entries = django_entries()
    if using == DEFAULT and (given is not None or using not in entries):
        return Account(_parsed(given), None if outbox is None else str(outbox))
    if using not in entries:
        known = ", ".join(map(str, entries)) or "none"
        raise InvalidURL(f"{DJANGO} has no entry {using!r}: there is {known}")
    entry = entries[using] if isinstance(entries[using], dict) else {}
    named = entry.get("OUTBOX", outbox)
    return Account(_parsed(entry.get("URL")), None if named is None else str(named))


def hide(app: Celery) -> None:
    """Have an app's settings keep its URL in a form that shows no password, as monitors and reports print them.

    The outbox, whose URL may have a password as well, goes with it, and so does what Celery shows of Django's setting,
    whose own is left alone. What is wrong is left for whoever sends.
    """
    given, outbox = app.conf.get(URL), app.conf.get(OUTBOX)
    shown: dict[str, Any] = {}
    if isinstance(given, str):
        with suppress(InvalidURL):
            url = DevinoURL.parse(given)
            shown = {URL: url if outbox is None else url.with_options(outbox=str(outbox)), OUTBOX: None}
    # Each way of writing a name is a setting of its own in what Celery prints.
    for name in list(app.conf):
        plain = name.lower().removeprefix((app.conf.prefix or "").lower())
        if plain in shown:
            app.conf.changes[name] = shown[plain]
        elif name == DJANGO:
            app.conf.changes[name] = HIDDEN
    if shown:
        app.conf.changes[URL] = shown[URL]


def django_entries() -> Mapping[str, Any]:
    """Return the entries of Django's setting, none where Django is not set up or has no such setting."""
    settings = django_settings()
    entries = getattr(settings, DJANGO, None)
    return entries if isinstance(entries, dict) else {}


def django_settings() -> Any:  # noqa: ANN401 - Django brings no types
    """Return Django's settings where this process uses Django, else ``None``."""
    conf = sys.modules.get("django.conf")
    return conf.settings if conf is not None and conf.settings.configured else None


def _parsed(given: object) -> DevinoURL:
    if isinstance(given, DevinoURL):
        return given
    if not isinstance(given, str):
        raise InvalidURL(f"the account has no URL: set {URL}, or URL in {DJANGO}, to devino://LOGIN:PASSWORD@SENDER")
    return DevinoURL.parse(given)
