"""The charts of a report, drawn by matplotlib as SVG that stands in the page itself. Needs the extra ``bulk``.

The figures are made without pyplot: no window, no global state, and the same input gives the same bytes.
"""

from __future__ import annotations

import io
from collections import Counter
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, cast

import matplotlib as mpl
from matplotlib import dates
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

if TYPE_CHECKING:
    from collections.abc import Mapping

MOST = 12
"""Bars in one chart; the rest is added up in the last."""
MOST_BINS = 240
"""Bins that a line over time has at most: more could not be told apart."""
_MINUTE, _DAY = 60, 86_400
_WIDTHS = tuple(minutes * _MINUTE for minutes in (1, 2, 5, 10, 15, 30, 60, 120, 180, 360, 720, 1440))
_ACCENT, _QUIET = "#2b8a57", "#8a94a3"


def bars(counter: Counter[str], title: str) -> str:
    """Return a chart of counts, the largest on top, as an SVG element."""
    shown = counter.most_common(MOST)
    if len(counter) > MOST:
        shown = [*shown[: MOST - 1], ("all others", counter.total() - sum(count for _, count in shown[: MOST - 1]))]
    figure = Figure(figsize=(9, 0.8 + 0.42 * len(shown)), layout="constrained")
    axes = figure.subplots()
    drawn = axes.barh([_short(name) for name, _ in shown], [count for _, count in shown], color=_ACCENT)
    axes.bar_label(drawn, labels=[f"{count:,}" for _, count in shown], padding=4)
    axes.invert_yaxis()
    axes.margins(x=0.12)
    axes.xaxis.set_visible(False)
    axes.spines[["top", "right", "bottom"]].set_visible(False)
    return _svg(figure, title)


def over_time(sent: Mapping[int, int], delivered: Mapping[int, int]) -> str:
    """Return a chart of recipients sent to, and reached, by the minute (seconds since the epoch), as an SVG element."""
    figure = Figure(figsize=(9, 3.6), layout="constrained")
    axes = figure.subplots()
    for (name, colour), line in zip((("sent", _QUIET), ("delivered", _ACCENT)), lines(sent, delivered), strict=True):
        if line:
            times = cast("Any", [datetime.fromtimestamp(at, UTC) for at, _ in line])
            axes.plot(times, [count for _, count in line], label=name, color=colour, linewidth=2)
    locator: Any = dates.AutoDateLocator(tz=UTC)  # type: ignore[no-untyped-call]  # matplotlib's dates are untyped
    axes.xaxis.set_major_locator(locator)
    formatter: Any = dates.ConciseDateFormatter(locator, tz=UTC)  # type: ignore[no-untyped-call]  # as above
    formatter.offset_formats[-1] = formatter.offset_formats[-2]  # the day alone: the ticks have the minutes
    axes.xaxis.set_major_formatter(formatter)
    axes.yaxis.set_major_locator(MaxNLocator(integer=True))
    axes.yaxis.set_major_formatter("{x:,.0f}")
    axes.set_ylim(bottom=0)
    axes.margins(x=0)
    axes.set_xlabel("time (UTC)")
    axes.set_ylabel("recipients so far")
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False)
    return _svg(figure, "Delivery over time")


def lines(*counters: Mapping[int, int]) -> list[list[tuple[int, int]]]:
    """Return a line for each counter of minutes: (time, how many until then) at either edge of each bin that has some.

    What happened within a bin is seen as the rise over it. All lines start at nothing with the first bin and end one
    bin behind the last. A bin is a minute long, or as many as it takes for MOST_BINS of them to reach from first to
    last: a line has twice as many points at most, however long it all took.
    """
    moments = [moment for counter in counters for moment in counter]
    span = max(moments) - min(moments) + _MINUTE
    days = -(-span // (_DAY * (MOST_BINS - 1)))
    width = next((width for width in _WIDTHS if span <= width * (MOST_BINS - 1)), days * _DAY)
    first, last = min(moments) // width * width, max(moments) // width * width
    found = []
    for counter in counters:
        bins: Counter[int] = Counter()
        for moment, count in counter.items():
            bins[moment // width * width] += count
        line = [(first, 0)]
        for start in sorted(bins):
            line += [(start, line[-1][1]), (start + width, line[-1][1] + bins[start])]
        found.append(list(dict.fromkeys([*line, (last + 2 * width, line[-1][1])])) if bins else [])
    return found


def _short(name: str) -> str:
    # A dollar sign would begin a formula of matplotlib's.
    shown = name if len(name) <= 48 else f"{name[:47]}…"
    return shown.replace("$", r"\$")


def _svg(figure: Figure, title: str) -> str:
    """Return the figure as an element of a page: without prologue and date, its text as text, named for readers."""
    file = io.StringIO()
    with mpl.rc_context({"svg.fonttype": "none", "svg.hashsalt": title, "font.family": "sans-serif"}):
        figure.savefig(file, format="svg", metadata={"Date": None, "Creator": None, "Title": title})
    text = file.getvalue()
    return text[text.index("<svg") :].replace("<svg ", f'<svg role="img" aria-label="{title}" ', 1)
