"""The page of a report: one HTML file with all that it needs in it, which refers to nothing outside.

It is styled as the sandbox's page is, by the same colours; bars are HTML, the curve is drawn by uPlot (static/uplot).
"""

from __future__ import annotations

import base64
import functools
import hashlib
import json
from datetime import datetime, timedelta
from html import escape
from importlib.resources import files
from typing import TYPE_CHECKING

from devinotify.bulk.language import Language, zone
from devinotify.bulk.parts import Part
from devinotify.bulk.summary import DELIVERED, SENT

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from devinotify.bulk.summary import Heading, Summary
    from devinotify.bulk.timeline import Curve

ALWAYS = frozenset(Part) - {Part.REJECTED}
"""Parts that the legend names although nobody is in them."""
MOST_ROWS = 24
"""Rows of the curve's table."""
_CHANNELS = {"sms": "SMS", "viber": "Viber"}
"""Channels by the names that people know; others are called what their plugin calls them."""
_NUMBER = "number"  # the class of a cell that holds one


def render(summary: Summary, heading: Heading, now: datetime, lang: str = "en") -> str:
    """Return the page; times are in the zone of ``now``, the instant that it shows."""
    language = Language(lang)
    curve = summary.timeline.curve()
    body = [
        _warning(summary, language),
        _first(summary, heading, now, language),
        _whole(summary, language),
        _over_time(curve, now, language) if curve is not None else "",
        _reasons(summary, language),
        _by_range(summary, language),
        _more(summary, now, language),
    ]
    title = f"{language.say('title')} {heading.name}"
    scripts = [_file("uplot/uPlot.iife.min.js"), _file("report.js")] if curve is not None else []
    styles = [_theme("theme.css"), _file("uplot/uPlot.min.css") if curve is not None else "", _file("report.css")]
    return _PAGE.format(
        lang=language.code,
        title=escape(title),
        policy=_policy(scripts),
        style="\n".join(styles),
        icon=_theme("icon.svg").replace("<svg ", '<svg aria-hidden="true" width="28" height="28" '),
        as_of=escape(language.say("as of")),
        iso=escape(now.isoformat(" ", "seconds")),
        now=escape(f"{language.moment(now)} {zone(now)}"),
        body="\n".join(filter(None, body)),
        foot=escape(language.say("foot")),
        scripts="\n".join(f"<script>{script}</script>" for script in scripts),
    )


# --- the parts of the page


def _warning(summary: Summary, language: Language) -> str:
    return "" if summary.complete else f'<p class="warning" role="status">{escape(language.say("incomplete"))}</p>'


def _first(summary: Summary, heading: Heading, now: datetime, language: Language) -> str:
    """Return what is seen first: the share that was delivered, and what campaign it is."""
    number = language.number
    delivered = summary.parts[Part.DELIVERED]
    if summary.recipients:
        words = language.say("delivered of", delivered=number(delivered), recipients=number(summary.recipients))
        head = (
            f'<p class="share"><b>{language.percent(delivered, summary.recipients)}</b>'
            f" <span>{escape(language.say('delivered so far'))}</span></p><p class='muted'>{escape(words)}</p>"
        )
    else:
        head = f'<p class="share"><span>{escape(language.say("nobody"))}</span></p>'
    facts = "".join(
        f"<div><dt>{escape(language.say(key))}</dt><dd>{escape(value)}"
        + (f" <small>{escape(more)}</small>" if more else "")
        + "</dd></div>"
        for key, value, more in _facts(summary, heading, now, language)
        if value
    )
    return f'<section class="card first"><div>{head}</div><dl class="facts">{facts}</dl></section>'


def _facts(summary: Summary, heading: Heading, now: datetime, language: Language) -> Iterable[tuple[str, str, str]]:
    """Yield what is told of the campaign: a key of the words, the value, what is said beside it."""
    yield "cost", *_cost(summary, heading, language)
    yield "recipients", language.number(summary.recipients), ""
    steps = [_CHANNELS.get(each, each) for each in heading.steps or [heading.channel or ""]]
    yield "channel", steps[0] if len(steps) == 1 else language.say("then", first=steps[0], second=steps[1]), ""
    yield "sender", heading.sender or "", ""
    yield "list", heading.list_name or "", ""
    begun, at = heading.begun, heading.scheduled
    if begun is not None:
        yield "begun", language.moment(begun.astimezone(now.tzinfo)), zone(begun.astimezone(now.tzinfo))
    if at is not None and at.tzinfo is None:
        yield "scheduled", language.say("local time", moment=language.moment(at)), ""
    elif at is not None:
        yield "scheduled", language.moment(at.astimezone(now.tzinfo)), ""
    if summary.last_sent is None:
        yield "took", language.say("not begun"), ""
    elif begun is not None:
        yield "took", language.span(max(summary.last_sent - begun.timestamp(), 0)), ""
    if summary.tries:
        yield "sent again", language.number(sum(each.recipients for each in summary.tries)), ""
    if summary.segments:
        yield "segments", language.number(summary.segments), ""


