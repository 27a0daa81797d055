"""The client of an event loop: the same operations, conversation and verdicts as the blocking one's."""

from devinotify.gateway.aio.abandoned import Abandoned
from devinotify.gateway.aio.client import AsyncClient

__all__ = ["Abandoned", "AsyncClient"]
