"""``devinotify outbox limits``: what is used of each limit, for people and for machines."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from devinotify.sandbox import Sandbox
from tests.noon import noon

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.cli.conftest import Run


LIMITS = "limit=4/day&limit=50RUB/month,tag:sale&price=2.50"


@pytest.fixture
def url(tmp_path: Path) -> Iterator[str]:
    """Give the URL of an account with limits, one message sent to one number."""
    with Sandbox() as gateway:
        yield f"{gateway.url}&outbox={tmp_path / 'outbox.db'}&{LIMITS}&limit_zone={noon()}"


def test_limits_are_shown(run: Run, url: str) -> None:
    """What is used of each, what is left, and when its next period begins."""
    assert 0 == run("send", "Hello", "+79161234567", "--tag", "sale", "--url", url).exit_code
    shown = [line.split() for line in run("outbox", "limits", "--url", url).stdout.splitlines()]
    assert ["4", "segments/day", "1", "3"] == shown[2][:4]
    assert ["50", "RUB/month", "tag:sale", "2.50", "47.5"] == [*shown[3][:4], shown[3][4][:4]]


def test_limits_are_told_to_machines(run: Run, url: str) -> None:
    """With --to those on each recipient are told of too: of this one."""
    limited = f"{url}&limit=2/day,recipient"
    run("send", "Hello", "+79161234567", "--url", limited)
    document = json.loads(run("outbox", "limits", "--url", limited, "--to", "89161234567", "--json").stdout)
    last = document["limits"][2]
    assert last.pop("resets_at").endswith(":00:00Z")
    assert {
        "limit": "2 messages/day recipient",
        "amount": "2",
        "unit": "messages",
        "period": "day",
        "scope": "recipient",
        "name": None,
        "used": "1",
        "left": "1",
    } == last


def test_no_limits_are_told(run: Run, url: str) -> None:
    """Where the URL has none, and where all are on each recipient."""
    bare = url.partition("&limit")[0]
    run("send", "Hello", "+79161234567", "--url", url)
    assert "the URL has no limits\n" == run("outbox", "limits", "--url", bare).stdout
    only = run("outbox", "limits", "--url", f"{bare}&limit=2/day,recipient").stdout
    assert "give --to: each limit is a recipient's\n" == only


def test_what_is_over_is_told(run: Run, url: str) -> None:
    """The error says which limit, until when, and where to look."""
    over = [run("send", "Hello", "+79161234567", "--url", f"{url}&limit=1/day,recipient") for _ in range(2)][1]
    assert 4 == over.exit_code
    assert "the limit 1 messages/day recipient leaves no room before 00:00 on " in over.stderr
    assert "`devinotify outbox limits` shows what is used of each limit." in over.stderr


@pytest.mark.parametrize(
    ("arguments", "words"),
    [(("--to", "12"), "digits"), (("--outbox", "/nowhere/outbox.db"), "there is no outbox at /nowhere/outbox.db")],
)
def test_what_cannot_be_told(run: Run, url: str, arguments: tuple[str, str], words: str) -> None:
    """A number that is none, an outbox that is not there."""
    run("send", "Hello", "+79161234567", "--url", url)
    asked = run("outbox", "limits", "--url", url, *arguments)
    assert (2, True) == (asked.exit_code, words in asked.stderr)
