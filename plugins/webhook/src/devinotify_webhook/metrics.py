"""What is counted, and how Prometheus reads it. No number, text or key is in any of it."""

from __future__ import annotations

import os
import threading
from collections import Counter
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING

from devinotify import hookimpl

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from devinotify import Message, Outcome

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


@dataclass(frozen=True, slots=True)
class Family:
    """One metric: its kind, what it says, and the names of its labels."""

    kind: str
    help: str
    labels: tuple[str, ...] = ()


FAMILIES: Mapping[str, Family] = MappingProxyType(
    {
        "devinotify_webhook_requests_total": Family(
            "counter", "Requests that were answered, by route, receiver and status.", ("route", "receiver", "code")
        ),
        "devinotify_webhook_alerts_total": Family(
            "counter", "Alerts that were posted, each time that they were.", ("receiver", "status")
        ),
        "devinotify_webhook_stored_total": Family(
            "counter", "Messages that were stored to be sent, one for each recipient.", ("receiver",)
        ),
        "devinotify_webhook_known_total": Family(
            "counter", "Messages that were posted again, and were stored already.", ("receiver",)
        ),
        "devinotify_webhook_refused_total": Family(
            "counter", "Recipients of posted messages that nothing can be sent to.", ("receiver",)
        ),
        "devinotify_webhook_held_back_total": Family(
            "counter", "Alerts and texts that were not stored since the receiver's limit was reached.", ("receiver",)
        ),
        "devinotify_webhook_template_errors_total": Family(
            "counter", "Notifications that a receiver's template broke on; the default text was stored.", ("receiver",)
        ),
        "devinotify_webhook_sends_total": Family(
            "counter", "Steps that this process has taken, by channel and verdict.", ("channel", "verdict")
        ),
        "devinotify_webhook_outbox_messages": Family("gauge", "Messages in the outbox, by their state.", ("state",)),
        "devinotify_webhook_outbox_up": Family("gauge", "Whether the outbox can be read."),
        "devinotify_webhook_worker_up": Family(
            "gauge",
            "Whether this process sends what is stored: 1 if its worker is at work, 0 if not or if it has none.",
        ),
    }
)
"""Every metric by its name."""


_counting = threading.Lock()  # over the counts of all, held over each fork: a child finds it free


class Metrics:
    """The counters of one app; threads may share it. It is a plugin of the app's Notifier, for the verdicts."""

    def __init__(self) -> None:
        self._counts: Counter[tuple[str, tuple[str, ...]]] = Counter()

    def count(self, name: str, *labels: str, by: int = 1) -> None:
        """Add to ``devinotify_webhook_NAME_total``."""
        with _counting:
            self._counts[f"devinotify_webhook_{name}_total", labels] += by

    @hookimpl
    def devinotify_outcome_recorded(self, message: Message, outcome: Outcome) -> None:  # noqa: ARG002 - the hook's names
        """Count a verdict."""
        channel = outcome.attempts[-1].channel if outcome.attempts else outcome.channel
        self.count("sends", channel, str(outcome.verdict))

    def exposition(self, gauges: Iterable[tuple[str, tuple[str, ...], float]]) -> str:
        """Return all of it in Prometheus's text format; ``gauges`` are what is measured now: name, labels, value."""
        with _counting:
            values: dict[tuple[str, tuple[str, ...]], float] = dict(self._counts)
        values |= {(name, labels): value for name, labels, value in gauges}
        return "".join(_written(values))


def _written(values: Mapping[tuple[str, tuple[str, ...]], float]) -> Iterator[str]:
    for name, family in FAMILIES.items():
        yield f"# HELP {name} {family.help}\n# TYPE {name} {family.kind}\n"
        for (_, given), value in sorted(item for item in values.items() if item[0][0] == name):
            pairs = ",".join(f'{key}="{_escaped(label)}"' for key, label in zip(family.labels, given, strict=True))
            yield f"{name}{{{pairs}}} {value:g}\n" if pairs else f"{name} {value:g}\n"


def _escaped(label: str) -> str:
    return label.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")


if hasattr(os, "register_at_fork"):  # not on Windows
    os.register_at_fork(before=_counting.acquire, after_in_parent=_counting.release, after_in_child=_counting.release)
