"""The profile that the command line names, before its command or behind it, and the account of that."""

from __future__ import annotations

import os
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

import click
from click.core import ParameterSource
from click.shell_completion import CompletionItem

from devinotify.exceptions import InvalidURL

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

F = TypeVar("F", bound="Callable[..., object]")

_PROFILE = "devinotify.profile"
"""Where a context keeps the profile that was named, for the commands behind it too."""


def named_profile() -> str | None:
    """Return the profile that the command line has named so far, before the command or behind it."""
    context = click.get_current_context(silent=True)
    return None if context is None else context.meta.get(_PROFILE)


def given_url() -> str | None:
    """Return the URL of the profile that the command line names, else what the environment gives.

    That is DEVINOTIFY_URL, else the file that DEVINOTIFY_URL_FILE names, else a profile. Raises InvalidURL for a wrong
    file or profile.
    """
    from devinotify.url import DevinoURL, profile_url

    profile = named_profile()
    return DevinoURL.in_environment() if profile is None else profile_url(profile)


def _note_profile(ctx: click.Context, __: click.Parameter, value: str | None) -> None:
    if value is not None:
        ctx.meta[_PROFILE] = value


def profile_option(command: F) -> F:
    """Add ``--profile``, whose value ``named_profile`` returns."""
    return click.option(
        "--profile",
        metavar="NAME",
        is_eager=True,  # it is known when the URL is looked for
        expose_value=False,
        callback=_note_profile,
        shell_complete=complete_profiles,
        help="The account of this profile; DEVINOTIFY_PROFILE, or default_profile, names one as well.",
    )(command)


@contextmanager
def profile_in_environment() -> Iterator[None]:
    """Have the account of the profile that was named, where one was, in DEVINOTIFY_URL meanwhile.

    That is where a plugin's command looks for one. Raises InvalidURL for a wrong profile.
    """
    if named_profile() is None:
        yield
        return
    from devinotify.credentials import URL as ENVIRONMENT  # not at every start

    before = os.environ.get(ENVIRONMENT)
    os.environ[ENVIRONMENT] = given_url() or ""
    try:
        yield
    finally:
        if before is None:
            del os.environ[ENVIRONMENT]
        else:
            os.environ[ENVIRONMENT] = before


def _named_before(ctx: click.Context, parameter: click.Parameter, value: str | None) -> str | None:
    if ctx.get_parameter_source(str(parameter.name)) is ParameterSource.COMMANDLINE:
        return value
    return named_profile() or value


def name_option(text: str, **settings: Any) -> Callable[[F], F]:  # noqa: ANN401 - of several types, as click has them
    """Add the ``--profile`` that a command is about, which arrives as ``name``; one before the command counts too."""
    return click.option(
        "--profile",
        "name",
        metavar="NAME",
        callback=_named_before,
        shell_complete=complete_profiles,
        help=text,
        **settings,
    )


def complete_profiles(_: click.Context, __: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Return the profiles whose names begin so; none where a file cannot be read."""
    from devinotify.config.profiles import load
    from devinotify.url import OPTION_NAMES

    try:
        return [CompletionItem(name) for name in load(OPTION_NAMES).names if name.startswith(incomplete)]
    except InvalidURL:
        return []
