"""URLs: that they read back the same, hide what is secret, and keep what they cannot use."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import devinotify_apprise
from devinotify_apprise import NotifyDevino
from devinotify_apprise.pool import shared

if TYPE_CHECKING:
    from pathlib import Path
    from typing import Any

START = "devino://login:password@SENDER"
LOCAL = "gateway=http://127.0.0.1:1/rest"  # makes no TLS context, which takes 25 ms

secrets = st.text(st.characters(exclude_categories=["Cs", "Cc", "Z"]), min_size=1, max_size=12)
senders = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=11)
numbers = st.integers(9160000000, 9169999999).map("+7{}".format)
odd = st.text(st.characters(exclude_categories=["Cs", "Cc", "Z"], exclude_characters=",;|"), min_size=1, max_size=12)


def made(url: str) -> NotifyDevino:
    """Return the plugin that a URL makes."""
    results = NotifyDevino.parse_url(url)
    assert results is not None
    return NotifyDevino(**results)


@settings(max_examples=60, deadline=None)
@given(
    login=secrets, password=secrets, sender=senders, to=st.lists(numbers, max_size=3), wrong=st.lists(odd, max_size=2)
)
def test_reads_back_the_same(login: str, password: str, sender: str, to: list[str], wrong: list[str]) -> None:
    """Whatever the credentials and the targets are, the URL that a plugin tells makes the same plugin."""
    shared.close()
    start = "devino://{}:{}@{}".format(*(quote(part, safe="") for part in (login, password, sender)))
    path = "/".join(quote(part, safe="") for part in (*to, *wrong))
    plugin = made(f"{start}/{path}?{LOCAL}&validity=7&batch=no")

    again = made(plugin.url())

    assert (login, password, sender) == (again.settings.login, again.settings.password, again.settings.sender)
    assert (plugin.settings, plugin.targets, plugin.batch) == (again.settings, again.targets, again.batch)
    assert set(plugin.invalid_targets) == set(again.invalid_targets)
    assert (plugin.url(), plugin.url_id(), len(plugin)) == (again.url(), again.url_id(), len(again))


@pytest.mark.parametrize(
    "option",
    [
        *("channel=viber", "region=US", "validity=60", "transliterate=yes", "max_segments=3", "timeout=12.5"),
        *("patience=90", "poll=0.5", "on_unknown=stop", "outbox=/tmp/outbox.db", "batch=no", "verify=no"),
        *("limit=1000segments/day", "price=2.5", "limit=10segments/day;3messages/day,recipient"),
        *("aliases=yes", "limit_zone=Europe/Moscow", "overflow=split", "format=html"),
    ],
)
@pytest.mark.versions
def test_keeps_options(option: str) -> None:
    """Every option is told again."""
    plugin = made(f"{START}/+79161234567?{LOCAL}&{option}")
    key, _, value = option.partition("=")
    assert f"{key}={quote(value, safe='')}" in plugin.url()
    assert plugin.url() == made(plugin.url()).url()


@pytest.mark.versions
def test_a_password_may_be_left_out(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """It is that of its file or variable then, and what the plugin tells of its URL does not hold it either."""
    file = tmp_path / "password"
    file.write_text("Zq7-from-the-file\n", encoding="utf-8")
    plugin = made(f"devino://login@SENDER/+79161234567?{LOCAL}&password_file={file}")
    monkeypatch.setenv("DEVINOTIFY_PASSWORD", "Zq7-from-the-variable")
    other = made(f"devino://login@SENDER/+79161234567?{LOCAL}")
    assert ["Zq7-from-the-file", "Zq7-from-the-variable"] == [plugin.settings.password, other.settings.password]
    for one in (plugin, other):
        assert "Zq7" not in one.url()
        assert (one.url(), one.settings) == ((again := made(one.url())).url(), again.settings)


@pytest.mark.versions
def test_limits_add_up() -> None:
    """A limit may stand on a URL several times, as on devinotify's own."""
    plugin = made(f"{START}/+79161234567?{LOCAL}&limit=10/day&limit=20/month")
    assert ["10 segments/day", "20 segments/month"] == list(map(str, plugin.settings.limit))


def test_headers_are_no_options() -> None:
    """What Apprise marks as its own by a sign is no unknown key."""
    assert ("+79161234567",) == made(f"{START}/79161234567?{LOCAL}&+X-Header=1&-other=2&:more=3").targets


@pytest.mark.parametrize(
    ("word", "batch"), [("no", False), ("Off", False), ("0", False), ("yes", True), ("on", True), ("", True)]
)
def test_batch(word: str, batch: bool) -> None:
    """Apprise's words for yes and no are understood."""
    assert batch == made(f"{START}/79161234567?{LOCAL}&batch={word}").batch


def test_hides_secrets() -> None:
    """With privacy there is neither the password nor a whole number; without it everything is there."""
    plugin = made(f"{START}/+79161234567/oncall?{LOCAL}")
    assert plugin.url(privacy=True).startswith("devino://login:****@SENDER/+7916***4567/oncall/?batch=yes")
    assert str(plugin) == plugin.url(privacy=True)
    assert plugin.url().startswith("devino://login:password@SENDER/+79161234567/oncall/?batch=yes")


