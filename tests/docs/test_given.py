"""What pages show that takes something of the reader's own, run with an account, a list or an outbox of ours."""

from __future__ import annotations

import os
import re
import signal
import subprocess
from typing import TYPE_CHECKING

import pytest

from devinotify import Notifier
from devinotify.sandbox import Sandbox
from tests.desk import Desk
from tests.docs.pages import ROOT, blocks
from tests.forked import programs

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.once

NUMBER = "+79161234567"


@pytest.fixture
def sandbox(monkeypatch: pytest.MonkeyPatch) -> Iterator[Sandbox]:
    """Run a gateway whose account is the environment's."""
    with Sandbox() as gateway:
        monkeypatch.setenv("DEVINOTIFY_URL", gateway.url)
        yield gateway


def shown(page: str, line: str) -> str:
    """Return the one block of a page that has a line which begins so."""
    (found,) = (block for block in blocks(ROOT / page) if re.search(f"^{re.escape(line)}", block.code, re.MULTILINE))
    return found.code


def shell(code: str, folder: Path, **more: str) -> subprocess.CompletedProcess[str]:
    """Run commands in a folder, which is also their home."""
    path = f"{programs()}{os.pathsep}{os.environ['PATH']}"
    return subprocess.run(
        ["bash", "-euo", "pipefail", "-c", code],
        cwd=folder,
        env={**os.environ, "PATH": path, "HOME": str(folder), **more},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_examples_of_the_help(sandbox: Sandbox, tmp_path: Path) -> None:
    """Those of docs/reference/commands.md that send do so, to whom they name."""
    page = "docs/reference/commands.md"
    (tmp_path / "recipients.csv").write_text(f"name,phone\nAnna,{NUMBER}\n", "utf-8")
    campaigns = re.sub("^devinotify bulk .*$", r"\g<0> --yes", shown(page, "devinotify bulk rec"), flags=re.MULTILINE)
    for code, messages in ((shown(page, 'devinotify send "'), 3), (campaigns, 2)):
        sandbox.reset()
        done = shell(f"df() {{ echo '91% /'; }}\n{code}", tmp_path)
        assert (0, messages) == (done.returncode, len(sandbox.messages())), done.stderr


@pytest.mark.parametrize("page", ["docs/troubleshooting.md", "docs/ru/troubleshooting.md"])
def test_two_commands_answer_most_questions(sandbox: Sandbox, tmp_path: Path, page: str) -> None:
    """Where something was stored, they tell the balance and what became of it."""
    outbox = str(tmp_path / "outbox.db")
    with Notifier(sandbox.url, outbox=outbox) as notifier:
        notifier.enqueue("Hello", NUMBER)
    done = shell(shown(page, "devinotify balance"), tmp_path, DEVINOTIFY_OUTBOX=outbox)
    assert (0, True, True) == (done.returncode, "100" in done.stdout, "queued" in done.stdout), done.stderr


CONFIGURATION = """
default_profile = "shop"
[profiles.shop]
url = "{url}"
"""


@pytest.mark.parametrize("page", ["docs/how-to/configure.md", "docs/ru/how-to/configure.md"])
def test_an_account_in_python(sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, page: str) -> None:
    """Each way to name one finds it, where there is such a profile."""
    path = tmp_path / "config.toml"
    path.write_text(CONFIGURATION.format(url=sandbox.url), "utf-8")
    path.chmod(0o600)
    monkeypatch.setenv("DEVINOTIFY_CONFIG", str(path))
    monkeypatch.setenv("DEVINOTIFY_PASSWORD", "password")
    exec(shown(page, "from devinotify import DevinoURL, Notifier"), {})  # noqa: S102 - the page's own


@pytest.mark.parametrize("page", ["docs/how-to/sandbox.md", "docs/ru/how-to/sandbox.md"])
@pytest.mark.parametrize("start", ["devinotify sandbox --post", "devinotify sandbox --release-to"])
def test_the_sandbox_takes_it(tmp_path: Path, page: str, start: str) -> None:
    """It starts with what is shown, and serves until it is stopped."""
    *exports, command = shown(page, start).splitlines()
    code = "\n".join([*exports, f"exec {programs()}/{command} --port 0 --json"])
    with subprocess.Popen(
        ["bash", "-euc", code], env={**os.environ, "HOME": str(tmp_path)}, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        line = process.stdout.readline()
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=60)
    assert (0, True) == (process.returncode, "/rest" in line)


@pytest.mark.parametrize("page", ["docs/how-to/replies.md", "docs/ru/how-to/replies.md"])
def test_a_program_posts_replies(page: str, sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What came in is at the address, signed; only the address is another."""
    monkeypatch.setenv("DEVINOTIFY_OUTBOX", str(tmp_path / "outbox.db"))
    sandbox.advance(1)
    sandbox.add_incoming("Yes", NUMBER)
    with Desk([]) as desk:
        scope = {"url": sandbox.url, "secret": "a secret"}
        exec(shown(page, "crm = ").replace("https://crm.example/replies", desk.url), scope)  # noqa: S102 - the page's
        scope["crm"].close()  # type: ignore[attr-defined]  # the plugin that the page makes
    assert ["Yes"] == desk.texts
    assert desk.posts[0][0]["X-Devinotify-Signature"].startswith("sha256=")
