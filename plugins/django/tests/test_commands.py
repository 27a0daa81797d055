"""The commands of manage.py, and the signals that the worker's sends give rise to."""

from __future__ import annotations

import hashlib
import hmac
import os
import signal
import subprocess
import sys
import threading
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from django.core.management import CommandError, call_command, get_commands
from django.test import override_settings

from devinotify_django import enqueue_sms, notifiers, sms_outcome, sms_received, sms_status
from tests.desk import desk
from tests.project import NUMBER, URL

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from devinotify.sandbox import Sandbox
    from django.dispatch import Signal


@pytest.fixture(autouse=True)
def _configured(configure: Callable[..., None]) -> None:
    """Send to the gateway."""


@pytest.fixture
def heard() -> Iterator[list[tuple[str, dict[str, Any]]]]:
    """Yield what the signals tell, each with its name."""
    told: list[tuple[str, dict[str, Any]]] = []
    signals: dict[str, Signal] = {"outcome": sms_outcome, "status": sms_status, "received": sms_received}
    receivers = {name: lambda name=name, **given: told.append((name, given)) for name in signals}
    for name, of in signals.items():
        of.connect(receivers[name])
    yield told
    for name, of in signals.items():
        of.disconnect(receivers[name])


def run(name: str, *arguments: str, **options: object) -> str:
    """Return what a command says."""
    out = StringIO()
    call_command(name, *arguments, stdout=out, stderr=out, **options)
    return out.getvalue()


def test_worker(gateway: Sandbox, heard: list[tuple[str, dict[str, Any]]]) -> None:
    """The worker sends what was enqueued, tells how the outbox stands, and the signals tell of each message."""
    enqueue_sms("Hello", NUMBER)
    assert "in the outbox: 1 accepted" in run("devinotify_worker", "--once")
    assert ["Hello"] == [each.text for each in gateway.messages()]
    ((name, given),) = heard
    assert ("outcome", "default", "accepted") == (name, given["using"], given["outcome"].verdict)


def test_worker_with_nothing_to_do() -> None:
    """An empty outbox is no fault."""
    assert "in the outbox: nothing" in run("devinotify_worker", "--once")


def test_worker_without_a_gateway(configure: Callable[..., None]) -> None:
    """A gateway that cannot be reached is the reason that the command ends with; the message waits."""
    configure(URL=URL)
    enqueue_sms("Hello", NUMBER)
    with pytest.raises(CommandError, match="waits for the next run"):
        run("devinotify_worker", "--once")


def test_worker_without_an_outbox(configure: Callable[..., None]) -> None:
    """An outbox that cannot be used is said in one line."""
    configure(OUTBOX="/dev/null/sms.db")
    with pytest.raises(CommandError, match="/dev/null/sms"):
        run("devinotify_worker", "--once")


def test_worker_in_a_thread(gateway: Sandbox) -> None:
    """In another thread than the main one there are no signals to heed."""
    enqueue_sms("Hello", NUMBER)
    thread = threading.Thread(target=run, args=("devinotify_worker", "--once"))
    thread.start()
    thread.join(60)
    assert not thread.is_alive()
    assert 1 == len(gateway.messages())


@pytest.mark.skipif(sys.platform == "win32", reason="ends by a signal")
def test_worker_ends_by_sigterm(gateway: Sandbox, tmp_path: Path) -> None:
    """A worker of its own process sends, and ends in good order when it is told to."""
    code = (
        "from tests import project\nfrom django.conf import settings\nimport django, sys\n"
        "project.SETTINGS['DEVINOTIFY'] = {'default': {'URL': sys.argv[1], 'OUTBOX': sys.argv[2]}}\n"
        "settings.configure(**project.SETTINGS)\ndjango.setup()\n"
        "from django.core.management import call_command\ncall_command('devinotify_worker')\n"
    )
    enqueue_sms("Hello", NUMBER)
    worker = subprocess.Popen(
        [sys.executable, "-c", code, gateway.url, str(tmp_path / "sms.db")],
        cwd=Path(__file__).parents[1],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
        env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[1])},
    )
    try:
        assert gateway.wait(lambda: len(gateway.messages()) == 1, 60)
        worker.send_signal(signal.SIGTERM)
        out, err = worker.communicate(timeout=60)
    finally:
        worker.kill()
    assert (0, "working on") == (worker.returncode, err[: len("working on")])
    assert out.startswith("in the outbox: 1 ")


def test_signals_of_a_delivery(gateway: Sandbox, heard: list[tuple[str, dict[str, Any]]]) -> None:
    """A delivery that is waited for is told as it changes."""
    gateway.set_timeline("delivered", sms=[(0, 0)])
    run("devinotify_test", NUMBER, "--wait", "20")
    name, given = heard[-1]
    assert ("status", "delivered") == (name, given["state"].status)


