"""The handler at work: real records, a real thread, a real gateway."""

from __future__ import annotations

import gc
import logging
import logging.handlers
import queue
import re
import socket
import sys
import threading
import time
import weakref
from typing import TYPE_CHECKING, Any

import pytest
from devinotify import InvalidInput, InvalidURL, Message, Notifier, Outcome, PluginError, Worker

from devinotify_logging import Counters, DevinoHandler
from devinotify_logging.rendering import LATE
from tests.support import NUMBER, free_port, texts, told, url_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from devinotify.sandbox import Sandbox


def attach(logger: logging.Logger, url: str, **settings: Any) -> DevinoHandler:  # noqa: ANN401 - each argument has its own type
    """Return a handler that the logger has."""
    handler = DevinoHandler(url, **settings)
    logger.addHandler(handler)
    return handler


def total(counters: Counters) -> int:
    """Return the number of records that the counters account for."""
    parts = ("ignored", "dropped", "queued", "held", "shown", "repeated", "suppressed")
    return sum(getattr(counters, part) for part in parts)


def test_reaches_the_phone(gateway: Sandbox, logger: logging.Logger) -> None:
    """An error is an SMS with level, service, host and message."""
    handler = attach(logger, url_of(gateway))
    logger.error("disk full on %s", "db3")
    handler.flush()
    host = socket.gethostname().partition(".")[0]
    assert [f"ERROR billing@{host}: disk full on db3"] == texts(gateway)
    assert [NUMBER] == [message.recipient for message in gateway.messages()]


def test_level(gateway: Sandbox, logger: logging.Logger) -> None:
    """Below its level, ERROR unless given, a handler takes nothing."""
    attach(logger, url_of(gateway))
    higher = attach(logger, url_of(gateway), level="CRITICAL")
    logger.warning("warm")
    logger.error("hot")
    for handler in logger.handlers:
        handler.flush()
    assert (1, 0) == (len(texts(gateway)), higher.counters.offered)


def test_filter(gateway: Sandbox, logger: logging.Logger) -> None:
    """A filter of the handler's holds records back, and from Python 3.12 on may put another in their place."""

    def shout(record: logging.LogRecord) -> Any:  # noqa: ANN401 - what a filter returns, by the version of Python
        if "quiet" in record.msg:
            return False
        return logging.makeLogRecord({**record.__dict__, "msg": record.msg.upper()})

    handler = attach(logger, url_of(gateway))
    handler.addFilter(shout)
    logger.error("quiet please")
    logger.error("disk full")
    handler.flush()
    assert ["DISK FULL" if sys.version_info >= (3, 12) else "disk full"] == [
        text.partition(": ")[2] for text in texts(gateway)
    ]


def test_exception_and_its_place(gateway: Sandbox, logger: logging.Logger) -> None:
    """The exception's type, last frame and text stand on the phone, no traceback."""
    handler = attach(logger, url_of(gateway))
    try:
        dict[str, str]()["key"]
    except KeyError:
        logger.exception("job failed")
    handler.flush()
    (text,) = texts(gateway)
    assert text.split("\n")[0].endswith("job failed")
    assert text.split("\n")[1].startswith("KeyError test_handler.py:")


def test_own_formatter_is_honoured(gateway: Sandbox, logger: logging.Logger) -> None:
    """A formatter decides on the whole text."""
    handler = attach(logger, url_of(gateway))
    handler.setFormatter(logging.Formatter("%(name)s says %(message)s"))
    logger.error("disk full")
    handler.flush()
    assert ["shop says disk full"] == texts(gateway)


def test_repetitions_are_told_later(gateway: Sandbox, logger: logging.Logger) -> None:
    """Equal records are one message at once, and one with the number of the others when the window ends."""
    handler = attach(logger, url_of(gateway), dedupe="1s")
    for number in range(48):
        logger.error("disk full on db%d", number)
    assert gateway.wait(lambda: len(gateway.messages()) == 2, 60)
    first, second = texts(gateway)
    assert (True, True) == (first.endswith("disk full on db0"), second.endswith("disk full on db47\nx47 in 1 s"))
    handler.flush()
    assert (48, 1, 47) == (handler.counters.offered, handler.counters.shown, handler.counters.repeated)


