"""Forks, crashes and ends, with real processes: what is delivered, and what is not."""

from __future__ import annotations

import os
import re
import signal
import socket
import time
from typing import TYPE_CHECKING

import pytest
from devinotify import Notifier, Outbox, Worker
from devinotify.sandbox import Sandbox

from tests.support import NUMBER, SETUP, free_port, run, start, texts, told, url_of, wait_for_line, words

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="forks, and kills by signals")


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


@pytest.mark.measured
def test_exit_is_bounded(gateway: Sandbox) -> None:
    """A gateway that hangs keeps the program from ending no longer than ``flush_timeout``."""
    gateway.add_fault("latency", seconds=60, times=1)
    code = SETUP + (
        "log.addHandler(DevinoHandler(sys.argv[1], flush_timeout=0.5))\nlog.error('stuck')\n"
        "import atexit\nstart = time.monotonic()\n"
        "import devinotify_logging.lifecycle as it\n"
        # Told when all is over, what logging's own exit hook does included.
        "atexit.unregister(it.finish_all)\natexit.unregister(logging.shutdown)\n"
        "atexit.register(lambda: print(time.monotonic() - start < 25))\n"
        "atexit.register(logging.shutdown)\natexit.register(it.finish_all)\n"
    )
    out, err, code_ = run(code, url_of(gateway))
    assert ("True\n", HANGS.format("0.5"), 0) == (out, err, code_)
    gateway.remove_fault()


@pytest.mark.measured
def test_exit_does_not_wait_for_the_rate(gateway: Sandbox) -> None:
    """What the rate holds back at the end is told in one last message, the worst by name, and the program ends."""
    code = SETUP + (
        "log.addHandler(DevinoHandler(sys.argv[1], burst=2, rate='1/h', flush_timeout=60))\n"
        "for name in 'ab': log.error('error ' + name)\nlog.handlers[0].flush()\n"
        "for name in 'cdef': log.error('error ' + name)\nlog.critical('the worst')\nprint(time.monotonic())"
    )
    out, err, code_ = run(code, url_of(gateway))
    assert time.monotonic() - float(out) < 40  # the clock of all processes
    assert ("", 0) == (err, code_)
    *told, closing = texts(gateway)
    assert ["a", "b"] == sorted(text[-1] for text in told)
    host = socket.gethostname().partition(".")[0]
    assert (
        f"+5 more from billing@{host}:\nCRITICAL the worst\nERROR error c\nERROR error d\nERROR error e"
        == (closing.rpartition("\n")[0])
    )


def test_exit_says_what_no_message_tells(gateway: Sandbox) -> None:
    """Where the limits allow not even the last message, stderr has the number."""
    code = SETUP + (
        "for _ in range(2):\n"
        "    log.handlers[:] = [DevinoHandler(sys.argv[1], burst=1, rate='1/h', dedupe=0)]\n"
        "    for name in 'abc': log.error('error ' + name)\n"
        "    log.handlers[0].flush(); log.handlers[0]._sender.finish(5)\n"
    )
    _, err, code_ = run(code, url_of(gateway))
    said = "devinotify-logging: 3 records are lost: the limits allow no message more\n"
    assert (said, 0, 2) == (err, code_, len(texts(gateway)))


AWAY = "DevinoHandler.handleError = lambda *_: None\n"  # its errors are another matter
TOOK_NONE = "devinotify-logging: {} lost: the program ends, and the gateway took no message of them"


@pytest.mark.once
@pytest.mark.measured
def test_exit_with_the_gateway_gone(gateway: Sandbox) -> None:
    """What the gateway took before it went away is not lost, and not counted."""
    away = f"devino://demo:demo@DEVINO/{NUMBER}?gateway=http://127.0.0.1:{free_port()}/rest"
    code = (
        SETUP
        + AWAY
        + (
            "log.addHandler(handler := DevinoHandler(sys.argv[1], flush_timeout=60))\n"
            "log.error('first')\nlog.error('second')\nhandler.flush()\n"
            "handler._sender._url = sys.argv[2]\nhandler._sender._ended()\n"
            "log.error('third')\n"
        )
    )
    assert ("", TOOK_NONE.format("1 record is") + "\n", 0) == run(code, url_of(gateway), away)
    assert ["first", "second"] == words(gateway)


