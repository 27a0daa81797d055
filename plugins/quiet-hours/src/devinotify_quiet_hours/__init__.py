"""Messages that would arrive at night wait until the recipient's own morning.

Installed, it is loaded by the entry-point group ``devinotify`` and configured by environment variables; in code, give
``make_plugin_manager`` a ``QuietHours`` of your own.

>>> from datetime import time
>>> QuietHours(Night(time(22), time(8)), zones={"RU": "Asia/Vladivostok"})
QuietHours(night=Night(start=datetime.time(22, 0), end=datetime.time(8, 0)), zones={'RU': 'Asia/Vladivostok'})
"""

from devinotify_quiet_hours.hours import QuietHours
from devinotify_quiet_hours.night import Night
from devinotify_quiet_hours.settings import FromEnvironment

__all__ = ["FromEnvironment", "Night", "QuietHours", "plugin"]

plugin: FromEnvironment = FromEnvironment()
"""What the entry point names: reads its settings when a message comes, so that nothing is frozen at import."""
