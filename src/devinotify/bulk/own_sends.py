"""What a campaign sends with a notifier that others may use as well, told from what they send. No I/O."""

from __future__ import annotations

from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from devinotify.channels.protocol import Channel
    from devinotify.models import Message, Outcome
    from devinotify.notifier import Notifier

_asked: ContextVar[tuple[object, ...]] = ContextVar("devinotify_campaign", default=())
"""The plugins of the campaign that is sending just now, in this thread."""


class OwnSends:
    """A plugin of one campaign: registered with its notifier until ``withdraw``, and asked in its own sends alone."""

    def __init__(self, notifier: Notifier) -> None:
        self._notifier = notifier
        notifier.plugins.register(self)

    def withdraw(self) -> None:
        """Take no part any more; a second call does nothing."""
        if self._notifier.plugins.is_registered(self):
            self._notifier.plugins.unregister(self)

    @contextmanager
    def asked(self) -> Iterator[None]:
        """Have what this thread sends inside the block looked at: it is the campaign's."""
        token = _asked.set((*_asked.get(), self))
        try:
            yield
        finally:
            _asked.reset(token)

    @property
    def is_asked(self) -> bool:
        """Whether what this thread sends just now is the campaign's."""
        return any(one is self for one in _asked.get())

    def send(self, message: Message, channel: Channel | None = None) -> list[Outcome]:
        """Do what the notifier's ``send`` does, for the campaign."""
        with self.asked():
            return self._notifier.send(message, channel)

    def process(self, message: Message) -> list[Sequence[Outcome]]:
        """Do what the notifier's ``process`` does, for the campaign."""
        with self.asked():
            return list(self._notifier.process(message))
