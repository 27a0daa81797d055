"""Forks and pools, the real ones: every process delivers what it logs, and nothing of another's."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
import urllib.request
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.support import SETUP, free_port, run, start, texts, told, url_of, words

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from devinotify.sandbox import Sandbox

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="forks")


@pytest.mark.measured
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


def test_fork_with_an_outbox(gateway: Sandbox, tmp_path: Path) -> None:
    """A child that is forked while its parent writes to the files of an outbox can write to them, and sends."""
    code = SETUP + (
        "log.addHandler(DevinoHandler(sys.argv[1], outbox=sys.argv[2], burst=100))\npids = []\n"
        "for name in 'abcdefgh':\n"
        "    log.error('parent ' + name)\n"
        "    pids.append(os.fork())\n"
        "    if not pids[-1]:\n        log.error('child ' + name.upper())\n        sys.exit()\n"
        "assert [os.waitpid(pid, 0)[1] for pid in pids] == [0] * 8"
    )
    assert ("", "", 0) == run(code, url_of(gateway), tmp_path / "alerts.db")
    assert list("ABCDEFGHabcdefgh") == words(gateway)


def test_fork_that_nobody_tells_of(gateway: Sandbox) -> None:
    """A child has its own queue and thread, and ends as it should, where no fork hook is called, as under uwsgi."""
    code = SETUP + (
        "import ctypes\nhandler = DevinoHandler(sys.argv[1], burst=10)\nlog.addHandler(handler)\n"
        "log.error('parent 1')\nhandler.flush()\n"
        "pid = ctypes.PyDLL(None).fork()\n"
        "for _ in range(3): log.error('child' if not pid else 'parent 2')\n"
        "if not pid: assert handler.counters.offered == 3\n"
        "else: assert os.waitpid(pid, 0)[1] == 0"
    )
    assert ("", "", 0) == run(code, url_of(gateway), timeout=60)
    assert (["1", "2", "2", "child", "child"], 7) == (words(gateway), told(gateway))


@pytest.mark.parametrize("library", ["multiprocessing", "billiard"])
@pytest.mark.measured
def test_pools(gateway: Sandbox, library: str) -> None:
    """Processes of multiprocessing and billiard deliver before they are gone, what they have counted included."""
    code = SETUP + (
        f"import {library} as pools\n"
        "def work(name):\n    for _ in range(3): log.error('worker ' + name)\n"
        "if __name__ == '__main__':\n"
        "    log.addHandler(DevinoHandler(sys.argv[1], burst=10))\n"
        "    log.error('the master')\n"
        "    context = pools.get_context('fork')\n"
        "    children = [context.Process(target=work, args=(name,)) for name in 'abc']\n"
        "    for child in children: child.start()\n"
        "    for child in children: child.join()\n"
    )
    _, err, code_ = run(code, url_of(gateway))
    assert (0, "", ["a", "a", "b", "b", "c", "c", "master"]) == (code_, err, words(gateway))
    assert 10 == told(gateway)


@pytest.mark.parametrize("method", ["fork", "forkserver", "spawn"])
def test_configured_in_the_child(gateway: Sandbox, tmp_path: Path, method: str) -> None:
    """A process of a pool that configures logging itself delivers as well, however it was started."""
    program = tmp_path / "pool.py"
    program.write_text(
        "import multiprocessing, sys\n"
        "def work(url):\n"
        "    import logging\n    from devinotify_logging import DevinoHandler\n"
        "    log = logging.getLogger('shop')\n    log.addHandler(DevinoHandler(url))\n"
        "    for _ in range(3): log.error('disk full')\n"
        "if __name__ == '__main__':\n"
        f"    child = multiprocessing.get_context('{method}').Process(target=work, args=(sys.argv[1],))\n"
        "    child.start()\n    child.join()\n    sys.exit(child.exitcode)\n",
        "utf-8",
    )
    done = subprocess.run(
        [sys.executable, "-W", "error", program, url_of(gateway)],
        capture_output=True,
        encoding="utf-8",
        check=False,
        timeout=60,
    )
    assert ("", "", 0) == (done.stdout, done.stderr, done.returncode)
    assert (2, 3) == (len(texts(gateway)), told(gateway))


SITE = (
    SETUP
    + "log.addHandler(DevinoHandler(os.environ['ALERTS'], burst=10, outbox=os.environ.get('OUTBOX')))\n"
    + "log.error('master loaded')\n"
    + "log.handlers[0].flush()\n"
    + "def application(environ, respond):\n"
    + "    log.error('request to %s', os.getpid())\n"
    + "    respond('200 OK', [('Content-Type', 'text/plain'), ('Connection', 'close')])\n"
    + "    return [str(os.getpid()).encode()]\n"
)
"""A site whose handler has already sent something before its server forks."""


@pytest.mark.parametrize("kind", ["sync", "gthread", "gevent"])
def test_gunicorn(gateway: Sandbox, tmp_path: Path, kind: str) -> None:
    """Under gunicorn, preloaded and forked, every worker alerts, and so does one that is told to go.

    gevent puts its own locks, queues and threads in the place of the usual ones when the worker has been forked.
    """
    process, port = gunicorn(gateway, tmp_path, kind)
    assert process.stderr is not None
    workers = _ask_two_workers(process, process.stderr, port, "Booting worker")
    assert {"loaded", *workers} == set(words(gateway))


def test_gunicorn_with_an_outbox(gateway: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With an outbox the workers share what they have told of: what all of them log is one message."""
    monkeypatch.setenv("OUTBOX", str(tmp_path / "alerts.db"))
    process, port = gunicorn(gateway, tmp_path, "sync")
    assert process.stderr is not None
    told_by: list[str] = []

    def look(workers: set[str]) -> None:
        gateway.wait(lambda: len(gateway.messages()) == 2, 60)
        told_by.extend(set(words(gateway)) & workers)

    _ask_two_workers(process, process.stderr, port, "Booting worker", look)
    assert 1 == len(told_by)


