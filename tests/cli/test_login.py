"""``devinotify login`` and ``logout``: what is asked, what is stored where, and that commands then need no URL."""

from __future__ import annotations

import os
import stat
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import keyring
import pytest
from keyrings.alt.file import PlaintextKeyring  # type: ignore[import-untyped]  # it tells no types

from devinotify import DevinoURL, InvalidURL
from devinotify.cli.profile_file import ProfileFile
from devinotify.passwords import file_of
from tests.cli.conftest import Run, document
from tests.cli.servers import PASSWORD
from tests.cli.terminal import answered, needs_terminal

if TYPE_CHECKING:
    from collections.abc import Iterator

    from devinotify.sandbox import Sandbox

NUMBER = "+79161234567"


@pytest.fixture
def folder() -> Path:
    """The user's folder for our settings."""
    return Path(os.environ["XDG_CONFIG_HOME"], "devinotify")


@pytest.fixture
def parts(sandbox: Sandbox) -> tuple[str, ...]:
    """What login need not ask for."""
    return ("login", "--login", "demo", "--sender", "DEVINO", "--gateway", sandbox.gateway)


def test_commands_need_no_url_any_more(run: Run, parts: tuple[str, ...], folder: Path) -> None:
    """One login, and the next command sends; it is told where everything is."""
    done = run(*parts, stdin=PASSWORD + "\n")
    file = next((folder / "passwords").iterdir())
    assert (0, "", f"the password is in {file} (this system has no keyring)") == (
        done.exit_code,
        done.stderr,
        done.stdout.splitlines()[1],
    )
    assert f"the profile default, the default one, is in {folder / 'config.toml'}" == done.stdout.splitlines()[2]
    assert 0 == run("send", "Hi", NUMBER).exit_code
    assert (PASSWORD, False) == (file.read_text("utf-8"), PASSWORD in (folder / "config.toml").read_text("utf-8"))


@pytest.mark.skipif(sys.platform == "win32", reason="there are no modes")
def test_nobody_else_can_read_them(run: Run, parts: tuple[str, ...], folder: Path) -> None:
    """Neither folders nor files."""
    run(*parts, stdin=PASSWORD + "\n")
    made = [folder, folder / "passwords", folder / "config.toml", *(folder / "passwords").iterdir()]
    assert [0o700, 0o700, 0o600, 0o600] == [stat.S_IMODE(each.stat().st_mode) for each in made]


def test_a_wrong_password_is_not_stored(run: Run, parts: tuple[str, ...], folder: Path) -> None:
    """The gateway is asked before anything is written."""
    done = run(*parts, stdin="wrong\n")
    assert (3, "", False) == (done.exit_code, done.stdout, folder.exists())
    assert "Check the login and the password." in done.stderr


def test_an_unchecked_one_is(run: Run, folder: Path) -> None:
    """Where the gateway is not there, say: nothing is asked of it."""
    parts = ("login", "--login", "me", "--sender", "S", "--no-check", "--json")
    told = document(run(*parts, stdin="pa:ss\n"))
    expected = {
        "profile": "default",
        "default": True,
        "config": str(folder / "config.toml"),
        "account": "me@integrationapi.net/rest",
        "password": str(file_of("me@integrationapi.net/rest")),
        "reason": "this system has no keyring",
        "balance": None,
        "exit_code": 0,
    }
    assert expected == told
    assert DevinoURL("me", "pa:ss", "S", aliases=True) == DevinoURL.from_profile()


def test_what_people_wrote_stays(run: Run, parts: tuple[str, ...], folder: Path) -> None:
    """Comments, other profiles, aliases, the file's mode: a login changes one profile, and what says which account."""
    folder.mkdir(parents=True)
    file = folder / "config.toml"
    before = (
        '# ours\ndefault_profile = "other" # for now\n\n[profiles.other]\nurl = "devino://a@B" # theirs\n\n'
        '[profiles.shop]\n# the shop\nlogin = "old"\npassword_file = "old"\nsender = "OLD"\nchannel = "viber"\n\n'
        '[aliases]\noncall = ["+79161234567"] # by turns\n'
    )
    file.write_text(before, encoding="utf-8")
    file.chmod(0o640)
    done = run(*parts, "--profile", "shop", stdin=PASSWORD + "\n")
    after = file.read_text("utf-8")
    gone = {'login = "old"', 'password_file = "old"', 'sender = "OLD"'}
    new = [line for line in after.splitlines() if line not in before.splitlines()]
    assert (gone, 1, 0o640) == (
        {line for line in before.splitlines() if line not in after.splitlines()},
        len(new),
        stat.S_IMODE(file.stat().st_mode),
    )
    assert new[0].startswith('url = "devino://demo@DEVINO?gateway=')
    assert f"the profile shop is in {file}" == done.stdout.splitlines()[2]
    assert ("viber", "demo") == ((url := DevinoURL.from_profile("shop")).channel, url.login)


@pytest.fixture
def ring(tmp_path: Path) -> Iterator[PlaintextKeyring]:
    """A keyring."""
    before = keyring.get_keyring()
    backend = PlaintextKeyring()
    backend.file_path = str(tmp_path / "keyring.cfg")
    keyring.set_keyring(backend)
    yield backend
    keyring.set_keyring(before)


