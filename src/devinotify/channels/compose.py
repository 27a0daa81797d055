"""The text that is really sent: title, transliteration and the budget of segments applied. Pure."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from devinotify import text as texts
from devinotify.exceptions import InvalidText

if TYPE_CHECKING:
    from collections.abc import Callable

    from devinotify.models import Message
    from devinotify.text import Segmentation


def compose(
    message: Message,
    *,
    transliterate: bool = False,
    max_segments: int | None = None,
    estimate: Callable[[str], Segmentation] = texts.segment,
) -> Message:
    """Return the message with its title as the first line, in GSM-7 where asked for, within ``max_segments``.

    ``estimate`` tells what a text costs; raises InvalidText where nothing of the text fits the budget.
    """
    text = f"{message.title}\n{message.text}" if message.title else message.text
    if transliterate:
        text = texts.to_gsm7(text)
    if max_segments is not None:
        text = _within(text, max_segments, estimate)
    if text == message.text and message.title is None:
        return message
    return replace(message, text=text, title=None)


def _within(text: str, budget: int, estimate: Callable[[str], Segmentation]) -> str:
    if estimate(text).count <= budget:
        return text
    # An estimate of a plugin's may be stricter than the one that ``fit`` keeps to.
    for segments in range(budget, 0, -1):
        shorter = texts.fit(text, segments)
        if estimate(shorter).count <= budget:
            return shorter
    raise InvalidText(f"the text cannot be shortened to {budget} segments")
