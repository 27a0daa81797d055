"""The options of a ``devino://`` URL: those of devinotify, told to Apprise as it wants them told, and read back."""

from __future__ import annotations

from dataclasses import dataclass
from string import punctuation
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, unquote

from apprise import NotifyBase
from devinotify import DevinoURL

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

SCHEMA = "devino"

TEMPLATES = ("{schema}://{login}:{password}@{sender}/{targets}", "{schema}://{login}@{sender}/{targets}")

TOKENS: dict[str, dict[str, Any]] = {
    "login": {"name": "Login", "type": "string", "required": True, "map_to": "user"},
    "password": {"name": "Password", "type": "string", "private": True},
    "sender": {"name": "Sender", "type": "string", "required": True},
    "target_phone": {
        "name": "Target Phone No",
        "type": "string",
        "regex": (r"^\+?[0-9\s()-]+$", "i"),
        "map_to": "targets",
    },
    "targets": {"name": "Targets", "type": "list:string", "required": True},
}

OPTIONS: dict[str, dict[str, Any]] = {
    "channel": {
        "name": "Channel",
        "type": "choice:string",
        "values": ("sms", "viber", "sms-viber", "viber-sms", "null"),
        "default": "sms",
    },
    "region": {"name": "Region of Local Numbers", "type": "string", "regex": (r"^[A-Z]{2}$", "i"), "default": "RU"},
    "validity": {"name": "Validity (minutes)", "type": "int", "min": 0, "max": 10080},
    "transliterate": {"name": "Transliterate to GSM-7", "type": "bool", "default": False},
    "max_segments": {"name": "Maximum Segments", "type": "int", "min": 1, "max": 1000},
    "timeout": {"name": "Request Timeout (seconds)", "type": "string", "default": "30"},
    "gateway": {"name": "Gateway", "type": "string", "default": "https://integrationapi.net/rest"},
    "ca": {"name": "CA Certificates (path)", "type": "string"},
    "insecure": {"name": "Plain HTTP to Another Host", "type": "bool", "default": False},
    "patience": {"name": "Patience before Fallback", "type": "string", "default": "300"},
    "poll": {"name": "Interval between Looks at a State", "type": "string", "default": "5"},
    "on_unknown": {
        "name": "After an Unknown Outcome",
        "type": "choice:string",
        "values": ("continue", "stop"),
        "default": "continue",
    },
    "outbox": {"name": "Outbox (path)", "type": "string"},
    "limit": {"name": "Limits (such as 1000segments/day), ; between two", "type": "string"},
    "limit_zone": {"name": "Time Zone of Limits", "type": "string", "default": "UTC"},
    "price": {"name": "Price of a Segment", "type": "string"},
    "aliases": {"name": "Aliases of the Configuration Files", "type": "bool", "default": False},
    "password_file": {"name": "Password File (path)", "type": "string"},
}
"""devinotify's own options, by the names that they have on its URL and among the arguments of the plugin."""

ARGUMENTS: dict[str, dict[str, Any]] = {
    **OPTIONS,
    "batch": {"name": "Batch Mode", "type": "bool", "default": True},
    "to": {"alias_of": "targets"},
    "from": {"alias_of": "sender"},
}

_APPRISE_ITS_OWN = frozenset(
    {
        *NotifyBase.template_args,
        # Read by Apprise without being told of, or by its other versions: a URL may be shared between machines.
        *("user", "password", "pass", "port", "retry", "wait", "optional", "redirect", "tz", "store", "emojis"),
        "avatar_url",  # a picture: changedetection.io puts it on every URL that it calls Apprise with
    }
)
KNOWN = (*ARGUMENTS, *sorted(_APPRISE_ITS_OWN - set(ARGUMENTS)))
"""The keys that the query, a YAML file or a dictionary may hold."""

FAULT = "devinotify_fault"
"""The key under which what is read from a URL says that it cannot be used, and why.

It is spelled as a key of a file may be: of what is read from a URL in a YAML file Apprise drops every other key.
"""

