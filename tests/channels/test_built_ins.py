"""What the core brings in through its own hooks."""

from __future__ import annotations

from devinotify import make_plugin_manager, phones, text
from devinotify.channels.protocol import Channel
from devinotify.delivery.built_in import built_ins
from devinotify.models import Message


def test_the_channels() -> None:
    """The five channels come in by name."""
    channels = make_plugin_manager(discover=False).channels()
    assert ["sms", "viber", "sms-viber", "viber-sms", "null"] == list(channels)
    assert all(isinstance(channel, Channel) for channel in channels.values())


def test_they_are_made_anew() -> None:
    """A fallback keeps an outbox, so no two managers share one."""
    one, other = (make_plugin_manager(discover=False).channels() for _ in range(2))
    assert one["sms-viber"] is not other["sms-viber"]
    assert built_ins()["sms-viber"] is not built_ins()["sms-viber"]


def test_the_cores_answer_to_a_number() -> None:
    """The built-in reading of a number is that of ``phones``."""
    found = make_plugin_manager(discover=False).hook.devinotify_normalize_phone(raw="8 701 123 45 67", region="KZ")
    assert phones.normalize("8 701 123 45 67", region="KZ") == found


def test_the_cores_answer_to_a_text() -> None:
    """The built-in estimate is that of ``text``."""
    found = make_plugin_manager(discover=False).hook.devinotify_estimate_segments(text="Привет")
    assert text.segment("Привет") == found


def test_the_cores_preparation() -> None:
    """The built-in preparation leaves a message as it is."""
    message = Message("Hello", ("+79161234567",))
    assert [message] == make_plugin_manager(discover=False).hook.devinotify_prepare_message(message=message)
