"""The built-in fallback, and the word on limits that are nearly used up: brought in through the hooks of everybody."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from devinotify.channels.built_in import Brings
from devinotify.channels.direct import SMS, VIBER
from devinotify.delivery.fallback import Fallback
from devinotify.hookspecs import hookimpl

if TYPE_CHECKING:
    from devinotify.limits import LimitUsage

log: logging.Logger = logging.getLogger(__name__)


class _LimitLog:
    """The core's word on a limit that is nearly used up: a line in the log."""

    @hookimpl(trylast=True)
    def devinotify_limit_neared(self, usage: LimitUsage) -> None:
        """Log it."""
        log.warning("a limit is nearly used up: %s", usage)


def built_ins() -> dict[str, object]:
    """Return the built-in plugins of this room by name, new ones each time."""
    return {"sms-viber": Brings(Fallback("sms-viber", SMS, VIBER)), "limits": _LimitLog()}
