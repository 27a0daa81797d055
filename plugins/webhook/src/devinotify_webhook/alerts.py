"""What Alertmanager and Grafana post, as values: one notification of some alerts. Pure.

Both post the same document (version 4 of Alertmanager's webhook), Grafana with more in it. Since Alertmanager 0.32 an
administrator may shape it as he likes, so nothing is asked for but the list of alerts.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from devinotify_webhook.bodies import text_of, texts_of
from devinotify_webhook.errors import NotUnderstood

if TYPE_CHECKING:
    from collections.abc import Mapping

FIRING = "firing"
RESOLVED = "resolved"
REPEATED = "repeat interval elapsed"
"""The ``notification_reason`` of a notification that says nothing new (Alertmanager 0.32 and later)."""

_RANKS = {
    word: rank
    for rank, words in enumerate(
        (
            ("emergency", "disaster", "page", "p0"),
            ("critical", "crit", "fatal", "p1"),
            ("error", "high", "major", "p2"),
            ("warning", "warn", "medium", "minor", "average", "p3"),
            ("info", "information", "informational", "notice", "low", "p4", "none", "ok", "debug", "p5"),
        )
    )
    for word in words
}
_UNRANKED = 3
"""The rank of an alert that tells no severity, or one that nobody else uses: that of a warning."""


@dataclass(frozen=True, slots=True, repr=False)
class Alert:
    """One alert; ``raw`` is what was posted of it, for templates."""

    status: str
    labels: Mapping[str, str]
    annotations: Mapping[str, str]
    starts_at: str
    ends_at: str
    fingerprint: str
    raw: Mapping[str, Any]

    @property
    def is_firing(self) -> bool:
        """Whether it fires; what says anything else than that it is resolved does."""
        return self.status == FIRING

    @property
    def name(self) -> str:
        """What it is called."""
        return self.labels.get("alertname") or self.labels.get("rulename") or ""

    @property
    def severity(self) -> str:
        """How bad it is in its own word, or nothing."""
        return self.labels.get("severity") or self.labels.get("priority") or ""

    @property
    def summary(self) -> str:
        """What it says, in one line."""
        told = (self.annotations.get(key, "") for key in ("summary", "message", "description", "title"))
        named = (self.labels.get(key, "") for key in ("instance", "pod", "host", "job"))
        return " ".join(next(filter(None, (*told, *named)), "").split())

    @property
    def rank(self) -> tuple[int, int]:
        """Its place among others: firing first, then the worst."""
        return (0 if self.is_firing else 1, _RANKS.get(self.severity.lower(), _UNRANKED))


@dataclass(frozen=True, slots=True, repr=False)
class Notification:
    """Some alerts that were posted together, in the order in which people want them: firing first, the worst first.

    ``truncated`` is how many more there are that were not posted, ``document`` what was posted, for templates.
    """

    alerts: tuple[Alert, ...]
    group_key: str = ""
    reason: str = ""
    truncated: int = 0
    document: Mapping[str, Any] | None = None

    @property
    def total(self) -> int:
        """All its alerts, those that were not posted included."""
        return len(self.alerts) + self.truncated


def has_alerts(document: Mapping[str, Any]) -> bool:
    """Return whether a document lists alerts."""
    return bool(document.get("alerts"))


def notification(document: Mapping[str, Any]) -> Notification:
    """Return the notification that a document is; raise NotUnderstood, saying why, where it is none."""
    if "alerts" not in document:
        raise NotUnderstood("alerts is missing")
    listed = document["alerts"]
    if not isinstance(listed, list) or not all(isinstance(one, dict) for one in listed):
        raise NotUnderstood("alerts is not a list of objects")
    if not listed:
        raise NotUnderstood("alerts is empty")
    status = text_of(document.get("status"))
    truncated = document.get("truncatedAlerts")
    alerts = sorted((_alert(one, status) for one in listed), key=lambda alert: alert.rank)
    return Notification(
        tuple(alerts),
        text_of(document.get("groupKey")),
        text_of(document.get("notification_reason")),
        truncated if isinstance(truncated, int) and 0 < truncated < 10**9 else 0,
        document,
    )


def _alert(raw: Mapping[str, Any], status: str) -> Alert:
    labels = texts_of(raw.get("labels"))
    stated = (text_of(raw.get("status")) or status).lower()
    return Alert(
        RESOLVED if stated in (RESOLVED, "ok") else FIRING,
        labels,
        texts_of(raw.get("annotations")),
        text_of(raw.get("startsAt")),
        text_of(raw.get("endsAt")),
        # A payload of one's own may leave it out; the labels are what it is made from.
        text_of(raw.get("fingerprint")) or repr(sorted(labels.items())),
        raw,
    )


def instant(written: str) -> float | None:
    """Return seconds since the epoch of an RFC 3339 time; ``None`` for anything else, the year 1 included."""
    try:
        moment = datetime.fromisoformat(written)
        if moment.utcoffset() is None:
            moment = moment.replace(tzinfo=UTC)
        seconds = moment.timestamp()
    except (ValueError, OverflowError):
        return None
    return seconds if seconds > 0 else None
