"""Profiles and aliases of all files together, the nearest file first, and the URL that a profile comes to.

What a file of the current folder may say of secrets is decided here: it may send nobody's password but its own to
another gateway, and read no file outside of its folder as one.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING
from urllib.parse import quote, unquote, urlsplit

from devinotify.config.document import has_password
from devinotify.config.places import NEAR, any_file, places, sources
from devinotify.exceptions import InvalidInput, InvalidURL
from devinotify.hosts import is_loopback
from devinotify.limits import parse_limits, tightened, write_limits
from devinotify.redact import Secret
from devinotify.words import counted, meant

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from devinotify.config.document import Mistake
    from devinotify.config.places import Source

VARIABLE = "DEVINOTIFY_PROFILE"

_PATHS = frozenset({"outbox", "ca", "password_file"})
"""Keys that name files: of a profile they are beside its file, where they do not begin at the root."""
_DIRECTS = ("gateway", "ca", "insecure")
"""Keys that decide to whom a password goes."""
_BESIDE = ("login", "password")
"""Keys that cannot stand beside a URL, which has them."""
_RENAMED: Mapping[str, str] = MappingProxyType({"limits": "limit", "sender": "from"})
"""Keys that have another name on a URL."""
_SHOWN: Mapping[str, str] = MappingProxyType({"from": "sender"})
_LIMITS = "limit"
_MARK = "aliases"
"""The key by which a URL has the aliases of the files."""

_BAD_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})")


@dataclass(frozen=True, slots=True)
class Setting:
    """The values of one key of a profile, and where they stand: the file, and the line where it is known."""

    values: tuple[Secret, ...]
    source: Source
    line: int | None

    @property
    def place(self) -> str:
        """The file, and the line where it is known: ``/home/me/.config/devinotify/config.toml:3``."""
        return str(self.source.path) + ("" if self.line is None else f":{self.line}")


@dataclass(frozen=True, slots=True)
class Profile:
    """An account by its name: the settings of all files that name it, by their key on a URL."""

    name: str
    settings: Mapping[str, Setting]

    def url(self) -> Secret:
        """Return the URL that it comes to, without a password that is elsewhere.

        Raises InvalidURL, which names the profile, where a part is missing, or a file may not say what it says.
        """
        settings = dict(self.settings)
        self._check(settings)
        base = settings.pop("url", None)
        head = self._head(settings) if base is None else base.values[0]
        query = [
            f"{quote(key, safe='@')}={quote(value, safe='/:+')}"
            for key, setting in settings.items()
            for value in setting.values
        ]
        if _MARK not in settings:
            query.append(f"{_MARK}=yes")
        return Secret(f"{head}?{'&'.join(query)}")

    def _head(self, settings: dict[str, Setting]) -> Secret:
        """Return the URL up to its query from the parts that it is made of, which are taken out of the settings."""
        missing = [_SHOWN.get(part, part) for part in ("login", "from") if part not in settings]
        if missing:
            raise self._error(f"{' and '.join(missing)} missing: give url, or login and sender")
        login, *password = (settings.pop(part) for part in _BESIDE if part in settings)
        credentials = Secret(":".join(quote(part.values[0], safe="") for part in (login, *password)))
        return Secret(f"devino://{credentials}@{quote(settings.pop('from').values[0], safe='')}")

    def _check(self, settings: Mapping[str, Setting]) -> None:
        beside = [key for key in _BESIDE if key in settings and "url" in settings]
        if beside:
            raise self._error(f"{beside[0]} is given beside url: leave one of them out", settings[beside[0]])
        near = {key: setting for key, setting in settings.items() if setting.source.place.near}
        named = near.get("password_file")
        if named is not None and not _is_inside(named.values[0], named.source.path.parent):
            raise self._error("password_file: a file of the current folder may name none outside of it", named)
        literal = "password" in near or any(map(has_password, _texts(near.get("url"))))
        own = literal or named is not None
        directing = [key for key in _DIRECTS if key in near]
        if directing and own and not literal and not _stays_here(settings.get("gateway")):
            # Any file of one line would do, and what the folder holds need not be whose file this is.
            raise self._error(
                f"{NEAR} says where a password goes, by {', '.join(directing)}: a password_file may go to a gateway on"
                " this machine alone, so write the password itself",
                near[directing[0]],
            )
        # A database is told recipients and texts, and whoever has it may queue what is then sent with the password.
        directing += ["outbox"] if any("://" in value for value in _texts(near.get("outbox"))) else []
        if directing and not own:
            raise self._error(
                f"{NEAR} says where a password goes, by {', '.join(directing)}: it has to"
                " bring its own, since the current folder may be somebody else's",
                near[directing[0]],
            )

    def _error(self, reason: str, setting: Setting | None = None) -> InvalidURL:
        named = setting or next(iter(self.settings.values()), None)
        return InvalidURL(f"the profile {self.name}{f' ({named.place})' if named else ''}: {reason}")


@dataclass(frozen=True, slots=True)
class Config:
    """What all files say together, the nearest first."""

    sources: tuple[Source, ...]

    @property
    def mistakes(self) -> list[tuple[Source, Mistake]]:
        """What is wrong with each file."""
        return [(source, mistake) for source in self.sources for mistake in source.document.mistakes]

    @property
    def names(self) -> list[str]:
        """The profiles that there are."""
        return list(dict.fromkeys(name for source in self.sources for name in source.document.profiles))

    @property
    def aliases(self) -> dict[str, Setting]:
        """The aliases with their members; of two of one name that of the nearer file."""
        found: dict[str, Setting] = {}
        for source in self.sources:
            for name, members in source.document.aliases.items():
                line = source.document.lines.get(("aliases", name))
                found.setdefault(name, Setting(members, source, line))
        return found

    def default(self) -> str | None:
        """Return the profile that is used where none is named: that of DEVINOTIFY_PROFILE, else ``default_profile``."""
        if named := os.environ.get(VARIABLE):
            return named
        return next((name for source in self.sources if (name := source.document.default_profile)), None)

    def profile(self, name: str) -> Profile:
        """Return a profile; raise InvalidURL, which names those that there are, where it is not one of them."""
        if name not in self.names:
            raise InvalidURL(f"there is no profile {name!r}: {self._nearest(name)}")
        settings: dict[str, Setting] = {}
        whole = False
        for source in self.sources:
            if name not in source.document.profiles:
                continue
            own = dict(_settings(name, source))
            if _LIMITS in own and _LIMITS in settings:  # a nearer file may add limits, and lift none
                settings[_LIMITS] = _tightened(own[_LIMITS], settings[_LIMITS])
            if whole:
                settings |= {key: own[key] for key in (_LIMITS,) if key in own and key not in settings}
                continue
            if "to" in settings and "url" in own:
                own["url"] = _without_targets(own["url"])
            settings = {**own, **settings}
            whole = "url" in own  # it is an account by itself: a farther file's limits are all that counts besides
        return Profile(name, settings)

    def _nearest(self, name: str) -> str:
        if not self.names:
            files = " or ".join(str(place.path) for place in places())
            return (
                f"`devinotify login` makes one, and it may be in {files}" if files else "`devinotify login` makes one"
            )
        return meant(name, self.names) or f"the profiles are {', '.join(self.names)}"

    def require_sound(self) -> Config:
        """Return this; raise InvalidURL for the first mistake in a file, with how many others there are."""
        if not self.mistakes:
            return self
        source, mistake = self.mistakes[0]
        line = "" if mistake.line is None else f":{mistake.line}"
        others = f"; {counted(len(self.mistakes) - 1, 'further mistake')}" if len(self.mistakes) > 1 else ""
        raise InvalidURL(f"{source.path}{line}: {mistake}{others}; `devinotify config check` names all of them")


def load(keys: Collection[str]) -> Config:
    """Return what the files say, their mistakes included; ``keys`` are those of a URL's query.

    Raises InvalidURL where a file cannot be read.
    """
    return Config(tuple(sources(keys)))


def find_profile(keys: Collection[str], name: str | None = None) -> Profile | None:
    """Return the profile of this name, without one that of DEVINOTIFY_PROFILE, else the default one, else ``None``.

    Raises InvalidURL for a name that no file has, and for a mistake in a file. No file is read where there is none.
    """
    if not (name or os.environ.get(VARIABLE) or any_file()):
        return None
    config = load(keys).require_sound()
    wanted = name or config.default()
    if wanted is None:
        return None
    try:
        return config.profile(wanted)
    except InvalidURL as error:
        by = f"{VARIABLE}: " if not name and os.environ.get(VARIABLE) else ""
        raise InvalidURL(f"{by}{error}") from None


def find_aliases(keys: Collection[str]) -> dict[str, tuple[str, ...]]:
    """Return the members of each alias; raise InvalidURL for a mistake in a file."""
    return {name: setting.values for name, setting in load(keys).require_sound().aliases.items()}


def _settings(name: str, source: Source) -> Iterator[tuple[str, Setting]]:
    """Yield the settings of a profile in one file, those on its URL's query among them."""
    lines = source.document.lines
    given = {_RENAMED.get(key, key): values for key, values in source.document.profiles[name].items()}
    written = {_RENAMED.get(key, key): key for key in source.document.profiles[name]}
    for key, values in given.items():
        line = lines.get(("profiles", name, written[key]))
        if key != "url":
            yield key, Setting(_located(key, values, source), source, line)
            continue
        head, query = _apart(values[0])
        setting = Setting((head,), source, line)
        yield key, _without_targets(setting) if "to" in given else setting
        for item, inner in _items(query, name).items():
            if item not in given:  # what stands in the profile by itself stands in its place
                yield item, Setting(_located(item, inner, source), source, line)


