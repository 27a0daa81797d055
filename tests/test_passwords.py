"""Passwords that a login puts away: where they are, that they are found there, and that nobody else can read them."""

from __future__ import annotations

import logging
import re
import stat
import sys
from typing import TYPE_CHECKING

import keyring
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from keyring.backend import KeyringBackend
from keyring.errors import KeyringLocked, PasswordDeleteError
from keyrings.alt.file import PlaintextKeyring  # type: ignore[import-untyped]  # it tells no types

from devinotify import DevinoURL, InvalidURL
from devinotify.exceptions import InvalidInput
from devinotify.passwords import KEYRING, Kept, file_of, forget, in_keyring, keep
from devinotify.words import installing
from tests.tables import table

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

ACCOUNT = "me%40work@integrationapi.net/rest"
URL = "devino://me%40work@SENDER"
PASSWORD = "Zq7-correct-horse"
NONE = "this system has no keyring"


class Faulty(KeyringBackend):
    """A keyring that fails in the calls that are named, or forgets what it is given."""

    priority = 1

    def __init__(self, *failing: str) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # keyring's
        self.failing = failing
        self.kept: dict[tuple[str, str], str] = {}

    def _fail(self, call: str) -> None:
        if call in self.failing:
            raise KeyringLocked(f"the secret is {PASSWORD}")

    def get_password(self, service: str, username: str) -> str | None:
        """Return what was set."""
        self._fail("get")
        return self.kept.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        """Keep it, unless it forgets."""
        self._fail("set")
        if "forget" not in self.failing:
            self.kept[service, username] = password

    def delete_password(self, service: str, username: str) -> None:
        """Remove it."""
        if "delete" in self.failing:
            raise PasswordDeleteError(f"the secret is {PASSWORD}")
        del self.kept[service, username]


@pytest.fixture(autouse=True)
def _no_keyring() -> Iterator[None]:
    """Leave the keyring that there was: none."""
    before = keyring.get_keyring()
    yield
    keyring.set_keyring(before)


@pytest.fixture
def real(tmp_path: Path) -> PlaintextKeyring:
    """A keyring that people use, in a file of the test's."""
    backend = PlaintextKeyring()
    backend.file_path = str(tmp_path / "keyring.cfg")
    keyring.set_keyring(backend)
    return backend


def _use(*failing: str) -> Faulty:
    backend = Faulty(*failing)
    keyring.set_keyring(backend)
    return backend


def test_the_keyring_has_it_where_there_is_one(real: PlaintextKeyring) -> None:
    """Under our name and that of the account, and in no file; a URL without a password finds it."""
    assert Kept(KEYRING) == keep(ACCOUNT, PASSWORD)
    assert (PASSWORD, False) == (real.get_password("devinotify", ACCOUNT), file_of(ACCOUNT).exists())
    assert PASSWORD == DevinoURL.parse(URL).password


def test_without_a_keyring_it_is_in_a_file() -> None:
    """Which is told, with the reason; a URL without a password finds it."""
    assert Kept(str(file_of(ACCOUNT)), NONE) == keep(ACCOUNT, PASSWORD)
    assert PASSWORD == DevinoURL.parse(URL).password


def test_without_the_package_it_is_in_a_file(monkeypatch: pytest.MonkeyPatch) -> None:
    """The reason says how to install it."""
    monkeypatch.setitem(sys.modules, "keyring", None)
    kept = keep(ACCOUNT, PASSWORD)
    assert f"keyring is not installed: {installing('keyring')}" == kept.reason
    assert (None, PASSWORD) == (in_keyring(ACCOUNT), DevinoURL.parse(URL).password)