def gunicorn(gateway: Sandbox, tmp_path: Path, kind: str) -> tuple[subprocess.Popen[str], int]:
    """Start gunicorn with the site and two workers of a kind; return it and its port."""
    (tmp_path / "shop_site.py").write_text(SITE, "utf-8")
    code = (
        "import os, sys, warnings\nos.environ['ALERTS'] = sys.argv[1]\nsys.path.insert(0, sys.argv[2])\n"
        "warnings.simplefilter('ignore')  # gevent's, of modules that were loaded before it came\n"
        "from gunicorn.app.wsgiapp import run\n"
        f"sys.argv = ['gunicorn', '--preload', '-w', '2', '-k', '{kind}', '-b', '127.0.0.1:' + sys.argv[3],"
        " '--log-level', 'info', '--no-control-socket', 'shop_site:application']\nrun()"
    )
    port = free_port()
    return start(code, url_of(gateway), tmp_path, port), port


def test_gevent_comes_late(gateway: Sandbox) -> None:
    """A program that lets gevent patch it after it has logged goes on: neither its hub nor its alerts stand still."""
    code = SETUP + (
        "import warnings\nwarnings.simplefilter('ignore')  # gevent's own, of modules that were loaded before it\n"
        "handler = DevinoHandler(sys.argv[1], burst=10)\nlog.addHandler(handler)\n"
        "log.error('before')\nhandler.flush()\nif sys.argv[2] == 'ended': handler.close(); handler._sender.finish(5)\n"
        "from gevent import monkey, sleep, spawn\nmonkey.patch_all()\n"
        "ticks = []\ndef tick():\n    while True: ticks.append(0); sleep(0.01)\nspawn(tick)\n"
        "for name in ('one', 'two'):\n    log.error('after ' + name)\n    ticks.clear()\n"
        "    while len(ticks) < 10: sleep(0.01)\n    handler.flush()\n"
        "print(handler.counters.accepted)\n"
    )
    for thread in ("ended", "running"):
        gateway.reset()
        out, _, code_ = run(code, url_of(gateway), thread, timeout=60)  # gevent complains of threads that run
        assert ("3\n", 0) == (out, code_)
        assert ["before", "one", "two"] == words(gateway)


