"""What the page of symptoms says of other programs is so."""

from __future__ import annotations

import re
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from devinotify.exceptions import InvalidURL
from devinotify.url import parse
from tests.docs.pages import ROOT, blocks

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.once

PAGE = ROOT / "docs" / "troubleshooting.md"

_SERVER = """
import logging, uvicorn
from alerts import alert_by

class Phone(logging.Handler):
    def emit(self, record):
        print(record.getMessage())

uvicorn.Config("shop:app")  # sets its loggers up
phone = Phone()
logging.getLogger().addHandler(phone)
logging.getLogger("uvicorn.error").error("is lost")
alert_by(phone)
logging.getLogger("uvicorn.error").error("is told")
logging.getLogger("shop").error("is told too")
"""


def test_uvicorn_keeps_its_errors_to_itself(tmp_path: Path) -> None:
    """A handler of the root logger hears nothing of them, until it is given to uvicorn as the page shows."""
    (shown,) = (block for block in blocks(PAGE) if block.file == "alerts.py")
    (tmp_path / "alerts.py").write_text(shown.code, "utf-8")
    done = subprocess.run(
        [sys.executable, "-c", _SERVER], cwd=tmp_path, stdout=subprocess.PIPE, text=True, timeout=300, check=True
    )
    assert ["is told", "is told too"] == done.stdout.split("\n")[:-1]


def _characters() -> list[tuple[str, str, str]]:
    table = PAGE.read_text("utf-8").partition("| in a password |")[2].partition("\n\n")[0]
    return re.findall(r"^\| `(.)` \| `(%..)` \| (.+) \|$", table, re.MULTILINE)


@pytest.mark.parametrize(("character", "written", "told"), _characters())
def test_the_character_of_a_password(character: str, written: str, told: str) -> None:
    """Written as it is shown it is that character; left as it is, the error says what the page says."""
    assert f"p{character}w" == parse(f"devino://login:p{written}w@SENDER").password
    with pytest.raises(InvalidURL) as refused:
        parse(f"devino://login:p{character}w@SENDER")
    assert re.sub(r",? or there is .*", "", told) in str(refused.value)


def test_every_character_that_the_url_names_is_there() -> None:
    """But the colon, which is a character of a password like any other."""
    assert list("@#/?%") == [character for character, _, _ in _characters()]


def test_symptoms_lead_somewhere() -> None:
    """Each row of the first table leads to a section, a page, or says at once what to do."""
    table = PAGE.read_text("utf-8").partition("\n\n")[2].partition("\n\n")[0]
    rows = table.splitlines()[2:]
    assert [] == [row for row in rows if "](" not in row and "`devinotify " not in row]
