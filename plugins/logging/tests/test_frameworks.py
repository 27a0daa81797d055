"""loguru, structlog and Django, the real ones, with the handler as their documentation has handlers."""

from __future__ import annotations

import io
import queue
import traceback
from logging.handlers import QueueHandler
from typing import TYPE_CHECKING

import structlog
from loguru import logger as loguru_logger
from rich.console import Console

from devinotify_logging import DevinoHandler
from tests.support import SETUP, run, texts, url_of

if TYPE_CHECKING:
    import logging
    from collections.abc import Iterator

    from devinotify.sandbox import Sandbox

import pytest


@pytest.fixture
def _structlog() -> Iterator[None]:
    """Leave structlog as it was."""
    yield
    structlog.reset_defaults()


def fail() -> None:
    """Raise an error."""
    raise OSError("no space")


def test_loguru(gateway: Sandbox) -> None:
    """``logger.add(handler)`` is all; loguru's columns are left out, and equal records are known in spite of them."""
    handler = DevinoHandler(url_of(gateway))
    number = loguru_logger.add(handler)
    for _ in range(5):
        try:
            fail()
        except OSError:
            loguru_logger.exception("disk full on {}", "db3")
    handler.flush()
    (text,) = texts(gateway)
    assert text.split("\n")[0].endswith(": disk full on db3")
    assert text.split("\n")[1].startswith("OSError test_frameworks.py:")
    assert text.split("\n")[1].endswith(" in fail: no space")
    assert 5 == handler.counters.offered
    loguru_logger.remove(number)


def test_loguru_with_a_format(gateway: Sandbox) -> None:
    """A format of the user's own is the message."""
    handler = DevinoHandler(url_of(gateway))
    number = loguru_logger.add(handler, format="[{extra[order]}] {message}", level="ERROR")
    loguru_logger.bind(order=7).error("refused")
    handler.flush()
    assert texts(gateway)[0].endswith(": [7] refused")
    loguru_logger.remove(number)


def test_loguru_arguments(gateway: Sandbox) -> None:
    """loguru puts arguments into the text itself: equal records are known by their place."""
    handler = DevinoHandler(url_of(gateway))
    number = loguru_logger.add(handler)
    for host in ("db3", "db4", "db5"):
        loguru_logger.error("disk full on {}", host)
    handler.flush()
    handler.close()
    loguru_logger.remove(number)
    assert gateway.wait(lambda: len(gateway.messages()) == 2, 60)
    assert [True, True] == [text.endswith(end) for text, end in zip(texts(gateway), ("db3", "x2 in 1 s"), strict=True)]


def test_queue_handler_arguments(gateway: Sandbox, logger: logging.Logger) -> None:
    """So does QueueHandler, with an exception's traceback besides."""
    handler = DevinoHandler(url_of(gateway), flush_timeout=20)
    records: queue.SimpleQueue[logging.LogRecord] = queue.SimpleQueue()
    logger.addHandler(QueueHandler(records))
    for order in range(5):
        try:
            fail()
        except OSError:
            logger.exception("order %d failed", order)
    while not records.empty():
        handler.handle(records.get())
    handler.flush()
    (text,) = texts(gateway)
    assert (True, True) == ("order 0 failed\nOSError test_frameworks.py:" in text, text.endswith(" in fail: no space"))
    handler.close()


def test_rich_traceback(gateway: Sandbox, logger: logging.Logger) -> None:
    """A traceback of rich's in a message is told by its exception."""
    console = Console(file=io.StringIO(), width=200)
    try:
        fail()
    except OSError:
        console.print_exception()
    assert isinstance(console.file, io.StringIO)
    handler = DevinoHandler(url_of(gateway))
    logger.addHandler(handler)
    logger.error("failed: %s", "\n" + console.file.getvalue())
    handler.flush()
    first, second = texts(gateway)[0].split("\n")
    assert (True, True) == (first.endswith(": failed"), second.endswith(" in fail: no space"))


def test_format_exc(gateway: Sandbox, logger: logging.Logger) -> None:
    """``log.error(traceback.format_exc())`` is told by its last line."""
    handler = DevinoHandler(url_of(gateway))
    logger.addHandler(handler)
    try:
        fail()
    except OSError:
        logger.error(traceback.format_exc())
        logger.error("failed: %s", traceback.format_exc())
    handler.flush()
    found = [text.partition(": ")[2].split("\n") for text in texts(gateway)]
    assert ["", "failed"] == [lines[0] for lines in found]
    assert [True, True] == [lines[1].endswith(" in fail: no space") for lines in found]


TASKS = """
import asyncio, gc
async def buy(): raise OSError("no space")
async def sell(): raise KeyError("price")
async def group():
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(buy()); tasks.create_task(sell())
async def main():
    task = asyncio.ensure_future(buy())
    await asyncio.wait([task])
    del task
    gc.collect()
    try:
        await group()
    except ExceptionGroup:
        log.exception("job failed")
logging.getLogger().addHandler(DevinoHandler(sys.argv[1]))
asyncio.run(main())
"""


