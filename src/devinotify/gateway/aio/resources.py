"""The 14 operations as coroutines: the methods of ``gateway.resources``, whose client's answers are awaited.

Their arguments, checks and words are those of the blocking ones, because they are those: nothing is written twice.
"""

from __future__ import annotations

import inspect
from functools import wraps
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, Protocol, TypeVar, cast

from devinotify.gateway.resources import Owner, Resource, Sms, User, Viber
from devinotify.redact import hide

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from devinotify.gateway.calls import Call
    from devinotify.url import DevinoURL

P = ParamSpec("P")
R = TypeVar("R")

_HIDDEN = frozenset({"to", "text", "recipients", "message_id", "optional", "optionals"})
"""The arguments that no frame may show, ours among them."""


def _awaited(method: Callable[Concatenate[Any, P], R]) -> Callable[Concatenate[Any, P], Coroutine[Any, Any, R]]:
    """Return a method as a coroutine function: what it refuses is raised when it is awaited, as everything else."""
    hidden = [name in _HIDDEN for name in list(inspect.signature(method).parameters)[1:]]

    @wraps(method)
    async def operation(self: Any, *args: P.args, **kwargs: P.kwargs) -> R:  # noqa: ANN401 - any of the resources
        named = [hide(value) if secret else value for secret, value in zip(hidden, args, strict=False)]
        args = (*named, *args[len(named) :])  # type: ignore[assignment]  # the same arguments, hidden
        kwargs = {name: hide(value) if name in _HIDDEN else value for name, value in kwargs.items()}  # type: ignore[assignment]  # as above
        return await cast("Coroutine[Any, Any, R]", method(self, *args, **kwargs))

    return cast("Callable[Concatenate[Any, P], Coroutine[Any, Any, R]]", operation)


class AsyncOwner(Protocol):
    """The client that resources belong to: its settings, and what performs a call for it."""

    url: DevinoURL

    async def call(self, call: Call[R], /) -> R:
        """Perform one operation."""


class _AsyncResource(Resource):
    """What the three resources share: the client and its settings."""

    def __init__(self, client: AsyncOwner) -> None:
        super().__init__(cast("Owner", client))  # its call is awaited, which is what this module is about


class AsyncUser(_AsyncResource):
    """The account."""

    balance = _awaited(User.balance)


class AsyncSms(_AsyncResource):
    """SMS: sending, states, incoming messages, statistics; arguments and errors are those of the blocking client."""

    send = _awaited(Sms.send)
    send_by_time_zone = _awaited(Sms.send_by_time_zone)
    send_bulk = _awaited(Sms.send_bulk)
    send_by_time_zone_to_addresses = _awaited(Sms.send_by_time_zone_to_addresses)
    state = _awaited(Sms.state)
    incoming = _awaited(Sms.incoming)
    statistics = _awaited(Sms.statistics)


class AsyncViber(_AsyncResource):
    """Viber: sending and states; arguments and errors are those of the blocking client."""

    send = _awaited(Viber.send)
    send_bulk = _awaited(Viber.send_bulk)
    send_with_resend = _awaited(Viber.send_with_resend)
    send_with_resend_bulk = _awaited(Viber.send_with_resend_bulk)
    state = _awaited(Viber.state)