@pytest.mark.once
def test_exit_with_the_gateway_away_in_a_hurry() -> None:
    """Where the time ends before all was tried, the number is that of all but what is being sent: nobody knows that."""
    away = f"devino://demo:demo@DEVINO/{NUMBER}?gateway=http://127.0.0.1:{free_port()}/rest"
    code = (
        SETUP
        + AWAY
        + (
            "log.addHandler(handler := DevinoHandler(sys.argv[1], burst=1, flush_timeout=60))\n"
            "log.error('first')\nhandler.flush()\n"
            "for number in range(10): log.error(f'error {number}')\n"
            "handler._sender.last_call()\nhandler._sender.finish(0)\nos._exit(0)\n"
        )
    )
    out, err, code_ = run(code, away)
    more = r"(?:; (\d+) more under way may have arrived or not)?\n"
    found = re.fullmatch(TOOK_NONE.format(r"(\d+) records? (?:is|are)") + more, err)
    assert found is not None
    lost, under_way = found.groups("0")
    assert ("", 0, 11) == (out, code_, int(lost) + int(under_way))


@pytest.mark.usefixtures("_noon")
def test_exit_with_the_day_used_up(gateway: Sandbox) -> None:
    """Where the day's segments are used up the notice has said so, and the end says nothing more."""
    code = SETUP + (
        "log.addHandler(DevinoHandler(sys.argv[1], daily_limit=2))\nfor name in 'abc': log.error('error ' + name)\n"
    )
    assert ("", "", 0) == run(code, url_of(gateway))
    assert [False, True] == [" alerts paused until " in text for text in texts(gateway)]


def test_logged_at_the_end_with_an_outbox(gateway: Sandbox, tmp_path: Path) -> None:
    """What is logged at the very end is written and sent before the exit hook of finalizers closes the file."""
    code = SETUP + (
        "import atexit\nlog.addHandler(DevinoHandler(sys.argv[1], outbox=sys.argv[2], burst=10))\n"
        "atexit.register(lambda: [log.error('error ' + name) for name in 'abcde'])\n"
    )
    path = tmp_path / "alerts.db"
    assert ("", "", 0) == run(code, url_of(gateway), path)
    with Outbox(path) as outbox:
        assert (list("abcde"), 5) == (words(gateway), outbox.counts().accepted)


def test_logged_by_another_exit_hook(gateway: Sandbox) -> None:
    """What an exit hook logs is delivered, registered before ours or after it."""
    code = (
        "import atexit\natexit.register(lambda: log.error('early'))\n"
        + SETUP
        + "log.addHandler(DevinoHandler(sys.argv[1]))\natexit.register(lambda: log.error('late'))"
    )
    assert ("", "", 0) == run(code, url_of(gateway))
    assert ["early", "late"] == words(gateway)


@pytest.mark.parametrize("flush", [True, False], ids=["flushed", "left to the end"])
def test_logged_when_the_main_thread_has_ended(gateway: Sandbox, flush: bool) -> None:
    """What a thread logs first when the main one is gone is delivered, though Python 3.12 starts no thread any more."""
    code = SETUP + (
        "import threading\nhandler = DevinoHandler(sys.argv[1])\nlog.addHandler(handler)\n"
        "def work():\n    threading.main_thread().join()\n    log.error('afterwards')\n"
        f"    if {flush}:\n        handler.flush()\n        assert handler.counters.accepted == 1\n"
        "threading.Thread(target=work).start()\n"
    )
    assert ("", "", 0) == run(code, url_of(gateway))
    assert ["afterwards"] == words(gateway)


HANGS = (
    "devinotify-logging: the gateway has not answered within {} s, and the program ends: what is under way may have"
    " arrived or not\n"
)

LEFT_OPEN = """
class Session:
    def __init__(self): self.log, self.me = log, self  # in a circle, so that only the end of the interpreter finds it
    def __del__(self): self.log.error("Unclosed client session")
session = Session()
"""
PENDING = """
import asyncio
logging.getLogger("asyncio").addHandler(log.handlers[0])
loop = asyncio.new_event_loop()
async def work(): await asyncio.sleep(60)
task = loop.create_task(work())
loop.run_until_complete(asyncio.sleep(0))
"""


@pytest.mark.parametrize("used", ["", "log.error('used')\nlog.handlers[0].flush()\n"], ids=["first", "after others"])
@pytest.mark.parametrize(("left", "name"), [(LEFT_OPEN, "shop"), (PENDING, "asyncio")], ids=["session", "task"])
def test_logged_while_python_shuts_down(gateway: Sandbox, left: str, name: str, used: str) -> None:
    """What an object logs that is found when the interpreter is taken down ends the program all the same, in one line.

    No thread is started then, which Python 3.11 would wait for, and nothing imported, which fails.
    """
    code = SETUP + "log.addHandler(DevinoHandler(sys.argv[1]))\n" + used + left
    _, err, code_ = run(code, url_of(gateway), timeout=60)
    said = [line for line in err.splitlines() if line.startswith("devinotify-logging: ")]
    assert ([f"devinotify-logging: an alert is lost, logged while Python was shutting down: ERROR of {name}"], 0) == (
        said,
        code_,
    )
    assert ([] if not used else ["used"], False) == (words(gateway), "devinotify_logging" in err)


