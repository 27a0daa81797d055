"""The laws of segmentation, and its values at the boundaries."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from devinotify.text import Encoding, SegmentLimits, count_segments, segment
from devinotify.text.graphemes import is_boundary
from tests.tables import table
from tests.text import reference
from tests.text.strategies import any_texts, long_texts, ucs2_texts

SMALL = SegmentLimits(gsm7=9, gsm7_part=5, ucs2=7, ucs2_part=4)
"""Limits that short texts reach, so that many boundaries are tried."""

BILLED_AS_OCTETS = SegmentLimits(gsm7=140, gsm7_part=134)

limits = st.sampled_from(
    [SMALL, SegmentLimits(), BILLED_AS_OCTETS, SegmentLimits(2, 2, 2, 2), SegmentLimits(3, 2, 3, 2)]
)
texts = st.one_of(any_texts, long_texts())


@given(texts, limits)
def test_the_parts_join_to_the_text(text: str, limits: SegmentLimits) -> None:
    """Nothing is lost, added or moved."""
    assert text == "".join(part.text for part in segment(text, limits).segments)


@given(texts, limits)
def test_each_part_stands_in_the_original_where_it_says(text: str, limits: SegmentLimits) -> None:
    """``position`` and ``end`` are those of the original."""
    parts = segment(text, limits).segments
    assert [part.text for part in parts] == [text[part.position : part.end] for part in parts]


@given(texts, limits)
def test_no_part_exceeds_its_limit(text: str, limits: SegmentLimits) -> None:
    """A single message has one limit, a part another."""
    result = segment(text, limits)
    single, part = limits.of(result.encoding)
    assert max(each.units for each in result.segments) <= (single if result.count == 1 else part)


@given(texts, limits)
def test_the_units_of_the_parts_are_those_of_their_characters(text: str, limits: SegmentLimits) -> None:
    """No character is counted in two parts: no sequence is split."""
    result = segment(text, limits)
    sizes = dict(zip(text, reference.units_of(text), strict=True))
    expected = [sum(sizes[character] for character in part.text) for part in result.segments]
    assert expected == [part.units for part in result.segments]
    assert result.units == sum(expected)


@given(texts, limits)
def test_the_encoding_is_gsm7_exactly_when_every_character_is_in_the_tables(text: str, limits: SegmentLimits) -> None:
    """One character outside the tables and the whole message is UCS-2."""
    expected = Encoding.GSM7 if reference.is_gsm7(text) else Encoding.UCS2
    assert expected is segment(text, limits).encoding


@given(st.one_of(st.text(max_size=60), ucs2_texts, long_texts()), limits)
@settings(deadline=None)  # the reference tries every cut
def test_no_other_cut_needs_fewer_parts(text: str, limits: SegmentLimits) -> None:
    """The count is the least that any way to cut reaches."""
    expected = reference.fewest_parts(text, limits.of(Encoding.GSM7), limits.of(Encoding.UCS2))
    assert expected == segment(text, limits).count


@given(texts, limits)
def test_every_way_to_count_agrees(text: str, limits: SegmentLimits) -> None:
    """The fast path, the arithmetic and the parts themselves have one answer."""
    result = segment(text, limits)
    assert (result.count, len(result.segments)) == (count_segments(text, limits),) * 2


@given(texts, st.text(st.sampled_from("aя€😀"), max_size=3), limits)
def test_a_longer_text_in_the_same_encoding_never_takes_fewer_segments(
    text: str, tail: str, limits: SegmentLimits
) -> None:
    """Monotone in length, but for the step from one encoding to the other."""
    before, after = segment(text, limits), segment(text + tail, limits)
    assert before.encoding is not after.encoding or before.count <= after.count


@given(texts, limits)
def test_what_remains_fits_and_one_more_does_not(text: str, limits: SegmentLimits) -> None:
    """``remaining`` units of one-unit characters fill the last segment to the brim."""
    result = segment(text, limits)
    filler = "a" * result.remaining
    assert (result.count, True) == (
        count_segments(text + filler, limits),
        count_segments(text + filler + "a", limits) > result.count,
    )


@table(
    "text, encoding, count, units, remaining",
    [
        pytest.param("", Encoding.GSM7, 1, 0, 160, id="the empty text"),
        pytest.param("a" * 160, Encoding.GSM7, 1, 160, 0, id="one full GSM-7 message"),
        pytest.param("a" * 161, Encoding.GSM7, 2, 161, 145, id="one septet too many"),
        pytest.param("a" * 306, Encoding.GSM7, 2, 306, 0, id="two full parts"),
        pytest.param("a" * 159 + "€", Encoding.GSM7, 2, 161, 145, id="a sequence across septet 160"),
        pytest.param("a" * 152 + "€" + "a" * 153, Encoding.GSM7, 3, 307, 151, id="a sequence across septet 153"),
        pytest.param("a" * 151 + "€" + "a" * 153, Encoding.GSM7, 2, 306, 0, id="a sequence that ends at septet 153"),
        pytest.param("€" * 80, Encoding.GSM7, 1, 160, 0, id="eighty euros"),
        pytest.param("€" * 153, Encoding.GSM7, 3, 306, 151, id="an odd part never fills with euros"),
        pytest.param("я" * 70, Encoding.UCS2, 1, 70, 0, id="one full UCS-2 message"),
        pytest.param("я" * 71, Encoding.UCS2, 2, 71, 63, id="one unit too many"),
        pytest.param("я" * 134, Encoding.UCS2, 2, 134, 0, id="two full UCS-2 parts"),
        pytest.param("я" * 69 + "😀", Encoding.UCS2, 2, 71, 63, id="an emoji across unit 70"),
        pytest.param("я" * 66 + "😀" + "я" * 67, Encoding.UCS2, 3, 135, 65, id="an emoji across unit 67"),
        pytest.param("я" * 65 + "😀" + "я" * 67, Encoding.UCS2, 2, 134, 0, id="an emoji that ends at unit 67"),
        pytest.param("😀" * 35, Encoding.UCS2, 1, 70, 0, id="thirty-five emoji"),
        pytest.param("😀" * 67, Encoding.UCS2, 3, 134, 65, id="an odd part never fills with emoji"),
        pytest.param("\x1b", Encoding.UCS2, 1, 1, 69, id="the escape is no character"),
        pytest.param("\x00" * 71, Encoding.UCS2, 2, 71, 63, id="NUL is in no table"),
        pytest.param("é\x00", Encoding.UCS2, 1, 2, 68, id="NUL beside what is"),
        pytest.param("é€" + "\x00" * 2 + "é", Encoding.UCS2, 1, 5, 65, id="NUL between what is"),
        pytest.param("\t" + "a" * 70, Encoding.UCS2, 2, 71, 63, id="a tab is in no table"),
        pytest.param("é" + "`" * 70 + "é", Encoding.UCS2, 2, 72, 62, id="nor is a backquote"),
        pytest.param("\ud83d", Encoding.UCS2, 1, 1, 69, id="a lone surrogate is one unit"),
        pytest.param("\udfff" * 71, Encoding.UCS2, 2, 71, 63, id="seventy-one lone surrogates"),
        pytest.param("\u0378" * 70, Encoding.UCS2, 1, 70, 0, id="an unassigned code point is one unit"),
        pytest.param("\U000e0378", Encoding.UCS2, 1, 2, 68, id="an unassigned one beyond the BMP is two"),
        pytest.param("\ufffe" * 3, Encoding.UCS2, 1, 3, 67, id="no byte order mark is made of a text's own"),
        pytest.param("é\ufffe", Encoding.UCS2, 1, 2, 68, id="U+FFFE is not in the code page"),
    ],
)
def test_values_at_the_boundaries(text: str, encoding: Encoding, count: int, units: int, remaining: int) -> None:
    """Where others go wrong: a character of two units at the end of a part."""
    result = segment(text)
    assert (encoding, count, units, remaining) == (result.encoding, result.count, result.units, result.remaining)
    assert count == count_segments(text)


def test_a_pair_of_surrogates_that_meets_on_the_wire_stays_together() -> None:
    """Two code points that are one character once encoded are not split, though each counts one unit."""
    text = "я" * 66 + "\ud83d\ude00" + "\U0001f600" + "я"
    assert ["я" * 66, "\ud83d\ude00\U0001f600я"] == [part.text for part in segment(text).segments]
    assert 2 == count_segments(text)


def test_a_surrogate_pair_at_the_end_of_a_part_is_found_when_counting() -> None:
    """The count of a text with surrogates counts the unit that a kept pair leaves empty."""
    text = "я" * 66 + "\ud83d\ude00" + "я" * 66
    assert 3 == count_segments(text) == segment(text).count


@pytest.mark.untraced
def test_every_code_point_counts_as_the_tables_say() -> None:
    """All of the BMP: a character's encoding and units are those of the reference."""
    points = [chr(point) for point in range(0x10000)]
    expected = [(reference.is_gsm7(each), reference.units_of(each)[0]) for each in points]
    results = map(segment, points)
    assert expected == [(result.encoding is Encoding.GSM7, result.units) for result in results]