def test_worker_tells_of_a_delivery(
    gateway: Sandbox, monkeypatch: pytest.MonkeyPatch, heard: list[tuple[str, dict[str, Any]]]
) -> None:
    """What a worker sees of the delivery of what it has sent is told by the signal, once."""
    gateway.set_timeline("delivered", sms=[(0, 0)])
    monkeypatch.setattr(notifiers.outbox(), "_poll", 0.0)  # looked at without a wait
    enqueue_sms("Hello", NUMBER)
    assert "in the outbox: 1 delivered" in run("devinotify_worker", "--once")
    (_, outcome), (name, given) = heard
    assert ("status", "default", "delivered") == (name, given["using"], given["state"].status)
    assert outcome["outcome"].receipt.message_ids == given["receipt"].message_ids


def test_receiver_that_raises(gateway: Sandbox, caplog: pytest.LogCaptureFixture, heard: list[Any]) -> None:
    """It is logged, keeps no other receiver from being told, and the message is sent once."""

    def wrong(**given: object) -> None:
        raise RuntimeError("a receiver's own mistake")

    sms_outcome.connect(wrong)
    try:
        enqueue_sms("Hello", NUMBER)
        assert "in the outbox: 1 accepted" in run("devinotify_worker", "--once")
    finally:
        sms_outcome.disconnect(wrong)
    assert (["Hello"], ["outcome"]) == ([each.text for each in gateway.messages()], [name for name, _ in heard])
    assert "a receiver's own mistake" in caplog.text


def test_test_explains(gateway: Sandbox) -> None:
    """It says by what account, what became of it, and whether it was delivered."""
    gateway.set_timeline("delivered", sms=[(0, 0)])
    said = run("devinotify_test", NUMBER, "--text", "Привет", "--wait", "20")
    lines = said.splitlines()
    assert (3, "by devino://demo:***@DEVINO/…: 1 segments") == (len(lines), lines[0])
    assert lines[1].startswith("accepted as ")
    assert "delivery after 20 s at most: delivered" == lines[2]


def test_test_is_not_waited_for(gateway: Sandbox) -> None:
    """Where nothing is known in time it says so."""
    gateway.set_timeline("delivered", sms=[(0, -1), (3600, 0)])
    assert "at most: " in run("devinotify_test", NUMBER, "--wait", "0")


@pytest.mark.parametrize(
    ("fault", "says"),
    [({"kind": "error", "code": 2}, "would be refused again"), ({"kind": "drop"}, "ask the recipient")],
)
def test_test_says_what_to_do(gateway: Sandbox, fault: dict[str, Any], says: str) -> None:
    """What went wrong is said with what it means, and is the command's error."""
    gateway.add_fault(number=NUMBER, **fault)
    out = StringIO()
    with pytest.raises(CommandError):
        call_command("devinotify_test", NUMBER, stdout=out)
    assert says in out.getvalue()


def test_test_needs_a_number() -> None:
    """What is no number is not sent to."""
    with pytest.raises(CommandError):
        run("devinotify_test", "12")
    with pytest.raises(CommandError):
        run("devinotify_test", "")


def test_migrate_makes_the_outbox(tmp_path: Path, configure: Callable[..., None]) -> None:
    """The outbox is there afterwards; one that cannot be is the command's error."""
    assert f"default: {tmp_path / 'sms.db'} is ready\n" == run("devinotify_migrate")
    assert (tmp_path / "sms.db").exists()
    configure(OUTBOX="/dev/null/sms.db")
    with pytest.raises(CommandError, match="default: "):
        run("devinotify_migrate")


COMMANDS = [("devinotify_worker",), ("devinotify_test", NUMBER), ("devinotify_migrate",), ("devinotify_incoming",)]


def test_all_commands_are_tried() -> None:
    """The table has every command of the plugin."""
    assert {name for name, app in get_commands().items() if app == "devinotify_django"} == {
        name for name, *_ in COMMANDS
    }


@pytest.mark.parametrize("command", COMMANDS, ids=[name for name, *_ in COMMANDS])
@pytest.mark.parametrize(
    ("entry", "says"),
    [
        ({"URL": "devino://login@SENDER"}, "password"),
        ({"URL": f"{URL}&channel=pigeon"}, "pigeon"),
        ({"URL": f"{URL}&channel=sms-viber", "OUTBOX": "/dev/null/sms.db"}, "/dev/null/sms.db"),
    ],
    ids=["setting", "channel", "outbox"],
)
def test_says_what_is_wrong(command: tuple[str, ...], entry: dict[str, str], says: str) -> None:
    """What is wrong with a setting or an outbox is the command's error, in one line."""
    with override_settings(DEVINOTIFY={"default": entry}), pytest.raises(CommandError, match=says) as raised:
        run(*command)
    assert 1 == len(str(raised.value).splitlines())


