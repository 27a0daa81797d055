"""Below HTTP: a connection whose request does not come is closed, so that nobody holds connections for nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from uvicorn.protocols.http.h11_impl import H11Protocol

if TYPE_CHECKING:
    import asyncio


def protocol(timeout: float) -> type[H11Protocol]:
    """Return uvicorn's protocol, with ``timeout`` seconds for the head of each connection's first request to arrive.

    Of later ones uvicorn's own keep-alive takes care, of a body the app.
    """

    class Bounded(H11Protocol):
        """One connection."""

        _deadline: asyncio.TimerHandle | None = None

        def connection_made(self, transport: Any) -> None:  # noqa: ANN401 - uvicorn's own signature
            super().connection_made(transport)
            self._deadline = self.loop.call_later(timeout, self._give_up)

        def _give_up(self) -> None:
            if self.cycle is None:  # no request has begun
                self.transport.close()

        def connection_lost(self, exc: Exception | None) -> None:
            if self._deadline is not None:
                self._deadline.cancel()
            super().connection_lost(exc)

    return Bounded
