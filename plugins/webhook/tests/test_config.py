"""The configuration: what it may hold, and what is said of what it may not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from devinotify import DevinoURL

from devinotify_webhook import ByLabel, Config, ConfigError, app, load
from devinotify_webhook.config import ANY, DEDUPE, MIN_TOKEN, RECEIVER, REQUEST, TOP, parse_listen
from tests.support import NUMBER, OTHER, TOKEN

if TYPE_CHECKING:
    from pathlib import Path

    from devinotify.sandbox import Sandbox

URL = "devino://demo:s3cret-pass@DEVINO?gateway=http://127.0.0.1:1/rest"


def read(url: str | None = URL, **document: Any) -> Config:  # noqa: ANN401 - a TOML document's values
    """Return the configuration of a document with one receiver unless it names others."""
    return load({"receivers": {"oncall": {"to": NUMBER}}, **document}, url=url)


def test_a_receiver_in_few_words() -> None:
    """A number is enough; the rest has its defaults."""
    found = read()
    oncall = found.receivers["oncall"]
    assert ((NUMBER,), True, None, False, None) == (
        oncall.recipients,
        oncall.send_resolved,
        oncall.dedupe,
        oncall.quiet,
        oncall.limit,
    )
    assert ("127.0.0.1", 9876) == (found.host, found.port)


@pytest.mark.parametrize(
    ("written", "read_as"),
    [(NUMBER, (NUMBER,)), (f"{NUMBER}, {OTHER}", (NUMBER, OTHER)), ([NUMBER, NUMBER, "boss"], (NUMBER, "boss"))],
)
def test_recipients_as_people_write_them(written: object, read_as: tuple[str, ...]) -> None:
    """A text, a text with commas, and a list mean the same; nobody is in it twice."""
    assert read_as == read(receivers={"oncall": {"to": written}}).receivers["oncall"].recipients


def test_by_label() -> None:
    """A label of the alert chooses the recipients, by a table that has a default."""
    to = {"label": "team", "table": {"sre": [NUMBER]}, "default": OTHER}
    found = read(receivers={"oncall": {"to": to}}).receivers["oncall"]
    assert isinstance(found.to, ByLabel)
    assert [(NUMBER,), (OTHER,), (OTHER,)] == [found.to.of(value) for value in ("sre", "dba", None)]
    assert (NUMBER, OTHER) == found.recipients


def test_targets_of_the_url_are_the_default() -> None:
    """A receiver without ``to`` sends to the targets of the URL."""
    assert (NUMBER,) == read(f"{URL}&to={NUMBER}", receivers={"oncall": {}}).receivers["oncall"].recipients


def test_a_token_at_the_top_is_everybodys_who_has_none() -> None:
    """The token at the top guards receivers that have neither their own nor a password."""
    own, password = "b" * MIN_TOKEN, "c" * MIN_TOKEN
    receivers = {
        "one": {"to": NUMBER},
        "two": {"to": NUMBER, "token": own},
        "three": {"to": NUMBER, "user": "am", "password": password},
    }
    found = read(token=TOKEN, receivers=receivers).receivers
    assert [TOKEN, own, None] == [found[name].token for name in receivers]
    assert all(one.is_guarded for one in found.values())


WRONG = [
    ({"receivers": {}}, "receivers: bad value; it should be a table of receivers by name, at least one"),
    ({"receiver": {}}, "receiver: unknown key; did you mean receivers?"),
    ({"receivers": {"a": {"too": NUMBER}}}, "receivers.a.too: unknown key; did you mean to?"),
    ({"receivers": {"a": {"xyz": 1}}}, "receivers.a.xyz: unknown key; the keys are to, channel,"),
    ({"receivers": {"a": {}}}, "receivers.a.to is missing: give numbers"),
    ({"receivers": {"a": {"to": []}}}, "receivers.a.to: bad value"),
    ({"receivers": {"a": {"to": {"label": "team", "table": {}}}}}, "receivers.a.to: bad value"),
    ({"receivers": {"a/b": {"to": NUMBER}}}, "receivers.a/b: a receiver's name is of letters"),
    (
        {"receivers": {"a": {"to": NUMBER, "limit": 0}}},
        "receivers.a.limit: bad value; it should be SMS an hour, 1 to 1000",
    ),
    ({"receivers": {"a": {"to": NUMBER, "limit": True}}}, "receivers.a.limit: bad value"),
    ({"receivers": {"a": {"to": NUMBER, "send_resolved": "no"}}}, "receivers.a.send_resolved: bad value"),
    ({"receivers": {"a": {"to": NUMBER, "dedupe": -1}}}, "receivers.a.dedupe: bad value"),
    ({"receivers": {"a": {"to": NUMBER, "token": "short"}}}, f"receivers.a.token: bad value; it should be {MIN_TOKEN}"),
    ({"receivers": {"a": {"to": NUMBER, "user": "am"}}}, "receivers.a: user and password go together"),
    ({"receivers": {"a": {"to": NUMBER, "fields": {"txt": "msg"}}}}, "receivers.a.fields: bad value"),
    ({"receivers": {n: {"to": NUMBER, "sid": "AC1"} for n in "ab"}}, "receivers: two of them have the same sid"),
    ({"listen": "9876"}, "listen: bad value; it should be HOST:PORT"),
    (
        {"listen": "192.0.2.1:9876"},
        "listen: an address that others reach needs a token: give one at the top, or to oncall",
    ),
    ({"aliases": {"boss": []}}, "aliases: bad value"),
    ({"aliases": 1}, "aliases: bad value"),
    ({"url": "devino://demo"}, "url: the login and password are missing"),
    ({"outbox": "x\0y"}, "url: bad value for outbox"),
    ({"body_limit": 5}, "body_limit: bad value; it should be bytes"),
]


@pytest.mark.parametrize(("document", "said"), WRONG, ids=[said[:40] for _, said in WRONG])
def test_what_is_wrong_is_named(document: dict[str, Any], said: str) -> None:
    """Each mistake is told with its place and what should stand there."""
    with pytest.raises(ConfigError) as refused:
        read(**document)
    assert said == str(refused.value)[: len(said)]


def test_no_account() -> None:
    """Without an account it is said where one goes."""
    with pytest.raises(ConfigError, match="set DEVINOTIFY_URL, or url in the file"):
        read(None)


def test_no_receivers() -> None:
    """A file without receivers is told how one is written."""
    with pytest.raises(ConfigError, match=r"receivers is missing: write a table \[receivers.NAME\]"):
        load({}, url=URL)


def test_another_address_with_tokens() -> None:
    """With a token it may listen where others reach it."""
    assert not read(listen="192.0.2.1:1", token=TOKEN).is_local
    assert not read(listen=":1", token=TOKEN).is_local
    assert not read(listen="127.999.0.1:1", token=TOKEN).is_local
    assert read(listen="[::1]:1").is_local
    assert read(listen="localhost.:1").is_local


def test_every_key_is_read() -> None:
    """What a key expects is told in words, and no key is without a reader."""
    assert all(key.expects for key in [*TOP.values(), *RECEIVER.values()])
    assert ("::1", 80) == parse_listen("[::1]:80")


def test_reprs_hide_what_is_secret() -> None:
    """Neither a token, a password nor a number is shown."""
    found = read(token=TOKEN, receivers={"a": {"to": NUMBER, "user": "am", "password": "p" * 20}})
    assert [] == [secret for secret in (TOKEN, "p" * 20, NUMBER[2:], "s3cret-pass") if secret in repr(found)]


# --- where it comes from


def test_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A TOML file is read, and the account is the environment's where it names none."""
    monkeypatch.setenv("DEVINOTIFY_URL", URL)
    path = tmp_path / "hooks.toml"
    path.write_text(f'[receivers.oncall]\nto = ["{NUMBER}"]\n', "utf-8")
    assert (NUMBER,) == load(str(path)).receivers["oncall"].recipients
    assert load(path).url == load(load(path)).url


