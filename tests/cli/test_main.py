"""The process itself: the extra that is missing, signals, closed pipes, encodings."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.cli.servers import PASSWORD, ScriptedGateway

if TYPE_CHECKING:
    from devinotify.sandbox import Sandbox

COMMAND = [sys.executable, "-m", "devinotify.cli"]
NUMBER = "+79161234567"

needs_posix = pytest.mark.skipif(sys.platform == "win32", reason="signals and pipes are other there")


def run(*arguments: str, url: str = "", stdin: bytes = b"", **environment: str) -> tuple[int, str, str]:
    """Return code, stdout and stderr of a real process."""
    done = subprocess.run(
        [*COMMAND, *arguments],
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


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="a disk that is always full is Linux's")
@pytest.mark.parametrize("arguments", [("phone", NUMBER), ("phone", NUMBER, "--json")])
def test_a_full_disk_leaves_the_exit_code(arguments: tuple[str, ...]) -> None:
    """Output that cannot be written is told, and the code says what the command came to."""
    with Path("/dev/full").open("w") as full:
        done = subprocess.run([*COMMAND, *arguments], stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert (0, "devinotify: the output cannot be written: No space left on device\n") == (done.returncode, done.stderr)


@pytest.mark.parametrize("package", ["click", "rich"])
def test_without_the_extra_one_line_names_it(package: str) -> None:
    """Where click or rich is missing, the command says what to install and exits with 2."""
    program = f"import sys; sys.modules[{package!r}] = None\nfrom devinotify.cli import main\nmain()"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    expected = "devinotify: the command line needs its extra: pip install 'devinotify[cli]'\n"
    assert (2, "", expected) == (done.returncode, done.stdout, done.stderr)


def test_a_process_sends(sandbox: Sandbox) -> None:
    """The whole way, from a pipe to the gateway."""
    code, stdout, stderr = run("send", "--to", NUMBER, url=sandbox.url, stdin="Диск полон\n".encode())
    assert (0, True, "", ["Диск полон"]) == (
        code,
        NUMBER in stdout,
        stderr,
        [arrived.text for arrived in sandbox.messages()],
    )


@pytest.mark.parametrize(("number", "expected"), [(NUMBER, 0), ("+79000000005", 3), ("12", 4), ("+79000000008", 5)])
def test_the_codes_of_a_process(sandbox: Sandbox, number: str, expected: int) -> None:
    """The exit code reaches the shell."""
    assert expected == run("send", "Hello", number, url=sandbox.url)[0]


@needs_posix
def test_ctrl_c_is_one_line_and_code_130() -> None:
    """An interrupt while the gateway is thinking: 130, and that the message may have gone out."""
    with ScriptedGateway(hold=True) as gateway:
        process = subprocess.Popen(
            [*COMMAND, "send", "Hello", NUMBER],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={**os.environ, "DEVINOTIFY_URL": gateway.url},
        )
        assert gateway.reached.wait(30)
        process.send_signal(signal.SIGINT)
        stdout, stderr = process.communicate(timeout=30)
    expected = b"devinotify: interrupted; what was being sent may have gone out\n"
    assert (130, b"", expected) == (process.returncode, stdout, stderr)


def closed_pipe(*arguments: str, url: str) -> tuple[int, bytes]:
    """Return code and stderr of a process whose stdout nobody reads."""
    reading, writing = os.pipe()
    os.close(reading)
    process = subprocess.Popen(
        [*COMMAND, *arguments], stdout=writing, stderr=subprocess.PIPE, env={**os.environ, "DEVINOTIFY_URL": url}
    )
    os.close(writing)
    _, stderr = process.communicate(timeout=60)
    return process.returncode, stderr


@needs_posix
def test_a_closed_pipe_does_not_change_what_became_of_a_send(sandbox: Sandbox) -> None:
    """The message is accepted, though nobody reads that: 0, and quiet."""
    assert (0, b"", 1) == (*closed_pipe("send", "Hello", NUMBER, url=sandbox.url), len(sandbox.messages()))


@needs_posix
def test_a_closed_pipe_does_not_hide_a_refusal(sandbox: Sandbox) -> None:
    """In JSON too the exit code is that of the send."""
    assert (3, b"") == closed_pipe("send", "Hello", "+79000000005", "--json", url=sandbox.url)


@needs_posix
def test_a_closed_pipe_for_the_help_is_quiet() -> None:
    """What click prints by itself ends without a word: 141."""
    assert (141, b"") == closed_pipe("--help", url="")


@needs_posix
def test_stderr_that_nobody_reads_changes_nothing(sandbox: Sandbox) -> None:
    """A failed send keeps its code where its line cannot be written."""
    reading, writing = os.pipe()
    os.close(reading)
    process = subprocess.Popen(
        [*COMMAND, "send", "Hello", "12"], stderr=writing, env={**os.environ, "DEVINOTIFY_URL": sandbox.url}
    )
    os.close(writing)
    assert 4 == process.wait(60)


def test_a_stdout_that_knows_no_cyrillic_gets_escapes(sandbox: Sandbox) -> None:
    """Nothing fails because the terminal cannot show a character."""
    sandbox.add_incoming("Да", "79161234567")
    code, stdout, _ = run("incoming", url=sandbox.url, PYTHONIOENCODING="cp1252", PYTHONUTF8="0")
    assert (0, True) == (code, "\\u0414" in stdout)


@needs_posix
def test_no_text_on_a_terminal_is_a_usage_error(sandbox: Sandbox) -> None:
    """Nobody waits for somebody to type a message without saying so."""
    import pty

    ours, theirs = pty.openpty()
    done = subprocess.run(
        [*COMMAND, "send", "--to", NUMBER],
        stdin=theirs,
        capture_output=True,
        env={**os.environ, "DEVINOTIFY_URL": sandbox.url},
        timeout=60,
        check=False,
    )
    os.close(ours)
    os.close(theirs)
    assert (2, True) == (done.returncode, b"no text: give it as the first argument" in done.stderr)


@needs_posix
def test_bash_completes_commands_and_options() -> None:
    """The shell's question is answered without running a command."""
    code, stdout, _ = run(_DEVINOTIFY_COMPLETE="bash_complete", COMP_WORDS="devinotify ba", COMP_CWORD="1")
    assert (0, "plain,balance\n") == (code, stdout)
