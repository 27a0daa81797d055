"""The charts of a report, drawn by matplotlib as SVG that stands in the page itself. Needs the extra ``bulk``.

The figures are made without pyplot: no window, no global state, and the same input gives the same bytes.
"""

from __future__ import annotations

import io
from datetime import UTC, datetime
from itertools import accumulate
from typing import TYPE_CHECKING, Any, cast

import matplotlib as mpl
from matplotlib import dates
from matplotlib.figure import Figure

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Mapping

MOST = 12
"""Bars in one chart; the rest is added up in the last."""
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
    """Return a chart of recipients sent to, and reached, up to each minute (seconds since the epoch), as SVG."""
    figure = Figure(figsize=(9, 3.6), layout="constrained")
    axes = figure.subplots()
    # Each line starts from nothing and lasts until the last event of all.
    ends = max([*sent, *delivered]) + 60
    for name, counts, colour in (("sent", sent, _QUIET), ("delivered", delivered, _ACCENT)):
        moments = sorted(counts)
        if not moments:
            continue
        heights = [0, *accumulate(counts[moment] for moment in moments)]
        times = [moments[0], *(moment + 60 for moment in moments), ends]
        axes.plot(
            cast("Any", [datetime.fromtimestamp(at, UTC) for at in times]),
            [*heights, heights[-1]],
            drawstyle="steps-post",
            label=name,
            color=colour,
            linewidth=2,
        )
    locator: Any = dates.AutoDateLocator(tz=UTC)  # type: ignore[no-untyped-call]  # matplotlib's dates are untyped
    axes.xaxis.set_major_locator(locator)
    formatter: Any = dates.ConciseDateFormatter(locator, tz=UTC)  # type: ignore[no-untyped-call]  # as above
    axes.xaxis.set_major_formatter(formatter)
    axes.set_ylim(bottom=0)
    axes.set_ylabel("recipients (UTC)")
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False)
    return _svg(figure, "Delivery over time")


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
