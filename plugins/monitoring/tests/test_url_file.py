"""The file with the URL: what is in it, and who may read it."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from devinotify_monitoring.errors import SetupError
from devinotify_monitoring.url_file import url_in
from tests.support import file_of

if TYPE_CHECKING:
    from pathlib import Path

URL = "devino://login:s3cret@SENDER?outbox=/var/lib/devinotify/alerts.db"


@pytest.mark.parametrize(
    "written",
    [URL, f"  {URL}\n\n", f"# the account\n{URL}", f"DEVINOTIFY_URL={URL}", f'DEVINOTIFY_URL="{URL}"', f"\ufeff{URL}"],
)
def test_its_one_line(written: str, tmp_path: Path) -> None:
    """The URL alone, or as systemd's EnvironmentFile has it."""
    assert URL == url_in(file_of(written, tmp_path / "url"))


@pytest.mark.parametrize("mode", [0o600, 0o400])
def test_closed(mode: int, tmp_path: Path) -> None:
    """Its owner's alone."""
    assert URL == url_in(file_of(URL, tmp_path / "url", mode))


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604, 0o620, 0o666, 0o601])
def test_open_to_others(mode: int, tmp_path: Path) -> None:
    """It is refused, and it is said how to close it."""
    path = file_of(URL, tmp_path / "url", mode)
    with pytest.raises(SetupError) as error:
        url_in(path)
    said = f"--url-file: {path} is open to others than its owner ({mode:04o}): chmod 600 {path}"
    assert said == str(error.value)


@pytest.mark.parametrize("written", ["", "# nothing", f"{URL}\n{URL}"])
def test_another_number_of_lines(written: str, tmp_path: Path) -> None:
    """It is said what should be there, and not what is."""
    path = file_of(written, tmp_path / "url")
    with pytest.raises(SetupError, match="should hold one line") as error:
        url_in(path)
    assert "s3cret" not in str(error.value)


def test_what_is_not_a_file(tmp_path: Path) -> None:
    """A pipe is told, and not waited for; so are a folder, nothing, and bytes."""
    os.mkfifo(tmp_path / "pipe", 0o600)
    (tmp_path / "bytes").write_bytes(b"\xff\xfe")
    (tmp_path / "bytes").chmod(0o600)
    for name, said in (
        ("pipe", "is not a file"),
        ("", "Is a directory|is not a file"),
        ("nothing", "No such file"),
        ("bytes", "is not UTF-8"),
    ):
        with pytest.raises(SetupError, match=said):
            url_in(tmp_path / name)
