"""The certificates of the fault tests: one CA that the clients trust, and the wrong ones."""

from __future__ import annotations

import datetime
import ssl
from dataclasses import dataclass
from typing import TYPE_CHECKING

import trustme

if TYPE_CHECKING:
    from pathlib import Path

GATEWAY_NAME = "gateway.example"
"""The host name, not of this machine, that the trusted certificate holds too: for the tests through a proxy."""

GATEWAY_ADDRESS = "2001:db8::1"
"""An IPv6 address that is nobody's, and that certificate's too."""


@dataclass(frozen=True, slots=True)
class Certificates:
    """``ca`` is the file that clients trust; the rest are what servers show.

    ``good`` is of that CA and holds the loopback names and GATEWAY_NAME; ``stranger`` holds the same names
    but is of another CA; ``misnamed`` and ``outdated`` are of the CA, but for another host or another time.
    """

    ca: Path
    good: ssl.SSLContext
    stranger: ssl.SSLContext
    misnamed: ssl.SSLContext
    outdated: ssl.SSLContext


def make_certificates(folder: Path) -> Certificates:
    """Return certificates made now; the CA file is written into ``folder``."""
    authority, other = trustme.CA(), trustme.CA()
    names = ("127.0.0.1", "::1", "localhost", GATEWAY_NAME, GATEWAY_ADDRESS)
    past = datetime.datetime(2020, 1, 1, tzinfo=datetime.UTC)
    ca = folder / "ca.pem"
    authority.cert_pem.write_to_path(ca)
    return Certificates(
        ca=ca,
        good=_server_context(authority.issue_cert(*names)),
        stranger=_server_context(other.issue_cert(*names)),
        misnamed=_server_context(authority.issue_cert("elsewhere.example")),
        outdated=_server_context(
            authority.issue_cert(*names, not_before=past, not_after=past + datetime.timedelta(days=1))
        ),
    )


def _server_context(certificate: trustme.LeafCert) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate.configure_cert(context)
    return context
