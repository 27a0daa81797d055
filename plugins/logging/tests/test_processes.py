"""Forks, crashes and ends, with real processes: what is delivered, and what is not."""

from __future__ import annotations

import os
import signal
import time
import urllib.request
from typing import TYPE_CHECKING

import pytest
from devinotify import Notifier, Outbox, Worker
from devinotify.sandbox import Sandbox

from tests.support import NUMBER, free_port, run, start, texts, told, url_of, wait_for_line

if TYPE_CHECKING:
    from pathlib import Path

SETUP = """
import logging, os, sys, time
from devinotify_logging import DevinoHandler
log = logging.getLogger("shop")
"""

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="forks, and kills by signals")


def words(gateway: Sandbox) -> list[str]:
    """Return the last word of each message that arrived, sorted."""
    return sorted(text.split("\n")[0].rpartition(" ")[2] for text in texts(gateway))


def test_exit_delivers(gateway: Sandbox) -> None:
    """What is logged just before the program ends is delivered by its exit hook."""
    code = SETUP + "log.addHandler(DevinoHandler(sys.argv[1]))\nlog.error('goodbye')"
    assert ("", "", 0) == run(code, url_of(gateway))
    assert ["goodbye"] == words(gateway)


def test_crash_delivers(gateway: Sandbox) -> None:
    """A program that dies of an exception tells of it before it is gone."""
    code = SETUP + (
        "log.addHandler(DevinoHandler(sys.argv[1]))\n"
        "sys.excepthook = lambda *error: log.critical('crashed', exc_info=error)\n"
        "def main(): raise RuntimeError('out of luck')\nmain()"
    )
    assert 1 == run(code, url_of(gateway))[2]
    assert texts(gateway)[0].endswith("crashed\nRuntimeError <string>:7 in main: out of luck")


def test_exit_with_a_full_queue(gateway: Sandbox) -> None:
    """A program that ends with a full queue delivers what the limits allow, and the numbers tell of the rest."""
    code = SETUP + (
        "log.addHandler(DevinoHandler(sys.argv[1], queue_size=1000))\nfor _ in range(5000): log.error('disk full')"
    )
    assert ("", "", 0) == run(code, url_of(gateway))
    assert (2, 5000) == (len(texts(gateway)), told(gateway))


def test_exit_is_bounded(gateway: Sandbox) -> None:
    """A gateway that hangs keeps the program from ending no longer than ``flush_timeout``."""
    gateway.add_fault("latency", seconds=8, times=1)
    code = SETUP + (
        "log.addHandler(DevinoHandler(sys.argv[1], flush_timeout=0.5))\nlog.error('stuck')\n"
        "import atexit\nstart = time.monotonic()\n"
        "import devinotify_logging.lifecycle as it\n"
        # Told when all is over, what logging's own exit hook does included.
        "atexit.unregister(it.finish_all)\natexit.unregister(logging.shutdown)\n"
        "atexit.register(lambda: print(time.monotonic() - start < 0.9))\n"
        "atexit.register(logging.shutdown)\natexit.register(it.finish_all)\n"
    )
    out, err, code_ = run(code, url_of(gateway))
    assert ("True\n", "", 0) == (out, err, code_)
    gateway.remove_fault()


def test_exit_does_not_wait_for_the_rate(gateway: Sandbox) -> None:
    """What the rate holds back at the end is given up, and the program ends at once."""
    code = SETUP + (
        "log.addHandler(DevinoHandler(sys.argv[1], burst=2, rate='1/h'))\n"
        "for name in 'abcdef': log.error('error ' + name)\nprint(time.monotonic())"
    )
    before = time.monotonic()
    assert 0 == run(code, url_of(gateway))[2]
    assert time.monotonic() - before < 4.5
    assert ["a", "b"] == words(gateway)


def test_logged_by_another_exit_hook(gateway: Sandbox) -> None:
    """What an exit hook logs is delivered, registered before ours or after it."""
    code = (
        "import atexit\natexit.register(lambda: log.error('early'))\n"
        + SETUP
        + "log.addHandler(DevinoHandler(sys.argv[1]))\natexit.register(lambda: log.error('late'))"
    )
    assert ("", "", 0) == run(code, url_of(gateway))
    assert ["early", "late"] == words(gateway)


def test_fork(gateway: Sandbox) -> None:
    """A child has a queue and a thread of its own: it sends what it logs and nothing of its parent's."""
    code = SETUP + (
        "handler = DevinoHandler(sys.argv[1], burst=10)\nlog.addHandler(handler)\n"
        "log.error('parent 1')\n"
        "pid = os.fork()\n"
        "log.error('child' if not pid else 'parent 2')\n"
        "if not pid: assert handler.counters.offered == 1\n"
        "else: os.waitpid(pid, 0)"
    )
    assert ("", "", 0) == run(code, url_of(gateway))
    assert ["1", "2", "child"] == words(gateway)


