"""The last question before a send leaves: whether it is still this process's to make.

Between a claim and the first byte lie hooks, a login and a connection, and a process may be stopped there for longer
than others wait for it. Whoever claimed asks here, right before the request is written.
"""

from __future__ import annotations

from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING

from devinotify.exceptions import NotSent

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_check: ContextVar[Callable[[], bool] | None] = ContextVar("devinotify_departure", default=None)


@contextmanager
def departing(check: Callable[[], bool]) -> Iterator[None]:
    """Have every send inside the block, in this thread or task, ask ``check`` right before it leaves."""
    token = _check.set(check)
    try:
        yield
    finally:
        _check.reset(token)


def require_departure() -> None:
    """Raise NotSent, which is not tried again, where the send that is about to leave was given up meanwhile."""
    check = _check.get()
    if check is not None and not check():
        raise NotSent("it was given up while this process stood still, and is not sent any more", retryable=False)
