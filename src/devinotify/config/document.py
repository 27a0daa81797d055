"""One configuration file as its text says it: profiles, aliases, the default profile, and each mistake. Pure."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from devinotify.redact import Secret
from devinotify.words import meant

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

Key = tuple[str, ...]
"""Where something stands: ``("profiles", "shop", "sender")``."""

TABLES = ("default_profile", "profiles", "aliases")
"""What a file may hold at its top."""
PARTS = ("url", "login", "password", "sender", "to", "limits")
"""Keys of a profile that are not keys of a URL's query, or not by the same name."""
LISTS = frozenset({"to", "limit", "limits"})
"""Keys of a profile that may have several values."""
_ELSEWHERE = frozenset({"from"})
"""Keys of a URL that a profile has by another name: ``sender``."""

PROFILE_NAME = re.compile(r"[\w.-]{1,64}")
NAME_RULE = "a profile's name is of letters, digits and - _ ."
HIDDEN = "(not shown)"
_SHOWN = re.compile(r"(?=.*[^\W\d])[\w.-]{1,64}")
"""Names of profiles and aliases: not a number."""
_WORD = re.compile(r"[a-z_]{1,20}")
"""A key that is meant to be one: any other may be a part of a password."""
_QUOTED = re.compile(r"\('.*\)")
"""A key, as the parser quotes it."""
_PLACE = re.compile(r" \(at line (\d+), column \d+\)$|\s*\(at end of document\)$")


@dataclass(frozen=True, slots=True)
class Mistake:
    """What is wrong at a key, or with the file as a whole where there is none; ``line`` from 1, where it is known."""

    key: str
    reason: str
    line: int | None = None

    def __str__(self) -> str:
        return f"{self.key}: {self.reason}" if self.key else self.reason


@dataclass(frozen=True, slots=True, repr=False)
class Document:
    """What a file says; its repr shows nothing of that. ``lines`` has the line of each key, where it is known."""

    profiles: Mapping[str, Mapping[str, tuple[Secret, ...]]] = field(default_factory=dict)
    aliases: Mapping[str, tuple[Secret, ...]] = field(default_factory=dict)
    default_profile: str | None = None
    mistakes: tuple[Mistake, ...] = ()
    lines: Mapping[Key, int] = field(default_factory=dict)

    def __repr__(self) -> str:
        return f"<Document: {len(self.profiles)} profiles, {len(self.aliases)} aliases>"

    @property
    def holds_password(self) -> bool:
        """Whether a password stands in the file, by itself or on a URL."""
        return any(
            "password" in profile or any(map(has_password, profile.get("url", ())))
            for profile in self.profiles.values()
        )


def has_password(url: str) -> bool:
    """Whether a URL has a password on it, be it well-formed or not."""
    credentials, sign, _ = url.partition("://")[2].rpartition("@")
    return bool(sign) and ":" in credentials


def read(text: str, keys: Collection[str]) -> Document:
    """Return what the text of a file says; ``keys`` are those of a URL's query. Its mistakes are in the answer."""
    text = Secret(text)
    try:
        given = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        reason = str(error)
    else:
        return _Reader(hidden(given), frozenset(keys) - _ELSEWHERE, _lines(text)).read()
    place = _PLACE.search(reason)
    line = int(place[1]) if place and place[1] else None
    told = _QUOTED.sub("that", _PLACE.sub("", reason))
    return Document(mistakes=(Mistake("", f"it is not TOML: {told}", line),))


