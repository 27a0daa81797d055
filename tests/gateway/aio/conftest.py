"""Servers, clients and loops of the tests of the client of an event loop."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterator
from typing import Any

import pytest
import uvloop

from devinotify import AsyncClient
from devinotify.gateway.aio import warmup
from tests.faults.certificates import Certificates, make_certificates
from tests.faults.server import LOGIN, PASSWORD, FaultServer

LOOPS: dict[str, Callable[[], asyncio.AbstractEventLoop]] = {
    "stock": asyncio.new_event_loop,
    "uvloop": uvloop.new_event_loop,
}
Run = Callable[[Coroutine[Any, Any, Any]], Any]


@pytest.fixture(scope="session")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    """Certificates made once for all the tests."""
    return make_certificates(tmp_path_factory.mktemp("certificates"))


@pytest.fixture(scope="session", autouse=True)
def _warm() -> None:
    """Have in memory what the first send of a process reads, so that no test is the first."""
    asyncio.run(warmup.warm_up("RU"))


@pytest.fixture(params=["plain", "tls"])
def server(request: pytest.FixtureRequest, certificates: Certificates) -> Iterator[FaultServer]:
    """A server that speaks plain HTTP, and one that speaks TLS."""
    with FaultServer(certificates.good if request.param == "tls" else None) as running:
        yield running


@pytest.fixture(params=LOOPS)
def run(request: pytest.FixtureRequest) -> Iterator[Run]:
    """Run a coroutine on each kind of loop, which leaves no task and hears of no error that nobody took."""
    complaints: list[dict[str, Any]] = []

    async def watched(work: Coroutine[Any, Any, Any]) -> Any:  # noqa: ANN401 - whatever it answers
        asyncio.get_running_loop().set_exception_handler(lambda _, context: complaints.append(context))
        result = await work
        left = asyncio.all_tasks() - {asyncio.current_task()}
        assert set() == left
        return result

    def run_watched(work: Coroutine[Any, Any, Any]) -> Any:  # noqa: ANN401 - as above
        with asyncio.Runner(loop_factory=LOOPS[request.param]) as runner:
            return runner.run(watched(work))

    yield run_watched
    assert [] == complaints


@pytest.fixture
def make(certificates: Certificates) -> Callable[..., AsyncClient]:
    """Return a maker of clients of a server; keyword arguments override the usual settings."""

    def make_client(server: FaultServer, **settings: Any) -> AsyncClient:  # noqa: ANN401 - settings of any type
        usual: dict[str, Any] = {
            "login": LOGIN,
            "password": PASSWORD,
            "sender": "Acme",
            "gateway": server.base,
            "ca": str(certificates.ca),
            "timeout": 5.0,
        }
        return AsyncClient(**(usual | settings))

    return make_client
