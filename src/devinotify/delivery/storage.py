"""Which outbox the fallbacks of a Notifier write to."""

from __future__ import annotations

import logging
from contextlib import contextmanager
from typing import TYPE_CHECKING

from devinotify.outbox.outbox import open_outbox

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from devinotify.outbox import Outbox
    from devinotify.url import DevinoURL

log: logging.Logger = logging.getLogger(__name__)

SHORTEST_PATIENCE = 60.0
"""Seconds of ``patience`` below which the first step outlives it: the gateway counts a validity in whole minutes."""


class Storage:
    """The outbox that a Notifier's fallbacks write to: the one that its settings name, opened when it is first needed.

    Without a lock, so that none is held over a fork: where two threads open it at once, one of them closes its own.
    """

    def __init__(self, settings: Callable[[], DevinoURL], outbox: Outbox | None = None) -> None:
        self._settings = settings
        self._given = outbox
        self._own: dict[str, Outbox] = {}
        self._warned = False

    @property
    def settings(self) -> DevinoURL:
        """The settings as they stand now."""
        return self._settings()

    def open(self, outbox: Outbox | None = None) -> Outbox:
        """Return the outbox: from now on the one given, else the one that the settings name.

        Raises InvalidInput where that cannot be used.
        """
        if outbox is not None and outbox is not self._given:
            outbox.introduce(self.settings.account)
            self._given = outbox
        return self.own() if self._given is None else self._given

    def check_patience(self) -> None:
        """Say, once, where the first step of a fallback outlives the patience with it."""
        patience = self.settings.patience
        if patience < SHORTEST_PATIENCE and not self._warned:
            self._warned = True
            log.warning("patience is %g s, and the first step lives a whole minute: both may arrive", patience)

    def own(self) -> Outbox:
        """Return the outbox that the settings name, whatever is lent or given; raise InvalidInput as ``open`` does."""
        if (opened := self._own.get("outbox")) is not None:
            return opened
        settings = self._settings()
        opened = open_outbox(settings.outbox, poll=settings.poll, account=settings.account)
        try:
            opened.introduce(settings.account)
        except BaseException:
            opened.close()
            raise
        first = self._own.setdefault("outbox", opened)
        if first is not opened:
            opened.close()
        return first

    @contextmanager
    def lent(self, outbox: Outbox) -> Iterator[None]:
        """Have the steps written to this outbox inside the block, and to the one of before after it."""
        before, self._given = self._given, outbox
        try:
            yield
        finally:
            self._given = before

    def close(self) -> None:
        """Close the outbox, where it was opened here; the next use opens it again."""
        self._given = None
        if (own := self._own.pop("outbox", None)) is not None:
            own.close()