def hidden(value: Any) -> Any:  # noqa: ANN401 - whatever TOML can hold
    """Return what TOML was read to with every text in it a Secret: it may be a password or a number."""
    if isinstance(value, dict):
        return {key: hidden(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [hidden(inner) for inner in value]
    return Secret(value) if isinstance(value, str) else value


class _Reader:
    """Takes a document apart, and notes what is wrong with it."""

    def __init__(self, given: dict[str, Any], keys: frozenset[str], lines: Mapping[Key, int]) -> None:
        self._given = given
        self._known = (*PARTS, *sorted(keys - set(PARTS)))
        self._lines = lines
        self._mistakes: list[Mistake] = []

    def read(self) -> Document:
        for key in self._given:
            if key not in TABLES:
                self._note((key if _WORD.fullmatch(key) else HIDDEN,), _unknown(key, TABLES), (key,))
        profiles, aliases = self._profiles(), self._aliases()
        default = self._given.get("default_profile")
        if default is not None and not isinstance(default, str):
            self._note(("default_profile",), "give the name of a profile")
            default = None
        return Document(
            profiles, aliases, None if default is None else str(default), tuple(self._mistakes), self._lines
        )

    def _note(self, key: Key, reason: str, at: Key | None = None) -> None:
        shown = ".".join(part if part in self._known or _SHOWN.fullmatch(part) else HIDDEN for part in key)
        self._mistakes.append(Mistake(shown, reason, self._lines.get(at or key)))

    def _table(self, key: Key, value: object, expects: str) -> dict[str, Any]:
        if isinstance(value, dict):
            return value
        self._note(key, expects)
        return {}

    def _profiles(self) -> dict[str, dict[str, tuple[Secret, ...]]]:
        tables = self._table(("profiles",), self._given.get("profiles", {}), "write each profile as [profiles.NAME]")
        found = {}
        for name, table in tables.items():
            if not PROFILE_NAME.fullmatch(name):
                self._note(("profiles", name), NAME_RULE)
            else:
                found[name] = dict(self._settings(("profiles", name), table))
        return found

    def _settings(self, key: Key, table: object) -> Iterator[tuple[str, tuple[Secret, ...]]]:
        for name, value in self._table(key, table, "write it as a table, [profiles.NAME]").items():
            if name not in self._known:
                self._note((*key, name if _WORD.fullmatch(name) else HIDDEN), _unknown(name, self._known), (*key, name))
                continue
            several = isinstance(value, list) and name in LISTS
            texts = tuple(map(_text, value if several else [value]))
            if None in texts or "" in texts:
                more = ", or a list of them" if name in LISTS else ""
                self._note((*key, name), f"give a text that is not empty, a number, true or false{more}")
            else:
                yield name, tuple(text for text in texts if text is not None)

    def _aliases(self) -> dict[str, tuple[Secret, ...]]:
        found = {}
        table = self._table(
            ("aliases",), self._given.get("aliases", {}), 'write aliases as [aliases], oncall = ["+7…"]'
        )
        for name, value in table.items():
            members = value if isinstance(value, list) else [value]
            reason = _wrong_alias(name, members)
            if reason:
                self._note(("aliases", name), reason)
            else:
                found[name] = tuple(members)
        return found


def _wrong_alias(name: str, members: list[object]) -> str:
    if not is_word(name) or name != name.strip() or "," in name:
        return "an alias is a word with a letter in it, and no comma: a number stands for itself"
    if not members or not all(isinstance(member, str) and member.strip() for member in members):
        return "give a list of numbers and aliases, as texts, with at least one of them"
    return ""


def is_word(recipient: str) -> bool:
    """Whether a recipient may be an alias of a file: it has a letter, which a number has not."""
    return any(map(str.isalpha, recipient))


def _text(value: object) -> Secret | None:
    """Return a value as a URL has it, or ``None`` for what a URL has no way to write."""
    if isinstance(value, bool):
        return Secret("yes" if value else "no")
    return Secret(value) if isinstance(value, str | int | float) else None


def _unknown(key: str, known: Collection[str]) -> str:
    shown = repr(key) if _WORD.fullmatch(key) else HIDDEN
    return f"unknown key {shown}: {meant(key, known) or 'the keys are ' + ', '.join(known)}"


_HEADER = re.compile(r"\s*\[(?P<key>[^\[\]]+)\]")
_ENTRY = re.compile(r"(?P<key>[^=#]+)=")


def _lines(text: str) -> dict[Key, int]:
    """Return the line of each key, as far as it can be told from the beginnings of lines: for messages alone."""
    found: dict[Key, int] = {}
    table: Key = ()
    for number, line in enumerate(text.split("\n"), 1):
        if header := _HEADER.match(line):
            table = _path(f"[{header['key']}]") or table
            found.setdefault(table, number)
        elif entry := _ENTRY.match(line):
            key = _path(f"{entry['key']}=0")
            if key:
                found.setdefault((*table, *key), number)
    return found


def _path(line: str) -> Key:
    """Return the key that a line of TOML names, or nothing where it is not a line of its own."""
    try:
        inner: object = tomllib.loads(line)
    except tomllib.TOMLDecodeError:
        return ()
    path: list[str] = []
    while isinstance(inner, dict) and len(inner) == 1:
        ((name, inner),) = inner.items()
        path.append(name)
    return tuple(path)
