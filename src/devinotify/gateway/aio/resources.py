"""The 14 operations as coroutines: the methods of ``gateway.resources``, whose client's answers are awaited.

Their arguments, checks and words are those of the blocking ones, because they are those: nothing is written twice.
"""

from __future__ import annotations

import inspect
from functools import wraps
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, Protocol, TypeVar, cast

from devinotify.gateway.aio.warmup import is_warm_for, warm_up_for
from devinotify.gateway.resources import Owner, Resource, Sms, User, Viber
from devinotify.redact import hide

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from devinotify.gateway.calls import Call
    from devinotify.url import DevinoURL

P = ParamSpec("P")
R = TypeVar("R")

_RECIPIENTS = frozenset({"to", "recipients"})
"""The arguments that hold whom a message is for, by which a send is known."""


def _awaited(
    method: Callable[Concatenate[Any, P], R],
) -> Callable[[Callable[..., object]], Callable[Concatenate[Any, P], Coroutine[Any, Any, R]]]:
    """Put a method as a coroutine function in the place of the name that is decorated.

    What it refuses is raised when it is awaited, as everything else. Only the name is taken from what is decorated:
    checkers of types read a decorated name alike, and one that is assigned not.
    """
    names = list(inspect.signature(method).parameters)[1:]
    whom = next((place for place, name in enumerate(names) if name in _RECIPIENTS), None)

    @wraps(method)
    async def operation(self: Any, *args: P.args, **kwargs: P.kwargs) -> R:  # noqa: ANN401 - any of the resources
        args = tuple(map(hide, args))  # type: ignore[assignment]  # the same arguments, which no frame may show
        kwargs = kwargs and {name: hide(value) for name, value in kwargs.items()}  # type: ignore[assignment]  # as above
        if whom is not None:
            recipients = args[whom] if len(args) > whom else kwargs.get(names[whom])
            if not is_warm_for(recipients, self._url.region):
                await warm_up_for(recipients, self._url.region)
        return await cast("Coroutine[Any, Any, R]", method(self, *args, **kwargs))

    return lambda _: cast("Callable[Concatenate[Any, P], Coroutine[Any, Any, R]]", operation)


class AsyncOwner(Protocol):
    """The client that resources belong to: its settings, and what performs a call for it."""

    url: DevinoURL

    def call(self, call: Call[R], /) -> Coroutine[Any, Any, R]:
        """Perform one operation, when it is awaited."""


class _AsyncResource(Resource):
    """What the three resources share: the client and its settings."""

    def __init__(self, client: AsyncOwner) -> None:
        super().__init__(cast("Owner", client))  # its call is awaited, which is what this module is about


class AsyncUser(_AsyncResource):
    """The account."""

    @_awaited(User.balance)
    def balance(self) -> object:
        """Await what ``User.balance`` does."""


class AsyncSms(_AsyncResource):
    """SMS: sending, states, incoming messages, statistics; arguments and errors are those of the blocking client."""

    @_awaited(Sms.send)
    def send(self) -> object:
        """Await what ``Sms.send`` does."""

    @_awaited(Sms.send_by_time_zone)
    def send_by_time_zone(self) -> object:
        """Await what ``Sms.send_by_time_zone`` does."""

    @_awaited(Sms.send_bulk)
    def send_bulk(self) -> object:
        """Await what ``Sms.send_bulk`` does."""

    @_awaited(Sms.send_by_time_zone_to_addresses)
    def send_by_time_zone_to_addresses(self) -> object:
        """Await what ``Sms.send_by_time_zone_to_addresses`` does."""

    @_awaited(Sms.state)
    def state(self) -> object:
        """Await what ``Sms.state`` does."""

    @_awaited(Sms.incoming)
    def incoming(self) -> object:
        """Await what ``Sms.incoming`` does."""

    @_awaited(Sms.statistics)
    def statistics(self) -> object:
        """Await what ``Sms.statistics`` does."""


class AsyncViber(_AsyncResource):
    """Viber: sending and states; arguments and errors are those of the blocking client."""

    @_awaited(Viber.send)
    def send(self) -> object:
        """Await what ``Viber.send`` does."""

    @_awaited(Viber.send_bulk)
    def send_bulk(self) -> object:
        """Await what ``Viber.send_bulk`` does."""

    @_awaited(Viber.send_with_resend)
    def send_with_resend(self) -> object:
        """Await what ``Viber.send_with_resend`` does."""

    @_awaited(Viber.send_with_resend_bulk)
    def send_with_resend_bulk(self) -> object:
        """Await what ``Viber.send_with_resend_bulk`` does."""

    @_awaited(Viber.state)
    def state(self) -> object:
        """Await what ``Viber.state`` does."""


class Ready:
    """The sends of a client without its look for what has to be read first: for whoever has seen to that."""

    def __init__(self, client: AsyncOwner) -> None:
        owner = cast("Owner", client)  # whose call is awaited, and so is what these answer
        self.url: DevinoURL = client.url
        self.sms: Sms = Sms(owner)
        self.viber: Viber = Viber(owner)
