"""``devinotify plugins``: what is loaded and what is not. And the commands that plugins bring."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from devinotify.cli import output
from devinotify.cli.exits import ExitCode
from devinotify.cli.options import json_option
from devinotify.translation import _, told

if TYPE_CHECKING:
    from collections.abc import Sequence

    from devinotify.plugins import FailedPlugin, LoadedPlugin

GROUP = "devinotify"
"""The entry-point group of plugins, as in ``hookspecs``, which need not be loaded to look into it."""

_PREFIX = "devinotify_"
_FOLDED = output.FOLDED | {"from"}  # a distribution or a file, while the sender of an incoming message is a number


@click.command("plugins")
@json_option
def command(*, as_json: bool) -> None:
    """List the plugins that are loaded, and those that are not, with the reason.

    With where each came from and the hooks that it implements. Plugins are installed distributions with an entry point
    in the group devinotify; DEVINOTIFY_DISABLE_PLUGINS lists the names of those to leave out. The exit code is 0
    whatever failed to load.
    """
    from devinotify.plugins import BUILT_IN, make_plugin_manager

    manager = make_plugin_manager()
    channels = manager.channels()  # a plugin may be left out for what it brings
    loaded = manager.loaded()
    if as_json:
        output.emit(
            {
                "plugins": [_loaded(plugin, built_in=plugin.origin == BUILT_IN) for plugin in loaded],
                "failed": [_failed(plugin) for plugin in manager.failures],
                "channels": list(channels),
                "exit_code": ExitCode.ACCEPTED,
            }
        )
        return
    output.show(output.table(("plugin", "from", "hooks"), map(_row, loaded), _FOLDED))
    if manager.failures:
        output.write("")
        output.show(output.table(("left out", "from", "why"), map(_left_out, manager.failures), _FOLDED))


def register_commands(group: click.Group) -> None:
    """Let the installed plugins add their commands to the group, each apart: what fails is told on stderr.

    Without the built-ins, which have no commands: they would bring the whole client along.
    """
    from importlib.metadata import entry_points

    try:
        if not entry_points(group=GROUP):
            return  # the usual case, in which the list of commands need not load the manager
    except Exception:  # noqa: BLE001, S110 - a broken distribution, which the manager tells of
        pass
    from devinotify.plugins import PluginManager

    manager = PluginManager()
    manager.load_entry_points()
    manager.observe("devinotify_register_commands", group=group)


def _hooks(plugin: LoadedPlugin) -> Sequence[str]:
    return [hook.removeprefix(_PREFIX) for hook in plugin.hooks]


def _row(plugin: LoadedPlugin) -> tuple[str, str, str]:
    return plugin.name, _(plugin.origin), ", ".join(_hooks(plugin))


def _left_out(plugin: FailedPlugin) -> tuple[str, str, str]:
    return plugin.name, _(plugin.origin), told(plugin.reason)


def _loaded(plugin: LoadedPlugin, *, built_in: bool) -> dict[str, Any]:
    return {"name": plugin.name, "origin": plugin.origin, "built_in": built_in, "hooks": _hooks(plugin)}


def _failed(plugin: FailedPlugin) -> dict[str, Any]:
    return {"name": plugin.name, "origin": plugin.origin, "reason": plugin.reason, "disabled": plugin.disabled}
