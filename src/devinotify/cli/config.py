"""``devinotify config``: where the configuration is, what is wrong with it, and what it comes to."""

from __future__ import annotations

import click

from devinotify.cli import output
from devinotify.cli.exits import ExitCode
from devinotify.cli.groups import Group
from devinotify.cli.named import name_option
from devinotify.cli.options import json_option
from devinotify.translation import _, ngettext, told


@click.group("config", cls=Group)
def command() -> None:
    """Check and show the configuration: profiles and aliases.

    They are in config.toml in the user's folder for settings, and in devinotify.toml in the current folder, which goes
    before it; DEVINOTIFY_CONFIG names one file in place of both.
    """


@command.command("path")
@json_option
def show_paths(*, as_json: bool) -> None:
    """Print the files that are looked for, the first first, and whether they are there."""
    from devinotify.config.places import places

    found = [(place.path, place.path.exists()) for place in places()]
    if as_json:
        files = [{"path": str(path), "exists": exists} for path, exists in found]
        output.emit({"files": files, "exit_code": ExitCode.ACCEPTED})
        return
    for path, exists in found:
        output.write(str(path) if exists else _("{path} (not there)", path=path))


@command.command("check")
@json_option
def check(*, as_json: bool) -> ExitCode:
    """Name each mistake of the files, with file, line and key; the exit code is 2 where there is one.

    Nothing is sent, and no password is looked for.
    """
    from devinotify.cli.mistakes import findings
    from devinotify.config.profiles import load
    from devinotify.url import OPTION_NAMES

    config = load(OPTION_NAMES)
    found = findings(config)
    notices = [f"{source.path}: {notice}" for source in config.sources for notice in source.notices]
    code = ExitCode.USAGE if found else ExitCode.ACCEPTED
    if as_json:
        rows = [{"file": each.file, "line": each.line, "key": each.key, "reason": each.reason} for each in found]
        files = [str(source.path) for source in config.sources]
        output.emit({"files": files, "mistakes": rows, "notices": notices, "exit_code": code})
        return code
    for each in found:
        output.write(output.printable(each.line_of(told(each.reason))))
    if not found:
        profiles = ngettext("{count:,} profile", "{count:,} profiles", len(config.names))
        aliases = ngettext("{count:,} alias", "{count:,} aliases", len(config.aliases))
        output.write(_("no mistake: {profiles}, {aliases}", profiles=profiles, aliases=aliases))
    return code


@command.command("show")
@name_option("Show this profile, in place of the account that commands find by themselves.")
@json_option
def show(name: str | None, *, as_json: bool) -> None:
    """Show each setting of the account that commands use, and from which file or variable it comes.

    Password and numbers are masked. Nothing is sent.
    """
    from devinotify.cli.settings import aliases, rows

    settings, groups = rows(name), aliases()
    if as_json:
        output.emit(
            {
                "settings": [{"key": row.key, "value": row.value, "from": row.origin} for row in settings],
                "aliases": [{"name": row.key, "members": row.value, "from": row.origin} for row in groups],
                "exit_code": ExitCode.ACCEPTED,
            }
        )
        return
    shown = [(row.key, _(row.value) or "—", told(_(row.origin))) for row in settings]
    output.show(output.table(("key", "value", "from"), shown))
    if groups:
        rows_of_groups = [(row.key, row.value, row.origin) for row in groups]
        output.show(output.table(("alias", "members", "from"), rows_of_groups))
