"""Aliases of the configuration files, as everybody who sends meets them."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from devinotify import AsyncNotifier, DevinoURL, InvalidURL, Notifier, PluginError, hookimpl, make_plugin_manager
from devinotify.exceptions import Verdict
from tests.tables import table

if TYPE_CHECKING:
    from devinotify.delivery.recipients import Given

URL = "devino://me:pass@SENDER?channel=null&aliases=yes"
ONE, TWO, THREE = "+79161234567", "+79161234568", "+79161234569"
ALIASES = f"""
[aliases]
oncall = ["{ONE}", "night"]
night = ["{TWO}", "8 (916) 123-45-69"]
round = ["{ONE}", "about"]
about = ["round"]
"""


def configure(text: str) -> Path:
    """Write the user's file."""
    path = Path(os.environ["XDG_CONFIG_HOME"], "devinotify", "config.toml")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def resolved(to: Given | list[Given], url: str = URL, *plugins: object) -> dict[str, str | None]:
    """Return who would get it, and what is said of those who would not."""
    with Notifier(url, plugins=make_plugin_manager(*plugins, discover=False)) as notifier:
        return {each: None if error is None else str(error) for each, error in notifier.resolve(to).items()}


def test_an_alias_stands_for_its_members() -> None:
    """Nested ones too, each number once."""
    configure(ALIASES)
    assert dict.fromkeys((ONE, TWO, THREE)) == resolved(["oncall", "night", ONE])


def test_a_circle_is_an_error_of_its_recipient() -> None:
    """Whoever else is in it gets the message."""
    configure(ALIASES)
    assert {ONE: None, "round": "the alias goes round in a circle"} == resolved("round")


def test_they_are_those_of_a_url_that_says_so() -> None:
    """Without the key on the URL, no file has a say in who gets a message."""
    configure(ALIASES)
    assert {"oncall": "on***: this is not a phone number"} == resolved("oncall", URL.replace("&aliases=yes", ""))


def test_a_profile_says_so() -> None:
    """In Python as on the command line; its own recipients may be aliases."""
    configure(f'[profiles.shop]\nurl = "devino://me:pass@SENDER/night?channel=null"\n{ALIASES}')
    with Notifier(DevinoURL.from_profile("shop")) as notifier:
        assert [TWO, THREE] == [outcome.recipient for outcome in notifier.notify("Hi")]


@table("to", ["oncall", ["oncall"]])
def test_a_message_goes_to_the_members(to: str | list[str]) -> None:
    """One outcome for each."""
    configure(ALIASES)
    with Notifier(URL) as notifier:
        assert [ONE, TWO, THREE] == [outcome.recipient for outcome in notifier.notify("Hi", to)]


async def _notified(to: str) -> list[str]:
    async with AsyncNotifier(URL) as notifier:
        return [outcome.recipient for outcome in await notifier.notify("Hi", to)]


def test_an_event_loop_has_them_too() -> None:
    """It is the same Notifier."""
    import asyncio

    configure(ALIASES)
    assert [TWO, THREE] == asyncio.run(_notified("night"))


def test_a_plugins_alias_goes_first() -> None:
    """The files' answer is the last that is asked for."""

    class Rota:
        @hookimpl
        def devinotify_resolve_recipient(self, recipient: str) -> list[str] | None:
            return {"oncall": [THREE]}.get(recipient)

    configure(ALIASES)
    assert {THREE: None, TWO: None} == resolved(["oncall", "night"], URL, Rota())


def test_numbers_need_no_file() -> None:
    """A mistake in a file stops no message to a number; an alias is refused with it, and nobody is lost silently."""
    path = configure("[aliases]\noncall = []")
    reason = f"{path}:2: aliases.oncall: give a list of numbers and aliases, as texts, with at least one of them"
    told = f"{reason}; `devinotify config check` names all of them"
    assert {ONE: None, "oncall": told, "night": told} == resolved([ONE, "oncall", "night"])


def test_they_are_read_once() -> None:
    """What a Notifier has begun with holds for as long as it is used."""
    path = configure(ALIASES)
    with Notifier(URL) as notifier:
        before = list(notifier.resolve("night"))
        path.unlink()
        assert ([TWO, THREE], [TWO, THREE]) == (before, list(notifier.resolve("night")))


def test_without_a_file_nothing_is_asked() -> None:
    """No plugin stands in the way of each number."""
    with Notifier(URL) as notifier:
        assert "configured-aliases" not in [name for name, _ in notifier.plugins.list_name_plugin()]


def test_a_manager_may_be_used_again() -> None:
    """Where a Notifier could not be made, nothing of it stays behind."""
    configure(ALIASES)
    plugins = make_plugin_manager(discover=False)
    with pytest.raises(InvalidURL):
        Notifier(URL.replace("null", "pager"), plugins=plugins)
    with Notifier(URL, plugins=plugins) as notifier:
        assert [TWO, THREE] == list(notifier.resolve("night"))


def test_a_name_that_is_taken_leaves_the_manager_usable() -> None:
    """A plugin of the caller's has the name of ours: nothing of ours stays behind, and what is his does."""
    configure(ALIASES)
    manager, his = make_plugin_manager(discover=False), object()
    manager.register(his, "configured-aliases", "his own")
    with pytest.raises(PluginError, match="configured-aliases"):
        Notifier(URL, plugins=manager)
    with Notifier(URL.replace("&aliases=yes", ""), plugins=manager) as notifier:
        assert ([True], his) == (
            [outcome.verdict is Verdict.ACCEPTED for outcome in notifier.notify("hi", ONE)],
            manager.get_plugin("configured-aliases"),
        )
