"""A message from a Notifier to a worker, with the database between them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner

from devinotify import Notifier
from devinotify.cli.app import cli
from devinotify.outbox import Outbox, RowState
from devinotify.outbox.location import VARIABLE
from devinotify.sandbox import Sandbox
from devinotify.url import parse
from tests.postgres_server import PASSWORD

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.once


@pytest.fixture
def gateway() -> Iterator[Sandbox]:
    """Give a running sandbox."""
    with Sandbox() as found:
        yield found


@pytest.mark.parametrize("by", ["--outbox", VARIABLE, "url"])
def test_what_a_notifier_enqueues_a_worker_sends(
    gateway: Sandbox, url: str, by: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However the database is named, and its password is shown nowhere."""
    account = str(gateway.url)
    with Notifier(account, outbox=url) as notifier:
        assert {"+79161234567": 1} == dict(notifier.enqueue("disk full", "8 916 123-45-67").rows)
    named = parse(account).with_options(outbox=url).to_url() if by == "url" else account
    monkeypatch.setenv("DEVINOTIFY_URL", named)
    if by == VARIABLE:
        monkeypatch.setenv(VARIABLE, url)
    option = ["--outbox", url] if by == "--outbox" else []
    sent = CliRunner().invoke(cli, ["worker", "--once", *option])
    listed = CliRunner().invoke(cli, ["outbox", "list", *option])
    assert (0, 0) == (sent.exit_code, listed.exit_code), sent.output + listed.output
    assert PASSWORD not in sent.output + listed.output
    with Outbox(url) as outbox:
        assert [True] == [row.state in (RowState.ACCEPTED, RowState.DELIVERED) for row in outbox]
