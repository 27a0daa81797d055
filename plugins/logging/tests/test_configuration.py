"""The standard library's own ways to configure logging: dictConfig, fileConfig, and a change of both under load."""

from __future__ import annotations

import json
import logging
import logging.config
import logging.handlers
import sys
import threading
import time
from typing import TYPE_CHECKING, Any

import pytest

from devinotify_logging import DevinoHandler
from tests.support import NUMBER, run, texts, told, url_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from devinotify.sandbox import Sandbox


@pytest.fixture(autouse=True)
def _root() -> Iterator[None]:
    """Leave the root logger as it was."""
    root = logging.getLogger()
    before, level = list(root.handlers), root.level
    yield
    for handler in root.handlers:
        if handler not in before:
            handler.close()
    root.handlers, root.level = before, level


def config(url: str, **settings: object) -> dict[str, Any]:
    """Return a configuration whose root logger alerts."""
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "handlers": {"phone": {"class": "devinotify_logging.DevinoHandler", "url": url, **settings}},
        "root": {"level": "INFO", "handlers": ["phone"]},
    }


def phone() -> DevinoHandler:
    """Return the root logger's handler."""
    return next(handler for handler in logging.getLogger().handlers if isinstance(handler, DevinoHandler))


def test_dict_config(gateway: Sandbox) -> None:
    """A dict as it comes from a JSON file configures every argument."""
    written = config(
        gateway.url,
        level="WARNING",
        to=NUMBER,
        channel="sms",
        max_segments=1,
        rate="10/min",
        burst=2,
        dedupe="30s",
        daily_limit="20",
        queue_size=50,
        flush_timeout=2.5,
    )
    logging.config.dictConfig(json.loads(json.dumps(written)))
    logging.getLogger("shop").warning("disk %s", "full")
    phone().flush()
    assert 1 == len(texts(gateway))


def test_dict_config_names_a_bad_value(gateway: Sandbox) -> None:
    """A bad value stops the configuration, and the reason names it."""
    with pytest.raises(ValueError, match="phone") as caught:
        logging.config.dictConfig(config(url_of(gateway), burst="lots"))
    assert "bad value 'lots' for burst" in str(caught.value.__cause__)


def test_file_config(gateway: Sandbox, tmp_path: Path) -> None:
    """An ini file does, too; a % of the URL is written twice there."""
    path = tmp_path / "logging.ini"
    url = url_of(gateway).replace("demo:demo", "demo:dem%%6F")
    path.write_text(
        "[loggers]\nkeys=root\n[handlers]\nkeys=phone\n[formatters]\nkeys=\n"
        "[logger_root]\nlevel=INFO\nhandlers=phone\n"
        "[handler_phone]\nclass=devinotify_logging.DevinoHandler\nlevel=ERROR\n"
        f"args=('{url}',)\nkwargs={{'rate': '10/min', 'max_segments': '1'}}\n",
        "utf-8",
    )
    logging.config.fileConfig(path, disable_existing_loggers=False, encoding="utf-8")
    logging.getLogger("shop").error("disk full")
    phone().flush()
    assert 1 == len(texts(gateway))


def test_formatter_of_the_configuration(gateway: Sandbox) -> None:
    """A formatter that the configuration names is honoured."""
    written = config(url_of(gateway), formatter="short")
    written["formatters"] = {"short": {"format": "!! {message}", "style": "{"}}
    logging.config.dictConfig(written)
    logging.getLogger("shop").error("disk full")
    phone().flush()
    assert ["!! disk full"] == texts(gateway)


