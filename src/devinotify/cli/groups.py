"""A group of commands that names the nearest one where somebody has mistyped."""

from __future__ import annotations

import click

from devinotify.translation import _, told
from devinotify.words import meant


class NoCommand(click.UsageError):
    """A group was called without a command: what it has to say is its whole help."""


class Group(click.Group):
    """click's group, which says what was meant under each of its versions, whether or not a command is loaded."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Take the options in; without a command a group fails under each version, as click's does from 8.2 on."""
        if not args and self.no_args_is_help and not ctx.resilient_parsing:
            raise NoCommand(ctx.get_help(), ctx)
        return super().parse_args(ctx, args)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Return name, command and the other arguments; the usage error for an unknown one names the nearest."""
        try:
            return super().resolve_command(ctx, args)
        except click.UsageError:
            if args[0].startswith("-"):
                raise
            unknown = _("No such command {name!r}.", name=args[0])
            hint = self.elsewhere(args[0])
            if not hint:
                question = told(meant(args[0], self.list_commands(ctx), 2))
                hint = question[:1].upper() + question[1:]
            raise click.UsageError(f"{unknown} {hint}".rstrip(), ctx) from None

    def elsewhere(self, name: str) -> str:  # noqa: ARG002 - for groups that know of commands that are not theirs
        """Return who brings a command that is not here, and how to get it; nothing where nobody is known to."""
        return ""
