"""What the entry point names: the command of this package for devinotify's own command line.

Every devinotify process loads this module, so it imports no click before somebody asks for commands.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from devinotify import hookimpl

if TYPE_CHECKING:
    from click import Group


@hookimpl
def devinotify_register_commands(group: Group) -> None:
    """Add ``alert`` to the command line."""
    from devinotify_monitoring.command import alert

    group.add_command(alert)
