"""Where the outbox is: the URL, the environment, the user's state folder."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from devinotify.exceptions import InvalidInput
from devinotify.outbox.location import VARIABLE, outbox_path
from devinotify.outbox.outbox import open_outbox
from tests.outbox.support import path_of

if TYPE_CHECKING:
    from pathlib import Path


def test_what_is_given_comes_first(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The URL's path comes before the environment's."""
    monkeypatch.setenv(VARIABLE, str(tmp_path / "environment.db"))
    assert tmp_path / "url.db" == outbox_path(str(tmp_path / "url.db"))


def test_the_environment_comes_next(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """DEVINOTIFY_OUTBOX names the file where the URL does not."""
    monkeypatch.setenv(VARIABLE, str(tmp_path / "environment.db"))
    assert tmp_path / "environment.db" == outbox_path(None)


@pytest.mark.parametrize("given", ["~/outbox.db", None])
def test_a_tilde_is_the_home_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, given: str | None) -> None:
    """On the URL and in the environment."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv(VARIABLE, "~/outbox.db")
    assert tmp_path / "outbox.db" == outbox_path(given)


def test_the_state_folder_is_the_default(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """XDG_STATE_HOME, as the XDG base directory specification has it."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    assert tmp_path / "devinotify" / "outbox.db" == outbox_path(None)


@pytest.mark.parametrize("state", ["", "relative/folder"])
def test_without_a_state_folder_it_is_in_the_home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, state: str) -> None:
    """An empty XDG_STATE_HOME is none, and a relative one is to be ignored."""
    monkeypatch.setenv("XDG_STATE_HOME", state)
    monkeypatch.setenv("HOME", str(tmp_path))
    assert tmp_path / ".local" / "state" / "devinotify" / "outbox.db" == outbox_path(None)


@pytest.mark.parametrize("variable", [None, ""])
def test_the_default_folder_is_made(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, variable: str | None) -> None:
    """For its user alone; an empty DEVINOTIFY_OUTBOX counts as none."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    if variable is not None:
        monkeypatch.setenv(VARIABLE, variable)
    with open_outbox(None) as outbox:
        assert (tmp_path / "state" / "devinotify" / "outbox.db", 0o700) == (
            path_of(outbox),
            path_of(outbox).parent.stat().st_mode & 0o777,
        )


@pytest.mark.parametrize("given", ["url", None])
def test_a_folder_that_was_named_is_not_made(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, given: str | None
) -> None:
    """A wrong path is more likely than a missing folder."""
    named = str(tmp_path / "missing" / "outbox.db")
    monkeypatch.setenv(VARIABLE, named)
    with pytest.raises(InvalidInput, match="its folder does not exist"):
        open_outbox(given and named)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_cannot_be_written_is_an_error(tmp_path: Path) -> None:
    """It is told when the outbox is opened."""
    tmp_path.chmod(0o500)
    with pytest.raises(InvalidInput, match="cannot be written"):
        open_outbox(str(tmp_path / "outbox.db"))


def test_a_default_folder_that_cannot_be_made_is_an_error(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A file stands in its place."""
    (tmp_path / "devinotify").write_text("")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    with pytest.raises(InvalidInput, match="folder"):
        open_outbox(None)


def test_no_home_is_an_error_that_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody's home that does not exist cannot be guessed."""
    with pytest.raises(InvalidInput, match=f"name a file by outbox on the URL or by {VARIABLE}"):
        outbox_path("~nobody-of-this-name/outbox.db")


def test_the_first_look_is_that_of_the_url(tmp_path: Path) -> None:
    """``poll`` reaches the outbox."""
    with open_outbox(str(tmp_path / "o.db"), poll=2.5) as outbox:
        assert 2.5 == outbox._poll
