"""The settings of the account that commands use, each masked and with where it comes from."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, NamedTuple

import click

from devinotify import credentials
from devinotify.cli.mistakes import require_sound
from devinotify.cli.options import checked
from devinotify.config.document import is_word
from devinotify.config.profiles import find_profile, load
from devinotify.exceptions import InvalidURL
from devinotify.outbox.location import VARIABLE as OUTBOX
from devinotify.outbox.location import is_database, named_location
from devinotify.outbox.postgres.location import parse_location
from devinotify.redact import mask_number
from devinotify.translation import N_, _
from devinotify.url import NO_PASSWORD, OPTION_NAMES, outline, read, split, written

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

DEFAULT = N_("the default")
MISSING = N_("missing")
HIDDEN = "***"

_ELSEWHERE = frozenset({"password_file"})
"""Keys that only say where another setting is."""
_HEAD = ("from", "to")
"""Keys that stand for what a URL has before its query."""


class Row(NamedTuple):
    """A setting as it may be shown, and where it comes from."""

    key: str
    value: str
    origin: str


def rows(name: str | None) -> list[Row]:
    """Return the settings of a profile, or of the account that the environment gives, the password's place among them.

    Raises InvalidURL where they are wrong, and a usage error where there is no account.
    """
    url, origins = _account(name)
    settings = outline(url)
    try:
        password = Row("password", HIDDEN, origins.get("password") or read(url).password_place)
    except InvalidURL as error:  # all else can be shown without it
        password = Row("password", MISSING, "" if str(error) == NO_PASSWORD else str(error))
    options = [key for key in OPTION_NAMES if key not in (*_HEAD, *_ELSEWHERE, "outbox")]
    return [
        Row("login", settings.login, origins["login"]),
        password,
        Row("sender", settings.sender, origins["from"]),
        Row("to", _recipients(settings.targets), origins.get("to", DEFAULT)),
        *(Row(key, written(settings, key), origins.get(key, DEFAULT)) for key in options),
        _outbox(settings.outbox, origins.get("outbox")),
    ]


def aliases() -> list[Row]:
    """Return the aliases of the configuration files, their numbers masked."""
    found = load(OPTION_NAMES).require_sound().aliases
    return [Row(name, _recipients(setting.values), setting.place) for name, setting in found.items()]


def _account(name: str | None) -> tuple[str, Mapping[str, str]]:
    """Return the URL, and where each of its keys comes from."""
    if name is None and (url := credentials.find_url()):
        checked(outline(url))
        variable = credentials.URL if os.environ.get(credentials.URL) else credentials.URL_FILE
        place = variable if variable == credentials.URL else f"{variable}: {os.environ.get(variable)}"
        return url, dict.fromkeys(_keys(url), place)
    profile = find_profile(OPTION_NAMES, name)
    if profile is None:
        raise click.UsageError(
            _("no account: `devinotify login` stores one; or put its URL into {variable}", variable=credentials.URL)
        )
    require_sound(load(OPTION_NAMES), profile.name)
    origins = {key: setting.place for key, setting in profile.settings.items()}
    head = profile.settings.get("url")
    of_head = {} if head is None else dict.fromkeys(_keys(head.values[0]), head.place)
    return profile.url(), {"aliases": _("the profile {name}", name=profile.name), **of_head, **origins}


def _keys(url: str) -> set[str]:
    """Return what a URL says, by key."""
    credentials_and_sender, path, query = split(url)
    login_and_password, _, sender = credentials_and_sender.rpartition("@")
    given = {"login", *(["password"] if ":" in login_and_password else []), *(["from"] if sender else [])}
    keys = {item.partition("=")[0].lower() for item in query.split("&") if item}
    return given | keys | ({"to"} if path.strip("/") else set())


def _recipients(given: Iterable[str]) -> str:
    return ", ".join(each if is_word(each) else mask_number(each) for each in given)


def _outbox(given: str | None, origin: str | None) -> Row:
    """Return the outbox that is used, whoever names it, without a password."""
    origin = origin or (OUTBOX if os.environ.get(OUTBOX) else DEFAULT)
    found = named_location(given)
    return Row("outbox", parse_location(str(found)).name if is_database(found) else str(found), origin)
