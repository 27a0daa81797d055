"""What stands on the phone: the record in a few lines, fitted into so many segments. Pure.

::

    ERROR billing@web1: disk full on db3
    OSError jobs.py:42 in run: No space left on device
    from KeyError: 5
    x47 in 60 s

What must not be cut (level, service, host, exception, place, counts) keeps its place; the cause, the exception's text
and the message give way in this order, at the end of a word, and never inside a character.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from devinotify import text as texts

from devinotify_logging.failures import Failure
from devinotify_logging.masking import mask
from devinotify_logging.tracebacks import split_traceback

if TYPE_CHECKING:
    from datetime import datetime

    from devinotify_logging.storm import Alert, Rest

LATE = 60.0
"""Seconds after which an alert says when it happened."""
MOST_CHARACTERS = 1000
"""What Viber takes, and more than a screen shows."""
_SHORTEST = 12
"""Units of a part that are worth showing; rather than show fewer, the next part gives way."""
_WHOLE_NAME = 24
"""Characters of a service's or a host's name that are shown."""

_LINE = texts.SegmentLimits(60, 60, 60, 60)
"""Units of one event in the last message: it names several."""
_SHORT_WHY = 8
"""Characters of an exception's text that are told even where the message has them: ``5`` may be there by chance."""

_BLANK_LINES = re.compile(r"[ \t]*\n\s*")

# Loaded now: a process that is forked while a thread imports cannot import it any more.
_count_segments, _fit, _is_gsm7, _sendable = texts.count_segments, texts.fit, texts.is_gsm7, texts.sendable
_to_gsm7, _Limits = texts.to_gsm7, texts.SegmentLimits

# What makes a text cheaper and leaves its meaning: quotation marks, dashes, arrows, accents. Cyrillic stays.
_CHEAPER = (texts.typography, texts.compatibility, texts.accents)


@dataclass(frozen=True, slots=True)
class Style:
    """How alerts look: who sends them, in how many segments, in GSM-7 letters or not."""

    service: str
    host: str
    max_segments: int = 2
    transliterate: bool = False

    @property
    def source(self) -> str:
        """Service and host: ``billing@web1``."""
        return f"{self.service[:_WHOLE_NAME]}@{self.host[:_WHOLE_NAME]}"


def render(alert: Alert, style: Style, happened: datetime | None = None) -> str:
    """Return the text of an alert, in at most ``style.max_segments`` segments, secrets masked.

    ``happened`` is given where the alert goes out late, and is then its first word. Lines are separated by ``\\n``.
    """
    event = alert.event
    stamp = f"{happened:%m-%d %H:%M:%S} " if happened is not None else ""
    if event.formatted is None:
        head, body = f"{stamp}{event.level_name} {style.source}: ", event.message
        failure = event.failure
    else:
        body, failure = split_traceback(event.formatted)
        head = stamp
    failure = failure or Failure("", "", "")
    why = "" if len(failure.why) >= _SHORT_WHY and failure.why in body else failure.why
    more = f"(+{failure.others} more)" if failure.others else ""
    raised = " ".join(part for part in (clean(failure.type), more, clean(failure.where)) if part)
    cause = f"from {failure.cause}" if failure.cause else ""
    notes = "\n".join(notes_of(alert))
    return _fitted(_Parts(clean(head), clean(body), raised, clean(why), clean(cause), notes), style)


def notes_of(alert: Alert) -> list[str]:
    """Return the lines that say what an alert stands for: repetitions, and records that nobody was shown."""
    notes = []
    if alert.times > 1:
        notes.append(f"×{alert.times} in {_seconds(alert.seconds)}")
    if alert.suppressed:
        notes.append(f"+{alert.suppressed} more not shown")
    if alert.dropped:
        notes.append(f"+{alert.dropped} dropped, queue full")
    return notes


def paused(style: Style, limit: int, until: datetime) -> str:
    """Return the last message of a day whose segments are used up, in one segment."""
    text = f"{style.source}: alerts paused until {until:%Y-%m-%d %H:%M %z}, the daily limit of {limit} segments is used"
    return _fit(_cheap(text, style), 1)


