"""A password, or a whole URL, that comes from a variable or a file."""

from __future__ import annotations

import traceback
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devinotify import Client, DevinoURL, InvalidURL
from devinotify.credentials import MOST, find_password, find_url
from tests.tables import table

if TYPE_CHECKING:
    from pathlib import Path

VARIABLES = ("DEVINOTIFY_URL", "DEVINOTIFY_URL_FILE", "DEVINOTIFY_PASSWORD", "DEVINOTIFY_PASSWORD_FILE")
ACCOUNT = "login@integrationapi.net/rest"
WITHOUT = "devino://login@SENDER/79161234567"


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """An environment that says nothing of an account, to be changed."""
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
    return monkeypatch


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A file as container platforms and editors write them: one line with its end."""
    path = tmp_path / "password of the account"
    path.write_text("from the file\n", encoding="utf-8")
    return path


def test_the_urls_own_password_is_asked_first(environment: pytest.MonkeyPatch, file: Path) -> None:
    """What stands on the URL is used, whatever the environment says."""
    environment.setenv("DEVINOTIFY_PASSWORD", "from the variable")
    environment.setenv("DEVINOTIFY_PASSWORD_FILE", str(file))
    assert "own" == DevinoURL.parse("devino://login:own@SENDER").password


def test_the_file_that_the_url_names_comes_next(environment: pytest.MonkeyPatch, file: Path) -> None:
    """A URL's password_file goes before the environment, which is there for all URLs."""
    environment.setenv("DEVINOTIFY_PASSWORD", "from the variable")
    path = str(file).replace(" ", "%20")
    assert "from the file" == DevinoURL.parse(f"{WITHOUT}?password_file={path}").password


def test_the_variable_goes_before_the_variables_file(environment: pytest.MonkeyPatch, file: Path) -> None:
    """DEVINOTIFY_PASSWORD_FILE is read where there is no DEVINOTIFY_PASSWORD, or an empty one."""
    environment.setenv("DEVINOTIFY_PASSWORD_FILE", str(file))
    assert "from the file" == DevinoURL.parse(WITHOUT).password
    environment.setenv("DEVINOTIFY_PASSWORD", "")
    assert "from the file" == DevinoURL.parse(WITHOUT).password
    environment.setenv("DEVINOTIFY_PASSWORD", "from the variable")
    assert "from the variable" == DevinoURL.parse(WITHOUT).password


def test_without_any_the_error_names_all_places() -> None:
    """Who has given no password anywhere is told where it may stand."""
    with pytest.raises(InvalidURL, match=r"^the password is missing: .*DEVINOTIFY_PASSWORD.*password_file=") as caught:
        DevinoURL.parse(WITHOUT)
    assert "_FILE" in str(caught.value)


def test_two_passwords_on_one_url_are_refused(file: Path) -> None:
    """A URL with a password and a file of one is refused: either could be meant."""
    with pytest.raises(InvalidURL, match="password_file is given beside a password"):
        DevinoURL.parse(f"devino://login:own@SENDER?password_file={file.name}")


def test_an_empty_password_is_not_one_that_is_left_out(environment: pytest.MonkeyPatch) -> None:
    """``LOGIN:@`` is a variable of a template that stayed empty: it is said, and nothing is looked for."""
    environment.setenv("DEVINOTIFY_PASSWORD", "from the variable")
    with pytest.raises(InvalidURL, match="the password is missing"):
        DevinoURL.parse("devino://login:@SENDER")


def test_a_new_password_is_the_next_urls(file: Path) -> None:
    """A file that has changed is read again."""
    url = f"{WITHOUT}?password_file={str(file).replace(' ', '%20')}"
    before = DevinoURL.parse(url).password
    file.write_text("changed", encoding="utf-8")
    assert ("from the file", "changed") == (before, DevinoURL.parse(url).password)


def test_a_client_takes_such_a_url(environment: pytest.MonkeyPatch) -> None:
    """What takes a URL takes one without a password, and shows none."""
    environment.setenv("DEVINOTIFY_PASSWORD", "Zq7-correct-horse")
    with Client(WITHOUT) as client:
        assert "Zq7" not in repr(client)


