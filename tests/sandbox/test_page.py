"""The page's files and the lines that send a first message."""

from __future__ import annotations

import re
import subprocess
import sys
from typing import TYPE_CHECKING

from devinotify.sandbox import page
from tests.tables import table

if TYPE_CHECKING:
    from devinotify.sandbox import Sandbox

BASE = "http://127.0.0.1:8026/rest"
FILES = page.files()


def test_the_examples_name_the_gateway() -> None:
    """The lines hold the base URL and the account, quoted for a URL."""
    shown = page.examples(BASE, "a@b", "p w")
    assert "devino://a%40b:p%20w@DEVINO?gateway=http://127.0.0.1:8026/rest" == shown["url"]
    assert f"curl -s '{BASE}/user/sessionid?login=a%40b&password=p%20w'" in shown["curl"]
    assert shown["url"] in shown["python"]


def test_the_python_lines_send_a_message(sandbox: Sandbox) -> None:
    """What the page shows for Python works as it stands."""
    lines = page.examples(sandbox.gateway, "demo", "demo")["python"]
    subprocess.run([sys.executable, "-c", lines], check=True, capture_output=True, timeout=60)
    assert [("Hello", "+79161234567")] == [(message.text, message.recipient) for message in sandbox.messages()]


def test_nothing_else_may_load_or_run() -> None:
    """The page's policy allows its own files and nothing else, and no text to become markup."""
    policy = page.HEADERS["content-security-policy"]
    assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self';")
    assert [False, False, True] == [
        words in policy for words in ("unsafe", "http", "require-trusted-types-for 'script'")
    ]


@table("name", [name for name in FILES if name.endswith(".html")])
def test_markup_holds_no_script_and_no_style(name: str) -> None:
    """Scripts and styles are files of their own, as the policy demands."""
    markup = FILES[name].content.decode()
    assert [] == re.findall(r"<script(?![^>]*\ssrc=)|<style|\sstyle=|\son[a-z]+=", markup)


@table("name", sorted(FILES))
def test_files_name_no_other_host(name: str) -> None:
    """No file holds an address of another host, but for the names of XML's namespaces."""
    found = re.findall(rb"(?:https?:)?//[a-z0-9.-]+\.[a-z]+", FILES[name].content)
    assert set() == set(found) - {b"http://www.w3.org"}


@table("name", [name for name in FILES if name.endswith(".js")])
def test_scripts_make_no_markup_of_text(name: str) -> None:
    """No script uses what turns a string into markup or code."""
    source = FILES[name].content.decode()
    assert [] == re.findall(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function", source)
