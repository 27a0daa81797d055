"""Which hosts mean this machine, and what the base URL of a gateway may be. Pure."""

from __future__ import annotations

import re
from ipaddress import IPv6Address, ip_address
from urllib.parse import quote, urlsplit

LOCALHOST = "localhost"
"""The name of loopback; by RFC 6761 one that ends in it, behind a dot, is another."""
_LABEL = re.compile(r"(?!-)[0-9A-Za-z_-]{1,63}(?<!-)")
_HOST_LENGTH = 253  # characters of a name, by RFC 1035
_PATH = "/%:@!$&'()*+,;=~-._"
"""What stands for itself in a path, and the sign of what is escaped already (RFC 3986)."""


def is_loopback(host: str) -> bool:
    """Whether a host name or address means this machine, and can mean no other.

    It is written as ``urllib.parse`` gives it: an IPv6 address without brackets. An address with a dot after it, or
    with a scope, does not: the one is a name that a resolver is asked for, and what the other means is the system's
    affair.
    """
    name = host.lower()
    if f".{name.removesuffix('.')}".endswith(f".{LOCALHOST}"):
        return True
    if "%" in name or not is_address(name):
        return False
    address = ip_address(name)
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        return address.ipv4_mapped.is_loopback  # which newer Pythons alone see in the address itself
    return address.is_loopback


def is_address(host: str) -> bool:
    """Whether this is an IP address, and not a name that somebody has to be asked for."""
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


def is_base_url(value: object) -> bool:
    """Whether this is a gateway's base URL: http or https, in ASCII, with a host and without credentials or query."""
    # Printable, without what would end the base URL or mean something else to another reader of it.
    if not isinstance(value, str) or not value.isascii() or not value.isprintable():
        return False
    if any(sign in value for sign in " ?#\\"):
        return False
    try:
        parts = urlsplit(value)
        host, _ = parts.hostname, parts.port
    except ValueError:
        return False
    if not host or "@" in parts.netloc or not _is_host(host):
        return False
    return parts.scheme in ("https", "http")


def ascii_form(gateway: str) -> str:
    """Return a gateway's URL in the ASCII that goes over the wire; as it is where it cannot be written so."""
    if gateway.isascii():
        return gateway
    try:
        parts = urlsplit(gateway)
        host = (parts.hostname or "").encode("idna").decode("ascii")
        netloc = host if parts.port is None else f"{host}:{parts.port}"
        if "@" in parts.netloc:
            return gateway
        return parts._replace(netloc=netloc, path=quote(parts.path, safe=_PATH)).geturl()
    except ValueError:  # a UnicodeError is one too
        return gateway


def _is_host(host: str) -> bool:
    """Whether this is an address, or a name of ASCII labels; with a dot at its end or not."""
    if ":" in host:
        return "%" not in host  # of the brackets' inside urlsplit has seen that it is an address
    labels = host.removesuffix(".").split(".")
    if labels[-1].isdecimal() or labels[-1].lower().startswith("0x"):  # read as an address, if not by everybody
        try:
            return ip_address(host).version == 4
        except ValueError:
            return False
    return len(host) <= _HOST_LENGTH and all(map(_LABEL.fullmatch, labels))
