"""What commands come to whose streams take nothing: on a full disk, or closed from the start."""

from __future__ import annotations

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
from devinotify.exceptions import NotEnoughCredits
from tests import forked
from tests.cli.servers import PASSWORD
from tests.tables import table

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from devinotify.sandbox import Sandbox

NUMBER = "+79161234567"

needs_posix = pytest.mark.skipif(sys.platform == "win32", reason="signals and pipes are other there")
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
    line = " ".join(shlex.quote(each) for each in (*(forked.ITSELF if itself else forked.command()), *arguments))
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
