"""The plugin at work: a Notifier, a gateway, subscribers who answer."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from devinotify import (
    AsyncNotifier,
    InvalidInput,
    Message,
    Notifier,
    Outbox,
    PluginError,
    Suppressed,
    Verdict,
    Worker,
    hookimpl,
    make_plugin_manager,
)
from devinotify.sandbox import Sandbox

from devinotify_opt_out import FromEnvironment, OptOut, StopList

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from devinotify import IncomingSms

NUMBER, OTHER = "+79161234567", "+79161234568"
STOPPING = "+79000000012"


def opened(gateway: Sandbox, *plugins: object) -> Notifier:
    """Return a notifier with these plugins alone."""
    return Notifier(gateway.url, plugins=make_plugin_manager(*plugins, discover=False))


def says(gateway: Sandbox, text: str, sender: str = NUMBER) -> None:
    """Have a subscriber answer, a second later than before."""
    gateway.advance(1)
    gateway.add_incoming(text, sender)


def refused(notifier: Notifier, tags: Iterable[str] = ()) -> list[bool]:
    """Return who is refused of two."""
    return [isinstance(each.error, Suppressed) for each in notifier.notify("Sale", [NUMBER, OTHER], tags=tags)]


def test_who_says_stop_gets_no_more(gateway: Sandbox) -> None:
    """Until the same number says start; the others get what is sent."""
    with opened(gateway, OptOut()) as notifier:
        before = refused(notifier)
        says(gateway, "Стоп!", NUMBER.removeprefix("+"))
        notifier.incoming()
        meanwhile = notifier.notify("Sale", [NUMBER, OTHER])
        says(gateway, "START")
        notifier.incoming()
        after = refused(notifier)
    assert ([False, False], [False, False]) == (before, after)
    assert [(Verdict.NOT_SENT, "the recipient has opted out"), (Verdict.ACCEPTED, "None")] == [
        (outcome.verdict, str(outcome.error)) for outcome in meanwhile
    ]
    assert 5 == len(gateway.messages())


def test_the_sandboxs_own_phone_says_stop(gateway: Sandbox) -> None:
    """A magic number, and one that was told to: the message arrives, the answer comes by Sms/In, no other is sent."""
    gateway.set_answer(OTHER, "ОТПИСАТЬСЯ")
    with opened(gateway, OptOut()) as notifier:
        first = notifier.notify("Sale", [STOPPING, OTHER, NUMBER])
        gateway.advance(5)
        notifier.incoming()
        second = notifier.notify("Sale", [STOPPING, OTHER, NUMBER])
    assert [Verdict.ACCEPTED] * 3 == [outcome.verdict for outcome in first]
    assert [True, True, False] == [isinstance(outcome.error, Suppressed) for outcome in second]
    assert 4 == len(gateway.messages())


def test_what_says_something_else_is_left_to_people(gateway: Sandbox) -> None:
    """And so is what comes from a sender that is not a number, though he says stop."""
    with opened(gateway, OptOut()) as notifier:
        says(gateway, "stop by tomorrow")
        says(gateway, "STOP", "BANK")
        notifier.incoming()
        assert ([False, False], []) == (refused(notifier), list(StopList(Outbox.named())))


def test_a_number_abroad_is_one(gateway: Sandbox) -> None:
    """The gateway writes it in its international form, with or without a plus."""
    with opened(gateway, OptOut()) as notifier, Outbox.named() as outbox:
        says(gateway, "STOP", "447912345678")
        says(gateway, "STOP", "+12125550123")
        says(gateway, "STOP", "89161234567")
        notifier.incoming()
        assert ["+12125550123", "+447912345678", NUMBER] == [number for number, _ in StopList(outbox)]


def test_a_worker_sends_them_nothing_either(gateway: Sandbox) -> None:
    """What was enqueued before they said so is refused when it is taken; the worker itself hears of it."""
    with opened(gateway, OptOut()) as notifier, Outbox.named() as outbox:
        rows = notifier.enqueue("Sale", [NUMBER, OTHER]).rows
        says(gateway, "STOP")
        notifier.incoming()
        Worker(notifier, incoming=3600).run(once=True)
        found = outbox.get(rows[NUMBER])
        assert found is not None
        assert (["not_sent"], [OTHER]) == ([str(found.state)], [each.recipient for each in gateway.messages()])


def test_tags_that_pass(gateway: Sandbox) -> None:
    """Where the owner allows it, and nowhere else."""
    with opened(gateway, OptOut(passes=frozenset({"transactional"}))) as notifier:
        says(gateway, "STOP")
        notifier.incoming()
        assert [[True, False], [False, False]] == [refused(notifier), refused(notifier, tags=["transactional"])]
    with opened(gateway, OptOut()) as notifier:
        assert [True, False] == refused(notifier, tags=["transactional"])


def test_one_confirmation(gateway: Sandbox) -> None:
    """From the next worker, to who has opted out and is told nothing else; one more when he has come back and goes."""
    with opened(gateway, OptOut(confirmation="No more from us.")) as notifier:

        def heard() -> list[tuple[str, str]]:
            notifier.incoming()
            Worker(notifier).run(once=True)
            return [(each.recipient, each.text) for each in gateway.messages()]

        says(gateway, "STOP")
        says(gateway, "STOP STOP")
        once = heard()
        says(gateway, "стоп")
        still = heard()
        says(gateway, "START")
        says(gateway, "STOP")
        assert ([(NUMBER, "No more from us.")], once, once * 2) == (once, still, heard())


def test_the_confirmation_is_its_accounts(gateway: Sandbox) -> None:
    """Of two accounts on one outbox it comes from the one that was told to stop."""
    with (
        Sandbox(login="other", password="of the other") as other,
        opened(gateway, OptOut(confirmation="No more from us.")) as notifier,
        opened(other) as elsewhere,
    ):
        says(gateway, "STOP")
        notifier.incoming()
        Worker(elsewhere).run(once=True)
        before = [*gateway.messages(), *other.messages()]
        Worker(notifier).run(once=True)
        assert ([], [NUMBER], []) == (before, [each.recipient for each in gateway.messages()], other.messages())


def test_a_message_that_comes_again_changes_nothing(gateway: Sandbox) -> None:
    """Not the list, which knows when it was said, nor the number of confirmations."""
    plugin, heard = OptOut(confirmation="No more from us."), list["IncomingSms"]()

    class Again:
        @hookimpl
        def devinotify_message_received(self, message: IncomingSms) -> None:
            heard.append(message)

    with opened(gateway, plugin, Again()) as notifier, Outbox.named() as outbox:
        for text in ("STOP", "START", "STOP", "START"):
            says(gateway, text)
        notifier.incoming()
        for message in heard * 2:
            notifier.plugins.observe("devinotify_message_received", message=message)
        assert ([False, False], 2) == (refused(notifier), len(outbox))


def test_each_has_a_confirmation_whatever_the_ids(gateway: Sandbox) -> None:
    """Two messages without an id are not one, and one whose id no store can keep is confirmed as any other."""
    plugin, heard = OptOut(confirmation="No more from us."), list["IncomingSms"]()

    class Again:
        @hookimpl
        def devinotify_message_received(self, message: IncomingSms) -> None:
            heard.append(message)

    with opened(gateway, plugin, Again()) as notifier, Outbox.named() as outbox:
        says(gateway, "STOP")
        notifier.incoming()
        for place, odd in enumerate(("", "", "\ud800")):
            message = replace(heard[0], id=odd, sender=f"7903123456{place}")
            notifier.plugins.observe("devinotify_message_received", message=message)
        assert 4 == len(outbox)


def test_a_list_that_cannot_be_read_lets_nobody_pass(gateway: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    """And a worker tries again what is refused for that."""
    with opened(gateway, OptOut()) as notifier:
        notifier.notify("hello", NUMBER)
        monkeypatch.setattr(StopList, "among", _away)
        (outcome,) = notifier.notify("Sale", NUMBER)
        assert isinstance(outcome.error, PluginError)
        assert (Verdict.NOT_SENT, True) == (outcome.verdict, outcome.error.retryable)
        assert 1 == len(gateway.messages())


def test_a_wish_that_cannot_be_written_comes_again(gateway: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is nobody's to lose; who reads has heard of it."""
    with opened(gateway, OptOut()) as notifier:
        says(gateway, "STOP")
        with monkeypatch.context() as patch:
            patch.setattr(StopList, "tell", _away)
            assert 1 == len(notifier.incoming())
        assert ([False, False], [], [True, False]) == (refused(notifier), notifier.incoming(), refused(notifier))


