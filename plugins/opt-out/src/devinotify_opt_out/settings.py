"""The settings as environment variables, and the plugin that has them."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from devinotify import DevinotifyError, IncomingSms, InvalidInput, Message, PluginError, hookimpl

from devinotify_opt_out.opt_out import OptOut

if TYPE_CHECKING:
    from click import Group

STOP_WORDS = "DEVINOTIFY_OPT_OUT_STOP"
"""The variable of further words to opt out by, with commas between them."""
START_WORDS = "DEVINOTIFY_OPT_OUT_START"
"""The same, of words to opt in by."""
CONFIRMATION = "DEVINOTIFY_OPT_OUT_CONFIRMATION"
"""The variable of the text of the one confirmation."""
PASSES = "DEVINOTIFY_OPT_OUT_PASSES"
"""The variable of the tags whose messages pass, with commas between them."""


@dataclass(frozen=True, slots=True)
class FromEnvironment:
    """An ``OptOut`` by the variables of ``environ`` (without one, those of the process), and its commands."""

    environ: Mapping[str, str] | None = None

    def opt_out(self) -> OptOut:
        """Return the plugin that the variables describe; raise PluginError, which names them, for wrong ones."""
        environ = os.environ if self.environ is None else self.environ
        try:
            return OptOut(
                stop=_listed(environ, STOP_WORDS),
                start=_listed(environ, START_WORDS),
                confirmation=environ.get(CONFIRMATION, "").strip(),
                passes=frozenset(_listed(environ, PASSES)),
            )
        except InvalidInput as error:
            raise PluginError(f"bad value for {STOP_WORDS} or {START_WORDS}: {error}") from None

    @hookimpl
    def devinotify_screen_recipients(self, message: Message) -> dict[str, DevinotifyError]:
        """Refuse those who have opted out."""
        return self.opt_out().devinotify_screen_recipients(message)

    @hookimpl
    def devinotify_message_received(self, message: IncomingSms) -> None:
        """Put the sender on the stop list, or take it off."""
        self.opt_out().devinotify_message_received(message)

    @hookimpl
    def devinotify_register_commands(self, group: Group) -> None:
        """Add ``opt-out`` to the command line."""
        from devinotify_opt_out.command import opt_out

        group.add_command(opt_out)


def _listed(environ: Mapping[str, str], name: str) -> tuple[str, ...]:
    return tuple(filter(None, map(str.strip, environ.get(name, "").split(","))))