@pytest.mark.parametrize("command", [each for each in COMMANDS if each[0] != "devinotify_migrate"], ids=str)
def test_alias_that_is_not_there(command: tuple[str, ...]) -> None:
    """An alias that is not there is named, with those that are."""
    with pytest.raises(CommandError, match="no entry 'alerts': there is default"):
        run(*command, "--using", "alerts")


@pytest.mark.parametrize("options", [(), ("--deploy",)], ids=str)
def test_check_finds_nothing(gateway: Sandbox, options: tuple[str, ...]) -> None:
    """``manage.py check`` has nothing to say of what is right, and asks the gateway with ``--deploy`` alone."""
    assert "devinotify." not in run("check", *options)
    assert bool(options) is any(each.operation == "User/Balance" for each in gateway.requests())


@pytest.mark.parametrize(
    ("keys", "options", "number"),
    [({"URL": "devino://login@SENDER"}, (), "devinotify.E"), ({"URL": URL}, ("--deploy",), "devinotify.E010")],
    ids=["setting", "gateway"],
)
def test_check_fails(
    configure: Callable[..., None], keys: dict[str, str], options: tuple[str, ...], number: str
) -> None:
    """What is wrong is the command's error, with the number that it is silenced by."""
    configure(**keys)
    with pytest.raises(CommandError, match=number):
        run("check", *options)


def test_check_warns(gateway: Sandbox) -> None:
    """A low balance is told, and is not an error."""
    gateway.balance = 1
    assert "devinotify.W002" in run("check", "--deploy")


def test_worker_reads_what_comes_in(gateway: Sandbox, heard: list[tuple[str, dict[str, Any]]]) -> None:
    """With --incoming, each once."""
    gateway.add_incoming("STOP", NUMBER)
    run("devinotify_worker", "--once")
    before = list(heard)
    run("devinotify_worker", "--once", "--incoming")
    run("devinotify_worker", "--once", "--incoming")
    assert ([], ["STOP"]) == (before, [given["message"].text for _, given in heard])


@pytest.mark.parametrize("command", [("devinotify_worker", "--once", "--incoming"), ("devinotify_incoming",)])
def test_what_comes_in_is_posted(
    gateway: Sandbox,
    heard: list[tuple[str, dict[str, Any]]],
    monkeypatch: pytest.MonkeyPatch,
    command: tuple[str, ...],
) -> None:
    """With --post, signed, until it is taken; the signal tells of it once meanwhile, and then no command posts it."""
    monkeypatch.setenv("DEVINOTIFY_POST_SECRET", "a secret")
    gateway.add_incoming("Да", NUMBER)
    with desk([503]) as crm:
        for _ in range(3):
            run(*command, "--post", crm.url)
        gateway.add_incoming("STOP", NUMBER)
        run(*command)
    assert (["Да", "Да"], ["Да", "STOP"]) == (crm.texts, [given["message"].text for _, given in heard])
    for headers, body in crm.posts:
        stamped = headers["X-Devinotify-Timestamp"].encode() + b"." + body
        signature = hmac.new(b"a secret", stamped, hashlib.sha256).hexdigest()
        assert f"sha256={signature}" == headers["X-Devinotify-Signature"]


def test_what_cannot_be_posted_is_an_error(gateway: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    """An address that is not one, no secret, and a worker that does not read; nothing is asked of the gateway."""
    monkeypatch.setenv("DEVINOTIFY_POST_SECRET", "")
    for arguments, why in (
        (("devinotify_incoming", "--post", "https://crm.example"), "secret"),
        (("devinotify_worker", "--once", "--post", "https://crm.example"), "goes with --incoming"),
    ):
        with pytest.raises(CommandError, match=why):
            run(*arguments)
    monkeypatch.setenv("DEVINOTIFY_POST_SECRET", "a secret")
    with pytest.raises(CommandError, match="https://"):
        run("devinotify_incoming", "--post", "crm.example")
    assert [] == gateway.requests()


def test_incoming(gateway: Sandbox, heard: list[tuple[str, dict[str, Any]]], configure: Callable[..., None]) -> None:
    """What subscribers have sent is told by the signal; a gateway that does not answer is the command's error."""
    gateway.add_incoming("STOP", NUMBER)
    assert ("1 received\n", "0 received\n") == (run("devinotify_incoming"), run("devinotify_incoming"))
    ((name, given),) = heard
    assert ("received", "STOP", "default") == (name, given["message"].text, given["using"])
    configure(URL=URL)
    with pytest.raises(CommandError):
        run("devinotify_incoming")
