"""``devinotify demo``: the main job, for real, in a few seconds."""

from __future__ import annotations

import os
import re
import subprocess
import sys

import pytest
from click.testing import CliRunner, Result

from devinotify.cli import demo
from devinotify.cli.app import Commands
from devinotify.cli.sandbox import DEFAULT_PORT
from devinotify.url import parse
from tests.cli.conftest import Run, document

pytestmark = pytest.mark.once

UNREACHABLE = demo.Sample("viber", "send_with_resend", "+79000000044", "To nobody")
QUEUED = demo.Sample("sms", "send", "+79000000002", "For later")


def test_every_message_is_delivered(run: Run) -> None:
    """Exit code 0 and a table with each of them, and the next steps."""
    result = run("demo")
    assert (0, "", True, True) == (
        result.exit_code,
        result.stderr,
        all(sample.recipient in result.stdout for sample in demo.SAMPLES),
        "4 of 4 messages delivered" in result.stdout
        and "do not say whether it charges for that one" in result.stdout
        and "devinotify sandbox" in result.stdout,
    )


def test_it_speaks_russian(run: Run) -> None:
    """The text that tells its reader what happens, too."""
    told = run("demo", "--lang", "ru").stdout
    assert (True, False) == ("Доставлено сообщений: 4 из 4" in told, "No Viber" in told)


def test_json_tells_how_each_arrived(run: Run) -> None:
    """Status, segments, price and history of each message."""
    found = document(run("demo", "--json"))
    rows = [(row["channel"], row["resent_as_sms"], row["segments"], row["status"]) for row in found["results"]]
    expected = [
        ("sms", False, 1, "delivered"),
        ("sms", False, 2, "delivered"),
        ("viber", False, 1, "delivered"),
        ("viber", True, 2, "delivered"),
    ]
    assert (4, 0, expected) == (found["delivered"], found["exit_code"], rows)


def demonstrated(sample: demo.Sample, *, as_json: bool = True, patience: float = demo.PATIENCE) -> Result:
    """Return the result of a demo with another message, as the command line tells it."""
    group = Commands("devinotify")

    @group.command()
    def other() -> int:
        return demo.demonstrate((sample,), as_json=as_json, patience=patience)

    return CliRunner().invoke(group, ["other"])


def test_a_message_that_is_not_delivered_is_code_6() -> None:
    """Viber fails, its SMS expires: 6."""
    result = demonstrated(UNREACHABLE)
    assert (6, "expired") == (result.exit_code, document(result)["results"][0]["status"])


def test_a_message_that_stays_open_is_code_5() -> None:
    """When the patience is over before the message has ended: 5."""
    result = demonstrated(QUEUED, patience=0.0)
    assert (5, "queued") == (result.exit_code, document(result)["results"][0]["status"])


def test_a_refused_message_ends_the_demo_with_its_code() -> None:
    """A send that the gateway refuses: 3, in one line."""
    result = demonstrated(demo.Sample("sms", "send", "+79000000005", "Too dear"), as_json=False)
    assert (3, 1) == (result.exit_code, len(result.stderr.splitlines()))


STEPPED = """
import sys
from devinotify import sandbox
from devinotify.cli import demo, main
from devinotify.sandbox.clock import Clock

class Stepped(sandbox.Sandbox):
    def __init__(self):
        super().__init__(clock=Clock(running=False))
        demo.time.sleep = self.advance

sandbox.Sandbox = Stepped
sys.argv = ["devinotify", "demo"]
main()
"""
"""The demo over a gateway whose time goes by between the looks alone: a busy machine misses no state."""


def on_a_terminal(columns: int) -> tuple[int, str]:
    """Return the exit code of the demo on a terminal of this width, and all that it wrote to it."""
    import pty

    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-c", STEPPED],
        stdout=theirs,
        env={**os.environ, "TERM": "xterm", "COLUMNS": str(columns)},
    )
    os.close(theirs)
    shown = b""
    while True:
        try:
            read = os.read(ours, 65536)
        except OSError:  # Linux says so when the other end is closed
            break
        if not read:
            break
        shown += read
    os.close(ours)
    code = process.wait(60)
    return code, shown.decode()


needs_terminal = pytest.mark.skipif(sys.platform == "win32", reason="it has no pseudo-terminals of this kind")


@needs_terminal
def test_a_terminal_shows_the_states_as_they_come() -> None:
    """On a terminal the table is redrawn, and ends with everything delivered."""
    code, text = on_a_terminal(160)
    last = text.rpartition("recipient")[2]
    assert (0, True, True, 4) == (
        code,
        "\x1b[" in text,
        text.index("sent") < text.index("delivered"),
        last.count("> delivered"),
    )


@needs_terminal
def test_a_narrow_terminal_shows_texts_and_last_states() -> None:
    """In 80 columns no line is longer, the texts are there, and each status is whole."""
    code, text = on_a_terminal(80)
    plain = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", text.rpartition("recipient")[2])
    table = plain.partition("4 of 4")[0]
    assert (0, 4, True, True) == (
        code,
        len(re.findall(r" delivered\s*\n", table)),
        "Hello from" in table and "UCS-2" in table,
        all(len(line.rstrip()) <= 80 for line in table.splitlines()),
    )


def test_the_next_steps_name_the_sandbox_and_an_account() -> None:
    """The URL to export is that of the gateway which `devinotify sandbox` starts, as the README has it."""
    (url,) = (command.split("'")[1] for command, _ in demo.NEXT_STEPS if command.startswith("export"))
    settings = parse(url)
    assert (f"http://127.0.0.1:{DEFAULT_PORT}/rest", "demo", "demo") == (
        settings.gateway,
        settings.login,
        settings.password,
    )


def test_a_message_not_yet_looked_at_is_queued() -> None:
    """Before the first look a message counts as queued and costs nothing."""
    from devinotify.models import Receipt

    message = demo.Sent(QUEUED, "DEVINO", Receipt("+79000000002", ("1",), 1))
    assert ("queued", "0", False) == (str(message.status), str(message.price), message.is_final)