def test_a_file_of_the_url(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The account may be in the file that DEVINOTIFY_URL_FILE names; one that is not there is named."""
    monkeypatch.delenv("DEVINOTIFY_URL", raising=False)
    path = tmp_path / "url"
    monkeypatch.setenv("DEVINOTIFY_URL_FILE", str(path))
    with pytest.raises(ConfigError, match=r"^DEVINOTIFY_URL_FILE: .*url: No such file or directory$"):
        load(None, to=[NUMBER])
    path.write_text(f"{URL}\n", "utf-8")
    assert DevinoURL.parse(URL) == load(None, to=[NUMBER]).url


@pytest.mark.parametrize(
    ("content", "said"),
    [(b"to = ", "it is not TOML: "), (b"\xff", "it is not UTF-8"), (None, "No such file or directory")],
)
def test_a_file_that_cannot_be_read(content: bytes | None, said: str, tmp_path: Path) -> None:
    """It is told by the file's name."""
    path = tmp_path / "hooks.toml"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ConfigError) as refused:
        load(path, url=URL)
    assert str(refused.value).startswith(f"{path}: {said}")


def test_without_a_file() -> None:
    """Every name goes to the recipients that are given, or to the targets of the URL."""
    assert [(NUMBER,), (OTHER,)] == [
        load(None, url=URL, to=[NUMBER]).receivers[ANY].recipients,
        load(None, url=f"{URL}&to={OTHER}").receivers[ANY].recipients,
    ]
    with pytest.raises(ConfigError, match="there is nobody to send to"):
        load(None, url=URL)


