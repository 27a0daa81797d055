"""Files that are made and replaced, and the links that are not followed."""

from __future__ import annotations

import os
import stat
import sys
from typing import TYPE_CHECKING

import pytest

from devinotify import Outbox, files
from devinotify.exceptions import InvalidInput

if TYPE_CHECKING:
    from pathlib import Path

needs_posix = pytest.mark.skipif(sys.platform == "win32", reason="modes and links are other there")


@pytest.fixture
def shared(tmp_path: Path) -> Path:
    """A folder that everybody can write to, as /tmp is."""
    folder = tmp_path / "shared"
    folder.mkdir()
    folder.chmod(0o1777)
    return folder


def names(folder: Path) -> list[str]:
    """Return the names of what a folder holds."""
    return sorted(each.name for each in folder.iterdir())


def mode(path: Path) -> int:
    """Return the rights of a file."""
    return stat.S_IMODE(path.stat().st_mode)


@needs_posix
@pytest.mark.parametrize("umask", [0o000, 0o777])
def test_a_file_is_made_for_its_owner_alone(umask: int, tmp_path: Path) -> None:
    """Whatever the umask is."""
    before = os.umask(umask)
    try:
        made = files.make(tmp_path / "new")
    finally:
        os.umask(before)
    assert (True, 0o600) == (made, mode(tmp_path / "new"))


@needs_posix
def test_what_is_there_is_left_alone(tmp_path: Path) -> None:
    """Neither its content nor its mode is touched, and nothing is made at the far end of a link."""
    (tmp_path / "old").write_text("theirs")
    (tmp_path / "old").chmod(0o644)
    (tmp_path / "link").symlink_to(tmp_path / "nothing")
    found = [files.make(tmp_path / name) for name in ("old", "link")]
    assert ([False, False], "theirs", 0o644, False) == (
        found,
        (tmp_path / "old").read_text(),
        mode(tmp_path / "old"),
        (tmp_path / "nothing").exists(),
    )


@needs_posix
@pytest.mark.parametrize("exists", [True, False])
def test_a_link_in_a_shared_folder_is_not_followed(exists: bool, shared: Path, tmp_path: Path) -> None:
    """Somebody may have planted it: what it leads to is not written, nor made."""
    victim = tmp_path / "victim"
    if exists:
        victim.write_text("mine")
    (shared / "report.csv").symlink_to(victim)
    with (
        pytest.raises(OSError, match="link in a folder that others can write to") as caught,
        files.replaced({shared / "report.csv": "utf-8"}),
    ):
        pass
    assert (os.fspath(shared / "report.csv"), ["report.csv"], "mine" if exists else None) == (
        caught.value.filename,
        names(shared),
        victim.read_text() if victim.exists() else None,
    )


@needs_posix
def test_a_link_anywhere_on_the_way_counts(shared: Path, tmp_path: Path) -> None:
    """A folder of the path, or what a link of one's own leads over, may be the planted one."""
    (tmp_path / "own").mkdir()
    (shared / "folder").symlink_to(tmp_path / "own", target_is_directory=True)
    (tmp_path / "mine").symlink_to(shared / "folder" / "report.csv")
    for path in (shared / "folder" / "report.csv", tmp_path / "mine"):
        with pytest.raises(OSError, match="shared/folder is a link in a folder that others can write to"):
            files.resolved(path)


@needs_posix
def test_an_outbox_is_not_found_by_a_planted_link(shared: Path, tmp_path: Path) -> None:
    """What somebody else has put there is not opened, though it leads to an outbox."""
    Outbox(tmp_path / "outbox.db").close()
    (shared / "outbox.db").symlink_to(tmp_path / "outbox.db")
    with pytest.raises(InvalidInput, match="link in a folder that others can write to"):
        Outbox(shared / "outbox.db")


@needs_posix
def test_a_link_of_ones_own_is_followed(tmp_path: Path) -> None:
    """In a folder where nobody else can put one: it stays, and what it leads to is replaced."""
    (tmp_path / "link").symlink_to("real")
    with files.replaced({tmp_path / "link": "utf-8"}) as opened:
        opened[tmp_path / "link"].write("new")
    assert (True, "new", 0o600) == (
        (tmp_path / "link").is_symlink(),
        (tmp_path / "real").read_text(),
        mode(tmp_path / "real"),
    )


@needs_posix
def test_links_in_a_circle_end(tmp_path: Path) -> None:
    """A link that leads to itself is an error when it is used, and no endless look."""
    (tmp_path / "a").symlink_to("b")
    (tmp_path / "b").symlink_to("a")
    with pytest.raises(OSError, match="circle"):
        files.resolved(tmp_path / "a")
    assert ["a", "b"] == names(tmp_path)


def test_a_failure_replaces_nothing(tmp_path: Path) -> None:
    """All of the files are put in place, or none; and nothing stays beside them."""
    first, second = tmp_path / "first", tmp_path / "second"
    first.write_text("old")
    with pytest.raises(KeyError), files.replaced({first: "utf-8", second: "utf-8"}) as opened:
        opened[tmp_path / "third"].write("new")
    assert ("old", ["first"]) == (first.read_text(), names(tmp_path))
