"""How a program is talked with: what its request orders, and the words of the answers. Twilio's are in ``twilio``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from starlette.responses import JSONResponse

if TYPE_CHECKING:
    from starlette.responses import Response

    from devinotify_webhook.acceptance import Taken
    from devinotify_webhook.config import Receiver
    from devinotify_webhook.orders import Order, Posted, Reader

_CHALLENGE = {"WWW-Authenticate": 'Bearer realm="devinotify", Basic realm="devinotify"'}


class Dialect(Protocol):
    """One request and its answer; ``orders`` comes first, on a thread where it may take its time."""

    def orders(self, posted: Posted) -> list[Order]:
        """Return what is to be stored; raise NotUnderstood for a body that cannot be understood."""

    def stored(self, taken: list[Taken]) -> Response:
        """Return the answer to what was stored."""

    def error(self, status: int, reason: str) -> Response:
        """Return the answer to what was not."""


@dataclass(frozen=True, slots=True, repr=False)
class Own:
    """What ``/alertmanager``, ``/grafana`` and ``/sms`` answer, posted to a receiver under a name."""

    reader: Reader
    route: str
    receiver: Receiver
    name: str

    def orders(self, posted: Posted) -> list[Order]:
        """Return what the route makes of a request."""
        return self.reader.read(self.route, self.receiver, self.name, posted)

    def stored(self, taken: list[Taken]) -> Response:
        """Return the rows of the outbox, and what was not stored and why; numbers masked."""
        paused = [one.paused for one in taken if one.paused is not None]
        document: dict[str, Any] = {
            "rows": [row for one in taken for row in one.rows],
            "known": bool(taken) and all(one.known for one in taken),
            "refused": [{"recipient": to, "reason": why} for one in taken for to, why in one.refused],
            **({"paused_until": max(paused)} if paused else {}),
        }
        return JSONResponse(document)

    def error(self, status: int, reason: str) -> Response:
        """Return the reason."""
        return error(status, reason)


def error(status: int, reason: str) -> Response:
    """Return an error in the house's own words; whoever may not post is told how."""
    return JSONResponse({"error": reason}, status, _CHALLENGE if status == 401 else None)
