"""What a service manager wants to know of a service: when it is ready, that it comes round, and that it ends.

systemd's protocol: a datagram to the socket that NOTIFY_SOCKET names. Without one nobody is told, so whoever serves
calls this everywhere. See sd_notify(3) and sd_watchdog_enabled(3).
"""

from __future__ import annotations

import logging
import os
import socket
import time
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = ["Supervisor"]

log: logging.Logger = logging.getLogger(__name__)

PATIENCE = 1.0
"""Seconds that the manager's socket may be full before what is told is left out."""
OFTEN = 4
"""Signs of life in the time after which a service without one is ended: one that is late or lost ends nobody."""


class Supervisor:
    """Whoever supervises this process, told how it is; nobody, where there is no ``address``.

    ``watchdog`` is after how many seconds without a sign of life the process is ended, ``None`` for never. What cannot
    be told is logged and breaks nothing. ``clock`` is a monotonic one, in seconds.
    """

    def __init__(
        self, address: str | None, watchdog: float | None = None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._address = address
        self._clock = clock
        self._next = 0.0
        self._status = ""
        self._over = False
        self.watchdog: float | None = watchdog

    @classmethod
    def of(cls, environment: Mapping[str, str] = os.environ) -> Self:
        """Return the one that the environment names: NOTIFY_SOCKET, WATCHDOG_USEC and WATCHDOG_PID."""
        ours = environment.get("WATCHDOG_PID", "") in ("", str(os.getpid()))
        length = environment.get("WATCHDOG_USEC", "")
        after = int(length) / 1e6 if ours and length.isascii() and length.isdigit() else 0.0
        return cls(environment.get("NOTIFY_SOCKET") or None, after or None)

    @property
    def every(self) -> float | None:
        """Seconds between two signs of life, ``None`` where none is waited for."""
        return None if self.watchdog is None else self.watchdog / OFTEN

    def ready(self, status: str) -> None:
        """Tell that it serves, and what it does now."""
        self._status = status
        self._tell(f"READY=1\nSTATUS={_line(status)}")

    def status(self, status: str) -> None:
        """Tell what it does now, where that is news; it shows in ``systemctl status``."""
        if status != self._status and not self._over:
            self._status = status
            self._tell(f"STATUS={_line(status)}")

    def lives(self) -> None:
        """Give a sign of life, as often as it is of use; to be called by what would not if it hung."""
        if self.every is not None and self._clock() >= self._next:
            self._next = self._clock() + self.every
            self._tell("WATCHDOG=1")

    def stopping(self) -> None:
        """Tell that it ends, after what is under way."""
        if not self._over:
            self._over = True
            self._tell("STOPPING=1\nSTATUS=ending after what is under way")

    def _tell(self, what: str) -> None:
        if self._address is None:
            return
        # One that begins with @ is abstract: Linux's sockets without a file.
        address = f"\0{self._address[1:]}" if self._address.startswith("@") else self._address
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as teller:
                teller.settimeout(PATIENCE)
                teller.sendto(what.encode("utf-8", "replace"), address)
        except (OSError, ValueError, AttributeError) as error:  # ValueError: a NUL; AttributeError: no such sockets
            log.debug("the service manager cannot be told: %s", type(error).__name__)


def _line(text: str) -> str:
    """Return a text that ends no line: the next one would be an order of its own."""
    return " ".join(text.split())
