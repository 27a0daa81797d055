"""The text that is really sent: cleaned, with title, transliteration and the budget of segments applied. Pure."""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import replace
from typing import TYPE_CHECKING

from devinotify import text as texts
from devinotify.exceptions import InvalidText

if TYPE_CHECKING:
    from collections.abc import Callable

    from devinotify.models import Message
    from devinotify.text import Segmentation


def shape(
    message: Message,
    *,
    transliterate: bool = False,
    max_segments: int | None = None,
    estimate: Callable[[str], Segmentation] = texts.segment,
    warn: Callable[[str], object] | None = None,
) -> Message:
    """Return the message with its title as the first line, in GSM-7 where asked for, within ``max_segments``.

    Its text is one that can be sent: see ``text.sendable``, which calls ``warn`` where it loses something.
    ``estimate`` tells what a text costs; raises InvalidText where nothing of the text fits the budget.
    """
    text = f"{message.title}\n{message.text}" if message.title else message.text
    text = texts.sendable(text, warn=warn)
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
    shorter = texts.fit(text, budget)
    if shorter and estimate(shorter).count <= budget:
        return shorter
    # A plugin's estimate is stricter than the one that ``fit`` keeps to: the most units that it lets pass.
    sizes = range(_FEWEST_UNITS, texts.segment(text).units)
    most = bisect_left(sizes, 1, key=lambda units: estimate(_cut(text, units)).count > budget) - 1
    shorter = _cut(text, sizes[most]) if most >= 0 else ""
    if not shorter:
        raise InvalidText(f"the text cannot be shortened to {budget} segments")
    return shorter


_FEWEST_UNITS = 2
"""What one character may take."""


def _cut(text: str, units: int) -> str:
    """Return as much of ``text`` as takes at most so many units in all, whole characters and an ellipsis."""
    return texts.fit(text, 1, texts.SegmentLimits(units, units, units, units))
