"""The GSM 7-bit alphabet against the standard's tables, over the whole of the BMP."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devinotify.exceptions import InvalidText
from devinotify.text import decode, encode, is_gsm7
from devinotify.text.alphabet import BASIC, EXTENDED, EXTENSION, GSM7
from tests.tables import table
from tests.text import reference
from tests.text.strategies import gsm7_texts


def test_the_basic_table_is_the_standards() -> None:
    """Each septet but the escape stands for the code point of TS 23.038, section 6.2.1."""
    expected = [chr(point) if point is not None else "\x1b" for point in reference.BASIC_CODE_POINTS]
    assert expected == list(BASIC)


def test_the_extension_table_is_the_standards() -> None:
    """Each escaped septet stands for the code point of TS 23.038, section 6.2.1.1."""
    assert {code: chr(point) for code, point in reference.EXTENSION_CODE_POINTS.items()} == dict(EXTENSION)


def test_every_code_point_of_the_bmp_is_in_the_alphabet_exactly_if_it_is_in_a_table() -> None:
    """All 65,536 code points of the BMP, surrogates included, and no other is GSM-7."""
    expected = {character for character in map(chr, range(0x10000)) if reference.is_gsm7(character)}
    assert expected == {character for character in map(chr, range(0x10000)) if is_gsm7(character)} == GSM7


def test_the_alphabet_has_127_characters_of_one_septet_and_10_of_two() -> None:
    """The counts of the standard's tables, without the escape."""
    assert (127, 10) == (len(GSM7 - EXTENDED), len(EXTENDED))


def test_the_escape_is_no_character() -> None:
    """U+001B cannot be sent in GSM-7."""
    assert not is_gsm7("\x1b")


@given(gsm7_texts)
def test_decoding_what_was_encoded_gives_the_text(text: str) -> None:
    """Encode and decode are a round trip for every GSM-7 text."""
    assert text == decode(encode(text))


def test_an_extended_character_is_an_escape_and_its_code() -> None:
    """The euro sign is 0x1B 0x65."""
    assert b"5\x1b\x65" == encode("5€")


def test_encoding_what_the_alphabet_lacks_names_the_position_and_hides_the_text() -> None:
    """The error says where, and never what."""
    with pytest.raises(InvalidText, match="position 6") as caught:
        encode("secretя")
    assert "secret" not in str(caught.value)


@given(st.binary(max_size=30).map(lambda octets: bytes(octet & 0x7F for octet in octets)))
def test_any_septets_decode(septets: bytes) -> None:
    """Whatever arrives, there is a text to show, a character for each septet but the escapes."""
    decoded = decode(septets)
    assert is_gsm7(decoded)
    assert len(septets) - septets.count(0x1B) <= len(decoded) <= len(septets)


@table(
    "septets, expected",
    [
        pytest.param(b"\x1bA", "A", id="a code that the extension lacks"),
        pytest.param(b"\x1b\x1b", " ", id="an escape of an escape"),
        pytest.param(b"A\x1b", "A ", id="an escape at the end"),
    ],
)
def test_odd_escapes_decode_as_a_handset_shows_them(septets: bytes, expected: str) -> None:
    """TS 23.038 says what to show for an escape that leads nowhere."""
    assert expected == decode(septets)


def test_bytes_that_are_no_septets_are_refused() -> None:
    """Above 0x7F there is no septet: such bytes are packed, or something else."""
    with pytest.raises(InvalidText, match="0x7F"):
        decode(b"\x80")
