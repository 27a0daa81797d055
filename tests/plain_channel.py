"""What channels of the tests' own have in common."""

from __future__ import annotations

from typing import TYPE_CHECKING

from devinotify import hookimpl

if TYPE_CHECKING:
    from devinotify.models import Message, Outcome, Receipt, SmsState


class PlainChannel:
    """A channel that takes any sender, and the plugin that brings it; what it does is for its heirs to say."""

    name: str
    max_length = 100
    segmented = False
    schedulable = False

    @hookimpl
    def devinotify_register_channels(self) -> list[PlainChannel]:
        """Bring itself."""
        return [self]

    def check_sender(self, sender: str) -> None:
        """Take any."""

    def send(self, message: Message, client: object) -> list[Outcome]:
        """Never be asked."""
        raise NotImplementedError

    def state(self, receipt: Receipt, client: object) -> SmsState:
        """Never be asked."""
        raise NotImplementedError
