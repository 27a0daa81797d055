"""What is closed: at the end of a block, and several things after each other, never in place of an error."""

from __future__ import annotations

import sys
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Self

from devinotify.exceptions import told

if TYPE_CHECKING:
    import logging
    from collections.abc import Callable
    from types import TracebackType


class Closable(ABC):
    """What a ``with`` block closes at its end, however that comes."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @abstractmethod
    def close(self) -> None:
        """Let go of what it holds."""


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