def test_rate(gateway: Sandbox, logger: logging.Logger) -> None:
    """Beyond the burst messages wait for the rate, the most severe first."""
    handler = attach(logger, url_of(gateway), rate="10/s", burst=1)
    logger.error("first")
    handler.flush()
    logger.error("second")
    logger.critical("third")
    assert gateway.wait(lambda: len(gateway.messages()) == 3, 60)
    assert ["first", "third", "second"] == [text.rpartition(" ")[2] for text in texts(gateway)]


@pytest.mark.usefixtures("_noon")
def test_daily_limit(gateway: Sandbox, logger: logging.Logger) -> None:
    """When the segments of the day are used, one last message says until when, and no more goes out."""
    handler = attach(logger, url_of(gateway), rate="1000/s", burst=1000, daily_limit=4)
    for number in range(20):
        logger.error("error " + "abcdefghijklmnopqrst"[number])  # each of a kind of its own
    handler.flush()
    found = texts(gateway)
    assert 4 == len(found)
    assert " alerts paused until " in found[-1]
    counters = handler.counters
    assert (20, 3, 17, 4, 4) == (
        total(counters),
        counters.shown,
        counters.suppressed,
        counters.messages,
        counters.segments,
    )


def test_full_queue_is_told(logger: logging.Logger, gateway: Sandbox) -> None:
    """What does not fit into the queue is dropped, counted, and told in the next message."""
    # Held until all the records below have found the queue as the first alert left it.
    gateway.add_fault("latency", operation="Sms/Send", seconds=60, times=1)
    handler = attach(logger, url_of(gateway), queue_size=5, dedupe=0, rate="1000/s", burst=1000, flush_timeout=30)
    logger.error("first")
    assert gateway.wait(lambda: gateway.faults()[0].hits == 1, 60)
    for _ in range(100):
        logger.error("more")
    gateway.remove_fault()
    handler.flush()
    counters = handler.counters
    assert (101, True) == (total(counters), counters.dropped >= 90)
    dropped = [int(number) for text in texts(gateway) for number in re.findall(r"\+(\d+) dropped, queue full", text)]
    assert sum(dropped) == counters.dropped
    assert 101 == told(gateway)


def test_slow_gateway_does_not_slow_the_program(gateway: Sandbox, logger: logging.Logger) -> None:
    """While a request hangs, logging takes no longer than ever."""
    gateway.add_fault("latency", seconds=60)
    handler = attach(logger, url_of(gateway), flush_timeout=60)  # the first request is under way, and takes its time
    start = time.perf_counter()
    for number in range(50):
        logger.error("error %d", number)
    assert time.perf_counter() - start < 25  # before the client gives the request up
    gateway.remove_fault()
    handler.flush()
    assert 1 == len(texts(gateway))


@pytest.mark.parametrize("name", ["devinotify.notifier", "devinotify_logging.x", "requests.x", "urllib3.pool"])
def test_ignores_its_own(gateway: Sandbox, name: str) -> None:
    """Records of the libraries that send are not sent, so that a failure does not log itself."""
    handler = DevinoHandler(url_of(gateway))
    handler.handle(logging.LogRecord(name, logging.ERROR, __file__, 1, "no", None, None))
    handler.flush()
    assert ((1, 1), []) == ((handler.counters.offered, handler.counters.ignored), texts(gateway))
    handler.close()


