"""The aliases of the configuration files, brought in through the hook that everybody uses."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from devinotify.config.document import is_word
from devinotify.config.places import any_file
from devinotify.config.profiles import find_aliases
from devinotify.exceptions import InvalidURL, PluginError
from devinotify.hookspecs import hookimpl
from devinotify.url import OPTION_NAMES

if TYPE_CHECKING:
    from collections.abc import Mapping

NAME = "configured-aliases"
"""The plugin's name."""


class Aliases:
    """Answers for the names of ``[aliases]``, after all other plugins; the files are read for the first word, once."""

    @hookimpl(trylast=True)
    def devinotify_resolve_recipient(self, recipient: str) -> list[str] | None:
        """Return the members of an alias; raise PluginError where the files cannot be used: nobody is left out."""
        if not is_word(recipient):
            return None
        members = self._known.get(recipient)
        return None if members is None else list(map(str, members))

    @cached_property
    def _known(self) -> Mapping[str, tuple[str, ...]]:
        try:
            return find_aliases(OPTION_NAMES)
        except InvalidURL as error:
            reason = str(error)
        raise PluginError(reason, plugin=NAME, hook="devinotify_resolve_recipient")


def built_ins() -> dict[str, object]:
    """Return the plugin by its name; nothing where there is no configuration file."""
    return {NAME: Aliases()} if any_file() else {}
