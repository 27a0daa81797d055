"""Where the sandbox listens, and by what name it is reached there."""

from __future__ import annotations

import contextlib
import re
import socket
from ipaddress import ip_address

from devinotify.hosts import LOCALHOST, is_address, is_loopback
from devinotify.sandbox.access import check_token

LOOPBACK_ONLY = (
    "the sandbox listens on loopback (127.0.0.1, ::1 or localhost); another address needs --allow-remote and a token"
)
TOKEN_MISSING = "another address than loopback needs a token"  # noqa: S105 - what is said of it

_HOST_NAME = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?", re.ASCII)
_ELSEWHERE = {socket.AF_INET: ("192.0.2.1", "127.0.0.1"), socket.AF_INET6: ("2001:db8::1", "::1")}
"""For each family an address of the documentation range, which nobody has, and the one of this machine."""


def check_host(host: str, *, allow_remote: bool = False, token: str | None = None) -> None:
    """Pass a loopback address or ``localhost``, and any other address where that is allowed and a token is set.

    Raises ValueError otherwise, for any other name, since whoever resolves it says where that is, and for a token that
    is too short.
    """
    if token is not None:
        check_token(token)
    if not is_address(host) and host.lower() != LOCALHOST:
        raise ValueError(LOOPBACK_ONLY)
    loopback = is_loopback(host)
    if not loopback and not allow_remote:
        raise ValueError(LOOPBACK_ONLY)
    if not loopback and token is None:
        raise ValueError(TOKEN_MISSING)


def reachable_name(host: str) -> str:
    """Return what a URL names to reach a server that listens on ``host``.

    That is ``host`` itself, unless it means every address (``0.0.0.0``, ``::``), which nobody can connect to
    from elsewhere: then it is the machine's name where that can be looked up, else its address.
    """
    if is_loopback(host) or not ip_address(host).is_unspecified:
        return host
    name = socket.gethostname()
    if _HOST_NAME.fullmatch(name):
        with contextlib.suppress(OSError):
            socket.getaddrinfo(name, None)
            return name
    return _own_address(socket.AF_INET6 if ":" in host else socket.AF_INET)


def _own_address(family: socket.AddressFamily) -> str:
    """Return the address that this machine has on its way to others, or loopback where it has no way out."""
    elsewhere, here = _ELSEWHERE[family]
    with contextlib.suppress(OSError), socket.socket(family, socket.SOCK_DGRAM) as probe:
        probe.connect((elsewhere, 9))  # Chooses a route; not a byte is sent.
        return str(probe.getsockname()[0])
    return here
