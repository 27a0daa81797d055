"""Apprise as a host of devinotify: the conformance suite."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote

import apprise
import pytest
from devinotify.testing import HostSuite, Told

if TYPE_CHECKING:
    from collections.abc import Sequence


@pytest.mark.usefixtures("schema")
class TestApprise(HostSuite):
    """Apprise sends with its own two retries, and has nothing that sends again after that."""

    def send(self, url: str, text: str, to: Sequence[str]) -> Told:
        """Send as a program that uses Apprise does."""
        base, _, query = url.partition("?")
        # Without a limit, which Apprise keeps by threads that a forked process does not have: it waits for ever there.
        sender = apprise.Apprise(asset=apprise.AppriseAsset(async_mode=False, service_timeout=0))
        sender.add(f"{base}/{'/'.join(quote(number) for number in to)}?{query}&retry=2&wait=0")
        return Told(sent=bool(sender.notify(text)))