def segments_of(text: str) -> int:
    """Return the number of segments of a finished text."""
    return _count_segments(text)


def closing(rest: Rest, style: Style) -> str:
    """Return the last message of a program: how many records it does not tell of, and the worst of them by name."""
    lines = [f"+{rest.untold} more from {style.source}:"] if rest.untold else []
    lines += [f"+{rest.dropped} dropped, queue full" + ("" if lines else f", {style.source}")] if rest.dropped else []
    text = _cheap("\n".join(lines), style)
    for event, times in rest.events:
        told = clean(event.message if event.formatted is None else event.formatted).partition("\n")[0]
        parts = (event.level_name, told, event.failure.type if event.failure is not None else "")
        line = _fit(_cheap(" ".join(part for part in parts if part), style), 1, _LINE)
        longer = f"{text}\n{line}" + (f" x{times}" if times > 1 else "")
        if not _fits(longer, style):
            return _fit(longer, style.max_segments) if len(lines) == text.count("\n") + 1 else text
        text = longer
    return _fit(text, style.max_segments)


def clean(text: str) -> str:
    """Return a text without colours, control characters and blank lines, its secrets masked."""
    return mask(_BLANK_LINES.sub("\n", _sendable(text).replace("\r", "")).lstrip("\n"))


def _seconds(seconds: float) -> str:
    whole = max(1, round(seconds))
    return f"{whole} s" if whole < 600 else f"{round(whole / 60)} min"


def _cheap(text: str, style: Style) -> str:
    """Return a text in GSM-7 where that costs no letter of another alphabet, else as it is."""
    if style.transliterate:
        return _to_gsm7(text)
    cheaper = _to_gsm7(text, steps=_CHEAPER, last_resort=None)
    return cheaper if _is_gsm7(cheaper) else text


class _Parts(NamedTuple):
    """The parts of an alert, in their order on the screen."""

    head: str
    body: str
    raised: str
    why: str
    cause: str
    notes: str

    def joined(self) -> str:
        raised = ": ".join(part for part in (self.raised, self.why) if part)
        return "\n".join(line for line in (self.head + self.body, raised, self.cause, self.notes) if line.strip())


def _fitted(parts: _Parts, style: Style) -> str:
    cheap = _Parts._make(_cheap(part, style) for part in parts)
    # All parts go out in one encoding: where one of them stays dear, nothing is gained by changing the others.
    parts = cheap if style.transliterate or _is_gsm7("".join(cheap)) else parts
    whole = parts.joined()
    if _fits(whole, style):
        return whole
    # First what it was raised from gives way, then the exception's text, then the message, then where it was raised.
    # The numbers stay.
    direct = parts._replace(cause="")
    bare = direct._replace(why="")
    least = bare._replace(raised="")
    steps = (
        ("cause", parts, len("from ") + _SHORTEST),
        ("why", direct, _SHORTEST),
        ("body", bare, _SHORTEST),
        ("body", least, 2),
        ("head", least, 2),
    )
    for name, rest, shortest in steps:
        shorter = _shortened(rest._replace(body="") if name == "head" else rest, name, shortest, style)
        if shorter is not None:
            return shorter
    return _fit(whole[:MOST_CHARACTERS], style.max_segments)


def _shortened(parts: _Parts, name: str, shortest: int, style: Style) -> str | None:
    """Return the whole with one part cut to the longest that fits; ``None`` where not even ``shortest`` units do."""
    part: str = getattr(parts, name)
    best = None
    low, high = shortest, max(shortest, 2 * len(part))
    while low <= high:
        units = (low + high) // 2
        cut = _fit(part, 1, _Limits(units, units, units, units))
        whole = parts._replace(**{name: cut}).joined()
        if _fits(whole, style):
            best, low = whole, units + 1
        else:
            high = units - 1
    return best


def _fits(text: str, style: Style) -> bool:
    return len(text) <= MOST_CHARACTERS and _count_segments(text) <= style.max_segments
