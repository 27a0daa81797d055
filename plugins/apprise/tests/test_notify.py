"""Sending: what arrives, in how many requests, and what the log says."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import apprise
import pytest
from apprise import NotifyFormat, NotifyType, OverflowMode
from devinotify import hookimpl

from devinotify_apprise import NotifyDevino
from tests.support import ONE, THREE, TWO, arrived, notify, plugin_of, sends

if TYPE_CHECKING:
    from pathlib import Path

    from devinotify import Message
    from devinotify.sandbox import Sandbox


def test_sends(gateway: Sandbox) -> None:
    """A text arrives at its recipient, from the sender of the URL."""
    assert notify(plugin_of(gateway, ONE), "Привет 🔥")
    message = gateway.messages()[0]
    assert ("DEVINO", ONE, "Привет 🔥") == (message.sender, message.recipient, message.text)


def test_many_take_one_request(gateway: Sandbox) -> None:
    """A hundred recipients of one text take one request, and the plugin says so."""
    plugin = plugin_of(gateway, *[f"+7916123{number:04d}" for number in range(100)])
    assert notify(plugin)
    assert ["Sms/SendBulk"] == sends(gateway)
    assert 100 == len(gateway.messages())
    assert 1 == len(plugin)


def test_one_by_one(gateway: Sandbox) -> None:
    """Without batch every recipient takes a request."""
    plugin = plugin_of(gateway, ONE, TWO, batch="no")
    assert notify(plugin)
    assert ["Sms/Send", "Sms/Send"] == sends(gateway)
    assert 2 == len(plugin)


def test_length_counts_bulks(gateway: Sandbox) -> None:
    """More than a thousand recipients take several requests."""
    assert 2 == len(plugin_of(gateway, to=",".join(f"+7916123{number:04d}" for number in range(1001))))


def test_one_login_for_all(gateway: Sandbox) -> None:
    """Plugins that are made and thrown away log in once, with different options too."""
    for options in ({}, {"validity": 5}, {"from": "OTHER"}, {"transliterate": "yes"}):
        assert notify(plugin_of(gateway, ONE, **options))
    operations = [request.operation for request in gateway.requests()]
    assert ["User/SessionID", *["Sms/Send"] * 4] == operations
    senders = [message.sender for message in gateway.messages()]
    assert ["DEVINO", "DEVINO", "OTHER", "DEVINO"] == senders


@pytest.mark.parametrize(
    ("channel", "operation"),
    [("sms", "Sms/Send"), ("viber", "Viber/Send"), ("viber-sms", "Viber/SendWithResend")],
)
def test_channel(channel: str, operation: str, gateway: Sandbox) -> None:
    """The channel of the URL is the one that is used."""
    assert notify(plugin_of(gateway, ONE, channel=channel))
    assert [operation] == sends(gateway)


def test_fallback_channel(gateway: Sandbox, tmp_path: Path) -> None:
    """The channel that falls back takes its first step."""
    assert notify(plugin_of(gateway, ONE, channel="sms-viber", outbox=tmp_path / "outbox.db"))
    assert ["Sms/Send"] == sends(gateway)


@pytest.mark.versions
def test_title_is_the_first_line(gateway: Sandbox) -> None:
    """A title stands on its own line, once, with a line break that is one character."""
    assert notify(plugin_of(gateway, ONE), "first\r\nsecond", title="Title")
    assert [(ONE, "Title\nfirst\nsecond")] == arrived(gateway)


@pytest.mark.versions
def test_title_of_a_direct_send(gateway: Sandbox) -> None:
    """Whoever calls send by himself gets his title sent, too."""
    assert plugin_of(gateway, ONE).send("text", title="Title")
    assert [(ONE, "Title\ntext")] == arrived(gateway)


MARKDOWN = "# Disk full\n\n**db1** is at `99 %`\n\n* one\n* two\n\nSee [the page](https://example.com/a?b=c&d=e) 🔥"


@pytest.mark.versions
def test_markdown(gateway: Sandbox) -> None:
    """Markdown comes out as text: no signs of markup, addresses of links kept."""
    assert notify(plugin_of(gateway, ONE), MARKDOWN, body_format=NotifyFormat.MARKDOWN)
    expected = "Disk full\ndb1 is at 99 %\n\n- one\n- two\n\nSee the page (https://example.com/a?b=c&d=e) 🔥"
    assert [(ONE, expected)] == arrived(gateway)


@pytest.mark.versions
def test_html(gateway: Sandbox) -> None:
    """HTML comes out as text, with its title, without tags."""
    body = "<p>Disk <b>full</b> &amp; hot<br>now</p><script>no()</script>"
    assert notify(plugin_of(gateway, ONE), body, title="Title", body_format=NotifyFormat.HTML)
    lines = [line.strip() for line in arrived(gateway)[0][1].splitlines() if line.strip()]
    assert ["Title", "Disk full & hot", "now"] == lines


@pytest.mark.parametrize(
    ("markup", "body"), [("html", "<p>Disk <b>full</b></p>"), ("markdown", "Disk **full**"), ("text", "Disk full")]
)
@pytest.mark.versions
def test_format_of_the_url(markup: str, body: str, gateway: Sandbox) -> None:
    """Where nobody declares what a body is written in, format= on the URL does."""
    assert notify(plugin_of(gateway, ONE, format=markup), body)
    assert [(ONE, "Disk full")] == arrived(gateway)


@pytest.mark.versions
def test_undeclared_text_stays(gateway: Sandbox) -> None:
    """What nobody calls markup is not touched."""
    assert notify(plugin_of(gateway, ONE), "load < 5 & **rising** <b>")
    assert [(ONE, "load < 5 & **rising** <b>")] == arrived(gateway)


@pytest.mark.versions
def test_emoji_names(gateway: Sandbox) -> None:
    """Names of emoji become emoji where the URL asks for it."""
    assert notify(plugin_of(gateway, ONE, emojis="yes"), "hot :fire:")
    assert [(ONE, "hot 🔥")] == arrived(gateway)


@pytest.mark.parametrize(("channel", "limit"), [("sms", 2000), ("viber", 1000)])
@pytest.mark.versions
def test_long_text_goes_in_parts(channel: str, limit: int, gateway: Sandbox) -> None:
    """A text that the API would refuse goes out in parts that it takes, cut between words, nothing lost."""
    text = "word " * 500
    plugin = plugin_of(gateway, ONE, channel=channel)
    assert limit == plugin.body_maxlen
    assert notify(plugin, text)
    parts = [part for _, part in arrived(gateway)]
    assert -(-len(text) // limit) == len(parts)
    assert text.split() == " ".join(parts).split()


@pytest.mark.parametrize(("mode", "parts"), [(OverflowMode.SPLIT, 2), (OverflowMode.TRUNCATE, 1)])
@pytest.mark.versions
def test_overflow(mode: OverflowMode, parts: int, gateway: Sandbox) -> None:
    """Apprise's ways with long texts work by the limit of the channel."""
    assert notify(plugin_of(gateway, ONE, overflow=getattr(mode, "value", mode)), "x" * 3000)
    assert parts == len(gateway.messages())


