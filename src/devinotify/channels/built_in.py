"""The built-in channels and defaults, brought in through the hooks that everybody uses."""

from __future__ import annotations

from typing import TYPE_CHECKING

from devinotify import phones
from devinotify import text as texts
from devinotify.channels import direct
from devinotify.hookspecs import hookimpl

if TYPE_CHECKING:
    from devinotify.channels.protocol import Channel
    from devinotify.models import Message
    from devinotify.phones import PhoneNumber
    from devinotify.text import Segmentation


class Brings:
    """A plugin that brings one channel."""

    def __init__(self, channel: Channel) -> None:
        self._channel = channel

    @hookimpl
    def devinotify_register_channels(self) -> list[Channel]:
        """Bring the channel."""
        return [self._channel]


class _Phones:
    """The core's answer to what a number means."""

    @hookimpl(trylast=True)
    def devinotify_normalize_phone(self, raw: str, region: str) -> PhoneNumber:
        """Return what ``devinotify.phones`` makes of it."""
        return phones.normalize(raw, region=region)


class _Segments:
    """The core's answer to what a text costs."""

    @hookimpl(trylast=True)
    def devinotify_estimate_segments(self, text: str) -> Segmentation:
        """Return what ``devinotify.text`` makes of it."""
        return texts.segment(text)


class _Prepare:
    """The core's preparation of a message: none."""

    @hookimpl(trylast=True)
    def devinotify_prepare_message(self, message: Message) -> list[Message]:
        """Return the message as it is."""
        return [message]


def built_ins() -> dict[str, object]:
    """Return the built-in plugins by name, new ones each time."""
    return {
        "phones": _Phones(),
        "segments": _Segments(),
        "prepare": _Prepare(),
        "sms": Brings(direct.SMS),
        "viber": Brings(direct.VIBER),
        "viber-sms": Brings(direct.VIBER_SMS),
        "null": Brings(direct.NULL),
    }
