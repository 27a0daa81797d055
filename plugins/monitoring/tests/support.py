"""What several tests need: the command run as a host runs it, and what waits for another process."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from devinotify.sandbox import Sandbox

NUMBER, OTHER = "+79161234567", "+79031234568"
PATIENCE = 180.0
"""Seconds that anything may take on a slow machine before it is given up."""
_SENDS = re.compile(r"(Sms|Viber)/Send")


@dataclass(frozen=True, slots=True)
class Done:
    """How a run of the command ended."""

    code: int
    out: str
    err: str


@dataclass(frozen=True, slots=True)
class Command:
    """``devinotify alert`` with a file that holds the URL."""

    url_file: Path

    def __call__(self, profile: str, *arguments: str, **environment: str) -> Done:
        """Run it to its end."""
        return run("--profile", profile, "--url-file", str(self.url_file), *arguments, **environment)


def run(*arguments: str, **environment: str) -> Done:
    """Run ``devinotify alert`` to its end."""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-m", "devinotify", "alert", *arguments],
        env={**os.environ, **environment},
        capture_output=True,
        encoding="utf-8",
        check=False,
        timeout=PATIENCE,
        stdin=subprocess.DEVNULL,
    )
    return Done(done.returncode, done.stdout, done.stderr)


def file_of(text: str, path: Path, mode: int = 0o600) -> Path:
    """Return a file of this mode that holds a line."""
    path.write_text(f"{text}\n", "utf-8")
    path.chmod(mode)
    return path


def lasts_for_ever(key: str) -> bool:
    """Whether a key is that of a notification that its host tells apart; one of a text alone has a window."""
    return re.fullmatch(r"alert\.[0-9a-f]{40}", key) is not None


def posts(gateway: Sandbox) -> int:
    """Return how many requests to send reached the gateway."""
    requests = gateway.requests()
    return sum(each.method == "POST" and bool(_SENDS.match(each.operation or "")) for each in requests)


def until(satisfied: Callable[[], Any], seconds: float = PATIENCE) -> Any:  # noqa: ANN401 - whatever it is
    """Return what ``satisfied`` returns once that is true; of another process no event can be awaited."""
    deadline = time.monotonic() + seconds
    while True:
        found = satisfied()
        if found:
            return found
        assert time.monotonic() < deadline, f"not within {seconds:g} s"
        time.sleep(0.05)
