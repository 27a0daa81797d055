"""The plugin: listens for STOP and START, and refuses those who have opted out."""

from __future__ import annotations

import logging
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import UTC, datetime

from devinotify import (
    DevinotifyError,
    IncomingSms,
    InvalidInput,
    InvalidPhoneNumber,
    Message,
    Outbox,
    PluginError,
    Suppressed,
    hookimpl,
    mask_number,
    phones,
)

from devinotify_opt_out.stop_list import Entry, StopList
from devinotify_opt_out.words import START, STOP, Wish, skeletons, wish_of

log: logging.Logger = logging.getLogger(__name__)

CONFIRMATION = "opt-out-confirmation"
"""The tag of the one message that somebody still gets who has opted out."""


@dataclass(frozen=True, slots=True)
class OptOut:
    """A plugin that keeps a stop list by what subscribers answer; give it to ``make_plugin_manager``.

    ``stop`` and ``start`` are words beside those that it knows (STOP, СТОП, ОТПИСАТЬСЯ, CANCEL; START, СТАРТ).
    ``confirmation`` is the text that somebody gets once who opts out, from the next worker; empty: none. A message with
    one of the tags ``passes``, such as ``transactional``, reaches also those who have opted out. Raises InvalidInput
    for a word without letters.
    """

    stop: Collection[str] = ()
    start: Collection[str] = ()
    confirmation: str = field(default="", repr=False)
    passes: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        try:
            skeletons([*self.stop, *self.start])
        except ValueError as error:
            raise InvalidInput(f"a word to opt out by has a letter or a digit: {error}") from None

    @hookimpl
    def devinotify_screen_recipients(self, message: Message) -> dict[str, DevinotifyError]:
        """Refuse those who have opted out."""
        if not message.recipients or message.tags & (self.passes | {CONFIRMATION}):
            return {}
        try:
            outbox = Outbox.current()
            if outbox is None:
                raise PluginError("the stop list is asked for by a Notifier alone")
            out = StopList(outbox).among(message.recipients)
        except PluginError:
            raise
        except DevinotifyError as error:
            raise PluginError(f"the stop list cannot be read: {error}", retryable=error.retryable) from error
        return {
            number: Suppressed("the recipient has opted out", reason="opted_out")
            for number in message.recipients
            if number in out
        }

    @hookimpl
    def devinotify_message_received(self, message: IncomingSms) -> None:
        """Put the sender on the stop list, or take it off."""
        wish = wish_of(message.text, (*STOP, *self.stop), (*START, *self.start))
        outbox = Outbox.current()
        if wish is None or outbox is None:  # a listing of what came in is no news
            return
        number = _number(message.sender)
        if number is None:
            log.warning("a %s of %s is not understood: it is not a number", wish, mask_number(message.sender))
            return
        entry = Entry(wish is Wish.STOP, message.created_at or datetime.now(UTC), "word", message.id)
        try:
            counts = StopList(outbox).tell({number: entry})[number]
            # The same message told of twice is confirmed once, by its id, or where there is none by its sender.
            if self.confirmation and counts.out and entry.out and counts.message == message.id:
                outbox.enqueue(
                    Message(self.confirmation, (number,), tags=frozenset({CONFIRMATION})),
                    key=f"{CONFIRMATION} {ascii(message.id) if message.id else number}",
                )
        except DevinotifyError as error:
            raise PluginError(f"the stop list cannot be written: {error}", retryable=True) from error


def _number(sender: str) -> str | None:
    """Return the sender of a message in E.164; ``None`` for one that nobody can write to."""
    for written in (f"+{sender.lstrip('+')}", sender):
        try:
            return phones.normalize(written).e164
        except InvalidPhoneNumber:
            continue
    return None
