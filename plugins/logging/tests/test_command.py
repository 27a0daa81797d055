"""``devinotify log-test``: what it says, and its exit codes."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click
import pytest
from click.testing import CliRunner
from devinotify import make_plugin_manager

from devinotify_logging import DevinoHandler, hooks
from tests.support import NUMBER, free_port, run, texts, url_of

if TYPE_CHECKING:
    import logging

    from devinotify.sandbox import Sandbox


def log_test(*arguments: str) -> tuple[str, int]:
    """Run the command and return what it says and its exit code."""
    group = click.Group("devinotify")
    hooks.devinotify_register_commands(group)
    result = CliRunner().invoke(group, ["log-test", *arguments])
    return result.output, result.exit_code


@pytest.mark.once
def test_away_says_it_once() -> None:
    """The end of the command says nothing of lost records: what became of its message has been told."""
    code = "import sys; from devinotify.cli import main; sys.argv[0] = 'devinotify'; main()"
    url = f"devino://demo:demo@DEVINO/{NUMBER}?gateway=http://127.0.0.1:{free_port()}/rest"
    out, err, exit_code = run(code, "log-test", url)
    assert (4, "", 1) == (exit_code, err, out.count("not sent: "))


def test_accepted(gateway: Sandbox) -> None:
    """One record goes through a real handler; its text, cost and recipient are told."""
    said, code = log_test(url_of(gateway), "--message", "Привет", "--level", "CRITICAL")
    (text,) = texts(gateway)
    assert 0 == code
    assert f"By sms, in 1 segment of UCS-2:\n    {text}\n+7916***4567 accepted: the gateway took it\n" == said
    assert text.endswith(": Привет")


def test_through_an_outbox(gateway: Sandbox, tmp_path: Path) -> None:
    """With ``--outbox`` it takes the way of a handler that has one."""
    said, code = log_test(url_of(gateway), "--outbox", str(tmp_path / "alerts.db"))
    assert (0, 1, True) == (code, len(texts(gateway)), "accepted" in said)


def test_environment(gateway: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a URL that of DEVINOTIFY_URL is tried."""
    monkeypatch.setenv("DEVINOTIFY_URL", gateway.url)
    assert 0 == log_test("--to", NUMBER, "--channel", "viber")[1]
    assert ["viber"] == [message.channel for message in gateway.messages()]


