"""What subscribers send, posted to an address of one's own: a plugin, whoever it is that reads what comes in."""

from __future__ import annotations

import json
import os
import time
from typing import TYPE_CHECKING

from devinotify.exceptions import DevinotifyError, InvalidInput, PluginError
from devinotify.hookspecs import hookimpl
from devinotify.instants import iso
from devinotify.posting import SECRET, Poster
from devinotify.retry import Backoff

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from devinotify.models import IncomingSms

AGAIN = Backoff(1.0, most=300.0)
"""For how long an address that does not take a message is left alone."""


class ReplyPoster:
    """A plugin that posts each SMS that subscribers send to ``url``, as JSON; give it to ``make_plugin_manager``.

    It is what ``devinotify incoming`` and ``devinotify worker`` do with ``--post``. Posts are signed with ``secret``,
    without one with that in the environment variable ``DEVINOTIFY_POST_SECRET``. What is not answered with 2xx is
    posted again when it is read again what came in, and what came later waits for that. An address that keeps failing
    is tried less and less often, every five minutes at the least, until it takes one. ``clock`` returns seconds that
    only grow. Raises InvalidInput without a secret, and for an address that begins with neither https:// nor http://.
    """

    def __init__(self, url: str, secret: str | None = None, *, clock: Callable[[], float] = time.monotonic) -> None:
        secret = secret or os.environ.get(SECRET)
        if not secret:
            raise InvalidInput(f"what is posted is signed with a secret: give one, or put it into {SECRET}")
        try:
            self._poster = Poster(url, secret, otherwise="; it is posted again")
        except ValueError:
            raise InvalidInput("it is posted to an address that begins with https:// or http://") from None
        self.error: DevinotifyError | None = None
        """Why the last message was not posted; ``None`` where it was."""
        self._clock = clock
        self._failures = 0
        self._not_before = 0.0

    def __repr__(self) -> str:
        return f"<ReplyPoster to {self._poster.host}>"

    @hookimpl
    def devinotify_message_received(self, message: IncomingSms) -> None:
        """Post a message; raise PluginError, so that it comes again, where it is not taken."""
        if self._failures and self._clock() < self._not_before:
            raise PluginError(str(self.error), retryable=True)
        try:
            self._poster.post(json_line(message))
        except DevinotifyError as error:
            self.error = error
            self._failures += 1
            self._not_before = self._clock() + AGAIN.pause(self._failures)
            raise PluginError(str(error), retryable=True) from None
        self.error, self._failures = None, 0

    def close(self) -> None:
        """Close the connection."""
        self._poster.close()


def document(message: IncomingSms) -> dict[str, Any]:
    """Return a message as ``devinotify incoming --json`` shows it, and as it is posted."""
    return {
        "id": message.id,
        "sender": message.sender,
        "recipient": message.recipient,
        "text": message.text,
        "created_at": None if message.created_at is None else iso(message.created_at),
    }


def json_line(message: IncomingSms) -> bytes:
    """Return a message as one line of JSON in UTF-8."""
    # A lone surrogate has no UTF-8; its escape is what JSON has for it.
    return json.dumps(document(message), ensure_ascii=False).encode("utf-8", "backslashreplace")
