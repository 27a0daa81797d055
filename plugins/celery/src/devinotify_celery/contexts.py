"""What a task's context shows of its arguments: masked ones, in case it is stored, with the true ones kept beside."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from devinotify_celery.masking import mask_arguments

if TYPE_CHECKING:
    from collections.abc import Iterator

_HELD = "devinotify_arguments"
"""The attribute of a task's context that has the arguments as they are, while the context shows them masked."""


def conceal(context: Any) -> None:  # noqa: ANN401 - celery brings no types
    """Have a task's context show its arguments masked: so they are stored with extended results."""
    if not hasattr(context, _HELD):
        setattr(context, _HELD, (context.args, context.kwargs))
        context.args, context.kwargs = mask_arguments(context.args, context.kwargs)


@contextmanager
def revealed(context: Any) -> Iterator[None]:  # noqa: ANN401 - as above
    """Let a context have its arguments as they are inside the block: a retry sends them again."""
    held = getattr(context, _HELD, None)
    if held is None:
        yield
        return
    shown = context.args, context.kwargs
    context.args, context.kwargs = held
    try:
        yield
    finally:
        context.args, context.kwargs = shown
