"""Any text made into one that can be sent."""

from __future__ import annotations

import time
import unicodedata

from hypothesis import example, given
from hypothesis import strategies as st

from devinotify.text import check_sendable, is_gsm7, sendable
from devinotify.text.cleaning import CONTROLS
from tests.tables import table
from tests.text.strategies import any_texts

RED, PLAIN = "\x1b[1;31m", "\x1b[0m"
TERMINAL = [
    (f"{RED}disk full{PLAIN} on db1", "disk full on db1"),
    ("\x1b[38;2;255;0;0mred\x1b[m", "red"),
    ("\x1b[38:2::255:0:0mred\x1b[m", "red"),
    ("\x1b[2K\x1b[1A\x1b[?25lworking\x1b[?25h", "working"),
    ("\x1b(B\x1b[mdone", "done"),
    ("\x1b7here\x1b8", "here"),
    ("\x9b31mred\x9b0m", "red"),
    ("\x1b]0;window title\x07text", "text"),
    ("\x1b]8;;https://example.com/1\x1b\\link\x1b]8;;\x1b\\", "link"),
    ("\x9d0;title\x9ctext", "text"),
    ("\x1bPq#0;2;0;0;0\x1b\\image", "image"),
    ("cut off \x1b[1;3", "cut off "),
    ("cut off \x1b[", "cut off "),
    ("cut off \x1b", "cut off "),
    ("\x1b]0;never closed\nnext line", "]0;never closed\nnext line"),
    ("\x1b]0;never closed \x1b[31mred", "]0;never closed red"),
    ("\x1bПривет", "Привет"),
]
LINES = [
    ("one\r\ntwo\0", "one\r\ntwo"),
    ("one\rtwo", "one\ntwo"),
    ("one\ntwo", "one\ntwo"),
    ("one\n\ntwo", "one\n\ntwo"),
    ("one\vtwo\ftwo\x85four\u2028five\u2029six", "one\ntwo\ntwo\nfour\nfive\nsix"),
    ("name\tvalue", "name value"),
    ("\ufefffrom a file", "from a file"),
    ("a\0b\x07c\x7fd\x80e\x9ff", "abcdef"),
]
UNCHANGED = [
    *("", "Hello", "Привет\nмир\r\n", "a\u200db 👩\u200d👩\u200d👧"),
    *("soft\xadhyphen, no\xa0break", "[31m", "\ufffd", "\u202e\u05d0"),
]


@table("text, expected", TERMINAL)
def test_what_is_meant_for_a_terminal_goes(text: str, expected: str) -> None:
    """Colours, cursor, titles, links; of a sequence that is none only the control character."""
    assert expected == sendable(text)


@table("text, expected", LINES)
def test_lines_and_tabs_stay_in_a_form_that_gsm7_has(text: str, expected: str) -> None:
    """Every line end but CR LF is a new line, a tab is a space, other control characters are nothing."""
    assert expected == sendable(text)


@table("text", UNCHANGED)
def test_a_text_without_any_of_that_is_the_same_object(text: str) -> None:
    """Joiners, marks of direction and soft hyphens are the text's own."""
    assert text is sendable(text)


@table("character", [chr(code) for code in CONTROLS])
def test_a_control_character_takes_nothing_beside_it_away(character: str) -> None:
    """Whatever it becomes, the letters around it stay."""
    assert f"a{CONTROLS[ord(character)]}b".replace("\r", "\n") == sendable(f"a{character}b")


def test_every_control_character_of_unicode_has_an_answer() -> None:
    """A category that grows is noticed."""
    controls = {code for code in range(0x110000) if unicodedata.category(chr(code)) in {"Cc", "Zl", "Zp"}}
    assert controls == CONTROLS.keys() - {0xFEFF}


def test_half_of_a_surrogate_pair_becomes_a_question_mark() -> None:
    """A text in CP1251 that was read as UTF-8, as the command line and files bring it."""
    text = "Диск: полон".encode("cp1251").decode(errors="surrogateescape")
    assert "????: ?????" == sendable(text)


def test_two_halves_become_the_character_that_they_are() -> None:
    """As JSON's escapes bring them, and as every encoder but UTF-8 takes them."""
    told: list[str] = []
    assert ("😀", []) == (sendable("\ud83d\ude00", warn=told.append), told)


def test_what_was_lost_is_told_once_and_the_text_is_not_shown() -> None:
    """One sentence with how many characters it was."""
    told: list[str] = []
    assert ("secret ?? text?", 1) == (sendable("secret \ud83d\ud83d text\udc90", warn=told.append), len(told))
    assert (True, False) == ("3 lone surrogates" in told[0], "secret" in told[0])


def test_one_half_is_told_in_the_singular() -> None:
    """English."""
    told: list[str] = []
    sendable("\udc90", warn=told.append)
    assert "the text held a lone surrogate," in told[0]


@table("text", [f"{RED}red", "tab\t", "good"])
def test_without_a_loss_nothing_is_told(text: str) -> None:
    """Nobody misses a colour."""
    told: list[str] = []
    sendable(text, warn=told.append)
    assert [] == told


@given(st.one_of(any_texts, st.text(st.sampled_from("a;1[]m \n\r\x1b\x9b\x9d\x07\x9c\\(B\ud83d\ude00"))))
@example("\x1b\x1b[[m")
def test_every_text_has_a_form_that_can_be_sent(text: str) -> None:
    """It encodes, holds no control character but line ends, and cleaning it again changes nothing."""
    clean = sendable(text)
    check_sendable(clean)
    assert [] == [each for each in clean if unicodedata.category(each) in {"Cc", "Zl", "Zp"} and each not in "\r\n"]
    assert clean is sendable(clean)


@given(st.text(st.characters(blacklist_categories=["Cc", "Zl", "Zp", "Cs"], blacklist_characters="\ufeff")))
def test_a_text_that_can_be_sent_is_not_touched(text: str) -> None:
    """Whatever else is in it."""
    assert text is sendable(text)


@given(st.text(st.sampled_from("aя \n\x00\x07\x1b\x9b\t\ud83d\ufeff"), max_size=30))
def test_every_letter_stays_in_its_place(text: str) -> None:
    """Whatever is cleaned away around it."""
    assert "".join(filter(str.isalpha, text)) == "".join(filter(str.isalpha, sendable(text)))


@given(st.lists(st.sampled_from([*"aé€\n", RED, PLAIN, "\t", "\0"])).map("".join))
def test_what_is_cleaned_away_does_not_force_ucs2(text: str) -> None:
    """Letters of GSM-7 in colours, lines and columns go out as GSM-7."""
    assert is_gsm7(sendable(text))


@table("unit", ["\x1b]", "\x9d", "\x1b[", "\x9b1", "\x1b[ ", "\x1bP;", "\ud83d", "\r"])
def test_cleaning_takes_time_in_proportion_to_the_length(unit: str) -> None:
    """However a hostile text repeats the beginning of a sequence."""

    def seconds(text: str) -> float:
        start = time.thread_time()
        sendable(text)
        return time.thread_time() - start

    # Sixteen times as long: quadratic time would be 256 times as much.
    short, long = unit * 5_000, unit * 80_000
    assert min(seconds(long) for _ in range(3)) < 80 * min(seconds(short) for _ in range(3)) + 0.02
