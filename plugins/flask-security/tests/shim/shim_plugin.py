"""A pytest plugin: our sender in the place of those of Flask-Security's tests, and sandboxes behind it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import freezegun
import pytest
import tests.test_utils as theirs  # Flask-Security's own, in whose folder this runs
from devinotify.sandbox import Sandbox
from flask import current_app

from devinotify_flask_security import DevinoSmsSender

if TYPE_CHECKING:
    from collections.abc import Iterator

# Some of the tests stop the clock. That of a gateway, which would be in another process, and of its client goes on: an
# event loop that goes to sleep by a clock that is set back meanwhile never wakes up.
freezegun.configure(extend_ignore_list=["devinotify", "asyncio", "uvicorn"])

gateway, refusing = Sandbox().start(), Sandbox().start()
gateway.add_fault("drop", operation="Sms/Send", accepts=True)
refusing.add_fault("error", operation="Sms/Send", code=2)


def mobile(number: str) -> str:
    """Return a mobile number for one of London's, which are fixed lines and get no SMS; any other as it is."""
    return f"+7916{number[-7:]}" if number.startswith("+4420") else number


class Sender(DevinoSmsSender):
    """Sends to a gateway that takes everything and whose answers are lost; tells what arrived there."""

    def __init__(self) -> None:
        super().__init__()
        gateway.delete()

    def send_sms(self, from_number: str | None, to_number: str, msg: str) -> None:
        """Send by the app that is tested."""
        current_app.config["DEVINOTIFY_URL"] = gateway.url
        super().send_sms(from_number, mobile(to_number), msg)

    @property
    def messages(self) -> list[str]:
        """The texts that have arrived since a sender was made, as these tests count."""
        return [message.text for message in gateway.messages()]

    def get_count(self) -> int:
        """Return how many those are."""
        return len(self.messages)


class BadSender(DevinoSmsSender):
    """Sends to a gateway that refuses everything."""

    def send_sms(self, from_number: str | None, to_number: str, msg: str) -> None:
        """Send by the app that is tested."""
        current_app.config["DEVINOTIFY_URL"] = refusing.url
        super().send_sms(from_number, mobile(to_number), msg)


theirs.SmsTestSender, theirs.SmsBadSender = Sender, BadSender


@pytest.fixture(scope="session", autouse=True)
def _sandboxes() -> Iterator[None]:
    yield
    gateway.stop()
    refusing.stop()
