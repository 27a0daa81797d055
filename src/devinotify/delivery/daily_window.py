"""The daily window of a stored message: whoever sends it, or a later step of it, keeps it, by the rules of a plugin."""

from __future__ import annotations

from typing import TYPE_CHECKING

from devinotify.delivery.schedule import instants_of
from devinotify.exceptions import PluginError
from devinotify.window import Window

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from devinotify.models import Message
    from devinotify.outbox import StoredMessage
    from devinotify.plugins import PluginManager

HOOK = "devinotify_fit_window"
"""What is asked of the plugin that knows the recipients' clocks."""
WINDOW = "daily_window"
"""The key in a stored message's ``meta`` under which its window is written; without one it has none."""


def window_of(stored: StoredMessage) -> Window | None:
    """Return the daily window of a stored message, ``None`` where it has none."""
    written = stored.meta.get(WINDOW)
    return None if written is None else Window.parse(written)


def fit(plugins: PluginManager, message: Message, window: Window) -> list[Message]:
    """Return the message for those who are in their window, and put off for the others.

    Raises PluginError where the plugin fails, loses somebody, or does not answer: then nothing is sent.
    """
    fitted: list[Message] | None = plugins.hook.devinotify_fit_window(message=message, window=window)
    if fitted is None:
        raise PluginError("no plugin has answered for the window: nothing is sent", hook=HOOK)
    if sorted(to for one in fitted for to in one.recipients) != sorted(message.recipients):
        raise PluginError("a plugin has not kept each recipient once: nothing is sent", hook=HOOK)
    return fitted


def is_put_off(part: Message, before: Message) -> bool:
    """Whether a part of a message that was fitted is for those who are out of their window."""
    return part.send_at != before.send_at


def openings(plugins: PluginManager | None, message: Message, window: Window, now: datetime) -> Mapping[str, datetime]:
    """Return when to ask again (aware) for those who are out of their window at ``now``, by recipient.

    For what is held back here, where the gateway cannot send later. It is when the first of the clocks that a number
    may have shows the opening: which of them counts is the plugin's to say, and another one may have shut again.
    Raises PluginError as ``fit`` does, and without plugins.
    """
    if plugins is None:
        raise PluginError("a channel that is used without a Notifier keeps no window: nothing is sent", hook=HOOK)

    def next_opening(opens: datetime, recipient: str) -> datetime:
        instants = instants_of(opens, recipient)
        return min((each for each in instants if each > now), default=max(instants))

    return {
        recipient: next_opening(part.send_at, recipient)
        for part in fit(plugins, message, window)
        if part.send_at is not None and is_put_off(part, message)
        for recipient in part.recipients
    }
