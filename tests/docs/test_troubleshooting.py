"""What the page of symptoms says of other programs is so."""

from __future__ import annotations

import re

import pytest

from devinotify.exceptions import InvalidURL
from devinotify.url import parse
from tests.docs.pages import ROOT
from tests.tables import table

pytestmark = pytest.mark.once

PAGE = ROOT / "docs" / "troubleshooting.md"


def _characters() -> list[tuple[str, str, str]]:
    table = PAGE.read_text("utf-8").partition("| in a password |")[2].partition("\n\n")[0]
    return re.findall(r"^\| `(.)` \| `(%..)` \| (.+) \|$", table, re.MULTILINE)


@table("character, written, told", _characters())
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
