"""What a ``postgresql://`` URL says: where the database is, the schema in it, and how it is called to people. Pure."""

from __future__ import annotations

import re
from typing import NamedTuple
from urllib.parse import parse_qsl, urlencode, urlsplit

from devinotify.exceptions import InvalidInput

SCHEMA = "devinotify"
"""The schema, unless ``?schema=`` names another."""
TRUST = "trust"
"""What ``?failover=`` says where the standbys are synchronous."""

_LONGEST = 63  # bytes of a name in PostgreSQL
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*")
_MASK = "***"
_SHAPE = (
    "the outbox: a PostgreSQL URL is written postgresql://USER:PASSWORD@HOST/DATABASE?SETTING=VALUE,"
    " with what is special in user and password percent-encoded"
)

DEFAULTS = {
    # A link that is half open, as after a router's failure, must not hang for ever. Seconds; the last, milliseconds.
    "connect_timeout": "5",
    "keepalives_idle": "10",
    "keepalives_interval": "5",
    "keepalives_count": "3",
    "tcp_user_timeout": "20000",
    "application_name": "devinotify",
}
"""What a connection is told unless the URL says otherwise."""


class Location(NamedTuple):
    """A database and the schema in it."""

    conninfo: str
    """What libpq connects by; it may hold a password."""
    schema: str
    """The schema's name; a campaign has one of its own."""
    base: str
    """The schema of what campaigns share with the outbox: the pace of the account."""
    name: str
    """The URL as people see it: without a password."""
    campaign: str | None = None
    """The campaign whose journal it is, and nothing else."""
    trusts: bool = False
    """Whether every standby that may take over has all that was committed."""

    def __repr__(self) -> str:
        return f"<Location {self.name}>"


def parse_location(url: str) -> Location:
    """Return what a URL says; raise InvalidInput, which shows nothing of it, for one that is not understood."""
    try:
        parts = urlsplit(url)
        given = parse_qsl(parts.query, keep_blank_values=True, strict_parsing=bool(parts.query))
    except ValueError:
        raise InvalidInput(_SHAPE) from None
    if parts.fragment or ("@" not in parts.netloc and "@" in f"{parts.path}{parts.query}"):
        raise InvalidInput(_SHAPE)  # a password that is not encoded would be shown in part
    own = dict(given)
    if len(own) < len(given):
        raise InvalidInput("the outbox: the PostgreSQL URL names a setting twice")
    schema = base = _name("schema", own.pop("schema", SCHEMA))
    if (campaign := own.pop("campaign", None)) is not None:
        schema = _name("campaign", f"{schema}.{_name('campaign', campaign)}")
    if (failover := own.pop("failover", None)) not in (None, TRUST):
        raise InvalidInput(f"the outbox: failover of a PostgreSQL URL is {TRUST}, or left out")
    # libpq takes a plus sign for itself.
    settings = urlencode({**DEFAULTS, **own}).replace("+", "%20")
    shown = {name: _MASK if "password" in name else value for name, value in given}
    return Location(
        conninfo=f"postgresql://{parts.netloc}{parts.path}?{settings}",
        schema=schema,
        base=base,
        name=f"{parts.scheme}://{_masked(parts.netloc)}{parts.path}{'?' if shown else ''}{urlencode(shown, safe='/*')}",
        campaign=campaign,
        trusts=failover == TRUST,
    )


def without_campaign(url: str) -> str:
    """Return the URL of the outbox that a campaign stands beside: the same that names no campaign."""
    place, _, query = url.partition("?")  # urlunsplit() takes "//" away where no host is named
    kept = [(name, value) for name, value in parse_qsl(query, keep_blank_values=True) if name != "campaign"]
    return f"{place}{'?' if kept else ''}{urlencode(kept)}"


def _name(what: str, name: str) -> str:
    if _NAME.fullmatch(name) is None or len(name) > _LONGEST:
        raise InvalidInput(f"the outbox: {what} takes letters, digits, '_', '-' and '.', {_LONGEST} at most in all")
    return name


def _masked(netloc: str) -> str:
    user, at, host = netloc.rpartition("@")
    login, colon, _ = user.partition(":")
    return f"{login}{colon and ':' + _MASK}{at}{host}"