@pytest.mark.untraced
def test_every_code_point_of_the_bmp_counts_beside_a_letter_that_is_not_ascii() -> None:
    """The second way to tell the encoding, taken by a text that is not ASCII, agrees with the tables."""
    points = [chr(point) for point in range(0x10000)]
    expected = [reference.is_gsm7(each) for each in points]
    assert expected == [segment("é" + each + "é").encoding is Encoding.GSM7 for each in points]


def test_limits_change_what_a_text_takes() -> None:
    """A gateway that bills Latin as octets counts 140 and 134."""
    assert (1, 2, 2, 3) == (
        count_segments("a" * 140, BILLED_AS_OCTETS),
        count_segments("a" * 141, BILLED_AS_OCTETS),
        count_segments("a" * 268, BILLED_AS_OCTETS),
        count_segments("a" * 269, BILLED_AS_OCTETS),
    )


@table("text", ["[" * 20_000, "a[" * 20_000, "😀" * 20_000, "я😀" * 20_000, "\ud800" * 20_000])
def test_a_very_long_text_is_counted_as_it_is_cut(text: str) -> None:
    """Hundreds of parts: more than one look takes in."""
    assert len(segment(text).segments) == count_segments(text)


def test_the_parts_carry_their_text_units_and_position() -> None:
    """What a part tells of itself."""
    parts = segment("я" * 69 + "😀").segments
    expected = [("я" * 67, 67, 0, 67), ("яя😀", 4, 67, 70)]
    assert expected == [(part.text, part.units, part.position, part.end) for part in parts]


