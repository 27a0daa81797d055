"""From where on the internet the request under way came, for whoever has no request at hand."""

from __future__ import annotations

from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

from asgiref.sync import iscoroutinefunction, markcoroutinefunction

if TYPE_CHECKING:
    from collections.abc import Callable

_address: ContextVar[str | None] = ContextVar("the address of the request", default=None)


def current_address() -> str | None:
    """Return ``REMOTE_ADDR`` of the request under way; ``None`` where there is none or the middleware is missing."""
    return _address.get()


class AddressMiddleware:
    """Remembers ``REMOTE_ADDR`` while a request is answered, for the limits of one-time codes; sync and async.

    Behind a proxy it stands after what puts the client's own address there.
    """

    sync_capable = True
    async_capable = True

    def __init__(self, get_response: Callable[[Any], Any]) -> None:
        self._get_response = get_response
        self._is_async = iscoroutinefunction(get_response)
        if self._is_async:
            markcoroutinefunction(self)

    def __call__(self, request: Any) -> Any:  # noqa: ANN401 - Django brings no types
        """Answer a request with its address at hand."""
        if self._is_async:
            return self._answer(request)
        token = _address.set(request.META.get("REMOTE_ADDR"))
        try:
            return self._get_response(request)
        finally:
            _address.reset(token)

    async def _answer(self, request: Any) -> Any:  # noqa: ANN401 - Django brings no types
        token = _address.set(request.META.get("REMOTE_ADDR"))
        try:
            return await self._get_response(request)
        finally:
            _address.reset(token)
