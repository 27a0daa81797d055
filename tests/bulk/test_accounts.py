"""Whose a campaign is: it goes on with the account that it was begun with, unless somebody says otherwise."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from devinotify import Notifier
from devinotify.bulk import End, Journal, Speed
from devinotify.bulk.deliveries import Deliveries
from devinotify.exceptions import InvalidInput
from tests.bulk.conftest import numbers

if TYPE_CHECKING:
    from pathlib import Path

    from devinotify.sandbox import Sandbox
    from tests.bulk.conftest import Begin


def other(gateway: Sandbox) -> str:
    """Return the URL of the same gateway by another address: another account, which the sandbox lets in as well."""
    return gateway.url.replace("127.0.0.1", "localhost")


def test_another_account_does_not_go_on_by_itself(begin: Begin, gateway: Sandbox) -> None:
    """What was begun at one gateway would be looked up at another; the error says how to go on all the same."""
    rows = "\n".join(numbers(4))
    assert End.LIMIT is begin(rows, name="a.txt").run(Speed(limit=2)).end
    with pytest.raises(InvalidInput, match=r"of another account, demo@127\.0\.0\.1.*--other-account"):
        begin(rows, name="a.txt", account=other(gateway))
    assert 2 == len(gateway.messages())


def test_it_goes_on_where_somebody_says_so(begin: Begin, gateway: Sandbox, tmp_path: Path) -> None:
    """The rest goes out from the other account, whose campaign it is from then on."""
    rows = "\n".join(numbers(4))
    begin(rows, name="a.txt").run(Speed(limit=2))
    result = begin(rows, name="a.txt", account=other(gateway), other_account=True).run()
    assert (End.DONE, 4) == (result.end, result.tally.accepted)
    with Journal(tmp_path / "campaign.db") as journal:
        assert "demo@localhost" == (journal.account or "").partition(":")[0]
    assert End.DONE is begin(rows, name="a.txt", account=other(gateway)).run().end


def test_deliveries_are_looked_up_where_it_was_sent(begin: Begin, gateway: Sandbox, tmp_path: Path) -> None:
    """Another gateway knows nothing of them, and its answer would be taken for the truth."""
    begin("\n".join(numbers(2)), name="a.txt").run()
    with (
        Journal(tmp_path / "campaign.db") as journal,
        Notifier(other(gateway)) as notifier,
        pytest.raises(InvalidInput, match="of another account"),
    ):
        Deliveries(notifier, journal)
