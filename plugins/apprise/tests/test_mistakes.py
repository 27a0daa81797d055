"""What people get wrong in URLs, files and arguments: nobody is lost for it, and nothing goes out another way."""

from __future__ import annotations

import string
from contextlib import suppress
from dataclasses import fields
from typing import TYPE_CHECKING, Any

import apprise
import pytest
from devinotify import DevinoURL
from hypothesis import given, settings
from hypothesis import strategies as st

from devinotify_apprise import NotifyDevino, options
from devinotify_apprise.pool import shared
from tests.support import ONE, TWO, arrived, notify, plugin_of

if TYPE_CHECKING:
    from devinotify.sandbox import Sandbox

LOCAL = "gateway=http://127.0.0.1:1/rest"  # makes no TLS context, which takes 25 ms
START = "devino://login:password@SENDER"
BARE: dict[str, Any] = {
    "schema": "devino",
    "user": "login",
    "password": "password",
    "host": "SENDER",
    "gateway": "http://127.0.0.1:1/rest",
}


def made(url: str) -> NotifyDevino:
    """Return the plugin that a URL makes; raises TypeError where it is refused, ValueError where it cannot be read."""
    results = NotifyDevino.parse_url(url)
    if results is None:
        raise ValueError(url)
    return NotifyDevino(**results)


@pytest.mark.parametrize("between", [";", ",", "|", " ", "\n", "\r\n", "\t", "; ", " , ", "，", "；", "、", "؛"])
@pytest.mark.parametrize("number", ["{}", "+{}", "%2B{}"])
@pytest.mark.parametrize("place", [f"{START}/{{}}?{LOCAL}", f"{START}?{LOCAL}&to={{}}"])
def test_every_separator(place: str, number: str, between: str) -> None:
    """Whatever stands between two numbers, as it is or encoded, both are sent to."""
    for written in {between, "".join(f"%{byte:02X}" for byte in between.encode())}:
        numbers = written.join(number.format(one[1:]) for one in (ONE, TWO))
        assert (ONE, TWO) == made(place.format(numbers)).targets


SIGNS = string.punctuation.replace("%", "") + string.whitespace + "；、·–\N{NO-BREAK SPACE}"


@settings(deadline=None)
@given(between=st.text(st.sampled_from(SIGNS), min_size=1, max_size=3), in_path=st.booleans())
def test_nobody_is_lost_in_silence(between: str, in_path: bool) -> None:
    """Whatever stands between two numbers: each is sent to, or told as left out, or the URL is refused."""
    shared.close()
    numbers = f"{ONE[1:]}{between}{TWO[1:]}"
    url = f"{START}/{numbers}?{LOCAL}" if in_path else f"{START}?{LOCAL}&to={numbers}"
    with suppress(TypeError, ValueError):
        plugin = made(url)
        told = " ".join((*plugin.targets, *plugin.invalid_targets))
        assert (True, True) == (ONE[1:] in told, TWO[1:] in told)


@pytest.mark.parametrize("between", [";", ",", "|", "%3B", "%20"])
@pytest.mark.versions
def test_every_separator_through_apprise(between: str, gateway: Sandbox, schema: None) -> None:
    """Apprise, which takes lists of URLs apart by some of these signs, hands all of them over."""
    base, _, query = gateway.url.partition("?")
    sender = apprise.Apprise()
    assert sender.add(f"{base}/{ONE[1:]}{between}{TWO[1:]}?{query}")
    assert sender.notify("text")
    assert [(ONE, "text"), (TWO, "text")] == arrived(gateway)


YAML = """\
version: 1
urls:
  - {start}/?{query}:
      - to: "{one}"
        chanel: viber
      - to: "{two}"
"""


@pytest.mark.versions
def test_mistyped_key_in_a_file(gateway: Sandbox, schema: None, logged: pytest.LogCaptureFixture) -> None:
    """An entry with a mistyped key sends nothing, the log names the key that was meant, and the others send."""
    start, _, query = gateway.url.partition("?")
    config = apprise.AppriseConfig()
    config.add_config(YAML.format(start=start, query=query, one=ONE, two=TWO), format="yaml")
    sender = apprise.Apprise()
    sender.add(config)
    assert sender.notify("text")
    assert [(TWO, "text")] == arrived(gateway)
    assert "Devino: unknown key 'chanel': did you mean channel?" in logged.messages


@pytest.mark.parametrize(
    ("written", "reason"),
    [
        ("devino://demo:de/mo@DEVINO/{number}?{query}", "there is a / in them, which is written as %2F"),
        ("devino://demo:de#mo@DEVINO/{number}?{query}", "the URL has a fragment: write # as %23"),
        ("devino://demo:de@mo@DEVINO/{number}?{query}", "there is more than one @ before the sender"),
        ("devino://demo:demo@DEVINO/{number}?{query}&chanel=viber", "unknown key 'chanel': did you mean channel?"),
    ],
)
@pytest.mark.parametrize("end", ["", ":\n      - tag: oncall"])
@pytest.mark.versions
def test_a_mistake_on_a_files_url(
    gateway: Sandbox, schema: None, logged: pytest.LogCaptureFixture, written: str, reason: str, end: str
) -> None:
    """A URL that is refused elsewhere is refused in a file, with the same reason, and nothing goes out by it."""
    query = gateway.url.partition("?")[2]
    config = apprise.AppriseConfig()
    config.add_config(f"urls:\n  - {written.format(number=ONE, query=query)}{end}\n", format="yaml")
    sender = apprise.Apprise()
    sender.add(config)
    sender.notify("text", tag="all")
    assert [] == arrived(gateway)
    assert [True] == [reason in message for message in logged.messages if message.startswith("Devino: ")]


