"""Things closed one after the other, each whatever became of the one before, and never in place of an error."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from devinotify.exceptions import told

if TYPE_CHECKING:
    import logging
    from collections.abc import Callable


def close_all(log: logging.Logger, what: str, *closers: Callable[[], object]) -> None:
    """Call all of ``closers``, and raise the first failure once all were called.

    Where an exception is being handled, that one tells what became of the messages, and goes on: a failure here is
    logged as that of ``what``, and so is any after the first.
    """
    under_way = sys.exc_info()[1]
    first: Exception | None = None
    for close in closers:
        try:
            close()
        except Exception as failure:  # noqa: BLE001 - whatever it is, the others are to be closed, too
            if under_way is None and first is None:
                first = failure
            else:
                tell(log, what, failure)
    if first is not None:
        raise first


def tell(log: logging.Logger, what: str, failure: Exception) -> None:
    """Log that something could not be closed, and what may be told of why."""
    log.warning("%s could not be closed: %s", what, told(failure))
