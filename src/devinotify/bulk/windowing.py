"""The daily window of a campaign: how many are out of it now, and how many its run has put off until it opens.

It is kept wherever the campaign's messages are sent from (``devinotify.delivery.daily_window``).
"""

from __future__ import annotations

import logging
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from devinotify.delivery.daily_window import HOOK, fit, is_put_off
from devinotify.delivery.recipients import in_parts
from devinotify.delivery.schedule import due_at
from devinotify.exceptions import DevinotifyError, InvalidInput, Verdict
from devinotify.window import Window
from devinotify.words import installing_plugin

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from devinotify.bulk.own_sends import OwnSends
    from devinotify.channels.protocol import Channel
    from devinotify.models import Message, Outcome
    from devinotify.notifier import Notifier

log: logging.Logger = logging.getLogger(__name__)


def checked_window(given: Window | str, notifier: Notifier) -> Window:
    """Return the window that was given; raises InvalidInput for a wrong one, and where no plugin keeps windows."""
    window = Window.parse(given) if isinstance(given, str) else given
    if not notifier.plugins.listens(HOOK):
        raise InvalidInput(
            "a window takes the plugin devinotify-quiet-hours, which knows the recipients' clocks:"
            f" {installing_plugin('quiet-hours')}"
        )
    return window


class Windowing:
    """What a campaign with a daily window sends with: the notifier, or ``inner``; it counts who is put off."""

    def __init__(self, window: Window, notifier: Notifier, inner: OwnSends | None = None) -> None:
        self.window = window
        self._plugins = notifier.plugins
        self._sends = inner or notifier
        self.note: Callable[[int], object] = lambda count: None  # noqa: ARG005 - nobody has to know
        """Told of each message, sent and accepted, for how many it is put off."""

    def fit(self, message: Message) -> list[Message]:
        """Return the message for those who are in their window, and put off for the others; raise PluginError."""
        return fit(self._plugins, message, self.window)

    def outside(self, message: Message, pages: Iterable[Sequence[str]]) -> int:
        """Return how many of the recipients are out of their window now, by pages of them."""
        count = 0
        for some in in_parts(pages):
            prepared = self.fit(replace(message, recipients=tuple(some)))
            count += sum(len(one.recipients) for one in prepared if is_put_off(one, message))
        return count

    def send(self, message: Message, channel: Channel | None = None) -> list[Outcome]:
        """Do what the notifier's ``send`` does."""
        return self._sends.send(message, channel)

    def process(self, message: Message) -> list[Sequence[Outcome]]:
        """Do what the notifier's ``process`` does, and count who is held."""
        told = list(self._sends.process(message))
        now = datetime.now(UTC)
        count = sum(each.verdict is Verdict.ACCEPTED and _is_held(each, message, now) for some in told for each in some)
        if count:
            try:
                self.note(count)
            except DevinotifyError as error:  # what was sent is not to be lost for it
                log.warning("%s are held until their window opens, and are not counted: %s", count, error)
        return told


def _is_held(outcome: Outcome, message: Message, now: datetime) -> bool:
    """Whether it goes out later than its own time of sending."""
    sent = None if outcome.receipt is None else outcome.receipt.sent_at
    own = now if message.send_at is None else due_at(message.send_at, outcome.recipient)
    return sent is not None and sent > max(own, now)
