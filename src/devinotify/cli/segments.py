"""``devinotify segments``: what texts cost, drawn part by part, and what makes them dear."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING, Any

import click

from devinotify import text as texts
from devinotify.cli import output
from devinotify.cli.exits import ExitCode
from devinotify.cli.inputs import STDIN, read_text
from devinotify.cli.options import Whole, json_option
from devinotify.gateway.codes import SMS_MAX_LENGTH, VIBER_MAX_LENGTH
from devinotify.translation import N_, _, ngettext, told

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from decimal import Decimal

    from rich.console import RenderableType
    from rich.text import Text

    LimitsParameter = click.ParamType[texts.SegmentLimits]
else:
    LimitsParameter = click.ParamType  # no generic before click 8.2

_MOST_BYTES = 1024 * 1024
"""Bytes of stdin or of a file that are read: far beyond any message, and little enough for an endless pipe."""

_PLAIN_WIDTH = 80
"""Columns of a drawing where stdout is not a terminal."""

_MOST_ROWS = 12
"""Different blockers that are listed for people; ``--json`` has all."""

_UNITS = {texts.Encoding.GSM7: N_("septets"), texts.Encoding.UCS2: N_("UTF-16 units")}
_LENGTHS = {"sms": SMS_MAX_LENGTH, "viber": VIBER_MAX_LENGTH}


class LimitsType(LimitsParameter):
    """Segment limits as two numbers (GSM-7) or four (UCS-2, too): ``140/134`` or ``160/153/70/67``."""

    name = "limits"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> texts.SegmentLimits:
        """Return the limits; an error says what is expected."""
        if isinstance(value, texts.SegmentLimits):
            return value
        numbers = str(value).split("/")
        if len(numbers) not in (2, 4) or not all(number.isascii() and number.isdecimal() for number in numbers):
            self.fail(
                _("expected SINGLE/PART for GSM-7, or four numbers with those of UCS-2: 160/153/70/67"), param, ctx
            )
        try:
            return texts.SegmentLimits(*map(int, numbers))
        except ValueError as error:
            self.fail(told(error), param, ctx)


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked about each text."""

    limits: texts.SegmentLimits
    to_gsm7: bool
    budget: int | None
    recipients: int
    price: str | None


@dataclass(frozen=True, slots=True)
class Answer:
    """What one text comes to, after it was changed where that was asked for; ``cost`` where there was a price."""

    result: texts.Segmentation
    conversion: texts.Conversion | None
    cost: Decimal | None


def _inputs(given: Sequence[str], files: Sequence[str]) -> Iterator[str]:
    """Yield each text: the arguments, then the files; stdin for ``-``, and where there is neither."""
    if not given and not files and sys.stdin.isatty():
        raise click.UsageError(_("no text: give some as arguments, with --file, or on stdin"))
    for text in given or ([] if files else [STDIN]):
        yield read_text(sys.stdin.buffer, "stdin", _MOST_BYTES) if text == STDIN else text
    for path in files:
        with click.open_file(path, "rb") as stream:
            yield read_text(stream, "stdin" if path == STDIN else N_("the file"), _MOST_BYTES)


def _answer(text: str, question: Question) -> Answer:
    conversion = None
    if question.to_gsm7:
        conversion = texts.convert(text, limits=question.limits)
        text = conversion.text
    if question.budget is not None:
        text = texts.fit(text, question.budget, question.limits)
    cost = None
    if question.price is not None:
        try:
            cost = texts.estimate_cost(text, question.recipients, question.price, question.limits)
        except ValueError as error:
            raise click.BadParameter(told(error), param_hint="--price") from None
    return Answer(texts.segment(text, question.limits), conversion, cost)


def _change(blocker: texts.Blocker) -> dict[str, Any]:
    return {**blocker._asdict(), "lost": blocker.lost}


