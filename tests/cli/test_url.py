"""``devinotify url``: the URL that it prints, and that a password is never needed on the command line."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings

from devinotify.sandbox import Sandbox
from devinotify.url import parse
from tests import forked
from tests.cli.conftest import Run, document
from tests.cli.terminal import answered, needs_terminal
from tests.strategies import passwords
from tests.tables import table

if TYPE_CHECKING:
    from pathlib import Path

PARTS = ("--login", "login", "--sender", "SENDER")


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(password=passwords)
def test_reads_back_the_same(run: Run, password: str) -> None:
    """Whatever the password on stdin is, the URL that is printed holds it."""
    result = run("url", *PARTS, stdin=password + "\n")
    assert ("", 0) == (result.stderr, result.exit_code)
    assert ("login", password, "SENDER") == ((url := parse(result.stdout)).login, url.password, url.sender)


def test_encodes_what_has_to_be(run: Run) -> None:
    """Every reserved character of every part is encoded; numbers and options follow."""
    result = run(
        *("url", "--login", "me@work:1", "--sender", "My Shop", "+79161234567", "oncall"),
        *("-o", "channel=sms-viber", "-o", "outbox=/tmp/a&b"),
        stdin="p@s#s/w?r:d\n",
    )
    expected = (
        "devino://me%40work%3A1:p%40s%23s%2Fw%3Fr%3Ad@My%20Shop/+79161234567/oncall?channel=sms-viber&outbox=/tmp/a%26b"
    )
    assert (f"{expected}\n", "") == (result.stdout, result.stderr)


def test_json(run: Run) -> None:
    """With --json it is one document."""
    result = run("url", *PARTS, "--json", stdin="pa@ss\n")
    assert {"url": "devino://login:pa%40ss@SENDER", "exit_code": 0} == document(result)


@table(
    "arguments, stdin, words",
    [
        (PARTS, "", "the password is missing"),
        (PARTS, "\n", "the password is missing"),
        (PARTS, b"pa\xffss\n", "the password on stdin is not UTF-8"),
        (("--login", "\udcff", "--sender", "SENDER"), "secret\n", "the login is not percent-encoded UTF-8"),
        (("--sender", "SENDER"), "secret\n", "give --login"),
        (("--login", "login"), "secret\n", "give --sender"),
        ((*PARTS, "-o", "channel"), "secret\n", "KEY=VALUE"),
        ((*PARTS, "-o", "chanel=viber"), "secret\n", "unknown key 'chanel': did you mean channel?"),
        ((*PARTS, "-o", "validity=soon"), "secret\n", "bad value for validity"),
    ],
)
def test_a_wrong_part_is_named(run: Run, arguments: tuple[str, ...], stdin: str | bytes, words: str) -> None:
    """What is missing or wrong is a usage error in one line, and nothing is printed."""
    result = run("url", *arguments, stdin=stdin)
    assert (2, "", 1) == (result.exit_code, result.stdout, len(result.stderr.splitlines()))
    assert words in result.stderr
    assert "secret" not in result.output


@pytest.mark.once
@needs_terminal
def test_asks_at_a_terminal() -> None:
    """At a terminal all parts are asked for, the password unseen; stdout has the URL and nothing else."""
    answers = {"Login: ": "me", "Password: ": "p@ss", "Sender: ": "SENDER"}
    code, stdout, shown = answered("url", answers=answers.items())
    assert (0, b"devino://me:p%40ss@SENDER\n", False) == (code, stdout, b"p@ss" in shown)


@pytest.mark.once
@pytest.mark.skipif(sys.platform == "win32", reason="there is no sh")
@table("arguments", [PARTS, ("--sender", "SENDER")])
def test_closed_stdin(arguments: tuple[str, ...]) -> None:
    """Where there is no stdin at all there is no password, and nobody to ask."""
    line = ["sh", "-c", '"$@" <&-', "sh", *forked.command(), "url", *arguments]
    done = subprocess.run(line, capture_output=True, text=True, check=False, timeout=60)
    assert (2, "", 1) == (done.returncode, done.stdout, len(done.stderr.splitlines()))


def test_the_url_works(run: Run) -> None:
    """What is printed is what every other command takes."""
    password = "p@s#s/w?r:d%"
    with Sandbox(login="me@work", password=password) as gateway:
        parts = ("--login", "me@work", "--sender", "DEVINO", "-o", f"gateway={gateway.gateway}")
        made = run("url", *parts, stdin=password + "\n").stdout.strip()
        assert 0 == run("balance", url=made).exit_code


def test_errors_of_other_commands_say_how(run: Run) -> None:
    """A URL that cannot be read is answered by the character, and by the command that writes it right."""
    result = run("balance", url="devino://login:pa/ss@SENDER")
    assert 2 == result.exit_code
    assert "there is a / in them, which is written as %2F. `devinotify url` writes one from its parts." in result.stderr


@pytest.mark.once
@needs_terminal
def test_an_interrupt_at_the_password() -> None:
    """Nothing is ever sent there, so nothing is said of what may have gone out."""
    import pty

    parent, child = pty.openpty()
    with subprocess.Popen(
        [*forked.command(), "url", *PARTS],
        stdin=child,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    ) as process:
        os.close(child)
        assert process.stderr is not None
        shown = b""
        while b"Password: " not in shown:
            shown += os.read(process.stderr.fileno(), 1024)
        process.send_signal(signal.SIGINT)
        stdout, rest = process.communicate(timeout=60)
    os.close(parent)
    assert (130, b"", True) == (process.returncode, stdout, (shown + rest).endswith(b"devinotify: interrupted\n"))


@table(
    "wrong, words",
    [
        ("devino://a:b@S?region=XX", "bad value for region: the region must be a two-letter ISO 3166 code"),
        ("devino://a:b@S?region=rus", "bad value for region: a country of two letters"),
        ("devino://a:b@S?ca=/nope&gateway=http://127.0.0.1:9/rest", "bad value for ca: /nope is not a readable file"),
    ],
)
@table("command", [("send", "Hello", "+79161234567"), ("balance",)])
def test_a_wrong_value_is_told_by_its_key(run: Run, command: tuple[str, ...], wrong: str, words: str) -> None:
    """What only shows when it is used, or never, is the same mistake of the URL as any other."""
    result = run(*command, url=wrong)
    assert (2, "", True) == (result.exit_code, result.stdout, words in result.stderr)


@table(
    "command", [("send", "Hello", "+79161234567"), ("bulk", "{list}", "--text", "x", "--journal", "{list}.db", "--yes")]
)
def test_a_wrong_sender_on_the_url_is_a_wrong_url(run: Run, tmp_path: Path, command: tuple[str, ...]) -> None:
    """It is a mistake of the URL, and its exit code is that of one."""
    (tmp_path / "list").write_text("+79161234567\n", "utf-8")
    given = [part.format(list=tmp_path / "list") for part in command]
    result = run(*given, url="devino://a:b@ThisIsFarTooLong?gateway=http://127.0.0.1:9/rest")
    assert (2, "", True) == (
        result.exit_code,
        result.stdout,
        "bad sender on the URL: the sender of SMS" in result.stderr,
    )


def test_a_wrong_value_is_not_written(run: Run) -> None:
    """A URL that no command would take is not printed."""
    assert 2 == run("url", *PARTS, "-o", "region=XX", stdin="secret\n").exit_code