def _away(*_: object) -> None:
    raise InvalidInput("the disk is gone", retryable=True)


def test_without_a_notifier_nobody_is_let_pass() -> None:
    """There is no list to ask; a listing of what came in is no news."""
    manager = make_plugin_manager(OptOut(), discover=False)
    with pytest.raises(PluginError, match="asked for by a Notifier"):
        manager.hook.devinotify_screen_recipients(message=Message("Sale", (NUMBER,)))
    assert [{}] == manager.hook.devinotify_screen_recipients(message=Message("Sale", ()))


async def _read(url: str) -> list[Any]:
    async with AsyncNotifier(url, plugins=make_plugin_manager(OptOut(), discover=False)) as notifier:
        await notifier.incoming()
        return await notifier.notify("Sale", NUMBER)


def test_async_notifier(gateway: Sandbox) -> None:
    """It keeps to the list as the blocking one does."""
    says(gateway, "STOP")
    (outcome,) = asyncio.run(_read(gateway.url))
    assert isinstance(outcome.error, Suppressed)


def test_a_word_without_letters_is_refused() -> None:
    """In code at once."""
    with pytest.raises(InvalidInput, match="a letter or a digit: !!"):
        OptOut(stop=["!!"])


def test_settings_are_read_from_the_environment() -> None:
    """When they are needed."""
    environ = {
        "DEVINOTIFY_OPT_OUT_STOP": "хватит, no more",
        "DEVINOTIFY_OPT_OUT_START": "again",
        "DEVINOTIFY_OPT_OUT_CONFIRMATION": " Bye. ",
        "DEVINOTIFY_OPT_OUT_PASSES": "transactional,codes",
    }
    expected = OptOut(("хватит", "no more"), ("again",), "Bye.", frozenset({"transactional", "codes"}))
    assert (expected, OptOut()) == (FromEnvironment(environ).opt_out(), FromEnvironment({}).opt_out())