_KEYWORDS = frozenset(
    {
        *KNOWN,
        *(NotifyBase.parse_url(f"{SCHEMA}://login:password@host:1/path") or ()),
        # What Apprise adds to it, and what it means by its aliases.
        *("asset", "schema", "service", "tag", "targets", "sender", FAULT),
    }
)


def unknown(keywords: Iterable[str]) -> str | None:
    """Return what is wrong with the first keyword that neither we nor this Apprise know, or ``None``."""
    strange = next((key for key in keywords if key not in _KEYWORDS), None)
    return None if strange is None else str(DevinoURL.unknown_key(strange, KNOWN))


_NO = frozenset({"no", "n", "false", "f", "off", "0", "never", "deny", "disable", "disabled"})


def is_yes(value: object) -> bool:
    """Return what Apprise's words for yes and no mean; ``None`` and whatever is not a word of these are yes."""
    return value is None or str(value).strip().lower() not in _NO


@dataclass(frozen=True, slots=True)
class Parts:
    """What a URL says, before any of it is judged: ``targets`` of the path, ``query`` as pairs.

    ``canonical`` is the same URL for Apprise's own reading, which cuts a password at its first colon and a path at a
    semicolon: every part of it is encoded, and it has no targets.
    """

    canonical: str
    path: str
    targets: tuple[str, ...]
    query: tuple[tuple[str, str], ...]


def parts(url: str) -> Parts:
    """Return the parts of a URL; raises InvalidURL where a character stands in it as it is that has to be encoded."""
    before, question, after = url.partition("?")
    pairs = tuple(query(after))
    if "@" not in before and any(key == "user" for key, _ in pairs):
        # The credentials are in the query, where an @ is a letter as any other.
        authority, path, _ = DevinoURL.split(before)
    else:
        authority, path, _ = DevinoURL.split(url)
    credentials, at, sender = authority.rpartition("@")
    encoded = ":".join(map(_encoded, credentials.split(":", 1)))
    return Parts(
        # Line breaks and the like as well: Apprise takes a URL with one for none.
        canonical=f"{SCHEMA}://{encoded}{at}{_encoded(sender)}/{question}{quote(after, safe=punctuation)}",
        path=path,
        targets=targets(path),
        query=pairs,
    )


def targets(path: str) -> tuple[str, ...]:
    """Return what stands between the slashes of a path; each may be a list of targets."""
    return tuple(unquote(one) for one in path.split("/") if one)


def _encoded(part: str) -> str:
    return quote(unquote(part), safe="")


def query(text: str) -> Iterator[tuple[str, str]]:
    """Yield the keys, in lower case, and values of a query as they were written.

    Apprise's own reading takes ``;`` for ``&``, which tears lists of numbers apart, and keeps the last of several.
    """
    for item in filter(None, text.split("&")):
        key, _, value = item.partition("=")
        # "+key", "-key" and ":key" are Apprise's, for headers and the like; "+7916…" is a number that is to be missed.
        if key[:1] not in ("+", "-", ":") or key[1:2].isdigit():
            yield unquote(key).strip().lower(), unquote(value).strip()


def settings(login: str, password: str | None, sender: str, given: Mapping[str, object]) -> DevinoURL:
    """Return devinotify's settings; raises InvalidURL, which names what is wrong and shows no secret.

    ``given`` maps options to values as they stand on a URL, in a YAML file or in code; ``None`` is left out. Without a
    password devinotify looks for it in its file or variable.
    """
    credentials = ":".join(quote(part, safe="") for part in (login, password) if part is not None)
    start = f"{SCHEMA}://{credentials}@{quote(sender, safe='')}"
    options = "&".join(f"{key}={quote(_text(value), safe='')}" for key, value in given.items() if value is not None)
    return DevinoURL.parse(f"{start}?{options}")


def _text(value: object) -> str:
    return ("yes" if value else "no") if isinstance(value, bool) else str(value)


def written(url: DevinoURL) -> dict[str, str]:
    """Return the options that differ from their defaults, as they stand on a URL."""
    return dict(query(url.to_url().partition("?")[2]))
