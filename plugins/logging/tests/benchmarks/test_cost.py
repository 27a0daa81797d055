"""The figures, as ratios of one run: ``pytest -s tests/benchmarks``.

The cost that a program sees of ``logger.error`` is compared with that of stdlib's QueueHandler, whose QueueListener
hands to a handler that does nothing: the least that handing a record to another thread costs there.
"""

from __future__ import annotations

import gc
import logging
import logging.handlers
import queue
import resource
import statistics
import threading
import time
import tracemalloc
from typing import TYPE_CHECKING, Any

import pytest

from devinotify_logging import DevinoHandler
from tests.support import url_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from devinotify.sandbox import Sandbox

CALLS, ROUNDS = 4000, 9


def report(what: str, value: float, target: str, met: bool) -> None:
    """Print one line of the figures."""
    print(f"\n{what}: {value:.3g} (target {target}; {'met' if met else 'NOT met'})")


def timed(log: Callable[[int], None]) -> tuple[float, float]:
    """Return the mean and the 99th percentile of one call, in microseconds of the wall clock."""
    taken = []
    for number in range(CALLS):
        start = time.perf_counter_ns()
        log(number)
        taken.append(time.perf_counter_ns() - start)
    return statistics.fmean(taken) / 1000, statistics.quantiles(taken, n=100)[98] / 1000


def plain(logger: logging.Logger) -> Callable[[int], None]:
    """Return a call that logs a message with two arguments."""
    return lambda number: logger.error("disk full on %s, %d left", "db3", number)


def raising(logger: logging.Logger) -> Callable[[int], None]:
    """Return a call that logs an exception."""

    def call(number: int) -> None:
        try:
            raise OSError(number)
        except OSError:
            logger.exception("job %d failed", number)

    return call


@pytest.mark.parametrize("what", [plain, raising], ids=["message", "exception"])
@pytest.mark.parametrize("threads", [1, 8], ids=["one thread", "eight threads"])
def test_cost_to_the_caller(
    gateway: Sandbox, what: Callable[[logging.Logger], Callable[[int], None]], threads: int
) -> None:
    """A call costs at most what QueueHandler with a QueueListener costs, at the 99th percentile as well."""
    loggers = {}
    records: queue.Queue[Any] = queue.Queue()
    listener = logging.handlers.QueueListener(records, logging.NullHandler())
    ours = DevinoHandler(url_of(gateway), queue_size=100_000, flush_timeout=60)
    for name, handler in (("theirs", logging.handlers.QueueHandler(records)), ("ours", ours)):
        loggers[name] = logging.getLogger(f"benchmark.{name}")
        loggers[name].propagate, loggers[name].handlers = False, [handler]
    listener.start()
    means: dict[str, list[float]] = {"theirs": [], "ours": []}
    tails: dict[str, list[float]] = {"theirs": [], "ours": []}
    for turn in range(ROUNDS + 1):
        for name, logger in loggers.items():
            others = [threading.Thread(target=timed, args=(what(logger),)) for _ in range(threads - 1)]
            for other in others:
                other.start()
            mean, tail = timed(what(logger))
            for other in others:
                other.join()
            # Each begins with nothing left over from the other.
            ours.flush()
            while not records.empty():
                time.sleep(0.001)
            if turn:  # the first is a warm-up
                means[name].append(mean)
                tails[name].append(tail)
    listener.stop()
    ours.close()
    mean = statistics.median(means["ours"]) / statistics.median(means["theirs"])
    tail = statistics.median(tails["ours"]) / statistics.median(tails["theirs"])
    label = f"logger.error with {what.__name__}, {threads} threads"
    microseconds = f"{statistics.median(means['ours']):.1f} us against {statistics.median(means['theirs']):.1f} us"
    report(f"{label}: mean, DevinoHandler / QueueHandler+QueueListener [{microseconds}]", mean, "<= 1", mean <= 1)
    report(f"{label}: p99, DevinoHandler / QueueHandler+QueueListener", tail, "<= 1", tail <= 1)
    assert mean <= 1
    assert tail <= 1


@pytest.mark.parametrize("kinds", ["equal", "distinct"])
def test_storm_holds_memory_flat(gateway: Sandbox, kinds: str) -> None:
    """From the 50,000th record of a storm to the 500,000th the process grows by next to nothing."""
    handler = DevinoHandler(url_of(gateway), flush_timeout=60)
    logger = logging.getLogger("benchmark.storm")
    logger.propagate, logger.handlers = False, [handler]

    def storm(first: int, last: int) -> None:
        for number in range(first, last):
            logger.error("disk full" if kinds == "equal" else f"disk full {number}")
        handler.flush()
        gc.collect()

    storm(0, 50_000)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    storm(50_000, 500_000)
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 2**10
    tracemalloc.start()
    held = tracemalloc.get_traced_memory()[0]
    storm(500_000, 550_000)
    traced = (tracemalloc.get_traced_memory()[0] - held) / 2**20
    tracemalloc.stop()
    report(f"a storm of 450,000 {kinds} records: growth of the process at its peak in MiB", grown, "<= 4", grown <= 4)
    report(f"a storm of 50,000 {kinds} records: growth of Python's memory in MiB", traced, "<= 1", traced <= 1)
    assert grown <= 4
    assert traced <= 1
