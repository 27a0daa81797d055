"""Cancels a coroutine at each of the places where it waits, one after the other, and not by chance."""

from __future__ import annotations

import asyncio
import types
from collections.abc import Callable, Coroutine, Generator
from typing import Any

AT_ONCE = "as it begins to wait"
TOO_LATE = "as what it waited for has come"
MOMENTS = (AT_ONCE, TOO_LATE)


async def cancelled_at(work: Coroutine[Any, Any, Any], step: int, moment: str) -> Any:  # noqa: ANN401 - the work's
    """Await ``work``, and cancel the task that does where it waits for the time number ``step``, from 0 on."""
    return await _led(work, step, moment)  # a task takes no generator since Python 3.12


@types.coroutine
def _led(work: Coroutine[Any, Any, Any], step: int, moment: str) -> Generator[Any, Any, Any]:
    task = asyncio.current_task()
    assert task is not None
    answer: Callable[[], Any] = lambda: work.send(None)  # noqa: E731 - changed with each answer
    count = 0
    while True:
        try:
            waited_for = answer()
        except StopIteration as end:
            return end.value
        if count == step:
            if moment == AT_ONCE or waited_for is None:
                task.cancel()
            else:
                # Called before the task itself is woken, which has not yet asked to be.
                waited_for.add_done_callback(lambda _: task.cancel())
        count += 1
        try:
            value = yield waited_for
        except BaseException as error:  # noqa: BLE001 - a cancellation is what this is about
            answer = _throw(work, error)
        else:
            answer = _send(work, value)


def _throw(work: Coroutine[Any, Any, Any], error: BaseException) -> Callable[[], Any]:
    return lambda: work.throw(error)


def _send(work: Coroutine[Any, Any, Any], value: object) -> Callable[[], Any]:
    return lambda: work.send(value)
