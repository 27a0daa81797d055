"""The notifiers of this process: one for each URL, made when it is first sent by, closed at the process's end.

Prefect makes a block anew for each notification; logins, connections and threads outlive them here.
"""

from __future__ import annotations

import asyncio
import contextlib

# AsyncNotifier is imported before the pool is made, which so still finds the threads that its module ends at exit.
from devinotify import AsyncNotifier, DevinoURL, Pool


def close(notifier: AsyncNotifier) -> None:
    """Wait for what was begun, and close a notifier; not on an event loop."""
    # Python begins no thread while it ends; where there is none to do it, nothing is under way.
    with contextlib.suppress(RuntimeError):
        asyncio.run(notifier.aclose())
    notifier.notifier.close()


shared: Pool[DevinoURL, AsyncNotifier] = Pool(AsyncNotifier, close)
"""Those of this process; ``get`` may wait for an outbox, and raises what ``Notifier`` raises."""