def _document(answer: Answer, question: Question) -> dict[str, Any]:
    result = answer.result
    replaced = result.replaced
    return {
        "text": result.text,
        "encoding": result.encoding,
        "segments": result.count,
        "units": result.units,
        "capacity": result.capacity,
        "remaining": result.remaining,
        "characters": len(result.text),
        "characters_remaining": {channel: limit - len(result.text) for channel, limit in _LENGTHS.items()},
        "parts": [
            {"text": part.text, "units": part.units, "position": part.position, "end": part.end}
            for part in result.segments
        ],
        "blockers": [_change(blocker) for blocker in result.blockers],
        "replaced": {"text": replaced.text, "segments": replaced.count, "savings": result.count - replaced.count},
        "changes": None if answer.conversion is None else [_change(each) for each in answer.conversion.changes],
        "cost": None
        if answer.cost is None
        else {"recipients": question.recipients, "price": question.price, "total": answer.cost},
    }


def _runs(text: str) -> Iterator[tuple[str, bool]]:
    """Yield the runs of a text that holds blockers, and whether each is of them."""
    for blocking, run in groupby(text, lambda character: not texts.is_gsm7(character)):
        yield "".join(run), blocking


def _drawn(part: texts.Segment, *, coloured: bool) -> Text:
    """Return a part as it is shown: blockers stand out by colour, or in brackets where there is none."""
    from rich.text import Text

    shown = Text()
    for run, blocking in _runs(part.text):
        printable = output.printable(run)
        if blocking and not coloured:
            shown.append(f"⟦{printable}⟧")
        else:
            shown.append(printable, style="black on yellow" if blocking else "")
    return shown


def _drawing(result: texts.Segmentation, *, coloured: bool) -> Iterator[RenderableType]:
    from rich.panel import Panel

    for number, part in enumerate(result.segments, 1):
        place = (
            _("characters {first}-{last}", first=part.position, last=part.end - 1) if part.text else _("no characters")
        )
        units = _(_UNITS[result.encoding])
        yield Panel(
            _drawn(part, coloured=coloured),
            title=_("{number} of {count}", number=number, count=result.count),
            subtitle=_(
                "{used} of {capacity} {units}, {place}",
                used=part.units,
                capacity=result.capacity,
                units=units,
                place=place,
            ),
            title_align="left",
            subtitle_align="left",
        )


def _blocker_rows(blockers: Sequence[texts.Blocker]) -> list[tuple[object, ...]]:
    """Return a row for each different blocker, in order of first appearance."""
    places: dict[str, list[texts.Blocker]] = {}
    for blocker in blockers:
        places.setdefault(blocker.character, []).append(blocker)
    return [
        (
            character,
            found[0].name,
            ", ".join(str(each.position) for each in found[:4]) + (", …" if len(found) > 4 else ""),
            found[0].replacement or _("nothing"),
            _(found[0].step.replace("_", " ")),
        )
        for character, found in places.items()
    ]


def _replacing(result: texts.Segmentation) -> str:
    """Return what replacing every blocker would come to, as a sentence."""
    savings = result.savings
    if savings > 0:
        effect = _("which saves {count}", count=savings)
    else:
        effect = _("{count} more", count=-savings) if savings else _("as many")
    lost = sum(blocker.lost for blocker in result.blockers)
    loss = _("; characters that nothing stands for: {count}", count=lost) if lost else ""
    return ngettext(
        "In GSM-7 (--to-gsm7) it would take {count:,} segment, {effect}{loss}.",
        "In GSM-7 (--to-gsm7) it would take {count:,} segments, {effect}{loss}.",
        result.replaced.count,
        effect=effect,
        loss=loss,
    )


