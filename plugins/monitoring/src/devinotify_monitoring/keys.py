"""Which calls are one notification: the key that it is stored under, once. Pure.

A host runs the command once for each recipient, and Zabbix and Checkmk run it again where it has failed. Where the host
tells its notifications apart, a key lasts for ever. Where it does not, the same text again may be a repetition or the
next reminder, and time tells: within ten minutes it is the same one.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from devinotify_monitoring.notice import Notice

WINDOW = 600.0
"""Seconds for which the same text to the same people is one notification, where nothing else tells."""


@dataclass(frozen=True, slots=True)
class Key:
    """What stands for one notification; with ``window`` for that many seconds alone."""

    base: str
    window: float | None = None

    def at(self, now: float) -> str:
        """Return the key to store under at this time, in seconds since the epoch."""
        return self.base if self.window is None else f"{self.base}.{self._number(now)}"

    def before(self, now: float) -> str | None:
        """Return the key of the window before, whose messages may be younger than a window; ``None`` without one."""
        return None if self.window is None else f"{self.base}.{self._number(now) - 1}"

    def _number(self, now: float) -> int:
        assert self.window is not None  # noqa: S101 - both callers have looked
        return int(now // self.window)


def key_of(
    profile: str, notice: Notice, to: Sequence[str], *, account: str, channel: str | None, given: str | None = None
) -> Key:
    """Return the key of a notice to these recipients on this account; ``given`` stands for the notice where it is set.

    No part of it can be read in the outbox.
    """
    whom = (account, channel, sorted(to))
    if given is not None:
        return Key(_digest("given", given, *whom))
    if notice.identity:
        return Key(_digest(profile, notice.identity, *whom))
    return Key(_digest(profile, notice.headline, notice.detail, *whom), WINDOW)


def _digest(*parts: object) -> str:
    return f"alert.{sha256(json.dumps(parts, ensure_ascii=True).encode()).hexdigest()[:40]}"