@pytest.mark.skipif(sys.platform == "win32", reason="there are no modes")
def test_the_file_is_its_owners_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is made so, and its folders too, whatever the process allows others."""
    import os

    made: list[int] = []
    original = os.open

    def opened(path: str, flags: int, mode: int = 0o777, **more: int) -> int:
        if flags & os.O_CREAT:
            made.append(mode)
        return original(path, flags, mode, **more)

    monkeypatch.setattr("os.open", opened)
    before = os.umask(0)
    try:
        keep(ACCOUNT, PASSWORD)
    finally:
        os.umask(before)
    path = file_of(ACCOUNT)
    assert [0o600, 0o700, 0o700] == [
        stat.S_IMODE(each.stat().st_mode) for each in (path, path.parent, path.parent.parent)
    ]
    assert [0o600] == made


def test_it_is_in_one_place_alone(real: PlaintextKeyring) -> None:
    """What was in the other is not left behind there, to be found later."""
    keep(ACCOUNT, "first", keyring=False)
    keep(ACCOUNT, "second")
    assert (False, "second") == (file_of(ACCOUNT).exists(), DevinoURL.parse(URL).password)
    keep(ACCOUNT, "third", keyring=False)
    assert (None, "third") == (real.get_password("devinotify", ACCOUNT), DevinoURL.parse(URL).password)


@pytest.mark.parametrize("keyring_too", [True, False])
def test_what_is_forgotten_is_in_no_place(real: PlaintextKeyring, keyring_too: bool) -> None:
    """It is told where it was; another account's stays."""
    keep("other@integrationapi.net/rest", "another", keyring=False)
    kept = keep(ACCOUNT, PASSWORD, keyring=keyring_too)
    assert ([kept.place], []) == (forget(ACCOUNT), forget(ACCOUNT))
    with pytest.raises(InvalidURL, match="the password is missing"):
        DevinoURL.parse(URL)
    assert "another" == DevinoURL.parse("devino://other@SENDER").password


def test_another_gateway_is_another_account() -> None:
    """What was put away for one is not sent to another."""
    keep(ACCOUNT, PASSWORD)
    with pytest.raises(InvalidURL, match="the password is missing"):
        DevinoURL.parse(URL + "?gateway=https://elsewhere.example/rest")


@table(
    "failing, reason",
    [
        (("set",), "the keyring cannot be used (KeyringLocked)"),
        (("forget",), "the keyring cannot be used (it does not keep what it is given)"),
        (("get",), "the keyring cannot be asked (KeyringLocked)"),
    ],
)
def test_a_keyring_that_fails_is_told(failing: tuple[str, ...], reason: str) -> None:
    """The file takes its place, unless the keyring alone was asked for; no word of the backend's is shown."""
    _use(*failing)
    assert Kept(str(file_of(ACCOUNT)), reason) == keep(ACCOUNT, PASSWORD)
    with pytest.raises(InvalidInput) as caught:
        keep(ACCOUNT, PASSWORD, keyring=True)
    assert reason == str(caught.value)


def test_the_keyring_alone_where_there_is_none() -> None:
    """Is an error, and nothing is written."""
    with pytest.raises(InvalidInput, match=f"^{NONE}$"):
        keep(ACCOUNT, PASSWORD, keyring=True)
    assert not file_of(ACCOUNT).exists()


def test_a_locked_keyring_is_not_an_empty_one() -> None:
    """Who has stored a password there is told that it cannot be read, and not that it is missing."""
    _use("get")
    with pytest.raises(InvalidURL, match=r"^the password: the keyring cannot be asked \(KeyringLocked\)$"):
        DevinoURL.parse(URL)


def test_a_keyring_that_keeps_what_it_should_remove_is_told() -> None:
    """The password is still there, and that is said."""
    _use("delete")
    keep(ACCOUNT, PASSWORD)
    with pytest.raises(InvalidInput, match=r"still in the keyring, which does not remove it \(PasswordDeleteError\)$"):
        forget(ACCOUNT)


def test_a_keyring_that_does_not_load_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """By the kind of its error."""

    def broken() -> None:
        raise OSError(PASSWORD)

    monkeypatch.setattr(keyring, "get_keyring", broken)
    assert "the keyring cannot be used (OSError)" == keep(ACCOUNT, PASSWORD).reason


