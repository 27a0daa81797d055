"""``devinotify apprise install`` and ``uninstall``: the commands that this package adds to devinotify's own."""

from __future__ import annotations

from pathlib import Path

import click

from devinotify_apprise import shim

_folder = click.option(
    "--path",
    type=click.Path(file_okay=False, path_type=Path),
    help="The plugin folder, in place of the one that the apprise command scans.",
)


@click.group()
def apprise() -> None:
    """Make devino:// known to Apprise's own command."""


@apprise.command()
@_folder
def install(path: Path | None) -> None:
    """Write the two-line plugin file into Apprise's plugin folder."""
    try:
        written, new = shim.install(path or shim.folder())
    except (shim.ForeignFile, OSError) as error:
        raise click.ClickException(_reason(error)) from None
    click.echo(f"{'installed' if new else 'already installed'}: {written}")


@apprise.command()
@_folder
def uninstall(path: Path | None) -> None:
    """Remove what install wrote, and nothing else."""
    try:
        removed, was_there = shim.uninstall(path or shim.folder())
    except (shim.ForeignFile, OSError) as error:
        raise click.ClickException(_reason(error)) from None
    click.echo(f"{'removed' if was_there else 'not installed'}: {removed}")


def _reason(error: Exception) -> str:
    return f"{error.filename}: {error.strerror}" if isinstance(error, OSError) else str(error)
