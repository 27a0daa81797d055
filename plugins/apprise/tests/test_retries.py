"""Apprise's retries: whoever has it, or may have it, never gets it again."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import apprise
import pytest
from devinotify import hookimpl

from devinotify_apprise.retries import RetryAware
from devinotify_apprise.versions import REMEMBERS, RETRIES
from tests.support import ONE, THREE, TWO, arrived, notify, plugin_of, sends

if TYPE_CHECKING:
    from collections.abc import Callable

    from devinotify.sandbox import Sandbox

    from devinotify_apprise import NotifyDevino

pytestmark = pytest.mark.versions
needs_retries = pytest.mark.skipif(not RETRIES, reason=f"Apprise {apprise.__version__} does not retry")


def in_sequence(plugin: NotifyDevino, other: NotifyDevino, **arguments: Any) -> bool:  # noqa: ANN401 - Apprise's own
    """Send through one plugin, then the other."""
    asset = apprise.AppriseAsset(async_mode=False)
    plugin.asset = other.asset = asset
    return together(plugin, other, **arguments)


def together(plugin: NotifyDevino, other: NotifyDevino, **arguments: Any) -> bool:  # noqa: ANN401 - Apprise's own
    """Send through both plugins at once, each in a thread."""
    sender = apprise.Apprise()
    sender.add(plugin)
    sender.add(other)
    return bool(sender.notify("text", **arguments))


def in_tasks(plugin: NotifyDevino, other: NotifyDevino, **arguments: Any) -> bool:  # noqa: ANN401 - Apprise's own
    """Send through both plugins at once, each in a task."""
    sender = apprise.Apprise()
    sender.add(plugin)
    sender.add(other)
    return bool(asyncio.run(sender.async_notify("text", **arguments)))


WAYS: list[Callable[..., bool]] = [in_sequence, together, in_tasks]


@needs_retries
@pytest.mark.parametrize("way", WAYS)
def test_accepted_is_not_repeated(way: Callable[..., bool], gateway: Sandbox) -> None:
    """A retry goes to the one who was refused and not to those who have it; in the end all have it once."""
    gateway.add_fault("error", code=5, number=TWO, times=1)
    plugin = plugin_of(gateway, ONE, TWO, batch="no", retry=2)
    assert way(plugin, plugin_of(gateway, THREE, retry=2))
    assert sorted([(ONE, "text"), (TWO, "text"), (THREE, "text")]) == sorted(arrived(gateway))


@needs_retries
@pytest.mark.parametrize("way", WAYS)
def test_unknown_is_not_repeated(way: Callable[..., bool], gateway: Sandbox) -> None:
    """Whose answer was lost is not sent to again, and it is no success."""
    gateway.add_fault("drop", number=TWO, times=1)
    plugin = plugin_of(gateway, ONE, TWO, batch="no", retry=2)
    assert not way(plugin, plugin_of(gateway, THREE))
    assert sorted([(ONE, "text"), (TWO, "text"), (THREE, "text")]) == sorted(arrived(gateway))


@needs_retries
def test_bulk_is_not_repeated(gateway: Sandbox) -> None:
    """A bulk whose answer was lost is not sent again."""
    gateway.add_fault("drop", operation="Sms/SendBulk")
    assert not notify(plugin_of(gateway, ONE, TWO, retry=3))
    assert ["Sms/SendBulk"] == sends(gateway)


@needs_retries
def test_parts_are_not_repeated(gateway: Sandbox) -> None:
    """Of a text in equal parts, those that arrived are not repeated, and the others are sent."""
    for mode in ("upstream", "split"):
        gateway.reset()
        plugin = plugin_of(gateway, ONE, retry=2, overflow=mode)
        assert notify(plugin, "x" * 2000)
        gateway.add_fault("error", code=5, times=1)
        assert notify(plugin, "x" * 6000)
        assert 1 + 3 == len(gateway.messages())


@needs_retries
def test_retries_end(gateway: Sandbox) -> None:
    """As many attempts are made as the URL says, at those who have not got it."""
    gateway.add_fault("error", code=5, number=TWO)
    assert not notify(plugin_of(gateway, ONE, TWO, batch="no", retry=2))
    assert 1 + 3 == len(sends(gateway))
    assert [(ONE, "text")] == arrived(gateway)


@needs_retries
def test_same_text_again_is_another_notification(gateway: Sandbox) -> None:
    """What failed for one is no reason to keep the next notification, of the same text, from the others."""
    gateway.add_fault("error", code=5, number=TWO)
    plugin = plugin_of(gateway, ONE, TWO, batch="no", retry=1)
    for _ in range(3):
        assert not notify(plugin)
    assert [(ONE, "text")] * 3 == arrived(gateway)


@needs_retries
def test_retries_of_a_tag(gateway: Sandbox) -> None:
    """Retries that the caller asks for, by a tag, repeat nothing either."""
    gateway.add_fault("error", code=5, number=TWO, times=2)
    sender = apprise.Apprise()
    plugin = plugin_of(gateway, ONE, TWO, batch="no")
    sender.add(plugin, tag="ops")
    plugin.tags = {apprise.AppriseTag.parse("ops")}
    assert sender.notify("text", tag="ops:2")
    assert [(ONE, "text"), (TWO, "text")] == arrived(gateway)


class OnCall:
    """A hook plugin that knows who is on call."""

    @hookimpl
    def devinotify_resolve_recipient(self, recipient: str) -> list[str] | None:
        """Return who is on call."""
        return {"oncall": [ONE, TWO]}.get(recipient)


@needs_retries
def test_members_of_an_alias(gateway: Sandbox) -> None:
    """Of an alias only the members are sent to again who have not got it."""
    plugin_of(gateway, ONE, retry=1).notifier.plugins.register(OnCall())
    gateway.add_fault("error", code=2, operation="Sms/SendBulk", times=1)
    gateway.add_fault("error", code=5, number=TWO, operation="Sms/Send", times=1)
    assert notify(plugin_of(gateway, "oncall", retry=1))
    assert [ONE, TWO] == [recipient for recipient, _ in arrived(gateway)]


def test_without_retries_each_call_sends(gateway: Sandbox) -> None:
    """Whoever calls the plugin himself gets what he asks for, every time."""
    plugin = plugin_of(gateway, ONE)
    for _ in range(2):
        assert plugin.notify("text")
    assert [(ONE, "text")] * 2 == arrived(gateway)


def test_retry_is_understood_by_all(gateway: Sandbox) -> None:
    """A URL that asks for retries works with every Apprise, and a success is not repeated."""
    assert notify(plugin_of(gateway, ONE, retry=2, wait=0.5))
    assert [(ONE, "text")] == arrived(gateway)


class Piecewise(RetryAware):
    """A plugin that notes what it is sent; its first attempt fails."""

    def __init__(self) -> None:
        super().__init__(retry=1)
        self.seen: list[object] = []

    def send(self, body: str, *args: object, **kwargs: object) -> bool:
        """Note the text, and what was noted before."""
        self.next_piece()
        self.seen.append(self.noted("before"))
        self.note("before", body)
        return len(self.seen) > 1


@pytest.mark.skipif(REMEMBERS or not RETRIES, reason="this Apprise keeps, or needs, no memory of ours")
def test_memory_is_of_one_message() -> None:
    """A direct call with another text is another notification, whatever failed before it."""
    plugin = Piecewise()
    assert plugin.wait >= 0.0  # as Apprise reads it before the first attempt
    assert not plugin.notify("one")
    assert plugin.notify("two")
    assert plugin.notify("two")
    assert [None, None, None] == plugin.seen


@pytest.mark.skipif(REMEMBERS, reason="this Apprise has a memory of its own")
def test_no_memory_outside_of_a_notification() -> None:
    """A direct send has nothing to remember, and does."""
    plugin = Piecewise()
    assert not plugin.send("one")
    assert plugin.send("two")
    assert [None, None] == plugin.seen
