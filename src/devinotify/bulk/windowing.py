"""The daily window of a campaign: who is out of it is held until it opens, by the rules of a plugin."""

from __future__ import annotations

import logging
import threading
from dataclasses import replace
from typing import TYPE_CHECKING

from devinotify.bulk.own_sends import OwnSends
from devinotify.exceptions import DevinotifyError, InvalidInput, PluginError, Verdict
from devinotify.hookspecs import hookimpl
from devinotify.window import Window
from devinotify.words import installing_plugin

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable, Sequence

    from devinotify.models import Message, Outcome
    from devinotify.notifier import Notifier

log: logging.Logger = logging.getLogger(__name__)

HOOK = "devinotify_fit_window"
AT_A_TIME = 1000
"""Recipients whom the plugin is asked about at once, where it is counted how many are out of the window."""


def window_of(given: Window | str, notifier: Notifier) -> Window:
    """Return the window that was given; raises InvalidInput for a wrong one, and where no plugin keeps windows."""
    window = Window.parse(given) if isinstance(given, str) else given
    if not notifier.plugins.listens(HOOK):
        raise InvalidInput(
            "a window takes the plugin devinotify-quiet-hours, which knows the recipients' clocks:"
            f" {installing_plugin('quiet-hours')}"
        )
    return window


class _PutOff(threading.local):
    """Who is put off of what this thread is sending."""

    def __init__(self) -> None:
        self.numbers: set[str] = set()


class Windowing(OwnSends):
    """A plugin that puts off, in the campaign's own sends, what would arrive outside ``window``; it counts them.

    It stands around all others that prepare a message, so that the window holds whatever they make of it.
    """

    def __init__(self, window: Window, notifier: Notifier, inner: OwnSends | None = None) -> None:
        super().__init__(notifier, inner)
        self.window = window
        self.note: Callable[[int], object] = lambda count: None  # noqa: ARG005 - nobody has to know
        """Told of each message, sent and accepted, for how many it is put off."""
        self._put_off = _PutOff()

    def fit(self, message: Message) -> list[Message]:
        """Return the message for those who are in their window, and put off for the others.

        Raises PluginError where the plugin fails, loses somebody, or does not answer: then nothing is sent.
        """
        fitted: list[Message] | None = self._notifier.plugins.hook.devinotify_fit_window(
            message=message, window=self.window
        )
        if fitted is None:
            raise PluginError("no plugin has answered for the window: nothing is sent", hook=HOOK)
        if sorted(to for one in fitted for to in one.recipients) != sorted(message.recipients):
            raise PluginError("a plugin has not kept each recipient once: nothing is sent", hook=HOOK)
        return fitted

    def outside(self, message: Message, pages: Iterable[Sequence[str]]) -> int:
        """Return how many of the recipients are out of their window now, by pages of them."""
        count = 0
        for page in pages:
            for start in range(0, len(page), AT_A_TIME):
                some = replace(message, recipients=tuple(page[start : start + AT_A_TIME]))
                count += sum(len(one.recipients) for one in self.fit(some) if _is_later(one, message))
        return count

    @hookimpl(wrapper=True, tryfirst=True)
    def devinotify_prepare_message(self) -> Generator[None, list[Message], list[Message]]:
        """Put off what would arrive outside the window."""
        prepared = yield
        if not self.is_asked:
            return prepared
        fitted = [(message, part) for message in prepared for part in self.fit(message)]
        self._put_off.numbers = {to for before, part in fitted if _is_later(part, before) for to in part.recipients}
        return [part for _, part in fitted]

    def process(self, message: Message) -> list[Outcome]:
        """Do what the notifier's ``process`` does, for the campaign, and count who is held."""
        self._put_off.numbers = set()
        outcomes = super().process(message)
        numbers, self._put_off.numbers = self._put_off.numbers, set()
        count = sum(each.verdict is Verdict.ACCEPTED and each.recipient in numbers for each in outcomes)
        if count:
            try:
                self.note(count)
            except DevinotifyError as error:  # what was sent is not to be lost for it
                log.warning("%s are held until their window opens, and are not counted: %s", count, error)
        return outcomes


def _is_later(part: Message, before: Message) -> bool:
    return part.send_at != before.send_at
