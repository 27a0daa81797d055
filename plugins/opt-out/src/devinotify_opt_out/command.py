"""``devinotify opt-out``: the stop list seen and changed by hand."""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import IO

import click
from devinotify import DevinoURL, InvalidInput, InvalidPhoneNumber, Outbox, phones
from devinotify.translation import _, told

from devinotify_opt_out.stop_list import StopList

COLUMNS = ("number", "since", "by")
"""What ``list`` and ``export`` tell of each number."""
PAGE = 1000
"""Numbers that are written at a time."""

_outbox = click.option(
    "--outbox",
    metavar="PATH",
    help="The file or postgresql:// URL: this one, else outbox= of DEVINOTIFY_URL, else DEVINOTIFY_OUTBOX, else the"
    " user's file.",
)
_url = click.option(
    "--url",
    envvar="DEVINOTIFY_URL",
    default=DevinoURL.in_environment,
    metavar="URL",
    help="The account, for its outbox and region.",
)


@click.group("opt-out")
def opt_out() -> None:
    """Show and change who has opted out: STOP and START by hand."""


@opt_out.command()
@click.argument("numbers", nargs=-1, required=True, metavar="NUMBER...")
@_outbox
@_url
def add(numbers: tuple[str, ...], outbox: str | None, url: str | None) -> None:
    """Put numbers on the stop list."""
    _set(numbers, outbox, url, out=True)


@opt_out.command()
@click.argument("numbers", nargs=-1, required=True, metavar="NUMBER...")
@_outbox
@_url
def remove(numbers: tuple[str, ...], outbox: str | None, url: str | None) -> None:
    """Take numbers off the stop list: they get messages again."""
    _set(numbers, outbox, url, out=False)


def _set(numbers: Iterable[str], outbox: str | None, url: str | None, *, out: bool) -> None:
    region = _settings(url).region if url else "RU"
    try:
        found = [phones.normalize(number, region=region).e164 for number in numbers]
    except InvalidPhoneNumber as error:
        raise click.ClickException(f"nothing was changed: {error}") from None
    with _opened(outbox, url) as stop_list:
        news = stop_list.set(found, out=out, by="hand")
    known = len(set(found)) - news
    if out:
        click.echo(_("{news} put on the stop list, {known} known", news=news, known=known))
    else:
        click.echo(_("{news} taken off the stop list, {known} known", news=news, known=known))


@opt_out.command("list")
@_outbox
@_url
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document on stdout, errors included.")
def list_(outbox: str | None, url: str | None, *, as_json: bool) -> None:
    """Show who has opted out, since when and by what."""
    with _opened(outbox, url) as stop_list:
        if as_json:
            numbers = [dict(zip(COLUMNS, line, strict=True)) for line in _lines(stop_list)]
            click.echo(json.dumps({"numbers": numbers, "exit_code": 0}, indent=2))
            return
        for line in _lines(stop_list):
            click.echo("  ".join(line))


@opt_out.command()
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path), required=False)
@_outbox
@_url
def export(file: Path | None, outbox: str | None, url: str | None) -> None:
    """Write the stop list as CSV into FILE, or to stdout."""
    with _opened(outbox, url) as stop_list:
        if file is None:
            _write(stop_list, sys.stdout)
            return
        try:
            with file.open("x", encoding="utf-8", newline="") as stream:
                _write(stop_list, stream)
        except FileExistsError:
            raise click.UsageError(f"{file} is there already: give another file") from None
        except OSError as error:
            raise click.UsageError(f"{file} cannot be written: {error.strerror or error}") from None


@opt_out.command("import")
@click.argument("file", type=click.File(encoding="utf-8-sig"))
@_outbox
@_url
def import_(file: IO[str], outbox: str | None, url: str | None) -> None:
    """Put the numbers of FILE (- is stdin) on the stop list: the first column of each line, such as `export` writes.

    A line that is not a number is told and left out; the exit code is 1 then.
    """
    region = _settings(url).region if url else "RU"
    refused = news = count = 0

    def numbers() -> Iterator[str]:
        nonlocal refused
        for place, row in enumerate(csv.reader(file), 1):
            written = row[0].strip() if row else ""
            if not written or (place == 1 and written == COLUMNS[0]):
                continue
            try:
                yield phones.normalize(written, region=region).e164
            except InvalidPhoneNumber as error:
                refused += 1
                click.echo(_("line {place}: {why}", place=place, why=told(error)), err=True)

    with _opened(outbox, url) as stop_list:
        left = numbers()
        try:
            while page := list(islice(left, PAGE)):
                count += len(page)
                news += stop_list.set(page, out=True, by="import")
        except (UnicodeDecodeError, csv.Error):
            raise click.ClickException(f"{file.name} is not a list in UTF-8; {news} put on the list by now") from None
    click.echo(
        _(
            "{news} put on the stop list, {known} known, {refused} refused",
            news=news,
            known=count - news,
            refused=refused,
        )
    )
    if refused:
        raise SystemExit(1)


def _lines(stop_list: StopList) -> Iterator[tuple[str, str, str]]:
    for number, entry in stop_list:
        yield number, entry.at.isoformat(timespec="seconds").replace("+00:00", "Z"), entry.by


def _write(stop_list: StopList, stream: IO[str]) -> None:
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(COLUMNS)
    writer.writerows(_lines(stop_list))


def _settings(url: str) -> DevinoURL:
    try:
        return DevinoURL.parse(url)
    except InvalidInput as error:
        raise click.UsageError(str(error)) from None


@contextmanager
def _opened(outbox: str | None, url: str | None) -> Iterator[StopList]:
    """Give the stop list of the outbox that is meant, which is closed in the end."""
    named = outbox or (_settings(url).outbox if url else None)
    try:
        found = Outbox.named(named)
    except InvalidInput as error:
        raise click.UsageError(str(error)) from None
    with found:
        yield StopList(found)
