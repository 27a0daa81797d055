"""The text of a notification where the receiver has no template of its own. Pure.

A line for each alert, as many as fit, firing first and the worst first, and how many more there are::

    FIRING critical DiskFull: / on web1 is 95% full
    FIRING warning HighLoad: web2
    +3 more
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from devinotify import text as texts

if TYPE_CHECKING:
    from devinotify_webhook.alerts import Alert, Notification

CUT = "..."
"""What says that a text goes on, in any alphabet."""


def line(alert: Alert) -> str:
    """Return the line that tells of an alert."""
    head = " ".join(filter(None, (alert.status.upper(), alert.severity, alert.name)))
    told = texts.sendable(f"{head}: {alert.summary}" if alert.summary else head)
    return " ".join(told.split())


def default_text(notification: Notification, max_segments: int) -> str:
    """Return what is sent of a notification: at most so many segments, whose end tells how many alerts are left out."""
    first, *others = notification.alerts
    shown = line(first)
    left = notification.total - 1
    if _segments(shown + _more(left)) > max_segments:
        return shortened(shown, max_segments, _more(left))
    for alert in others:
        longer = f"{shown}\n{line(alert)}"
        if _segments(longer + _more(left - 1)) > max_segments:
            break
        shown, left = longer, left - 1
    return shown + _more(left)


def shortened(text: str, max_segments: int, ending: str = "") -> str:
    """Return ``text`` and ``ending`` in at most ``max_segments`` segments: what is cut is the end of the text."""
    whole = text + ending
    if _segments(whole) <= max_segments:
        return whole
    return texts.fit(whole, max_segments, ellipsis=CUT + ending)


def _more(left: int) -> str:
    return f"\n+{left} more" if left else ""


def _segments(text: str) -> int:
    return texts.count_segments(text)