def _cost(summary: Summary, heading: Heading, language: Language) -> tuple[str, str]:
    if summary.priced:
        told, sent = language.number(summary.priced), language.number(summary.messages)
        so_far = language.say("cost so far", priced=told, sent=sent)
        notes = [] if summary.priced >= summary.messages else [so_far]
        if summary.tries and summary.listed != summary.cost:
            notes.append(language.say("cost listed", listed=language.money(summary.listed)))
        return language.money(summary.cost), "; ".join(notes)
    if heading.price is not None:
        return language.money(heading.price * summary.segments), language.say("cost estimated")
    return language.say("cost unknown"), ""


def _whole(summary: Summary, language: Language) -> str:
    """Return the bar of the whole, each number once, and its legend."""
    parts = [(part, summary.parts[part]) for part in Part]
    bar = "".join(
        f'<span class="{part}" style="flex-grow:{count}" title="{_named(part, count, language)}"></span>'
        for part, count in parts
        if count
    )
    legend = "".join(
        f'<li><i class="swatch {part}"></i><span>{escape(language.say(part))}</span>'
        f" <b>{language.number(count)}</b></li>"
        for part, count in parts
        if count or part in ALWAYS
    )
    told = ", ".join(_named(part, count, language) for part, count in parts if count)
    unit = [escape(language.say("unit", total=language.number(summary.numbers)))]
    if summary.tally.duplicates:
        unit.append(escape(language.say("repeated", count=language.number(summary.tally.duplicates))))
    return (
        f'<section class="card"><h2>{escape(language.say("whole"))}</h2>'
        f'<div class="bar" role="img" aria-label="{told}">{bar}</div><ul class="legend">{legend}</ul>'
        f'<p class="muted">{" ".join(unit)}</p></section>'
    )


def _named(part: Part, count: int, language: Language) -> str:
    return escape(f"{language.say(part)} {language.number(count)}")