@pytest.mark.parametrize("short", ["12345", "+7 916", "8-495"])
def test_hides_what_was_meant_as_a_number(short: str) -> None:
    """With privacy a number that is too short to be one is hidden as well."""
    shown = made(f"{START}/+79161234567/{quote(short)}?{LOCAL}").url(privacy=True)
    assert ("+7916***4567", True) == (shown.split("/")[3], shown.split("/")[4].endswith("***"))


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        (f"{START}/79161234567", f"{START}/79161234568?channel=viber&batch=no", True),
        (f"{START}/79161234567", "devino://other:password@SENDER/79161234567", False),
        (f"{START}/79161234567", "devino://login:other@SENDER/79161234567", False),
        (f"{START}/79161234567", f"{START}/79161234567?gateway=http://127.0.0.1:2/rest", False),
    ],
)
@pytest.mark.versions
def test_identifier(one: str, other: str, same: bool) -> None:
    """The identifier is that of the account: credentials and gateway, no target and no option."""
    one, other = (f"{url}{'&' if '?' in url else '?'}{LOCAL}" if "gateway" not in url else url for url in (one, other))
    plugins = made(one), made(other)
    assert same == (plugins[0].url_identifier == plugins[1].url_identifier)
    assert same == (plugins[0].url_id() == plugins[1].url_id())
    assert "79161234567" not in str(plugins[0].url_identifier)


def test_invalid_targets_are_warned_about_once(logged: pytest.LogCaptureFixture) -> None:
    """What is no number is warned about when the plugin is made, kept, and told again."""
    plugin = made(f"{START}/12345/+79161234567?{LOCAL}")
    assert 1 == len([line for line in logged.messages if "left out" in line])
    logged.clear()
    plugin.url()
    len(plugin)
    assert [] == logged.messages
    assert "/+79161234567/12345/?" in plugin.url()


REFUSALS: list[tuple[str, str]] = [
    ("devino://:password@SENDER/79161234567", "the login is missing"),
    ("devino://login@SENDER/79161234567", "the password is missing"),
    ("devino://login:password@/79161234567", "the sender is missing"),
    ("devino://login:password@TOOLONGASENDER/79161234567", "the sender of SMS"),
    (f"{START}/79161234567?chanel=viber", "unknown key 'chanel': did you mean channel?"),
    (f"{START}/79161234567?channel=pigeon", "there is no channel 'pigeon'"),
    (f"{START}/79161234567?validity=soon", "bad value for validity"),
    (f"{START}/79161234567?gateway=http://example.com/", "bad value for gateway"),
    (f"{START}/79161234567?bach=no", "unknown key 'bach': did you mean batch?"),
    (f"{START}/79161234567?overflw=split", "unknown key 'overflw': did you mean overflow?"),
    (f"{START}/79161234567?x=y@z", "unknown key (not shown): the keys are channel"),
    (f"{START}?to=%2B79161234561&+79161234562", "unknown key (not shown)"),
    (f"{START}/79161234561#79161234562", "write # as %23"),
    ("devino://login:pass@word@SENDER/79161234567", "write @ in a login or password as %40"),
    ("devino://login:pass#word@SENDER/79161234567", "write # as %23"),
    ("devino://login:pass/word@SENDER/79161234567", "there is a / in them, which is written as %2F"),
    ("devino://login:pass?word@SENDER/79161234567", "there is a ? in them, which is written as %3F"),
]


@pytest.mark.parametrize(("url", "reason"), REFUSALS)
@pytest.mark.versions
def test_refuses(url: str, reason: str, logged: pytest.LogCaptureFixture) -> None:
    """What is missing, unknown or wrong is named, in the log and in the error, and no secret with it."""
    results = NotifyDevino.parse_url(url)
    assert results is not None
    with pytest.raises(TypeError) as caught:
        NotifyDevino(**results)
    said = [str(caught.value), *(record.message for record in logged.records)]
    assert reason in said[0]
    assert reason in said[-1]
    assert [] == [line for line in said for secret in ("password", "word@", "79161234567") if f":{secret}" in line]


@pytest.mark.parametrize("url", [None, 42, object()])
def test_is_no_url(url: Any) -> None:  # noqa: ANN401 - whatever is none
    """What is no URL is not read."""
    assert NotifyDevino.parse_url(url) is None


@pytest.mark.parametrize(
    ("query", "seconds"),
    [("", 30.0), ("&rto=5", 9.0), ("&cto=1", 5.0), ("&rto=5&cto=1", 6.0), ("&rto=5&timeout=20s", 20.0)],
)
@pytest.mark.versions
def test_timeout(query: str, seconds: float) -> None:
    """Apprise's time limits for connecting and reading make the one of a request; timeout= comes before them."""
    assert seconds == made(f"{START}/79161234567?{LOCAL}{query}").settings.timeout


@pytest.mark.versions
def test_dictionary() -> None:
    """Apprise's dictionaries name the parts as Apprise does."""
    plugin = NotifyDevino(
        schema="devino", user="login", password="password", host="SENDER", targets="79161234567 79161234568"
    )
    assert ("SENDER", ("+79161234567", "+79161234568")) == (plugin.settings.sender, plugin.targets)


def test_names_are_public() -> None:
    """The package has two names, imported when they are used."""
    assert ["NotifyDevino", "register"] == devinotify_apprise.__all__
    assert set(devinotify_apprise.__all__) <= set(dir(devinotify_apprise))
    with pytest.raises(AttributeError, match="has no attribute 'other'"):
        _ = devinotify_apprise.other