def test_ignores_the_sender_thread(gateway: Sandbox, logger: logging.Logger) -> None:
    """What is logged while an alert is sent, by a plugin for one, becomes no alert, of any handler."""
    handler = attach(logger, url_of(gateway), dedupe=0)
    other = attach(logger, url_of(gateway), dedupe=0)
    handler.observe(lambda *_: logger.error("sent it"))
    logger.error("disk full")
    handler.flush()
    other.flush()
    assert (2, 1, 1) == (len(texts(gateway)), handler.counters.ignored, other.counters.ignored)


def test_wrong_arguments_are_reported_and_sent(
    gateway: Sandbox, logger: logging.Logger, capsys: pytest.CaptureFixture[str]
) -> None:
    """A record whose arguments do not fit is reported like anywhere in logging, and goes out with its template."""
    handler = attach(logger, url_of(gateway))
    logger.error("disk %d full", "three")
    handler.flush()
    assert 1 == capsys.readouterr().err.count("--- Logging error ---")
    assert texts(gateway)[0].endswith("disk %d full")


def test_object_that_cannot_be_shown(
    gateway: Sandbox, logger: logging.Logger, capsys: pytest.CaptureFixture[str]
) -> None:
    """Not even a message that raises when it is shown breaks the program."""

    class Mute:
        def __str__(self) -> str:
            raise RuntimeError("no")

        __repr__ = __str__

    handler = attach(logger, url_of(gateway))
    logger.error(Mute())
    handler.flush()
    assert texts(gateway)[0].endswith("<Mute that cannot be shown>")


def test_failing_formatter(gateway: Sandbox, logger: logging.Logger, capsys: pytest.CaptureFixture[str]) -> None:
    """A formatter that raises is reported, and the alert goes out without it."""
    handler = attach(logger, url_of(gateway))
    handler.setFormatter(logging.Formatter("%(message)s %(missing)s"))
    logger.error("disk full")
    handler.flush()
    assert ("--- Logging error ---" in capsys.readouterr().err, True) == (True, "disk full" in texts(gateway)[0])


def test_failure_is_reported_once(gateway: Sandbox, logger: logging.Logger, capsys: pytest.CaptureFixture[str]) -> None:
    """An alert that the gateway refuses is reported on stderr, once however often, without number or secret."""
    handler = attach(logger, url_of(gateway).replace(":demo@", ":wrong@"), dedupe=0)
    for _ in range(3):
        logger.error("token=abc123")
    handler.flush()
    err = capsys.readouterr().err
    assert (1, 1) == (err.count("--- Logging error ---"), err.count("Unauthorized: "))
    assert [] == [secret for secret in ("abc123", NUMBER, "wrong") if secret in err]
    assert (3, 3) == (handler.counters.rejected, handler.counters.messages)


def test_failure_is_one_line(logger: logging.Logger, capsys: pytest.CaptureFixture[str]) -> None:
    """A gateway that is away is named in one line under logging's heading, without a stack of devinotify's."""
    handler = attach(logger, f"devino://demo:demo@DEVINO/{NUMBER}?gateway=http://127.0.0.1:{free_port()}/rest")
    logger.error("disk full")
    handler.flush()
    heading, line = capsys.readouterr().err.splitlines()
    assert ("--- Logging error ---", True) == (heading, line.startswith("devinotify-logging: "))
    assert [] == [secret for secret in ("disk full", NUMBER, "demo") if secret in line]


def test_failure_of_a_plugin_has_its_stack(logger: logging.Logger, capsys: pytest.CaptureFixture[str]) -> None:
    """What a plugin raised is told as logging does it: its author needs to know where."""
    handler = attach(logger, f"devino://demo:demo@DEVINO/{NUMBER}")
    try:
        raise PluginError("odd", plugin="rota", hook="devinotify_send_message")
    except PluginError:
        handler.handleError(logging.makeLogRecord({"msg": "an alert"}))
    assert "in test_failure_of_a_plugin_has_its_stack" in capsys.readouterr().err


