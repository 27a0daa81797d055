"""The command as a host of devinotify: the conformance suite, played by Zabbix and by Nagios with its worker."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from devinotify import DevinoURL, Notifier, RowState, Verdict, Worker
from devinotify.testing import HostSuite, Told

from tests.support import Command, Done, file_of, until

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from devinotify import Outbox

ATTEMPTS = 3
"""How often Zabbix runs a script that fails, unless it is told otherwise."""


class _Commands(HostSuite):
    """Runs the command with a URL in a file, and an outbox for each account."""

    @pytest.fixture(autouse=True)
    def _folder(self, tmp_path: Path) -> None:
        self._tmp_path = tmp_path

    def _outbox(self, url: str) -> Path:
        return self._tmp_path / f"{DevinoURL.parse(url).account.replace('/', '-')}.db"

    def _command(self, url: str) -> Command:
        outbox = self._outbox(url)
        path = outbox.with_suffix(f".url{'-hasty' if 'timeout=1' in url else ''}")
        return Command(path if path.exists() else file_of(f"{url}&outbox={outbox}", path))

    @pytest.mark.skip(reason="each alert is a process, and hosts have no threads: see test_at_the_same_time")
    def test_threads(self) -> None:
        """Twelve processes within a minute are not asked of a slow machine."""


def tried(outbox: Outbox, text: str) -> list[Verdict | None] | None:
    """Return the verdicts on a text once each of its rows was tried, ``None`` where one of them is being sent."""
    rows = [
        row
        for row in outbox.rows()
        if (stored := outbox.message(row.message_id)) is not None and text in stored.message.text
    ]
    is_over = all(row.state.verdict or (row.state is RowState.QUEUED and row.attempts) for row in rows)
    return [row.state.verdict for row in rows] if rows and is_over else None


@pytest.mark.once
class TestZabbix(_Commands):
    """Zabbix runs the script again, by itself, as long as it fails."""

    def send(self, url: str, text: str, to: Sequence[str]) -> Told:
        """Do what Zabbix does; between two attempts it waits for longer than the outbox."""
        command = self._command(url)
        whom = [word for number in to for word in ("--to", number)]
        for attempt in range(1, ATTEMPTS + 1):
            done: Done = command("zabbix", *whom, "--", "", text, "")
            if done.code == 0 or attempt == ATTEMPTS:
                break
        return Told(sent=done.code == 0)

    def test_a_repetition_sends(self) -> None:
        """What never left is sent by a repetition once its turn has come, and arrives once."""
        text = self._text()
        told, back = self._out_of_reach(text)
        assert told.sent is False
        with back:
            command = self._command(back.url)
            until(lambda: command("zabbix", "--to", "+79161234567", "--", "", text, "").code == 0)
            assert [text] == [each.text for each in back.messages()]


@pytest.mark.once
class TestNagios(_Commands):
    """Nagios stores, and a worker sends: the outbox tells what became of it."""

    def send(self, url: str, text: str, to: Sequence[str]) -> Told:
        """Store it, and let a worker do what is due."""
        whom = [word for number in to for word in ("--to", number)]
        macros = ["HOSTNAME=web1", "HOSTSTATE=DOWN", f"HOSTOUTPUT={text}"]
        done = self._command(url)("nagios", *whom, *macros)
        with Notifier(url, outbox=str(self._outbox(url))) as notifier:
            worker = Worker(notifier)
            worker.run(once=True)
            found = until(lambda: tried(worker.outbox, text))
        return Told(sent=done.code == 0 and set(found) == {Verdict.ACCEPTED})
