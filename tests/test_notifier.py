"""The facade: whom it sends to, what hooks may do on the way, what it waits for. On a real gateway, or on a twin."""

from __future__ import annotations

import logging
import math
import threading
import time
from collections import Counter
from collections.abc import Generator, Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devinotify import (
    Client,
    DeliveryStatus,
    DevinotifyError,
    DevinoURL,
    InvalidArgument,
    InvalidInput,
    InvalidPhoneNumber,
    InvalidSchedule,
    InvalidSender,
    InvalidText,
    InvalidURL,
    Message,
    Notifier,
    NotSent,
    Outcome,
    OutcomeUnknown,
    PluginError,
    Receipt,
    SmsState,
    Suppressed,
    Verdict,
    Worker,
    hookimpl,
    make_plugin_manager,
    phones,
    text,
)
from devinotify.channels.batch import accepted, failed
from devinotify.gateway.codes import STATE_LIFETIME
from devinotify.models import ViberState
from devinotify.sandbox import Sandbox
from tests.channels.twin import Request, Twin, as_client
from tests.distributions import install
from tests.tables import table
from tests.waiting import ended

if TYPE_CHECKING:
    from pathlib import Path

    from devinotify import Channel
    from devinotify.text import Segmentation

ONE, TWO, THREE = "+79161234567", "+79161234568", "+79161234569"
SECRET = "zqsecretword"
PASSWORD = "Zq7-correct-horse"


@pytest.fixture(scope="module")
def server() -> Iterator[Sandbox]:
    """A gateway for all tests of this module."""
    with Sandbox(password=PASSWORD) as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(server: Sandbox) -> Sandbox:
    """The gateway, as new."""
    server.reset()
    return server


def notifier_on(twin: Twin, *plugins: object, **settings: Any) -> Notifier:  # noqa: ANN401 - Notifier's own
    """Return a notifier on a twin, with these plugins and no others."""
    return Notifier(client=as_client(twin), plugins=make_plugin_manager(*plugins, discover=False), **settings)


def verdicts(outcomes: Iterable[Outcome]) -> dict[str, str]:
    """Return the verdicts by recipient."""
    return {outcome.recipient: str(outcome.verdict) for outcome in outcomes}


def errors(outcomes: Iterable[Outcome]) -> list[str]:
    """Return what the errors say."""
    return [str(outcome.error) for outcome in outcomes if outcome.error is not None]


# --- construction


