"""The README: what it shows is what happens, and its table of instruments is the code's own.

``python -m tests.test_readme``, in the plugin's folder, writes the table anew.
"""

from __future__ import annotations

import re
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from devinotify_metrics import INSTRUMENTS

PATH = Path(__file__).parents[1] / "README.md"
README = PATH.read_text("utf-8")
SERVER, COMMAND, SCRAPED = re.findall(
    r"```python\n(.*?)```\n\n<!-- run by: .*? -->\n```sh\n(.*?)```\n\n```text\n(.*?)```", README, re.DOTALL
)[0]
EXAMPLE, OUTPUT = re.findall(r"```python\n((?:(?!```).)*?)```\n\n```text\n(.*?)```", README, re.DOTALL)[0]
PORT = "9464"
TABLE = re.compile(r"(<!-- instruments: .*? -->\n).*?(<!-- end -->)", re.DOTALL)


def table() -> str:
    """Return the table of instruments in Markdown."""
    rows = ["| name | kind | unit | attributes | what it says |", "|---|---|---|---|---|"]
    for one in INSTRUMENTS.values():
        attributes = ", ".join(f"`{attribute}`" for attribute in one.attributes)
        rows.append(f"| `{one.name}` | {one.kind} | `{one.unit}` | {attributes} | {one.description} |")
    return "\n".join(rows) + "\n"


def test_example_prints_what_it_says() -> None:
    """The example with spans, run as it stands in a process of its own, prints the block that follows it."""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", EXAMPLE], capture_output=True, encoding="utf-8", check=False, timeout=60
    )

    assert (OUTPUT, "", 0) == (done.stdout, done.stderr, done.returncode)


@pytest.mark.skipif(shutil.which("curl") is None, reason="the README scrapes with curl")
def test_prometheus_scrapes_what_it_says() -> None:
    """The example with Prometheus serves what its curl command is said to print; only the port is another."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    code = SERVER.replace(PORT, port)
    with subprocess.Popen(
        [sys.executable, "-W", "error", "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, encoding="utf-8"
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stdout.readline().startswith(f"http://127.0.0.1:{port}/metrics is there")
        command = ["bash", "-c", f"export LC_ALL=C; {COMMAND.replace(PORT, port)}"]
        scraped = subprocess.run(command, capture_output=True, encoding="utf-8", check=True, timeout=60).stdout
        process.stdin.write("\n")

    assert (SCRAPED, 0) == (scraped, process.returncode)


def test_table_is_the_codes_own() -> None:
    """The instruments of the README are those of the code; ``python -m tests.test_readme`` writes them."""
    shown = TABLE.search(README)
    assert shown is not None
    assert table() == shown[0].removeprefix(shown[1]).removesuffix(shown[2])


if __name__ == "__main__":
    PATH.write_text(TABLE.sub(lambda match: match[1] + table() + match[2], README), "utf-8")
