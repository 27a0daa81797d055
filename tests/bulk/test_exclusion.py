"""Whom a campaign leaves out: the numbers of other lists, and whom other campaigns have reached."""

from __future__ import annotations

import csv
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from devinotify import Notifier, Outbox, hookimpl, make_plugin_manager, phones
from devinotify.bulk import Campaign, Journal, Speed, Tally
from devinotify.bulk.exclusion import Exclusion
from devinotify.bulk.report import write_report
from devinotify.bulk.seen import Seen
from devinotify.cli.app import cli
from devinotify.exceptions import InvalidInput, Suppressed
from devinotify.outbox import RowState
from devinotify.phones.recipients import sort_many
from tests.bulk.conftest import numbers

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from devinotify.sandbox import Sandbox
    from tests.bulk.conftest import Begin, Write

pytestmark = pytest.mark.once


def got(gateway: Sandbox) -> list[str]:
    """Return who got something, in order."""
    return sorted(message.recipient for message in gateway.messages())


def test_who_is_on_the_list_gets_nothing(begin: Begin, gateway: Sandbox, write: Write, tmp_path: Path) -> None:
    """In whatever notation and form; each row is accounted for, and told in the plan and the report."""
    some = numbers(5)
    stop = write(f"name,phone\nAnna,8{some[1][2:]}\nBoris,12\nVera,{some[3]}\n", "stop.csv")
    rows = [*some, some[1], some[0], some[3], "12345"]
    campaign = begin("phone\n" + "\n".join(rows), exclude=[stop])
    plan = campaign.plan()
    assert (3, 1, 1, 4) == (plan.recipients, plan.duplicates, plan.invalid, plan.unsendable)
    result = campaign.run()
    assert Tally(accepted=4, invalid=1, not_sent=4, duplicates=1) == result.tally
    assert [some[0], some[2], some[4]] == got(gateway)
    with Journal(tmp_path / "campaign.db") as journal:
        write_report(journal, csv_file=tmp_path / "out.csv", html_file=tmp_path / "out.html")
    with (tmp_path / "out.csv").open(encoding="utf-8-sig", newline="") as stream:
        told = list(csv.DictReader(stream))
    out = [row["reason"] for row in told if "left out" in row["error_text"]]
    assert (len(rows), ["Left out by --exclude or --exclude-journal"] * 4) == (len(told), out)
    page = (tmp_path / "out.html").read_text("utf-8")
    assert (True, False) == ("Nothing: so you asked." in page, "Asked to get no messages" in page)


def test_personal_texts_are_left_out_alike(begin: Begin, gateway: Sandbox, write: Write) -> None:
    """Each row for itself."""
    some = numbers(3)
    stop = write(some[1], "stop.txt")
    rows = "".join(f"{number},N{place}\n" for place, number in enumerate([*some, some[1], some[2]]))
    result = begin(f"phone,name\n{rows}", template="Hi {name}", exclude=[stop]).run()
    assert ([some[0], some[2]], Tally(accepted=3, not_sent=2, duplicates=1)) == (got(gateway), result.tally)


def test_who_is_put_on_the_list_later_gets_nothing_either(begin: Begin, gateway: Sandbox, write: Write) -> None:
    """Though the journal has him queued."""
    some = numbers(3)
    rows = "phone\n" + "\n".join(some)
    first = begin(rows)
    first.run(Speed(limit=1, batch=1))
    first.close()
    later = begin(rows, exclude=[write(some[2], "stop.txt")])
    tally = later.run().tally
    assert ([some[0], some[1]], 2, 1) == (got(gateway), tally.accepted, tally.not_sent)


def test_whom_another_campaign_has_reached_is_left_out(begin: Begin, gateway: Sandbox, tmp_path: Path) -> None:
    """Or may have, or is to reach; who was refused there is not."""
    states = (RowState.ACCEPTED, RowState.UNKNOWN, RowState.QUEUED, RowState.REJECTED, RowState.NOT_SENT)
    some = numbers(6)
    other = begin("phone\n" + "\n".join([*some[:5], "12345"]), journal=tmp_path / "other.db")
    other.run(Speed(batch=1, connections=1))
    other.close()
    with Outbox(tmp_path / "other.db") as outbox:
        rows = [row for row in outbox if row.recipient in some]
        changed = [row._replace(state=state) for row, state in zip(rows, states, strict=True)]
        outbox._store.write("test", lambda transaction: transaction.put(changed))
    before = got(gateway)
    begin("phone\n" + "\n".join(some), exclude_journals=[tmp_path / "other.db"]).run()
    assert sorted([*before, *some[3:]]) == got(gateway)


def test_a_list_or_journal_that_is_not_there_is_an_error(begin: Begin, tmp_path: Path) -> None:
    """Nothing is sent to those whom it may name."""
    for options in ({"exclude": [tmp_path / "none.csv"]}, {"exclude_journals": [tmp_path / "none.db"]}):
        with pytest.raises(InvalidInput, match=r"none\."):
            begin("79161234567", **options)
    assert not (tmp_path / "none.db").exists()


