"""Held against other segmenters: they agree, but for the disagreements written down here, each with its reason.

Where a peer differs the standard decides, and the reference of these tests, which tries every cut, is with us.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devinotify.text import Encoding, count_segments, encode, is_gsm7, segment
from tests.tables import table
from tests.text import reference
from tests.text.strategies import long_texts

pytestmark = pytest.mark.once

smsutil: Any = pytest.importorskip("smsutil")
gsmmodem: Any = pytest.importorskip("gsmmodem.pdu")  # of python-gsmmodem-new
smpplib: Any = pytest.importorskip("smpplib.gsm")

ordinary_texts = st.one_of(long_texts(), st.text(max_size=200))
gsm7_texts = ordinary_texts.filter(is_gsm7)
ucs2_texts = ordinary_texts.filter(lambda text: not is_gsm7(text))


@given(ordinary_texts.filter(lambda text: text != "" and "\x1b" not in text))
def test_smsutil_agrees_on_encoding_and_parts(text: str) -> None:
    """Every text but those below."""
    expected = smsutil.split(text)
    result = segment(text)
    assert (expected.encoding == "gsm0338") == (result.encoding is Encoding.GSM7)
    assert [part.content for part in expected.parts] == [part.text for part in result.segments]


@given(gsm7_texts.map(lambda text: text.translate({0x0C: "[", 0xA7: "$"})).filter(lambda text: len(text) > 160))
def test_gsmmodem_agrees_on_the_parts_of_gsm7(text: str) -> None:
    """It leaves it to its caller to see that a text stands alone: so only texts of several parts compare."""
    assert gsmmodem.divideTextGsm7(text) == [part.text for part in segment(text).segments]


@given(gsm7_texts.map(lambda text: text.translate({0x0C: "[", 0xA7: "$"})))
def test_gsmmodem_agrees_on_the_septets(text: str) -> None:
    """One octet for each septet, the escape before an extended character."""
    assert bytes(gsmmodem.encodeGsm7(text)) == encode(text)


@given(ucs2_texts.filter(lambda text: max(text) <= "\uffff" and "`" not in text and "\x1b" not in text))
def test_smpplib_agrees_on_the_count_of_ucs2_without_pairs(text: str) -> None:
    """Where each character is one unit there is nothing to split wrongly."""
    assert len(smpplib.make_parts(text)[0]) == count_segments(text)


@given(gsm7_texts.filter(lambda text: not set(text) & (reference.DOUBLE | {"§"})))
def test_smpplib_agrees_on_the_count_of_gsm7_without_extension(text: str) -> None:
    """Where each character is one septet there is nothing to split wrongly."""
    assert len(smpplib.make_parts(text)[0]) == count_segments(text)


def smsutil_encoding(text: str) -> str:
    """What smsutil takes a text for, in our words."""
    return "GSM-7" if smsutil.split(text).encoding == "gsm0338" else "UCS-2"


def smsutil_count(text: str) -> int:
    """The number of smsutil's parts."""
    return len(smsutil.split(text).parts)


def smpplib_count(text: str) -> int:
    """The number of smpplib's parts."""
    return len(smpplib.make_parts(text)[0])


def smpplib_encoding(text: str) -> str:
    """What smpplib takes a text for, in our words."""
    return "GSM-7" if smpplib.make_parts(text)[1] == 0 else "UCS-2"


def gsmmodem_encoding(text: str) -> str:
    """What gsmmodem takes a text for, in our words."""
    try:
        gsmmodem.encodeGsm7(text)
    except ValueError:
        return "UCS-2"
    return "GSM-7"


def gsmmodem_count(text: str) -> int:
    """The number of gsmmodem's parts of a text in UCS-2."""
    return len(gsmmodem.divideTextUcs2(text))


ENCODINGS: list[tuple[Callable[[str], str], str, str, str]] = [
    (
        smsutil_encoding,
        "",
        "UCS-2",
        "its pattern wants a character, and an empty message has no reason to be UCS-2",
    ),
    (smsutil_encoding, "\x1b", "GSM-7", "it takes the escape, which is no character, for one"),
    (smpplib_encoding, "\x1b", "GSM-7", "it takes the escape, which is no character, for one"),
    (smpplib_encoding, "§", "UCS-2", "its table has a backquote where the standard has the section sign"),
    (smpplib_encoding, "`", "GSM-7", "for the same reason: a backquote arrives as a section sign"),
    (smpplib_encoding, "\f", "UCS-2", "its extension table lacks the form feed"),
    (gsmmodem_encoding, "\x1b", "GSM-7", "it takes the escape, which is no character, for one"),
    (gsmmodem_encoding, "§", "UCS-2", "its table has a backquote where the standard has the section sign"),
    (gsmmodem_encoding, "`", "GSM-7", "for the same reason: a backquote arrives as a section sign"),
    (gsmmodem_encoding, "\f", "UCS-2", "its extension table has U+00FF in place of the form feed"),
]
"""Peer, text, what the peer says of its encoding, and why it is not the standard's answer."""

COUNTS: list[tuple[Callable[[str], int], str, int, str]] = [
    (smsutil_count, "я" * 66 + "\ud83d\ude00" + "я" * 66, 2, "it splits a pair that is two code points of a string"),
    (smpplib_count, "a" * 152 + "€" + "a" * 152, 2, "it splits the escape at septet 153 from its character"),
    (smpplib_count, "я" * 66 + "😀" + "я" * 66, 2, "it splits the surrogate pair at unit 67"),
    (gsmmodem_count, "😀" * 36, 1, "it takes a character of two units for one"),
    (gsmmodem_count, "я" * 70, 2, "it cuts for the header though the text stands alone"),
]
"""Peer, text, how many segments the peer makes of it, and why that is not the standard's answer."""


@table("peer, text, theirs, reason", ENCODINGS)
def test_known_disagreements_on_the_encoding(peer: Callable[[str], str], text: str, theirs: str, reason: str) -> None:
    """The peer still says what is written down, and the reference says what we say."""
    ours = "GSM-7" if reference.is_gsm7(text) else "UCS-2"
    assert (theirs, ours) == (peer(text), segment(text).encoding), reason
    assert theirs != ours


@table("peer, text, theirs, reason", COUNTS)
def test_known_disagreements_on_the_count(peer: Callable[[str], int], text: str, theirs: int, reason: str) -> None:
    """The peer still says what is written down, and we say something else."""
    assert (theirs, True) == (peer(text), theirs != count_segments(text)), reason
