"""The command, in a process of its own and in this one."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import urllib.request
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest
from click.testing import CliRunner

from devinotify import Client, DevinoURL
from devinotify.cli.sandbox import command
from devinotify.sandbox import Sandbox
from devinotify.sandbox.hosts import LOOPBACK_ONLY
from tests import forked
from tests.desk import Desk
from tests.tables import table

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


def start(*arguments: str, itself: bool = False, **environment: str) -> subprocess.Popen[str]:
    """Return the running command, which is forked unless it starts by itself."""
    begun = forked.ITSELF if itself else forked.command()
    return subprocess.Popen(
        [*begun, "sandbox", "--port", "0", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        encoding="utf-8",
        env={**os.environ, **environment},
    )


def opened(url: str | urllib.request.Request) -> Any:  # noqa: ANN401 - any JSON document
    """Return a document, past any proxy."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(url, timeout=60) as reply:
        return json.load(reply)


def finish(process: subprocess.Popen[str], number: int) -> tuple[int, str, str]:
    """Return exit code and both outputs of a process that a signal ends."""
    process.send_signal(number)
    out, err = process.communicate(timeout=60)
    return process.returncode, out, err


@pytest.fixture
def taken() -> Iterator[int]:
    """Give a port that somebody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener.getsockname()[1]


@table("number", [signal.SIGINT, signal.SIGTERM])
def test_it_runs_until_a_signal(number: int) -> None:
    """It prints its URLs, serves, and ends in peace on Ctrl-C and on SIGTERM."""
    process = start("--json", "--balance", "7.50", itself=True)
    assert process.stdout is not None
    urls = json.loads(process.stdout.readline())
    session = opened(f"{urls['gateway']}/user/sessionid?login=demo&password=demo")
    balance = opened(f"{urls['gateway']}/User/Balance?SessionID={session}")
    assert (7.5, f"devino://demo:demo@DEVINO?gateway={urls['gateway']}") == (balance, urls["url"])
    assert opened(urls["control"])["gateway"] == "/rest"
    assert (0, "", "") == finish(process, number)


@pytest.mark.once
def test_the_text() -> None:
    """Without --json it prints what to open and what to export, and says goodbye."""
    process = start()
    assert process.stdout is not None
    lines = [process.stdout.readline() for _ in range(8)]
    code, rest, err = finish(process, signal.SIGINT)
    text = "".join(lines) + rest
    assert (0, "", True) == (code, err, text.endswith("Stopped.\n"))
    assert "export DEVINOTIFY_URL='devino://demo:demo@DEVINO?gateway=http://127.0.0.1:" in text


@pytest.mark.once
def test_the_text_of_every_address() -> None:
    """The line to copy holds a URL that another container takes: it names the machine, and allows plain http to it."""
    process = start("--host", "0.0.0.0", "--allow-remote", DEVINOTIFY_SANDBOX_TOKEN="t" * 20)  # noqa: S104 - as in a container
    assert process.stdout is not None
    text = "".join(process.stdout.readline() for _ in range(8))
    assert (0, "") == finish(process, signal.SIGTERM)[::2]
    (url,) = re.findall("export DEVINOTIFY_URL='(.*)'", text)
    account = DevinoURL.parse(url)
    assert ("&insecure=yes" in url, socket.gethostname()) == (True, urlsplit(account.gateway).hostname)


@pytest.mark.once
def test_a_password_of_ones_own_is_not_printed() -> None:
    """A password from the environment is taken, and does not reach the terminal."""
    process = start("--json", DEVINOTIFY_SANDBOX_PASSWORD="hunter2")
    assert process.stdout is not None
    line = process.stdout.readline()
    gateway = json.loads(line)["gateway"]
    session = opened(f"{gateway}/user/sessionid?login=demo&password=hunter2")
    assert (36, False) == (len(session), "hunter2" in line)
    assert 0 == finish(process, signal.SIGTERM)[0]


def failed(*arguments: str) -> tuple[int, str]:
    """Return exit code and output of a command that does not start."""
    result = CliRunner().invoke(command, list(arguments))
    return result.exit_code, result.output


def test_a_taken_port_is_one_line(taken: int) -> None:
    """A port in use is told in one line that says what to do."""
    line = f"Error: port {taken} is in use: stop what listens there, or choose another with --port\n"
    assert (2, line) == failed("--port", str(taken))


def test_loopback_only() -> None:
    """Another address is refused in one line."""
    line = f"Error: {LOOPBACK_ONLY}\n"
    assert (2, line) == failed("--host", "0.0.0.0")  # noqa: S104 - what is refused


def test_another_address_needs_a_token() -> None:
    """Allowing another address is not enough: the line says how to make a token."""
    code, output = failed("--host", "0.0.0.0", "--allow-remote")  # noqa: S104 - what is refused
    assert (2, True) == (code, "export DEVINOTIFY_SANDBOX_TOKEN=" in output)


@pytest.mark.once
@pytest.mark.parametrize("host", ["0.0.0.0", "::"])  # noqa: S104 - with a token
def test_the_url_of_every_address_is_ready(host: str) -> None:
    """Where it listens on every address, what it prints names the machine, and the client takes it as it is."""
    process = start("--json", "--host", host, "--allow-remote", DEVINOTIFY_SANDBOX_TOKEN="t" * 20)
    assert process.stdout is not None
    line = process.stdout.readline()
    if not line:
        process.communicate(timeout=60)
        pytest.skip("this machine has no such address")
    urls = json.loads(line)
    with Client(urls["url"]) as client:
        balance = client.user.balance()
    assert (Decimal(100000), []) == (balance, [url for url in urls.values() if host in urlsplit(url).netloc])
    assert "&insecure=yes" in urls["url"]
    assert 0 == finish(process, signal.SIGTERM)[0]


@pytest.mark.once
def test_a_guarded_sandbox() -> None:
    """With a token another address is served; the token is not printed."""
    process = start("--json", "--host", "0.0.0.0", "--allow-remote", DEVINOTIFY_SANDBOX_TOKEN="t" * 20)  # noqa: S104 - what is guarded
    assert process.stdout is not None
    line = process.stdout.readline()
    port = json.loads(line)["page"].rstrip("/").rpartition(":")[2]
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}/sandbox", headers={"Authorization": f"Bearer {'t' * 20}"}
    )
    assert (True, False) == (opened(request)["gateway"] == "/rest", "tttt" in line)
    assert 0 == finish(process, signal.SIGTERM)[0]


@pytest.mark.once
def test_a_database(tmp_path: Path) -> None:
    """Messages are kept in a file; one that cannot be used is told in one line."""
    file = tmp_path / "inbox.db"
    process = start("--json", "--db", str(file), "--keep", "10")
    assert process.stdout is not None
    process.stdout.readline()
    assert (0, True) == (finish(process, signal.SIGTERM)[0], file.stat().st_size > 0)
    file.write_text("no database " * 200, encoding="ascii")
    code, output = failed("--port", "0", "--db", str(file))
    assert (2, 1, True) == (code, output.count("\n"), "not an SQLite file" in output)
    assert "Error: cannot open " in failed("--port", "0", "--db", str(tmp_path / "nowhere" / "x.db"))[1]


@table("balance", ["much", "NaN", "-5", "1e30"])
def test_wrong_balances(balance: str) -> None:
    """What is no number, or none that an account has, is a usage error."""
    code, output = failed(f"--balance={balance}")
    assert (2, True) == (code, "it must be a number from 0 to 10^15, such as 100.50" in output)


def test_a_missing_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the extra is missing, one line says what to install."""

    def start_without_extra(_: Sandbox) -> None:
        raise ImportError("the sandbox needs starlette and uvicorn: pip install 'devinotify[sandbox]'")

    monkeypatch.setattr(Sandbox, "start", start_without_extra)
    line = "Error: the sandbox needs starlette and uvicorn: pip install 'devinotify[sandbox]'\n"
    assert (2, line) == failed("--port", "0")