def test_a_file_of_the_url(gateway: Sandbox, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Without a URL and DEVINOTIFY_URL, the file that DEVINOTIFY_URL_FILE names is tried."""
    file = tmp_path / "url"
    file.write_text(gateway.url + "\n", encoding="utf-8")
    monkeypatch.setenv("DEVINOTIFY_URL_FILE", str(file))
    assert (0, 1) == (log_test("--to", NUMBER)[1], len(gateway.messages()))


@pytest.mark.parametrize("url", [[], [""]])
def test_no_url(url: list[str]) -> None:
    """Without any URL it is said where to put one, in the words of the other commands."""
    said, code = log_test(*url)
    assert (2, True) == (code, "no account: put its URL into DEVINOTIFY_URL, or give it as URL;" in said)


@pytest.mark.parametrize("password", ["demo", "wrong"])
def test_takes_nothing_from_the_limits(
    password: str, gateway: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, logger: logging.Logger
) -> None:
    """However often it is run, each says what became of its message, and the alerts of a service go out as ever."""
    monkeypatch.setenv("DEVINOTIFY_OUTBOX", str(tmp_path / "alerts.db"))
    url = url_of(gateway)
    tests = [log_test(url.replace(":demo@", f":{password}@")) for _ in range(6)]
    assert {0 if password == "demo" else 3} == {code for _, code in tests}
    assert not (tmp_path / "alerts.db-limits").exists()
    before = len(texts(gateway))
    logger.addHandler(handler := DevinoHandler(url, dedupe=0))
    for name in "abc":
        logger.error("error " + name)
    handler.flush()
    assert (3, 3) == (len(texts(gateway)) - before, handler.counters.accepted)


@pytest.mark.usefixtures("_noon")
def test_waits_for_no_limit(
    gateway: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, logger: logging.Logger
) -> None:
    """Where the alerts of the account are held back, the test is not: its outcome is known."""
    monkeypatch.setenv("DEVINOTIFY_OUTBOX", str(tmp_path / "alerts.db"))
    logger.addHandler(handler := DevinoHandler(url_of(gateway), dedupe=0, burst=1, rate="1/h", daily_limit=2))
    for name in "abc":
        logger.error("error " + name)
    handler.flush()
    said, code = log_test(url_of(gateway))
    assert (0, True) == (code, "accepted: the gateway took it" in said)


def test_more_recipients_than_a_day_allows(gateway: Sandbox) -> None:
    """No daily limit holds the test back, however many are to have it."""
    many = ",".join(f"+7916123{number:04}" for number in range(101))
    said, code = log_test(gateway.url, "--to", many)
    assert (0, 101) == (code, said.count("accepted: the gateway took it"))


def test_rejected(gateway: Sandbox) -> None:
    """A wrong password is explained, and is exit code 3."""
    said, code = log_test(url_of(gateway).replace(":demo@", ":wrong@"))
    assert (3, True, False) == (code, "rejected: the gateway refused it: " in said, "wrong" in said)


def test_not_sent() -> None:
    """A gateway that is away is exit code 4."""
    url = f"devino://demo:demo@DEVINO/{NUMBER}?gateway=http://127.0.0.1:{free_port()}/rest"
    said, code = log_test(url)
    assert (4, True) == (code, "not sent: " in said)


def test_not_sent_but_kept(tmp_path: Path) -> None:
    """With an outbox it is said where the alert stays."""
    url = f"devino://demo:demo@DEVINO/{NUMBER}?gateway=http://127.0.0.1:{free_port()}/rest"
    said, code = log_test(url, "--outbox", str(tmp_path / "alerts.db"))
    assert (4, True) == (code, f"It stays in {tmp_path / 'alerts.db'}: " in said)


def test_endless(gateway: Sandbox) -> None:
    """A time that never ends is refused by the name of its option."""
    said, code = log_test(url_of(gateway), "--timeout", "inf")
    assert (2, True) == (code, "--timeout" in said)


def test_unknown(gateway: Sandbox) -> None:
    """A lost answer is exit code 5."""
    gateway.add_fault("drop", operation="Sms/Send")
    said, code = log_test(url_of(gateway))
    assert (5, True) == (code, "look at the phone" in said)


SENDS = """
import sys
from devinotify.cli import main
for url in sys.argv[1:]:
    sys.argv = ["devinotify", "send", "--url", url, "hello"]
    try:
        main()
    except SystemExit as end:
        print("exit code", end.code)
"""
"""Sends by each URL in turn, as ``devinotify send`` does, and prints what it exits with."""


@pytest.mark.once
def test_the_exit_codes_are_those_of_send(gateway: Sandbox) -> None:
    """Of whatever becomes of the message, and of a wrong URL."""
    url, lost = url_of(gateway), "+79161234568"
    away = f"devino://demo:demo@DEVINO/{NUMBER}?gateway=http://127.0.0.1:{free_port()}/rest"
    gateway.add_fault("drop", number=lost, operation="Sms/Send")
    each = [url, f"{url}&chanel=sms", url.replace(":demo@", ":wrong@"), away, f"{gateway.url}&to={lost}"]
    sent = re.findall(r"^exit code (\d+)$", run(SENDS, *each)[0], re.MULTILINE)
    assert (["0", "2", "3", "4", "5"], [0, 2, 3, 4, 5]) == (sent, [log_test(one)[1] for one in each])


def test_bad_configuration(gateway: Sandbox) -> None:
    """What the handler refuses is told, and is exit code 2."""
    said, code = log_test(gateway.url, "--to", "+7916")
    assert (2, True) == (code, said.startswith("The handler refuses its configuration: bad value for to: "))


def test_nobody(gateway: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where nothing comes back in time, that is told, with whatever the handler has to report."""
    gateway.add_fault("latency", seconds=60, times=1)
    said, code = log_test(url_of(gateway), "--timeout", "0.1")
    gateway.remove_fault()
    assert (5, "Nothing came back within 0.1 seconds.\n") == (code, said)


def test_is_a_plugin() -> None:
    """devinotify finds the plugin by its entry point."""
    (found,) = (one for one in make_plugin_manager().loaded() if one.name == "logging")
    assert ("devinotify_register_commands",) == found.hooks


def test_on_the_command_line(gateway: Sandbox) -> None:
    """``devinotify log-test`` is there when the plugin is installed."""
    code = "import sys; from devinotify.cli import main; sys.argv[0] = 'devinotify'; main()"
    out, err, exit_code = run(code, "log-test", url_of(gateway))
    assert (0, "", True) == (exit_code, err, "accepted" in out)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="a disk that is always full is Linux's")
@pytest.mark.parametrize("streams", [">/dev/full", ">&-"])
def test_an_output_that_is_lost(streams: str, gateway: Sandbox) -> None:
    """The code is that of the message, which was sent: a script that saw a failure would send again."""
    line = shlex.join([sys.executable, "-m", "devinotify", "log-test", url_of(gateway)])
    done = subprocess.run(["sh", "-c", f"{line} {streams}"], capture_output=True, text=True, check=False, timeout=60)
    assert (0, "", 1) == (done.returncode, done.stderr, len(texts(gateway)))


def test_loads_nothing_else() -> None:
    """Every devinotify process loads the plugin, and most need neither the handler nor what it sends with."""
    code = (
        "import sys, devinotify_logging.hooks\n"
        "print([name for name in ('click', 'requests', 'devinotify_logging.handler') if name in sys.modules])"
    )
    assert (
        "[]\n"
        == subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60).stdout
    )


def test_the_help_loads_no_handler() -> None:
    """``devinotify --help`` shows the command's line, and loads neither handler nor gateway for it."""
    code = (
        "import sys, click\nfrom devinotify_logging import hooks\nhooks.devinotify_register_commands(click.Group())\n"
        "print([name for name in ('requests', 'devinotify_logging.handler') if name in sys.modules])"
    )
    assert (
        "[]\n"
        == subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60).stdout
    )


def test_names_on_first_use() -> None:
    """The package's names are there, and no others."""
    import devinotify_logging

    assert {"Counters", "DevinoHandler"} == set(devinotify_logging.__all__) <= set(dir(devinotify_logging))
    with pytest.raises(AttributeError, match="no attribute 'Nothing'"):
        _ = devinotify_logging.Nothing
