"""What the page of symptoms says of the loggers of servers and of Celery is so, on real ones."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.support import start, texts, url_of

if TYPE_CHECKING:
    from devinotify.sandbox import Sandbox

PAGE = Path(__file__).parents[3] / "docs" / "troubleshooting.md"

pytestmark = [
    pytest.mark.skipif(not PAGE.is_file(), reason="a source distribution of the plugin has no pages"),
    pytest.mark.skipif(find_spec("gunicorn") is None or find_spec("celery") is None, reason="they are not installed"),
    pytest.mark.once,
]


def shown(heading: str) -> list[str]:
    """Return the Python that the page shows below a heading."""
    section = PAGE.read_text("utf-8").partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    found: list[str] = re.findall(r"```python\n(.*?)```", section, re.DOTALL)
    return found


SITE = """
import logging, os
from devinotify_logging import DevinoHandler

handler = DevinoHandler(os.environ["ALERTS"], burst=10, flush_timeout=60)
if os.environ["AS_SHOWN"]:
    from alerts import alert_by
    alert_by(handler)
else:
    logging.getLogger().addHandler(handler)

def serve(path):
    if path == "/flush":
        handler.flush()
    else:
        logging.getLogger("shop").error("logged by the program")
        raise LookupError("raised by the program")

def wsgi(environ, respond):
    serve(environ["PATH_INFO"])
    respond("200 OK", [("Content-Length", "0")])
    return []

async def asgi(scope, receive, send):
    if scope["type"] == "http":
        serve(scope["path"])
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"0")]})
        await send({"type": "http.response.body"})
"""
SERVERS = {
    "gunicorn": ("-m", "gunicorn", "--no-control-socket", "--bind", "fd://{}", "site_of_shop:wsgi"),
    "uvicorn": ("-m", "uvicorn", "--lifespan", "off", "--fd", "{}", "site_of_shop:asgi"),
}


@pytest.mark.parametrize("as_shown", [False, True], ids=["on the root logger alone", "as shown"])
@pytest.mark.parametrize("server", SERVERS)
def test_errors_of_a_server(gateway: Sandbox, tmp_path: Path, server: str, *, as_shown: bool) -> None:
    """What it logs of an exception arrives where the handler is given to its logger too, and else never does."""
    (code,) = shown("Errors of uvicorn or gunicorn do not arrive")
    (tmp_path / "alerts.py").write_text(code, "utf-8")
    (tmp_path / "site_of_shop.py").write_text(SITE, "utf-8")
    with socket.create_server(("127.0.0.1", 0)) as door:  # it listens before the server is there
        process = subprocess.Popen(
            [sys.executable, *(word.format(door.fileno()) for word in SERVERS[server])],
            cwd=tmp_path,
            env={**os.environ, "ALERTS": url_of(gateway), "AS_SHOWN": "yes" if as_shown else ""},
            stderr=subprocess.PIPE,
            pass_fds=[door.fileno()],
            encoding="utf-8",
        )
        try:
            port = door.getsockname()[1]
            with pytest.raises(urllib.error.HTTPError, match="500"):
                urllib.request.urlopen(f"http://127.0.0.1:{port}/buy", timeout=60)
            urllib.request.urlopen(f"http://127.0.0.1:{port}/flush", timeout=60).close()
        finally:
            process.send_signal(signal.SIGTERM)
            _, log = process.communicate(timeout=60)
    assert "LookupError: raised by the program" in log
    told = [("logged" in text, "LookupError" in text) for text in texts(gateway)]
    assert [(True, False), (False, True)][: 1 + as_shown] == told


ENDS = """
import logging, os
from devinotify_logging import DevinoHandler

handler = DevinoHandler(os.environ["ALERTS"], dedupe="1h", flush_timeout=60)
log = logging.getLogger("shop")
log.addHandler(handler)

async def asgi(scope, receive, send):
    if scope["type"] == "lifespan":
        await receive()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        for _ in range(2):  # from one place: the second is a repetition
            log.error("at the end")
            handler.flush()
        await send({"type": "lifespan.shutdown.complete"})
"""


def test_uvicorn_ends_by_its_signal(gateway: Sandbox, tmp_path: Path) -> None:
    """It runs no exit hook: what the lifespan flushes is told, and the repetition that was held then is not."""
    (tmp_path / "site_of_shop.py").write_text(ENDS, "utf-8")
    with socket.create_server(("127.0.0.1", 0)) as door:
        process = subprocess.Popen(
            [sys.executable, "-m", "uvicorn", "--fd", str(door.fileno()), "site_of_shop:asgi"],
            cwd=tmp_path,
            env={**os.environ, "ALERTS": url_of(gateway)},
            stderr=subprocess.PIPE,
            pass_fds=[door.fileno()],
            encoding="utf-8",
        )
        assert process.stderr is not None
        assert any("startup complete" in line for line in process.stderr)
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=60)
    assert -signal.SIGTERM == process.returncode
    assert [True] == [text.endswith(": at the end") for text in texts(gateway)]


WORKER = """
import logging, sys, warnings
warnings.simplefilter("ignore")  # celery's own
from celery import Celery, signals
from celery.utils.log import get_task_logger
from devinotify_logging import DevinoHandler

app = Celery("shop", broker="memory://", broker_transport_options={"polling_interval": 0.05})
handler = DevinoHandler(sys.argv[1], burst=10)
over = logging.getLogger("over")
over.propagate = False
over.addHandler(handler)

@app.task
def buy():
    logging.getLogger("shop").error("by the program")
    get_task_logger("shop").error("by the task")
    raise OSError("raised")

@signals.worker_ready.connect
def ready(**_):
    buy.delay()

@signals.task_postrun.connect
def after(**_):
    over.error("over")

# HERE
options = "--pool=solo --without-heartbeat --without-gossip --without-mingle"
app.worker_main(["worker", *options.split()])
"""


def told_by_a_worker(gateway: Sandbox, code: str) -> list[str]:
    """Return what the alerts of a worker tell that a program runs with these lines before."""
    process = start(WORKER.replace("# HERE", code), url_of(gateway))
    try:
        assert gateway.wait(lambda: any(text.endswith(" over") for text in texts(gateway)), 60)
    finally:
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=60)
    return [text.partition(": ")[2].partition("[")[0] for text in texts(gateway) if not text.endswith(" over")]


ON_THE_ROOT = "logging.getLogger().addHandler(handler)\n"


@pytest.mark.parametrize("number", [None, 0, 1], ids=["on the root logger alone", "by signals", "by the setting"])
def test_errors_of_celery(gateway: Sandbox, number: int | None) -> None:
    """A worker that starts takes a handler off the root logger, unless it is added in one of the ways shown."""
    ways = shown("Errors of Celery do not arrive")
    told = told_by_a_worker(gateway, ON_THE_ROOT if number is None else ways[number])
    assert ([] if number is None else ["by the program", "by the task", "Task shop.buy"]) == told
