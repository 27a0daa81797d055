"""What ``send`` and ``viber`` share: where text and recipients come from, the send itself, and its report."""

from __future__ import annotations

import sys
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, TypeVar

import click

from devinotify.cli import errors, output
from devinotify.cli.exits import BY_VERDICT, ExitCode, of_error, worst
from devinotify.exceptions import DevinotifyError, Verdict
from devinotify.models import BulkReceipt, Outcome, Receipt

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from devinotify.gateway.client import Client
    from devinotify.phones import PhoneNumber

F = TypeVar("F", bound="Callable[..., object]")

STDIN = "-"
_MOST_BYTES = 64 * 1024
"""Bytes of stdin that are read: several times the longest text in UTF-8, and little enough for an endless pipe."""


def message_arguments(command: F) -> F:
    """Add TEXT and TO, ``--to``, ``--sender`` and ``--validity``."""
    decorators: tuple[Callable[[F], F], ...] = (
        click.option("--validity", type=int, metavar="MINUTES", help="Give up delivering after so many minutes."),
        click.option("--sender", help="Send from this name in place of the URL's."),
        click.option("--to", metavar="NUMBER", multiple=True, help="A recipient; may be repeated."),
        click.argument("recipients", nargs=-1, metavar="[TO]..."),
        click.argument("text", required=False, metavar="[TEXT]"),
    )
    for decorate in decorators:
        command = decorate(command)
    return command


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What is to be sent, as it was given; ``local_time`` is naive, ``send_at`` aware, ``validity`` in minutes."""

    text: str
    recipients: tuple[str, ...]
    channel: str = "sms"
    sender: str | None = None
    validity: int | None = None
    send_at: datetime | None = None
    local_time: datetime | None = None
    resend: bool = False


@dataclass(frozen=True, slots=True)
class Delivery:
    """What became of an order: one Outcome per distinct recipient, in order of first appearance.

    ``unassigned_ids`` are message ids that the gateway's reply does not let us tell apart by recipient.
    """

    order: Order
    outcomes: tuple[Outcome, ...]
    unassigned_ids: tuple[str, ...] = ()

    @property
    def exit_code(self) -> ExitCode:
        """The code of the worst outcome."""
        return worst(
            BY_VERDICT[outcome.verdict] if outcome.error is None else of_error(outcome.error)
            for outcome in self.outcomes
        )


def read_text(given: str | None, region: str) -> str:
    """Return the text: the argument, or stdin for ``-`` and where there is none; raise a usage error otherwise."""
    if given is not None and given != STDIN:
        _refuse_number(given, region)
        return given
    if given is None and sys.stdin.isatty():
        raise click.UsageError("no text: give it as the first argument, or on stdin")
    raw = sys.stdin.buffer.read(_MOST_BYTES + 1)
    if len(raw) > _MOST_BYTES:
        raise click.UsageError(f"stdin holds more than {_MOST_BYTES} bytes, which no message does")
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise click.UsageError(f"stdin is not UTF-8 (at byte {error.start})") from None
    # What echo and editors end a line with is not part of the text.
    return text.removesuffix("\n").removesuffix("\r")


def _refuse_number(text: str, region: str) -> None:
    """Refuse a phone number in the text's place: a swapped command line would send it to somebody."""
    from devinotify import phones
    from devinotify.exceptions import InvalidInput

    try:
        phones.normalize(text, region)
    except InvalidInput:
        return
    raise click.UsageError("the text is a phone number: the text comes first, or - for stdin, then the recipients")


def recipients_of(given: Sequence[str], options: Sequence[str], targets: Sequence[str]) -> tuple[str, ...]:
    """Return the recipients of the command line, else the targets of the URL; raise a usage error for none."""
    found = (*given, *options) or tuple(targets)
    if not found:
        raise click.UsageError("no recipient: give numbers behind the text, with --to, or in the URL")
    return found


def deliver(client: Client, order: Order) -> Delivery:
    """Send one text, several recipients in one request; a number that is refused here is left out.

    Never raises for a recipient's failure. Raises InvalidInput where the URL's region does not exist.
    """
    from devinotify import phones

    found = phones.normalize_many(order.recipients, region=client.url.region)
    outcomes: dict[int, Outcome] = {}
    for refused in found.refused:
        position = refused.position or 0  # normalize_many gives every refusal its position
        outcomes[position] = _failure(order.recipients[position], order, refused)
    unassigned: tuple[str, ...] = ()
    if found.numbers:
        try:
            receipts = _send(client, order, found.numbers)
        except DevinotifyError as error:
            sent = [_failure(number.e164, order, error) for number in found.numbers]
        else:
            sent = [Outcome(item.recipient, Verdict.ACCEPTED, order.channel, receipt=item) for item in receipts]
            unassigned = _unassigned(receipts)
        outcomes.update(zip(found.positions, sent, strict=True))
    return Delivery(order, tuple(outcomes[position] for position in sorted(outcomes)), unassigned)


