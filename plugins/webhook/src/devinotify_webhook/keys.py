"""Which posts are one message: the key that its rows are stored under, once. Pure.

Alertmanager posts the same notification again until it is answered, and each of a highly available pair posts it. A
repeat after ``repeat_interval`` has the very same body, and wants to be sent. What tells them apart is time, and, since
0.32, ``notification_reason``. So time is cut into windows, and a key is that of the notification in its window. The
first post comes in the middle of a window (they are laid by the alerts' own times), its repetitions soon after it; the
window before is looked into as well, so that no border stands between two posts that are less than a window apart.
Two processes that store at the same moment, on either side of a border, would each look before the other has stored:
so near a border one has to be let through by the outbox first.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from hashlib import sha256
from math import floor
from typing import TYPE_CHECKING, Any

from devinotify_webhook.alerts import REPEATED, RESOLVED, instant

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from devinotify_webhook.alerts import Alert, Notification

NEAR = 5.0
"""Seconds from a border within which another process may be storing under the other key, if it has not stalled."""


@dataclass(frozen=True, slots=True)
class Key:
    """What stands for one message; ``window`` is for how many seconds, ``None`` for ever, ``anchor`` where it is laid.

    ``anchor`` is in seconds since the epoch.
    """

    base: str
    window: float | None = None
    anchor: float = 0.0

    def at(self, now: float) -> str:
        """Return the key to store under at this time."""
        return self.base if self.window is None else f"{self.base}.{self._number(now)}"

    def before(self, now: float) -> str | None:
        """Return the key of the window before, which may not be over yet; ``None`` where there are no windows."""
        return None if self.window is None else f"{self.base}.{self._number(now) - 1}"

    def near(self, now: float) -> float | None:
        """Return for how many seconds one at a time may store, where a border is near; ``None`` where none is.

        It is half a window at most: it is over before the next message is due.
        """
        if self.window is None:
            return None
        near = min(NEAR, self.window / 2)
        border = self.anchor + (self._number(now) - 0.5) * self.window
        return near if now - border <= near or border + self.window - now <= near else None

    def _number(self, now: float) -> int:
        assert self.window is not None  # noqa: S101 - both callers have looked
        return floor((now - self.anchor) / self.window + 0.5)


def of_alerts(receiver: str, notification: Notification, alerts: Sequence[Alert], window: float) -> Key:
    """Return the key of these alerts of a notification, for a receiver.

    The reason counts as far as it says "again": of two peers, one may call news what the other calls the first.
    """
    told = sorted((alert.fingerprint, alert.status, _moment(alert.starts_at)) for alert in alerts)
    again = notification.reason == REPEATED
    return Key(_digest("alerts", receiver, notification.group_key, again, told), window, _anchor(alerts))


def of_text(receiver: str, text: str, to: Sequence[str], title: str | None, window: float) -> Key:
    """Return the key of a text that may be posted again within ``window`` seconds."""
    return Key(_digest("text", receiver, text, sorted(to), title), window)


def of_payload(receiver: str, document: Mapping[str, Any], window: float) -> Key:
    """Return the key of a payload of the administrator's own that is posted again within ``window`` seconds."""
    return Key(_digest("payload", receiver, document), window)


def given(receiver: str, key: str) -> Key:
    """Return the key that whoever posts has given himself: one message, whenever it comes again."""
    return Key(_digest("given", receiver, key))


def _digest(*parts: object) -> str:
    written = json.dumps(parts, ensure_ascii=True, sort_keys=True, separators=(",", ":"))
    return f"webhook.{sha256(written.encode()).hexdigest()[:40]}"


def _moment(written: str) -> str:
    """Return a time as all write it alike, to the millisecond; what is not a time as it is."""
    seconds = instant(written)
    return written if seconds is None else f"{seconds:.3f}"


def _anchor(alerts: Sequence[Alert]) -> float:
    times = [alert.starts_at for alert in alerts] + [alert.ends_at for alert in alerts if alert.status == RESOLVED]
    return max((seconds for seconds in map(instant, times) if seconds is not None), default=0.0)
