"""What the entry point names: the commands of this package for devinotify's own command line.

Every devinotify process loads this module, so it imports neither click nor Apprise before somebody asks for commands.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from devinotify import hookimpl

if TYPE_CHECKING:
    from click import Group


@hookimpl
def devinotify_register_commands(group: Group) -> None:
    """Add ``apprise`` to the command line."""
    from devinotify_apprise.commands import apprise

    group.add_command(apprise)
