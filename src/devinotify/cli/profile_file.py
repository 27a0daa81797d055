"""The user's configuration file as it is written: a profile is put into it, and whatever people wrote there stays."""

from __future__ import annotations

import stat
import tomllib
from dataclasses import dataclass
from typing import TYPE_CHECKING

import tomlkit
from tomlkit.exceptions import TOMLKitError

from devinotify.config.document import NAME_RULE, PROFILE_NAME
from devinotify.config.places import users_file
from devinotify.exceptions import InvalidURL
from devinotify.files import replaced

if TYPE_CHECKING:
    from pathlib import Path

    from tomlkit import TOMLDocument

_REPLACED = ("login", "password", "password_file", "sender", "gateway", "url")
"""Keys of a profile that say which account it is: a new login is about another, or says them again."""


@dataclass(slots=True)
class ProfileFile:
    """A configuration file in which one profile is to be written."""

    path: Path
    name: str
    _document: TOMLDocument

    def put(self, url: str) -> None:
        """Put in the profile with this URL, as the default one where there is none yet; nothing is written by that.

        Raises InvalidURL where the file is written in a way that leaves no place for it.
        """
        try:
            profiles = self._document.setdefault("profiles", tomlkit.table(is_super_table=True))
            profile = profiles.setdefault(self.name, tomlkit.table())
            for key in _REPLACED:
                profile.pop(key, None)
            profile["url"] = url
            self._document.setdefault("default_profile", self.name)
            written = tomllib.loads(tomlkit.dumps(self._document))["profiles"][self.name]["url"]
        except (TOMLKitError, tomllib.TOMLDecodeError, ValueError, TypeError, AttributeError, KeyError):
            written = None
        if written != url:
            raise InvalidURL(
                f"{self.path}: the profile cannot be put there: write it as [profiles.{self.name}] by hand"
            )

    @property
    def is_default(self) -> bool:
        """Whether the profile is the one that is used where none is named."""
        return str(self._document.get("default_profile", "")) == self.name

    def save(self) -> None:
        """Write the file: made for its owner alone, and with the mode that it had where it was there.

        Raises InvalidURL where it cannot be written.
        """
        try:
            self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            mode = stat.S_IMODE(self.path.stat().st_mode) if self.path.exists() else None
            with replaced({self.path: "utf-8"}) as files:
                files[self.path].write(tomlkit.dumps(self._document))
            if mode is not None:
                self.path.chmod(mode)
        except OSError as error:
            raise InvalidURL(f"{self.path}: {error.strerror}") from None


def opened(name: str) -> ProfileFile:
    """Return the user's file, for a profile to be put into it; raise InvalidURL for a wrong name or file."""
    if not PROFILE_NAME.fullmatch(name):
        raise InvalidURL(f"the profile: {NAME_RULE}")
    path = users_file()
    try:
        document = tomlkit.parse(path.read_text("utf-8") if path.exists() else "")
    except OSError as error:
        reason = str(error.strerror)
    except (TOMLKitError, ValueError):  # a ValueError: it is not UTF-8
        reason = "it is not TOML; `devinotify config check` says where"
    else:
        return ProfileFile(path, name, document)
    raise InvalidURL(f"{path}: {reason}")
