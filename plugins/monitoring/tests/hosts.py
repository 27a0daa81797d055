"""Monitoring hosts that run for a test: as an unprivileged user, in a folder of their own, ended with the test."""

from __future__ import annotations

import contextlib
import os
import pwd
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from devinotify import Outbox

from devinotify_monitoring import samples
from tests.support import NUMBER, PATIENCE, file_of, posts, until

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from devinotify import Verdict
    from devinotify.sandbox import Sandbox

URL_FILE = "/etc/devinotify/url"
"""Where the samples have it: the one thing in them that is another in a test."""
CHECK = """\
#!/bin/sh
cd "$(dirname "$0")" || exit 3
if [ -e "$1.broken" ]; then echo "the $1 isn't well: 95% \\"full\\""; exit 2; fi
echo "the $1 is well"
"""
"""A check of what its argument names: a file in its folder breaks it."""
PROGRAMS = Path(sys.executable).parent


def _may_look_everywhere() -> bool:
    """Whether we can let another user look into folders that are closed to it: CAP_DAC_READ_SEARCH, which has bit 2."""
    with contextlib.suppress(OSError):
        status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text("utf-8").splitlines())
        return all(int(status[name], 16) & 1 << 2 for name in ("CapPrm", "CapBnd"))
    return False


def _is_open(path: Path) -> bool:
    """Whether any user gets to a file."""
    return all(folder.stat().st_mode & 0o001 for folder in (*path.parents, *path.resolve().parents))


LOOKS = _may_look_everywhere()
STRANDED = os.geteuid() == 0 and not LOOKS and not _is_open(Path(sys.executable))
"""Whether no other user can run this Python: it lies in root's home, say, in a container without that capability."""


def needs(program: str, package: str) -> pytest.MarkDecorator:
    """Return the mark of tests that a program is needed for; without it they fail where CI runs them."""
    missing = shutil.which(program, path=f"{os.environ['PATH']}:/usr/sbin") is None
    return pytest.mark.skipif(
        STRANDED or (missing and not os.environ.get("CI")),
        reason="no other user can run this Python" if STRANDED else f"{package} is not installed",
    )


class Place:
    """A folder that belongs to a host's user, with the URL in a file of its own and the samples as they are shipped."""

    def __init__(self, folder: Path, user: str, gateway: Sandbox) -> None:
        self.folder = folder
        self.user = user if os.geteuid() == 0 else pwd.getpwuid(os.geteuid()).pw_name
        self.gateway = gateway
        self.outbox = folder / "alerts.db"
        self.url_file = file_of(f"{gateway.url}&outbox={self.outbox}", folder / "url")
        self._programs: list[subprocess.Popen[bytes]] = []
        self.own()

    def own(self) -> None:
        """Give all that is in the folder to the host's user."""
        if os.geteuid() == 0:
            account = pwd.getpwnam(self.user)
            for path in (self.folder, *self.folder.rglob("*")):
                os.chown(path, account.pw_uid, account.pw_gid, follow_symlinks=False)

    def sample(self, name: str, to: str | None = None) -> Path:
        """Return a copy of a sample in which the file with the URL is this place's, and nothing else is changed."""
        text = dict(samples.found())[name].decode()
        path = self.folder / (to or Path(name).name)
        path.write_text(re.sub(rf"(?<!\$OMD_ROOT){URL_FILE}", str(self.url_file), text), "utf-8")
        path.chmod(samples.PROGRAM if text.startswith("#!") else 0o644)
        return path

    def write_check(self) -> None:
        """Write the program that hosts check their services by."""
        path = self.folder / "check"
        path.write_text(CHECK, "utf-8")
        path.chmod(samples.PROGRAM)
        self.own()

    def as_user(self, command: Sequence[str]) -> list[str]:
        """Return the command as the host's user runs it.

        That user may look into folders that are closed to it, and no more: this Python may lie in root's home.
        """
        if os.geteuid() != 0 or STRANDED:
            return list(command)
        capability = "-all,+dac_read_search" if LOOKS else "-all"
        return [
            *("setpriv", "--reuid", self.user, "--regid", str(pwd.getpwnam(self.user).pw_gid), "--clear-groups"),
            *("--inh-caps", capability, "--ambient-caps", capability, "--bounding-set", capability, "--"),
            *command,
        ]

    @contextlib.contextmanager
    def running(self, name: str, *command: str, **environment: str) -> Iterator[subprocess.Popen[bytes]]:
        """Yield a program that runs as the host's user, its output in ``NAME.out``; it is ended, by force at last."""
        log = self.folder / f"{name}.out"
        with log.open("ab") as output:
            process = subprocess.Popen(
                self.as_user(command),
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                env={**self.environment(), **environment},
                start_new_session=True,
            )
        self._programs.append(process)
        try:
            yield process
        except BaseException:
            print(f"--- {name}", log.read_text("utf-8", "replace")[-4000:], sep="\n")
            raise
        finally:
            self._programs.remove(process)
            process.terminate()
            try:
                process.wait(PATIENCE)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, 9)
                process.wait(PATIENCE)

    @contextlib.contextmanager
    def worker(self) -> Iterator[None]:
        """Have ``devinotify worker`` send what is stored."""
        url = self.url_file.read_text("utf-8").strip()
        with self.running("worker", str(PROGRAMS / "devinotify"), "worker", DEVINOTIFY_URL=url):
            yield

    def environment(self) -> dict[str, str]:
        """Return the environment that a host is started with: a plain one, in which ``devinotify`` is found."""
        # Without coverage's own: its file is closed to the host's user.
        kept = {name: os.environ[name] for name in os.environ if name.startswith("DEVINOTIFY_")}
        path = f"{PROGRAMS}:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
        return {**kept, "PATH": path, "LANG": "C.UTF-8", "HOME": str(self.folder)}

    def arrived(self, number: int) -> list[tuple[str, str]]:
        """Wait for so many messages, and return whom they are to, and their texts."""

        def are_there() -> bool:
            assert [] == [program.args for program in self._programs if program.poll() is not None], "it has ended"
            return len(self.gateway.messages()) >= number

        until(are_there)
        return [(each.recipient, each.text) for each in self.gateway.messages()]

    def lose_the_next_answer(self, number: str = NUMBER) -> None:
        """Have the gateway take the next message to a number, and let its answer be lost."""
        self.gateway.add_fault("drop", number=number, accepts=True, times=1)

    def verdicts(self, name: str = "alerts.db") -> list[Verdict | None]:
        """Return what became of all that was stored in an outbox of the place, in order."""
        with Outbox(self.folder / name) as outbox:
            return [row.state.verdict for row in outbox.rows()]

    def stored_under(self, name: str = "alerts.db") -> list[str]:
        """Return the keys of what was stored in an outbox of the place, in order."""
        with Outbox(self.folder / name) as outbox:
            stored = [outbox.message(row.message_id) for row in outbox.rows()]
        return [str(each.key) for each in stored if each is not None]

    def posts(self) -> int:
        """Return how many requests to send reached the gateway."""
        return posts(self.gateway)


@contextlib.contextmanager
def place(user: str, gateway: Sandbox) -> Iterator[Place]:
    """Give a folder that is removed in the end; not pytest's, which is closed to all users but its own."""
    folder = Path(tempfile.mkdtemp(prefix="devinotify-monitoring-"))
    try:
        folder.chmod(0o755)
        yield Place(folder, user, gateway)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