def test_lost_in_silence(gateway: Sandbox) -> None:
    """``logging.raiseExceptions = False`` silences that line as well."""
    code = SETUP + "log.addHandler(DevinoHandler(sys.argv[1]))\nlogging.raiseExceptions = False\n" + LEFT_OPEN
    assert ("", "", 0) == run(code, url_of(gateway), timeout=60)


def test_end_of_two(gateway: Sandbox) -> None:
    """One handler whose gateway hangs takes none of the time in which another delivers what it has counted."""
    code = SETUP + (
        "for url, most in zip(sys.argv[1:], (1, 30)): log.addHandler(DevinoHandler(url, flush_timeout=most))\n"
        "for _ in range(5): log.critical('disk full')\n"
    )
    with socket.create_server(("127.0.0.1", 0)) as silent:
        away = f"devino://demo:demo@DEVINO/{NUMBER}?gateway=http://127.0.0.1:{silent.getsockname()[1]}/rest"
        _, err, code_ = run(code, away, url_of(gateway))
    assert (HANGS.format("1").replace("not\n", "not; 4 records are lost\n"), 0) == (err, code_)
    assert (2, 5) == (len(texts(gateway)), told(gateway))


def test_end_without_a_spin(gateway: Sandbox) -> None:
    """While the end waits for a gateway that hangs, with more behind than one turn takes, nothing spins."""
    gateway.add_fault("latency", seconds=60)
    code = SETUP + (
        "import atexit, devinotify_logging.lifecycle as it\natexit.unregister(it.finish_all)\n"
        "log.addHandler(DevinoHandler(sys.argv[1], flush_timeout=1.5, queue_size=5000, dedupe=0))\n"
        "for number in range(3000): log.error('disk full')\n"
        "sys.stdin.readline()\nstart = time.process_time()\nit.finish_all()\nprint(time.process_time() - start < 0.4)\n"
    )
    said = HANGS.format("1.5").replace("not\n", "not; 2999 records are lost\n")
    process = start(code, url_of(gateway))
    # It has loaded then what it sends with, and waits.
    assert gateway.wait(lambda: gateway.faults()[0].hits == 1, 60)
    assert ("True\n", said) == process.communicate("\n", timeout=60)
    gateway.remove_fault()


def test_end_in_a_storm(gateway: Sandbox) -> None:
    """Threads that log without a pause keep the program neither from ending nor from telling what was counted."""
    code = SETUP + (
        "import threading\nlog.addHandler(DevinoHandler(sys.argv[1], burst=100, flush_timeout=20))\n"
        "def storm():\n    while True: log.error('disk full')\n"
        "for _ in range(3): threading.Thread(target=storm, daemon=True).start()\n"
        "while log.handlers[0].counters.offered < 1000: time.sleep(0.01)\n"
    )
    out, err, code_ = run(code, url_of(gateway), timeout=60)
    assert ("", "", 0) == (out, err, code_)
    assert (True, True) == (len(texts(gateway)) > 1, told(gateway) > 100)


@pytest.mark.parametrize("order", ["before ours", "after ours"])
def test_end_of_another_exit_hook_is_bounded(gateway: Sandbox, order: str) -> None:
    """Where no thread can be started any more, a gateway that hangs is waited for no longer than elsewhere."""
    gateway.add_fault("latency", seconds=60)
    hook = "import atexit\natexit.register(lambda: [log.error('error ' + name) for name in 'abc'])\n"
    ours = SETUP + "log.addHandler(DevinoHandler(sys.argv[1], flush_timeout=0.6))\nlogging.raiseExceptions = False\n"
    code = ours + hook if order == "before ours" else hook + ours
    out, err, code_ = run(code + "print(time.monotonic())\n", url_of(gateway))
    assert ("", 0) == (err, code_)
    # Three records of a hook that runs after ours wait one after the other, as nobody else does so for them.
    assert time.monotonic() - float(out) < 25  # the clock of all processes
    gateway.remove_fault()


@pytest.mark.once
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
    began = time.strftime("%m-%d %H:")
    process = start(code, away, path)
    wait_for_line(process, "written")
    process.kill()
    process.communicate(timeout=60)
    logged = (began, time.strftime("%m-%d %H:"))
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


@pytest.mark.once
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
    with_nobody.communicate(timeout=60)
    with Sandbox(port=port) as gateway:
        after = start(code, away, path, "silent")
        assert gateway.wait(lambda: len(gateway.messages()) == 1, 60)
        after.communicate("", timeout=60)
        assert (["behind"], 0) == (words(gateway), after.returncode)


@pytest.mark.once
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
        assert gateway.wait(lambda: len(gateway.messages()) == 3, 60)
        process.communicate("", timeout=60)
        assert ["a", "b", "c"] == words(gateway)