def _without_targets(url: Setting) -> Setting:
    """Return the setting of a URL without its path: other recipients stand in their place."""
    scheme, sign, rest = url.values[0].partition("://")
    return replace(url, values=(Secret(f"{scheme}{sign}{rest.partition('/')[0]}"),))


def _apart(url: Secret) -> tuple[Secret, Secret]:
    head, _, query = url.partition("?")
    return Secret(head), Secret(query)


def _items(query: Secret, name: str) -> dict[str, tuple[Secret, ...]]:
    """Return the values of each key in the query of a URL; raise InvalidURL for what cannot be told apart."""
    found: dict[str, tuple[Secret, ...]] = {}
    for item in filter(None, query.split("&")):
        raw_key, _, raw_value = item.partition("=")
        if _BAD_ESCAPE.search(item):
            raise InvalidURL(f"the profile {name}: its url holds a bad percent escape: write % as %25")
        try:
            key, value = unquote(raw_key, errors="strict").lower(), Secret(unquote(raw_value, errors="strict"))
        except UnicodeDecodeError:
            raise InvalidURL(f"the profile {name}: its url is not percent-encoded UTF-8") from None
        found[key] = (*found.get(key, ()), value)
    return found


def _located(key: str, values: tuple[Secret, ...], source: Source) -> tuple[Secret, ...]:
    """Return the values with paths beside the file that names them, as what starts anywhere has to find them."""
    if key not in _PATHS:
        return values
    return tuple(value if "://" in value else Secret(_path(value, source.path.parent)) for value in values)


def _path(value: str, folder: Path) -> str:
    try:
        return str(folder / Path(value).expanduser())
    except RuntimeError:  # ~ that is nobody's home: told by whoever opens it
        return value


def _is_inside(path: str, folder: Path) -> bool:
    try:
        return Path(path).resolve().is_relative_to(folder.resolve())
    except (OSError, RuntimeError, ValueError):
        return False


def _tightened(limits: Setting, near: Setting) -> Setting:
    """Return the limits of two files, of two on the same the lower one; as written where they cannot be read."""
    try:
        one, more = ([limit for text in setting.values for limit in parse_limits(text)] for setting in (limits, near))
    except InvalidInput:  # told by whoever reads the URL
        return replace(near, values=limits.values + near.values)
    return replace(near, values=(Secret(write_limits(tightened(one, more))),))


def _stays_here(gateway: Setting | None) -> bool:
    """Whether what is sent to a gateway does not leave this machine."""
    try:
        return gateway is not None and all(is_loopback(urlsplit(url).hostname or "") for url in gateway.values)
    except ValueError:
        return False


def _texts(setting: Setting | None) -> tuple[Secret, ...]:
    return () if setting is None else setting.values
