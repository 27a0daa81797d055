"""What is wrong with the configuration, in whole: each mistake with its file, its line where that is known, its key."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import quote

from devinotify.cli.options import checked
from devinotify.exceptions import InvalidInput, InvalidURL
from devinotify.url import DEFAULT_REGION, DevinoURL, is_word, outline
from devinotify.words import counted, meant

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from devinotify.config.places import Source
    from devinotify.config.profiles import Config, Profile, Setting
    from devinotify.delivery.recipients import Recipients

_APART = frozenset({"url", "login", "password", "password_file", "from", "to"})
"""Keys whose values only mean something with the others: they are checked with the whole profile."""


@dataclass(frozen=True, slots=True)
class Finding:
    """A mistake: the file, the line from 1 or ``None``, the key (none for the file as a whole), and what is wrong."""

    file: str
    line: int | None
    key: str
    reason: str

    def line_of(self, reason: str) -> str:
        """Return it as a line for people, with the reason in their language."""
        place = self.file + ("" if self.line is None else f":{self.line}")
        return ": ".join(filter(None, (place, self.key, reason)))

    def __str__(self) -> str:
        return self.line_of(self.reason)


def findings(config: Config) -> list[Finding]:
    """Return all mistakes of all files, a file's own in the order of its text first."""
    found = [_found(source, mistake.line, mistake.key, mistake.reason) for source, mistake in config.mistakes]
    return [*found, *_of_default(config), *_of_profiles(config), *_of_aliases(config)]


def require_sound(config: Config, name: str) -> None:
    """Raise InvalidURL for the first mistake in a profile, with its place and with how many others there are."""
    found = _of_profile(config, name)
    if found:
        others = f"; {counted(len(found) - 1, 'further mistake')}" if len(found) > 1 else ""
        raise InvalidURL(f"{found[0]}{others}; `devinotify config check` names all of them")


def _found(source: Source, line: int | None, key: str, reason: str) -> Finding:
    return Finding(str(source.path), line, key, reason)


def _of_default(config: Config) -> Iterator[Finding]:
    for source in config.sources:
        name = source.document.default_profile
        if name is not None and name not in config.names:
            line = source.document.lines.get(("default_profile",))
            reason = f"there is no profile {name!r}: {meant(name, config.names)}".rstrip(": ")
            yield _found(source, line, "default_profile", reason)


def _of_profiles(config: Config) -> Iterator[Finding]:
    for name in config.names:
        yield from _of_profile(config, name)


def _of_profile(config: Config, name: str) -> list[Finding]:
    misread = any(mistake.key.startswith(f"profiles.{name}.") for _, mistake in config.mistakes)
    found: list[Finding] = []
    try:
        profile = config.profile(name)
        found += _of_values(profile)
        if not found and not misread:  # the whole would only say again what is wrong with a part
            checked(outline(profile.url()))
    except InvalidURL as error:
        found.append(_in_profile(config, name, str(error)))
    return found


def _in_profile(config: Config, name: str, reason: str) -> Finding:
    source = next(source for source in config.sources if name in source.document.profiles)
    return _found(source, source.document.lines.get(("profiles", name)), f"profiles.{name}", reason)


def _of_values(profile: Profile) -> Iterator[Finding]:
    for key, setting in profile.settings.items():
        if key in _APART:
            continue
        query = "&".join(f"{quote(key, safe='')}={quote(value, safe='')}" for value in setting.values)
        # What a key means together with others is checked where the profile is whole.
        beside = "" if key == "insecure" else "&insecure=yes"
        beside += "&price=1" if key == "limit" and "price" in profile.settings else ""
        try:
            checked(DevinoURL.parse(f"devino://login:password@SENDER?{query}{beside}"))
        except InvalidURL as error:
            named = key if is_word(key) else "url"  # in whose query it stands
            yield _found(setting.source, setting.line, f"profiles.{profile.name}.{named}", str(error))


def _of_aliases(config: Config) -> Iterator[Finding]:
    from devinotify.delivery.recipients import Recipients
    from devinotify.plugins import make_plugin_manager

    aliases = config.aliases
    reader = Recipients(make_plugin_manager(), DEFAULT_REGION) if aliases else None
    told: set[frozenset[str]] = set()
    for name, setting in aliases.items():
        circle = _circle(name, aliases)
        if circle and frozenset(circle) not in told:
            told.add(frozenset(circle))
            reason = f"it goes round in a circle: {', '.join((*circle, circle[0]))}"
            yield _found(setting.source, setting.line, f"aliases.{name}", reason)
        for place, member in enumerate(setting.values, 1):
            reason = "" if member in aliases or reader is None else _unreadable(member, aliases, reader)
            if reason:
                yield _found(setting.source, setting.line, f"aliases.{name}", f"member {place}: {reason}")


def _circle(name: str, aliases: Mapping[str, Setting]) -> tuple[str, ...]:
    """Return the aliases of the shortest circle through this one; nothing where there is none."""
    ways: dict[str, tuple[str, ...]] = {name: (name,)}
    waiting = [name]
    for alias in waiting:
        for member in map(str, aliases[alias].values):
            if member == name:
                return ways[alias]
            if member in aliases and member not in ways:
                ways[member] = (*ways[alias], member)
                waiting.append(member)
    return ()


def _unreadable(member: str, aliases: Mapping[str, Setting], reader: Recipients) -> str:
    refused = next(filter(None, reader.read([member]).values()), None)
    if refused is None:
        return ""
    question = meant(member, aliases)
    return f"{refused}; {question}" if question and isinstance(refused, InvalidInput) else str(refused)
