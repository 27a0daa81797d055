"""A storm: 100,000 records from eight threads, and every one of them accounted for."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest

from devinotify_logging import DevinoHandler
from tests.support import run, texts, told, url_of

if TYPE_CHECKING:
    import logging

    from devinotify.sandbox import Sandbox

THREADS, EACH = 8, 12_500


@pytest.mark.parametrize("kinds", [1, 50], ids=["one kind", "fifty kinds"])
def test_storm(gateway: Sandbox, logger: logging.Logger, kinds: int) -> None:
    """The gateway gets what the limits allow; counters and messages each add up to the last record."""
    handler = DevinoHandler(url_of(gateway), burst=5, rate="1/h", dedupe="1s", daily_limit=50, flush_timeout=60)
    logger.addHandler(handler)
    templates = [f"error {chr(65 + kind % 26) * (1 + kind // 26)} on %d" for kind in range(kinds)]

    def storm(thread: int) -> None:
        for number in range(EACH):
            logger.error(templates[(thread + number) % kinds], number)

    threads = [threading.Thread(target=storm, args=(number,)) for number in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
        assert not thread.is_alive()
    handler.flush()
    counters = handler.counters
    recorded = counters.held + counters.shown + counters.repeated + counters.suppressed
    assert (THREADS * EACH, 0) == (counters.offered, counters.queued)
    assert counters.offered == counters.dropped + recorded
    assert 1 <= len(texts(gateway)) == counters.messages == counters.accepted <= 5


def test_storm_told_in_full(gateway: Sandbox) -> None:
    """A program that storms and ends tells of all: the numbers in the messages add up to what was logged."""
    code = (
        "import logging, sys, threading\nfrom devinotify_logging import DevinoHandler\n"
        "log = logging.getLogger('shop')\n"
        "log.addHandler(DevinoHandler(sys.argv[1], burst=20, rate='20/s', dedupe='1s', flush_timeout=60))\n"
        "def storm():\n    for number in range(12500): log.error('disk full on %d', number)\n"
        "threads = [threading.Thread(target=storm) for _ in range(8)]\n"
        "for thread in threads: thread.start()\n"
        "for thread in threads: thread.join()\n"
    )
    assert ("", "", 0) == run(code, url_of(gateway), timeout=120)
    assert THREADS * EACH == told(gateway)
