"""``devinotify incoming --new`` and ``--follow``, and the worker's ``--incoming``: each message is shown once."""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import subprocess
import sys
import threading
import time
from contextlib import closing, suppress
from typing import TYPE_CHECKING

import pytest

from devinotify import IncomingSms, InvalidInput, Notifier, PluginError, ReplyPoster
from tests import forked
from tests.cli.conftest import Run, document
from tests.cli.servers import free_port
from tests.desk import Desk
from tests.distributions import install
from tests.tables import table

if TYPE_CHECKING:
    from email.message import Message
    from pathlib import Path

    from devinotify.sandbox import Sandbox

NUMBER = "79161234567"


@pytest.fixture(autouse=True)
def _outbox(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Give the test an outbox of its own."""
    monkeypatch.setenv("DEVINOTIFY_OUTBOX", str(tmp_path / "outbox.db"))


def test_what_is_new_is_shown_once(account: Sandbox, run: Run) -> None:
    """A line each, without what would move the terminal."""
    account.add_incoming("Да\n\x1b[2J", NUMBER, "1234")
    first, second = run("incoming", "--new"), run("incoming", "--new")
    assert (0, "", 0, "", 1) == (
        first.exit_code,
        first.stderr,
        second.exit_code,
        second.stdout,
        len(first.stdout.splitlines()),
    )
    assert first.stdout.rstrip().endswith(f"  {NUMBER}  1234  Да \ufffd[2J")


def test_what_is_new_in_json_has_a_line_each(account: Sandbox, run: Run) -> None:
    """As the list has them."""
    listed = [account.add_incoming(text, NUMBER).id for text in ("one", "two")]
    told = [json.loads(line) for line in run("incoming", "--new", "--json").stdout.splitlines()]
    assert [*document(run("incoming", "--json"))["messages"]] == sorted(told, key=lambda one: listed.index(one["id"]))


def test_another_outbox_knows_of_nothing(account: Sandbox, run: Run, tmp_path: Path) -> None:
    """``--outbox`` names it."""
    account.add_incoming("one", NUMBER)
    shown = [run("incoming", "--new", "--outbox", str(tmp_path / name)).stdout for name in ("a.db", "a.db", "b.db")]
    assert [True, False, True] == [NUMBER in each for each in shown]


@table(
    "arguments",
    [
        ("--new", "--follow"),
        ("--new", "--until", "1h"),
        ("--follow", "--until", "1h"),
        ("--every", "5"),
        ("--outbox", "a.db"),
        ("--new", "--every", "5"),
        ("--follow", "--every", "0"),
    ],
)
def test_what_does_not_go_together_is_a_usage_error(account: Sandbox, run: Run, arguments: tuple[str, ...]) -> None:
    """The gateway is not asked."""
    assert (2, []) == (run("incoming", *arguments).exit_code, account.requests())


def test_an_outbox_that_cannot_be_used_is_told(account: Sandbox, run: Run, tmp_path: Path) -> None:
    """Before anything is asked."""
    (tmp_path / "notes.txt").write_text("my notes" * 1000)
    result = run("incoming", "--new", "--outbox", str(tmp_path / "notes.txt"))
    assert (True, 1) == (result.exit_code > 0, len(result.stderr.splitlines()))


def test_a_follower_does_not_outlive_a_wrong_password(sandbox: Sandbox, run: Run) -> None:
    """It would be wrong the next time, too."""
    assert 3 == run("incoming", "--follow", url=sandbox.url.replace(":Zq7", ":wrong")).exit_code


@pytest.mark.once
def test_a_follower_outlives_a_fault(account: Sandbox, tmp_path: Path) -> None:
    """It says so, and goes on."""
    account.add_incoming("one", NUMBER)
    fault = account.add_fault("error", operation="Sms/In", code=9, times=20)
    process = subprocess.Popen(
        [*forked.command(), "incoming", "--follow", "--every", "0.01"],
        env=dict(os.environ),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        assert process.stderr is not None
        told = process.stderr.readline()
        account.remove_fault(fault)
        assert ("it is tried again" in told, True) == (True, NUMBER in process.stdout.readline())
    finally:
        process.kill()
        process.communicate(timeout=60)


@pytest.mark.once
def test_what_could_not_be_shown_stays_new(account: Sandbox, run: Run) -> None:
    """A full disk, or a reader that has gone, takes nothing away."""
    account.add_incoming("one", NUMBER)
    arguments = [*forked.command(), "incoming", "--new"]
    with open("/dev/full", "w") as full:  # noqa: PTH123 - a device
        lost = subprocess.run(arguments, stdout=full, stderr=subprocess.DEVNULL, check=False, timeout=60).returncode
    reader, writer = os.pipe()
    os.close(reader)
    gone = subprocess.run(arguments, stdout=writer, stderr=subprocess.DEVNULL, check=False, timeout=60).returncode
    os.close(writer)
    assert (74, 141, True) == (lost, gone, NUMBER in run("incoming", "--new").stdout)


def install_ear(name: str, folder: Path, path: Path) -> None:
    """Install a plugin of a name that no other test has; it writes what it hears to a file."""
    source = (
        "from devinotify import hookimpl\n@hookimpl\ndef devinotify_message_received(message):\n"
        f"    with open({str(path)!r}, 'a', encoding='utf-8') as heard:\n        heard.write(message.text)\n"
    )
    install(folder, name, source)


def test_worker_with_incoming_tells_plugins(
    account: Sandbox, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Once, and without the option not at all."""
    path = tmp_path / "heard"
    install_ear("devinotify_worker_ear", tmp_path, path)
    monkeypatch.syspath_prepend(str(tmp_path))
    account.add_incoming("Да", NUMBER)
    run("worker", "--once")
    before = path.exists()
    run("worker", "--once", "--incoming")
    run("worker", "--once", "--incoming")
    assert (False, "Да") == (before, path.read_text("utf-8"))


# --- posting


@pytest.fixture
def _secret(monkeypatch: pytest.MonkeyPatch) -> None:
    """Give the secret that is signed with."""
    monkeypatch.setenv("DEVINOTIFY_POST_SECRET", "Zq7-secret")


def is_signed(headers: Message, body: bytes) -> bool:
    """Return whether a post is signed with the secret."""
    stamped = headers["X-Devinotify-Timestamp"].encode() + b"." + body
    expected = hmac.new(b"Zq7-secret", stamped, hashlib.sha256).hexdigest()
    return bool(headers["X-Devinotify-Signature"] == f"sha256={expected}")


@pytest.mark.usefixtures("_secret")
def test_what_comes_in_is_posted_signed(account: Sandbox, run: Run) -> None:
    """Each once, with the document that --json shows; whoever has the secret can tell that it is ours, and of when."""
    account.add_incoming("Да", NUMBER)
    with Desk([]) as desk:
        shown = run("incoming", "--new", "--json", "--post", desk.url)
        again = run("incoming", "--new", "--post", desk.url)
    ((headers, body),) = desk.posts
    assert (True, "application/json; charset=utf-8") == (is_signed(headers, body), headers["Content-Type"])
    assert (json.loads(shown.stdout), "", True) == (
        json.loads(body),
        again.stdout,
        abs(time.time() - int(headers["X-Devinotify-Timestamp"])) < 3600,
    )


@pytest.mark.usefixtures("_secret")
@pytest.mark.parametrize("answer", [302, 400, 503])
def test_what_is_not_taken_is_posted_again(
    account: Sandbox, run: Run, caplog: pytest.LogCaptureFixture, answer: int
) -> None:
    """Whatever is answered in place of 2xx; no redirect is followed, and of the address its host alone is told."""
    account.add_incoming("Да", NUMBER)
    with Desk([answer]) as desk:
        failed = run("incoming", "--new", "--post", desk.url)
        again = run("incoming", "--new", "--post", desk.url)
        rest = run("incoming", "--new", "--post", desk.url)
    assert (5, True, f"it answered {answer}" in caplog.text, "s3cret" in caplog.text) == (
        failed.exit_code,
        NUMBER in failed.stdout,
        True,
        False,
    )
    assert ([(0, "")] * 2, ["Да", "Да"]) == ([(each.exit_code, each.stdout) for each in (again, rest)], desk.texts)


def test_an_address_that_fails_is_tried_less_and_less_often() -> None:
    """Twice as long after each failure, five minutes at most; after a success it begins anew."""
    now = 0.0
    message = IncomingSms("1", "Да", NUMBER, "DEVINO")

    def seconds_until_tried(poster: ReplyPoster, desk: Desk) -> int:
        nonlocal now
        tried, begun = len(desk.posts), now
        while len(desk.posts) == tried:
            now += 1
            with suppress(PluginError):
                poster.devinotify_message_received(message)
        return int(now - begun)

    with Desk([503] * 11 + [200, 503]) as desk, closing(ReplyPoster(desk.url, "x", clock=lambda: now)) as poster:
        pauses = [seconds_until_tried(poster, desk)]
        with pytest.raises(PluginError, match="it answered 503; it is posted again"):
            poster.devinotify_message_received(message)
        pauses += [seconds_until_tried(poster, desk) for _ in range(13)]
    assert [1, 1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300, 1, 1] == pauses


@pytest.mark.usefixtures("_secret")
def test_an_address_that_is_away_is_an_error(account: Sandbox, run: Run, caplog: pytest.LogCaptureFixture) -> None:
    """And the message is owed to it, whoever reads meanwhile without it."""
    account.add_incoming("Да", NUMBER)
    failed = run("incoming", "--new", "--post", f"http://127.0.0.1:{free_port()}/")
    meanwhile = run("incoming", "--new")
    with Desk([]) as desk:
        run("incoming", "--new", "--post", desk.url)
    assert (5, "ConnectionError" in caplog.text, "", ["Да"]) == (failed.exit_code, True, meanwhile.stdout, desk.texts)


@pytest.mark.usefixtures("_secret")
def test_a_worker_posts_what_comes_in(
    account: Sandbox, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Signed, until it is taken; meanwhile it sends, and the other plugins hear of a message once."""
    heard = tmp_path / "heard"
    install_ear("devinotify_ear_beside_posts", tmp_path, heard)
    monkeypatch.syspath_prepend(str(tmp_path))
    account.add_incoming("Да", NUMBER)
    with Notifier(account.url, outbox=str(tmp_path / "outbox.db")) as notifier:
        notifier.enqueue("hello", NUMBER)
    with Desk([503, 503]) as desk:
        codes = [run("worker", "--once", "--incoming", "--post", desk.url).exit_code for _ in range(4)]
    assert ([0] * 4, ["Да"] * 3, "Да", 1) == (codes, desk.texts, heard.read_text("utf-8"), len(account.messages()))
    assert all(is_signed(*post) for post in desk.posts)


@pytest.mark.usefixtures("_secret")
@pytest.mark.once
def test_a_worker_that_is_killed_while_it_posts_loses_nothing(account: Sandbox, run: Run) -> None:
    """What it was posting is posted again, with the same id, and nothing else is."""
    answered = threading.Event()
    with Desk([], answered) as desk:
        account.add_incoming("one", NUMBER)
        arguments = [sys.executable, "-m", "devinotify", "worker", "--incoming", "--post", desk.url]
        worker = subprocess.Popen(arguments, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            assert desk.wait(1)
        finally:
            worker.kill()
            worker.wait(60)
        answered.set()
        account.advance(1)
        account.add_incoming("two", NUMBER)
        for _ in range(2):
            run("worker", "--once", "--incoming", "--post", desk.url)
    posted = [json.loads(body) for _, body in desk.posts]
    assert (["one", "one", "two"], 2) == ([each["text"] for each in posted], len({each["id"] for each in posted}))


@pytest.mark.usefixtures("_secret")
@pytest.mark.once
def test_a_follower_posts_until_it_is_taken(account: Sandbox) -> None:
    """In order: what came later waits."""
    for text in ("one", "two"):
        account.add_incoming(text, NUMBER)
        account.advance(1)
    with Desk([500, 429]) as desk:
        process = subprocess.Popen(
            [*forked.command(), "incoming", "--follow", "--every", "0.01", "--json", "--post", desk.url],
            env=dict(os.environ),
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        try:
            assert process.stdout is not None
            shown = [json.loads(process.stdout.readline())["text"] for _ in range(2)]
            assert desk.wait(4)
        finally:
            process.kill()
            process.communicate(timeout=60)
    assert (["one", "two"], ["one", "one", "one", "two"]) == (shown, desk.texts)


@pytest.mark.parametrize(
    ("address", "secret"),
    [
        ("https://crm.example", ""),
        ("ftp://crm.example", "x"),
        ("crm.example", "x"),
        ("http://[", "x"),
        ("https://", "x"),
    ],
)
def test_a_wrong_address_or_no_secret_is_a_usage_error(
    account: Sandbox, run: Run, monkeypatch: pytest.MonkeyPatch, address: str, secret: str
) -> None:
    """Nothing is asked of the gateway; without --new or --follow, and for a worker without --incoming, neither."""
    monkeypatch.setenv("DEVINOTIFY_POST_SECRET", secret)
    commands = (("incoming", "--new"), ("incoming",), ("worker", "--once", "--incoming"), ("worker", "--once"))
    codes = [run(*arguments, "--post", address).exit_code for arguments in commands]
    assert ([2] * 4, []) == (codes, account.requests())
    with pytest.raises(InvalidInput):
        ReplyPoster(address)
