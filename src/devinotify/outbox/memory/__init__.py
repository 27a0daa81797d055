"""The store in memory: nothing of it outlives the process. For tests, and for whoever keeps no record."""

from devinotify.outbox.memory.store import MemoryStore

__all__ = ["MemoryStore"]