def _failure(recipient: str, order: Order, error: DevinotifyError) -> Outcome:
    return Outcome(recipient, error.verdict, order.channel, error=error)


def _unassigned(receipts: Sequence[Receipt] | BulkReceipt) -> tuple[str, ...]:
    if isinstance(receipts, BulkReceipt) and receipts.segments_per_recipient is None:
        return receipts.message_ids
    return ()


def _send(client: Client, order: Order, numbers: Sequence[PhoneNumber]) -> Sequence[Receipt] | BulkReceipt:
    options: dict[str, Any] = {"sender": order.sender, "validity": order.validity}
    one: Callable[..., Receipt]
    many: Callable[..., BulkReceipt]
    if order.channel == "viber":
        viber = client.viber
        one = viber.send_with_resend if order.resend else viber.send
        many = viber.send_with_resend_bulk if order.resend else viber.send_bulk
    elif order.local_time is not None:
        options["local_time"] = order.local_time
        one, many = client.sms.send_by_time_zone, client.sms.send_by_time_zone_to_addresses
    else:
        options["send_at"] = order.send_at
        one, many = client.sms.send, client.sms.send_bulk
    return [one(numbers[0], order.text, **options)] if len(numbers) == 1 else many(numbers, order.text, **options)


def report(delivery: Delivery, *, as_json: bool) -> ExitCode:
    """Print what became of the order: results on stdout, one line per error on stderr; return the exit code."""
    if as_json:
        output.emit(document(delivery))
        return delivery.exit_code
    outcomes = delivery.outcomes
    if len(outcomes) > 1 or outcomes[0].receipt is not None:
        output.show(output.table(("recipient", "verdict", "segments", "message ids"), map(_row, outcomes)))
    if delivery.unassigned_ids:
        output.write("message ids that cannot be told apart by recipient: " + " ".join(delivery.unassigned_ids))
    receipt = next((outcome.receipt for outcome in outcomes if outcome.receipt is not None), None)
    if receipt is not None and receipt.estimate_differs:
        output.write(f"the gateway bills {receipt.segments} segments where {receipt.estimated_segments} were expected")
    # One failure of the whole request is one error, however many recipients share it.
    shared: dict[int, list[Outcome]] = {}
    for outcome in outcomes:
        if outcome.error is not None:
            shared.setdefault(id(outcome.error), []).append(outcome)
    for failed in shared.values():
        output.say(_line(failed))
    return delivery.exit_code


def _row(outcome: Outcome) -> tuple[object, ...]:
    receipt = outcome.receipt or Receipt(outcome.recipient, (), None)
    return outcome.recipient, _words(outcome.verdict), receipt.segments, " ".join(receipt.message_ids)


def _words(verdict: Verdict) -> str:
    return verdict.replace("_", " ")


def _line(failed: Sequence[Outcome]) -> str:
    error = failed[0].error
    assert error is not None  # noqa: S101 - only failures come here, for the type checker
    several = f" ({len(failed)} recipients)" if len(failed) > 1 else ""
    ids = " ".join(getattr(error, "message_ids", ()))
    listed = f" The reply listed these ids: {ids}" if ids else ""
    return f"{_words(failed[0].verdict)}{several}: {errors.sentence(error, sending=True)}{listed}"


def document(delivery: Delivery) -> dict[str, Any]:
    """Return the delivery for JSON; numbers and the text are in full, errors masked."""
    order = delivery.order
    results = [
        {
            "recipient": outcome.recipient,
            "verdict": outcome.verdict,
            "message_ids": outcome.receipt.message_ids if outcome.receipt else (),
            "segments": outcome.receipt.segments if outcome.receipt else None,
            "estimated_segments": outcome.receipt.estimated_segments if outcome.receipt else None,
            "sent_at": outcome.receipt.sent_at if outcome.receipt else None,
            "error": None if outcome.error is None else errors.document(outcome.error, sending=True),
        }
        for outcome in delivery.outcomes
    ]
    extra = {"unassigned_ids": delivery.unassigned_ids} if delivery.unassigned_ids else {}
    return {
        "channel": order.channel,
        "text": order.text,
        "results": results,
        **extra,
        "exit_code": delivery.exit_code,
    }


def shaped(order: Order, *, transliterate: bool, max_segments: int | None) -> Order:
    """Return the order with its text in GSM-7 letters, and shortened to so many segments, where that is asked for."""
    from devinotify import text as texts

    text = texts.to_gsm7(order.text) if transliterate else order.text
    return replace(order, text=text if max_segments is None else texts.fit(text, max_segments))
