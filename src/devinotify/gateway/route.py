"""The way to a gateway: which host and port, by TLS or not, through which proxy, and how long it may be used.

What the settings and the environment say of it is read once, when a client is made, and is the same for every kind
of client. Nothing is connected here.
"""

from __future__ import annotations

import os
import ssl
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from requests.utils import DEFAULT_CA_BUNDLE_PATH, get_auth_from_url, get_environ_proxies, select_proxy
from urllib3.exceptions import HTTPError
from urllib3.util import make_headers, parse_url

from devinotify.exceptions import InvalidURL, unadvised
from devinotify.hosts import is_loopback
from devinotify.redact import Secret, SecretBytes

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from devinotify.gateway.http1 import Reply

CONNECT_TIMEOUT = 5.0
"""Seconds that connecting may take, from the name's resolution to the end of the TLS handshake."""
IDLE_LIMIT = 4.0
"""Seconds after which an idle connection is not used again: servers close theirs from 5 seconds on, and a
request that meets the closing is of unknown outcome."""
_CA_VARIABLES = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE", "SSL_CERT_DIR")
_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True, repr=False)
class Proxy:
    """A proxy that opens tunnels; ``headers`` hold its credentials, where it asks for any."""

    url: Secret
    scheme: str
    host: str
    port: int
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, repr=False)
class Route:
    """The way to one gateway; ``tls`` is ``None`` where it speaks plain HTTP, ``proxy`` where it is reached directly.

    An address of IPv6 stands in ``host`` without its brackets. ``name`` is what errors call the gateway.
    """

    host: str
    port: int
    name: str
    tls: ssl.SSLContext | None = None
    proxy: Proxy | None = None

    @property
    def is_patched(self) -> bool:
        """Whether TLS has become another's since this was found: gevent came late, and its own is to be used."""
        return self.tls is not None and type(self.tls) is not ssl.SSLContext


def find_route(gateway: str, ca: str | None) -> Route:
    """Return the way to the gateway of this base URL.

    ``ca`` is a file or folder of CA certificates; without it REQUESTS_CA_BUNDLE, CURL_CA_BUNDLE, SSL_CERT_FILE and
    SSL_CERT_DIR are looked at, in this order, then certifi's bundle. Proxies are read from the environment, and passed
    by for a loopback gateway and for plain HTTP. Raises InvalidURL where the CA or the proxy cannot be used.
    """
    parts = urlsplit(gateway)
    host = parts.hostname or ""
    port = parts.port or _PORTS[parts.scheme]
    name = f"{host}:{parts.port}" if parts.port else host
    if parts.scheme == "http":
        return Route(host, port, name)
    # One context per client: reading the whole CA bundle costs about 25 ms.
    context = _tls_context(ca)
    proxy = None if is_loopback(host) else select_proxy(gateway, get_environ_proxies(gateway))
    return Route(host, port, name, context, _read_proxy(proxy) if proxy else None)


def connect_request(host: str, port: int, headers: Mapping[str, str]) -> SecretBytes:
    """Return the request that asks a proxy for a tunnel to a host, with the proxy's own headers."""
    name = f"[{host}]" if ":" in host else host
    place = f"{name}:{port}"
    lines = [f"CONNECT {place} HTTP/1.1", f"Host: {place}"]
    lines += [Secret(f"{key}: {value}") for key, value in headers.items()]
    return SecretBytes("\r\n".join([*lines, "", ""]), "latin-1")


def check_tunnel(reply: Reply) -> None:
    """Raise OSError where the proxy refused the tunnel."""
    if not 200 <= reply.status < 300:
        raise OSError(f"the proxy refused the tunnel with status {reply.status}")


def _read_proxy(proxy: str) -> Proxy:
    url = Secret(proxy if "://" in proxy else f"http://{proxy}")
    login, password = map(Secret, get_auth_from_url(url))
    try:
        parts = parse_url(url)
        if parts.scheme in _PORTS and parts.host:
            headers = make_headers(proxy_basic_auth=f"{login}:{password}") if login else {}
            return Proxy(url, parts.scheme, parts.host.strip("[]"), parts.port or _PORTS[parts.scheme], headers)
    except (HTTPError, ValueError):
        pass
    # Raised out here, so that the other error, which holds the proxy's URL, is not part of the traceback.
    raise InvalidURL("the proxy in the environment cannot be used: it must be an http:// or https:// URL")


def _tls_context(ca: str | None) -> ssl.SSLContext:
    # By the class that stands in ``ssl`` now: urllib3's own maker keeps the one of before, and where gevent has put its
    # own in the place of that, settings of the other end in a RecursionError.
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # checks certificates and host names
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.options |= ssl.OP_NO_COMPRESSION | ssl.OP_NO_TICKET
    if sys.version_info >= (3, 13):  # as Python's own default is from there on
        context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN | ssl.VERIFY_X509_STRICT
    context.hostname_checks_common_name = False
    if key_log := os.environ.get("SSLKEYLOGFILE"):
        context.keylog_filename = os.path.expandvars(key_log)
    path = next(_ca_paths(ca))
    try:
        if Path(path).is_dir():
            context.load_verify_locations(capath=path)
        else:
            context.load_verify_locations(cafile=path)
    except OSError:  # ssl.SSLError is one too
        raise unadvised(
            InvalidURL(f"bad value for ca: {path} is not a readable file or folder of CA certificates")
        ) from None
    return context


def _ca_paths(ca: str | None) -> Iterator[str]:
    if ca:
        yield ca
    for variable in _CA_VARIABLES:
        if value := os.environ.get(variable):
            yield value
    yield DEFAULT_CA_BUNDLE_PATH
