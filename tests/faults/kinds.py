"""The clients that faults are met with: they pause for little before they try again, since a thousand are met here."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from devinotify import Client
from devinotify.gateway import conversation
from devinotify.gateway.aio import AsyncClient
from tests.driven import Driven

if TYPE_CHECKING:
    from devinotify.exceptions import DevinotifyError
    from devinotify.gateway.wire import Operation
    from devinotify.retry import Backoff


def hastily(failure: DevinotifyError, operation: Operation[Any]) -> Backoff:
    """Return the rule of the library, with short pauses; their number stays."""
    return replace(conversation.repetition(failure, operation), first=0.01)


class HastyClient(Client):
    """A client that pauses for little."""

    _repetition = staticmethod(hastily)


class HastyAsyncClient(AsyncClient):
    """The same for an event loop."""

    _repetition = staticmethod(hastily)


class HastyDriven(Driven):
    """One that is called as the first is."""

    new_client = HastyAsyncClient


KINDS: dict[str, Any] = {"blocking": HastyClient, "asyncio": HastyDriven}
"""The kinds of client that the faults are met with, by their names in test ids."""
