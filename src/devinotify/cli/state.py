"""``devinotify state``: what became of messages."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from devinotify.cli import errors, output
from devinotify.cli.exits import ExitCode, of_error, worst
from devinotify.cli.options import json_option, settings_of, url_option
from devinotify.exceptions import DevinotifyError, TransportError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from devinotify.models import SmsState

    Found = tuple[str, SmsState | None, DevinotifyError | None]


@click.command("state")
@click.argument("ids", nargs=-1, required=True, metavar="ID...")
@click.option("--viber", is_flag=True, help="The ids are those of Viber messages.")
@url_option
@json_option
def command(ids: tuple[str, ...], url: str | None, *, viber: bool, as_json: bool) -> ExitCode:
    """Show what became of messages, by their ids.

    A long SMS has an id for each of its segments. The gateway tells states for 48 hours. The exit code is 0
    whatever the state is, as long as the gateway answers.
    """
    settings = settings_of(url)
    from devinotify.gateway.client import Client

    with Client(settings) as client:
        found = _look_up(client.viber.state if viber else client.sms.state, ids)
    code = worst(of_error(error) for _, _, error in found if error is not None)
    if as_json:
        output.emit({"results": [_document(*row) for row in found], "exit_code": code})
        return code
    rows = [row for message_id, state, _ in found if state is not None for row in _rows(message_id, state)]
    if rows:
        output.show(output.table(("id", "status", "code", "meaning", "sent", "reported", "price"), rows))
    for message_id, _, error in found:
        if error is not None:
            output.say(f"{errors.hide(message_id)}: {errors.sentence(error, sending=False)}")
    return code


def _look_up(look: Callable[[str], SmsState], ids: Sequence[str]) -> list[Found]:
    found: list[Found] = []
    for message_id in ids:
        try:
            found.append((message_id, look(message_id), None))
        except TransportError as error:
            # The gateway is out of reach, with all retries taken: the ids after this one would only wait as long.
            found += [(left, None, error) for left in ids[len(found) :]]
            break
        except DevinotifyError as error:
            found.append((message_id, None, error))
    return found


def _rows(message_id: str, state: SmsState) -> list[tuple[object, ...]]:
    resent = getattr(state, "resent_sms", ())
    return [
        (
            name,
            item.status,
            item.code,
            item.description,
            output.moment(item.submitted_at),
            output.moment(item.reported_at),
            item.price,
        )
        for name, item in [(message_id, state), *((f"SMS {sms.message_id}", sms) for sms in resent)]
    ]


def _state(state: SmsState) -> dict[str, Any]:
    document: dict[str, Any] = {
        "status": state.status,
        "is_final": state.status.is_final,
        "is_delivered": state.status.is_delivered,
        "code": state.code,
        "description": state.description,
        "created_at": state.created_at,
        "submitted_at": state.submitted_at,
        "reported_at": state.reported_at,
        "updated_at": state.updated_at,
        "price": state.price,
    }
    resent = getattr(state, "resent_sms", None)
    if resent is not None:
        document["resent_sms"] = [{"message_id": sms.message_id, **_state(sms)} for sms in resent]
    return document


def _document(message_id: str, state: SmsState | None, error: DevinotifyError | None) -> dict[str, Any]:
    return {
        "message_id": message_id,
        **({} if state is None else _state(state)),
        "error": None if error is None else errors.document(error, sending=False),
    }