def test_another_failure_to_listen(monkeypatch: pytest.MonkeyPatch) -> None:
    """Any other failure to listen is told in one line too."""

    def start_in_vain(_: Sandbox) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Sandbox, "start", start_in_vain)
    assert (2, "Error: cannot listen on 127.0.0.1 port 80: Permission denied\n") == failed("--port", "80")


@pytest.mark.once
def test_what_arrives_is_posted_and_released() -> None:
    """The account and the secret come from the environment, and neither is printed."""
    with Sandbox() as account, Desk([]) as desk:
        process = start(
            *("--json", "--post", desk.url, "--release-to", "8 916 123-45-67"),
            DEVINOTIFY_POST_SECRET="hunter2",
            DEVINOTIFY_SANDBOX_RELEASE_URL=account.url,
        )
        try:
            assert process.stdout is not None
            line = process.stdout.readline()
            urls = json.loads(line)
            with Client(urls["url"]) as client:
                client.sms.send("79161234567", "Hello")
            release = urllib.request.Request(f"{urls['control']}/release", b'{"number": 1}')  # noqa: S310 - loopback
            assert "accepted" == opened(release)["verdict"]
            assert (["Hello"], True, False) == (
                [message.text for message in account.messages()],
                desk.wait(1),
                "hunter2" in line,
            )
        finally:
            assert (0, "", "") == finish(process, signal.SIGTERM)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--release-to", "79161234567"], "--release-to needs a real account: put its URL into DEVINOTIFY_SANDBOX_REL"),
        (["--release-to", "none", "--release-url", "devino://a:b@C"], "phone number"),
        (["--release-to", "79161234567", "--release-url", "x"], "devino://"),
        (["--post", "https://crm.example/"], "--post signs with a secret: put one into DEVINOTIFY_POST_SECRET"),
    ],
)
def test_what_is_missing_to_release_or_post(monkeypatch: pytest.MonkeyPatch, arguments: list[str], told: str) -> None:
    """It does not start, and says so in one line."""
    monkeypatch.delenv("DEVINOTIFY_POST_SECRET", raising=False)
    code, output = failed(*arguments)
    assert (2, True, 1) == (code, told in output, output.count("\n"))


def test_nothing_is_posted_in_the_clear(monkeypatch: pytest.MonkeyPatch) -> None:
    """But to this machine."""
    monkeypatch.setenv("DEVINOTIFY_POST_SECRET", "hunter2")
    line = "Error: post: it takes https:// alone, or http:// to this machine: numbers and texts go there\n"
    assert (2, line) == failed("--post", "http://crm.example/")
