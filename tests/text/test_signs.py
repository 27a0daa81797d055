"""The typographic table: everything the field expects in it, and nothing that GSM-7 has."""

from __future__ import annotations

from devinotify.text import convert, is_gsm7, to_gsm7
from devinotify.text.signs import TYPOGRAPHY, compatible
from tests.tables import table


def test_the_table_replaces_only_what_gsm7_lacks_and_only_by_what_it_has() -> None:
    """Both sides of every row."""
    assert [] == [each for each, plain in TYPOGRAPHY.items() if is_gsm7(each) or not is_gsm7(plain)]


@table(
    "characters, expected",
    [
        ("‘’‚‛′", "'"),
        ("“”„‟«»″", '"'),
        ("\u2010\u2011\u2012\u2013\u2014\u2015\u2212", "-"),
        ("\xa0\u2002\u2003\u2009\u202f\u3000\t", " "),
        ("\xad\u200b\u200c\u200d\u2060\ufeff\ufe0f", ""),
        ("…", "..."),
        ("№", "No"),
        ("₽", "RUB"),
        ("ﬁ", "fi"),
        ("Ａ", "A"),
        ("！", "!"),
    ],
)
def test_what_people_paste_is_replaced(characters: str, expected: str) -> None:
    """Quotes, dashes, spaces, invisible characters, signs, ligatures and fullwidth forms."""
    assert {expected} == set(map(to_gsm7, characters))


@table("character", ["漢", "a", "é"])
def test_what_stands_for_nothing_else_has_no_compatible_form(character: str) -> None:
    """Letters are themselves."""
    assert compatible(character) is None


def test_a_compatible_form_that_gsm7_lacks_is_none() -> None:
    """A circled ideograph stands for an ideograph, which helps nobody."""
    assert compatible("㊀") is None


SMART = [
    # what Twilio documents as replaced by its smart encoding, as ranges of code points
    *((0x00, 0x00), (0x03, 0x04), (0x09, 0x09), (0x10, 0x14), (0x17, 0x17), (0x19, 0x19), (0x60, 0x60), (0x80, 0x80)),
    *((0x8D, 0x8D), (0x90, 0x90), (0x9B, 0x9B), (0x9F, 0xA0), (0xAB, 0xAB), (0xB4, 0xB4), (0xBB, 0xBE), (0xF7, 0xF7)),
    *((0x1C3, 0x1C3), (0x262, 0x262), (0x26A, 0x26A), (0x274, 0x274), (0x280, 0x280), (0x28F, 0x28F), (0x299, 0x299)),
    *((0x29C, 0x29C), (0x29F, 0x29F), (0x2B9, 0x2BD), (0x2C6, 0x2C6), (0x2C8, 0x2C8), (0x2CA, 0x2CB), (0x2D0, 0x2D0)),
    *((0x2D6, 0x2D6), (0x2DC, 0x2DC), (0x2EE, 0x2EE), (0x2F7, 0x2F8), (0x302, 0x303), (0x313, 0x314), (0x326, 0x326)),
    *((0x330, 0x330), (0x332, 0x332), (0x334, 0x334), (0x337, 0x338), (0x347, 0x347), (0x1D00, 0x1D00)),
    *((0x1D04, 0x1D05), (0x1D07, 0x1D07), (0x1D0A, 0x1D0B), (0x1D0D, 0x1D0D), (0x1D0F, 0x1D0F), (0x1D18, 0x1D18)),
    *((0x1D1B, 0x1D1C), (0x1D20, 0x1D22), (0x1DCD, 0x1DCD), (0x2000, 0x200B), (0x2010, 0x2010), (0x2013, 0x2015)),
    *((0x2017, 0x201F), (0x2022, 0x2022), (0x2026, 0x2026), (0x2028, 0x2029), (0x202F, 0x202F), (0x2039, 0x203A)),
    *((0x203C, 0x203C), (0x2043, 0x2044), (0x204E, 0x204F), (0x205F, 0x2060), (0x20D2, 0x20D3), (0x20E5, 0x20E5)),
    *((0x2215, 0x2215), (0x2217, 0x2217), (0x2223, 0x2223), (0x223C, 0x223C), (0x229B, 0x229B), (0x239C, 0x239C)),
    *((0x239F, 0x239F), (0x23B8, 0x23B9), (0x23BC, 0x23BD), (0x23D0, 0x23D0), (0x2722, 0x2725), (0x2731, 0x2733)),
    *((0x273A, 0x273D), (0x2743, 0x2743), (0x2749, 0x274B), (0x275B, 0x275E), (0x2768, 0x276B), (0x2774, 0x2775)),
    *((0x27EE, 0x27EF), (0x2982, 0x2982), (0x2985, 0x2986), (0x29C6, 0x29C6), (0x29F5, 0x29F5), (0x29F8, 0x29F9)),
    *((0x3000, 0x3002), (0x301D, 0x301E), (0xA730, 0xA731), (0xA789, 0xA78A), (0xFE10, 0xFE11), (0xFE13, 0xFE16)),
    *((0xFE50, 0xFE52), (0xFE54, 0xFE54), (0xFE56, 0xFE57), (0xFE59, 0xFE5C), (0xFE5F, 0xFE66), (0xFE68, 0xFE6B)),
    *((0xFEFF, 0xFEFF), (0xFF01, 0xFF3F), (0xFF5B, 0xFF5E), (0xFF61, 0xFF61), (0xFF64, 0xFF64)),
]


@table("first, last", SMART, ids=[f"{first:04X}-{last:04X}" for first, last in SMART])
def test_what_other_gateways_replace_is_not_lost(first: int, last: int) -> None:
    """The whole list of the best known one: each has a plain spelling here, too."""
    assert [] == [f"{code:04X}" for code in range(first, last + 1) if convert(chr(code)).lost]


@table(
    "characters, expected",
    [
        ("❛❜❮❯", "'"),
        ("❝❞❠", '"'),
        ("─━╌", "-"),
        ("│║", "|"),
        ("┌┼┘╬", "+"),
        ("═", "="),
        ("✱✻❋", "*"),
        ("\x00\x07\x1b\x7f\x9b", ""),
        ("\U0001f3ff\U000e0067\U000e0100\u3164", ""),
        ("⃀", "KGS"),
    ],
)
def test_lines_stars_and_heavy_quotes_are_replaced(characters: str, expected: str) -> None:
    """Tables that programs draw, ornaments of messengers, and what nobody sees."""
    assert {expected} == set(map(to_gsm7, characters))


def test_small_capitals_are_capitals() -> None:
    """Messengers' way of standing out."""
    assert "HELLO" == to_gsm7("ʜᴇʟʟᴏ")


def test_digits_of_every_script_are_digits() -> None:
    """Each has the value that Unicode gives it."""
    digits = [chr(code) for code in range(0x80, 0x20000) if chr(code).isdecimal()]
    assert [str(int(each)) for each in digits] == [to_gsm7(each) for each in digits]
