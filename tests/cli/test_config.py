"""``devinotify config``: where it is, what is wrong with it, and what it comes to without a secret."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from devinotify.passwords import keep
from devinotify.url import OPTION_NAMES
from tests.cli.conftest import Run, document
from tests.cli.servers import PASSWORD
from tests.tables import table

NUMBER = "+79161234567"


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A current folder of the test's own."""
    folder = tmp_path / "here"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


def configure(text: str) -> Path:
    """Write the user's file."""
    path = Path(os.environ["XDG_CONFIG_HOME"], "devinotify", "config.toml")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch(mode=0o600)
    path.write_text(text, encoding="utf-8")
    return path


# --- path


def test_the_files_that_are_looked_for(run: Run, here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The nearest first, and whether each is there."""
    users = configure("")
    assert f"{here / 'devinotify.toml'} (not there)\n{users}\n" == run("config", "path").stdout
    expected = [{"path": str(here / "devinotify.toml"), "exists": False}, {"path": str(users), "exists": True}]
    assert {"files": expected, "exit_code": 0} == document(run("config", "path", "--json"))
    monkeypatch.setenv("DEVINOTIFY_CONFIG", "named.toml")
    assert f"{here / 'named.toml'} (not there)\n" == run("config", "path").stdout


# --- check


def test_a_sound_configuration(run: Run) -> None:
    """Says how much there is of it; no password is looked for."""
    file = configure('[profiles.a]\nurl = "devino://a@B"\n[aliases]\nx = ["79161234567", "y"]\ny = ["79161234568"]\n')
    result = run("config", "check")
    assert (0, "no mistake: 1 profile, 2 aliases\n", "") == (result.exit_code, result.stdout, result.stderr)
    expected = {"files": [str(file)], "mistakes": [], "notices": [], "exit_code": 0}
    assert expected == document(run("config", "check", "--json"))


MISTAKES: dict[str, tuple[str, list[tuple[int | None, str, str]]]] = {
    "of the text": ("[profiles.a\n", [(1, "", "it is not TOML: Expected ']' at the end of a table declaration")]),
    "a key": (
        '[profiles.a]\nurl = "devino://a@B"\nchanel = "sms"',
        [(3, "profiles.a.chanel", "unknown key 'chanel': did you mean channel?")],
    ),
    "values": (
        '[profiles.a]\nurl = "devino://a@B"\nvalidity = -1\npoll = "soon"\nlimits = ["many"]\ngateway = "ftp://x"',
        [
            (3, "profiles.a.validity", "bad value for validity: minutes, 0 to 10080"),
            (4, "profiles.a.poll", "bad value for poll: a duration such as 5 or 500ms"),
            (5, "profiles.a.limit", "bad value for limit: …"),
            (6, "profiles.a.gateway", "bad value for gateway: …"),
        ],
    ),
    "values that only show to be wrong when they are used": (
        (
            '[profiles.a]\nurl = "devino://a@B?region=XX"\nlimit_zone = "Mars/Phobos"\nca = "gone.pem"\n'
            '[profiles.b]\nurl = "devino://a@B"\nregion = "XY"\nlimits = ["5/weeek"]'
        ),
        [
            (2, "profiles.a.region", "bad value for region: …"),
            (3, "profiles.a.limit_zone", "bad value for limit_zone: 'Mars/Phobos' is not a time zone"),
            (4, "profiles.a.ca", "bad value for ca: …gone.pem is not a readable file or folder of CA certificates"),
            (7, "profiles.b.region", "bad value for region: …"),
            (8, "profiles.b.limit", "bad value for limit: 'weeek' is not a period: give day or month"),
        ],
    ),
    "limits on money": (
        (
            '[profiles.a]\nurl = "devino://a@B"\nlimits = ["5RUB/day", "9RUB/day"]\nprice = 2.5\n'
            '[profiles.b]\nurl = "devino://a@B"\nlimits = ["5RUB/day"]\n'
            '[profiles.c]\nurl = "devino://a@B"\nlimits = ["5RUB/day"]\nprice = "viber:2"\n'
        ),
        [
            (3, "profiles.a.limit", "bad value for limit: …are limits on the same"),
            (7, "profiles.b.limit", "bad value for limit: a limit in RUB takes a price: …"),
            (8, "profiles.c", "bad value for limit: a limit in RUB takes a price on every channel, …"),
        ],
    ),
    "together": (
        '[profiles.a]\nlogin = "a"\nsender = "B"\ngateway = "http://gateway.example"',
        [(1, "profiles.a", "bad value for gateway: plain http://…")],
    ),
    "on a URL": (
        '[profiles.a]\nurl = "devino://a@B?poll=soon"\n[profiles.b]\nurl = "devino:/"',
        [
            (2, "profiles.a.poll", "bad value for poll: a duration such as 5 or 500ms"),
            (3, "profiles.b", "the URL must begin with devino://"),
        ],
    ),
    "a password and a number that read as a key": (
        '[profiles.a]\nurl = "devino://a:b?@S/+79161234567"',
        [(2, "profiles.a.url", "unknown key (not shown): …")],
    ),
    "a URL that cannot be taken apart": (
        '[profiles.a]\nurl = "devino://a@B?ca=%x"',
        [(1, "profiles.a", "the profile a: its url holds a bad percent escape: write % as %25")],
    ),
    "parts": (
        '[profiles.a]\nlogin = "a"',
        [(1, "profiles.a", "the profile a (…:2): sender missing: give url, or login and sender")],
    ),
    "the default": (
        'default_profile = "shpo"\n[profiles.shop]\nurl = "devino://a@B"',
        [(1, "default_profile", "there is no profile 'shpo': did you mean shop?")],
    ),
    "a circle": (
        '[aliases]\na = ["b", "+79161234567"]\nb = ["c"]\nc = ["a"]\nd = ["a"]\ne = ["e"]',
        [
            (2, "aliases.a", "it goes round in a circle: a, b, c, a"),
            (6, "aliases.e", "it goes round in a circle: e, e"),
        ],
    ),
    "members": (
        '[aliases]\noncall = ["+79161234567", "12", "nihgt"]\nnight = ["+79161234568"]',
        [
            (2, "aliases.oncall", "member 2: ***: …"),
            (2, "aliases.oncall", "member 3: ni***: this is not a phone number; did you mean night?"),
        ],
    ),
}


@table("text, expected", MISTAKES.values(), ids=list(MISTAKES))
def test_each_mistake_is_named(run: Run, text: str, expected: list[tuple[int | None, str, str]]) -> None:
    """With its file, its line and its key; all of them, and the exit code is 2."""
    file = configure(text)
    told = document(run("config", "check", "--json"))
    found = [(each["line"], each["key"], each["reason"]) for each in told["mistakes"]]
    assert [(line, key) for line, key, _ in expected] == [(line, key) for line, key, _ in found]
    pairs = zip([reason for *_, reason in expected], [reason for *_, reason in found], strict=True)
    assert [] == [pair for pair in pairs if not re.fullmatch(re.escape(pair[0]).replace("…", ".*"), pair[1])]
    assert ({str(file)}, 2) == ({each["file"] for each in told["mistakes"]}, told["exit_code"])
    result = run("config", "check")
    lines = [f"{file}:{line}: {f'{key}: ' if key else ''}{reason}" for line, key, reason in found]
    assert (2, lines) == (result.exit_code, result.stdout.splitlines())


def test_a_key_whose_line_is_not_known(run: Run) -> None:
    """A table that stands in a line with others has none."""
    file = configure('profiles = {a = {url = "devino://a@B", poll = "x"}}')
    said = f"{file}: profiles.a.poll: bad value for poll: a duration such as 5 or 500ms\n"
    assert said == run("config", "check").stdout


def test_notices_are_told(run: Run, caplog: pytest.LogCaptureFixture) -> None:
    """What is no mistake, and yet to be known."""
    file = configure('[profiles.a]\nurl = "devino://a:b@B"')
    file.chmod(0o644)
    told = document(run("config", "check", "--json"))
    assert (0, [f"{file}: it holds a password, and others can read it: chmod 600 it"]) == (
        told["exit_code"],
        told["notices"],
    )


# --- show


def shown(run: Run, *arguments: str, url: str | None = None) -> dict[str, tuple[str, str]]:
    """Return the value and the origin of each key."""
    told = document(run("config", "show", *arguments, "--json", url=url))
    return {each["key"]: (each["value"], each["from"]) for each in told["settings"]}


def test_each_setting_of_a_profile_with_its_place(run: Run, here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Which file and line, which variable, or the default."""
    users = configure(
        'default_profile = "a"\n[profiles.a]\nlogin = "me"\nsender = "S"\npassword_file = "p"\n'
        f'to = ["{NUMBER}", "oncall"]\nlimits = ["10/day"]\n[aliases]\noncall = ["{NUMBER}"]\n'
    )
    (users.parent / "p").write_text(PASSWORD, encoding="utf-8")
    (here / "devinotify.toml").write_text('[profiles.a]\nsender = "NEAR"\ntransliterate = true\n', encoding="utf-8")
    monkeypatch.setenv("DEVINOTIFY_OUTBOX", "/tmp/out.db")  # noqa: S108 - named, not used
    near = here / "devinotify.toml"
    expected = {
        "login": ("me", f"{users}:3"),
        "password": ("***", f"password_file: {users.parent / 'p'}"),
        "sender": ("NEAR", f"{near}:2"),
        "to": ("+7916***4567, oncall", f"{users}:6"),
        "limit": ("10segments/day", f"{users}:7"),
        "transliterate": ("yes", f"{near}:3"),
        "outbox": ("/tmp/out.db", "DEVINOTIFY_OUTBOX"),  # noqa: S108 - as above
        "aliases": ("yes", "the profile a"),
        "channel": ("sms", "the default"),
        "validity": ("", "the default"),
    }
    found = shown(run)
    assert expected == {key: found[key] for key in expected}
    assert {*OPTION_NAMES, "login", "password", "sender"} - {"from", "password_file"} == found.keys()
    told = document(run("config", "show", "--json"))
    assert [{"name": "oncall", "members": "+7916***4567", "from": f"{users}:9"}] == told["aliases"]


@pytest.mark.parametrize("by", ["DEVINOTIFY_URL", "DEVINOTIFY_URL_FILE"])
def test_the_settings_of_a_url_with_their_variable(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, by: str
) -> None:
    """What is on it, and what is not; it goes before a default profile."""
    configure('default_profile = "a"\n[profiles.a]\nurl = "devino://a:b@C"')
    url = f"devino://me:{PASSWORD}@S/{NUMBER}?poll=9"
    (tmp_path / "url").write_text(url, encoding="utf-8")
    monkeypatch.setenv(by, url if by == "DEVINOTIFY_URL" else str(tmp_path / "url"))
    origin = by if by == "DEVINOTIFY_URL" else f"{by}: {tmp_path / 'url'}"
    found = shown(run)
    assert {
        "login": ("me", origin),
        "password": ("***", origin),
        "sender": ("S", origin),
        "to": ("+7916***4567", origin),
        "poll": ("9", origin),
        "channel": ("sms", "the default"),
    } == {key: found[key] for key in ("login", "password", "sender", "to", "poll", "channel")}
    assert "a" == shown(run, "--profile", "a")["login"][0]


def test_where_the_password_is(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nowhere, with a login, in a variable: the nearest place is named, and what is in it is not."""
    configure('default_profile = "a"\n[profiles.a]\nurl = "devino://a@C"')
    assert ("missing", "") == shown(run)["password"]
    kept = keep("a@integrationapi.net/rest", PASSWORD)
    assert ("***", f"stored by devinotify login: {kept.place}") == shown(run)["password"]
    monkeypatch.setenv("DEVINOTIFY_PASSWORD", PASSWORD)
    assert ("***", "DEVINOTIFY_PASSWORD") == shown(run)["password"]
    monkeypatch.delenv("DEVINOTIFY_PASSWORD")
    monkeypatch.setenv("DEVINOTIFY_PASSWORD_FILE", "/nowhere")
    said = "DEVINOTIFY_PASSWORD_FILE: /nowhere: No such file or directory"
    assert ("missing", said) == shown(run)["password"]


def test_as_tables(run: Run) -> None:
    """For people; aliases where there are some."""
    file = configure('default_profile = "a"\n[profiles.a]\nurl = "devino://a:b@C"\n')
    result = run("config", "show")
    assert (0, False) == (result.exit_code, "alias  " in result.stdout)
    assert re.search(rf"password +\*\*\* +{file}:3", result.stdout)
    file.write_text(file.read_text("utf-8") + f'[aliases]\noncall = ["{NUMBER}"]', encoding="utf-8")
    assert re.search(r"oncall +\+7916\*\*\*4567", run("config", "show").stdout)


def test_what_is_not_set_is_a_dash(run: Run) -> None:
    """In Russian too, where an empty text is nothing to translate."""
    configure('default_profile = "a"\n[profiles.a]\nurl = "devino://a:b@C"')
    told = run("config", "show", "--lang", "ru").output
    assert (True, False) == (bool(re.search(r"^ *validity +— ", told, re.MULTILINE)), "Content-Type" in told)


def test_where_a_setting_comes_from_is_told_in_the_readers_language(run: Run) -> None:
    """A profile, what `devinotify login` has stored; JSON is the same in each language."""
    configure('default_profile = "a"\n[profiles.a]\nurl = "devino://a@C"\n[aliases]\noncall = ["+79161234567"]')
    place = keep("a@integrationapi.net/rest", PASSWORD).place
    told = run("config", "show", "--lang", "ru").stdout
    assert (True, True) == (f"сохранил devinotify login: {place}" in told, "профиль a" in told)
    as_json = run("config", "show", "--json").stdout
    assert as_json == run("config", "show", "--json", "--lang", "ru").stdout


@table(
    "line, said",
    [
        ('limit_zone = "Mars/Phobos"', "limit_zone: bad value for limit_zone: 'Mars/Phobos' is not a time zone"),
        ('region = "XX"', "region: bad value for region: "),
        ('ca = "gone.pem"', "ca: bad value for ca: "),
        ('limits = ["5/weeek"]', "limit: bad value for limit: 'weeek' is not a period"),
    ],
)
def test_a_wrong_value_is_not_shown_as_if_it_were_right(run: Run, line: str, said: str) -> None:
    """It is named with file, line and key; of several the first, with how many others there are."""
    file = configure(f'default_profile = "a"\n[profiles.a]\nurl = "devino://a:b@C"\n{line}\n')
    result = run("config", "show")
    assert (2, "", True) == (result.exit_code, result.stdout, f"{file}:4: profiles.a.{said}" in result.stderr)
    file.write_text(f'{file.read_text("utf-8")}poll = "soon"\n', encoding="utf-8")
    assert "; 1 further mistake; `devinotify config check` names all of them" in run("config", "show").stderr


def test_a_wrong_value_of_a_variable_is_not_shown_either(run: Run) -> None:
    """There is no file to name."""
    result = run("config", "show", url="devino://a:b@C?limit=5/day&limit_zone=Mars")
    assert (2, "devinotify: bad value for limit_zone: 'Mars' is not a time zone\n") == (
        result.exit_code,
        result.stderr,
    )


def test_a_limit_on_money_with_a_price_is_sound(run: Run) -> None:
    """They stand in two lines, and mean something together."""
    configure('[profiles.a]\nurl = "devino://a@B"\nlimits = ["5RUB/day"]\nprice = 2.5\n')
    assert "no mistake: 1 profile, 0 aliases\n" == run("config", "check").stdout


def test_an_outbox_in_a_database_is_shown_without_its_password(run: Run) -> None:
    """As everywhere else."""
    configure(f'default_profile = "a"\n[profiles.a]\nurl = "devino://a:b@C"\noutbox = "postgresql://u:{PASSWORD}@h/d"')
    assert "postgresql://u:***@h/d" == shown(run)["outbox"][0]


def test_without_an_account_there_is_nothing_to_show(run: Run) -> None:
    """It is said how to get one."""
    result = run("config", "show")
    assert (2, True) == (result.exit_code, "no account: `devinotify login` stores one" in result.stderr)


secrets = st.text(st.sampled_from("abcdefghijkXYZ0189-.,:;!$%&/()=?+*#<>| ж"), min_size=8, max_size=20)


@pytest.mark.once
@given(password=secrets, number=st.from_regex(r"\+79[0-9]{9}", fullmatch=True), data=st.data())
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40)  # three commands each
def test_no_secret_is_shown(run: Run, password: str, number: str, data: st.DataObject) -> None:
    """Whatever password and number stand in a file, right or wrong, neither is printed."""
    text: Any = data.draw(
        st.sampled_from(
            [
                '[profiles.a]\nlogin = "a"\nsender = "S"\npassword = "{0}"\nto = "{1}"\n[aliases]\nx = ["{1}"]\n',
                '[profiles.a]\nurl = "devino://me:{0}@S/{1}"\n[aliases]\nx = ["{1}", "y"]\n',
                '[profiles.a]\nurl = "devino://me:{0}"\nto = ["{1}"]\n',
                '[profiles.a]\nlogin = "a"\nsender = "S"\npassword = "{0}"\n"{0}" = "{1}"\n',
                '[profiles.a]\npassword = "{0}"\npassword = "{0}"\n[aliases]\n"{1}" = ["{1}"]\n',
                "[profiles.a]\npassword = {0}\n[aliases]\nx = [{1}]\n",
                '[profiles."{0}"]\nurl = "{0}"\n["{0}"]\n',
            ]
        )
    )
    configure(text.format(password, number))
    for result in (
        run("config", "show", "--profile", "a"),
        run("config", "check"),
        run("send", "Hi", "12", "--profile", "a"),
    ):
        assert (False, False) == (password in result.output, number in result.output)
        assert result.exit_code != 1
