"""The pool: what is shared, what is let go, and that using it goes on."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from devinotify import DevinoURL

from devinotify_apprise.pool import Pool
from tests.support import ONE, TWO, arrived, url_of

if TYPE_CHECKING:
    from devinotify.sandbox import Sandbox


def settings_of(gateway: Sandbox, **changes: object) -> DevinoURL:
    """Return settings for the gateway."""
    return DevinoURL.parse(gateway.url).with_options(**changes)


def test_same_settings_share_a_notifier(gateway: Sandbox) -> None:
    """Settings that are equal have one notifier, others another, with the same client."""
    pool = Pool()
    one, again = pool.notifier(settings_of(gateway)), pool.notifier(settings_of(gateway))
    other = pool.notifier(settings_of(gateway, validity=5))
    assert one is again
    assert one is not other
    assert one.client is other.client
    pool.close()


def test_other_limits_need_another_client(gateway: Sandbox) -> None:
    """A client has one time limit, so another limit is another client."""
    pool = Pool()
    one, other = pool.notifier(settings_of(gateway)), pool.notifier(settings_of(gateway, timeout=1.0))
    assert one.client is not other.client
    pool.close()


def test_nothing_of_a_message_is_inherited(gateway: Sandbox) -> None:
    """The first URL's validity is not the next one's."""
    pool = Pool()
    pool.notifier(settings_of(gateway, validity=5))
    assert pool.notifier(settings_of(gateway)).client.url.validity is None
    pool.close()


def test_lets_go_of_the_oldest(gateway: Sandbox) -> None:
    """What was not used for longest is let go, and whoever has it may still send."""
    pool = Pool(capacity=1)
    first = pool.notifier(settings_of(gateway))
    assert "accepted" == first.notify("one", ONE)[0].verdict
    assert pool.notifier(settings_of(gateway, timeout=1.0)) is not first
    assert "accepted" == first.notify("two", ONE)[0].verdict
    assert pool.notifier(settings_of(gateway)) is not first
    first.client.close()
    pool.close()


FORKED = """
import os, signal, sys, threading
from devinotify_apprise import NotifyDevino
from devinotify_apprise.pool import shared

def send(url):
    return NotifyDevino(**NotifyDevino.parse_url(url)).notify("text")

held, over = threading.Event(), threading.Event()

def hold():
    with shared._lock:
        held.set()
        over.wait()

assert send(sys.argv[1])
if sys.argv[3] == "held":
    threading.Thread(target=hold).start()
    held.wait()
child = os.fork()
if child == 0:
    signal.alarm(20)
    os._exit(0 if send(sys.argv[2]) else 1)
status = os.waitpid(child, 0)[1]
over.set()
sys.exit(os.waitstatus_to_exitcode(status))
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork")
@pytest.mark.parametrize("lock", ["held", "free"])
def test_forked_child_sends(lock: str, gateway: Sandbox) -> None:
    """A process that is forked off sends, whatever the parent's threads were at: it never waits for one of them."""
    command = [sys.executable, "-W", "ignore::DeprecationWarning", "-c", FORKED, url_of(gateway, ONE)]
    done = subprocess.run([*command, url_of(gateway, TWO), lock], capture_output=True, timeout=60, check=False)
    assert (0, b"") == (done.returncode, done.stderr)
    assert [(ONE, "text"), (TWO, "text")] == arrived(gateway)


def test_accounts_outlive_a_fork(gateway: Sandbox) -> None:
    """What nobody was at work on is kept, so that a child need not make its clients again."""
    pool = Pool()
    one = pool.notifier(settings_of(gateway))
    pool.start_anew()
    assert one is pool.notifier(settings_of(gateway))
    pool.close()


def test_half_done_work_is_forgotten(gateway: Sandbox) -> None:
    """What somebody was at work on when the process was forked is made again."""
    pool = Pool()
    one = pool.notifier(settings_of(gateway))
    pool._lock.acquire()
    pool.start_anew()
    assert one is not pool.notifier(settings_of(gateway))
    one.close()
    one.client.close()
    pool.close()
