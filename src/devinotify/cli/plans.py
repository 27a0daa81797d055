"""A campaign's plan as it is shown: what there is to send, and what to mind before it is sent."""

from __future__ import annotations

from typing import TYPE_CHECKING

from devinotify.cli import errors, output
from devinotify.cli.tallies import in_words
from devinotify.limits import Scope
from devinotify.translation import N_, _, ngettext, number, told

if TYPE_CHECKING:
    from collections.abc import Iterator

    from devinotify.bulk import Plan
    from devinotify.delivery.limiting import LimitReached

RISK = N_("their outcome is unknown: they may have got the message already, and would get it twice")


def plan_rows(plan: Plan) -> list[tuple[str, object]]:
    """Return what the plan says, as pairs of a name and a value."""
    reasons = ", ".join(f"{_(word.replace('_', ' '))} {number(count)}" for word, count in plan.reasons.items())
    rows: list[tuple[str, object]] = [
        (_("list"), told(plan.source)),
        (_("rows"), number(plan.rows)),
        (_("recipients"), number(plan.recipients)),
        (_("duplicates"), number(plan.duplicates)),
        (_("invalid"), number(plan.invalid) + (f" ({reasons})" if reasons else "")),
    ]
    if plan.further:
        further = _("{count:,}, not sent to: a row is sent to once", count=plan.further)
        rows.append((_("further numbers"), further))
    if plan.added:
        rows.append((_("rows that were added"), number(plan.added)))
    if plan.unsendable:
        rows.append((_("cannot be sent"), number(plan.unsendable)))
    if plan.suppressed:
        rows.append((_("not to be sent to"), _("{count:,}, left out of the cost", count=plan.suppressed)))
    if plan.done is not None:
        rows.append((_("still to send to"), number(plan.left)))
    if plan.again:
        rows.append((_("of them again"), number(plan.again)))
    if plan.now != plan.left:
        rows.append((_("in this run"), number(plan.now)))
    if plan.outside is not None:
        rows.append((_("in the window now"), number(plan.recipients - plan.outside)))
        rows.append((_("when it opens"), number(plan.outside)))
    channel = (
        plan.channel
        if plan.second is None
        else _(
            "{channel}, which goes on to {second} where the first step fails",
            channel=plan.channel,
            second=plan.second,
        )
    )
    rows.append((_("channel"), channel))
    if plan.segments:
        encodings = ", ".join(f"{name} {number(count)}" for name, count in plan.encodings.items() if count)
        rows += [(_("segments"), number(plan.segments)), (_("encoding"), encodings)]
    rows.append((_("cost"), _cost(plan)))
    rows.append((_("balance"), _("not known") if plan.balance is None else number(plan.balance)))
    requests = (
        _("{count:,} of up to {batch}", count=plan.requests, batch=plan.batch)
        if plan.batch > 1
        else number(plan.requests)
    )
    rows.append((_("requests"), requests))
    rows.append((_("takes about"), in_words(plan.seconds)))
    rows.append((_("first text") if plan.personal else _("text"), plan.sample))
    return rows


def _cost(plan: Plan) -> str:
    if plan.cost is None:
        return _("give --price to estimate it")
    if plan.second is None:
        return number(plan.cost)
    if plan.most is None:
        return _(
            "{cost:,} for the first step; give --second-price for the most that {second} may add",
            cost=plan.cost,
            second=plan.second,
        )
    return _(
        "{cost:,} for the first step, up to {most:,} where all go on to {second}",
        cost=plan.cost,
        most=plan.most,
        second=plan.second,
    )


def _reached(one: LimitReached) -> str:
    """Return what a limit does to the next run."""
    if one.resets_at is None:
        return ngettext(
            "the limit {limit} never has room for this text: {count:,} recipient does not get it",
            "the limit {limit} never has room for this text: {count:,} recipients do not get it",
            one.over,
            limit=one.limit,
        )
    until = output.moment(one.resets_at)
    if one.limit.scope is Scope.RECIPIENT:
        return ngettext(
            "{count:,} has used up the limit {limit} and waits until {moment}: the same command goes on then",
            "{count:,} have used up the limit {limit} and wait until {moment}: the same command goes on then",
            one.over,
            limit=one.limit,
            moment=until,
        )
    return ngettext(
        "the limit {limit} is reached after {after:,} recipients; {count:,} waits until {moment}:"
        " the same command goes on then",
        "the limit {limit} is reached after {after:,} recipients; {count:,} wait until {moment}:"
        " the same command goes on then",
        one.over,
        limit=one.limit,
        after=one.after,
        moment=until,
    )


def warnings_of(plan: Plan, *, resend_unknown: bool) -> Iterator[str]:
    """Yield what is to be minded before it is sent."""
    if not plan.rows:
        yield _("the list is empty: there is nobody to send to")
    elif not plan.recipients:
        yield _("the list has nobody who can be sent to")
    if plan.open:
        yield ngettext(
            "{count:,} delivery is still open, and is sent again by none of this:"
            " `devinotify bulk status JOURNAL` asks what became of it",
            "{count:,} deliveries are still open, and are sent again by none of this:"
            " `devinotify bulk status JOURNAL` asks what became of them",
            plan.open,
        )
    for name in plan.unfilled:
        yield _(
            "the text has {column} in it, a column of the list: --text sends it as it is, --template fills it in",
            column=f"{{{name}}}",
        )
    if plan.held is not None:
        yield _(
            "quiet hours or another plugin would hold messages back now: the last until {moment}",
            moment=output.moment(plan.held),
        )
    if plan.refused is not None:
        yield _(
            "a plugin would refuse messages now: {why}; what is not sent goes out later with --retry not_sent",
            why=errors.sentence(plan.refused, sending=False),
        )
    yield from map(_reached, plan.reached)
    if plan.blank:
        yield _(
            "{count:,} texts have an empty column in them: {example} puts a word in its place",
            count=plan.blank,
            example="{name|friend}",
        )
    if plan.affordable is False:
        yield _("the balance does not cover the cost: the campaign will stop where it ends, and go on after a top-up")
    elif plan.balance is not None and plan.most is not None and plan.balance < plan.most:
        yield _("the balance covers the first step, and not {second} for all of them", second=plan.second)
    if plan.trouble is not None:
        yield _("the balance is not known: {why}", why=errors.sentence(plan.trouble, sending=False))
    unknown = 0 if plan.done is None else plan.done.unknown - plan.done.in_flight
    if unknown and resend_unknown:
        yield _("{count:,} are sent to again, and {risk}", count=unknown, risk=_(RISK))
    elif unknown:
        yield _(
            "{count:,} are not sent to again: {risk}. --resend-unknown does it all the same",
            count=unknown,
            risk=_(RISK),
        )
