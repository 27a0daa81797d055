"""What a plan foresees of the run: whom plugins refuse, and which limits are reached; the run then does just that."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner

from devinotify import Message, Notifier, Suppressed, hookimpl, make_plugin_manager
from devinotify import text as texts
from devinotify.bulk import Campaign, Speed
from devinotify.cli.app import cli
from devinotify.exceptions import PluginError
from tests.bulk.conftest import numbers
from tests.noon import noon

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from devinotify import DevinotifyError
    from devinotify.sandbox import Sandbox
    from tests.bulk.conftest import Write

SOME = numbers(10)


class Stopped:
    """Refuses some numbers, as a stop list does."""

    def __init__(self, *stopped: str) -> None:
        self.stopped = stopped

    @hookimpl
    def devinotify_screen_recipients(self, message: Message) -> dict[str, DevinotifyError]:
        """Refuse them."""
        return {each: Suppressed("opted out") for each in message.recipients if each in self.stopped}


class Failing:
    """Fails, so that nobody knows whom it would refuse."""

    @hookimpl
    def devinotify_screen_recipients(self) -> dict[str, DevinotifyError]:
        """Fail."""
        raise ValueError


@pytest.fixture
def account(gateway: Sandbox, tmp_path: Path) -> str:
    """Give a URL whose limits are counted in a file of the test's own."""
    return f"{gateway.url}&outbox={tmp_path / 'own.db'}&limit_zone={noon()}"


@pytest.fixture
def stopped(account: str) -> Iterator[Notifier]:
    """Give a notifier with a stop list of two of the ten, and one that is in no list."""
    plugins = make_plugin_manager(Stopped(SOME[0], SOME[9], numbers(1, 100)[0]), discover=False)
    with Notifier(account, plugins=plugins) as notifier:
        yield notifier


def test_who_is_refused_costs_nothing(stopped: Notifier, write: Write, tmp_path: Path) -> None:
    """They are in neither cost nor requests, in the first run as in the next one."""
    journal = tmp_path / "c.db"
    with Campaign(stopped, write("\n".join(SOME)), text="Hi", journal=journal, price=2) as campaign:
        plan = campaign.plan(Speed(batch=4))
        campaign.run(Speed(limit=5, batch=5, connections=1))
        again = campaign.plan()
        result = campaign.run()
    assert (2, 8, 8, 2, Decimal(16)) == (plan.suppressed, plan.left, plan.now, plan.requests, plan.cost)
    assert (1, 4, Decimal(8)) == (again.suppressed, again.left, again.cost)
    assert (8, 2) == (result.tally.accepted, result.tally.not_sent)


@pytest.mark.parametrize("words", [{"text": "Hi"}, {"template": "Hi {name}"}], ids=["one text", "personal texts"])
def test_what_a_text_costs_is_for_plugins_to_tell(gateway: Sandbox, write: Write, words: dict[str, Any]) -> None:
    """As limits and a budget of segments have it; the channel that is not billed by them asks nobody."""

    class Dear:
        @hookimpl
        def devinotify_estimate_segments(self, text: str) -> texts.Segmentation | None:
            """Tell of three segments, whatever the text."""
            return texts.segment("я" * 200) if text.startswith("Hi") else None

    source = write("\n".join(["phone,name", *(f"{number},Ann" for number in SOME)]))
    found = []
    with Notifier(gateway.url, plugins=make_plugin_manager(Dear(), discover=False)) as notifier:
        for channel in ("sms", "viber"):
            with Campaign(notifier, source, channel=channel, price=2, **words) as campaign:
                plan = campaign.plan()
            found.append((plan.segments, plan.encodings, plan.cost))
    assert [(30, {"UCS-2": 10}, Decimal(60)), (0, {}, Decimal(20))] == found


def test_a_plugin_that_fails_is_told(account: str, write: Write) -> None:
    """It would let nobody get the message."""
    with (
        Notifier(account, plugins=make_plugin_manager(Failing(), discover=False)) as notifier,
        Campaign(notifier, write("\n".join(SOME)), text="Hi") as campaign,
    ):
        assert isinstance(campaign.plan().refused, PluginError)


@pytest.mark.parametrize(
    ("limit", "options", "expected"),
    [
        ("6segments/day", {}, [(6, 4)]),
        ("6segments/day", {"text": "x" * 200}, [(3, 7)]),
        ("6segments/day,tag:other", {}, []),
        ("6segments/day,tag:sale", {"tags": "sale"}, [(6, 4)]),
        ("13RUB/day&price=2", {}, [(6, 4)]),
        ("10segments/day", {}, []),
    ],
)
def test_a_limit_that_is_reached(
    account: str, write: Write, tmp_path: Path, limit: str, options: dict[str, str], expected: list[tuple[int, int]]
) -> None:
    """It is said after how many, and how many wait; the run ends just there, and the next plan has none to send to."""
    given: dict[str, Any] = {"text": "Hi", "journal": tmp_path / "c.db", **options}
    with Campaign(f"{account}&limit={limit}", write("\n".join(SOME)), **given) as campaign:
        plan, result = campaign.plan(), campaign.run(Speed(batch=3, connections=1))
        again = campaign.plan()
    assert expected == [(one.after, one.over) for one in plan.reached]
    waiting = sum(over for _, over in expected)
    assert (10 - waiting, [(0, over) for _, over in expected]) == (
        result.tally.accepted,
        [(one.after, one.over) for one in again.reached],
    )


def test_limits_know_who_has_had_enough_and_who_is_refused(account: str, write: Write) -> None:
    """Of the account's limit, what those on the recipients and the stop list leave."""
    plugins = make_plugin_manager(Stopped(SOME[1]), discover=False)
    with Notifier(f"{account}&limit=1/day,recipient&limit=6messages/day", plugins=plugins) as notifier:
        notifier.notify("Hi", SOME[:1])
        with Campaign(notifier, write("\n".join(SOME)), text="Hi") as campaign:
            plan, part = campaign.plan(), campaign.plan(Speed(limit=4))
    assert (1, {"1 messages/day recipient": 1, "6 messages/day": 3}) == (
        plan.suppressed,
        {str(one.limit): one.over for one in plan.reached},
    )
    assert [("1 messages/day recipient", 1)] == [(str(one.limit), one.over) for one in part.reached]


def test_the_command_line_tells_it(account: str, write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    """To people in the plan and beside it, and to machines."""
    monkeypatch.setattr(
        "devinotify.notifier.make_plugin_manager", lambda: make_plugin_manager(Stopped(SOME[1]), discover=False)
    )
    source, url = (
        str(write("\n".join(SOME))),
        f"{account}&limit=1segments/month",
    )
    arguments = ["bulk", source, "--text", "x" * 200, "--dry-run", "--url", url]
    plain = CliRunner().invoke(cli, arguments)
    assert "not to be sent to" in plain.stdout
    assert "1, left out of the cost" in plain.stdout
    said = " ".join(plain.stderr.split())
    assert "the limit 1 segments/month never has room for this text: 9 recipients do not get it" in said
    reached = json.loads(CliRunner().invoke(cli, [*arguments, "--json"]).stdout.splitlines()[0])
    assert (1, [["1 segments/month", 0, 9, None]]) == (
        reached["suppressed"],
        [[one[key] for key in ("limit", "after", "over", "resets_at")] for one in reached["reached"]],
    )
    arguments[3] = "Hi"
    arguments[-1] = f"{account}&limit=6messages/day"
    said = " ".join(CliRunner().invoke(cli, arguments).stderr.split())
    assert "the limit 6 messages/day is reached after 6 recipients; 3 wait until" in said
