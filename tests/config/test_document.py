"""What a configuration file says, and each mistake in it by its key and line."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

import devinotify
from devinotify.config.document import PARTS, TABLES, Document, Mistake, has_password, is_word, read
from devinotify.redact import Secret
from devinotify.url import OPTION_NAMES
from tests.laws import both_ways
from tests.strategies import changed, credentials
from tests.tables import table

WHOLE = """\
# mine
default_profile = "shop"

[profiles.shop]
login = "me@work"
sender = "My Shop"
to = ["+79161234567", "oncall"]
validity = 60
poll = 0.5
transliterate = true
insecure = false
limits = ["1000segments/day", "10/day,recipient"]

[profiles.other]
url = "devino://me@SHOP"

[aliases]
oncall = ["+79161234567", "night"]
night = "+79161234568"
"""


def test_what_a_file_says() -> None:
    """Each value is as a URL has it, in its order."""
    document = read(WHOLE, OPTION_NAMES)
    expected = {
        "shop": {
            "login": ("me@work",),
            "sender": ("My Shop",),
            "to": ("+79161234567", "oncall"),
            "validity": ("60",),
            "poll": ("0.5",),
            "transliterate": ("yes",),
            "insecure": ("no",),
            "limits": ("1000segments/day", "10/day,recipient"),
        },
        "other": {"url": ("devino://me@SHOP",)},
    }
    assert (expected, (), "shop") == (document.profiles, document.mistakes, document.default_profile)
    assert {"oncall": ("+79161234567", "night"), "night": ("+79161234568",)} == document.aliases


def test_an_empty_file_says_nothing() -> None:
    """Nothing is a configuration too."""
    assert Document() == read("", OPTION_NAMES)


MISTAKES: dict[str, tuple[str, list[Mistake]]] = {
    "a key at the top": (
        'defualt_profile = "a"',
        [Mistake("defualt_profile", "unknown key 'defualt_profile': did you mean default_profile?", 1)],
    ),
    "a key that is near none": (
        "[x]\ny = 1",
        [Mistake("x", "unknown key 'x': the keys are default_profile, profiles, aliases", 1)],
    ),
    "a key of a profile": (
        '[profiles.a]\nlogin = "b"\nchanel = "sms"\nsendr = "S"',
        [
            Mistake("profiles.a.chanel", "unknown key 'chanel': did you mean channel?", 3),
            Mistake("profiles.a.sendr", "unknown key 'sendr': did you mean sender?", 4),
        ],
    ),
    "a default that is no name": ("default_profile = 1", [Mistake("default_profile", "give the name of a profile", 1)]),
    "profiles that are no tables": (
        'profiles = "a"',
        [Mistake("profiles", "write each profile as [profiles.NAME]", 1)],
    ),
    "a profile that is no table": (
        '[profiles]\na = "devino://b@C"',
        [Mistake("profiles.a", "write it as a table, [profiles.NAME]", 2)],
    ),
    "a name that is none": (
        '[profiles."a b"]\nlogin = "b"',
        [Mistake("profiles.(not shown)", "a profile's name is of letters, digits and - _ .", 1)],
    ),
    "a value that no URL has": (
        "[profiles.a]\nlogin = 2026-01-31\nvalidity = [1]",
        [
            Mistake("profiles.a.login", "give a text that is not empty, a number, true or false", 2),
            Mistake("profiles.a.validity", "give a text that is not empty, a number, true or false", 3),
        ],
    ),
    "an empty text": (
        '[profiles.a]\nto = [""]',
        [Mistake("profiles.a.to", "give a text that is not empty, a number, true or false, or a list of them", 2)],
    ),
    "aliases that are no table": (
        'aliases = ["a"]',
        [Mistake("aliases", 'write aliases as [aliases], oncall = ["+7…"]', 1)],
    ),
    "an alias of nobody": (
        "[aliases]\noncall = []\nnight = [1]",
        [
            Mistake(f"aliases.{name}", "give a list of numbers and aliases, as texts, with at least one of them", line)
            for name, line in (("oncall", 2), ("night", 3))
        ],
    ),
    "an alias that is a number": (
        '[aliases]\n79161234567 = ["+79161234568"]',
        [
            Mistake(
                "aliases.(not shown)",
                "an alias is a word with a letter in it, and no comma: a number stands for itself",
                2,
            )
        ],
    ),
}


@table("text, expected", MISTAKES.values(), ids=list(MISTAKES))
def test_each_mistake_is_named(text: str, expected: list[Mistake]) -> None:
    """By its key, its line, and what belongs there."""
    assert tuple(expected) == read(text, OPTION_NAMES).mistakes


@table(
    "text, line",
    [
        ("a = Zq7", 1),
        ("\n\n[profiles.a\n", 3),
        ("[Zq7]\n[Zq7]\n", 2),
        ('a = 1\na = "Zq7"', None),
        ('x = """', None),
    ],
)
def test_what_is_not_toml_is_told_by_its_line(text: str, line: int | None) -> None:
    """The parser's own words follow, which quote nothing."""
    (mistake,) = read(text, OPTION_NAMES).mistakes
    assert ("", True, line, False) == (
        mistake.key,
        mistake.reason.startswith("it is not TOML: "),
        mistake.line,
        bool(re.search(r"Zq7|line \d|end of document", mistake.reason)),
    )


