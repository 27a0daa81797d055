"""``notifiers`` as a host of devinotify: the conformance suite."""

from __future__ import annotations

from typing import TYPE_CHECKING

import notifiers
from devinotify.testing import HostSuite, Told
from notifiers.exceptions import NotificationError

if TYPE_CHECKING:
    from collections.abc import Sequence


class TestNotify(HostSuite):
    """A program that sends again, to everybody, where it is told of errors."""

    def send(self, url: str, text: str, to: Sequence[str]) -> Told:
        """Send as a program does."""
        try:
            response = notifiers.notify("devino", raise_on_errors=True, message=text, url=url, to=list(to))
        except NotificationError:
            return Told(sent=False, again=True)
        return Told(sent=response.status == "Success")
