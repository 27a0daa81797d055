"""Whom a handler alerts: handlers that alert the same people by the same channel take each record once.

A record that propagates comes to the handlers of its logger and to those of the parents; where the same alerts are
configured for both, one of them is enough.
"""

from __future__ import annotations

import weakref
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable
    from logging import LogRecord


class Target:
    """The people of an account who are alerted by a channel."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.handlers: int = 0
        """Handlers that have it now."""
        self._taken: weakref.WeakKeyDictionary[LogRecord, None] = weakref.WeakKeyDictionary()

    def takes(self, record: LogRecord) -> bool:
        """Whether a record is new here. What a single handler takes is, and nothing is kept of it."""
        if self.handlers < 2:
            return True
        if record in self._taken:
            return False
        self._taken[record] = None
        return True

    def leave(self) -> None:
        """Count a handler that is closed, or gone."""
        self.handlers -= 1


_targets: weakref.WeakValueDictionary[str, Target] = weakref.WeakValueDictionary()


def join(account: str, recipients: Iterable[str], channel: str) -> Target:
    """Return the target of a new handler, the one that others have already where it is the same."""
    name = " ".join((account, channel, *sorted(recipients)))
    target = _targets.setdefault(name, Target(name))
    target.handlers += 1
    return target
