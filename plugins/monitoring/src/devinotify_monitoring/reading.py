"""A host's arguments and variables -> the notice they make. Pure: the environment comes in as a mapping."""

from __future__ import annotations

import re
from types import MappingProxyType
from typing import TYPE_CHECKING

from devinotify.translation import _

from devinotify_monitoring.errors import SetupError
from devinotify_monitoring.notice import Notice

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from devinotify_monitoring.profiles import Profile

WORDS: Mapping[str, str] = MappingProxyType(
    {
        "PROBLEM": "",
        "RECOVERY": "",
        "ACKNOWLEDGEMENT": "ACK",
        "CUSTOM": "NOTE",
        "FLAPPINGSTART": "FLAPPING",
        "FLAPPINGSTOP": "STEADY",
        "FLAPPINGEND": "STEADY",
        "FLAPPINGDISABLED": "STEADY",
        "DOWNTIMESTART": "DOWNTIME",
        "DOWNTIMEEND": "DOWNTIME END",
        "DOWNTIMECANCELLED": "DOWNTIME OFF",
        "DOWNTIMEREMOVED": "DOWNTIME OFF",
    }
)
"""Type of a notification -> what stands before the state; of any other the type itself."""

COUNTED = frozenset({"PROBLEM", "RECOVERY"})
"""The types that hosts count. Of the others two may have the same number, so their time tells them apart."""

ZABBIX_LEAST, ZABBIX_MOST = 2, 3
_KEY_LINE = re.compile(r"\s*^key:[ \t]*(\S.*?)\s*\Z", re.MULTILINE)
"""The last line of a message of Zabbix's, where its template has one: what tells the notification from others."""
_UNSET = re.compile(r"\$[A-Z_0-9]+\$")
"""A macro that the host has left as it was, which is Nagios' and Checkmk's way to say that there is nothing."""
_NAMED = re.compile(r"([A-Z][A-Z0-9_]*)=(.*)", re.DOTALL)
_BETWEEN = re.compile(r"[,;\n]")


def read(profile: Profile, arguments: Sequence[str], environment: Mapping[str, str]) -> Notice:
    """Return what the host tells; raise SetupError where it is not what this host tells.

    ``arguments`` are Zabbix's three, or ``NAME=VALUE`` of the others, which come before their ``environment``.
    """
    if not profile.fields:
        return _of_arguments(profile, arguments)
    found = _values(profile, arguments, environment)
    host, kind = found.get("host", ""), found.get("kind", "PROBLEM")
    of = "service" if "service" in found else "host"
    state = found.get(f"{of}_state", "")
    if not host or not state:
        names = _(" and ").join(profile.prefix + profile.fields[each][0] for each in ("host", f"{of}_state"))
        raise SetupError(f"{profile.name}: {names} are not both set: {_(profile.missing)}")
    place = "/".join(filter(None, (host, found.get("service"))))
    return Notice(
        headline=" ".join(filter(None, (WORDS.get(kind, kind), state, place))),
        detail=_detail(kind, found, of),
        recipients=listed(found.get("recipient", "")),
        identity=_identity(kind, found, of),
    )


def listed(recipients: str) -> tuple[str, ...]:
    """Return the recipients of a field that may hold several, with commas, semicolons or line breaks between them."""
    return tuple(filter(None, (each.strip() for each in _BETWEEN.split(recipients))))


def _of_arguments(profile: Profile, arguments: Sequence[str]) -> Notice:
    if not ZABBIX_LEAST <= len(arguments) <= ZABBIX_MOST:
        raise SetupError(f"{profile.name}: {len(arguments)} arguments: {_(profile.missing)}")
    to, subject, message = (*arguments, "")[:ZABBIX_MOST]
    key = _KEY_LINE.search(message)
    text = message if key is None else message[: key.start()]
    return Notice(
        headline=subject if subject.strip() else text,
        detail=text if subject.strip() else "",
        recipients=listed(to),
        identity=() if key is None else (key[1],),
    )


def _values(profile: Profile, arguments: Sequence[str], environment: Mapping[str, str]) -> dict[str, str]:
    given = dict(environment)
    for place, argument in enumerate(arguments, 1):
        named = _NAMED.fullmatch(argument)
        if named is None:
            raise SetupError(f"{profile.name}: argument {place} is not NAME=VALUE")
        given[profile.prefix + named[1].removeprefix(profile.prefix)] = named[2]
    found = {}
    for field, names in profile.fields.items():
        values = (given.get(profile.prefix + name, "").strip() for name in names)
        value = next((each for each in values if each and not _UNSET.fullmatch(each)), None)
        if value is not None:
            found[field] = value
    return found


def _detail(kind: str, found: Mapping[str, str], of: str) -> str:
    """Return somebody's comment where that is what is told, else what the check said."""
    if WORDS.get(kind) != "" and "comment" in found:
        return ": ".join(filter(None, (found.get("author"), found["comment"])))
    return found.get(f"{of}_output", "")


def _identity(kind: str, found: Mapping[str, str], of: str) -> tuple[str, ...]:
    """Return what tells a notification from all others, or nothing where a part of it is missing.

    The number begins anew with each problem, and the time of the last change of state tells the problems apart, after
    a loss of the host's own memory too.
    """
    fields = ["host", *(["service"] if of == "service" else []), f"{of}_state", f"{of}_number", f"{of}_since"]
    parts = [kind, *(found.get(each) for each in fields)]
    if kind not in COUNTED:
        parts.append(found.get("time"))
    return tuple(part for part in parts if part is not None) if None not in parts else ()
