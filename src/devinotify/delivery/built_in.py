"""The built-in fallback, brought in through the hook that everybody uses."""

from __future__ import annotations

from devinotify.channels.built_in import Brings
from devinotify.channels.direct import SMS, VIBER
from devinotify.delivery.fallback import Fallback


def built_ins() -> dict[str, object]:
    """Return the built-in plugins of this room by name, new ones each time."""
    return {"sms-viber": Brings(Fallback("sms-viber", SMS, VIBER))}
