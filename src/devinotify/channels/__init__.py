"""The built-in channels and defaults, brought in through the hooks that everybody uses."""

from __future__ import annotations

from typing import TYPE_CHECKING

from devinotify import phones
from devinotify import text as texts
from devinotify.channels import direct
from devinotify.channels.fallback import SmsViberChannel
from devinotify.hookspecs import hookimpl

if TYPE_CHECKING:
    from devinotify.models import Channel, Message
    from devinotify.phones import PhoneNumber
    from devinotify.text import Segmentation


class _Brings:
    """A plugin that brings one channel, made anew for each Notifier that asks."""

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
    """Return the built-in plugins by name, new ones each time: a fallback channel keeps its outbox."""
    return {
        "phones": _Phones(),
        "segments": _Segments(),
        "prepare": _Prepare(),
        "sms": _Brings(direct.SMS),
        "viber": _Brings(direct.VIBER),
        "sms-viber": _Brings(SmsViberChannel()),
        "viber-sms": _Brings(direct.VIBER_SMS),
        "null": _Brings(direct.NULL),
    }
