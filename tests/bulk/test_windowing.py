"""Daily windows and tags of campaigns, with a plugin of the tests that knows where everybody's clock stands."""

from __future__ import annotations

import csv
import json
from dataclasses import replace
from datetime import UTC, datetime
from html import unescape
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner

from devinotify import Message, Notifier, PluginError, hookimpl, make_plugin_manager
from devinotify.bulk import Campaign, Journal, Window
from devinotify.bulk.parts import Part
from devinotify.bulk.report import write_report
from devinotify.cli.app import cli
from devinotify.exceptions import InvalidInput, LimitExceeded
from devinotify.outbox import RowState
from tests.bulk.conftest import numbers
from tests.noon import noon

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from devinotify.sandbox import Sandbox
    from tests.bulk.conftest import Begin, Write

pytestmark = pytest.mark.once

OPENS = datetime(2036, 1, 16, 10)  # noqa: DTZ001 - the recipient's clock
WINDOW = Window.parse("10-20")


class Odd:
    """Puts off who has an odd number, in one message; ``answer`` makes something else of that."""

    def __init__(self, answer: Callable[[list[Message]], list[Message] | None] = lambda parts: parts) -> None:
        self.answer = answer
        self.tags: set[frozenset[str]] = set()

    @hookimpl
    def devinotify_fit_window(self, message: Message, window: Window) -> list[Message] | None:
        """Answer for the window of the tests."""
        assert WINDOW == window
        self.tags.add(message.tags)
        odd = tuple(to for to in message.recipients if int(to) % 2)
        even = tuple(to for to in message.recipients if not int(to) % 2)
        parts = [replace(message, recipients=even), replace(message, recipients=odd, send_at=OPENS)]
        return self.answer([part for part in parts if part.recipients])


def account(gateway: Sandbox, plugin: Odd, more: str = "") -> Notifier:
    """Return a notifier with the plugin."""
    return Notifier(gateway.url + more, plugins=make_plugin_manager(plugin, discover=False))


def test_fit_window(gateway: Sandbox, write: Write, tmp_path: Path) -> None:
    """Those who are out of it are held, nobody is lost, and plan, end and journal count them; the next run too."""
    some = numbers(4)
    plugin = Odd()
    with (
        account(gateway, plugin) as notifier,
        Campaign(
            notifier, write("\n".join(some)), text="Hi", journal=tmp_path / "c.db", window=WINDOW, tags="marketing"
        ) as campaign,
    ):
        plan, result = campaign.plan(), campaign.run()
        again = campaign.run()
    by = {message.recipient: message.operation for message in gateway.messages()}
    late, now = "Sms/SendByTimeZoneToAddresses", "Sms/SendBulk"
    assert {some[0]: now, some[2]: now, some[1]: late, some[3]: late} == by
    assert (2, OPENS, 4, 2, 2) == (plan.outside, plan.held, result.tally.accepted, result.held, again.held)
    assert {frozenset({"marketing"})} == plugin.tags
    with Journal(tmp_path / "c.db") as journal:
        assert 2 == journal.held


@pytest.mark.parametrize(
    "answer",
    [
        lambda parts: parts[:-1],
        lambda parts: [*parts, parts[0]],
        lambda parts: None,  # noqa: ARG005 - as a plugin may answer
        lambda parts: "no",  # noqa: ARG005 - likewise
    ],
)
def test_a_plugin_that_fails_sends_nothing(
    answer: Callable[[list[Message]], list[Message] | None], gateway: Sandbox, write: Write, tmp_path: Path
) -> None:
    """Somebody lost, somebody twice, no answer, a wrong one: all are not sent, the plan warns, a retry sends."""
    options = {"text": "Hi", "journal": tmp_path / "c.db", "window": "10-20"}
    some = write("\n".join(numbers(4)))
    with account(gateway, Odd(answer)) as notifier, Campaign(notifier, some, **options) as campaign:  # type: ignore[arg-type]  # its own
        plan, result = campaign.plan(), campaign.run()
    assert (None, 4, []) == (plan.outside, result.tally.not_sent, gateway.messages())
    assert isinstance(plan.refused, PluginError)
    with account(gateway, Odd()) as notifier, Campaign(notifier, some, **options) as campaign:  # type: ignore[arg-type]  # its own
        again = campaign.run(retry=[RowState.NOT_SENT])
    assert (4, 2) == (again.tally.accepted, again.held)


