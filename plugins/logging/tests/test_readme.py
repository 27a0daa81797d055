"""The README: what it shows is what happens."""

from __future__ import annotations

import configparser
import inspect
import logging
import logging.config
import re
import socket
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from click import Group
from click.testing import CliRunner
from loguru import logger as loguru_logger

from devinotify_logging import Counters, DevinoHandler, hooks
from tests.support import NUMBER, SETUP, free_port, run, texts, url_of

if TYPE_CHECKING:
    from devinotify.sandbox import Sandbox

README = Path(__file__).parents[1].joinpath("README.md").read_text("utf-8")
HOST = socket.gethostname().partition(".")[0]


def block(language: str) -> str:
    """Return the one block of code in this language."""
    (found,) = re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL)
    assert isinstance(found, str)
    return found


def test_prints_what_it_says(tmp_path: Path) -> None:
    """The example, run as it stands in a process of its own, prints the block that follows it."""
    (tmp_path / "app.py").write_text(block("python"), "utf-8")
    done = subprocess.run(
        [sys.executable, "-W", "error", str(tmp_path / "app.py")],
        capture_output=True,
        encoding="utf-8",
        check=False,
        timeout=60,
    )
    assert (block("text"), "", 0) == (done.stdout.replace(f"@{HOST}:", "@web1:"), done.stderr, done.returncode)


@pytest.mark.once
def test_the_end_with_the_gateway_away() -> None:
    """The line that a program leaves behind whose gateway was away is the one that is shown."""
    code = SETUP + (
        "DevinoHandler.handleError = lambda *_: None\n"
        "log.addHandler(DevinoHandler(sys.argv[1], flush_timeout=60))\n"
        "for number in range(11): log.error(f'error {number}')\n"
    )
    url = f"devino://demo:demo@DEVINO/{NUMBER}?gateway=http://127.0.0.1:{free_port()}/rest"
    assert ("", block("stderr"), 0) == run(code, url)


def test_log_test(gateway: Sandbox) -> None:
    """The command says what is shown."""
    command, _, said = block("console").partition("\n")
    assert '$ devinotify log-test "$URL" --message "Is anybody there?"' == command
    group = Group("devinotify")
    hooks.devinotify_register_commands(group)
    result = CliRunner().invoke(group, ["log-test", url_of(gateway), "--message", "Is anybody there?"])
    assert said == result.output.replace(f"@{HOST}:", "@web1:")


def test_arguments_are_all_there() -> None:
    """The table names every argument, with its default."""
    told = dict(re.findall(r"^\| `(\w+)` \|\s*(?:`([^`|]*)`|[^|`]*?)\s*\|", README, re.MULTILINE))
    parameters = inspect.signature(DevinoHandler).parameters
    assert list(parameters) == list(told)
    defaults = {
        name: logging.getLevelName(parameter.default) if name == "level" else str(parameter.default)
        for name, parameter in parameters.items()
        if parameter.default not in (None, inspect.Parameter.empty)
    }
    assert defaults == {name: default for name, default in told.items() if default}


def test_counters_are_all_there() -> None:
    """The counters that are to add up are named."""
    (told,) = re.findall(r"`offered` is the sum of (.*?);", README, re.DOTALL)
    names = list(Counters._fields)
    assert names[1 : names.index("messages")] == re.findall(r"`(\w+)`", told)


def test_dict_is_a_configuration(gateway: Sandbox, tmp_path: Path) -> None:
    """The dict configures logging, with another URL and path in it."""
    code = block("python dict").replace("devino://login:password@SENDER/79161234567", url_of(gateway))
    code = code.replace("/var/lib/billing/alerts.db", str(tmp_path / "alerts.db"))
    scope: dict[str, Any] = {}
    exec(code, scope)  # noqa: S102 - the README's own
    root = logging.getLogger()
    before = list(root.handlers)
    try:
        logging.config.dictConfig(scope["LOGGING"])
        (handler,) = root.handlers
        logging.getLogger("shop").error("disk full")
        handler.flush()
    finally:
        for added in root.handlers:
            added.close()
        root.handlers = before
    assert 1 == len(texts(gateway))


def test_ini_is_understood() -> None:
    """The section of the ini file makes a handler as fileConfig would make it."""
    parser = configparser.ConfigParser()
    parser.read_string(block("ini"))
    section = parser["handler_phone"]
    assert "devinotify_logging.DevinoHandler" == section["class"]
    handler = DevinoHandler(*eval(section["args"]), **eval(section["kwargs"]))  # noqa: S307 - as fileConfig does
    assert logging.ERROR == handler.level
    handler.close()


def test_loguru(gateway: Sandbox) -> None:
    """The lines for loguru do what they say."""
    exec(block("python loguru"), {"DevinoHandler": DevinoHandler, "URL": url_of(gateway)})  # noqa: S102 - the README's
    loguru_logger.error("disk full")
    loguru_logger.remove()
    assert gateway.wait(lambda: len(gateway.messages()) == 1, 60)


def test_notes_are_as_quoted(monkeypatch: pytest.MonkeyPatch) -> None:
    """The lines that the README quotes are what the rendering writes."""
    from devinotify_logging import rendering
    from devinotify_logging.records import Event
    from devinotify_logging.storm import Alert

    event = Event(("shop", 40, "t", "", ""), 40, "ERROR", "m", 0.0)
    text = rendering.render(Alert(event, 47, 60.0, 12, 340), rendering.Style("billing", "web1"))
    assert [] == [line for line in text.split("\n")[1:] if f"`{line}`" not in README]
