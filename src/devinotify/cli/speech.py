"""The language of the command line: ``--lang``, and commands whose help is in it.

Help texts are written in English where the commands are, and translated here when a command is looked up: each
paragraph and each option's help is one message of the catalogue. A plugin brings a catalogue of its own; what none has
stays as it is.
"""

from __future__ import annotations

import copy
import inspect
from itertools import pairwise
from typing import TYPE_CHECKING

import click

from devinotify import translation
from devinotify.translation import LANGUAGES, N_, _

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

OPTION = "--lang"
_UNWRAPPED = "\b\n"


def lang_option(*, hidden: bool = False) -> click.Option:
    """Return the option ``--lang``; what it says is found out by ``asked`` before anything is parsed."""
    help_text = N_("Speak this language, before or behind the command; otherwise that of the locale (LANG).")
    return click.Option(
        [OPTION], type=click.Choice(LANGUAGES), expose_value=False, is_eager=True, hidden=hidden, help=help_text
    )


def asked(arguments: Sequence[str]) -> str:
    """Return the language that a command line asks for, else that of the environment."""
    given = arguments[: arguments.index("--")] if "--" in arguments else arguments
    found = [following for option, following in pairwise(given) if option == OPTION]
    found += [each.partition("=")[2] for each in given if each.startswith(f"{OPTION}=")]
    return next((each for each in found if each in LANGUAGES), None) or translation.of_environment()


def to_machines(arguments: Sequence[str]) -> bool:
    """Whether a command line asks for JSON, which is the same in every language, and not for help."""
    given = arguments[: arguments.index("--")] if "--" in arguments else arguments
    return "--json" in given and not {"--help", "-h"}.intersection(given)


def paragraphs(text: str) -> Iterator[str]:
    """Yield the paragraphs of a help text, each on one line but for those that click leaves unwrapped."""
    for paragraph in inspect.cleandoc(text).partition("\f")[0].split("\n\n"):
        stripped = paragraph.strip("\n")
        if stripped:
            yield stripped if stripped.startswith(_UNWRAPPED) else " ".join(stripped.split())


def localised(command: click.Command) -> click.Command:
    """Return a command as it is spoken: its help translated, and with ``--lang``; those behind it likewise."""
    spoken = copy.copy(command)
    if spoken.help:
        spoken.help = "\n\n".join(map(_, paragraphs(spoken.help)))
    if spoken.short_help:
        spoken.short_help = _(spoken.short_help)
    spoken.options_metavar = spoken.options_metavar and _(spoken.options_metavar)
    # click keeps the option ``--help`` in the language that it was first asked for in; no public name resets it.
    spoken._help_option = None
    spoken.params = [translated(parameter) for parameter in command.params]
    if not any(OPTION in parameter.opts for parameter in command.params):
        spoken.params.append(lang_option(hidden=True))
    if isinstance(spoken, click.Group):
        spoken.subcommand_metavar = _(spoken.subcommand_metavar)
        spoken.commands = {name: localised(each) for name, each in spoken.commands.items()}
    return spoken


def translated(parameter: click.Parameter) -> click.Parameter:
    """Return a parameter with its help in the language that is spoken."""
    if not isinstance(parameter, click.Option) or not parameter.help:
        return parameter
    spoken = copy.copy(parameter)
    spoken.help = _(parameter.help)
    return spoken