def test_a_keyring_has_the_password(run: Run, parts: tuple[str, ...], ring: PlaintextKeyring, folder: Path) -> None:
    """Where there is one, no file has; and logout takes it out again."""
    done = run(*parts, stdin=PASSWORD + "\n")
    account = DevinoURL.from_profile().account
    assert ("the password is in the system's keyring", False, PASSWORD) == (
        done.stdout.splitlines()[1],
        (folder / "passwords").exists(),
        ring.get_password("devinotify", account),
    )
    assert 0 == run("balance").exit_code
    assert f"the password of {account} is no longer in the system's keyring\n" == run("logout").stdout
    assert (None, 2) == (ring.get_password("devinotify", account), run("balance").exit_code)


@pytest.mark.parametrize("option", ["--file", "--keyring"])
def test_where_may_be_told(run: Run, parts: tuple[str, ...], option: str, folder: Path) -> None:
    """``--file`` passes by a keyring; ``--keyring`` takes nothing else, and nothing is stored where there is none."""
    done = run(*parts, option, stdin=PASSWORD + "\n")
    if option == "--file":
        assert (0, True) == (done.exit_code, (folder / "passwords").exists())
    else:
        said = "devinotify: this system has no keyring\n"
        assert (4, "", said, False) == (done.exit_code, done.stdout, done.stderr, folder.exists())


def test_logout_removes_the_file(run: Run, parts: tuple[str, ...]) -> None:
    """The profile stays, and asks for the password from then on."""
    run(*parts, stdin=PASSWORD + "\n")
    account = DevinoURL.from_profile().account
    file = str(file_of(account))
    assert {"account": account, "removed_from": [file], "exit_code": 0} == document(run("logout", "--json"))
    assert f"no password of {account} was stored\n" == run("logout").stdout
    done = run("balance")
    assert (2, True) == (done.exit_code, "or store it with `devinotify login`" in done.stderr)


def test_logout_needs_a_profile(run: Run) -> None:
    """Without any there is nobody to log out."""
    done = run("logout")
    assert (2, True) == (done.exit_code, "give --profile: there is no default profile" in done.stderr)


@pytest.mark.parametrize("variable", ["DEVINOTIFY_URL", "DEVINOTIFY_PASSWORD"])
def test_what_goes_before_is_told(
    run: Run, parts: tuple[str, ...], monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    """A login that a variable hides would be looked for in vain."""
    monkeypatch.setenv(variable, "something")
    said = f"devinotify: {variable} is set, and goes before what was stored here\n"
    assert said == run(*parts, stdin=PASSWORD + "\n").stderr


WRONG = {
    "a name": (("--profile", "a b"), "", "the profile: a profile's name is of letters, digits and - _ ."),
    "no TOML": ((), "[profiles", "config.toml: it is not TOML; `devinotify config check` says where"),
    "no place": ((), 'profiles = {a = {url = "x"}}', "the profile cannot be put there: write it as [profiles.default]"),
    "no table": ((), 'profiles = "a"', "the profile cannot be put there: write it as [profiles.default] by hand"),
}


@pytest.mark.parametrize(("arguments", "text", "said"), WRONG.values(), ids=list(WRONG))
def test_a_file_that_takes_no_profile_is_told(
    run: Run, parts: tuple[str, ...], folder: Path, arguments: tuple[str, ...], text: str, said: str
) -> None:
    """Before the password is stored anywhere, and the file stays as it is."""
    folder.mkdir(parents=True)
    (folder / "config.toml").write_text(text, encoding="utf-8")
    done = run(*parts, *arguments, stdin=PASSWORD + "\n")
    assert (2, "", True, text, False) == (
        done.exit_code,
        done.stdout,
        said in done.stderr,
        (folder / "config.toml").read_text("utf-8"),
        (folder / "passwords").exists(),
    )


def test_a_file_that_cannot_be_written_is_told(run: Run, parts: tuple[str, ...], folder: Path) -> None:
    """With the system's reason."""
    (folder / "config.toml").mkdir(parents=True)
    done = run(*parts, stdin=PASSWORD + "\n")
    assert (2, True) == (done.exit_code, f"{folder / 'config.toml'}: Is a directory" in done.stderr)


@pytest.mark.once
@needs_terminal
def test_asks_at_a_terminal(sandbox: Sandbox, folder: Path) -> None:
    """For everything, the password unseen, and for the gateway with the vendor's as its answer."""
    answers = {
        "Login: ": "demo",
        "Password: ": PASSWORD,
        "Sender: ": "DEVINO",
        "Gateway [https://integrationapi.net/rest]: ": sandbox.gateway,
    }
    code, told, shown = answered("login", answers=answers.items())
    assert (0, False, True) == (code, PASSWORD.encode() in shown + told, b"balance is" in told)
    assert sandbox.gateway == DevinoURL.from_profile().gateway


@pytest.mark.parametrize("known", [False, True])
def test_a_profile_that_cannot_be_written_leaves_no_password(
    run: Run, parts: tuple[str, ...], folder: Path, monkeypatch: pytest.MonkeyPatch, known: bool
) -> None:
    """Nobody would find it again; one that was there before is of a profile that still is."""
    if known:
        run(*parts, stdin=PASSWORD + "\n")

    def full(file: ProfileFile) -> None:
        raise InvalidURL(f"{file.path}: No space left on device")

    monkeypatch.setattr(ProfileFile, "save", full)
    done = run(*parts, stdin=PASSWORD + "\n")
    assert (2, True) == (done.exit_code, "No space left on device" in done.stderr)
    assert known is any((folder / "passwords").iterdir())
