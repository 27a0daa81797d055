"""The one line of a notice, for a small screen. Pure.

What stands first is what somebody is woken for::

    CRITICAL web1/Disk: / is 95% full
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from devinotify import text as texts

if TYPE_CHECKING:
    from devinotify_monitoring.notice import Notice

SEGMENTS = 1
"""How long a line may be, in SMS segments, unless somebody says otherwise."""
CUT = "..."
"""What says that a line goes on, in any alphabet."""


def line(notice: Notice, max_segments: int = SEGMENTS, *, transliterate: bool = False) -> str:
    """Return a notice as one line of at most so many segments; what is cut is its end, never within a character.

    With ``transliterate`` it is written in GSM-7 letters first, so that more of it fits.
    """
    told = ": ".join(filter(None, (_plain(notice.headline), _plain(notice.detail))))
    return texts.fit(texts.to_gsm7(told) if transliterate else told, max_segments, ellipsis=CUT)


def _plain(part: str) -> str:
    return " ".join(texts.sendable(part).split())