def test_parts_are_equal_where_text_units_and_position_are() -> None:
    """And the hash agrees."""
    one, other = segment("a" * 306).segments
    (same, _) = segment("a" * 306).segments
    assert (True, True, False, False) == (one == same, hash(one) == hash(same), one == other, one == "a" * 153)


def test_a_part_does_not_change() -> None:
    """Its values cannot be set."""
    with pytest.raises(AttributeError):
        segment("мир").segments[0].units = 0  # type: ignore[misc]


def test_the_parts_are_made_once() -> None:
    """Asking again gives the same tuple."""
    result = segment("я" * 100)
    assert result.segments is result.segments


def test_a_segmentation_shows_itself_and_its_parts() -> None:
    """Results of text show texts: that is what they are for."""
    shown = repr(segment("мир"))
    expected = (
        "Segmentation(encoding='UCS-2', count=1, units=3, remaining=67,"
        " segments=(Segment(text='мир', units=3, position=0),))"
    )
    assert expected == shown


def test_segmentations_of_one_text_by_one_measure_are_equal() -> None:
    """Equality is that of the text and the limits, and the hash agrees."""
    one, same, other = segment("мир"), segment("мир"), segment("мир", BILLED_AS_OCTETS)
    assert (True, True, False, False) == (one == same, hash(one) == hash(same), one == other, one == "мир")


def test_a_segmentation_does_not_change() -> None:
    """Its values cannot be set."""
    with pytest.raises(AttributeError):
        segment("мир").units = 0  # type: ignore[misc]


def test_what_was_measured_can_be_read_back() -> None:
    """The text and the limits stay on the result."""
    result = segment("мир", SMALL)
    assert ("мир", SMALL) == (result.text, result.limits)


def test_a_gsm7_text_has_no_blockers_and_nothing_to_save() -> None:
    """What is cheap already is left alone."""
    result = segment("hello")
    assert ((), result, 0) == (result.blockers, result.replaced, result.savings)


