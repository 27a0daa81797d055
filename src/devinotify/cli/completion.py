"""``devinotify completion``: the script that makes a shell complete commands and options."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

from devinotify.cli import output
from devinotify.cli.exits import ExitCode
from devinotify.cli.options import json_option
from devinotify.translation import _

SHELLS = ("bash", "zsh", "fish")

_ZSH_LOADED = "(( $+functions[compdef] )) || { autoload -Uz compinit && compinit -i }"
"""click's script takes zsh's own completion for loaded, which it is not in a new ~/.zshrc."""


@click.command("completion")
@click.argument("shell", type=click.Choice(SHELLS))
@json_option
@click.pass_context
def command(ctx: click.Context, shell: str, *, as_json: bool) -> None:
    """Print the shell's completion script.

    \b
    bash: eval "$(devinotify completion bash)" in ~/.bashrc
    zsh:  eval "$(devinotify completion zsh)" in ~/.zshrc
    fish: devinotify completion fish > ~/.config/fish/completions/devinotify.fish
    """
    kind = get_completion_class(shell)
    if kind is None:  # pragma: no cover - click has had all three since 8.0
        raise click.UsageError(_("this version of click does not know {shell}", shell=shell))
    script = kind(ctx.find_root().command, {}, "devinotify", "_DEVINOTIFY_COMPLETE").source()
    if shell == "zsh":
        first, _end, rest = script.partition("\n")  # "#compdef devinotify", which makes it a file of fpath too
        script = f"{first}\n{_ZSH_LOADED}\n{rest}"
    if as_json:
        output.emit({"shell": shell, "script": script, "exit_code": ExitCode.ACCEPTED})
    else:
        output.write(script)