# --- what only shows when it is used


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ({"to": "12345"}, "receivers.a.to: "),
        ({"to": "boss"}, "receivers.a.to, by an alias: ***: "),
        ({"to": "bos"}, "receivers.a.to: there is no alias 'bos': did you mean boss?"),
        ({"to": "crew"}, "receivers.a.to, by an alias: there is no alias 'bosss': did you mean boss?"),
        ({"to": "reqest"}, "receivers.a.to: there is no alias 'reqest': did you mean request?"),
        ({"to": "zzz"}, "receivers.a.to: there is no alias 'zzz'"),
        ({"to": "tkn5secret"}, "receivers.a.to: ***: "),
        ({"to": "a" * 24}, "receivers.a.to: aa***: "),
        ({"to": "my password"}, "receivers.a.to: my***: "),
        ({"to": NUMBER, "channel": "pigeon"}, "receivers.a.channel: there is no channel 'pigeon'"),
        ({"to": NUMBER, "template": "one\n{% if %}"}, "receivers.a.template: line 2: "),
        ({"to": NUMBER, "quiet": True}, "receivers.a.quiet: needs the plugin: pip install devinotify-quiet-hours"),
    ],
)
def test_what_would_fail_at_night_fails_at_once(
    keys: dict[str, Any], said: str, gateway: Sandbox, tmp_path: Path
) -> None:
    """A number that is none, a channel that there is not, a template that cannot be read: each is told by its place."""
    document = {
        "url": gateway.url,
        "outbox": str(tmp_path / "a.db"),
        "aliases": {"boss": "1", "crew": "bosss"},
        "receivers": {"a": keys},
    }
    with pytest.raises(ConfigError) as refused:
        app(document)
    assert str(refused.value).startswith(said)


def test_an_outbox_that_cannot_be_used(gateway: Sandbox, tmp_path: Path) -> None:
    """It is told before anybody posts."""
    with pytest.raises(ConfigError, match=r"outbox .*nowhere"):
        app(
            {
                "url": gateway.url,
                "outbox": str(tmp_path / "file" / "nowhere" / "a.db"),
                "receivers": {"a": {"to": NUMBER}},
            }
        )


def test_the_window_lies_where_it_should() -> None:
    """The usual window is above the usual group interval, and below the usual repeat interval."""
    assert 300 <= DEDUPE < 4 * 3600
    assert REQUEST == read(receivers={"a": {"to": "request"}}).receivers["a"].to