def test_blockers_tell_what_forces_ucs2_and_what_replacing_them_saves() -> None:
    """One curly quote in a long text costs a segment, and says so."""
    result = segment("It’s " + "a" * 70)
    assert [("’", 2, "RIGHT SINGLE QUOTATION MARK", "'", "typography")] == list(result.blockers)
    assert (2, 1, 1, "It's " + "a" * 70) == (result.count, result.replaced.count, result.savings, result.replaced.text)


def test_replacing_may_cost_more() -> None:
    """A letter that is four in Latin is honest about it."""
    assert -1 == segment("щ" * 70).savings


# --- what a reader sees as one character, kept whole

FAMILY, FLAG, ACCENTED = "👩\u200d👩\u200d👧", "🇷🇺", "e\u0301"
CLUSTERS = st.lists(
    st.sampled_from([FAMILY, FLAG, ACCENTED, "👍🏽", "1\ufe0f\u20e3", "я", "a", "\r\n", " ", "\ud83d\ude00", "\ud83d"]),
    max_size=60,
).map("".join)


def test_a_family_is_parted_unless_its_graphemes_are_kept() -> None:
    """A handset joins the parts anyway; a counter that keeps graphemes says what such a provider bills."""
    text = "я" * 65 + FAMILY + "я"
    kept = segment(text, keep_graphemes=True)
    assert ([67, 7], [65, 9]) == (
        [each.units for each in segment(text).segments],
        [each.units for each in kept.segments],
    )
    assert (text, 74, 58) == ("".join(each.text for each in kept.segments), kept.units, kept.remaining)


def test_keeping_graphemes_may_take_a_segment_more() -> None:
    """What does not fit goes into the next part whole."""
    text = ("я" * 63 + FAMILY) * 2
    assert (3, 4) == (segment(text).count, segment("я" * 62 + text, keep_graphemes=True).count)


def test_one_message_that_fits_is_not_cut() -> None:
    """70 units stand alone, whatever they are."""
    assert 1 == segment("я" * 62 + FAMILY, keep_graphemes=True).count


@given(st.one_of(CLUSTERS, texts), limits)
def test_with_graphemes_kept_the_parts_obey_the_laws_of_parts(text: str, limits: SegmentLimits) -> None:
    """They join to the text, none exceeds its limit, and the units are those of the characters."""
    result = segment(text, limits, keep_graphemes=True)
    single, part = limits.of(result.encoding)
    assert text == "".join(each.text for each in result.segments)
    assert max(each.units for each in result.segments) <= (single if result.count == 1 else part)
    assert (result.units, result.encoding) == (
        sum(each.units for each in result.segments),
        segment(text, limits).encoding,
    )
    assert len(result.segments) == result.count >= segment(text, limits).count


@given(CLUSTERS)
def test_no_grapheme_is_cut_where_each_fits_a_part(text: str) -> None:
    """CR LF apart, which is two characters on the air."""
    result = segment(text, SegmentLimits(40, 20, 20, 10), keep_graphemes=True)
    cuts = [each.position for each in result.segments[1:]]
    halves = [place for place in cuts if text[place - 1] == "\ud83d" and text[place] == "\ude00"]
    assert [] == halves + [
        place for place in cuts if not is_boundary(text, place) and text[place - 1 : place + 1] != "\r\n"
    ]


def test_a_pile_of_accents_longer_than_a_part_is_cut_all_the_same() -> None:
    """There is no other way."""
    assert [67, 67, 7] == [each.units for each in segment("я" + "\u0301" * 140, keep_graphemes=True).segments]


@given(texts)
def test_gsm7_has_no_graphemes_of_several_characters(text: str) -> None:
    """There is nothing to keep, so such a text is cut as ever."""
    result = segment(text, SMALL, keep_graphemes=True)
    assert result.encoding is Encoding.UCS2 or result == segment(text, SMALL)


def test_what_is_cut_differently_is_not_equal() -> None:
    """Though the text is the same."""
    assert segment("я", keep_graphemes=True) != segment("я")
    assert segment("я", keep_graphemes=True) == segment("я", keep_graphemes=True)
    assert 2 == len({segment("я", keep_graphemes=True), segment("я")})
