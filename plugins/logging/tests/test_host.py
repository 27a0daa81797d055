"""Logging as a host of devinotify: the conformance suite."""

from __future__ import annotations

import logging
from itertools import count
from typing import TYPE_CHECKING, ClassVar

import pytest
from devinotify.testing import HostSuite, Told

from devinotify_logging import DevinoHandler

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

_names = count()


class TestLogging(HostSuite):
    """Whoever logs is told nothing; what was not sent is tried again by the handler, as late as its end."""

    own_loggers: ClassVar[Sequence[str]] = ("shop",)
    outbox: str | None = None

    def send(self, url: str, text: str, to: Sequence[str]) -> Told:
        """Log an error, and wait until the handler has done with it."""
        logger = logging.getLogger(f"shop.{next(_names)}")
        handler = DevinoHandler(url, to=list(to), outbox=self.outbox, flush_timeout=20, rate="1000/min", burst=100)
        logger.addHandler(handler)
        try:
            logger.error(text)
            handler.flush()
        finally:
            logger.removeHandler(handler)
            handler.close()
        return Told(sent=None)


class TestOutbox(TestLogging):
    """The same through a file, which all accounts share."""

    @pytest.fixture(autouse=True)
    def _file(self, tmp_path: Path) -> None:
        self.outbox = str(tmp_path / "alerts.db")
