"""How the alerts of this process look: the service and the host that they come from, and what the settings allow."""

from __future__ import annotations

import os
import socket
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from devinotify_logging.rendering import Style

if TYPE_CHECKING:
    from devinotify import Notifier

    from devinotify_logging.settings import Settings

SERVICE_VARIABLE = "DEVINOTIFY_SERVICE"
"""The environment variable that names the service in alerts; without it, the name of the program."""


def style_of(notifier: Notifier, settings: Settings) -> Style:
    """Return how alerts look that go out by a notifier."""
    channel = notifier.channel(settings.channel or notifier.url.channel)
    most = notifier.url.max_segments
    return Style(
        service=service_name(),
        host=socket.gethostname().partition(".")[0],
        max_segments=min(settings.max_segments, most or settings.max_segments),
        transliterate=notifier.url.transliterate and channel.segmented,
    )


def service_name() -> str:
    """Return the name of this service: DEVINOTIFY_SERVICE, else the program's, else ``python``."""
    if named := os.environ.get(SERVICE_VARIABLE, "").strip():
        return named
    program = Path(sys.argv[0] if sys.argv else "")
    if program.stem == "__main__":
        return program.parent.name
    return program.stem if program.stem not in ("", "-", "-c", "-m") else "python"
