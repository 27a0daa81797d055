"""The way to GSM-7: its laws, its steps, and its record of what was changed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devinotify.text import (
    STEPS,
    Blocker,
    Conversion,
    Step,
    accents,
    compatibility,
    compose,
    convert,
    count_segments,
    cyrillic,
    greek,
    is_gsm7,
    segment,
    to_gsm7,
    typography,
)
from devinotify.text.steps import character_name
from tests.tables import table
from tests.text.strategies import any_texts, long_texts

MIXED = "“Щи” ЩИ Х₸ №5 — 5₽ ﬁ½ é e\u0301 и\u0306 ё\u0301 Ωμέγα Łódź 😀 \u200d\xa0\t中 \ud800"
texts = st.one_of(any_texts, long_texts(), st.text(st.sampled_from(MIXED), max_size=40))


@given(texts)
def test_the_result_is_always_gsm7(text: str) -> None:
    """Whatever the text, surrogates and unassigned code points included."""
    assert is_gsm7(to_gsm7(text))


@pytest.mark.untraced
def test_every_code_point_of_the_first_two_planes_becomes_gsm7() -> None:
    """The BMP and the plane of the emoji, each code point with the whole pipeline."""
    assert [] == [point for point in range(0x20000) if not is_gsm7(to_gsm7(chr(point)))]


@given(texts)
def test_what_gsm7_has_stays_in_its_order(text: str) -> None:
    """A conversion adds and replaces; it never drops what needs no replacing."""
    kept = iter(to_gsm7(text))
    assert [] == [each for each in compose(text) if is_gsm7(each) and each not in kept]


@given(texts)
def test_converting_again_changes_nothing(text: str) -> None:
    """Idempotent."""
    once = to_gsm7(text)
    assert once == to_gsm7(once)


@given(st.one_of(texts), st.sampled_from(STEPS))
def test_a_step_yields_only_gsm7_for_what_it_changes(text: str, step: Step) -> None:
    """A step leaves no new blocker behind."""
    assert set() == {character for character in step(text) if not is_gsm7(character)} - set(text)


@given(texts)
def test_without_a_last_resort_a_text_that_stays_ucs2_never_grows(text: str) -> None:
    """It is replaced only where that saves segments or makes it GSM-7."""
    converted = to_gsm7(text, last_resort=None)
    saved = count_segments(converted) < count_segments(text)
    assert converted == text or is_gsm7(converted) or saved


@given(texts)
def test_the_record_of_changes_accounts_for_the_whole_result(text: str) -> None:
    """Putting each change in the place of what it replaced, cluster by cluster, gives the result."""
    conversion = convert(text)
    composed = compose(text)
    changes = iter(change for change in conversion.changes if change.step != "compose")
    rebuilt = "".join(each if is_gsm7(each) else next(changes).replacement for each in composed)
    assert (conversion.text, None) == (rebuilt, next(changes, None))


@given(texts)
def test_what_is_lost_is_what_the_last_resort_replaced(text: str) -> None:
    """Nothing becomes a question mark in silence."""
    conversion = convert(text)
    assert conversion.text.count("?") - conversion.original.count("?") <= len(conversion.lost)


@given(st.text(st.sampled_from("aя½漢😀\ue000"), max_size=30))
def test_each_character_that_nothing_knows_is_lost_and_told(text: str) -> None:
    """One question mark and one record for each, in order."""
    conversion = convert(text)
    unknown = [each for each in text if each in "漢😀\ue000"]
    assert unknown == [change.character for change in conversion.lost]
    assert len(unknown) == conversion.text.count("?")


def test_the_readme_example() -> None:
    """The one that the design shows."""
    assert 'Privet - "mir"' == to_gsm7("Привет — “мир”")


@table(
    "step, text, expected",
    [
        pytest.param(compose, "e\u0301 и\u0306", "é й", id="compose"),
        pytest.param(typography, "«Да» — №1…", '"Да" - No1...', id="typography leaves letters"),
        pytest.param(compatibility, "ﬃ ２０２５ ½ x² ㎏", "ffi 2025 1/2 x2 kg", id="compatibility"),
        pytest.param(cyrillic, "Щи — ЩИ", "Shchi — SHCHI", id="cyrillic leaves dashes"),
        pytest.param(greek, "Ωμέγα ΐ", "ΩMEΓA I", id="greek"),
        pytest.param(accents, "Łódź, Đorđe, ñandú, ø", "Lodz, Dorde, ñandu, ø", id="accents keep what GSM-7 has"),
    ],
)
def test_each_step_is_usable_by_itself(step: Step, text: str, expected: str) -> None:
    """A step does its own part and nothing else."""
    assert expected == step(text)


def test_the_steps_have_the_names_that_reports_use() -> None:
    """In the order in which they are taken."""
    assert ["typography", "compatibility", "cyrillic", "greek", "accents"] == [step.name for step in STEPS]


def test_a_gsm7_text_comes_back_unchanged() -> None:
    """What is cheap already is left alone, and that counts as applied."""
    assert Conversion("a§€", "a§€", (), applied=True) == convert("a§€")


def test_the_last_resort_is_reported_with_name_and_place() -> None:
    """A lost character is marked as such."""
    (change,) = convert("a😀").changes
    assert (Blocker("😀", 1, "GRINNING FACE", "?", "last_resort"), True) == (change, change.lost)


def test_the_last_resort_may_be_another_word() -> None:
    """Or none at all: the character is dropped, and reported."""
    assert ("a(?)", "a", "") == (
        to_gsm7("a😀", last_resort="(?)"),
        to_gsm7("a😀", last_resort=""),
        convert("a😀", last_resort="").changes[0].replacement,
    )


@table(
    "text, expected",
    [
        ("1😀2", "1 2"),
        ("1😀漢2", "1 2"),
        ("1\u200b😀2", "1 2"),
        ("1😀\u200b\ufe0f2", "1 2"),
        ("½😀5 😀 a😀2", "1/2 5  a2"),
    ],
)
def test_what_is_dropped_between_two_digits_leaves_a_space(text: str, expected: str) -> None:
    """Two numbers do not become one, and the record says so."""
    conversion = convert(text, last_resort="")
    changes = iter(change.replacement for change in conversion.changes)
    rebuilt = "".join(each if is_gsm7(each) else next(changes) for each in text)
    assert (expected, expected) == (conversion.text, rebuilt)


def test_a_last_resort_that_is_not_gsm7_is_refused() -> None:
    """It would not make the text GSM-7."""
    with pytest.raises(ValueError, match="GSM-7"):
        to_gsm7("😀", last_resort="…")


@table("answer, expected", [("Hanzi", "Hanzi"), ("", "?"), ("漢", "?")])
def test_the_last_resort_may_be_a_function(answer: str, expected: str) -> None:
    """An answer that GSM-7 lacks, or none, becomes a question mark."""
    assert expected == to_gsm7("漢", last_resort=lambda _: answer)


def test_anyascii_serves_as_the_last_resort() -> None:
    """The library of the ``text`` extra fits as it is."""
    anyascii = pytest.importorskip("anyascii").anyascii
    assert "Tbilisi: BeiJing" == to_gsm7("თბილისი: 北京", last_resort=anyascii).replace("t", "T", 1)


def test_what_does_not_pay_is_not_applied() -> None:
    """An ellipsis in a text that stays UCS-2 would only grow."""
    text = "漢…"
    assert Conversion(text, text, (), applied=False) == convert(text, last_resort=None)


def test_what_saves_segments_is_applied_though_the_text_stays_ucs2() -> None:
    """Joiners that nobody sees cost a segment; without them it is saved, and the rest is reported as it is."""
    text = "漢" + "\u200b" * 80
    conversion = convert(text, last_resort=None)
    assert ("漢", 80, True) == (conversion.text, len(conversion.changes), conversion.applied)


def test_fewer_steps_change_less() -> None:
    """Typography alone keeps a Cyrillic text as it is where it saves nothing."""
    assert ("Привет…", 'say "hi"') == (
        to_gsm7("Привет…", steps=(typography,), last_resort=None),
        to_gsm7("say “hi”", steps=(typography,), last_resort=None),
    )


def test_a_change_stands_where_its_cluster_begins() -> None:
    """Positions are those of the original, before anything was composed."""
    changes = convert("e\u0301 и\u0306 я").changes
    expected = [("e\u0301", 0, "é", "compose"), ("й", 3, "i", "cyrillic"), ("я", 6, "ia", "cyrillic")]
    assert expected == [(each.character, each.position, each.replacement, each.step) for each in changes]


def test_a_letter_is_spelled_as_its_neighbours_were_written() -> None:
    """What another step makes of a neighbour does not count."""
    assert ("KhKZT", "Kh") == (to_gsm7("Х₸"), convert("Х₸").changes[0].replacement)


def test_composed_hangul_is_one_change() -> None:
    """Letters of a syllable are one cluster."""
    assert [("\uac01", 0)] == [(each.character, each.position) for each in convert("\u1100\u1161\u11a8").changes]


@table(
    "character, expected",
    [
        ("ж", "CYRILLIC SMALL LETTER ZHE"),
        ("\x00", "CONTROL CHARACTER U+0000"),
        ("\ud800", "LONE SURROGATE U+D800"),
        ("\ue000", "PRIVATE USE CHARACTER U+E000"),
        ("\u0378", "UNASSIGNED CODE POINT U+0378"),
        ("\U00017000", "CHARACTER U+17000"),
    ],
)
def test_every_blocker_has_a_name(character: str, expected: str) -> None:
    """Where Unicode has none, its kind and its number."""
    assert expected == segment(character).blockers[0].name


def test_every_code_point_of_the_first_three_planes_has_words() -> None:
    """Named or not, assigned or not."""
    assert [] == [point for point in range(0x30000) if not character_name(chr(point))]


@given(texts)
def test_blockers_are_every_character_that_gsm7_lacks_in_order(text: str) -> None:
    """Each with the position where it stands in the original."""
    expected = [(place, each) for place, each in enumerate(text) if not is_gsm7(each)]
    assert expected == [(blocker.position, blocker.character) for blocker in segment(text).blockers]