@pytest.mark.parametrize(
    ("keyword", "reason"),
    [
        ("chanel", "unknown key 'chanel': did you mean channel?"),
        ("senders", "unknown key 'senders': "),
        ("overflwo", "unknown key 'overflwo': did you mean overflow?"),
        ("+header", "unknown key (not shown): the keys are channel, "),
    ],
)
@pytest.mark.versions
def test_mistyped_keyword(keyword: str, reason: str) -> None:
    """A mistyped argument is an error, as it is on a URL."""
    with pytest.raises(TypeError) as caught:
        NotifyDevino(**BARE, **{keyword: "viber"})
    assert str(caught.value).startswith(f"Devino: {reason}")


@pytest.mark.versions
def test_dictionary_says_it_as_a_url() -> None:
    """In a dictionary, to and from mean what they mean on a URL."""
    more: dict[str, Any] = {"to": f"{ONE};{TWO}", "from": "OTHER", "tag": {"ops"}}
    plugin = NotifyDevino(**BARE, **more)
    assert ((ONE, TWO), "OTHER") == (plugin.targets, plugin.settings.sender)


@pytest.mark.versions
def test_targets_of_a_url_that_give_way(gateway: Sandbox, schema: None, logged: pytest.LogCaptureFixture) -> None:
    """An entry's own targets take the place of its URL's, as with every plugin of Apprise's: that is said."""
    start, _, query = gateway.url.partition("?")
    config = apprise.AppriseConfig()
    config.add_config(f'urls:\n  - {start}/{ONE}/{TWO}?{query}:\n      - to: "{TWO}"\n', format="yaml")
    sender = apprise.Apprise()
    sender.add(config)
    assert 1 == len(sender)
    assert "Devino: targets of the URL give way to those of its entry: 1 of them" in logged.messages


@pytest.mark.parametrize("between", [",", ";", "|", "%2C", "%20", "/"])
def test_targets_of_a_url_alone_give_way_to_none(between: str, logged: pytest.LogCaptureFixture) -> None:
    """Where there is no entry, nothing is said of one, however the URL's own numbers are told apart."""
    assert (ONE, TWO) == made(f"{START}/{ONE}{between}{TWO}?{LOCAL}").targets
    assert [] == [message for message in logged.messages if "give way" in message]


@pytest.mark.versions
def test_each_of_several_targets_that_give_way_is_counted(
    gateway: Sandbox, schema: None, logged: pytest.LogCaptureFixture
) -> None:
    """Numbers that stand between two slashes of the URL are as many as they are."""
    start, _, query = gateway.url.partition("?")
    config = apprise.AppriseConfig()
    config.add_config(f'urls:\n  - {start}/{ONE},{ONE[:-1]}9?{query}:\n      - to: "{TWO}"\n', format="yaml")
    sender = apprise.Apprise()
    sender.add(config)
    assert 1 == len(sender)
    assert "Devino: targets of the URL give way to those of its entry: 2 of them" in logged.messages


@pytest.mark.parametrize("sign", ":%&=+;, []|\\<>^`{}\"'~!$*()é")
def test_password_as_it_is(sign: str) -> None:
    """Every sign that cannot be taken for an end may stand in a password as it is, and none cuts it short."""
    assert f"pa{sign}ss" == made(f"devino://login:pa{sign}ss@SENDER/{ONE}?{LOCAL}").settings.password


def test_user_in_the_query_may_hold_an_at() -> None:
    """Apprise's own way to name a user takes whatever it is."""
    plugin = made(f"devino://SENDER/{ONE}?{LOCAL}&user=me@work&pass=pa:s@s")
    assert ("me@work", "pa:s@s", "SENDER") == (
        plugin.settings.login,
        plugin.settings.password,
        plugin.settings.sender,
    )


def test_knows_every_key_of_devinotify() -> None:
    """What a URL of devinotify's may hold can be said to Apprise."""
    elsewhere = {"login", "password", "sender", "targets"}
    in_place_of_one = {"password_file"}
    assert {field.name for field in fields(DevinoURL)} - elsewhere | in_place_of_one == set(options.OPTIONS)


@pytest.mark.versions
def test_half_a_character_is_replaced(gateway: Sandbox, logged: pytest.LogCaptureFixture) -> None:
    """A text that was read in the wrong encoding arrives but for what was lost, and Apprise's log says so."""
    assert notify(plugin_of(gateway, ONE), "disk \udcd0 full")
    assert [(ONE, "disk ? full")] == arrived(gateway)
    assert any(line.startswith("Devino: the text held a lone surrogate") for line in logged.messages)


@pytest.mark.versions
def test_colours_and_control_characters_stay_here(gateway: Sandbox) -> None:
    """No phone shows them, and each would double the price; a colour code is not cut in two between parts."""
    assert notify(plugin_of(gateway, ONE), "\x1b[31mdisk\x1b[0m\tfull\x07\r\nnow", title="\x1b[1mdb1\x1b[0m")
    assert [(ONE, "db1\ndisk full\nnow")] == arrived(gateway)
    gateway.reset()
    assert notify(plugin_of(gateway, ONE), "x" * 1998 + "\x1b[31m" + "y" * 100)
    assert "x" * 1998 + "y" * 100 == "".join(text for _, text in arrived(gateway))