def test_replaced_under_load(gateway: Sandbox) -> None:
    """While eight threads log and requests are slow, a configuration is replaced twenty times, at once each time."""
    gateway.add_fault("latency", seconds=60)
    ample = {"rate": "1000/s", "burst": 1000, "dedupe": 0, "daily_limit": 10**6, "flush_timeout": 60}
    written = config(url_of(gateway), queue_size=20, **ample)
    logging.config.dictConfig(written)
    stop = threading.Event()
    logged = [0] * 8

    def load(thread: int) -> None:
        while not stop.is_set():
            logging.getLogger(f"shop.{logged[thread] % 5}").error("disk full")
            logged[thread] += 1
            time.sleep(0.001)

    threads = [threading.Thread(target=load, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    longest = 0.0
    for _ in range(20):
        start = time.perf_counter()
        logging.config.dictConfig(written)
        longest = max(longest, time.perf_counter() - start)
    stop.set()
    for thread in threads:
        thread.join(60)
        assert not thread.is_alive()
    gateway.remove_fault()
    # A request takes half a minute, and so does a flush: whoever waited for one would have taken as long.
    assert longest < 25
    assert min(logged) > 0


@pytest.mark.usefixtures("_noon")
def test_replaced_handlers_have_one_quota(gateway: Sandbox) -> None:
    """The limits do not begin anew with each configuration: thirty of them with a limit of five send five segments."""
    written = config(url_of(gateway), daily_limit=5, rate="1000/s", burst=1000)
    for number in range(30):
        logging.config.dictConfig(written)
        logging.getLogger("shop").error("error " + "abcdefghijklmnopqrstuvwxyzABCD"[number])
        phone().flush()
    assert 5 == len(texts(gateway))
    assert " alerts paused until " in texts(gateway)[-1]


def test_replaced_handlers_have_one_rate(gateway: Sandbox) -> None:
    """Nor does the rate: what the second handler has beyond the burst of both waits."""
    for names in ("ab", "cde"):
        logging.config.dictConfig(config(url_of(gateway), rate="1/h", burst=3))
        for name in names:
            logging.getLogger("shop").error("error " + name)
        phone().flush()
    assert (3, 2) == (len(texts(gateway)), phone().counters.held)


def test_replaced_handlers_know_equal_records(gateway: Sandbox) -> None:
    """A record that the former handler told of is not told again by the next one."""
    for _ in range(5):
        logging.config.dictConfig(config(url_of(gateway)))
        logging.getLogger("shop").error("disk full")
        phone().flush()
    assert 1 == len(texts(gateway))


def test_replaced_handlers_tell_of_all(gateway: Sandbox) -> None:
    """What several handlers counted is told when the program ends, as one number."""
    code = (
        "import json, logging, logging.config, sys\nconfig = json.loads(sys.argv[1])\n"
        "for _ in range(5):\n    logging.config.dictConfig(config)\n    logging.error('disk full')\n"
        "    logging.getLogger().handlers[0].flush()\n"
    )
    assert ("", "", 0) == run(code, json.dumps(config(url_of(gateway))))
    assert (2, 5) == (len(texts(gateway)), told(gateway))


@pytest.mark.usefixtures("_noon")
def test_handlers_have_one_quota(gateway: Sandbox) -> None:
    """Two handlers of an account share its limits, whomever they alert."""
    handlers = [
        DevinoHandler(gateway.url, to=to, rate="1000/s", burst=1000, daily_limit=4, dedupe=0)
        for to in (NUMBER, "+79031234567")
    ]
    for _ in range(3):
        for handler in handlers:
            handler.handle(logging.LogRecord("shop", logging.ERROR, __file__, 1, "disk full", None, None))
            handler.flush()
    assert 4 == len(texts(gateway))
    for handler in handlers:
        handler.close()


@pytest.mark.parametrize(("to", "expected"), [(NUMBER, 1), ("8 (916) 123-45-67", 1), ("+79031234567", 2)])
def test_duplicate_handlers(gateway: Sandbox, to: str, expected: int) -> None:
    """Where a logger and its parent alert the same people, however they are written, a record is one message."""
    written = config(gateway.url, to=NUMBER)
    written["handlers"]["again"] = {**written["handlers"]["phone"], "to": to}
    written["loggers"] = {"shop": {"handlers": ["again"]}}
    logging.config.dictConfig(written)
    handlers = [phone(), *logging.getLogger("shop").handlers]
    logging.getLogger("shop").error("disk full")
    for handler in handlers:
        handler.flush()
        handler.close()
    logging.getLogger("shop").handlers.clear()
    assert gateway.wait(lambda: len(gateway.messages()) == expected, 60)
    found = [handler.counters for handler in handlers if isinstance(handler, DevinoHandler)]
    assert (2, 2 - expected, 0) == (
        sum(each.offered for each in found),
        sum(each.ignored for each in found),
        sum(each.repeated for each in found),
    )


def test_handler_that_stays_alone(gateway: Sandbox) -> None:
    """Where one of two is closed, the other takes every record."""
    first, second = (DevinoHandler(url_of(gateway)) for _ in range(2))
    record = logging.LogRecord("shop", logging.ERROR, __file__, 1, "disk full", None, None)
    second.close()
    second.close()
    first.handle(record)
    first.handle(record)
    first.flush()
    assert (0, 1) == (first.counters.ignored, first._sender.target.handlers)
    first.close()


def test_replaced_handler_delivers(gateway: Sandbox) -> None:
    """What the former handler had queued goes out after it was replaced."""
    gateway.add_fault("latency", seconds=0.3, times=3)
    logging.config.dictConfig(config(url_of(gateway)))
    logging.getLogger("shop").error("before")
    logging.config.dictConfig(config(url_of(gateway)))
    logging.getLogger("shop").error("after")
    assert gateway.wait(lambda: len(gateway.messages()) == 2, 60)
    assert {"before", "after"} == {text.rpartition(" ")[2] for text in texts(gateway)}


def test_replaced_and_ended(gateway: Sandbox) -> None:
    """A program that replaces its configuration and ends delivers what both handlers had."""
    code = (
        "import json, logging, logging.config, sys\nconfig = json.loads(sys.argv[1])\n"
        "for word in ('one', 'two'):\n    logging.config.dictConfig(config)\n    logging.error(word)\n"
    )
    assert ("", "", 0) == run(code, json.dumps(config(url_of(gateway))))
    assert ["one", "two"] == sorted(text.rpartition(" ")[2] for text in texts(gateway))


def test_wrapped_by_a_memory_handler(gateway: Sandbox) -> None:
    """In a configuration MemoryHandler may stand before it."""
    written = config(url_of(gateway))
    written["handlers"]["buffer"] = {
        "class": "logging.handlers.MemoryHandler",
        "capacity": 100,
        "flushLevel": 40,
        "target": "phone",
    }
    written["root"]["handlers"] = ["buffer"]
    logging.config.dictConfig(written)
    logging.getLogger("shop").error("disk full")
    assert gateway.wait(lambda: len(gateway.messages()) == 1, 60)
    (buffer,) = (one for one in logging.getLogger().handlers if isinstance(one, logging.handlers.MemoryHandler))
    target = buffer.target
    buffer.close()
    assert isinstance(target, DevinoHandler)
    target.close()


@pytest.mark.skipif(sys.version_info < (3, 12), reason="Python 3.12 is the first to make the listener")
def test_wrapped_by_a_queue_handler(gateway: Sandbox) -> None:
    """In a configuration QueueHandler may stand before it, with the listener that is made of it."""
    written = config(url_of(gateway))
    written["handlers"]["queue"] = {"class": "logging.handlers.QueueHandler", "handlers": ["phone"]}
    written["root"]["handlers"] = ["queue"]
    logging.config.dictConfig(written)
    (before,) = logging.getLogger().handlers
    listener = vars(before)["listener"]  # by its name alone, which mypy does not know for Python 3.11
    listener.start()
    logging.getLogger("shop").error("disk full")
    listener.stop()
    (handler,) = listener.handlers
    handler.flush()
    assert 1 == len(texts(gateway))
    handler.close()
