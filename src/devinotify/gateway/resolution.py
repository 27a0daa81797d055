"""Addresses of a host name within a time: the system's resolver knows no deadline of ours.

A name is looked up in a thread that is left behind when the time is over. There is one for a name at a time, however
many callers wait for it, so that a resolver that hangs costs one thread and not one a call.
"""

from __future__ import annotations

import os
import socket
import threading
from typing import Any, TypeAlias

Address: TypeAlias = tuple[Any, Any, int, Any]
"""Family, kind, protocol and address, as ``socket.socket`` and ``connect`` take them."""
_Key: TypeAlias = tuple[int, str, int]


class _LookUp:
    """One look-up of one name, shared by all who wait for it."""

    def __init__(self, key: _Key) -> None:
        self._key = key
        self._found: list[Address] = []
        self._error: OSError | None = None
        self._over = threading.Event()

    def run(self) -> None:
        """Ask the resolver, however long it takes."""
        _, host, port = self._key
        try:
            self._found = [
                (family, kind, protocol, address)
                for family, kind, protocol, _, address in socket.getaddrinfo(host, port, 0, socket.SOCK_STREAM)
            ]
        except OSError as error:
            self._error = error
        except ValueError:  # a name that cannot be written as DNS has it
            self._error = socket.gaierror("the name is malformed")
        finally:
            _under_way.pop(self._key, None)
            self._over.set()

    def wait(self, seconds: float) -> list[Address]:
        """Return what was found; raises OSError, TimeoutError where the time is over first."""
        if not self._over.wait(seconds):
            raise TimeoutError("the name was not resolved in time")
        if self._error is not None:
            # Another object for each caller: raised by several, one would gather all their tracebacks.
            raise type(self._error)(*self._error.args)
        return self._found


_under_way: dict[_Key, _LookUp] = {}
"""The look-ups that run, by process: after a fork the child knows nothing of its parent's threads."""


def resolve(host: str, port: int, seconds: float) -> list[Address]:
    """Return the addresses of a host; raises OSError where it has none, TimeoutError after so many seconds."""
    mine = _LookUp((os.getpid(), host, port))
    current = _under_way.setdefault(mine._key, mine)
    if current is mine:
        try:
            threading.Thread(target=mine.run, name="devinotify-resolver", daemon=True).start()
        except RuntimeError:  # Python is shutting down and starts no more threads: better without a bound than not
            mine.run()
    return current.wait(seconds)
