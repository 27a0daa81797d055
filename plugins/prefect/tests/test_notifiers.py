"""The notifiers of a process: what is shared, that a fork goes on, and that all of it is closed."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from devinotify import AsyncNotifier, DevinoURL, Pool

from devinotify_prefect.notifiers import close
from tests.servers import PATIENCE, unmeasured
from tests.support import ONE, TWO, arrived, block_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from devinotify.sandbox import Sandbox


Notifiers = Pool[DevinoURL, AsyncNotifier]


@pytest.fixture
def notifiers() -> Iterator[Notifiers]:
    """Notifiers that are closed after the test."""
    made: Notifiers = Pool(AsyncNotifier, close)
    yield made
    made.close()


def settings_of(gateway: Sandbox, **changes: object) -> DevinoURL:
    """Return settings for the gateway."""
    return DevinoURL.parse(gateway.url).with_options(**changes)


def test_one_for_each_url(gateway: Sandbox, notifiers: Notifiers) -> None:
    """Settings that are equal have one notifier, others another."""
    one = notifiers.get(settings_of(gateway))
    assert one is notifiers.get(settings_of(gateway)) is notifiers.known(settings_of(gateway))
    assert notifiers.known(settings_of(gateway, validity=5)) is None
    assert one is not notifiers.get(settings_of(gateway, validity=5))


def test_blocks_share_a_login(gateway: Sandbox) -> None:
    """However many blocks there are and however they are used, on one loop or another or none, there is one login."""
    for text in ("one", "two"):
        block_of(gateway).notify(text)
        asyncio.run(block_of(gateway, to=[TWO]).anotify(text))
    assert [(ONE, "one"), (TWO, "one"), (ONE, "two"), (TWO, "two")] == arrived(gateway)
    logins = [request for request in gateway.requests() if "SessionID" in (request.operation or "")]
    assert 1 == len(logins)


def test_used_again_after_it_was_closed(gateway: Sandbox, notifiers: Notifiers) -> None:
    """What is closed is forgotten, and made anew when it is asked for."""
    one = notifiers.get(settings_of(gateway))
    notifiers.close()
    assert one is not notifiers.get(settings_of(gateway))


def test_accounts_outlive_a_fork(gateway: Sandbox, notifiers: Notifiers) -> None:
    """What nobody was at work on is kept in a child, which need not make its notifiers again."""
    one = notifiers.get(settings_of(gateway))
    notifiers.start_anew()
    assert one is notifiers.get(settings_of(gateway))


def test_half_done_work_is_forgotten(gateway: Sandbox, notifiers: Notifiers) -> None:
    """What somebody was at work on when the process was forked is made again in the child, which waits for nobody."""
    one = notifiers.get(settings_of(gateway))
    notifiers._lock.acquire()
    notifiers.start_anew()
    assert one is not notifiers.get(settings_of(gateway))
    one.notifier.close()


BLOCK = """
import asyncio, os, signal, sys, threading
from devinotify_prefect import DevinoNotification
from devinotify_prefect.notifiers import shared

block = DevinoNotification(url=sys.argv[1], to=sys.argv[2])
"""
FORKED = """
asyncio.run(block.anotify("before"))
taken, over = threading.Event(), threading.Event()

def hold():
    with shared._lock:
        taken.set()
        over.wait()

threading.Thread(target=hold).start()
taken.wait()
child = os.fork()
if child == 0:
    signal.alarm(60)
    asyncio.run(DevinoNotification(url=sys.argv[1], to=sys.argv[3]).anotify("text"))
    shared.close()
    os._exit(0)
status = os.waitpid(child, 0)[1]
over.set()
sys.exit(os.waitstatus_to_exitcode(status))
"""
BEGUN = """
from devinotify import Notifier

begun, send = threading.Event(), Notifier.notify

def notify(*arguments, **options):
    begun.set()
    return send(*arguments, **options)

Notifier.notify = notify

async def begin():
    sending = asyncio.create_task(block.anotify("begun"))
    while not begun.is_set():
        await asyncio.sleep(0.01)
    sending.cancel()

asyncio.run(begin())
"""


def run(gateway: Sandbox, program: str, *ignored: str) -> None:
    """Run a program that has a block, with every warning but these an error; it must end by itself and in silence."""
    command = [sys.executable, "-W", "error", *(f"-Wignore::{kind}" for kind in ignored), "-c", f"{BLOCK}{program}"]
    environment = {**unmeasured(), "PREFECT_LOGGING_LEVEL": "ERROR"}
    done = subprocess.run(
        [*command, gateway.url, ONE, TWO],
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
        env=environment,
    )
    assert (0, "", "") == (done.returncode, done.stdout, done.stderr)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork")
def test_a_forked_process_sends(gateway: Sandbox) -> None:
    """A process that is forked off sends, whatever the parent's threads were at: it never waits for one of them."""
    # Python 3.12 warns of threads; and of what the parent has open the child closes nothing, as somebody may be at it.
    run(gateway, FORKED, "DeprecationWarning", "ResourceWarning")
    assert [(ONE, "before"), (TWO, "text")] == arrived(gateway)


def test_an_end_without_a_loop(gateway: Sandbox) -> None:
    """A program that has never had an event loop, and closes nothing by itself, ends in silence."""
    run(gateway, "block.notify('text')")
    assert [(ONE, "text")] == arrived(gateway)


def test_an_end_waits_for_what_was_begun(gateway: Sandbox) -> None:
    """What nobody waits for any more, as its loop was ended, is sent before the process ends."""
    gateway.add_fault("latency", operation="Sms/Send", seconds=1)
    run(gateway, BEGUN)
    assert [(ONE, "begun")] == arrived(gateway)
