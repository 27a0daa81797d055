"""``devinotify apprise install`` and ``uninstall``: the commands that this package adds to devinotify's own."""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click
from devinotify.translation import _

from devinotify_apprise import library, shim
from devinotify_apprise.ownfile import ForeignFile, OwnFile

if TYPE_CHECKING:
    from collections.abc import Iterator

_folder = click.option(
    "--path",
    type=click.Path(file_okay=False, path_type=Path),
    help="The plugin folder, in place of the one that the apprise command scans.",
)


@click.group()
def apprise() -> None:
    """Make devino:// known to Apprise: to its own command, or to whatever imports it."""


@apprise.command()
@_folder
@click.option(
    "--library",
    "in_library",
    is_flag=True,
    help="For every program of this Python that imports Apprise, by a .pth file beside its packages.",
)
def install(path: Path | None, *, in_library: bool) -> None:
    """Write the two-line plugin file into Apprise's plugin folder.

    With --library, tools that embed Apprise and scan no folder know devino:// as well, once they are started anew.
    """
    _one_of(path, in_library=in_library)
    with _reasons():
        written, new = library.FILE.install(library.folder()) if in_library else shim.FILE.install(path or _scanned())
    click.echo(f"{_('installed') if new else _('already installed')}: {written}")


@apprise.command()
@_folder
@click.option("--library", "in_library", is_flag=True, help="What install --library wrote, and no plugin file.")
def uninstall(path: Path | None, *, in_library: bool) -> None:
    """Remove what install wrote, and nothing else.

    With neither option: the plugin file, and the .pth file where there is one.
    """
    _one_of(path, in_library=in_library)
    with _reasons():
        found = [one for one in library.folders() if path is None and (one / library.FILE.name).exists()]
        if in_library and not found:
            found = [library.folder()]
        for one in found:
            _say_removed(library.FILE, one)
        if not in_library:
            _say_removed(shim.FILE, path or _scanned())


def _say_removed(file: OwnFile, folder: Path) -> None:
    path, was_there = file.uninstall(folder)
    click.echo(f"{_('removed') if was_there else _('not installed')}: {path}")


def _one_of(path: Path | None, *, in_library: bool) -> None:
    if in_library and path is not None:
        raise click.UsageError("--path is a plugin folder; --library has a place of its own: give one of the two")


def _scanned() -> Path:
    try:
        return shim.folder()
    except ImportError:
        raise click.ClickException("this Python has no Apprise: name the plugin folder with --path") from None


@contextmanager
def _reasons() -> Iterator[None]:
    try:
        yield
    except ForeignFile as error:
        raise click.ClickException(str(error)) from None
    except OSError as error:
        raise click.ClickException(f"{error.filename}: {error.strerror}") from None
