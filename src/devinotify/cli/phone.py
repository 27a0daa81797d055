"""``devinotify phone``: how numbers are read, and why some are refused."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import click

from devinotify.cli import output
from devinotify.cli.exits import ExitCode
from devinotify.cli.inputs import STDIN
from devinotify.cli.options import json_option
from devinotify.exceptions import InvalidInput, InvalidPhoneNumber
from devinotify.translation import _, told

if TYPE_CHECKING:
    from collections.abc import Sequence

    from devinotify.phones import PhoneNumber


def _inputs(given: Sequence[str]) -> list[str]:
    """Return the arguments, or the lines of stdin that are not blank; raise a usage error where there are none."""
    found = list(given)
    if not found and sys.stdin.isatty():
        raise click.UsageError(_("no number: give some as arguments, or one per line on stdin"))
    if found in ([], [STDIN]):
        # A line in another encoding is refused like any other text that is not a number.
        raw: bytes = sys.stdin.buffer.read()
        found = [line.strip() for line in raw.decode("utf-8-sig", "replace").split("\n") if line.strip()]
    if not found:
        raise click.UsageError(_("no number: stdin is empty"))
    return found


def _read(inputs: Sequence[str], region: str) -> list[PhoneNumber | InvalidPhoneNumber]:
    """Return the number or the refusal for each input; raise a usage error for an unknown region."""
    from devinotify import phones

    found: list[PhoneNumber | InvalidPhoneNumber] = []
    for position, raw in enumerate(inputs):
        try:
            found.append(phones.normalize(raw, region, position=position if len(inputs) > 1 else None))
        except InvalidPhoneNumber as refused:
            found.append(refused)
        except InvalidInput as unknown:
            raise click.BadParameter(told(unknown), param_hint="--region") from None
    return found


def _document(position: int, result: PhoneNumber | InvalidPhoneNumber) -> dict[str, Any]:
    from devinotify import phones

    if isinstance(result, InvalidPhoneNumber):
        refusal = {"masked": result.masked, "reason": result.reason, "message": str(result)}
        return {"position": position, "valid": False, "error": refusal}
    return {
        "position": position,
        "valid": True,
        "e164": result.e164,
        "digits": result.digits,
        "region": result.region,
        "country_code": result.country_code,
        "kind": result.kind,
        "time_zones": phones.time_zones(result),
    }


def _show(results: Sequence[PhoneNumber | InvalidPhoneNumber]) -> None:
    """Write the numbers as a table to stdout, and one line per refusal to stderr."""
    from devinotify import phones

    rows = [
        (
            number.e164,
            number.digits,
            f"{number.region} (+{number.country_code})",
            _(number.kind.replace("_", " ")),
            ", ".join(phones.time_zones(number)) or _("not known"),
        )
        for number in results
        if not isinstance(number, InvalidPhoneNumber)
    ]
    if rows:
        output.show(output.table(("E.164", "gateway", "region", "type", "time zones"), rows))
    for result in results:
        if isinstance(result, InvalidPhoneNumber):
            output.say(_("refused: {why} ({reason})", why=told(result), reason=result.reason))


@click.command("phone")
@click.argument("numbers", nargs=-1, metavar="[NUMBER]...")
@click.option(
    "--region",
    default="RU",
    show_default=True,
    metavar="CODE",
    help="Read numbers without + as they are written in this country (ISO 3166: RU, KZ, …).",
)
@json_option
def command(numbers: tuple[str, ...], region: str, *, as_json: bool) -> ExitCode:
    """Show how phone numbers are read, and why some are refused.

    Without arguments, or for -, the numbers are read from stdin, one per line. Nothing is sent, and no account is
    needed. The exit code is 4 where a number was refused.
    """
    results = _read(_inputs(numbers), region)
    refused = any(isinstance(result, InvalidPhoneNumber) for result in results)
    code = ExitCode.NOT_SENT if refused else ExitCode.ACCEPTED
    if as_json:
        output.emit(
            {"results": [_document(position, result) for position, result in enumerate(results)], "exit_code": code}
        )
    else:
        _show(results)
    return code