def test_fork_while_it_storms(gateway: Sandbox) -> None:
    """Whatever thread holds whatever lock at the moment of a fork, the child logs and ends."""
    code = SETUP + (
        "import threading\n"
        "log.addHandler(DevinoHandler(sys.argv[1], burst=100))\nstop = False\n"
        "def storm():\n    while not stop: log.error('storm')\n"
        "threads = [threading.Thread(target=storm) for _ in range(3)]\n"
        "for thread in threads: thread.start()\n"
        "for number in range(10):\n"
        "    pid = os.fork()\n"
        "    if not pid:\n        log.error('child %d' % number); sys.exit()\n"
        "    assert os.waitpid(pid, 0)[1] == 0\n"
        "stop = True\n"
    )
    out, err, code_ = run(code, url_of(gateway), timeout=120)
    assert ("", "", 0) == (out, err, code_)
    children = [text for text in texts(gateway) if "child" in text]
    assert 10 == len(children)


@pytest.mark.parametrize("library", ["multiprocessing", "billiard"])
def test_pools(gateway: Sandbox, library: str) -> None:
    """Processes of multiprocessing, and of billiard as celery's prefork pool has them, deliver before they are gone."""
    code = SETUP + (
        f"import {library} as pools\n"
        "def work(name): log.error('worker ' + name)\n"
        "if __name__ == '__main__':\n"
        "    log.addHandler(DevinoHandler(sys.argv[1], burst=10))\n"
        "    log.error('the master')\n"
        "    context = pools.get_context('fork')\n"
        "    children = [context.Process(target=work, args=(name,)) for name in 'abc']\n"
        "    for child in children: child.start()\n"
        "    for child in children: child.join()\n"
    )
    _, err, code_ = run(code, url_of(gateway))
    assert (0, "", ["a", "b", "c", "master"]) == (code_, err, words(gateway))


def test_gunicorn(gateway: Sandbox, tmp_path: Path) -> None:
    """Under gunicorn, preloaded and forked, every worker alerts, and so does one that is told to go."""
    (tmp_path / "site.py").write_text(
        SETUP
        + "log.addHandler(DevinoHandler(os.environ['ALERTS'], burst=10))\nlog.error('master loaded')\n"
        + "def app(environ, respond):\n"
        + "    log.error('request to %s', os.getpid())\n"
        + "    respond('200 OK', [('Content-Type', 'text/plain')])\n"
        + "    return [str(os.getpid()).encode()]\n",
        "utf-8",
    )
    (tmp_path / "site.py").rename(tmp_path / "shop_site.py")
    port = free_port()
    code = (
        "import os, sys\nos.environ['ALERTS'] = sys.argv[1]\nsys.path.insert(0, sys.argv[2])\n"
        "from gunicorn.app.wsgiapp import run\n"
        "sys.argv = ['gunicorn', '--preload', '-w', '2', '-b', '127.0.0.1:' + sys.argv[3], '--log-level', 'info',"
        " '--no-control-socket', 'shop_site:app']\nrun()"
    )
    process = start(code, url_of(gateway), tmp_path, port)
    assert process.stderr is not None
    try:
        workers: set[bytes] = set()
        booted = 0
        for line in process.stderr:
            booted += "Booting worker" in line
            if booted == 2:
                break
        deadline = time.monotonic() + 30
        while len(workers) < 2 and time.monotonic() < deadline:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/buy", timeout=20) as answer:
                workers.add(answer.read())
        assert 2 == len(workers)
    finally:
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=30)
    assert {"loaded", *(worker.decode() for worker in workers)} == set(words(gateway))


