"""A sandbox for all the tests of campaigns, files to send to, and campaigns over them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from devinotify import Notifier, make_plugin_manager
from devinotify.bulk import Campaign
from devinotify.sandbox import Sandbox
from tests.bulk.fake import Fake

Write = Callable[..., Path]
Begin = Callable[..., Campaign]


def numbers(count: int, start: int = 0) -> list[str]:
    """Return distinct Russian mobiles in E.164 that no fate of the sandbox is tied to."""
    return [f"+7916{number:07d}" for number in range(1_000_000 + start, 1_000_000 + start + count)]


LOST = numbers(1, 500)[0]
"""Whom no SMS reaches, where a test asks for that."""


@pytest.fixture
def fake() -> Fake:
    """Give a channel that takes everything."""
    return Fake()


@pytest.fixture
def notifier(fake: Fake) -> Iterator[Notifier]:
    """Give a notifier that has this channel, and no gateway."""
    plugins = make_plugin_manager(fake, discover=False)
    with Notifier("devino://a:b@DEVINO?gateway=http://127.0.0.1:1/rest", plugins=plugins) as made:
        yield made


@pytest.fixture(scope="session")
def started() -> Iterator[Sandbox]:
    """Give one running gateway to the whole run."""
    with Sandbox(keep=200_000, balance="1000000") as sandbox:
        yield sandbox


@pytest.fixture
def gateway(started: Sandbox) -> Sandbox:
    """Give the gateway as new."""
    started.reset()
    return started


@pytest.fixture
def _one_is_lost(gateway: Sandbox) -> None:
    """Let the SMS to one number expire at once, and Viber reach everybody."""
    gateway.set_timeline("delivered", sms=[(0.0, 0)], viber=[(0.0, 2)])
    gateway.set_timeline("expired", sms=[(0.0, 46)], viber=[(0.0, 2)])
    gateway.set_fate(LOST, "expired")


@pytest.fixture
def journal(tmp_path: Path) -> Path:
    """Where the campaign's journal is."""
    return tmp_path / "campaign.db"


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Return what writes an input file."""

    def to_file(content: str | bytes, name: str = "recipients.csv") -> Path:
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return to_file


@pytest.fixture
def begin(gateway: Sandbox, write: Write, tmp_path: Path) -> Iterator[Begin]:
    """Return what makes a campaign over the given rows, with a journal, on the gateway."""
    made: list[Campaign] = []

    def campaign(
        rows: str | bytes,
        *,
        name: str = "recipients.csv",
        account: str | None = None,
        **options: Any,  # noqa: ANN401 - the campaign's own
    ) -> Campaign:
        options.setdefault("journal", tmp_path / "campaign.db")
        if "template" not in options:
            options.setdefault("text", "The shop is open")
        made.append(Campaign(account or gateway.url, write(rows, name), **options))
        return made[-1]

    yield campaign
    for each in made:
        each.close()