@pytest.mark.parametrize(
    ("url", "error", "said"),
    [
        ("devino://me:pw", InvalidURL, "password are missing"),
        ("devino://me:pw@SENDER?chanel=sms", InvalidURL, "unknown key 'chanel'"),
        ("devino://me:pw@SENDER?channel=pager", InvalidURL, "there is no channel 'pager': the channels are sms, viber"),
        ("devino://me:pw@My-Shop?channel=viber", InvalidSender, "the sender of Viber"),
        ("devino://me:pw@My-Shop?channel=sms-viber&outbox=HERE", InvalidSender, "the sender of Viber"),
        ("devino://me:pw@SENDERSENDERSENDER", InvalidSender, "the sender of SMS"),
        ("devino://me:pw@SENDER?channel=sms-viber&outbox=/proc/nowhere/outbox.db", InvalidInput, "outbox"),
    ],
)
def test_what_is_wrong_is_said_at_construction(
    url: str, error: type[Exception], said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A bad URL, channel, sender or outbox is an error at once, without the password in it."""
    url = url.replace("HERE", str(tmp_path / "outbox.db"))
    with pytest.raises(error, match=said) as caught:
        Notifier(url)
    assert "pw" not in str(caught.value)


def test_no_settings_at_all() -> None:
    """Without URL and client there is nothing to send with."""
    with pytest.raises(InvalidURL):
        Notifier()


def test_settings_in_code_come_first() -> None:
    """What is given by keyword comes before the URL."""
    notifier = notifier_on(
        Twin(url="devino://me:pw@SENDER?poll=9&patience=8"), patience=60.0, poll=0.5, on_unknown="stop", outbox="x.db"
    )
    assert (60.0, 0.5, "stop", "x.db") == (
        notifier.url.patience,
        notifier.url.poll,
        notifier.url.on_unknown,
        notifier.url.outbox,
    )


@table("as_text", [False, True])
def test_a_url_beside_a_client(as_text: bool) -> None:
    """Where both are given, the URL says what is sent and the client how."""
    twin = Twin()
    url = DevinoURL("me", "pw", "OTHER", targets=(ONE,))
    manager = make_plugin_manager(discover=False)
    notifier = Notifier(url.to_url() if as_text else url, client=as_client(twin), plugins=manager)
    notifier.notify("Hello")
    assert [(ONE, "OTHER")] == [(*request.recipients, request.arguments["sender"]) for request in twin.requests]


def test_a_manager_serves_one_notifier() -> None:
    """A manager that is given to a second Notifier would send through the first one's client, so it is refused."""
    manager = make_plugin_manager(discover=False)
    Notifier(client=as_client(Twin()), plugins=manager)
    with pytest.raises(InvalidInput, match="make one for each"):
        Notifier(client=as_client(Twin()), plugins=manager)


def test_a_notifier_that_cannot_be_made_leaves_its_manager_usable(sandbox: Sandbox) -> None:
    """Whoever sets the URL right gives the same manager again."""
    manager = make_plugin_manager(discover=False)
    for url in ("devino://me:pw@SENDER?channel=pager", "devino://me:pw@SENDER", "devino://me:pw@My-Shop?channel=viber"):
        with pytest.raises(InvalidInput):
            Notifier(url, plugins=manager, poll=-1 if url.endswith("SENDER") else None)
    with Notifier(sandbox.url, plugins=manager) as notifier:
        assert {ONE: "accepted"} == verdicts(notifier.notify("Hello", ONE))


def test_the_manager_is_built_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Installed plugins are looked for when a Notifier is made, and not again for a message."""
    from devinotify import notifier as module

    made: list[object] = []

    def make() -> object:
        made.append(make_plugin_manager(discover=False))
        return made[-1]

    monkeypatch.setattr(module, "make_plugin_manager", make)
    notifier = Notifier(client=as_client(Twin()))
    for _ in range(3):
        notifier.notify("Hello", ONE)
    assert 1 == len(made)


def test_installed_plugins_are_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A plugin that is installed works without being named, and one that is broken is left out."""
    source = "from devinotify import hookimpl\n@hookimpl\ndef devinotify_resolve_recipient(recipient):\n"
    install(
        tmp_path, "devinotify_notifiers_rota", source + f"    return [{ONE!r}] if recipient == 'oncall' else None\n"
    )
    install(tmp_path, "devinotify_notifiers_broken", "raise RuntimeError")
    monkeypatch.syspath_prepend(str(tmp_path))
    assert {ONE: "accepted"} == verdicts(Notifier(client=as_client(Twin())).notify("Hello", "oncall"))


def test_close_closes_what_it_made(sandbox: Sandbox) -> None:
    """A notifier closes the client that it made, and can be used again; its repr hides the password."""
    with Notifier(sandbox.url) as notifier:
        first = verdicts(notifier.notify("Hello", ONE))
    assert first == verdicts(notifier.notify("Hello", ONE))
    notifier.close()
    assert PASSWORD not in repr(notifier)


def test_close_leaves_a_client_that_was_given(sandbox: Sandbox) -> None:
    """A client that was given stays open."""
    with Client(sandbox.url) as client:
        with Notifier(client=client) as notifier:
            notifier.notify("Hello", ONE)
        client.sms.send(ONE, "Hello")
        logins = [request for request in sandbox.requests() if "sessionid" in request.path.lower()]
    assert 1 == len(logins)


# --- whom


def test_one_number(sandbox: Sandbox) -> None:
    """A number is sent to, and its outcome has receipt and attempt."""
    with Notifier(sandbox.url) as notifier:
        (outcome,) = notifier.notify("Hello", "8 (916) 123-45-67")
    assert (ONE, Verdict.ACCEPTED, "sms", None) == (outcome.recipient, outcome.verdict, outcome.channel, outcome.error)
    assert outcome.receipt is not None
    assert (1, 1) == (len(outcome.receipt.message_ids), len(outcome.attempts))
    assert ["Hello"] == [message.text for message in sandbox.messages(to=ONE)]


def test_the_targets_of_the_url() -> None:
    """Without recipients the targets of the URL are meant."""
    twin = Twin(url=f"devino://me:pw@SENDER/{ONE}/oncall?to={TWO}")
    assert {ONE: "accepted", "oncall": "not_sent", TWO: "accepted"} == verdicts(notifier_on(twin).notify("Hello"))


def test_order_and_duplicates() -> None:
    """Outcomes are in order of first appearance, one for each recipient, the refused at their places."""
    outcomes = notifier_on(Twin()).notify("Hello", [TWO, "nobody", "8 916 123-45-67", ONE, "nobody", "79161234568"])
    assert [TWO, "nobody", ONE] == [outcome.recipient for outcome in outcomes]


def test_many_go_in_bulk(sandbox: Sandbox) -> None:
    """Many recipients of one text are one request, with a receipt each."""
    with Notifier(sandbox.url) as notifier:
        outcomes = notifier.notify("Hello", [ONE, TWO, THREE])
    assert {ONE: "accepted", TWO: "accepted", THREE: "accepted"} == verdicts(outcomes)
    assert 3 == len({outcome.receipt.message_ids for outcome in outcomes if outcome.receipt})
    assert 1 == len([request for request in sandbox.requests() if "bulk" in request.path.lower()])


def test_a_refused_number_is_left_out() -> None:
    """A number that is refused here has its reason, and the others are sent."""
    twin = Twin()
    outcomes = notifier_on(twin).notify("Hello", [ONE, "+7 495 123-45-67", TWO])
    assert [Verdict.ACCEPTED, Verdict.NOT_SENT, Verdict.ACCEPTED] == [outcome.verdict for outcome in outcomes]
    assert isinstance(outcomes[1].error, InvalidPhoneNumber)
    assert [(ONE, TWO)] == [request.recipients for request in twin.requests]


def test_only_refused_numbers() -> None:
    """Where nobody is left there is no request."""
    twin = Twin()
    assert {"nobody": "not_sent"} == verdicts(notifier_on(twin).notify("Hello", "nobody"))
    assert [] == twin.requests


@table("to", [None, [], ()])
def test_nobody_to_send_to(to: Sequence[str] | None) -> None:
    """Without recipients, given or on the URL, there is an error."""
    with pytest.raises(InvalidInput, match="nobody to send to"):
        notifier_on(Twin()).notify("Hello", to)


def test_resolve_tells_who_would_get_it() -> None:
    """Aliases, numbers in any notation and refusals, each once and in order; nothing is sent."""

    class Rota:
        @hookimpl
        def devinotify_resolve_recipient(self, recipient: str) -> list[str] | None:
            return [TWO, "8 916 123-45-67"] if recipient == "oncall" else None

    twin = Twin()
    found = notifier_on(twin, Rota()).resolve(["nobody", "oncall", ONE, phones.normalize(THREE)])
    assert ["nobody", TWO, ONE, THREE] == list(found)
    assert ([InvalidPhoneNumber, None, None, None], []) == (
        [error if error is None else type(error) for error in found.values()],
        twin.requests,
    )


def test_resolve_without_recipients_is_about_the_targets() -> None:
    """As notify does, resolve takes the targets of the URL where it is given none; there may be none."""
    assert {ONE: None} == notifier_on(Twin(url=f"devino://me:pw@SENDER/{ONE}")).resolve()
    assert {} == notifier_on(Twin()).resolve()


def test_resolve_takes_one_or_a_list() -> None:
    """A number alone is one recipient, and what is neither is refused."""
    notifier = notifier_on(Twin())
    assert {ONE: None} == notifier.resolve(ONE)
    with pytest.raises(InvalidInput, match="a number, an alias, or a list of them"):
        notifier.resolve(b"79161234567")


@table("to", [b"79161234567", 1.5])
def test_what_is_no_list_of_recipients(to: object) -> None:
    """Bytes and other things are not taken apart into recipients."""
    with pytest.raises(InvalidInput, match="recipients are"):
        notifier_on(Twin()).notify("Hello", cast("str", to))


@table("to", [79161234567, phones.normalize(ONE), {ONE}, iter([ONE])])
def test_ways_to_name_one(to: str) -> None:
    """An integer, a PhoneNumber, a set and an iterator will do."""
    assert {ONE: "accepted"} == verdicts(notifier_on(Twin()).notify("Hello", to))


# --- what


class Watcher:
    """A plugin that keeps the messages that are prepared and sent, and what it is told afterwards."""

    def __init__(self) -> None:
        self.prepared: list[Message] = []
        self.sent: list[Message] = []
        self.recorded: list[tuple[Message, Outcome]] = []
        self.changed: list[tuple[Receipt, SmsState]] = []

    @hookimpl
    def devinotify_prepare_message(self, message: Message) -> None:
        """Keep it."""
        self.prepared.append(message)

    @hookimpl
    def devinotify_send_message(self, message: Message) -> None:
        """Keep it."""
        self.sent.append(message)

    @hookimpl
    def devinotify_outcome_recorded(self, message: Message, outcome: Outcome) -> None:
        """Keep it."""
        self.recorded.append((message, outcome))

    @hookimpl
    def devinotify_status_changed(self, receipt: Receipt, state: SmsState) -> None:
        """Keep it."""
        self.changed.append((receipt, state))


@table(
    "tags, seen",
    [
        ((), frozenset()),
        (None, frozenset()),
        ("urgent", frozenset({"urgent"})),
        (["urgent", "db"], frozenset({"urgent", "db"})),
        (iter(["urgent", "urgent"]), frozenset({"urgent"})),
    ],
)
def test_tags(tags: Iterable[str] | None, seen: frozenset[str]) -> None:
    """Tags are a word, several, or none, and reach the hooks as a set."""
    watcher = Watcher()
    notifier_on(Twin(), watcher).notify("Hello", ONE, tags=tags)
    assert [seen] == [message.tags for message in watcher.prepared]


def test_title() -> None:
    """Hooks see the title apart; what is sent has it as the first line."""
    twin, watcher = Twin(), Watcher()
    notifier_on(twin, watcher).notify("disk full", ONE, title="db1")
    assert [("db1", "disk full")] == [(message.title, message.text) for message in watcher.prepared]
    assert [(None, "db1\ndisk full")] == [(message.title, message.text) for message in watcher.sent]
    assert ["db1\ndisk full"] == [request.text for request in twin.requests]


@table(
    "send_at, operation",
    [
        (datetime(2030, 1, 31, 9, tzinfo=UTC), "sms.send"),
        (datetime(2030, 1, 31, 9), "sms.send_by_time_zone"),  # noqa: DTZ001 - the recipient's own clock
    ],
)
def test_send_at(send_at: datetime, operation: str) -> None:
    """An aware time is an instant, a naive one the recipient's own wall clock."""
    twin = Twin()
    notifier_on(twin).notify("Hello", ONE, send_at=send_at)
    assert [operation] == [request.operation for request in twin.requests]


@table(
    "arguments, error",
    [
        ({"text": None}, InvalidText),
        ({"text": b"Hello"}, InvalidText),
        ({"text": "Hello", "title": 1}, InvalidText),
        ({"text": "Hello", "send_at": "tomorrow"}, InvalidSchedule),
        ({"text": "Hello", "send_at": datetime(2020, 1, 1, tzinfo=UTC)}, InvalidSchedule),
        ({"text": "Hello", "send_at": datetime(2020, 1, 1)}, InvalidSchedule),  # noqa: DTZ001 - a wall clock's
    ],
)
def test_arguments_of_the_wrong_type(arguments: dict[str, Any], error: type[Exception]) -> None:
    """What no message can be made of is refused before a plugin or the gateway sees it."""
    with pytest.raises(error):
        notifier_on(Twin()).notify(to=[ONE, TWO], **arguments)


def test_an_unknown_channel() -> None:
    """A channel that does not exist is an error that lists those that do."""
    with pytest.raises(InvalidURL, match="the channels are sms, viber, sms-viber, viber-sms, null"):
        notifier_on(Twin()).notify("Hello", ONE, channel="pager")


@table("channel, operation", [("sms", "sms.send"), ("viber", "viber.send"), ("viber-sms", "viber.send_with_resend")])
def test_channel(channel: str, operation: str) -> None:
    """The channel of the call comes before that of the URL."""
    twin = Twin()
    notifier_on(twin).notify("Hello", ONE, channel=channel)
    assert [operation] == [request.operation for request in twin.requests]


def test_the_urls_sender_and_validity() -> None:
    """What the URL says of sender and validity goes with each message."""
    twin = Twin(url="devino://me:pw@SHOP?validity=15")
    notifier_on(twin).notify("Hello", ONE)
    assert [("SHOP", 15)] == [(request.arguments["sender"], request.arguments["validity"]) for request in twin.requests]


def test_a_sender_that_another_channel_does_not_take(sandbox: Sandbox) -> None:
    """The rule of the channel of the call holds: the outcome says so, and nothing is sent."""
    with Notifier(sandbox.url.replace("@DEVINO", "@My-Shop")) as notifier:
        (outcome,) = notifier.notify("Hello", ONE, channel="viber")
    assert (Verdict.NOT_SENT, InvalidSender) == (outcome.verdict, type(outcome.error))
    assert [] == sandbox.messages()


@pytest.mark.parametrize("channel", ["sms", "viber", "viber-sms", "sms-viber", "null"])
def test_an_empty_text(channel: str, sandbox: Sandbox) -> None:
    """An empty text is each recipient's InvalidText, on every channel, for one and for many."""
    with Notifier(sandbox.url) as notifier:
        outcomes = [
            *notifier.notify("", ONE, channel=channel),
            *notifier.notify("  \n", [TWO, THREE], channel=channel),
        ]
    assert [InvalidText] * 3 == [type(outcome.error) for outcome in outcomes]


# --- what can be sent


@pytest.mark.parametrize("channel", ["sms", "viber", "viber-sms", "sms-viber"])
def test_a_text_in_the_wrong_encoding_is_sent(channel: str, sandbox: Sandbox, caplog: pytest.LogCaptureFixture) -> None:
    """An alert is not lost for its bytes: what cannot be sent is replaced, and the log says so without the text."""
    words = "\x1b[31m" + SECRET + " диск".encode("cp1251").decode(errors="surrogateescape") + "\x1b[0m\r\n100%\t"
    with Notifier(sandbox.url) as notifier:
        (outcome,) = notifier.notify(words, ONE, channel=channel)
    (arrived,) = sandbox.messages()
    assert (Verdict.ACCEPTED, f"{SECRET} ????\r\n100% ") == (outcome.verdict, arrived.text)
    assert (1, False) == (caplog.text.count("4 lone surrogates"), SECRET in caplog.text)


@pytest.mark.parametrize("channel", ["sms", "viber-sms"])
def test_a_text_in_the_wrong_encoding_is_stored(channel: str, tmp_path: Path, sandbox: Sandbox) -> None:
    """What no outbox can keep is replaced before it goes there, in a title as well: a worker sends the alert."""
    words = "диск".encode("cp1251").decode(errors="surrogateescape")
    with Notifier(sandbox.url, outbox=str(tmp_path / "o.db")) as notifier:
        for number in (ONE, TWO):  # alone, and as many
            notifier.enqueue(f"{words} 90%", number, title=words, channel=channel, key=number)
        notifier.enqueue(f"{words} 95%", [ONE, TWO], channel=channel)
        Worker(notifier).run(once=True)
    assert {"????\n???? 90%": 2, "???? 95%": 2} == Counter(each.text for each in sandbox.messages())


def test_a_key_with_half_a_character_is_refused(tmp_path: Path) -> None:
    """It would name nothing: the error says so, and nothing is stored."""
    with Notifier("devino://me:pw@SENDER", outbox=str(tmp_path / "o.db")) as notifier:
        with pytest.raises(InvalidInput, match="half a character"):
            notifier.enqueue("text", ONE, key="alert \udce4")
        assert 0 == len(notifier.following().outbox)


# --- budget and letters


def test_transliterate_and_max_segments() -> None:
    """The URL's settings shape what is sent by SMS."""
    twin = Twin(url="devino://me:pw@SENDER?transliterate=yes&max_segments=1")
    notifier_on(twin).notify("Привет " * 50, ONE)
    (request,) = twin.requests
    assert (1, True, True) == (
        text.count_segments(request.text),
        request.text.startswith("Privet "),
        request.text.endswith("..."),
    )


def test_viber_texts_are_not_shortened() -> None:
    """Viber is not billed by segments, so its texts stay as they are; one that may become an SMS does not."""
    twin = Twin(url="devino://me:pw@SENDER?transliterate=yes&max_segments=1")
    notifier = notifier_on(twin)
    long = "Привет " * 50
    notifier.notify(long, ONE, channel="viber")
    notifier.notify(long, ONE, channel="viber-sms")
    assert [True, False] == [request.text == long for request in twin.requests]


class Octets:
    """A plugin that estimates like a gateway that bills Latin as octets."""

    @hookimpl
    def devinotify_estimate_segments(self, text: str) -> Segmentation:
        """Estimate."""
        from devinotify import text as texts

        return texts.segment(text, texts.SegmentLimits(gsm7=140, gsm7_part=134))


def test_estimate_segments() -> None:
    """A plugin's estimate decides what keeps the budget."""
    twin = Twin(url="devino://me:pw@SENDER?max_segments=1")
    notifier_on(twin, Octets()).notify("x" * 150, ONE)
    assert ["x" * 137 + "..."] == [request.text for request in twin.requests]


def test_estimate_segments_that_breaks() -> None:
    """A plugin that cannot estimate makes the recipients not sent."""

    class Broken:
        @hookimpl
        def devinotify_estimate_segments(self) -> None:
            raise RuntimeError(SECRET)

    twin = Twin(url="devino://me:pw@SENDER?max_segments=1")
    outcomes = notifier_on(twin, Broken()).notify("Hello", [ONE, TWO])
    assert ({ONE: "not_sent", TWO: "not_sent"}, []) == (verdicts(outcomes), twin.requests)
    assert ["the plugin Broken raised RuntimeError in devinotify_estimate_segments"] * 2 == errors(outcomes)


# --- prepare_message


class Preparing:
    """A plugin that makes of a message what a function says."""

    def __init__(self, change: Any) -> None:  # noqa: ANN401 - whatever a plugin may do
        self.change = change

    @hookimpl(wrapper=True)
    def devinotify_prepare_message(self) -> Generator[None, list[Message], list[Message]]:
        """Change what comes back."""
        prepared = yield
        return cast("list[Message]", self.change(prepared))


def test_prepare_message_changes() -> None:
    """A plugin changes text, sender, channel and schedule."""
    twin = Twin()

    def change(prepared: list[Message]) -> list[Message]:
        return [replace(one, text="Bye", sender="OTHER", channel="viber") for one in prepared]

    (outcome,) = notifier_on(twin, Preparing(change)).notify("Hello", ONE)
    (request,) = twin.requests
    assert ("viber.send", "Bye", "OTHER") == (request.operation, request.text, request.arguments["sender"])
    assert "viber" == outcome.channel


def test_prepare_message_splits() -> None:
    """Recipients may be split over several messages; the outcomes are in their order all the same."""
    twin = Twin()

    def split(prepared: list[Message]) -> list[Message]:
        (one,) = prepared
        return [replace(one, recipients=one.recipients[1:]), replace(one, recipients=one.recipients[:1], text="Bye")]

    outcomes = notifier_on(twin, Preparing(split)).notify("Hello", [ONE, TWO, THREE])
    assert [ONE, TWO, THREE] == [outcome.recipient for outcome in outcomes]
    assert [("Hello", (TWO, THREE)), ("Bye", (ONE,))] == [(r.text, r.recipients) for r in twin.requests]


def test_prepare_message_drops() -> None:
    """A recipient who is in no message is not sent, and the error says by whom."""
    twin = Twin()
    plugin = Preparing(lambda prepared: [replace(one, recipients=(TWO,)) for one in prepared])
    outcomes = notifier_on(twin, plugin).notify("Hello", [ONE, TWO])
    assert {ONE: "not_sent", TWO: "accepted"} == verdicts(outcomes)
    assert ["a plugin dropped the recipient"] == errors(outcomes)


def test_a_rehearsal_refuses_whom_a_sending_would() -> None:
    """Whom a plugin drops, too: each recipient is in a message or refused."""
    plugin = Preparing(lambda prepared: [replace(one, recipients=(TWO,)) for one in prepared])
    ready, refused = notifier_on(Twin(), plugin).rehearse("Hello", [ONE, TWO, "nobody"])
    assert [(TWO,)] == [one.recipients for one in ready]
    assert ["nobody", ONE] == list(refused)
    assert "a plugin dropped the recipient" in str(refused[ONE])


@table("change", [lambda _: [], lambda prepared: [replace(prepared[0], recipients=())]])
def test_prepare_message_drops_all(change: object) -> None:
    """Where nobody is left, no request is made."""
    twin = Twin()
    outcomes = notifier_on(twin, Preparing(change)).notify("Hello", [ONE, TWO])
    assert ({ONE: "not_sent", TWO: "not_sent"}, []) == (verdicts(outcomes), twin.requests)


def test_prepare_message_adds() -> None:
    """A recipient that a plugin adds is read as a number, and has an outcome after the others."""
    twin = Twin()

    def add(prepared: list[Message]) -> list[Message]:
        return [replace(one, recipients=(*one.recipients, "8 916 123-45-68", "nobody")) for one in prepared]

    outcomes = notifier_on(twin, Preparing(add)).notify("Hello", ONE)
    assert {ONE: "accepted", TWO: "accepted", "nobody": "not_sent"} == verdicts(outcomes)
    assert [(ONE, TWO)] == [request.recipients for request in twin.requests]


@table(
    "change",
    [
        lambda prepared: prepared * 2,
        lambda prepared: [replace(prepared[0], recipients=(ONE, ONE))],
        lambda prepared: [*prepared, replace(prepared[0], recipients=("8 916 123-45-67",))],
    ],
)
def test_prepare_message_doubles(change: object) -> None:
    """Nobody gets a message twice, however a plugin writes the number: then nothing is sent."""
    twin = Twin()
    outcomes = notifier_on(twin, Preparing(change)).notify("Hello", [ONE, TWO])
    assert ({ONE: "not_sent", TWO: "not_sent"}, []) == (verdicts(outcomes), twin.requests)
    assert all("nothing is sent twice" in said for said in errors(outcomes))


def test_prepare_message_that_breaks() -> None:
    """A plugin that raises before the send makes all recipients not sent, by a PluginError that names it."""

    def fail(prepared: list[Message]) -> list[Message]:
        raise RuntimeError(prepared[0].text)

    twin = Twin()
    outcomes = notifier_on(twin, Preparing(fail)).notify(SECRET, [ONE, TWO])
    assert ({ONE: "not_sent", TWO: "not_sent"}, []) == (verdicts(outcomes), twin.requests)
    assert ["the plugin Preparing raised RuntimeError in devinotify_prepare_message"] * 2 == errors(outcomes)


# --- screen_recipients


class Screening:
    """A plugin that refuses whom it is told to."""

    def __init__(self, answer: Any) -> None:  # noqa: ANN401 - whatever a plugin may answer
        self.answer = answer
        self.asked: list[Message] = []

    @hookimpl
    def devinotify_screen_recipients(self, message: Message) -> dict[str, DevinotifyError]:
        """Refuse them, or raise."""
        self.asked.append(message)
        if isinstance(self.answer, Exception):
            raise self.answer
        return cast("dict[str, DevinotifyError]", self.answer)


def test_screen_recipients_refuses() -> None:
    """Whom a plugin refuses is not sent to, with its reason, at its place; the others get the message."""
    twin = Twin()
    outcomes = notifier_on(twin, Screening({TWO: Suppressed("has opted out")})).notify("Hello", [ONE, TWO, THREE])
    assert {ONE: "accepted", TWO: "not_sent", THREE: "accepted"} == verdicts(outcomes)
    assert (["has opted out"], [(ONE, THREE)]) == (errors(outcomes), [request.recipients for request in twin.requests])


def test_screen_recipients_in_a_step_that_is_prepared() -> None:
    """The later step of a fallback is screened as well: who opted out meanwhile gets nothing."""
    twin = Twin()
    notifier = notifier_on(twin, Screening({TWO: Suppressed("has opted out")}))
    outcomes = notifier.send(Message("Hello", (TWO, ONE), sender="SENDER"))
    assert [(TWO, "not_sent"), (ONE, "accepted")] == [(one.recipient, str(one.verdict)) for one in outcomes]


@table("answers", [({}, None), (None, {THREE: Suppressed("not asked for")})])
def test_screen_recipients_refuses_nobody(answers: tuple[object, object]) -> None:
    """No answer, an empty one, and one about others refuse nobody."""
    twin = Twin()
    outcomes = notifier_on(twin, *map(Screening, answers)).notify("Hello", [ONE, TWO])
    assert {ONE: "accepted", TWO: "accepted"} == verdicts(outcomes)


def test_screen_recipients_by_several() -> None:
    """Each plugin may refuse; of two reasons for one recipient the one of the plugin registered last counts."""
    twin = Twin()
    first = Screening({ONE: Suppressed("first"), TWO: Suppressed("first")})
    outcomes = notifier_on(twin, first, Screening({ONE: Suppressed("last")})).notify("Hello", [ONE, TWO])
    assert (["last", "first"], []) == (errors(outcomes), twin.requests)


def test_screen_recipients_is_not_sent_whatever_the_error_says() -> None:
    """Nothing was sent, so an error that says unknown or rejected is not believed, and stays as the plugin made it."""
    error = OutcomeUnknown("cap reached", retryable=True)
    (outcome,) = notifier_on(Twin(), Screening({ONE: error})).notify("Hello", ONE)
    assert outcome.error is not None
    assert (Verdict.NOT_SENT, Verdict.NOT_SENT, Verdict.UNKNOWN) == (
        outcome.verdict,
        outcome.error.verdict,
        error.verdict,
    )


@table(
    "answer, said",
    [
        (RuntimeError(SECRET), "the plugin Screening raised RuntimeError in devinotify_screen_recipients"),
        ([ONE], "answered list in place of a dict of errors by recipient in devinotify_screen_recipients"),
        ({ONE: "no"}, "answered dict in place of a dict of errors by recipient in devinotify_screen_recipients"),
        ({1: Suppressed()}, "answered dict in place of a dict of errors by recipient in devinotify_screen_recipients"),
    ],
)
def test_screen_recipients_that_breaks(answer: object, said: str) -> None:
    """Whom a broken plugin would have refused is not known, so nobody gets the message."""
    twin = Twin()
    notifier = notifier_on(twin, Screening(answer))
    outcomes = notifier.notify(SECRET, [ONE, TWO])
    step = notifier.send(Message("Hello", (ONE,), sender="SENDER"))
    assert ({ONE: "not_sent", TWO: "not_sent"}, {ONE: "not_sent"}, []) == (
        verdicts(outcomes),
        verdicts(step),
        twin.requests,
    )
    assert all(said in told for told in errors([*outcomes, *step]))


def test_screen_recipients_comes_before_the_first_send() -> None:
    """Where a message is split, nothing is sent before each part is screened; added recipients are screened too."""
    twin = Twin()
    screening = Screening({THREE: Suppressed("has opted out")})

    def split(prepared: list[Message]) -> list[Message]:
        assert [] == twin.requests
        return [replace(prepared[0], recipients=(ONE,)), replace(prepared[0], recipients=(TWO, THREE))]

    outcomes = notifier_on(twin, Preparing(split), screening).notify("Hello", [ONE, TWO])
    assert {ONE: "accepted", TWO: "accepted", THREE: "not_sent"} == verdicts(outcomes)
    assert [(ONE,), (TWO, THREE)] == [message.recipients for message in screening.asked]


def test_prepare_message_to_a_channel_that_there_is_not() -> None:
    """A plugin that names no channel makes its recipients not sent, not the caller's call fail."""
    plugin = Preparing(lambda prepared: [replace(one, channel="pager") for one in prepared])
    (outcome,) = notifier_on(Twin(), plugin).notify("Hello", ONE)
    assert (Verdict.NOT_SENT, InvalidURL) == (outcome.verdict, type(outcome.error))


# --- send_message


class Answering:
    """A plugin that answers in place of the send."""

    def __init__(self, answer: Any) -> None:  # noqa: ANN401 - whatever a plugin may do
        self.answer = answer

    @hookimpl(tryfirst=True)
    def devinotify_send_message(self, message: Message, channel: Channel) -> list[Outcome]:
        """Answer."""
        return cast("list[Outcome]", self.answer(message, channel))


def test_send_message_in_place_of_the_send() -> None:
    """A dry run answers for all recipients, and nothing goes out."""
    twin = Twin()

    def dry_run(message: Message, channel: Channel) -> list[Outcome]:
        return [accepted(channel.name, to, Receipt(to, (), None)) for to in message.recipients]

    outcomes = notifier_on(twin, Answering(dry_run)).notify("Hello", [ONE, TWO])
    assert ({ONE: "accepted", TWO: "accepted"}, []) == (verdicts(outcomes), twin.requests)


def test_send_message_left_to_the_next() -> None:
    """A plugin that answers None lets the send go on."""
    twin = Twin()
    assert {ONE: "accepted"} == verdicts(notifier_on(twin, Answering(lambda *_: None)).notify("Hello", ONE))
    assert [ONE] == twin.sent


def test_send_message_that_answers_for_some() -> None:
    """Whom a plugin's answer leaves out is unknown, and whom it adds is left out; the order is the message's."""

    def answer(message: Message, channel: Channel) -> list[Outcome]:
        return [accepted(channel.name, to, Receipt(to, ("1",), 1)) for to in (THREE, TWO)]

    outcomes = notifier_on(Twin(), Answering(answer)).notify("Hello", [ONE, TWO])
    assert [(ONE, "unknown"), (TWO, "accepted")] == list(verdicts(outcomes).items())


@table("error, verdict", [(RuntimeError(SECRET), Verdict.NOT_SENT), (OutcomeUnknown("no answer"), Verdict.UNKNOWN)])
def test_send_message_that_breaks(error: Exception, verdict: Verdict) -> None:
    """A plugin that raises in place of the send has refused it, unless it says that it may have sent."""

    def fail(message: Message, channel: Channel) -> list[Outcome]:
        raise error

    twin = Twin()
    outcomes = notifier_on(twin, Answering(fail)).notify("Hello", [ONE, TWO])
    assert (dict.fromkeys([ONE, TWO], str(verdict)), []) == (verdicts(outcomes), twin.requests)
    assert all(isinstance(outcome.error, PluginError) and SECRET not in str(outcome.error) for outcome in outcomes)


def test_send_message_watched() -> None:
    """A wrapper sees the message as it is sent, the channel, and the outcomes."""
    seen: list[tuple[str, str, list[Outcome]]] = []

    class Tracing:
        @hookimpl(wrapper=True)
        def devinotify_send_message(
            self, message: Message, channel: Channel
        ) -> Generator[None, list[Outcome], list[Outcome]]:
            outcomes = yield
            seen.append((message.text, channel.name, outcomes))
            return outcomes

    outcomes = notifier_on(Twin(), Tracing()).notify("Hello", ONE, title="db1")
    assert [("db1\nHello", "sms", outcomes)] == seen


def test_send_message_that_breaks_after_the_send(caplog: pytest.LogCaptureFixture) -> None:
    """A wrapper that raises after the send changes nothing about the outcomes, and is logged."""

    class Broken:
        @hookimpl(wrapper=True)
        def devinotify_send_message(self) -> Generator[None, list[Outcome], list[Outcome]]:
            yield
            raise RuntimeError(SECRET)

    twin = Twin()
    assert {ONE: "accepted"} == verdicts(notifier_on(twin, Broken()).notify("Hello", ONE))
    assert "the plugin Broken raised RuntimeError in devinotify_send_message" in caplog.text
    assert SECRET not in caplog.text


# --- observers


def test_outcome_recorded() -> None:
    """Observers are told of every outcome of a notify, the refused and the dropped among them, once each."""
    watcher = Watcher()
    plugin = Preparing(lambda prepared: [replace(one, recipients=(ONE,)) for one in prepared])
    outcomes = notifier_on(Twin(), watcher, plugin).notify("Hello", [ONE, TWO, "nobody"])
    assert {id(outcome) for outcome in outcomes} == {id(outcome) for _, outcome in watcher.recorded}
    assert {("nobody",): "nobody", (ONE,): ONE, (TWO,): TWO} == {
        message.recipients: outcome.recipient for message, outcome in watcher.recorded
    }


def test_outcome_recorded_where_the_message_cannot_be_prepared() -> None:
    """An outcome that a broken plugin causes is recorded like any other."""
    watcher = Watcher()
    notifier_on(Twin(), watcher, Preparing(lambda _: 1)).notify("Hello", [ONE, TWO])
    assert [ONE, TWO] == [outcome.recipient for _, outcome in watcher.recorded]


def test_map_error() -> None:
    """The caller sees the error that a plugin has put in place of the core's, with the core's verdict."""

    class Mapper:
        @hookimpl
        def devinotify_map_error(self, error: DevinotifyError) -> DevinotifyError:
            return InvalidInput("ask the operator", retryable=True)

    def fail(request: Request) -> None:
        raise OutcomeUnknown("no answer")

    (outcome,) = notifier_on(Twin(before=fail), Mapper()).notify("Hello", ONE)
    assert outcome.error is not None
    assert ("ask the operator", Verdict.UNKNOWN, False) == (
        str(outcome.error),
        outcome.error.verdict,
        outcome.error.retryable,
    )


# --- channels of third parties


class Pager:
    """A channel of a third party's, as its protocol asks."""

    name = "pager"
    max_length = 100
    segmented = True
    schedulable = True

    def __init__(self, answer: object = None) -> None:
        self.answer = answer
        self.messages: list[Message] = []
        self.states: list[SmsState | Exception] = []

    @hookimpl
    def devinotify_register_channels(self) -> list[Channel]:
        """Bring itself."""
        return [self]

    def check_sender(self, sender: str) -> None:
        """Take only one sender."""
        if sender != "SENDER":
            raise InvalidSender("the sender of a pager is SENDER")

    def send(self, message: Message, client: Client) -> list[Outcome]:
        """Take the message, or do what a test wants."""
        self.messages.append(message)
        if isinstance(self.answer, Exception):
            raise self.answer
        if self.answer is not None:
            return cast("list[Outcome]", self.answer)
        now = datetime.now(UTC)
        return [accepted(self.name, to, Receipt(to, ("p1",), 1, self.name, sent_at=now)) for to in message.recipients]

    def state(self, receipt: Receipt, client: Client) -> SmsState:
        """Return the next state."""
        state = self.states.pop(0)
        if isinstance(state, Exception):
            raise state
        return state


def test_register_channels() -> None:
    """A third party's channel is used by its name, on the URL and in the call."""
    pager = Pager()
    notifier = notifier_on(Twin(url=f"devino://me:pw@SENDER/{ONE}?channel=pager"), pager)
    (outcome,) = notifier.notify("Hello", title="db1")
    assert ("pager", Verdict.ACCEPTED) == (outcome.channel, outcome.verdict)
    assert ["db1\nHello"] == [message.text for message in pager.messages]


def test_register_channels_with_a_rule_for_senders() -> None:
    """Its rule for senders holds at construction."""
    with pytest.raises(InvalidSender, match="pager"):
        notifier_on(Twin(url="devino://me:pw@OTHER?channel=pager"), Pager())


@table("segmented", [True, False])
def test_register_channels_billed_by_segments_or_not(segmented: bool) -> None:
    """Its attribute ``segmented`` says whether the budget holds for it."""
    pager = Pager()
    pager.segmented, pager.max_length = segmented, 1000
    notifier_on(Twin(url="devino://me:pw@SENDER?channel=pager&max_segments=1"), pager).notify("x" * 400, ONE)
    assert segmented == (len(pager.messages[0].text) == 160)


@table(
    "answer, said",
    [
        (RuntimeError(SECRET), "the channel pager raised RuntimeError while it was sending"),
        (ACCEPTED := accepted("pager", ONE, Receipt(ONE, (), 1)), "the channel pager answered Outcome in place of"),
        ([1], "the channel pager answered list in place of a list of outcomes"),
        ([], "no outcome was answered for the recipient"),
    ],
)
@table("watched", [False, True])
def test_a_channel_that_breaks_may_have_sent(
    answer: object, said: str, watched: bool, caplog: pytest.LogCaptureFixture
) -> None:
    """Whatever a channel does wrong while it sends, the outcome is unknown and says so, without its words."""
    caplog.clear()
    pager = Pager(answer)
    (outcome,) = notifier_on(Twin(), pager, *([Watcher()] if watched else [])).notify("Hello", ONE, channel="pager")
    assert (Verdict.UNKNOWN, True) == (outcome.verdict, str(outcome.error).startswith(said))
    assert SECRET not in caplog.text + str(outcome.error)


def test_a_channel_that_raises_our_errors() -> None:
    """A channel may raise where it should answer: the verdict is the error's."""
    outcomes = notifier_on(Twin(), Pager(NotSent("no line"))).notify("Hello", [ONE, TWO], channel="pager")
    assert {ONE: "not_sent", TWO: "not_sent"} == verdicts(outcomes)


def test_a_text_that_the_channel_cannot_take_is_not_sent() -> None:
    """Its length counts with the title, and a send_at where it has none: neither the channel nor a hook is asked."""
    pager, watcher = Pager(), Watcher()
    pager.schedulable = False
    notifier = notifier_on(Twin(url="devino://me:pw@SENDER?channel=pager"), pager, watcher)
    told = [
        *notifier.notify("x" * 97, ONE, title="db1"),
        *notifier.notify("Hello", ONE, send_at=datetime(2040, 1, 1)),  # noqa: DTZ001 - a wall clock
        *notifier.notify("x" * 96, ONE, title="db1"),
    ]
    assert [InvalidText, InvalidSchedule, type(None)] == [type(outcome.error) for outcome in told]
    assert 1 == len(pager.messages)


def test_a_channel_without_an_account_never_logs_in(sandbox: Sandbox) -> None:
    """Neither a plugin's channel nor null causes a request to the gateway."""
    with Notifier(sandbox.url, plugins=make_plugin_manager(Pager(), discover=False)) as notifier:
        outcomes = [*notifier.notify("Hello", ONE, channel="pager"), *notifier.notify("Hello", ONE, channel="null")]
        notifier.wait([outcomes[1]], 1)
    assert ([Verdict.ACCEPTED] * 2, []) == ([outcome.verdict for outcome in outcomes], sandbox.requests())


# --- bad numbers in a bulk


@given(
    size=st.integers(1, 40),
    data=st.data(),
)
def test_whoever_is_refused_the_others_are_sent_once(size: int, data: st.DataObject) -> None:
    """For any set of culprits exactly the good ones get the message, each once, and few requests are made."""
    recipients = [f"+7916{number:07d}" for number in range(size)]
    culprits = frozenset(data.draw(st.sets(st.sampled_from(recipients))))
    twin = Twin(culprits)
    outcomes = notifier_on(twin).notify("Hello", recipients)
    good = [recipient for recipient in recipients if recipient not in culprits]
    assert good == sorted(twin.sent)
    assert good == [outcome.recipient for outcome in outcomes if outcome.verdict is Verdict.ACCEPTED]
    assert len(twin.requests) <= 1 + 2 * math.log2(size) * len(culprits) + 1e-9


@pytest.mark.parametrize("channel", ["sms", "viber", "viber-sms"])
def test_a_bulk_that_the_gateway_refuses(channel: str, sandbox: Sandbox) -> None:
    """On a real gateway that refuses a number, the others are sent, each once."""
    if channel == "sms":
        sandbox.add_fault("error", number=TWO, code=2)
    else:
        sandbox.set_fate(TWO, "forbidden")  # Viber says error-address-unknown of it
    with Notifier(sandbox.url) as notifier:
        outcomes = notifier.notify("Hello", [ONE, TWO, THREE], channel=channel)
    assert {ONE: "accepted", TWO: "rejected", THREE: "accepted"} == verdicts(outcomes)
    assert [ONE, THREE] == sorted(message.recipient for message in sandbox.messages())


def test_ids_that_do_not_divide() -> None:
    """Where the ids of a bulk cannot be told apart, all are accepted, and none is watched in vain."""

    class Odd(Twin):
        def take(self, request: Request, segments: int) -> tuple[str, ...]:
            return (*super().take(request, segments), "one-more")

    notifier = notifier_on(Odd())
    outcomes = notifier.notify("Hello", [ONE, TWO])
    assert [(), ()] == [outcome.receipt.message_ids for outcome in outcomes if outcome.receipt]
    assert [DeliveryStatus.UNKNOWN] * 2 == [outcome.status for outcome in notifier.wait(outcomes)]


# --- wait


class Clock:
    """A clock that goes on by what is slept, and keeps the pauses."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.pauses: list[float] = []

    def monotonic(self) -> float:
        """Return the time."""
        return self.now

    def sleep(self, seconds: float) -> None:
        """Let time pass."""
        self.pauses.append(seconds)
        self.now += seconds


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """Let the notifier's time pass at once."""
    from devinotify.delivery import waiting as module

    clock = Clock()
    monkeypatch.setattr(module, "time", clock)
    return clock


def sms(status: DeliveryStatus, code: int = 1) -> SmsState:
    """Return a state."""
    return SmsState(status, code)


QUEUED, SENT, DELIVERED = (
    sms(status) for status in (DeliveryStatus.QUEUED, DeliveryStatus.SENT, DeliveryStatus.DELIVERED)
)
LATE = sms(DeliveryStatus.UNKNOWN, 255)


def waiting(pager: Pager, *plugins: object, poll: float = 1.0) -> tuple[Notifier, list[Outcome]]:
    """Return a notifier and what it has sent through a channel whose states a test decides."""
    notifier = notifier_on(Twin(), pager, *plugins, poll=poll)
    return notifier, notifier.notify("Hello", ONE, channel="pager")


def test_wait_until_delivered(clock: Clock) -> None:
    """The state is asked for until it is final, and comes back on the outcome."""
    pager = Pager()
    pager.states = [QUEUED, SENT, DELIVERED]
    notifier, outcomes = waiting(pager)
    (outcome,) = notifier.wait(outcomes)
    assert (DeliveryStatus.DELIVERED, DELIVERED, []) == (outcome.status, outcome.state, pager.states)


def test_wait_less_and_less_often(clock: Clock) -> None:
    """Looks come every ``poll`` seconds at first, then less often, and at least once a minute."""
    pager = Pager()
    pager.states = [*[QUEUED] * 15, DELIVERED]
    notifier, outcomes = waiting(pager, poll=2.0)
    notifier.wait(outcomes)
    assert [2.0, 3.0, 4.5, 6.75] == clock.pauses[:4]
    assert [60.0] * 3 == clock.pauses[-3:]


def test_wait_as_seldom_as_asked(clock: Clock) -> None:
    """A ``poll`` beyond a minute is kept."""
    pager = Pager()
    pager.states = [QUEUED, QUEUED, DELIVERED]
    notifier, outcomes = waiting(pager, poll=300.0)
    notifier.wait(outcomes)
    assert [300.0, 300.0] == clock.pauses


def test_wait_no_longer_than_asked(clock: Clock) -> None:
    """The time to wait is kept, and there is a last look at its end."""
    pager = Pager()
    pager.states = [QUEUED, QUEUED, SENT]
    notifier, outcomes = waiting(pager)
    (outcome,) = notifier.wait(outcomes, timeout=2.0)
    assert (2.0, DeliveryStatus.SENT, []) == (sum(clock.pauses), outcome.status, pager.states)


def test_wait_finds_what_is_decided_at_the_end(clock: Clock) -> None:
    """A ``poll`` longer than the time to wait does not mean that nobody looks."""
    pager = Pager()
    pager.states = [QUEUED, DELIVERED]
    notifier, outcomes = waiting(pager, poll=5.0)
    (outcome,) = notifier.wait(outcomes, timeout=2.0)
    assert DeliveryStatus.DELIVERED is outcome.status


@pytest.mark.parametrize("timeout", [0, -1])
def test_wait_not_at_all(timeout: float, clock: Clock) -> None:
    """Without time to wait, each is looked at once."""
    pager = Pager()
    pager.states = [QUEUED, SENT]
    notifier = notifier_on(Twin(), pager)
    outcomes = notifier.wait(notifier.notify("Hello", [ONE, TWO], channel="pager"), timeout)
    assert ([], ["queued", "sent"]) == (clock.pauses, [str(outcome.status) for outcome in outcomes])


def test_wait_does_not_go_on_for_ever_with_many(clock: Clock) -> None:
    """A gateway that answers slowly does not make the wait much longer than asked."""

    class Slow(Pager):
        def state(self, receipt: Receipt, client: Client) -> SmsState:
            clock.now += 0.9
            return QUEUED

    notifier = notifier_on(Twin(), Slow())
    outcomes = notifier.notify("Hello", [f"+7916{number:07d}" for number in range(50)], channel="pager")
    start = clock.now
    notifier.wait(outcomes, timeout=5.0)
    assert clock.now - start < 8


def test_wait_passes_by_what_was_not_accepted(clock: Clock) -> None:
    """Without a receipt there is nothing to wait for, and the outcome is the same object."""
    outcomes = [failed("sms", ONE, NotSent("no")), failed("sms", TWO, OutcomeUnknown("no answer"))]
    assert outcomes == notifier_on(Twin()).wait(outcomes)
    assert [] == clock.pauses


def test_wait_does_not_ask_again(clock: Clock) -> None:
    """What is decided already is not asked about again."""
    pager = Pager()
    pager.states = [DELIVERED]
    notifier, outcomes = waiting(pager)
    decided = notifier.wait(outcomes)
    assert decided == notifier.wait(decided)


def test_wait_for_a_lost_message(clock: Clock) -> None:
    """48 hours after a message was sent the gateway has forgotten it, so the wait ends with what was seen last."""
    pager = Pager()
    pager.states = [LATE, LATE]
    notifier, (outcome,) = waiting(pager)
    assert outcome.receipt is not None
    old = replace(outcome.receipt, sent_at=datetime.now(UTC) - timedelta(seconds=STATE_LIFETIME + 1))
    (after,) = notifier.wait([replace(outcome, receipt=old)])
    assert (DeliveryStatus.UNKNOWN, 1) == (after.status, len(pager.states))


def test_wait_for_a_young_message(clock: Clock) -> None:
    """State 255 may mean that a message is not in the database yet: while it is young it is asked about again."""
    pager = Pager()
    pager.states = [LATE, LATE, DELIVERED]
    notifier, outcomes = waiting(pager)
    (outcome,) = notifier.wait(outcomes)
    assert DeliveryStatus.DELIVERED is outcome.status


def test_wait_two_days_at_most(clock: Clock) -> None:
    """A receipt that does not say when it was sent is given up after 48 hours of waiting."""

    class Silent(Pager):
        def state(self, receipt: Receipt, client: Client) -> SmsState:
            return QUEUED

    notifier, (outcome,) = waiting(Silent(), poll=3600.0)
    assert outcome.receipt is not None
    notifier.wait([replace(outcome, receipt=replace(outcome.receipt, sent_at=None))])
    assert STATE_LIFETIME <= sum(clock.pauses) <= STATE_LIFETIME + 3600


@pytest.mark.parametrize("failure", [NotSent("no"), RuntimeError(SECRET)])
def test_wait_looks_again_after_a_look_that_failed(
    failure: Exception, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    """A look that failed for a passing reason says nothing about the message, and is tried again."""
    pager = Pager()
    pager.states = [failure, QUEUED, failure, DELIVERED]
    notifier, outcomes = waiting(pager)
    (outcome,) = notifier.wait(outcomes)
    assert DeliveryStatus.DELIVERED is outcome.status
    assert SECRET not in caplog.text


def test_wait_ends_where_looking_is_in_vain(clock: Clock) -> None:
    """A look that fails for good ends the wait, and the outcome stays as it was."""
    pager = Pager()
    pager.states = [InvalidArgument("no")]
    notifier, outcomes = waiting(pager)
    assert outcomes == notifier.wait(outcomes)


def test_wait_for_an_outcome_of_another_notifier(clock: Clock) -> None:
    """An outcome of a channel that is not there is passed by."""
    outcome = accepted("telex", ONE, Receipt(ONE, ("1",), 1))
    assert [outcome] == notifier_on(Twin()).wait([outcome])


def test_wait_for_a_fallback_that_is_not_in_the_outbox(clock: Clock, tmp_path: Path) -> None:
    """An outcome of sms-viber whose steps the outbox does not know is passed by."""
    outcome = accepted("sms-viber", ONE, Receipt(ONE, ("1",), 1))
    with notifier_on(Twin(), outbox=str(tmp_path / "outbox.db")) as notifier:
        assert [outcome] == notifier.wait([outcome])


def test_wait_keeps_the_order(clock: Clock) -> None:
    """Outcomes come back in their order, whoever is delivered first."""
    twin = Twin()
    notifier = notifier_on(twin)
    outcomes = notifier.notify("Hello", [ONE, TWO, THREE])
    twin.states = {"id-2": sms(DeliveryStatus.EXPIRED)}
    assert ["delivered", "expired", "delivered"] == [str(outcome.status) for outcome in notifier.wait(outcomes)]


def test_wait_for_all_segments(clock: Clock) -> None:
    """A long message is as its worst segment."""
    twin = Twin()
    notifier = notifier_on(twin)
    outcomes = notifier.notify("x" * 200, ONE)
    twin.states = {"id-2": sms(DeliveryStatus.UNDELIVERED)}
    assert [DeliveryStatus.UNDELIVERED] == [outcome.status for outcome in notifier.wait(outcomes)]


def test_status_changed(clock: Clock) -> None:
    """Observers are told of each status once, when it is news."""
    watcher, pager = Watcher(), Pager()
    pager.states = [QUEUED, QUEUED, SENT, SENT, DELIVERED]
    notifier, outcomes = waiting(pager, watcher)
    notifier.wait(outcomes)
    assert [QUEUED, SENT, DELIVERED] == [state for _, state in watcher.changed]
    assert {outcomes[0].receipt} == {receipt for receipt, _ in watcher.changed}


def test_status_changed_that_breaks(clock: Clock, caplog: pytest.LogCaptureFixture) -> None:
    """An observer that raises neither ends the wait nor silences the next."""

    class Broken:
        @hookimpl
        def devinotify_status_changed(self) -> None:
            raise RuntimeError(SECRET)

    watcher, pager = Watcher(), Pager()
    pager.states = [DELIVERED]
    notifier, outcomes = waiting(pager, watcher, Broken())
    (outcome,) = notifier.wait(outcomes)
    assert (DeliveryStatus.DELIVERED, 1, False) == (outcome.status, len(watcher.changed), SECRET in caplog.text)


def test_wait_for_a_resend_to_its_end(clock: Clock) -> None:
    """On viber-sms a failed Viber is not the end, even while the platform does not list its SMS yet."""
    twin = Twin()
    notifier = notifier_on(twin)
    outcomes = notifier.notify("Hello", ONE, channel="viber-sms")
    failed_viber = ViberState(DeliveryStatus.UNDELIVERED, 4)
    story = iter(
        [failed_viber, replace(failed_viber, resent_sms=(SENT,)), replace(failed_viber, resent_sms=(DELIVERED,))]
    )
    twin.viber.state = lambda _: next(story)  # type: ignore[method-assign, assignment]  # a story in place of one state
    (outcome,) = notifier.wait(outcomes)
    assert (DeliveryStatus.DELIVERED, []) == (outcome.status, list(story))


def test_wait_on_a_gateway(sandbox: Sandbox) -> None:
    """On a real gateway messages are delivered, expire, and are resent."""
    sandbox.set_fate(TWO, "expired")
    sandbox.set_fate(THREE, "not-a-viber-user")
    with Notifier(sandbox.url, poll=0.02) as notifier:
        outcomes = [*notifier.notify("Hello", [ONE, TWO]), *notifier.notify("Hello", THREE, channel="viber-sms")]
        sandbox.advance(5)
        seen = notifier.wait(outcomes, timeout=60)
    assert ["delivered", "expired", "delivered"] == [str(outcome.status) for outcome in seen]
    assert isinstance(seen[2].state, ViberState)
    assert 1 == len(seen[2].state.resent_sms)


# --- all together


def test_threads() -> None:
    """One notifier serves many threads, and each gets its own outcomes."""
    twin, watcher = Twin(), Watcher()
    notifier = notifier_on(twin, watcher)
    numbers = [f"+7916{number:07d}" for number in range(200)]
    found: dict[str, list[Outcome]] = {}

    def work(some: list[str]) -> None:
        for number in some:
            found[number] = notifier.notify("Hello", number)

    threads = [threading.Thread(target=work, args=(numbers[start::8],)) for start in range(8)]
    for thread in threads:
        thread.start()
    ended(*threads)
    assert numbers == sorted(number for number, (outcome,) in found.items() if outcome.recipient == number)
    assert (numbers, 200) == (sorted(twin.sent), len(watcher.recorded))


def test_no_secret_is_told(sandbox: Sandbox, caplog: pytest.LogCaptureFixture) -> None:
    """Whatever goes wrong, no log line, repr or error has a number, a text or a password in it."""
    said: list[str] = []
    with caplog.at_level(logging.DEBUG), Notifier(sandbox.url, poll=0.02) as notifier:
        for channel in notifier.channels:
            sandbox.add_fault("error", code=5, number=TWO)
            outcomes = notifier.notify(SECRET, [ONE, TWO, "+7 495 123-45-67"], channel=channel)
            sandbox.remove_fault()
            outcomes += notifier.notify(SECRET, TWO, channel=channel, title=SECRET)
            outcomes += notifier.wait(outcomes, timeout=0)
            said += [repr(outcome) + str(outcome.error) + repr(outcome.attempts) for outcome in outcomes]
        said += [repr(notifier), repr(notifier.url), str(notifier.url)]
    # Not what the gateway itself, which runs in this process, tells of its requests.
    ours = [record.getMessage() for record in caplog.records if not record.name.startswith("uvicorn.")]
    everything = "\n".join([*said, *ours])
    assert [] == [
        secret for secret in (SECRET, PASSWORD, ONE[1:], TWO[1:], "4951234567", "123-45-67") if secret in everything
    ]


def test_it_takes_no_time_to_wait_for_nothing() -> None:
    """Waiting for no outcomes returns at once."""
    start = time.monotonic()
    assert [] == notifier_on(Twin()).wait([])
    assert time.monotonic() - start < 10
