"""Certificates, servers and clients of the fault tests."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

from devinotify import Client
from tests.faults.certificates import Certificates, make_certificates
from tests.faults.harness import SETTINGS_FROM_OUTSIDE
from tests.faults.kinds import KINDS
from tests.faults.server import LOGIN, PASSWORD, FaultServer

if TYPE_CHECKING:
    import ssl

ClientMaker = Callable[..., Client]
Meeting = tuple[FaultServer, ClientMaker]
Anew = Callable[[], AbstractContextManager[Meeting]]


@pytest.fixture(autouse=True)
def _no_settings_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep the proxies and CA files of the machine's own environment out of the tests."""
    for name in SETTINGS_FROM_OUTSIDE:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


@pytest.fixture(scope="session")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    """Certificates made once for all the tests."""
    return make_certificates(tmp_path_factory.mktemp("certificates"))


@pytest.fixture(params=["plain", "tls"])
def server(request: pytest.FixtureRequest, certificates: Certificates) -> Iterator[FaultServer]:
    """A server that speaks plain HTTP, and one that speaks TLS."""
    with FaultServer(certificates.good if request.param == "tls" else None) as running:
        yield running


@pytest.fixture
def tls_server(certificates: Certificates) -> Iterator[FaultServer]:
    """A server that speaks TLS."""
    with FaultServer(certificates.good) as running:
        yield running


@pytest.fixture(scope="session", params=KINDS)
def kind(request: pytest.FixtureRequest) -> Callable[..., Any]:
    """Each kind of client there is, as what makes one that is called as the blocking one is."""
    made: Callable[..., Any] = KINDS[request.param]
    return made


@contextmanager
def clients(certificates: Certificates, kind: Callable[..., Any]) -> Iterator[ClientMaker]:
    """Give a maker of clients for a server, closed at the end; keyword arguments override the usual settings."""
    with ExitStack() as stack:

        def make(server: FaultServer, **settings: object) -> Client:
            usual: dict[str, object] = {
                "login": LOGIN,
                "password": PASSWORD,
                "sender": "Acme",
                "gateway": server.base,
                "ca": str(certificates.ca),
                # Whatever is to time out says so itself: a login that a busy machine answers late is asked for again.
                "timeout": 30.0,
            }
            client: Client = stack.enter_context(kind(**(usual | settings)))
            return client

        yield make


@pytest.fixture
def make_client(certificates: Certificates, kind: Callable[..., Any]) -> Iterator[ClientMaker]:
    """Return a maker of clients."""
    with clients(certificates, kind) as make:
        yield make


@contextmanager
def met(tls: ssl.SSLContext | None, certificates: Certificates, kind: Callable[..., Any]) -> Iterator[Meeting]:
    """Give a server, and a maker of its clients."""
    with FaultServer(tls) as server, clients(certificates, kind) as make:
        yield server, make


@pytest.fixture(params=["plain", "tls"])
def anew(request: pytest.FixtureRequest, certificates: Certificates, kind: Callable[..., Any]) -> Anew:
    """Return what gives each row of a table a server of its own, of plain HTTP and of TLS, and a maker of clients."""
    return partial(met, certificates.good if request.param == "tls" else None, certificates, kind)


@pytest.fixture
def anew_over_tls(certificates: Certificates, kind: Callable[..., Any]) -> Anew:
    """Return what gives each row of a table a server of its own that speaks TLS, and a maker of clients."""
    return partial(met, certificates.good, certificates, kind)