UWSGI = f"python{sys.version_info.major}{sys.version_info.minor}"
"""Debian's plugin of uwsgi for this Python (packages uwsgi-core and uwsgi-plugin-python3)."""


@pytest.mark.skipif(
    not Path(f"/usr/lib/uwsgi/plugins/{UWSGI}_plugin.so").exists(), reason="Debian has no uwsgi for this Python here"
)
def test_uwsgi(gateway: Sandbox, tmp_path: Path) -> None:
    """So it is under uwsgi, which forks without Python's hooks."""
    (tmp_path / "shop_site.py").write_text(SITE, "utf-8")
    port = free_port()
    process = subprocess.Popen(
        [
            *("uwsgi", "--plugin", UWSGI, *(f"--pythonpath={path}" for path in _installed())),
            *("--http-socket", f"127.0.0.1:{port}", "--wsgi-file", str(tmp_path / "shop_site.py")),
            *("--master", "--processes", "2", "--enable-threads", "--need-app", "--die-on-term"),
        ],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        encoding="utf-8",
        env={**os.environ, "ALERTS": url_of(gateway)},
    )
    assert process.stderr is not None
    # Their end is not what tells of it: a worker that is still busy with a request runs no exit hooks there.
    workers = _ask_two_workers(
        process,
        process.stderr,
        port,
        "spawned uWSGI worker",
        lambda workers: gateway.wait(lambda: {"loaded", *workers} == set(words(gateway)), 60),
    )
    assert {"loaded", *workers} == set(words(gateway))


def _installed() -> set[str]:
    """Return where the packages are: this environment's standard library may be of another build than uwsgi's."""
    found = map(find_spec, ("devinotify", "devinotify_logging", "pluggy"))
    return {str(Path(spec.origin).parents[1]) for spec in found if spec is not None and spec.origin is not None}


def _ask_two_workers(
    process: subprocess.Popen[str],
    said: Iterable[str],
    port: int,
    ready: str,
    before_the_end: Callable[[set[str]], object] = lambda workers: None,  # noqa: ARG005 - as the others take it
) -> set[str]:
    """Send requests until both workers have had one, then let the server end; return what names the workers."""
    try:
        booted = 0
        for line in said:
            booted += ready in line
            if booted == 2:
                break
        workers: set[str] = set()
        deadline = time.monotonic() + 60
        while len(workers) < 2 and time.monotonic() < deadline:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/buy", timeout=60) as answer:
                workers.add(answer.read().decode())
        assert 2 == len(workers)
        before_the_end(workers)
    finally:
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=60)
    return workers


CELERY = (
    SETUP
    + """
import warnings
warnings.simplefilter("ignore")  # celery's own
from celery import Celery, signals
app = Celery("shop", broker="memory://")
app.conf.worker_hijack_root_logger = False

@app.task
def buy():
    for _ in range(5):
        log.error("no stock")

@signals.worker_ready.connect
def ready(**_):
    buy.delay()

log.addHandler(DevinoHandler(sys.argv[1], dedupe="1h"))
log.error("master loaded")
log.handlers[0].flush()
options = "--pool=prefork --concurrency=1 --without-gossip --without-mingle --without-heartbeat"
app.worker_main(["worker", *options.split()])
"""
)


@pytest.mark.skipif(find_spec("celery") is None, reason="celery is not installed")
def test_celery(gateway: Sandbox) -> None:
    """A process of celery's prefork pool alerts, and delivers what it has counted when the worker is told to go."""
    process = start(CELERY, url_of(gateway))
    try:
        assert gateway.wait(lambda: len(gateway.messages()) == 2, 60)
    finally:
        process.send_signal(signal.SIGTERM)
        _, err = process.communicate(timeout=60)
    assert (["loaded", "stock", "stock"], 6) == (words(gateway), told(gateway)), err
