"""The client's figures: CPU and rate of sends beside requests, threads beside one thread, import beside import."""

from __future__ import annotations

import statistics
import subprocess
import sys
import threading
import time
from typing import TYPE_CHECKING, Any

import pytest
import requests

from devinotify import Client
from tests.benchmarks.ratios import report, side_by_side
from tests.benchmarks.server import SESSION_ID, fast_gateway

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

TEXT = "Привет, мир! Это проверка связи."
SENDS = 200


@pytest.fixture(scope="module")
def gateway() -> Iterator[tuple[str, str]]:
    """Run the fast gateway over TLS for all figures of this module."""
    with fast_gateway() as (url, ca):
        assert ca is not None
        yield url, ca


def _client(gateway: tuple[str, str]) -> Client:
    url, ca = gateway
    return Client(login="demo", password="demo", sender="TEST", gateway=url, ca=ca)


def _form() -> dict[str, str]:
    return {
        "SessionID": SESSION_ID.decode(),
        "SourceAddress": "TEST",
        "DestinationAddress": "79161234567",
        "Data": TEXT,
    }


def _times(count: int, run: Callable[[], Any]) -> Callable[[], None]:
    def repeated() -> None:
        for _ in range(count):
            run()

    return repeated


def test_cpu_of_one_send(gateway: tuple[str, str]) -> None:
    """A whole send of the client costs a fraction of the CPU of the bare post of a requests session."""
    url, ca = gateway
    with _client(gateway) as client, requests.Session() as session:
        medians = side_by_side(
            {
                "client": _times(SENDS, lambda: client.sms.send("79161234567", TEXT)),
                "requests.Session.post": _times(
                    SENDS, lambda: session.post(f"{url}/Sms/Send", data=_form(), verify=ca).json()
                ),
            }
        )
    ratio = medians["client"] / medians["requests.Session.post"]
    report("CPU of one send / requests.Session.post", ratio, "at most 0.75", ratio <= 0.75)
    print(f"  client {medians['client'] / SENDS * 1e6:.0f} µs a send")
    assert ratio > 0


def test_rate_of_sends(gateway: tuple[str, str]) -> None:
    """A client that keeps its connection sends many times as fast as one requests.post a message."""
    url, ca = gateway
    with _client(gateway) as client:
        medians = side_by_side(
            {
                "client": _times(SENDS, lambda: client.sms.send("79161234567", TEXT)),
                "requests.post": _times(
                    10, lambda: requests.post(f"{url}/Sms/Send", data=_form(), verify=ca, timeout=30)
                ),
            },
            rounds=7,
            clock=time.perf_counter,
        )
    ratio = (medians["requests.post"] / 10) / (medians["client"] / SENDS)
    report("sends/s / requests.post per message", ratio, "at least 25", ratio >= 25)
    assert ratio > 0


def test_threads_sharing_a_client(gateway: tuple[str, str]) -> None:
    """Thirty-two threads on one client send nearly as many a second as one thread."""
    with _client(gateway) as client:

        def run(threads: int) -> Callable[[], None]:
            def together() -> None:
                work = _times(640 // threads, lambda: client.sms.send("79161234567", TEXT))
                workers = [threading.Thread(target=work) for _ in range(threads)]
                for worker in workers:
                    worker.start()
                for worker in workers:
                    worker.join()

            return together

        medians = side_by_side({"32": run(32), "1": run(1)}, rounds=9, clock=time.perf_counter)
    ratio = medians["1"] / medians["32"]
    report("sends/s of 32 threads / of one thread", ratio, "at least 0.7", ratio >= 0.7)
    assert ratio > 0


def test_import() -> None:
    """Importing devinotify takes a fraction of the time of importing requests."""
    code = "import time; start = time.perf_counter(); import {}; print(time.perf_counter() - start)"

    def once(module: str) -> float:
        done = subprocess.run([sys.executable, "-c", code.format(module)], capture_output=True, text=True, check=True)
        return float(done.stdout)

    taken: dict[str, list[float]] = {"devinotify": [], "requests": []}
    for _ in range(11):
        for module, values in taken.items():
            values.append(once(module))
    ratio = statistics.median(taken["devinotify"]) / statistics.median(taken["requests"])
    report("import devinotify / import requests", ratio, "at most 0.02", ratio <= 0.02)
    assert ratio > 0