def test_segments_are_a_budget(gateway: Sandbox) -> None:
    """With max_segments a long text is one message of so many segments."""
    assert notify(plugin_of(gateway, ONE, max_segments=1), "word " * 900)
    ((_, text),) = arrived(gateway)
    assert len(text) <= 160


def test_transliteration(gateway: Sandbox) -> None:
    """With transliterate the text fits GSM-7, and its parts fit the limit after it has grown."""
    assert notify(plugin_of(gateway, ONE, transliterate="yes"), "Щи " * 600)
    assert 2000 >= max(len(text) for _, text in arrived(gateway))
    assert all(text.isascii() for _, text in arrived(gateway))


@pytest.mark.versions
def test_attachment_is_refused_politely(gateway: Sandbox, logged: pytest.LogCaptureFixture, tmp_path: Path) -> None:
    """An attachment is warned about, and the text still goes."""
    file = tmp_path / "file.txt"
    file.write_text("attached", "utf-8")
    assert notify(plugin_of(gateway, ONE), attach=str(file))
    assert [(ONE, "text")] == arrived(gateway)
    assert [["WARNING", "Devino: attachments cannot be sent; the text goes without them"]] == [
        [record.levelname, record.message] for record in logged.records if record.levelno >= logging.WARNING
    ]


@pytest.mark.versions
def test_success_is_no_warning(gateway: Sandbox, logged: pytest.LogCaptureFixture) -> None:
    """A success is logged at INFO and below; no line has a password, a number or a text in it."""
    assert notify(plugin_of(gateway, ONE, TWO), "confidential")
    assert logging.INFO == max(record.levelno for record in logged.records)
    assert "Sent Devino notification to +7916***4567, +7916***4568." in logged.messages
    secrets = ("demo:demo", "password", ONE[1:], "confidential")
    assert [] == [line for line in logged.messages for secret in secrets if secret in line]


def test_failure_is_a_warning(gateway: Sandbox, logged: pytest.LogCaptureFixture) -> None:
    """A refusal is one warning for all whom it concerns, with the reason, and nothing above."""
    gateway.add_fault("error", code=5, operation="Sms/SendBulk")
    plugin = plugin_of(gateway, *[f"+7916123{number:04d}" for number in range(10)])
    assert not notify(plugin)
    warnings = [record.message for record in logged.records if record.name == "apprise" and record.levelno >= 30]
    (warning,) = [line for line in warnings if "Devino notification" in line]
    start = "Failed to send Devino notification to +7916***0000, +7916***0001, +7916***0002 and 7 more: "
    assert warning.startswith(start)
    assert "credits" in warning