@pytest.mark.once
def test_crash_loop_keeps_the_limits(gateway: Sandbox, tmp_path: Path) -> None:
    """A program that is restarted again and again does not begin anew with its limits, where it has an outbox."""
    code = SETUP + (
        "log.addHandler(DevinoHandler(sys.argv[1], outbox=sys.argv[2], burst=2, rate='1/h', dedupe=0))\n"
        "log.critical('crashed')"
    )
    said = []
    for _ in range(5):
        _, err, code_ = run(code, url_of(gateway), tmp_path / "alerts.db")
        assert 0 == code_
        said.append(err)
    lost = "devinotify-logging: 1 record is lost: the limits allow no message more\n"
    assert ["", "", "", lost, lost] == said
    *alerts, closing = texts(gateway)
    assert (2, "+1 more from billing@") == (len(alerts), closing[:21])


@pytest.mark.once
def test_crash_loop_is_one_message(gateway: Sandbox, tmp_path: Path) -> None:
    """Within the time of ``dedupe`` equal records of one process after the other are one message."""
    code = SETUP + "log.addHandler(DevinoHandler(sys.argv[1], outbox=sys.argv[2]))\nlog.critical('crashed')"
    for _ in range(4):
        assert ("", "", 0) == run(code, url_of(gateway), tmp_path / "alerts.db")
    assert ["crashed"] == words(gateway)


@pytest.mark.once
def test_processes_at_once_are_one_message(gateway: Sandbox, tmp_path: Path) -> None:
    """So they are where the processes run beside each other, and the next message tells how many there were."""
    code = SETUP + (
        "log.addHandler(DevinoHandler(sys.argv[1], outbox=sys.argv[2], dedupe='5s'))\n"
        "print('ready', flush=True)\nsys.stdin.readline()\n"
        "for _ in range(int(sys.argv[3])): log.error('no database')\nlog.handlers[0].flush()\n"
        "print('logged', flush=True)\nsys.stdin.read()\n"
    )
    processes = [start(code, url_of(gateway), tmp_path / "alerts.db", 1) for _ in range(4)]
    for process in processes:
        wait_for_line(process, "ready")
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("\n")
        process.stdin.flush()
    for process in processes:
        wait_for_line(process, "logged")
    assert ["database"] == words(gateway)
    assert gateway.wait(lambda: len(gateway.messages()) == 2, 60)
    assert [("", "", 0)] * 4 == [(*process.communicate("", timeout=60), process.returncode) for process in processes]
    assert (2, 4) == (len(texts(gateway)), told(gateway))


@pytest.mark.once
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
    process.communicate(timeout=60)
    assert ["sent"] == words(gateway)


def _work(worker: Worker, outbox: Outbox, wanted: int, timeout: float = 60) -> None:
    """Let a worker take its turns until so many rows were accepted; their next try may lie some seconds ahead."""
    deadline = time.monotonic() + timeout
    while outbox.counts().accepted < wanted:
        assert time.monotonic() < deadline
        if not worker.turn():
            time.sleep(0.05)


@pytest.mark.once
@pytest.mark.parametrize("place", ["url", "environment"])
def test_limits_beside_any_outbox(
    gateway: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    """An outbox of the URL or the environment is one for limits and equal records as well: two programs, one SMS."""
    path = tmp_path / "alerts.db"
    url = url_of(gateway)
    if place == "url":
        url += f"&outbox={path}"
    else:
        monkeypatch.setenv("DEVINOTIFY_OUTBOX", str(path))
    code = SETUP + "log.addHandler(DevinoHandler(sys.argv[1]))\nlog.error('disk full')"
    assert [("", "", 0)] * 2 == [run(code, url), run(code, url)]
    assert (1, True) == (len(texts(gateway)), path.with_name("alerts.db-limits").is_file())


@pytest.mark.once
def test_limits_of_each_process_are_told(gateway: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    """A database keeps no limits, and whoever has one for other reasons is alerted as before, and told so once."""
    monkeypatch.setenv("DEVINOTIFY_OUTBOX", "postgresql://shop:s3cret@127.0.0.1:1/shop")
    code = SETUP + (
        "log.addHandler(DevinoHandler(sys.argv[1]))\nlog.addHandler(DevinoHandler(sys.argv[1]))\nlog.error('disk full')"
    )
    told_once = (
        "devinotify-logging: the outbox of the URL or DEVINOTIFY_OUTBOX is a database, which keeps no limits:"
        " each process has its own; a file given as outbox= is shared by all\n"
    )
    assert [("", told_once, 0)] * 2 == [run(code, url_of(gateway)), run(code, url_of(gateway))]
    assert 2 == len(texts(gateway))
