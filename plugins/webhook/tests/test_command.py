"""``devinotify webhook``: its options, what it says, and its exit codes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from devinotify import make_plugin_manager

from tests.support import NUMBER, PATIENCE, TOKEN, alert, fetch, free_port, listens, payload, running

if TYPE_CHECKING:
    from pathlib import Path

    from devinotify.sandbox import Sandbox


def run(folder: Path, *arguments: str, **environment: str) -> tuple[int, str, str]:
    """Run the command to its end; return its exit code, and what it wrote to stdout and stderr."""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-m", "devinotify", "webhook", *arguments],
        cwd=folder,
        env={**os.environ, "DEVINOTIFY_OUTBOX": str(folder / "alerts.db"), **environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE,
    )
    return done.returncode, done.stdout, done.stderr


def test_it_is_a_plugin() -> None:
    """devinotify finds the command by its entry point."""
    (found,) = (one for one in make_plugin_manager().loaded() if one.name == "webhook")
    assert ("devinotify_register_commands",) == found.hooks


@pytest.mark.parametrize(("language", "said"), [("en", "listening on"), ("ru", "слушает")])
def test_without_a_file(language: str, said: str, gateway: Sandbox, tmp_path: Path) -> None:
    """The account and a number are enough; any name is taken; Ctrl-C ends it with code 0.

    It says where it listens in the language that is asked for.
    """
    port = free_port()
    command = [sys.executable, "-m", "devinotify", "webhook", "--to", NUMBER, "--listen", f"127.0.0.1:{port}"]
    command += ["--lang", language]
    environment = {"DEVINOTIFY_URL": gateway.url, "DEVINOTIFY_OUTBOX": str(tmp_path / "alerts.db")}
    with running(command, tmp_path, "webhook", environment) as process:
        listens(f"http://127.0.0.1:{port}/-/healthy", process, tmp_path / "webhook.log")
        assert 200 == fetch(f"http://127.0.0.1:{port}/alertmanager/whatever", payload(alert()))[0]
        assert gateway.wait(lambda: len(gateway.messages()) == 1, PATIENCE)
        process.send_signal(signal.SIGINT)
        assert 0 == process.wait(PATIENCE)
    assert f"{said} http://127.0.0.1:{port}\n" in (tmp_path / "webhook.log").read_text("utf-8")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "there is nobody to send to: give --to"),
        (("--to", "12345"), "devinotify: --to: ***: "),
        (("--to", ""), "devinotify: --to: bad value; it should be numbers or aliases"),
        (("--to", "srre"), "devinotify: --to: there is no alias 'srre'\n"),
        (("--to", NUMBER, "--listen", "9876"), "devinotify: --listen: bad value; it should be HOST:PORT\n"),
        (
            ("--to", NUMBER, "--listen", "0.0.0.0:9876"),
            "--listen: an address that others reach needs a token: give one in a file, by --config\n",
        ),
        (("--config", "nothing.toml"), "nothing.toml: No such file or directory"),
        (("--config", "nothing.toml", "--to", NUMBER), "--to is for running without a file"),
        (("--confg", "x"), "No such option"),
    ],
)
def test_what_is_wrong(arguments: tuple[str, ...], said: str, gateway: Sandbox, tmp_path: Path) -> None:
    """One line on stderr, and the exit code of wrong usage."""
    code, out, err = run(tmp_path, *arguments, DEVINOTIFY_URL=gateway.url)
    assert (2, "", True) == (code, out, said in err)
    assert "Traceback" not in err


def test_no_account(tmp_path: Path) -> None:
    """It is said where the account goes."""
    code, _, err = run(tmp_path, "--to", NUMBER)
    said = "set DEVINOTIFY_URL, or url in the file, to devino://LOGIN:PASSWORD@SENDER\n"
    assert (2, True) == (code, err.endswith(said))


def test_a_database_that_is_away(gateway: Sandbox, tmp_path: Path) -> None:
    """It is named without its password, and the exit code is the other commands': nothing that was written is wrong."""
    pytest.importorskip("psycopg")
    (tmp_path / "hooks.toml").write_text(
        f'outbox = "postgresql://u:pw-secret@127.0.0.1:1/x"\n[receivers.a]\nto = "{NUMBER}"\n', "utf-8"
    )
    code, _, err = run(tmp_path, "--config", "hooks.toml", "--check", DEVINOTIFY_URL=gateway.url)
    said = "outbox postgresql://u:***@127.0.0.1:1/x: there is no connection to the database"
    assert (4, True, False) == (code, said in err, "pw-secret" in err)


def test_a_port_that_is_taken(gateway: Sandbox, tmp_path: Path) -> None:
    """It is said which."""
    address = f"127.0.0.1:{gateway.port}"
    code, _, err = run(tmp_path, "--to", NUMBER, "--listen", address, DEVINOTIFY_URL=gateway.url)
    said = f"listen: {address}: Address already in use: another program listens there\n"
    assert (2, True) == (code, err.endswith(said))


def test_check(gateway: Sandbox, tmp_path: Path) -> None:
    """``--check`` says what each receiver is, and shows neither number nor token."""
    (tmp_path / "hooks.toml").write_text(
        f'[receivers.a]\nto = "{NUMBER}"\ntoken = "{TOKEN}"\n[receivers.b]\nto = "request"\nchannel = "viber"\n',
        "utf-8",
    )
    code, out, _ = run(tmp_path, "--config", "hooks.toml", "--check", DEVINOTIFY_URL=gateway.url)
    told = [
        "a: to 1 recipient on the channel of the URL, guarded by a token",
        "b: to whom each request names on viber, guarded by nothing but this machine",
    ]
    assert (0, told) == (code, out.splitlines())


def test_loads_nothing_else() -> None:
    """Every devinotify process loads the plugin, and its help the command; none of them needs a server."""
    code = (
        "import sys, click\nfrom devinotify_webhook import hooks\n"
        "hooks.devinotify_register_commands(click.Group())\n"
        "print([name for name in ('starlette', 'uvicorn', 'jinja2', 'requests') if name in sys.modules])"
    )
    assert (
        "[]\n"
        == subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60).stdout
    )