def _lines(answer: Answer, question: Question) -> Iterator[str]:
    """Yield what is to be known about a text, a sentence each."""
    result = answer.result
    characters = len(result.text)
    yield ngettext(
        "{encoding}, {count:,} segment: {used} {units}, {left} left in the last; {characters} characters",
        "{encoding}, {count:,} segments: {used} {units}, {left} left in the last; {characters} characters",
        result.count,
        encoding=result.encoding,
        used=result.units,
        units=_(_UNITS[result.encoding]),
        left=result.remaining,
        characters=characters,
    )
    for channel, limit in _LENGTHS.items():
        if characters > limit:
            yield _(
                "Too long for {channel}: {over} characters more than {limit}.",
                channel=channel,
                over=characters - limit,
                limit=limit,
            )
    if any("\ud800" <= character <= "\udfff" for character in result.text):
        yield _("It cannot be sent: it holds half of a surrogate pair.")
    if answer.conversion is not None and answer.conversion.lost:
        lost = "".join(dict.fromkeys(change.character for change in answer.conversion.lost))
        yield _("Lost in GSM-7: {characters}", characters=output.printable(lost))
    if answer.cost is not None:
        yield ngettext(
            "Cost: {count:,} segment x {recipients} x {price} = {cost}",
            "Cost: {count:,} segments x {recipients} x {price} = {cost}",
            result.count,
            recipients=question.recipients,
            price=question.price,
            cost=answer.cost,
        )


def _show(answer: Answer, question: Question) -> None:
    from rich.console import Group

    console = output.console(_PLAIN_WIDTH)
    # Elsewhere than on a terminal click takes every colour out again.
    coloured = sys.stdout.isatty() and console.color_system is not None and not console.no_color
    for line in _lines(answer, question):
        output.write(line)
    output.show(Group(*_drawing(answer.result, coloured=coloured)), _PLAIN_WIDTH)
    blockers = answer.result.blockers
    if blockers:
        rows = _blocker_rows(blockers)
        output.write(_("UCS-2 because of {count} characters:", count=len(blockers)))
        output.show(output.table(("", "name", "at", "GSM-7 has", "step"), rows[:_MOST_ROWS]))
        if len(rows) > _MOST_ROWS:
            output.write(_("… and {count} more (--json lists them all)", count=len(rows) - _MOST_ROWS))
        output.write(_replacing(answer.result))


@click.command("segments")
@click.argument("given", nargs=-1, metavar="[TEXT]...")
@click.option(
    "--file",
    "files",
    multiple=True,
    type=click.Path(exists=True, dir_okay=False, allow_dash=True),
    help="Read a text from this file, in UTF-8; may be repeated.",
)
@click.option("--to-gsm7", is_flag=True, help="Show the text as it is after it was brought into GSM-7.")
@click.option("--fit", "budget", type=Whole(1), metavar="N", help="Show the text shortened to N segments.")
@click.option("--price", metavar="PRICE", help="Show the cost, at this price of a segment.")
@click.option("--recipients", type=Whole(0), default=1, show_default=True, help="Recipients to count the cost for.")
@click.option(
    "--limits",
    type=LimitsType(),
    default=texts.STANDARD,
    metavar="SINGLE/PART",
    help="Bill like a gateway of other limits: 140/134, or with those of UCS-2 160/153/70/67, the default.",
)
@json_option
def command(
    given: tuple[str, ...],
    files: tuple[str, ...],
    *,
    to_gsm7: bool,
    budget: int | None,
    price: str | None,
    recipients: int,
    limits: texts.SegmentLimits,
    as_json: bool,
) -> None:
    """Show what texts cost in segments, and why.

    Each TEXT is drawn as it is cut into parts, with the characters marked that force UCS-2.

    Without a text, or for -, it is read from stdin, in UTF-8; one line break at its end is left out. Nothing is
    sent, and no account is needed.
    """
    question = Question(limits, to_gsm7, budget, recipients, price)
    answers = [_answer(text, question) for text in _inputs(given, files)]
    if as_json:
        output.emit({"results": [_document(answer, question) for answer in answers], "exit_code": ExitCode.ACCEPTED})
        return
    for number, answer in enumerate(answers):
        if number:
            output.write("")
        _show(answer, question)