def test_a_mistake_reads_as_a_line() -> None:
    """With its key where it has one."""
    assert ["a.b: wrong", "wrong"] == [str(Mistake("a.b", "wrong", 3)), str(Mistake("", "wrong"))]


def test_a_profile_knows_every_key_of_a_url() -> None:
    """But the one that it has by another name."""
    known = {"from"} ^ {*OPTION_NAMES, *PARTS}
    text = "[profiles.a]\n" + "".join(f'{key} = "x"\n' for key in known)
    assert () == read(text, OPTION_NAMES).mistakes
    assert ("profiles.a.from",) == tuple(each.key for each in read('[profiles.a]\nfrom = "x"', OPTION_NAMES).mistakes)
    assert ("default_profile", "profiles", "aliases") == TABLES


@table(
    "text, holds",
    [
        ('[profiles.a]\npassword = "x"', True),
        ('[profiles.a]\nurl = "devino://a:b@C"', True),
        ('[profiles.a]\nlogin = "x"\n[profiles.b]\nurl = "devino://a:b@C"', True),
        ('[profiles.a]\nurl = "devino://a@C?to=1:2"', False),
        ('[profiles.a]\npassword_file = "x"', False),
        ("", False),
    ],
)
def test_a_file_knows_whether_it_holds_a_password(text: str, holds: bool) -> None:
    """By itself, or on a URL."""
    assert holds == read(text, OPTION_NAMES).holds_password


@given(login=credentials, password=credentials)
def test_a_password_on_a_url_is_seen(login: str, password: str) -> None:
    """Be the URL well-formed or not."""
    assert has_password(f"devino://{login}:{password}@SENDER")


@table("recipient, expected", [("oncall", True), ("дежурный", True), ("+7 (916) 1", False), ("", False)])
def test_a_word_has_a_letter(recipient: str, expected: bool) -> None:
    """In any alphabet; a number has none."""
    assert expected == is_word(recipient)


@given(
    password=st.from_regex(r"[a-z]{6}[A-Z][#-&(-.][0-9]{3}", fullmatch=True),
    number=st.from_regex(r"\+79[0-9]{9}", fullmatch=True),
)
def test_no_repr_shows_a_secret(password: str, number: str) -> None:
    """Neither of the document, nor of a value in it, nor of a mistake."""
    profile = f"[profiles.a]\npassword = '{password}'\n'{password}' = 1\n"
    text = f"{profile}[aliases]\noncall = ['{number}']\n'{number}' = ['1']"
    document = read(text, OPTION_NAMES)
    shown = f"{document!r} {document.profiles!r} {document.aliases!r} {[str(each) for each in document.mistakes]}"
    assert (False, False) == (password in shown, number in shown)
    assert isinstance(document.profiles["a"]["password"][0], Secret)


PIECES = ["", '"', "'", "[", "]", "=", ".", ",", "#", "\n", " ", "1", "x", "ж", "\0", "profiles", "true", "{}"]


@both_ways(given(text=changed(WHOLE, PIECES)))
def test_a_changed_file_is_read_with_its_mistakes(text: str) -> bool:
    """The answer is a document, with one mistake alone where it is not TOML, and all its names where it is."""
    document = read(text, OPTION_NAMES)
    try:
        given_text = tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        assert [("", True)] == [(each.key, each.reason.startswith("it is not TOML")) for each in document.mistakes]
        return False
    known = [*document.profiles, *document.aliases]
    names = [*given_text.get("profiles", {}), *given_text.get("aliases", {})]
    assert len(names) <= len(known) + len(document.mistakes)
    assert set(known) <= set(names)
    return True


@settings(max_examples=50)
@given(st.text())
def test_any_text_is_read(text: str) -> None:
    """Whatever stands in a file, the answer is a document."""
    assert isinstance(read(text, OPTION_NAMES), Document)


def test_importing_reads_no_file(tmp_path: Path) -> None:
    """A configuration is read where it is asked for: a wrong one does no harm to who asks for none."""
    import subprocess
    import sys

    (tmp_path / "devinotify.toml").write_text("wrong", encoding="utf-8")
    program = (
        "import sys, devinotify\n"
        "for name in ('tomllib', 'keyring'): sys.modules.pop(name, None)\n"  # what measures coverage may bring them
        "opened = []\n"
        "sys.addaudithook(lambda event, arguments: event == 'open' and opened.append(str(arguments[0])))\n"
        "for name in devinotify.__all__: getattr(devinotify, name)\n"
        "devinotify.Notifier('devino://a:b@C').close()\n"
        "devinotify.DevinoURL.parse('devino://a:b@C')\n"
        "print([name for name in opened if name.endswith('.toml')], 'tomllib' in sys.modules, 'keyring' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, timeout=60, check=True
    )
    assert ("[] False False", Path(devinotify.__file__).name) == (done.stdout.strip(), "__init__.py")
