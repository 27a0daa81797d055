"""The process itself: the extra that is missing, signals, closed pipes, encodings."""

from __future__ import annotations

import json
import os
import shlex
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click
import pytest

from devinotify import Client, Message, Outbox, Outcome, Verdict
from devinotify.bulk import Campaign
from devinotify.cli.app import COMMANDS, cli
from devinotify.cli.sending import Order, deliver
from devinotify.exceptions import NotEnoughCredits
from devinotify.url import DevinoURL
from devinotify.words import installing
from tests import forked
from tests.cli.servers import PASSWORD, ScriptedGateway
from tests.tables import table

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from devinotify.sandbox import Sandbox

ITSELF = (sys.executable, "-m", "devinotify")
"""The command as it starts by itself, for what is the interpreter's affair: its streams, signals. Others are forked."""
NUMBER = "+79161234567"

needs_posix = pytest.mark.skipif(sys.platform == "win32", reason="signals and pipes are other there")


def run(
    *arguments: str, url: str = "", stdin: bytes = b"", itself: bool = False, **environment: str
) -> tuple[int, str, str]:
    """Return code, stdout and stderr of a real process."""
    done = subprocess.run(
        [*(ITSELF if itself else forked.command()), *arguments],
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


needs_full = pytest.mark.skipif(not Path("/dev/full").exists(), reason="a disk that is always full is Linux's")
READS = [
    ("phone", NUMBER),
    ("phone", NUMBER, "--json"),
    ("balance",),
    ("incoming",),
    ("stats", "--json"),
    ("segments", "Hi"),
    ("plugins",),
    ("completion", "bash"),
    ("outbox", "list"),
    ("outbox", "list", "--json"),
    ("outbox", "show", "1"),
    ("outbox", "export"),
    ("outbox", "export", "--csv"),
    ("outbox", "--help"),
    ("outbox", "workers"),
    ("outbox", "pace"),
    ("outbox", "limits"),
    ("outbox", "retry", "2"),
    ("outbox", "forget", "1"),
    ("outbox", "adopt", "--from", "old@gateway.example/rest"),
    ("outbox", "resume"),
    ("outbox", "migrate"),
    ("bulk", "numbers.txt", "--text", "Hi", "--dry-run"),
    ("bulk", "numbers.txt", "--text", "Hi", "--dry-run", "--json"),
    ("bulk", "status", "campaign.db"),
    ("bulk", "status", "campaign.db", "--json"),
    ("bulk", "report", "campaign.db", "--csv", "-"),
    ("bulk", "report", "campaign.db", "--html", "/dev/stdout"),
    ("bulk", "report", "campaign.db", "--csv", "report.csv", "--json"),
    ("demo", "--json"),
    ("state", "1"),
    ("url", "--login", "login", "--sender", "SENDER"),
    ("config", "show"),
    ("config", "check"),
    ("config", "path"),
    ("--help",),
    ("--version",),
]
"""What is run for its output, of every kind."""
APART: Mapping[tuple[str, ...], str] = {
    ("send",): "its code is that of its verdict",
    ("viber",): "as that of send",
    ("worker",): "as that of send",
    ("sandbox",): "it serves until it is told to end",
    ("login",): "what it does is done by then, and a script that repeats it would ask the gateway again",
    ("logout",): "what it does is done by then",
}
"""The commands that are not among those, with the reason; each has a test of its own below."""


def named(arguments: tuple[str, ...]) -> tuple[str, ...]:
    """Return the command that a line runs."""
    return arguments[: 2 if arguments[0] in ("config", "outbox") else 1]


WAYS_OUT = dict.fromkeys(
    [
        *{named(arguments): arguments for arguments in reversed(READS)}.values(),
        ("stats", "--json"),
        ("outbox", "export", "--csv"),
        ("bulk", "status", "campaign.db"),
        ("bulk", "report", "campaign.db", "--html", "/dev/stdout"),
    ]
)
"""One of those for each command, and for each way in which an output is written."""


def commands_of(group: click.Group, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Return the commands of a group, and of the groups in it, as they are written."""
    for name in COMMANDS if path == () else group.commands:
        command = group.get_command(click.Context(group), name)
        if isinstance(command, click.Group):
            yield from commands_of(command, (*path, name))
        else:
            yield (*path, name)


def test_every_command_is_run_into_a_full_disk_and_a_closed_stream() -> None:
    """One that is added has to tell of a lost output as well, or to say here why it does not."""
    run_for_its_output = {named(arguments) for arguments in READS if not arguments[-1].startswith("--help")}
    assert {*commands_of(cli)} == (run_for_its_output - {("--version",)}) | APART.keys()


def into(shell: str, url: str, *arguments: str, itself: bool = False) -> tuple[int, str]:
    """Return code and stderr of a process that a shell gives its streams, in a folder with an outbox and a campaign."""
    folder = Path(os.environ["XDG_STATE_HOME"], "devinotify")
    folder.mkdir(parents=True)
    with Outbox(folder / "outbox.db") as outbox:
        outbox.enqueue(Message("Hi", (NUMBER,)))
        outbox.enqueue(Message("refused", (NUMBER,)))
        batch = outbox.claim(rows=[2])
        assert batch is not None
        outbox.settle(batch, [Outcome(NUMBER, Verdict.REJECTED, "sms", error=NotEnoughCredits("no money", code=5))])
    if arguments[0] == "bulk":
        (folder / "numbers.txt").write_text(NUMBER)
        with Campaign(url, folder / "numbers.txt", text="Hi", journal=folder / "campaign.db") as campaign:
            campaign.run()
    line = " ".join(shlex.quote(each) for each in (*(ITSELF if itself else forked.command()), *arguments))
    done = subprocess.run(
        ["sh", "-c", shell.format(line)],
        capture_output=True,
        text=True,
        env={**os.environ, "DEVINOTIFY_URL": url},
        cwd=folder,
        input=f"{PASSWORD}\n",  # which one of them asks for
        timeout=60,
        check=False,
    )
    assert "Traceback" not in done.stderr
    assert "Exception ignored" not in done.stderr
    return done.returncode, done.stderr


@pytest.mark.once
@needs_full
@pytest.mark.parametrize("arguments", READS)
def test_an_output_that_cannot_be_written_is_a_failure(arguments: tuple[str, ...], sandbox: Sandbox) -> None:
    """A read, or an export, whose output is lost on a full disk says so, and does not end as if all were well."""
    code, stderr = into("{} >/dev/full", sandbox.url, *arguments)
    assert (74, 1) == (code, stderr.count("devinotify: the output cannot be written: No space left on device\n"))


@pytest.mark.once
@needs_posix
@pytest.mark.parametrize("arguments", WAYS_OUT)
def test_a_stdout_that_was_closed_is_a_failure_too(arguments: tuple[str, ...], sandbox: Sandbox) -> None:
    """A stream that was closed from the start takes nothing, and no other file takes its place."""
    code, stderr = into("{} >&-", sandbox.url, *arguments)
    assert (74, 1) == (code, stderr.count("devinotify: the output cannot be written: Bad file descriptor\n"))


@needs_full
@pytest.mark.parametrize(
    ("arguments", "stream", "why"),
    [(("balance",), ">&-", "Bad file descriptor"), (("--help",), ">/dev/full", "No space left on device")],
)
def test_a_lost_output_is_a_failure_of_what_the_interpreter_starts(
    arguments: tuple[str, ...], stream: str, why: str, sandbox: Sandbox
) -> None:
    """What it makes of such a stream, at its start and at its end, changes nothing."""
    code, stderr = into(f"{{}} {stream}", sandbox.url, *arguments, itself=True)
    assert (74, f"devinotify: the output cannot be written: {why}\n") == (code, stderr)


@needs_full
@pytest.mark.parametrize(
    ("streams", "itself"),
    [
        pytest.param(">/dev/full", False, marks=pytest.mark.once),
        (">&-", True),
        pytest.param("2>/dev/full >&-", False, marks=pytest.mark.once),
        ("<&- >&- 2>&-", True),
    ],
)
def test_a_send_has_the_code_of_its_verdict_whatever_its_streams_are(
    streams: str, itself: bool, sandbox: Sandbox
) -> None:
    """A script that took a lost output for a failed send would send again."""
    sandbox.reset()
    assert 0 == into(f"{{}} {streams}", sandbox.url, "send", "Hi", NUMBER, itself=itself)[0]
    assert 1 == len(sandbox.messages())


@pytest.mark.once
@needs_full
@pytest.mark.parametrize(("more", "streams"), [((), ">/dev/full"), (("--json",), ">&-")])
@pytest.mark.parametrize(
    "arguments",
    [
        ("worker", "--once"),
        ("bulk", "numbers.txt", "--text", "Hi", "--journal", "second.db", "--yes"),
        ("bulk", "numbers.txt", "--text", "Hi", "--test-to", NUMBER),
        ("viber", "Hi", NUMBER),
    ],
)
def test_whatever_sends_has_the_code_of_its_verdict(
    arguments: tuple[str, ...], more: tuple[str, ...], streams: str, sandbox: Sandbox
) -> None:
    """A worker and a campaign too: what was accepted is not sent again because nobody could be told."""
    sandbox.reset()
    assert 0 == into(f"{{}} {streams}", sandbox.url, *arguments, *more)[0]


@pytest.mark.once
@needs_full
def test_a_state_that_cannot_be_told_is_a_failure(sandbox: Sandbox) -> None:
    """A look-up is a read."""
    with Client(sandbox.url) as client:
        (message_id,) = client.sms.send(NUMBER, "Hi").message_ids
    assert 74 == into("{} >/dev/full", sandbox.url, "state", message_id)[0]


@pytest.mark.once
@needs_full
@table("more", [(), ("--json",)])
def test_a_sandbox_that_cannot_tell_its_address_says_so(more: tuple[str, ...]) -> None:
    """It serves all the same, since whoever chose its port needs no telling, and does not end as if all were well."""
    with Path("/dev/full").open("w") as full:
        process = subprocess.Popen(
            [*forked.command(), "sandbox", "--port", "0", *more], stdout=full, stderr=subprocess.PIPE
        )
    assert process.stderr is not None
    first = process.stderr.readline()
    process.send_signal(signal.SIGINT)
    _, rest = process.communicate(timeout=60)
    expected = b"devinotify: the output cannot be written: No space left on device\n"
    assert (74, expected, b"") == (process.returncode, first, rest)


@needs_posix
def test_a_stdin_that_was_closed_holds_no_text(sandbox: Sandbox) -> None:
    """Nothing to read is an empty text, which our own checks refuse."""
    code, stderr = into("{} <&-", sandbox.url, "send", "-", NUMBER, itself=True)
    assert (4, True) == (code, "the text is empty" in stderr)


@pytest.mark.once
@needs_full
def test_a_stderr_that_cannot_be_written_changes_nothing(sandbox: Sandbox) -> None:
    """Where no word of an error can be said, its code still is."""
    assert 4 == into("{} 2>/dev/full", sandbox.url, "send", "Hi", "12")[0]


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
            [*ITSELF, "send", "Hello", NUMBER],
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
        [*(ITSELF if itself else forked.command()), *arguments],
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