def test_who_is_left_out_gets_nothing_later_either(gateway: Sandbox, write: Write, tmp_path: Path) -> None:
    """A window and an exclusion serve one campaign, and take no part once it is closed."""
    some = numbers(4)
    with account(gateway, Odd()) as notifier:
        before = len(notifier.plugins.get_plugins())
        with Campaign(
            notifier,
            write("\n".join(some)),
            text="Hi",
            journal=tmp_path / "c.db",
            window="10-20",
            exclude=[write("\n".join(some[:2]), "stop.txt")],
        ) as campaign:
            result = campaign.run()
        assert before == len(notifier.plugins.get_plugins())
    assert ({some[2], some[3]}, 1) == ({message.recipient for message in gateway.messages()}, result.held)


def test_what_cannot_be_counted_is_sent_all_the_same(
    gateway: Sandbox, write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The outcomes stand where the journal cannot be written for the count; the log says so."""

    def fail(self: Journal, count: int) -> None:
        raise InvalidInput(f"no room for {count}")

    monkeypatch.setattr(Journal, "hold", fail)
    options = {"text": "Hi", "journal": tmp_path / "c.db", "window": "10-20"}
    with account(gateway, Odd()) as notifier, Campaign(notifier, write("\n".join(numbers(2))), **options) as campaign:  # type: ignore[arg-type]  # its own
        assert 2 == campaign.run().tally.accepted
    assert "1 are held until their window opens, and are not counted: no room for 1" in caplog.text


def test_the_report_tells_who_is_held(gateway: Sandbox, write: Write, tmp_path: Path) -> None:
    """In plain words in both languages, on the page and in the CSV, until the window opens; then they are under way."""
    some, target = numbers(3), tmp_path / "out.csv"
    options = {"text": "Hi", "journal": tmp_path / "c.db", "window": "10-20"}
    with account(gateway, Odd()) as notifier, Campaign(notifier, write("\n".join(some)), **options) as campaign:  # type: ignore[arg-type]  # its own
        campaign.run()
    with Journal(tmp_path / "c.db") as journal:
        summary = write_report(journal, html_file=tmp_path / "r.html", csv_file=target)
        write_report(journal, html_file=tmp_path / "ru.html", lang="ru")
        later = write_report(journal, now=datetime(2036, 1, 16, 23, tzinfo=UTC))
    held = "Held until the recipient's daily window opens"
    assert [((Part.UNDER_WAY, "window"), 1)] == list(summary.reasons.items())
    assert (3, 3, {}) == (summary.parts[Part.UNDER_WAY], later.parts[Part.UNDER_WAY], dict(later.reasons))
    assert held in unescape((tmp_path / "r.html").read_text("utf-8"))
    assert "Ждёт, пока у получателя откроется дневное окно" in (tmp_path / "ru.html").read_text("utf-8")
    with target.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    assert {some[0]: "", some[1]: held, some[2]: ""} == {row["recipient"]: row["reason"] for row in rows}
    assert "2036-01-16" == rows[1]["sent_at"][:10]


def test_another_window_or_tag_is_another_campaign(gateway: Sandbox, write: Write, tmp_path: Path) -> None:
    """A journal that has begun says what differs."""
    some, journal = write("\n".join(numbers(2))), tmp_path / "c.db"
    with account(gateway, Odd()) as notifier:
        with Campaign(notifier, some, text="Hi", journal=journal, window="10-20", tags=["a", "b"]) as campaign:
            campaign.run()
        with Campaign(notifier, some, text="Hi", journal=journal, window=WINDOW, tags=["b", "a"]) as campaign:
            assert 2 == campaign.run().tally.accepted
        with pytest.raises(InvalidInput, match="the daily window is another; the tags are others"):
            Campaign(notifier, some, text="Hi", journal=journal)


def test_a_limit_on_a_tag_reaches_a_campaign(gateway: Sandbox, begin: Begin, tmp_path: Path) -> None:
    """The limit of the tag stops the campaign that has it; one without goes on."""
    limited = f"{gateway.url}&outbox={tmp_path / 'o.db'}&limit=2segments/month,tag:marketing"
    limited += f"&limit_zone={noon()}"
    rows = "\n".join(numbers(4))
    result = begin(rows, account=limited, tags=["marketing"], journal=tmp_path / "a.db").run()
    assert (2, 2, "over_limit") == (result.tally.accepted, result.tally.waiting, result.end)
    assert isinstance(result.error, LimitExceeded)
    assert 4 == begin(rows, account=limited, journal=tmp_path / "b.db").run().tally.accepted


def test_a_tag_has_a_name(begin: Begin) -> None:
    """An empty one is refused."""
    with pytest.raises(InvalidInput, match="a tag has a name"):
        begin(numbers(1)[0], tags=[" "])


# --- the command line


def test_without_the_plugin_it_is_told_how_to_get_it(gateway: Sandbox, write: Write, tmp_path: Path) -> None:
    """Wrong use, exit code 2; nothing is sent and no journal begun."""
    journal = tmp_path / "c.db"
    arguments = ["bulk", str(write(numbers(1)[0])), "--text", "Hi", "--journal", str(journal), "--window", "10-20"]
    result = CliRunner().invoke(cli, [*arguments, "--yes", "--url", gateway.url])
    assert (2, [], False) == (result.exit_code, gateway.messages(), journal.exists())
    assert "pip install devinotify-quiet-hours" in " ".join(result.stderr.split())


def test_a_wrong_window_is_wrong_use(gateway: Sandbox, write: Write) -> None:
    """What is wrong with it is named."""
    arguments = ["bulk", str(write(numbers(1)[0])), "--text", "Hi", "--dry-run", "--window", "20-10"]
    result = CliRunner().invoke(cli, [*arguments, "--url", gateway.url])
    assert 2 == result.exit_code
    assert "the window 20:00-10:00 closes before it opens" in " ".join(result.stderr.split())


@pytest.fixture
def _odd(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have the command line load the plugin of the tests."""
    monkeypatch.setattr("devinotify.notifier.make_plugin_manager", lambda: make_plugin_manager(Odd(), discover=False))


@pytest.mark.usefixtures("_odd")
def test_the_command_line_tells_how_many_go_later(gateway: Sandbox, write: Write, tmp_path: Path) -> None:
    """The plan, the end and the status, to people and to machines."""
    some = str(write("\n".join(numbers(3))))
    sending = ["bulk", some, "--text", "Hi", "--window", "10-20", "--tag", "marketing", "--url", gateway.url]
    runner = CliRunner()
    plan = runner.invoke(cli, [*sending, "--dry-run"]).stdout
    assert [["in", "the", "window", "now", "2"], ["when", "it", "opens", "1"]] == [
        line.replace("│", " ").split() for line in plan.splitlines() if "window now" in line or "it opens" in line
    ]
    journal = str(tmp_path / "c.db")
    result = runner.invoke(cli, [*sending, "--journal", journal, "--yes"])
    assert 0 == result.exit_code
    assert "1 of the accepted was held until the recipient's window opens" in result.stderr
    status = runner.invoke(cli, ["bulk", "status", journal, "--no-poll"])
    assert "1 of the accepted was held" in status.stderr
    machine = runner.invoke(cli, ["bulk", "status", journal, "--no-poll", "--json"]).stdout
    assert 1 == json.loads(machine.splitlines()[-1])["held"]
    events = runner.invoke(cli, [*sending, "--journal", journal, "--yes", "--json"]).stdout.splitlines()
    assert [1, 1] == [json.loads(events[0])["outside"], json.loads(events[-1])["held"]]
