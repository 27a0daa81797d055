"""What a profile comes to, which file has the last word, and what a file of the current folder may not say."""

from __future__ import annotations

import logging
import os
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings

from devinotify import DevinoURL, InvalidURL
from devinotify.config.places import MOST, places
from devinotify.config.profiles import find_aliases, load
from devinotify.url import OPTION_NAMES
from tests.strategies import credentials
from tests.tables import table
from tests.test_url import settings as urls

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.config.conftest import Write

GATEWAY = "http://127.0.0.1:8026/rest"
USERS = """\
default_profile = "shop"
[profiles.shop]
login = "me@work"
sender = "My Shop"
password_file = "secret"
"""


@pytest.fixture
def secret(tmp_path: Path) -> Path:
    """The file of the password, beside the user's own configuration."""
    path = tmp_path / "config" / "devinotify" / "secret"
    path.parent.mkdir(parents=True)
    path.write_text("pa:ss", encoding="utf-8")
    return path


def test_a_profile_of_parts(users: Write, secret: Path) -> None:
    """Its parts are those of a URL, under the same names; a file is looked for beside the one that names it."""
    users(USERS + 'to = ["79161234567", "oncall"]\nchannel = "viber"\nvalidity = 60\noutbox = "out.db"\n')
    expected = DevinoURL(
        login="me@work",
        password="pa:ss",
        sender="My Shop",
        targets=("79161234567", "oncall"),
        channel="viber",
        validity=60,
        outbox=str(secret.parent / "out.db"),
        aliases=True,
    )
    assert expected == DevinoURL.from_profile("shop")


def test_a_profile_of_a_url(users: Write) -> None:
    """What stands beside a URL stands in the place of what is on it."""
    users(
        '[profiles.a]\nurl = "devino://me:pa%3Ass@OLD/1/2?to=3&channel=viber&poll=9&from=OLDER"\n'
        'channel = "sms"\nto = "79161234567"\nsender = "NEW"\naliases = false'
    )
    expected = DevinoURL("me", "pa:ss", "NEW", ("79161234567",), poll=9.0)
    assert expected == DevinoURL.from_profile("a")


def test_a_urls_own_recipients_stay(users: Write) -> None:
    """Those of its path and those of its query, where the profile names no others."""
    users('[profiles.a]\nurl = "devino://me:pass@S/1?to=2,3"')
    assert ("1", "2", "3") == DevinoURL.from_profile("a").targets


@given(url=urls)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_url_may_be_a_profile(users: Write, url: DevinoURL) -> None:
    """It means what it means by itself, but for the aliases, and for paths, which are beside the file."""
    written = url.with_options(outbox=None, ca=None, aliases=True)
    users(f"[profiles.a]\nurl = '''{written.to_url()}'''".replace("'''", '"'))
    assert written == DevinoURL.from_profile("a")


@given(login=credentials, sender=credentials, password=credentials)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_parts_may_be_a_profile(users: Write, login: str, sender: str, password: str) -> None:
    """No sign in one of them has to be encoded: a file is no URL."""
    parts = (("login", login), ("sender", sender), ("password", password))
    users("[profiles.a]\n" + "".join(f"{key} = {_toml(text)}\n" for key, text in parts))
    assert DevinoURL(login, password, sender, aliases=True) == DevinoURL.from_profile("a")


def _toml(text: str) -> str:
    return '"' + "".join(f"\\U{ord(sign):08X}" for sign in text) + '"'


def test_limits_are_the_urls(users: Write) -> None:
    """``limits`` of a profile is ``limit`` of a URL, as often as there are some."""
    users('[profiles.a]\nurl = "devino://me:p@S?limit=9/day"\nlimits = ["1000segments/day", "10messages/month"]')
    assert ["1000 segments/day", "10 messages/month"] == list(map(str, DevinoURL.from_profile("a").limit))


# --- which account


@pytest.fixture
def accounts(users: Write) -> None:
    """A profile for each way to name one."""
    users(
        'default_profile = "default"\n'
        + "".join(f'[profiles.{name}]\nurl = "devino://{name}:p@S"\n' for name in ("default", "variable", "named"))
    )


