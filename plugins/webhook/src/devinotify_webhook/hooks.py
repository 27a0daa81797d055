"""What the entry point names: the command of this package for devinotify's own command line.

Every devinotify process loads this module, so it imports neither click nor a server before somebody asks for commands.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from devinotify import hookimpl

if TYPE_CHECKING:
    from click import Group


@hookimpl
def devinotify_register_commands(group: Group) -> None:
    """Add ``webhook`` to the command line."""
    from devinotify_webhook.command import webhook

    group.add_command(webhook)