def test_the_url_is_the_variables_or_its_files(environment: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """DEVINOTIFY_URL goes before the file of DEVINOTIFY_URL_FILE; without both there is none."""
    path = tmp_path / "url"
    path.write_bytes(b"devino://file:password@SENDER\r\n")
    assert DevinoURL.in_environment() is None
    environment.setenv("DEVINOTIFY_URL_FILE", str(path))
    assert "devino://file:password@SENDER" == DevinoURL.in_environment()
    environment.setenv("DEVINOTIFY_URL", "devino://variable:password@SENDER")
    assert "devino://variable:password@SENDER" == DevinoURL.in_environment()


def test_home_is_the_users(environment: pytest.MonkeyPatch, file: Path) -> None:
    """A path may begin with ~, as an outbox's may."""
    environment.setenv("HOME", str(file.parent))
    environment.setenv("USERPROFILE", str(file.parent))
    assert ("from the file", f"password_file: ~/{file.name}") == find_password(f"~/{file.name}", ACCOUNT)


WRONG = {
    "nothing": (b"", "it is empty"),
    "a line's end alone": (b"\n", "it is empty"),
    "two lines": (b"Zq7-correct\nhorse\n", "it has more than one line"),
    "two ends": (b"Zq7-correct\n\n", "it has more than one line"),
    "binary": (b"Zq7-correct\0", "it has more than one line"),
    "another encoding": ("Zq7-верно".encode("cp1251"), "it is not UTF-8"),
    "too long": (b"Zq7-correct" * 6000, "it is longer than 65536 bytes"),
}


@pytest.mark.parametrize(("content", "reason"), WRONG.values(), ids=list(WRONG))
def test_what_is_wrong_with_a_file_is_said_without_what_it_holds(
    environment: pytest.MonkeyPatch, tmp_path: Path, content: bytes, reason: str
) -> None:
    """The error names the variable, the file and what is wrong; neither it nor a frame of its shows a secret."""
    path = tmp_path / "secret"
    path.write_bytes(content)
    for variable, find in (
        ("DEVINOTIFY_PASSWORD_FILE", lambda: find_password(None, ACCOUNT)),
        ("DEVINOTIFY_URL_FILE", find_url),
    ):
        environment.setenv(variable, str(path))
        with pytest.raises(InvalidURL) as caught:
            find()
        assert f"{variable}: {path}: {reason}" == str(caught.value)
        ours = caught.value.__traceback__
        assert ours is not None
        shown = traceback.StackSummary.extract(traceback.walk_tb(ours.tb_next), capture_locals=True)
        assert "Zq7" not in "".join(shown.format())


@table(
    "path, reason",
    [
        ("/nowhere/at all", "No such file or directory"),
        ("/", "Is a directory"),
        ("a\0b", "it is not the path of a file"),
    ],
)
def test_a_path_that_leads_nowhere_is_named(path: str, reason: str) -> None:
    """What cannot be opened is told by its key and path."""
    with pytest.raises(InvalidURL, match=rf"^password_file: .*: {reason}$"):
        find_password(path, ACCOUNT)


def test_a_device_that_never_ends_is_told() -> None:
    """No more is read than a file may hold."""
    with pytest.raises(InvalidURL, match=f"longer than {MOST} bytes"):
        find_password("/dev/zero", ACCOUNT)


@given(st.text(st.characters(exclude_characters="\r\n\0\ufeff", exclude_categories=["Cs"]), min_size=1))
def test_whatever_a_file_holds_is_the_password(tmp_path_factory: pytest.TempPathFactory, password: str) -> None:
    """Spaces at either end, colons and percent signs are the password's own; no line's end is."""
    path = tmp_path_factory.getbasetemp() / "law"
    for end in ("", "\n", "\r\n"):
        path.write_text(password + end, encoding="utf-8", newline="")
        assert (password, f"password_file: {path}") == find_password(str(path), ACCOUNT)
