"""The options of a ``devino://`` URL: those of devinotify, told to Apprise as it wants them told, and read back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import quote, unquote

from apprise import NotifyBase
from devinotify import DevinoURL

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

SCHEMA = "devino"

TEMPLATES = ("{schema}://{login}:{password}@{sender}/{targets}",)

TOKENS: dict[str, dict[str, Any]] = {
    "login": {"name": "Login", "type": "string", "required": True, "map_to": "user"},
    "password": {"name": "Password", "type": "string", "private": True, "required": True},
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
    }
)
KNOWN = frozenset(ARGUMENTS) | _APPRISE_ITS_OWN
"""The keys that the query may hold."""


_NO = frozenset({"no", "n", "false", "f", "off", "0", "never", "deny", "disable", "disabled"})


def is_yes(value: object) -> bool:
    """Return what Apprise's words for yes and no mean; ``None`` and whatever is no word of these are yes."""
    return value is None or str(value).strip().lower() not in _NO


def query(url: str) -> Iterator[tuple[str, str]]:
    """Yield the keys, in lower case, and values of a URL's query as they were written.

    Apprise's own reading takes ``;`` for ``&``, which tears lists of numbers apart, and keeps the last of several.
    """
    for item in filter(None, url.partition("?")[2].split("&")):
        key, _, value = item.partition("=")
        # "+key", "-key" and ":key" are Apprise's, for headers and the like.
        if key[:1] not in ("+", "-", ":"):
            yield unquote(key).strip().lower(), unquote(value).strip()


def settings(login: str, password: str, sender: str, given: Mapping[str, object]) -> DevinoURL:
    """Return devinotify's settings; raises InvalidURL, which names what is wrong and shows no secret.

    ``given`` maps options to values as they stand on a URL, in a YAML file or in code; ``None`` is left out.
    """
    start = "{}://{}:{}@{}".format(SCHEMA, *(quote(part, safe="") for part in (login, password, sender)))
    options = "&".join(f"{key}={quote(_text(value), safe='')}" for key, value in given.items() if value is not None)
    return DevinoURL.parse(f"{start}?{options}")


def _text(value: object) -> str:
    return ("yes" if value else "no") if isinstance(value, bool) else str(value)


def written(url: DevinoURL) -> dict[str, str]:
    """Return the options that differ from their defaults, as they stand on a URL."""
    return dict(query(url.to_url()))