def test_an_outbox_that_is_not_a_campaigns_leaves_nobody_out_in_silence(begin: Begin, tmp_path: Path) -> None:
    """It is refused, empty or not: who named it meant a journal."""
    Outbox(tmp_path / "alerts.db").close()
    with pytest.raises(InvalidInput, match=r"alerts\.db"):
        begin("79161234567", exclude_journals=[tmp_path / "alerts.db"])


def test_a_notifier_of_ones_own_leaves_out_nobody_afterwards(gateway: Sandbox, write: Write, tmp_path: Path) -> None:
    """Each campaign has its own lists, read by the plugins that read its numbers."""
    some = numbers(2)

    class Extension:
        @hookimpl
        def devinotify_normalize_phone(self, raw: str) -> phones.PhoneNumber | None:
            return phones.normalize(some[1]) if raw == "42" else None

    stop = write(f"42\nx\n{some[0]}\n", "stop.txt")
    with Notifier(gateway.url, plugins=make_plugin_manager(Extension(), discover=False)) as notifier:
        with Campaign(
            notifier, write("\n".join(some)), text="Hi", journal=tmp_path / "own.db", format="lines", exclude=[stop]
        ) as campaign:
            assert 2 == campaign.run().tally.not_sent
        assert ([], True) == (got(gateway), notifier.notify("Hi", some[1])[0].error is None)


def test_what_others_send_with_its_notifier_meanwhile_is_no_affair_of_the_campaigns(
    gateway: Sandbox, write: Write, tmp_path: Path
) -> None:
    """An alert goes out to whom the open campaign leaves out; the campaign's own test does not."""
    (number,) = numbers(1)
    stop = write(number, "stop.txt")
    with (
        Notifier(gateway.url, plugins=make_plugin_manager(discover=False)) as notifier,
        Campaign(
            notifier, write(numbers(1, 1)[0]), text="Hi", journal=tmp_path / "own.db", format="lines", exclude=[stop]
        ) as campaign,
    ):
        assert isinstance(campaign.test(number).error, Suppressed)
        assert None is notifier.notify("An alert", number)[0].error
    assert [number] == got(gateway)


def test_a_campaign_is_not_left_out_by_its_own_journal(begin: Begin, gateway: Sandbox, tmp_path: Path) -> None:
    """Who waits in it would be refused for good."""
    rows = "phone\n" + "\n".join(numbers(3))
    first = begin(rows)
    first.run(Speed(limit=1, batch=1))
    first.close()
    with pytest.raises(InvalidInput, match="own journal"):
        begin(rows, exclude_journals=[tmp_path / "." / "campaign.db"])
    assert (2, 3) == (begin(rows).run().sent.accepted, len(got(gateway)))


def test_a_campaign_that_leaves_out_may_be_closed_twice(begin: Begin, write: Write) -> None:
    """As any other."""
    campaign = begin("phone\n" + "\n".join(numbers(2)), exclude=[write(numbers(1)[0], "stop.txt")])
    campaign.close()
    campaign.close()


@pytest.fixture(scope="module")
def alone() -> Iterator[Notifier]:
    """Give a Notifier with the built-in plugins alone, which takes longer to make than a page takes to split."""
    with Notifier("devino://a:b@DEVINO", plugins=make_plugin_manager(discover=False)) as notifier:
        yield notifier


@given(picks=st.lists(st.integers(0, 5), max_size=30), out=st.sets(st.integers(0, 5)), odd=st.booleans())
def test_a_page_is_split_to_the_last_row(alone: Notifier, picks: list[int], out: set[int], odd: bool) -> None:
    """Every row stands in one part, and every number of it too."""
    some = numbers(6)
    left_out = Seen(few=2)
    left_out.add_all({int(some[place]) for place in out})
    exclusion = Exclusion(left_out, alone)
    raws = [some[pick] for pick in picks] + ["12"] * odd
    left, positions = exclusion.split(sort_many(raws, "RU"))
    assert [place for place, pick in enumerate(picks) if pick in out] == positions
    assert sorted(set(range(len(picks))) - set(positions)) == sorted([*left.positions, *left.duplicates])
    assert len(left.positions) == len(left.numbers)


def test_the_command_takes_several(
    gateway: Sandbox, write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Lists and journals; rows of a list without a number are told."""
    some = numbers(4)
    monkeypatch.setenv("DEVINOTIFY_URL", gateway.url)

    def run(rows: str, name: str, *options: str) -> int:
        source, journal = str(write(rows, f"{name}.txt")), str(tmp_path / f"{name}.db")
        arguments = ["bulk", source, "--text", "Hi", "--journal", journal, "--yes", *options]
        return CliRunner().invoke(cli, arguments).exit_code

    stops = [str(write(some[0], "0.txt")), str(write(f"{some[1]}\n12\n", "1.txt"))]
    first = run(some[3], "first")
    lists = [argument for stop in stops for argument in ("--exclude", stop)]
    second = run("\n".join(some), "second", *lists, "--exclude-journal", str(tmp_path / "first.db"))
    assert (0, 4, [some[2], some[3]], ["1 row of the lists to leave out holds no number"]) == (
        first,
        second,
        got(gateway),
        caplog.messages,
    )