def test_unknown_is_said(gateway: Sandbox, logged: pytest.LogCaptureFixture) -> None:
    """A lost answer is told as what it is: it may have been sent or not."""
    gateway.add_fault("drop", operation="Sms/Send")
    assert not notify(plugin_of(gateway, ONE))
    assert [(ONE, "text")] == arrived(gateway)
    assert any("may or may not have been sent" in line for line in logged.messages)


def test_nobody(gateway: Sandbox, logged: pytest.LogCaptureFixture) -> None:
    """Without a target that can be sent to nothing is sent, and the log says why."""
    plugin = plugin_of(gateway, "12345")
    assert not plugin.notify("text")
    assert 0 == len(plugin)
    assert [] == gateway.messages()
    assert "Devino: there is nobody to send to" in logged.messages


@pytest.mark.versions
def test_empty_text(gateway: Sandbox, logged: pytest.LogCaptureFixture) -> None:
    """Markup without any text in it is no message."""
    assert not notify(plugin_of(gateway, ONE), "<p></p>", body_format=NotifyFormat.HTML)
    assert [] == gateway.messages()


def test_unreachable_gateway_is_tried_once(gateway: Sandbox, logged: pytest.LogCaptureFixture) -> None:
    """Where the gateway cannot be reached the other recipients are not tried."""
    plugin = plugin_of(gateway, ONE, TWO, batch="no")
    results = NotifyDevino.parse_url(plugin.url().replace(f"%3A{gateway.port}%2F", "%3A1%2F"))
    assert results is not None
    assert not NotifyDevino(**results).notify("text")
    assert 1 == sum("Failed to send" in line for line in logged.messages)


def test_refusal_as_a_whole(
    gateway: Sandbox, logged: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What devinotify refuses for all is a warning, never an exception."""
    plugin = plugin_of(gateway, ONE)
    monkeypatch.delitem(plugin.notifier.channels, "sms")
    assert not plugin.send("text")
    assert any(line.startswith("Devino: nothing was sent: there is no channel") for line in logged.messages)


class Watching:
    """A hook plugin that notes the tags of messages, and knows who is on call."""

    def __init__(self) -> None:
        self.tags: set[str] = set()

    @hookimpl
    def devinotify_prepare_message(self, message: Message) -> None:
        """Note the tags."""
        self.tags |= message.tags

    @hookimpl
    def devinotify_resolve_recipient(self, recipient: str) -> list[str] | None:
        """Return who is on call."""
        return {"oncall": [TWO, THREE]}.get(recipient)


def watched(plugin: NotifyDevino) -> Watching:
    """Add a watching hook plugin to the notifier that the URL's settings share."""
    hooks = Watching()
    plugin.notifier.plugins.register(hooks)
    return hooks


@pytest.mark.parametrize(
    ("kind", "tags"), [(NotifyType.FAILURE, {"failure", "urgent", "ops"}), (NotifyType.INFO, {"info", "ops"})]
)
@pytest.mark.versions
def test_tags(kind: NotifyType, tags: set[str], gateway: Sandbox) -> None:
    """Hooks see the type and the tags of a notification; a failure is urgent."""
    plugin = plugin_of(gateway, ONE)
    plugin.tags = {"ops"}
    hooks = watched(plugin)
    assert plugin.notify("text", notify_type=kind)
    assert tags == hooks.tags


def test_alias(gateway: Sandbox, logged: pytest.LogCaptureFixture) -> None:
    """What a hook makes recipients of is no invalid target."""
    watched(plugin_of(gateway, ONE))
    plugin = plugin_of(gateway, ONE, "oncall", "nobody")
    assert ((ONE, "oncall"), ("nobody",)) == (plugin.targets, plugin.invalid_targets)
    assert notify(plugin)
    assert [ONE, TWO, THREE] == [recipient for recipient, _ in arrived(gateway)]


@pytest.mark.versions
def test_certificates_are_always_verified(gateway: Sandbox, logged: pytest.LogCaptureFixture) -> None:
    """verify=no is kept on the URL, and warned about, since it changes nothing."""
    plugin = plugin_of(gateway, ONE, verify="no")
    assert "verify=no" in plugin.url()
    assert any("verify=no is not heeded" in line for line in logged.messages)


@pytest.mark.versions
def test_async(gateway: Sandbox, schema: None) -> None:
    """The asynchronous way sends the same."""
    import asyncio

    sender = apprise.Apprise()
    sender.add(plugin_of(gateway, ONE))
    sender.add(plugin_of(gateway, TWO))
    assert asyncio.run(sender.async_notify("text"))
    assert {(ONE, "text"), (TWO, "text")} == set(arrived(gateway))
