"""``devinotify send --dry-run`` beside plugins and an outbox: it counts what would be sent, and writes nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from devinotify import Outbox
from tests.cli.conftest import Run, document
from tests.distributions import install, make_site
from tests.noon import noon

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from devinotify.sandbox import Sandbox

NUMBER = "+79161234567"
OTHER = "+79161234568"

DEAR = """
from dataclasses import replace
from devinotify import hookimpl, text as texts

@hookimpl
def devinotify_estimate_segments(text):
    return texts.segment("x" * 160 * len(text)) if text.endswith("!") else None

@hookimpl
def devinotify_prepare_message(message):
    return [replace(message, text=message.text + "!")]
"""
"""A plugin that changes the text, and by which each character of the changed one is a segment."""

EACH = """
from dataclasses import replace
from devinotify import hookimpl

@hookimpl
def devinotify_prepare_message(message):
    return [replace(message, recipients=(to,)) for to in message.recipients]
"""
"""A plugin that makes a message for each recipient."""

LISTED = """
from devinotify import Outbox, Suppressed, hookimpl

@hookimpl
def devinotify_screen_recipients(message):
    listed = Outbox.current().bucket("listed").get(message.recipients)
    return {to: Suppressed("it is listed") for to in listed}
"""
"""A plugin that refuses those who are listed in the outbox."""


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Give a folder on the path to install plugins in."""
    yield from make_site(tmp_path, monkeypatch)


def test_where_the_gateway_resends_both_are_counted(account: Sandbox, run: Run) -> None:
    """What is sent as Viber may be paid for as SMS besides."""
    priced = ("--url", f"{account.url}&channel=viber-sms&price=2.50,viber:1.50", "--json")
    assert "13.00" == document(run("send", "x" * 161, NUMBER, OTHER, "--dry-run", *priced))["cost"]


def test_segments_are_those_of_the_hook_and_of_the_text_that_goes_out(account: Sandbox, run: Run, site: Path) -> None:
    """A plugin that changes the text, or knows what it costs, is heard before a send and in a rehearsal alike."""
    install(site, "devinotify_dear", DEAR)
    found = document(run("send", "Hi", NUMBER, OTHER, "--dry-run", "--price", "2", "--json"))
    (message,) = found["messages"]
    assert ("Hi!", 4, "16") == (message["text"], message["segments"], found["cost"])


@pytest.mark.parametrize("channel", ["sms", "sms-viber"])
@pytest.mark.parametrize("limit", ["", "&limit=10/day"])
def test_no_outbox_is_made(account: Sandbox, run: Run, site: Path, tmp_path: Path, channel: str, limit: str) -> None:
    """Neither by a fallback, nor by limits, nor by a plugin that asks for it."""
    install(site, "devinotify_listed", LISTED)
    folder = tmp_path / "state"
    folder.mkdir()
    result = run(
        "send", "Hi", NUMBER, "--dry-run", "--channel", channel, url=f"{account.url}&outbox={folder}/o.db{limit}"
    )
    assert (0, [], []) == (result.exit_code, list(folder.iterdir()), account.messages())


@pytest.mark.parametrize("channel", ["sms", "sms-viber"])
def test_who_stands_in_the_outbox_is_refused_and_it_stays_as_it_is(
    account: Sandbox, run: Run, site: Path, tmp_path: Path, channel: str
) -> None:
    """Plugins read the one that there is, such as those who have opted out."""
    install(site, "devinotify_listed", LISTED)
    path = tmp_path / "o.db"
    with Outbox(path) as outbox:
        outbox.bucket("listed").change([NUMBER], lambda _: {NUMBER: "yes"})
    before = path.read_bytes()
    found = document(
        run(
            "send", "Hi", NUMBER, OTHER, "--dry-run", "--json", "--channel", channel, url=f"{account.url}&outbox={path}"
        )
    )
    assert [NUMBER] == [each["recipient"] for each in found["refused"]]
    assert ([OTHER], before) == (found["messages"][0]["recipients"], path.read_bytes())


def test_an_outbox_that_a_send_could_not_use_is_told_of(account: Sandbox, run: Run, tmp_path: Path) -> None:
    """By the code that the send would have."""
    path = tmp_path / "o.db"
    path.write_text("what is no outbox")
    arguments = ("send", "Hi", NUMBER, "--channel", "sms-viber")
    rehearsed, sent = (run(*arguments, *further, url=f"{account.url}&outbox={path}") for further in (["--dry-run"], []))
    assert (4, sent.stderr) == (rehearsed.exit_code, rehearsed.stderr)


@pytest.mark.parametrize("channel", ["sms", "sms-viber"])
@pytest.mark.parametrize("limit", ["1/day,recipient", "1/day"])
def test_whom_limits_leave_no_room_for_is_refused_as_by_the_send(
    account: Sandbox, run: Run, tmp_path: Path, channel: str, limit: str
) -> None:
    """With its words and its exit code; what is counted stays as it is."""
    path = tmp_path / "o.db"
    url = f"{account.url}&outbox={path}&limit={limit}&limit_zone={noon()}"
    assert 0 == run("send", "Hi", NUMBER, url=url).exit_code
    arguments = ("send", "Hi", NUMBER, OTHER, "--channel", channel, "--json")
    before = path.read_bytes()
    rehearsed = run(*arguments, "--dry-run", url=url)
    assert before == path.read_bytes()
    found, sent = document(rehearsed), run(*arguments, url=url)
    failed = {each["recipient"]: each["error"] for each in document(sent)["results"] if each["error"]}
    told = {each["recipient"]: each["error"] for each in found["refused"]}
    assert ([*failed], [failed[to]["message"] for to in failed]) == ([*told], [told[to]["message"] for to in told])
    assert (4, 4, 2 - len(failed)) == (rehearsed.exit_code, sent.exit_code, found["recipients"])
    assert "LimitExceeded" == told[NUMBER]["type"]


def test_what_is_over_a_limit_within_one_send_is_told(account: Sandbox, run: Run, tmp_path: Path, site: Path) -> None:
    """Also where a plugin makes several messages of it: they count together. No outbox is made."""
    install(site, "devinotify_each", EACH)
    path = tmp_path / "o.db"
    url = f"{account.url}&outbox={path}&limit=1/day&limit_zone={noon()}"
    result = run("send", "Hi", NUMBER, OTHER, "--dry-run", url=url)
    assert (4, False) == (result.exit_code, path.exists())
    assert ("recipients 1, segments 1" in result.stdout, "leaves no room before" in result.stderr) == (True, True)
