"""What a campaign says: one text for all, or a template that each row fills in, each as it will be sent."""

from __future__ import annotations

import hashlib
import logging
from typing import TYPE_CHECKING

from devinotify import text as texts
from devinotify.bulk.template import Template, unfilled
from devinotify.channels.compose import shape
from devinotify.exceptions import InvalidInput
from devinotify.models import Message

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from devinotify.channels.protocol import Channel
    from devinotify.notifier import Notifier

log: logging.Logger = logging.getLogger(__name__)


class Wording:
    """The words of a campaign on one channel, from either ``text`` or ``template``.

    Then ``text`` is what all recipients get, as it will be sent, and ``None`` where each has its own; ``template`` is
    ``None`` where it has no columns. ``original`` is what was given. Raises InvalidInput where both or none were given,
    and InvalidText for a bad template and a text that cannot be sent.
    """

    def __init__(self, text: str | None, template: str | None, channel: Channel, notifier: Notifier) -> None:
        if (text is None) == (template is None):
            raise InvalidInput("a campaign has either a text or a template")
        self._channel = channel
        self._notifier = notifier
        self._warned = False
        self.original: str = (template if text is None else text) or ""
        parsed = None if template is None else Template(template)
        self.template: Template | None = parsed if parsed is not None and parsed.fields else None
        shared = text if parsed is None else parsed.render({}) if self.template is None else None
        self._shared = shared
        self.text: str | None = None if shared is None else self.shape(shared)

    @property
    def digest(self) -> str:
        """What tells these words from others, and does not tell them; one text for all is the same however given."""
        words = f"{self._shared is None} {self.original if self._shared is None else self._shared}"
        return hashlib.sha256(words.encode(errors="replace")).hexdigest()

    def unfilled(self, columns: Sequence[str]) -> list[str]:
        """Return those columns that a text for all has in braces: it may have been meant for a template."""
        return unfilled(self.original, columns) if self.template is None else []

    def shape(self, text: str) -> str:
        """Return a text as it will be sent; raises InvalidText."""
        url, segmented = self._notifier.url, self._channel.segmented
        shaped = shape(
            Message(text, ()),
            transliterate=url.transliterate and segmented,
            max_segments=url.max_segments if segmented else None,
            estimate=self._notifier.plugins.segmentation,
            warn=self._warn,
        ).text
        texts.check(shaped, self._channel.max_length)
        return shaped

    @property
    def segmentation(self) -> Callable[[str], texts.Segmentation] | None:
        """What tells the cost of a text, where a plugin does; ``None`` where it is the core's own count."""
        plugins = self._notifier.plugins
        asked = self._channel.segmented and plugins.listens("devinotify_estimate_segments", outside=True)
        return plugins.segmentation if asked else None

    def _warn(self, why: str) -> None:
        """Log what a text has lost, once for all of them."""
        if not self._warned:
            self._warned = True
            log.warning(why)