def _over_time(curve: Curve, now: datetime, language: Language) -> str:
    """Return the curve: its points as data for the script, and as a table."""
    kinds = [(kind, language.say(f"{kind} until")) for kind in (SENT, DELIVERED) if kind in curve.until]
    offset = now.utcoffset() or timedelta()
    data = {
        "lang": language.code,
        "time": language.say("time"),
        # As if it were UTC: a browser knows few zones by their offset.
        "times": [at + round(offset.total_seconds()) for at in curve.times],
        "lines": [{"name": name, "kind": kind, "until": curve.until[kind]} for kind, name in kinds],
    }
    step = max(-(-(len(curve.times) - 1) // (MOST_ROWS - 1)), 1)
    places = sorted({*range(0, len(curve.times), step), len(curve.times) - 1})
    seconds = curve.times[-1] - curve.times[0] < 3 * 3600
    rows = [
        (
            language.moment(datetime.fromtimestamp(curve.times[place], now.tzinfo), seconds=seconds),
            *(language.number(curve.until[kind][place]) for kind, _ in kinds),
        )
        for place in places
    ]
    told = ", ".join(f"{name} {language.number(curve.until[kind][-1])}" for kind, name in kinds)
    title = language.say("over time")
    return (
        f'<section class="card"><h2>{escape(title)}</h2>'
        f'<div id="curve" role="img" aria-label="{escape(f"{title}: {told}")}"></div>'
        f"<noscript><p>{escape(language.say('no script'))}</p></noscript>"
        f'<p class="muted">{escape(language.say("zone", zone=zone(now)))}</p>'
        f'<script type="application/json" id="curve-data">{json.dumps(data).replace("<", chr(92) + "u003c")}</script>'
        f"{_folded(language.say('as table'), [language.say('time'), *(name for _, name in kinds)], rows)}</section>"
    )


def _reasons(summary: Summary, language: Language) -> str:
    """Return why messages did not arrive, the commonest reason first, with what to do."""
    if not summary.reasons:
        return ""
    lines = []
    for (part, key), count in summary.reasons.most_common():
        said = language.reason(key)
        lines.append(
            f'<li><b class="count">{language.number(count)}</b><div><p>{escape(said.what)}</p>'
            f'<p class="muted">{escape(said.then)}</p></div>'
            f'<span class="pill {part}">{escape(language.say(part))}</span></li>'
        )
    title = escape(language.say("why"))
    return f'<section class="card"><h2>{title}</h2><ul class="reasons">{"".join(lines)}</ul></section>'


def _by_range(summary: Summary, language: Language) -> str:
    """Return how many were reached by operator or country, where the numbers tell them apart."""
    kind, shares = summary.ranges.shares(language)
    if not shares:
        return ""
    rows = [
        (
            share.name,
            language.number(share.recipients),
            language.number(share.delivered),
            language.percent(share.delivered, share.recipients).removesuffix("%").rstrip(),
        )
        for share in shares
    ]
    head = [language.say(key) for key in (kind, "recipients", "delivered", "share")]
    note = f'<p class="muted">{escape(language.say("ported"))}</p>' if kind == "operator" else ""
    return f'<section class="card">{_folded(language.say(f"by {kind}"), head, rows, note)}</section>'


def _tries(summary: Summary, now: datetime, language: Language) -> str:
    """Return how many were sent to by each try: who was sent to again stands in the next one too."""
    begun = ["", *(language.moment(datetime.fromtimestamp(each.at, now.tzinfo)) for each in summary.tries)]
    counts = [summary.recipients, *(each.recipients for each in summary.tries), 0]
    rows = [
        (
            f"{place}" + (f" · {at}" if at else ""),
            *map(language.number, (counts[place - 1], counts[place], counts[place - 1] - counts[place])),
        )
        for place, at in enumerate(begun, 1)
    ]
    head = [language.say(key) for key in ("try", "recipients", "sent again", "left at that")]
    return _folded(language.say("tries"), head, rows, f'<p class="muted">{escape(language.say("try unit"))}</p>')


def _more(summary: Summary, now: datetime, language: Language) -> str:
    """Return the rest as tables: what the gateway said, and the figures."""
    tally = summary.tally
    figures = [
        ("rows of the list", tally.rows),
        ("rows repeated", tally.duplicates),
        ("numbers in all", summary.numbers),
        ("recipients", summary.recipients),
        *((str(part), summary.parts[part]) for part in Part),
        ("segments", summary.segments),
    ]
    tables = [_folded(language.say("numbers"), [], [(language.say(key), language.number(n)) for key, n in figures])]
    if summary.tries:
        tables.append(_tries(summary, now, language))
    if summary.statuses:
        statuses = [
            (language.say(f"status {status}"), language.number(count))
            for status, count in summary.statuses.most_common()
        ]
        head = [language.say("status"), language.say("recipients")]
        tables.append(_folded(language.say("statuses"), head, statuses))
    return f'<section class="card">{"".join(tables)}</section>'


def _folded(title: str, head: Sequence[str], rows: Iterable[Sequence[str]], note: str = "") -> str:
    """Return a table that opens when its title is pressed; all its columns but the first are numbers."""
    top = "".join(_cell("th", cell, place, ' scope="col"') for place, cell in enumerate(head))
    body = "".join(
        "<tr>" + "".join(_cell("td" if place else "th", cell, place) for place, cell in enumerate(row)) + "</tr>"
        for row in rows
    )
    thead = f"<thead><tr>{top}</tr></thead>" if head else ""
    return (
        f"<details><summary><h2>{escape(title)}</h2></summary>"
        f'<div class="scroll" tabindex="0" role="region" aria-label="{escape(title)}">'
        f"<table>{thead}<tbody>{body}</tbody></table></div>{note}</details>"
    )


def _cell(tag: str, cell: str, place: int, more: str = "") -> str:
    scope = ' scope="row"' if tag == "th" and not more else more
    return f"<{tag}{scope}{f' class={_NUMBER}' if place else ''}>{escape(cell)}</{tag}>"


# --- the files


@functools.cache
def _file(name: str) -> str:
    return files("devinotify.bulk").joinpath("static", *name.split("/")).read_text("utf-8").strip()


@functools.cache
def _theme(name: str) -> str:
    return files("devinotify").joinpath("static", name).read_text("utf-8").strip()


def _policy(scripts: Iterable[str]) -> str:
    """Return the page's policy: nothing is loaded, and no script runs but its own, known by their digests."""
    digests = (base64.b64encode(hashlib.sha256(script.encode()).digest()).decode() for script in scripts)
    allowed = " ".join(f"'sha256-{digest}'" for digest in digests) or "'none'"
    return f"default-src 'none'; style-src 'unsafe-inline'; script-src {allowed}; base-uri 'none'; form-action 'none'"


_PAGE = """<!DOCTYPE html>
<html lang="{lang}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<title>{title}</title>
<style>
{style}
</style>
</head>
<body>
<header>
{icon}
<h1>{title}</h1>
<p class="muted">{as_of} <time datetime="{iso}">{now}</time></p>
</header>
<main>
{body}
</main>
<footer class="muted">{foot}</footer>
{scripts}
</body>
</html>
"""
