"""A service manager's socket, as systemd opens it, and what comes in on it."""

from __future__ import annotations

import socket
import time
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from pathlib import Path
    from types import TracebackType

PATIENCE = 30.0
"""Seconds that anything may take on a slow machine before it is given up."""


class Manager:
    """A datagram socket at ``address``: a path, or an abstract name that begins with ``@``."""

    def __init__(self, address: Path | str) -> None:
        self.address = str(address)
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(f"\0{self.address[1:]}" if self.address.startswith("@") else self.address)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._socket.close()

    def told(self, patience: float = PATIENCE) -> dict[str, str] | None:
        """Return the next thing that is told, or ``None`` where nothing is within so many seconds."""
        self._socket.settimeout(patience)
        try:
            lines = self._socket.recv(65_536).decode().splitlines()
        except TimeoutError:
            return None
        return {name: value for name, _, value in (line.partition("=") for line in lines)}

    def until(self, name: str) -> dict[str, str]:
        """Return the first thing told from now on that has a name; fails where there is none in time."""
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            told = self.told()
            if told is not None and name in told:
                return told
        raise AssertionError(f"nothing of {name} was told in {PATIENCE:g} seconds")

    def falls_silent(self, seconds: float) -> bool:
        """Return whether signs of life end: so many seconds without one, before patience does."""
        end = time.monotonic() + PATIENCE
        last = time.monotonic()
        while (now := time.monotonic()) < end:
            told = self.told(max(last + seconds - now, 0.01))
            if told is not None and "WATCHDOG" in told:
                last = time.monotonic()
            elif time.monotonic() - last >= seconds:
                return True
        return False

    def environment(self, watchdog: float | None = None) -> dict[str, str]:
        """Return the variables by which a service finds it; ``watchdog`` is in seconds."""
        found = {"NOTIFY_SOCKET": self.address}
        return found if watchdog is None else {**found, "WATCHDOG_USEC": str(int(watchdog * 1e6))}