def test_raise_exceptions_off(
    gateway: Sandbox, logger: logging.Logger, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """``logging.raiseExceptions = False`` silences it, as it does for every handler."""
    monkeypatch.setattr(logging, "raiseExceptions", False)
    handler = attach(logger, url_of(gateway).replace(":demo@", ":wrong@"))
    logger.error("disk full")
    handler.flush()
    assert "" == capsys.readouterr().err


def test_gateway_comes_back(logger: logging.Logger, gateway: Sandbox, capsys: pytest.CaptureFixture[str]) -> None:
    """What provably was not sent is tried again from memory, and then says when it happened."""
    from devinotify.sandbox import Sandbox as Server

    port = free_port()
    server = Server(port=port)
    handler = attach(logger, gateway.url.replace(f":{gateway.port}/", f":{port}/"), to=NUMBER)
    logger.error("disk full")
    handler.flush()
    assert 1 == handler.counters.not_sent
    with server:
        assert server.wait(lambda: len(server.messages()) == 1, 60)
        assert server.messages()[0].text[:6] == time.strftime("%m-%d ")
        handler.flush()
    assert (1, 1) == (handler.counters.accepted, handler.counters.messages)


def test_late_alert_says_when(gateway: Sandbox) -> None:
    """A record that was logged a while ago, elsewhere for one, goes out with its time."""
    handler = DevinoHandler(url_of(gateway))
    record = logging.LogRecord("shop", logging.ERROR, __file__, 1, "old", None, None)
    record.created -= LATE + 5
    handler.handle(record)
    handler.flush()
    assert texts(gateway)[0].startswith(time.strftime("%m-%d %H:", time.localtime(record.created)))
    handler.close()


def test_channel(gateway: Sandbox, logger: logging.Logger) -> None:
    """``channel`` comes before the URL's."""
    handler = attach(logger, url_of(gateway), channel="viber")
    logger.error("disk full")
    handler.flush()
    assert ["viber"] == [message.channel for message in gateway.messages()]


def test_fallback(gateway: Sandbox, logger: logging.Logger, tmp_path: Path) -> None:
    """With ``sms-viber`` an SMS that is not delivered is followed by Viber, from the handler's own thread."""
    gateway.set_timeline("lost", sms=[(0.1, 46)])
    gateway.set_fate(NUMBER, "lost")
    handler = attach(logger, url_of(gateway, poll="100ms"), channel="sms-viber", outbox=str(tmp_path / "alerts.db"))
    logger.error("disk full")
    assert gateway.wait(lambda: len(gateway.messages()) == 2, 60)
    assert ["sms", "viber"] == [message.channel for message in gateway.messages()]
    handler.close()


def test_fallback_at_once(gateway: Sandbox, logger: logging.Logger, tmp_path: Path) -> None:
    """Where the gateway refuses the SMS for a reason of its own, Viber follows at once, and the window counts both."""
    gateway.add_fault("error", operation="Sms/Send", code=6)
    handler = attach(logger, url_of(gateway), channel="sms-viber", outbox=str(tmp_path / "alerts.db"))
    logger.error("disk full")
    handler.flush()
    assert ["viber"] == [message.channel for message in gateway.messages()]


def test_fallback_without_an_outbox(
    gateway: Sandbox, logger: logging.Logger, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without an outbox of its own only the first step is taken here; a worker takes the others."""
    monkeypatch.setenv("DEVINOTIFY_OUTBOX", str(tmp_path / "fallbacks.db"))
    gateway.set_timeline("lost", sms=[(0.1, 46)])
    gateway.set_fate(NUMBER, "lost")
    url = url_of(gateway, poll="100ms")
    handler = attach(logger, url, channel="sms-viber")
    logger.error("disk full")
    handler.flush()
    handler.close()
    assert ["sms"] == [message.channel for message in gateway.messages()]
    with Notifier(url + "&channel=sms-viber") as notifier:
        worker = Worker(notifier)
        _until(lambda: worker.turn() and len(gateway.messages()) == 2)
    assert ["sms", "viber"] == [message.channel for message in gateway.messages()]


def test_several_recipients(gateway: Sandbox, logger: logging.Logger) -> None:
    """``to`` may name several, and each costs its segments."""
    handler = attach(logger, gateway.url, to="+79161234567, 8 (903) 123-45-67")
    heard: list[tuple[Message, Outcome]] = []
    handler.observe(lambda message, outcome: heard.append((message, outcome)))
    logger.error("disk full")
    handler.flush()
    assert ["+79161234567", "+79031234567"] == [outcome.recipient for _, outcome in heard]
    assert (1, 2, frozenset({"urgent"})) == (handler.counters.messages, handler.counters.segments, heard[0][0].tags)


def test_memory_handler(gateway: Sandbox) -> None:
    """MemoryHandler may stand before it, and flushes its buffer into it."""
    handler = DevinoHandler(url_of(gateway))
    before = logging.handlers.MemoryHandler(100, logging.CRITICAL, handler)
    for level in (logging.ERROR, logging.CRITICAL):
        before.handle(logging.LogRecord("shop", level, __file__, level, "m %d", (level,), None))
    before.close()
    handler.flush()
    assert {"m 40", "m 50"} == {text[-4:] for text in texts(gateway)}
    handler.close()


def test_queue_handler(gateway: Sandbox, logger: logging.Logger) -> None:
    """QueueHandler and QueueListener may stand before it; the traceback that they make text of is a summary again."""
    handler = DevinoHandler(url_of(gateway))
    records: queue.Queue[Any] = queue.Queue()
    listener = logging.handlers.QueueListener(records, handler)
    logger.addHandler(logging.handlers.QueueHandler(records))
    listener.start()
    try:
        raise OSError("no space")
    except OSError:
        logger.exception("job failed")
    listener.stop()
    handler.flush()
    assert "job failed\nOSError test_handler.py:" in texts(gateway)[0]
    assert texts(gateway)[0].endswith(" in test_queue_handler: no space")
    handler.close()


def test_close_hands_over(gateway: Sandbox, logger: logging.Logger) -> None:
    """``close`` returns at once; what was queued goes out all the same, and the thread ends."""
    gateway.add_fault("latency", seconds=60, times=2)
    handler = attach(logger, url_of(gateway))
    logger.error("last words")
    start = time.perf_counter()
    handler.close()
    assert time.perf_counter() - start < 25  # before the client gives the request up
    gateway.remove_fault()
    assert gateway.wait(lambda: len(gateway.messages()) == 1, 60)
    _until(lambda: not _threads())


def test_close_ends_the_windows(gateway: Sandbox, logger: logging.Logger) -> None:
    """What was only counted so far is told when the handler is closed."""
    handler = attach(logger, url_of(gateway))
    for _ in range(5):
        logger.error("disk full")
    handler.close()
    assert gateway.wait(lambda: len(gateway.messages()) == 2, 60)
    assert (True, 5) == (texts(gateway)[1].endswith("\nx4 in 1 s"), told(gateway))


def test_closed_handler_still_sends(gateway: Sandbox, logger: logging.Logger) -> None:
    """A record that another thread logs to a handler that was just closed is sent, and the thread ends again."""
    handler = attach(logger, url_of(gateway))
    handler.close()
    logger.error("straggler")
    assert gateway.wait(lambda: len(gateway.messages()) == 1, 60)
    _until(lambda: not _threads())


def test_forgotten_handler_goes(gateway: Sandbox) -> None:
    """A handler that nobody holds any more is collected, its queue is sent, and its thread ends."""
    handler = DevinoHandler(url_of(gateway))
    handler.handle(logging.LogRecord("shop", logging.ERROR, __file__, 1, "bye", None, None))
    gone = weakref.ref(handler)
    del handler
    _until(lambda: gc.collect() >= 0 and gone() is None)  # which does nothing while another thread collects
    assert gateway.wait(lambda: len(gateway.messages()) == 1, 60)
    _until(lambda: not _threads())


def test_no_thread_before_the_first_record(gateway: Sandbox) -> None:
    """A handler that has nothing to send has no thread."""
    handler = DevinoHandler(url_of(gateway))
    handler.flush()
    assert [] == _threads()
    handler.close()


def test_flush_is_bounded(gateway: Sandbox, logger: logging.Logger) -> None:
    """``flush`` does not wait longer than its timeout for a gateway that hangs."""
    gateway.add_fault("latency", seconds=60, times=1)
    handler = attach(logger, url_of(gateway), flush_timeout="300ms")
    logger.error("disk full")
    start = time.perf_counter()
    handler.flush()
    assert 0.2 < time.perf_counter() - start < 25
    gateway.remove_fault()


def test_logging_from_a_finalizer(gateway: Sandbox, logger: logging.Logger) -> None:
    """A ``__del__`` that logs while a record is put does not stop the program."""
    handler = attach(logger, url_of(gateway), dedupe="1h", burst=10)

    class Loud:
        def __init__(self) -> None:
            self.me = self  # only the collector finds it

        def __del__(self) -> None:
            logger.error("collected")
            collected.append(1)

    collected: list[int] = []
    before = gc.get_threshold()
    gc.set_threshold(5, 2, 2)
    try:
        for _ in range(2000):
            Loud()
            logger.error("made")
    finally:
        gc.set_threshold(*before)
    # ``gc.collect`` does nothing while another thread collects, as the sender's may be doing.
    _until(lambda: gc.collect() >= 0 and len(collected) == 2000)
    handler.flush()
    assert (4000, 4000) == (handler.counters.offered, total(handler.counters))


def test_lost_while_python_shuts_down(
    gateway: Sandbox,
    logger: logging.Logger,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What is logged then is lost, in one line that shows no text; a stream that is gone breaks nothing."""
    handler = attach(logger, url_of(gateway))
    monkeypatch.setattr(DevinoHandler, "_is_finalizing", staticmethod(lambda: True))
    logger.error("token=abc123")
    handler.flush()
    handler.close()
    monkeypatch.setattr(DevinoHandler, "_say", None)
    logger.error("nobody hears it")
    expected = "devinotify-logging: an alert is lost, logged while Python was shutting down: ERROR of shop\n"
    assert (expected, [], 0) == (capsys.readouterr().err, texts(gateway), handler.counters.queued)


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({"url": "smtp://x"}, "the URL must begin with devino://"),
        ({"level": "LOUD"}, "bad value 'LOUD' for level"),
        ({"rate": "often"}, "bad value 'often' for rate"),
        ({"to": "+7916"}, "bad value for to: "),
        ({"to": None}, "there is nobody to alert"),
        ({"channel": "pigeon"}, "there is no channel 'pigeon'"),
        ({"outbox": "/nonexistent/alerts.db"}, "/nonexistent/alerts.db"),
    ],
)
def test_bad_value_fails_at_configuration(gateway: Sandbox, settings: dict[str, Any], expected: str) -> None:
    """A handler that could not work is not made, and the error names what is wrong."""
    with pytest.raises(InvalidInput, match=expected) as caught:
        DevinoHandler(**{"url": gateway.url, "to": NUMBER, **settings})
    assert isinstance(caught.value, ValueError)
    assert isinstance(caught.value, InvalidURL) == (settings.keys() <= {"url", "channel"})


def test_repr_shows_nothing(gateway: Sandbox) -> None:
    """The repr of a handler holds no URL and no number."""
    handler = DevinoHandler(url_of(gateway))
    assert "<DevinoHandler (ERROR)>" == repr(handler)
    handler.close()


def _threads() -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread.name.startswith("devinotify-logging")]


def _until(reached: Callable[[], bool], timeout: float = 60) -> None:
    """Wait for what only shows in the threads of the process."""
    deadline = time.monotonic() + timeout
    while not reached():
        assert time.monotonic() < deadline
        time.sleep(0.01)