def test_asyncio(gateway: Sandbox) -> None:
    """A task that nobody awaits and one of a group are both told by their exceptions, the real ones."""
    _, err, code = run(SETUP + TASKS, url_of(gateway))
    assert 0 == code, err
    lost, group = ([line.partition("@")[2] or line for line in text.split("\n")] for text in texts(gateway))
    assert (True, "OSError <string>:7 in buy: no space") == (
        lost[0].endswith(": Task exception was never retrieved (buy)"),
        lost[1],
    )
    assert (True, "OSError (+1 more) <string>:7 in buy: no space") == (group[0].endswith(": job failed"), group[1])


@pytest.mark.usefixtures("_structlog")
def test_structlog_on_the_console(gateway: Sandbox, logger: logging.Logger) -> None:
    """With ConsoleRenderer, which draws its tracebacks by rich, event, fields and exception are told."""
    structlog.configure(
        processors=[
            structlog.stdlib.add_log_level,
            structlog.processors.TimeStamper(fmt="iso"),
            structlog.dev.ConsoleRenderer(colors=True),
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
    )
    handler = DevinoHandler(url_of(gateway))
    logger.addHandler(handler)
    for host in ("db3", "db4"):
        try:
            fail()
        except OSError:
            structlog.get_logger("shop").error("disk full", host=host, exc_info=True)
    handler.flush()
    (text,) = texts(gateway)
    assert (True, True) == (text.split("\n")[0].endswith(": disk full host=db3"), " in fail: no space" in text)


@pytest.mark.usefixtures("_structlog")
def test_structlog_rendered(gateway: Sandbox, logger: logging.Logger) -> None:
    """With JSONRenderer the event and its fields are told in words, and its time stamp makes nothing new of it."""
    structlog.configure(
        processors=[
            structlog.stdlib.add_log_level,
            structlog.processors.TimeStamper(fmt="iso"),
            structlog.processors.JSONRenderer(),
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
    )
    handler = DevinoHandler(url_of(gateway))
    logger.addHandler(handler)
    for _ in range(3):
        structlog.get_logger("shop").error("disk full", host="db3", free=0)
    handler.flush()
    assert [True] == [text.endswith(": disk full host=db3 free=0") for text in texts(gateway)]


@pytest.mark.usefixtures("_structlog")
def test_structlog_for_a_formatter(gateway: Sandbox, logger: logging.Logger) -> None:
    """With ``wrap_for_formatter`` the event dictionary is understood as it is, exception included."""
    structlog.configure(
        processors=[structlog.stdlib.add_log_level, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
    )
    handler = DevinoHandler(url_of(gateway))
    logger.addHandler(handler)
    try:
        fail()
    except OSError:
        structlog.get_logger("shop").exception("disk full", host="db3")
    handler.flush()
    first, second = texts(gateway)[0].split("\n")
    assert (True, True) == (first.endswith(": disk full host=db3"), second.startswith("OSError test_frameworks.py:"))


@pytest.mark.usefixtures("_structlog")
def test_structlog_with_its_formatter(gateway: Sandbox, logger: logging.Logger) -> None:
    """ProcessorFormatter is a formatter of the user's own: colours are taken out, the rest is honoured."""
    structlog.configure(
        processors=[structlog.stdlib.add_log_level, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
    )
    handler = DevinoHandler(url_of(gateway))
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.dev.ConsoleRenderer(colors=True),
            ]
        )
    )
    logger.addHandler(handler)
    structlog.get_logger("shop").error("disk full", host="db3")
    handler.flush()
    (text,) = texts(gateway)
    assert (True, False) == ("disk full" in text and "host=db3" in text, "\x1b" in text)


DJANGO = """
import sys
import django
from django.conf import settings
from django.http import HttpResponse
from django.urls import path

def broken(request):
    raise OSError("no space")

urlpatterns = [path("buy", broken)]
settings.configure(
    DEBUG=False, SECRET_KEY="x", ROOT_URLCONF=__name__, ALLOWED_HOSTS=["testserver"],
    LOGGING={
        "version": 1,
        "disable_existing_loggers": False,
        "handlers": {"phone": {
            "class": "devinotify_logging.DevinoHandler", "level": "ERROR", "url": sys.argv[1], "rate": "10/min"}},
        "root": {"handlers": ["phone"]},
    },
)
django.setup()
from django.test import Client
assert Client(raise_request_exception=False).get("/buy").status_code == 500
"""


def test_django(gateway: Sandbox) -> None:
    """A view that raises is an alert, by LOGGING in Django's settings alone."""
    _, err, code = run(DJANGO, url_of(gateway))
    assert 0 == code, err
    first, second = texts(gateway)[0].split("\n")
    assert first.endswith(": Internal Server Error: /buy")
    assert second.startswith("OSError <string>:")
    assert second.endswith(" in broken: no space")
