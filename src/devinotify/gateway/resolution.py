"""Addresses of a host name within a time: the system's resolver knows no deadline of ours.

A name is looked up in a thread that is left behind when the time is over. There is one for a name at a time, however
many callers wait for it, so that a resolver that hangs costs one thread and not one a call.
"""

from __future__ import annotations

import os
import socket
import threading
from concurrent.futures import Future
from typing import Any, TypeAlias

Address: TypeAlias = tuple[Any, Any, int, Any]
"""Family, kind, protocol and address, as ``socket.socket`` and ``connect`` take them."""
_Key: TypeAlias = tuple[int, str, int]


class _LookUp:
    """One look-up of one name, shared by all who wait for it; ``over`` is what it comes to, and never cancelled."""

    def __init__(self, key: _Key) -> None:
        self._key = key
        self.over: Future[list[Address]] = Future()
        self.over.set_running_or_notify_cancel()

    def run(self) -> None:
        """Ask the resolver, however long it takes."""
        _, host, port = self._key
        found: list[Address] = []
        failure: OSError | None = None
        try:
            found = [
                (family, kind, protocol, address)
                for family, kind, protocol, _, address in socket.getaddrinfo(host, port, 0, socket.SOCK_STREAM)
            ]
        except OSError as error:
            failure = error
        except ValueError:  # a name that cannot be written as DNS has it
            failure = socket.gaierror("the name is malformed")
        finally:
            _under_way.pop(self._key, None)
            if failure is None:
                self.over.set_result(found)
            else:
                self.over.set_exception(failure)

    def wait(self, seconds: float) -> list[Address]:
        """Return what was found; raises OSError, TimeoutError where the time is over first."""
        try:
            failure = self.over.exception(seconds)
        except TimeoutError:
            raise TimeoutError("the name was not resolved in time") from None
        if failure is not None:
            raise own(failure)
        return self.over.result()


_under_way: dict[_Key, _LookUp] = {}
"""The look-ups that run, by process: after a fork the child knows nothing of its parent's threads."""


def resolve(host: str, port: int, seconds: float) -> list[Address]:
    """Return the addresses of a host; raises OSError where it has none, TimeoutError after so many seconds."""
    return _look_up(host, port).wait(seconds)


def look_up(host: str, port: int) -> Future[list[Address]]:
    """Return what the look-up of a host will come to: its addresses, or an OSError, which is to be raised as ``own``.

    It is shared with all who ask for the same, goes on by itself and cannot be cancelled.
    """
    return _look_up(host, port).over


def own(failure: BaseException) -> BaseException:
    """Return a failure as an object of the caller's own: raised by several, one would gather all their tracebacks."""
    return type(failure)(*failure.args)


def _look_up(host: str, port: int) -> _LookUp:
    mine = _LookUp((os.getpid(), host, port))
    current = _under_way.setdefault(mine._key, mine)
    if current is mine:
        try:
            threading.Thread(target=mine.run, name="devinotify-resolver", daemon=True).start()
        except RuntimeError:  # Python is shutting down and starts no more threads: better without a bound than not
            mine.run()
    return current
