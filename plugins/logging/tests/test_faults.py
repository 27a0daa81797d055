"""What goes wrong beside the gateway: a file that fails, an alias that stands for nobody, a record that is odd."""

from __future__ import annotations

import logging
import sqlite3
from typing import TYPE_CHECKING

from devinotify import hookimpl

from devinotify_logging import DevinoHandler
from tests.support import NUMBER, texts, url_of

if TYPE_CHECKING:
    from pathlib import Path

    import pytest
    from devinotify.sandbox import Sandbox


def test_limits_that_cannot_be_kept(
    gateway: Sandbox, logger: logging.Logger, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Where the file of the limits is damaged, memory keeps them, and that is reported once."""
    (tmp_path / "alerts.db-limits").write_text("no database " * 100, "utf-8")
    handler = DevinoHandler(url_of(gateway), outbox=str(tmp_path / "alerts.db"), dedupe=0, burst=2, rate="1/h")
    logger.addHandler(handler)
    for _ in range(3):
        logger.error("disk full")
        handler.flush()
    assert (2, 1) == (len(texts(gateway)), handler.counters.held)
    assert 1 == capsys.readouterr().err.count("--- Logging error ---")


def test_outbox_that_cannot_be_written(
    gateway: Sandbox, logger: logging.Logger, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Where the outbox fails, the alert goes out from memory, and that is reported."""
    path = tmp_path / "alerts.db"
    handler = DevinoHandler(url_of(gateway), outbox=str(path), flush_timeout=60)
    logger.addHandler(handler)
    logger.error("first")
    handler.flush()
    thief = sqlite3.connect(path)
    thief.execute("DROP TABLE intake")
    thief.close()
    logger.error("second")
    handler.flush()
    assert ["first", "second"] == [text.rpartition(" ")[2] for text in texts(gateway)]
    err = capsys.readouterr().err
    assert (True, False) == ("--- Logging error ---" in err, NUMBER in err)


class Rota:
    """A plugin that knows an alias, and forgets it."""

    members: tuple[str, ...] = ()

    @hookimpl
    def devinotify_resolve_recipient(self, recipient: str) -> list[str] | None:
        """Return who is on call."""
        if recipient == "broken":
            raise RuntimeError(recipient)
        return list(self.members) if recipient == "oncall" else None


def test_alias(gateway: Sandbox, logger: logging.Logger, capsys: pytest.CaptureFixture[str]) -> None:
    """An alias is resolved when an alert goes out, its members are paid for, and one that fails keeps no one else."""
    handler = DevinoHandler(gateway.url, to=f"{NUMBER}, oncall, broken", dedupe=0)
    rota = Rota()
    handler._sender._current.plugins.register(rota)
    logger.addHandler(handler)
    rota.members = ("+79031234567", "8 916 123-45-67", "oncall")
    logger.error("disk full")
    handler.flush()
    assert [NUMBER, "+79031234567"] == [message.recipient for message in gateway.messages()]
    assert 2 == handler.counters.segments
    assert "PluginError" in capsys.readouterr().err


def test_nobody_any_more(gateway: Sandbox, logger: logging.Logger, capsys: pytest.CaptureFixture[str]) -> None:
    """Where everybody has become nobody, the handler says so and goes on."""
    handler = DevinoHandler(gateway.url, to=f"oncall, {NUMBER}", dedupe=0)

    class Nobody:
        @hookimpl
        def devinotify_resolve_recipient(self, recipient: str) -> list[str]:
            """Return nobody."""
            return []

    nobody = Nobody()
    handler._sender._current.plugins.register(nobody)
    logger.addHandler(handler)
    logger.error("first")
    handler.flush()
    handler._sender._current.plugins.unregister(nobody)
    logger.error("second")
    handler.flush()
    assert ["second"] == [text.rpartition(" ")[2] for text in texts(gateway)]


def test_odd_level(gateway: Sandbox, logger: logging.Logger, capsys: pytest.CaptureFixture[str]) -> None:
    """A record whose fields are of the wrong type is reported, and the next goes out."""
    handler = DevinoHandler(url_of(gateway))
    logger.addHandler(handler)
    odd = logging.LogRecord("shop", logging.ERROR, __file__, 1, "odd", None, None)
    odd.created = "yesterday"  # type: ignore[assignment]
    handler.handle(odd)
    logger.error("ordinary")
    handler.flush()
    assert ["ordinary"] == [text.rpartition(" ")[2] for text in texts(gateway)]
    assert 1 == capsys.readouterr().err.count("--- Logging error ---")