def test_a_file_that_cannot_be_written_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """With the system's reason; there is none to be removed, or to be read, either."""
    (tmp_path / "devinotify").write_text("", encoding="utf-8")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    with pytest.raises(
        InvalidInput, match=r"^the password cannot be written to a file: (File exists|Not a directory)$"
    ):
        keep(ACCOUNT, PASSWORD)
    assert [] == forget(ACCOUNT)
    with pytest.raises(InvalidURL, match="the password is missing"):
        DevinoURL.parse(URL)


def test_a_file_that_cannot_be_removed_is_told() -> None:
    """The password is still there, and that is said: here somebody has made a folder of it."""
    file_of(ACCOUNT).mkdir(parents=True)
    with pytest.raises(InvalidInput, match=f"^the password is still in {re.escape(str(file_of(ACCOUNT)))}: "):
        forget(ACCOUNT)


def test_without_a_home_there_is_no_file(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is stored, and nothing was."""

    def homeless() -> None:
        raise RuntimeError

    monkeypatch.setattr("devinotify.passwords.config_folder", homeless)
    with pytest.raises(InvalidInput, match=r"there is no home folder$"):
        keep(ACCOUNT, PASSWORD)
    assert [] == forget(ACCOUNT)
    with pytest.raises(InvalidURL, match="the password is missing"):
        DevinoURL.parse(URL)


@table("sign", "\r\n\0")
def test_a_password_is_one_line(sign: str) -> None:
    """As a file of one has to be."""
    with pytest.raises(InvalidInput, match=r"^the password must be one line$"):
        keep(ACCOUNT, f"a{sign}b")


@pytest.mark.once
@given(password=st.text(st.characters(exclude_characters="\r\n\0\ufeff", exclude_categories=["Cs"]), min_size=1))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_is_kept_is_found(real: PlaintextKeyring, password: str) -> None:
    """Be it in the one place or in the other."""
    for by_keyring in (True, False):
        keep(ACCOUNT, password, keyring=by_keyring)
        assert password == DevinoURL.parse(URL).password


@given(login=st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=15))
def test_any_login_has_a_file_of_its_own(login: str) -> None:
    """In one folder, whatever signs are in it."""
    account = DevinoURL(login, "p", "S").account
    assert file_of(account).parent == file_of(ACCOUNT).parent


def test_a_file_that_others_can_read_is_told(caplog: pytest.LogCaptureFixture) -> None:
    """Somebody has changed its mode; the password is used all the same."""
    keep(ACCOUNT, PASSWORD)
    file_of(ACCOUNT).chmod(0o644)
    with caplog.at_level(logging.WARNING):
        assert PASSWORD == DevinoURL.parse(URL).password
    assert [f"{file_of(ACCOUNT)} holds a password, and others can read it: chmod 600 it"] == caplog.messages


def test_what_the_environment_gives_goes_first(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The URL, its password_file, DEVINOTIFY_PASSWORD, DEVINOTIFY_PASSWORD_FILE, the login: in this order."""
    file, named = tmp_path / "named", tmp_path / "variables"
    file.write_text("password_file", encoding="utf-8")
    named.write_text("DEVINOTIFY_PASSWORD_FILE", encoding="utf-8")
    keep(ACCOUNT, "login")
    found = [DevinoURL.parse(URL).password]
    monkeypatch.setenv("DEVINOTIFY_PASSWORD_FILE", str(named))
    found.append(DevinoURL.parse(URL).password)
    monkeypatch.setenv("DEVINOTIFY_PASSWORD", "DEVINOTIFY_PASSWORD")
    found.append(DevinoURL.parse(URL).password)
    found.append(DevinoURL.parse(f"{URL}?password_file={file}").password)
    found.append(DevinoURL.parse(URL.replace("@", ":url@")).password)
    assert ["login", "DEVINOTIFY_PASSWORD_FILE", "DEVINOTIFY_PASSWORD", "password_file", "url"] == found
