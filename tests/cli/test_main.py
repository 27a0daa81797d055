"""The process itself: the extra that is missing, signals, closed pipes, encodings."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from devinotify import Outcome, Verdict
from devinotify.cli.sending import Order, deliver
from devinotify.url import DevinoURL
from devinotify.words import installing
from tests import forked
from tests.cli.servers import PASSWORD, ScriptedGateway
from tests.tables import table

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from devinotify.sandbox import Sandbox

NUMBER = "+79161234567"

needs_posix = pytest.mark.skipif(sys.platform == "win32", reason="signals and pipes are other there")


def run(
    *arguments: str, url: str = "", stdin: bytes = b"", itself: bool = False, **environment: str
) -> tuple[int, str, str]:
    """Return code, stdout and stderr of a real process."""
    done = subprocess.run(
        [*(forked.ITSELF if itself else forked.command()), *arguments],
        input=stdin,
        capture_output=True,
        env={**os.environ, "DEVINOTIFY_URL": url, **environment},
        timeout=60,
        check=False,
    )
    stdout, stderr = done.stdout.decode(), done.stderr.decode()
    assert PASSWORD not in stdout + stderr
    assert "Traceback" not in stderr
    return done.returncode, stdout, stderr


@pytest.mark.once
def test_the_url_may_be_in_a_file(tmp_path: Path) -> None:
    """DEVINOTIFY_URL_FILE is read where there is no DEVINOTIFY_URL; one that is not there is named, and is code 2."""
    file = tmp_path / "url"
    file.write_text("devino://demo:demo@DEVINO?channel=null\n", encoding="utf-8")
    sent = run("send", "Hi", NUMBER, "--json", DEVINOTIFY_URL_FILE=str(file))
    assert (0, "accepted") == (sent[0], json.loads(sent[1])["results"][0]["verdict"])
    assert (2, "", f"devinotify: DEVINOTIFY_URL_FILE: {tmp_path / 'none'}: No such file or directory.") == (
        *(lost := run("balance", DEVINOTIFY_URL_FILE=str(tmp_path / "none")))[:2],
        lost[2].partition(" `")[0],
    )


@table("package", ["click", "rich"])
def test_without_the_extra_one_line_names_it(package: str) -> None:
    """Where click or rich is missing, the command says what to install and exits with 2."""
    program = f"import sys; sys.modules[{package!r}] = None\nfrom devinotify.cli import main\nmain()"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False, timeout=60)
    expected = f"devinotify: the command line needs its extra: {installing('cli')}\n"
    assert (2, "", expected) == (done.returncode, done.stdout, done.stderr)


def test_a_process_sends(sandbox: Sandbox) -> None:
    """The whole way, from a pipe to the gateway."""
    code, stdout, stderr = run("send", "--to", NUMBER, url=sandbox.url, stdin="Диск полон\n".encode(), itself=True)
    assert (0, True, "", ["Диск полон"]) == (
        code,
        NUMBER in stdout,
        stderr,
        [arrived.text for arrived in sandbox.messages()],
    )


@pytest.mark.once
@pytest.mark.parametrize(("number", "expected"), [(NUMBER, 0), ("+79000000005", 3), ("12", 4), ("+79000000008", 5)])
def test_the_codes_of_a_process(sandbox: Sandbox, number: str, expected: int) -> None:
    """The exit code reaches the shell."""
    assert expected == run("send", "Hello", number, url=sandbox.url)[0]


@needs_posix
def test_ctrl_c_is_one_line_and_code_130() -> None:
    """An interrupt while the gateway is thinking: 130, and that the message may have gone out."""
    with ScriptedGateway(hold=True) as gateway:
        process = subprocess.Popen(
            [*forked.ITSELF, "send", "Hello", NUMBER],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={**os.environ, "DEVINOTIFY_URL": gateway.url},
        )
        assert gateway.reached.wait(60)
        process.send_signal(signal.SIGINT)
        stdout, stderr = process.communicate(timeout=60)
    expected = b"devinotify: interrupted; what was being sent may have gone out\n"
    assert (130, b"", expected) == (process.returncode, stdout, stderr)


@pytest.mark.once
def test_an_interrupted_wait_tells_what_was_accepted(sandbox: Sandbox) -> None:
    """Ctrl-C while the delivery is waited for loses no id: they are on stderr before, and in the table after."""
    sandbox.set_timeline("delivered", sms=[(0.0, -1)])
    process = subprocess.Popen(
        [*forked.command(), "send", "Hello", NUMBER, "--wait", "60"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, "DEVINOTIFY_URL": sandbox.url},
    )
    assert process.stderr is not None
    first = process.stderr.readline().decode()
    process.send_signal(signal.SIGINT)
    stdout, stderr = process.communicate(timeout=60)
    (message_id,) = sandbox.messages()[0].message_ids
    assert (130, True, True, True) == (
        process.returncode,
        message_id in first,
        message_id in stdout.decode(),
        b"interrupted; what was accepted is on its way" in stderr,
    )


def test_a_wait_may_be_broken_off_as_soon_as_its_first_id_is_told(sandbox: Sandbox) -> None:
    """Whoever reads an id may press Ctrl-C before the next one is written: the outcomes are kept all the same."""

    def read_and_interrupt(_: Sequence[Outcome]) -> None:
        raise KeyboardInterrupt

    order = Order(text="Hello", recipients=(NUMBER,), wait=60)
    delivery = deliver(DevinoURL.parse(sandbox.url), order, before_waiting=read_and_interrupt)
    assert (True, [Verdict.ACCEPTED]) == (delivery.interrupted, [outcome.verdict for outcome in delivery.outcomes])


def closed_pipe(*arguments: str, url: str, itself: bool = False) -> tuple[int, bytes]:
    """Return code and stderr of a process whose stdout nobody reads."""
    reading, writing = os.pipe()
    os.close(reading)
    process = subprocess.Popen(
        [*(forked.ITSELF if itself else forked.command()), *arguments],
        stdout=writing,
        stderr=subprocess.PIPE,
        env={**os.environ, "DEVINOTIFY_URL": url},
    )
    os.close(writing)
    _, stderr = process.communicate(timeout=60)
    return process.returncode, stderr


@needs_posix
def test_a_closed_pipe_does_not_change_what_became_of_a_send(sandbox: Sandbox) -> None:
    """The message is accepted, though nobody reads that: 0, and quiet."""
    told = closed_pipe("send", "Hello", NUMBER, url=sandbox.url, itself=True)
    assert (0, b"", 1) == (*told, len(sandbox.messages()))


@pytest.mark.once
@needs_posix
def test_a_closed_pipe_does_not_hide_a_refusal(sandbox: Sandbox) -> None:
    """In JSON too the exit code is that of the send."""
    assert (3, b"") == closed_pipe("send", "Hello", "+79000000005", "--json", url=sandbox.url)


@needs_posix
def test_a_closed_pipe_for_the_help_is_quiet() -> None:
    """What click prints by itself ends without a word: 141."""
    assert (141, b"") == closed_pipe("--help", url="", itself=True)


@pytest.mark.once
@needs_posix
def test_stderr_that_nobody_reads_changes_nothing(sandbox: Sandbox) -> None:
    """A failed send keeps its code where its line cannot be written."""
    reading, writing = os.pipe()
    os.close(reading)
    process = subprocess.Popen(
        [*forked.command(), "send", "Hello", "12"], stderr=writing, env={**os.environ, "DEVINOTIFY_URL": sandbox.url}
    )
    os.close(writing)
    assert 4 == process.wait(60)


def test_a_stdout_that_knows_no_cyrillic_gets_escapes(sandbox: Sandbox) -> None:
    """Nothing fails because the terminal cannot show a character."""
    sandbox.add_incoming("Да", "79161234567")
    code, stdout, _ = run("incoming", url=sandbox.url, itself=True, PYTHONIOENCODING="cp1252", PYTHONUTF8="0")
    assert (0, True) == (code, "\\u0414" in stdout)


@pytest.mark.once
@needs_posix
def test_no_text_on_a_terminal_is_a_usage_error(sandbox: Sandbox) -> None:
    """Nobody waits for somebody to type a message without saying so."""
    import pty

    ours, theirs = pty.openpty()
    done = subprocess.run(
        [*forked.command(), "send", "--to", NUMBER],
        stdin=theirs,
        capture_output=True,
        env={**os.environ, "DEVINOTIFY_URL": sandbox.url},
        timeout=60,
        check=False,
    )
    os.close(ours)
    os.close(theirs)
    assert (2, True) == (done.returncode, b"no text: give it as the first argument" in done.stderr)


@pytest.mark.once
@needs_posix
def test_bash_completes_commands_and_options() -> None:
    """The shell's question is answered without running a command."""
    code, stdout, _ = run(_DEVINOTIFY_COMPLETE="bash_complete", COMP_WORDS="devinotify ba", COMP_CWORD="1")
    assert (0, "plain,balance\n") == (code, stdout)