def test_installed_it_is_loaded(gateway: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    """By every Notifier and command, with the settings of the environment; a wrong one sends nothing."""
    monkeypatch.setenv("DEVINOTIFY_OPT_OUT_STOP", "хватит")
    says(gateway, "Хватит")
    with Notifier(gateway.url) as notifier:
        notifier.incoming()
        assert [True, False] == refused(notifier)
        monkeypatch.setenv("DEVINOTIFY_OPT_OUT_STOP", "!!")
        (outcome,) = notifier.notify("Sale", OTHER)
        assert (True, Verdict.NOT_SENT) == ("OPT_OUT_STOP" in str(outcome.error), outcome.verdict)


def test_a_campaign_keeps_to_the_list_of_the_fleet(gateway: Sandbox, tmp_path: Path) -> None:
    """Not to its journal's, which knows of nobody."""
    with Outbox.named() as outbox:
        StopList(outbox).set([NUMBER], out=True, by="hand")
    source, journal = tmp_path / "list.txt", tmp_path / "journal.db"
    source.write_text(f"{NUMBER}\n{OTHER}\n")
    done = subprocess.run(
        [*DEVINOTIFY, "bulk", str(source), "--text", "Sale", "--journal", str(journal), "--yes", "--json"],
        env={**_environment(), "DEVINOTIFY_URL": gateway.url},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    result = json.loads(done.stdout.splitlines()[-1])
    assert ([OTHER], 1, 1) == (
        [each.recipient for each in gateway.messages()],
        result["accepted"],
        result["not_sent"],
    )


def test_a_follower_keeps_the_list(gateway: Sandbox) -> None:
    """``devinotify incoming --new`` is enough."""
    says(gateway, "STOP")
    subprocess.run(
        [*DEVINOTIFY, "incoming", "--new"],
        env={**_environment(), "DEVINOTIFY_URL": gateway.url},
        check=True,
        timeout=60,
    )
    with Outbox.named() as outbox:
        assert [NUMBER] == [number for number, _ in StopList(outbox)]


def test_a_worker_hears_it_and_commands_keep_to_it(gateway: Sandbox) -> None:
    """What one process was told, another refuses by: ``Suppressed``, and nothing is sent."""
    says(gateway, "STOP")
    environment = {**_environment(), "DEVINOTIFY_URL": gateway.url}
    subprocess.run([*DEVINOTIFY, "worker", "--once", "--incoming"], env=environment, check=True, timeout=60)
    sent = subprocess.run(
        [*DEVINOTIFY, "send", "Sale", NUMBER, OTHER, "--json"],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    results = json.loads(sent.stdout)["results"]
    assert ([("not_sent", "Suppressed"), ("accepted", None)], "opted_out", True, [OTHER]) == (
        [(each["verdict"], each["error"] and each["error"]["type"]) for each in results],
        results[0]["error"]["reason"],
        sent.returncode > 0,
        [each.recipient for each in gateway.messages()],
    )


DEVINOTIFY = (sys.executable, "-m", "devinotify")


def _environment() -> dict[str, str]:
    return dict(os.environ)
