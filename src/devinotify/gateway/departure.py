"""The last question before a send leaves: whether it is still this process's to make.

Between a claim and the first byte lie hooks, a login and a connection, and a process may be stopped there for longer
than others wait for it. Whoever claimed asks here, right before the request is written.
"""

from __future__ import annotations

from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_check: ContextVar[Callable[[], None] | None] = ContextVar("devinotify_departure", default=None)


@contextmanager
def departing(check: Callable[[], None]) -> Iterator[None]:
    """Have every send inside the block, in this thread or task, ask ``check`` right before it leaves.

    It raises NotSent where the send may not leave. One inside another asks both, the outer one first.
    """
    outer = _check.get()

    def both() -> None:
        if outer is not None:
            outer()
        check()

    token = _check.set(check if outer is None else both)
    try:
        yield
    finally:
        _check.reset(token)


def require_departure() -> None:
    """Raise NotSent where the send that is about to leave is not to be made any more."""
    check = _check.get()
    if check is not None:
        check()