def test_killed_with_an_outbox(tmp_path: Path) -> None:
    """Alerts in an outbox outlive ``kill -9`` and a gateway that is away; a worker sends them, with their time."""
    port = free_port()
    path = tmp_path / "alerts.db"
    away = f"devino://demo:demo@DEVINO/{NUMBER}?gateway=http://127.0.0.1:{port}/rest"
    code = SETUP + (
        "logging.raiseExceptions = False\n"
        "handler = DevinoHandler(sys.argv[1], outbox=sys.argv[2], burst=10)\nlog.addHandler(handler)\n"
        "for name in 'abc': log.error('error ' + name)\n"
        "handler.flush()\nprint('written', flush=True)\ntime.sleep(60)"
    )
    process = start(code, away, path)
    wait_for_line(process, "written")
    process.kill()
    process.communicate()
    logged = time.strftime("%m-%d %H:")
    with Sandbox(port=port) as gateway, Notifier(away) as notifier, Outbox(path) as outbox:
        worker = Worker(notifier, outbox)
        outbox.recover()
        _work(worker, outbox, 3)
        assert ["a", "b", "c"] == words(gateway)
        assert {True} == {text.startswith(logged) for text in texts(gateway)}
        first = next(outbox.rows())
        stored = outbox.message(first.message_id)
        assert stored is not None
        assert stored.original_time is not None
        assert abs(stored.original_time.timestamp() - time.time()) < 300


def test_next_process_sends_what_a_killed_one_left(tmp_path: Path) -> None:
    """The thread of the next program that has the outbox sends it, without anything being logged."""
    port = free_port()
    path = tmp_path / "alerts.db"
    away = f"devino://demo:demo@DEVINO/{NUMBER}?gateway=http://127.0.0.1:{port}/rest"
    code = SETUP + (
        "logging.raiseExceptions = False\nhandler = DevinoHandler(sys.argv[1], outbox=sys.argv[2])\n"
        "log.addHandler(handler)\nif sys.argv[3] == 'log': log.error('left behind')\n"
        "handler.flush()\nprint('ready', flush=True)\nsys.stdin.read()"
    )
    with_nobody = start(code, away, path, "log")
    wait_for_line(with_nobody, "ready")
    os.kill(with_nobody.pid, signal.SIGKILL)
    with_nobody.communicate()
    with Sandbox(port=port) as gateway:
        after = start(code, away, path, "silent")
        assert gateway.wait(lambda: len(gateway.messages()) == 1, 30)
        after.communicate("", timeout=30)
        assert (["behind"], 0) == (words(gateway), after.returncode)


def test_outbox_through_an_outage(tmp_path: Path) -> None:
    """While the gateway is away alerts gather, and when it is back the handler's own thread sends each once."""
    port = free_port()
    away = f"devino://demo:demo@DEVINO/{NUMBER}?gateway=http://127.0.0.1:{port}/rest"
    code = SETUP + (
        "logging.raiseExceptions = False\n"
        "log.addHandler(DevinoHandler(sys.argv[1], outbox=sys.argv[2], burst=10))\n"
        "for line in sys.stdin: log.error('error ' + line.strip()); log.handlers[0].flush(); print('done', flush=True)"
    )
    process = start(code, away, tmp_path / "alerts.db")
    assert process.stdin is not None
    for name in "ab":
        process.stdin.write(f"{name}\n")
        process.stdin.flush()
        wait_for_line(process, "done")
    gateway = Sandbox(port=port)
    with gateway:
        process.stdin.write("c\n")
        process.stdin.flush()
        assert gateway.wait(lambda: len(gateway.messages()) == 3, 40)
        process.communicate("", timeout=30)
        assert ["a", "b", "c"] == words(gateway)


def test_crash_loop_keeps_the_limits(gateway: Sandbox, tmp_path: Path) -> None:
    """A program that is restarted again and again does not begin anew with its limits, where it has an outbox."""
    code = SETUP + (
        "log.addHandler(DevinoHandler(sys.argv[1], outbox=sys.argv[2], burst=2, rate='1/h'))\nlog.critical('crashed')"
    )
    for _ in range(5):
        assert 0 == run(code, url_of(gateway), tmp_path / "alerts.db")[2]
    assert 2 == len(texts(gateway))


def test_killed_without_an_outbox_loses(gateway: Sandbox) -> None:
    """Without an outbox what waits in memory goes with the process; the README says so."""
    code = SETUP + (
        "handler = DevinoHandler(sys.argv[1], burst=1, rate='1/h')\nlog.addHandler(handler)\n"
        "log.error('sent')\nhandler.flush()\nlog.error('held')\nhandler.flush()\n"
        "print('logged', flush=True)\ntime.sleep(60)"
    )
    process = start(code, url_of(gateway))
    wait_for_line(process, "logged")
    process.kill()
    process.communicate()
    assert ["sent"] == words(gateway)


def _work(worker: Worker, outbox: Outbox, wanted: int, timeout: float = 40) -> None:
    """Let a worker take its turns until so many rows were accepted; their next try may lie some seconds ahead."""
    deadline = time.monotonic() + timeout
    while outbox.counts().accepted < wanted:
        assert time.monotonic() < deadline
        if not worker.turn():
            time.sleep(0.05)