def test_the_nearest_word_wins(accounts: None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A URL of the environment, its file, DEVINOTIFY_PROFILE, the default profile: in this order."""

    def found() -> str:
        url = DevinoURL.in_environment()
        assert url is not None
        return DevinoURL.parse(url).login

    assert "default" == found()
    monkeypatch.setenv("DEVINOTIFY_PROFILE", "variable")
    assert ["variable", "variable", "named"] == [
        found(),
        DevinoURL.from_profile().login,
        DevinoURL.from_profile("named").login,
    ]
    (tmp_path / "url").write_text("devino://file:p@S", encoding="utf-8")
    monkeypatch.setenv("DEVINOTIFY_URL_FILE", str(tmp_path / "url"))
    assert "file" == found()
    monkeypatch.setenv("DEVINOTIFY_URL", "devino://url:p@S")
    assert ("url", "variable") == (found(), DevinoURL.from_profile().login)


def test_without_any_file_there_is_none() -> None:
    """The environment gives no URL, and a profile that is asked for is an error that says how to make one."""
    assert DevinoURL.in_environment() is None
    with pytest.raises(InvalidURL, match=r"^there is no profile: `devinotify login` makes one"):
        DevinoURL.from_profile()


def test_a_file_without_a_default_gives_none(users: Write) -> None:
    """Of several nobody knows which; of one alone, another might follow."""
    users('[profiles.a]\nurl = "devino://a:b@C"')
    assert DevinoURL.in_environment() is None


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("shpo", r"there is no profile 'shpo': did you mean shop\?$"),
        ("x", "there is no profile 'x': the profiles are shop$"),
    ],
)
def test_a_profile_that_there_is_not(users: Write, monkeypatch: pytest.MonkeyPatch, name: str, said: str) -> None:
    """The nearest is named, or all are; and the variable, where it was one."""
    users(USERS)
    with pytest.raises(InvalidURL, match=f"^{said}"):
        DevinoURL.from_profile(name)
    monkeypatch.setenv("DEVINOTIFY_PROFILE", name)
    with pytest.raises(InvalidURL, match=f"^DEVINOTIFY_PROFILE: {said}"):
        DevinoURL.in_environment()


def test_a_profile_without_any_file(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    """It is said where one would be."""
    with pytest.raises(
        InvalidURL, match=rf"`devinotify login` makes one, and it may be in {folder}/devinotify.toml or /"
    ):
        DevinoURL.from_profile("a")


# --- what is wrong


WRONG = {
    "no sender": (
        '[profiles.a]\nlogin = "b"',
        r"the profile a \(.*config.toml:2\): sender missing: give url, or login",
    ),
    "nothing": ("[profiles.a]", "the profile a: login and sender missing"),
    "both": ('[profiles.a]\nurl = "devino://b:c@D"\nlogin = "b"', r"\(.*:3\): login is given beside url"),
    "a bad value": ('[profiles.a]\nurl = "devino://b:c@D"\nvalidity = "x"', "the profile a: bad value for validity"),
    "an unknown key": ('[profiles.a]\nurl = "devino://b:c@D"\nx = 1', r"config.toml:3: profiles.a.x: unknown key 'x'"),
    "of another profile": ('[profiles.a]\nurl = "devino://b:c@D"\n[q]\n[r]', r"unknown key 'q'.*; 1 further mistake; "),
    "not TOML": ("[profiles.a\n", r"config.toml:1: it is not TOML: .*; `devinotify config check` names all"),
    "no URL": ('[profiles.a]\nurl = "me:zq7@S"', "the profile a: the URL must begin with devino://"),
    "a bad escape": (
        '[profiles.a]\nurl = "devino://b:c@D?ca=%zq7"',
        "the profile a: its url holds a bad percent escape",
    ),
    "a bad encoding": ('[profiles.a]\nurl = "devino://b:c@D?ca=%ff"', "the profile a: its url is not percent-encoded"),
    "a stray sign": ('[profiles.a]\nurl = "devino://b:z?q7@D"', r"or there is a \? in them"),
    "twice": ('[profiles.a]\nurl = "devino://b:c@D?poll=1&poll=2"', "the profile a: poll is given twice"),
    "two passwords": ('[profiles.a]\nurl = "devino://b:c@D"\npassword_file = "x"', "password_file is given beside"),
}


@table("text, said", WRONG.values(), ids=list(WRONG))
def test_what_is_wrong_is_said_with_its_place(users: Write, text: str, said: str) -> None:
    """By the profile and the file, and never with a part of a password."""
    users(text)
    with pytest.raises(InvalidURL, match=said) as caught:
        DevinoURL.from_profile("a")
    assert "q7" not in str(caught.value)


@pytest.mark.parametrize(
    ("content", "reason"),
    [(b"\xff", "it is not UTF-8"), (b"#" * (MOST + 1), f"it is longer than {MOST} bytes")],
)
def test_a_file_that_cannot_be_read_is_named(users: Write, content: bytes, reason: str) -> None:
    """Whatever it is that is there."""
    path = users("")
    path.write_bytes(content)
    with pytest.raises(InvalidURL, match=f"^{path}: {reason}$"):
        DevinoURL.in_environment()
    path.unlink()
    path.mkdir()
    with pytest.raises(InvalidURL, match=f"^{path}: Is a directory$"):
        DevinoURL.in_environment()


# --- which file


def test_the_current_folders_file_goes_before_the_users(users: Write, near: Write) -> None:
    """Setting by setting, and alias by alias."""
    users(USERS + "password = 'p'\npoll = 9\n[aliases]\na = ['1']\nb = ['2']".replace("password_file", ""))
    near('default_profile = "shop"\n[profiles.shop]\nsender = "NEAR"\n[aliases]\nb = ["3"]')
    config = load(OPTION_NAMES)
    assert {"from": "devinotify.toml", "login": "config.toml", "poll": "config.toml"} == {
        key: setting.source.path.name
        for key, setting in config.profile("shop").settings.items()
        if key in ("from", "login", "poll")
    }
    assert {"a": ("1",), "b": ("3",)} == find_aliases(OPTION_NAMES)


def test_a_url_of_the_current_folder_is_an_account_by_itself(users: Write, near: Write) -> None:
    """Nothing of the user's profile of that name is taken to it."""
    users(USERS)
    near('[profiles.shop]\nurl = "devino://near:p@NEAR"')
    assert DevinoURL("near", "p", "NEAR", aliases=True) == DevinoURL.from_profile("shop")


def test_recipients_of_the_current_folder_stand_in_the_place_of_the_users(users: Write, near: Write) -> None:
    """Nobody gets a message who stands on a URL that the nearer file has set right."""
    users('[profiles.a]\nurl = "devino://me:p@S/1?to=2"')
    near('[profiles.a]\nto = "3"')
    assert ("3",) == DevinoURL.from_profile("a").targets


def test_one_file_may_be_named(users: Write, near: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """DEVINOTIFY_CONFIG stands in the place of both; one that is not there is an error."""
    users('[profiles.a]\nurl = "devino://users:p@S"')
    near('[profiles.a]\nurl = "devino://near:p@S"')
    named = tmp_path / "named.toml"
    named.touch(mode=0o600)
    named.write_text('[profiles.a]\nurl = "devino://named:p@S"', encoding="utf-8")
    monkeypatch.setenv("DEVINOTIFY_CONFIG", str(named))
    assert "named" == DevinoURL.from_profile("a").login
    named.unlink()
    said = f"^DEVINOTIFY_CONFIG: {named}: there is no such file$"
    with pytest.raises(InvalidURL, match=said):
        DevinoURL.from_profile("a")
    with pytest.raises(InvalidURL, match=said):
        DevinoURL.in_environment()


@pytest.mark.parametrize("value", ["", "relative"])
def test_the_users_folder_is_that_of_the_platform(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, value: str) -> None:
    """XDG_CONFIG_HOME, and ~/.config where it names none."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CONFIG_HOME", value)
    assert tmp_path / ".config" / "devinotify" / "config.toml" == places()[-1].path


# --- whom a password goes to

OWN = '[profiles.shop]\nlogin = "a"\nsender = "S"\n'


@pytest.mark.parametrize(
    "text",
    [
        *(
            f'[profiles.shop]\n{key} = "{value}"'
            for key, value in (("gateway", GATEWAY), ("ca", "x"), ("insecure", "yes"))
        ),
        f'[profiles.shop]\nurl = "devino://me@S?gateway={GATEWAY}"',
        '[profiles.shop]\nurl = "devino://me@S?insecure=yes"',
        '[profiles.shop]\noutbox = "postgresql://db.example/outbox"',
        '[profiles.shop]\nurl = "devino://me@S?outbox=postgresql%3A%2F%2Fdb.example%2Foutbox"',
        f'{OWN}gateway = "{GATEWAY}"',
    ],
)
def test_a_folder_sends_nobodys_password_elsewhere(
    users: Write, near: Write, secret: Path, monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    """Who goes into a stranger's folder gives him no password: not of a file, a variable, or a login."""
    monkeypatch.setenv("DEVINOTIFY_PASSWORD", "mine")
    users(USERS)
    near(text)
    with pytest.raises(
        InvalidURL, match=r"devinotify.toml says where a password goes, by \w+: it has to bring its own"
    ):
        DevinoURL.from_profile("shop")


AWAY = "https://gateway.example/rest"


def test_a_folder_may_send_a_password_that_it_holds_anywhere(near: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is the folder's secret, whoever's that is; what the environment has is not asked."""
    monkeypatch.setenv("DEVINOTIFY_PASSWORD", "mine")
    for text in (
        f'{OWN}gateway = "{AWAY}"\npassword = "own"',
        f'[profiles.shop]\nurl = "devino://a:own@S?gateway={AWAY}"',
    ):
        near(text)
        assert ("own", AWAY) == ((url := DevinoURL.from_profile("shop")).password, url.gateway)


def test_a_folder_may_send_a_file_of_its_own_to_this_machine(near: Write, folder: Path) -> None:
    """A sandbox's password may be in a file."""
    (folder / "own.txt").write_text("own", encoding="utf-8")
    near(f'{OWN}gateway = "{GATEWAY}"\npassword_file = "own.txt"')
    assert ("own", GATEWAY) == ((url := DevinoURL.from_profile("shop")).password, url.gateway)


@pytest.mark.parametrize(
    "text",
    [
        f'{OWN}gateway = "{AWAY}"\npassword_file = "token"',
        f'{OWN}gateway = "https://[x"\npassword_file = "token"',
        f'[profiles.shop]\nurl = "devino://a@S?gateway={AWAY}&password_file=token"',
        f'{OWN}ca = "ca.pem"\npassword_file = "token"',
        f'{OWN}insecure = "yes"\npassword_file = "token"',
    ],
)
def test_a_folder_sends_no_file_off_this_machine(near: Write, folder: Path, text: str) -> None:
    """Any one-line file in it would do as one: a token that its user has put there."""
    (folder / "token").write_text("private", encoding="utf-8")
    near(text)
    with pytest.raises(InvalidURL, match=r"a password_file may go to a gateway on this machine alone"):
        DevinoURL.from_profile("shop")


def test_a_folder_lifts_no_limit(users: Write, near: Write) -> None:
    """It may add to those of the user's profile of that name, be it an account by itself or not."""
    users('[profiles.a]\nurl = "devino://me:p@S?limit=9/day"')
    for text, expected in (
        ('limits = ["10000/day", "7/day,recipient"]', ["9", "7"]),
        ('limits = ["8/day", "10/month"]', ["8", "10"]),
        ("validity = 60", ["9"]),
        ('url = "devino://near:p@NEAR?limit=10000/day"', ["9"]),
        ('url = "devino://near:p@NEAR"', ["9"]),
    ):
        near(f"[profiles.a]\n{text}")
        assert expected == [str(limit).split()[0] for limit in DevinoURL.from_profile("a").limit]


@pytest.mark.parametrize("way", ["{outside}", "../outside", "link", "~/outside"])
@pytest.mark.parametrize("key", ['password_file = "{}"', 'url = "devino://a@S?password_file={}"'])
def test_a_folder_reads_no_file_outside_of_it(
    near: Write, folder: Path, monkeypatch: pytest.MonkeyPatch, way: str, key: str
) -> None:
    """Whatever it is that a link or a path leads to, it is not read as a password."""
    outside = folder.parent / "outside"
    outside.write_text("private", encoding="utf-8")
    (folder / "link").symlink_to(outside)
    monkeypatch.setenv("HOME", str(folder.parent))
    near(
        ("" if "url" in key else OWN)
        + ("[profiles.shop]\n" if "url" in key else "")
        + key.format(way.format(outside=outside))
    )
    with pytest.raises(InvalidURL, match="password_file: a file of the current folder may name none outside of it"):
        DevinoURL.from_profile("shop")


def _by_everybody(path: Path) -> None:
    path.chmod(0o666)


def _folder_by_everybody(path: Path) -> None:
    path.parent.chmod(0o777)


def _anothers(path: Path) -> None:
    os.chown(path, 12345, -1)


def _folder_anothers(path: Path) -> None:
    os.chown(path.parent, 12345, -1)


@pytest.mark.skipif(os.name == "nt" or os.geteuid() != 0, reason="only root gives files away")
@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (_by_everybody, "everybody can write to it"),
        (_folder_by_everybody, "everybody can write to its folder"),
        (_anothers, "it belongs to somebody else"),
        (_folder_anothers, "its folder belongs to somebody else"),
    ],
)
def test_a_strangers_file_is_not_read(
    near: Write,
    folder: Path,
    caplog: pytest.LogCaptureFixture,
    spoil: Callable[[Path], None],
    reason: str,
) -> None:
    """It is left out, and that is said once."""
    path = near('default_profile = "a"\n[profiles.a]\nurl = "devino://a:b@C"')
    spoil(path)
    with caplog.at_level(logging.WARNING):
        assert [None, None] == [DevinoURL.in_environment(), DevinoURL.in_environment()]
    assert [f"{path}: it is not read: {reason}"] == caplog.messages


@pytest.mark.skipif(os.name == "nt", reason="there are no modes")
def test_a_folder_that_may_not_be_read_has_no_file(near: Write, users: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who is in another's home is not kept from his own profiles."""
    users('default_profile = "a"\n[profiles.a]\nurl = "devino://a:b@C"')
    path = near("wrong")

    def denied(place: Path, *_: object) -> str:
        raise PermissionError(13, "Permission denied", str(place))

    monkeypatch.setattr("devinotify.config.places._stranger", denied)
    assert "a" == DevinoURL.from_profile("a").login
    monkeypatch.setenv("DEVINOTIFY_CONFIG", str(path))
    monkeypatch.setattr("pathlib.Path.open", denied)
    with pytest.raises(InvalidURL, match=r"^DEVINOTIFY_CONFIG: .*: Permission denied$"):
        DevinoURL.from_profile("a")


def test_a_sticky_folder_is_as_good_as_ones_own(near: Write, folder: Path) -> None:
    """Nobody else can change a file of mine in /tmp."""
    near('default_profile = "a"\n[profiles.a]\nurl = "devino://a:b@C"')
    folder.chmod(0o1777)
    assert DevinoURL.in_environment() is not None


@pytest.mark.parametrize(
    ("mode", "text", "warns"),
    [
        (0o644, 'url = "devino://a:b@C"', True),
        (0o640, 'url = "devino://a:b@C"', True),
        (0o600, 'url = "devino://a:b@C"', False),
        (0o644, 'url = "devino://a@C"', False),
    ],
)
def test_a_password_that_others_can_read_is_told(
    users: Write,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
    mode: int,
    text: str,
    warns: bool,
) -> None:
    """Once for each file, however often it is read; without a password in it, it may be read by anybody."""
    monkeypatch.setenv("DEVINOTIFY_PASSWORD", "p")
    path = users(f"[profiles.a]\n{text}")
    path.chmod(mode)
    with caplog.at_level(logging.WARNING):
        for _ in range(2):
            DevinoURL.from_profile("a")
    said = f"{path}: it holds a password, and others can read it: chmod 600 it"
    assert ([said] if warns else []) == caplog.messages
