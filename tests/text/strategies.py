"""Texts that stress the boundaries: few kinds of characters, of one unit and of two, in lengths around a part's."""

from __future__ import annotations

from hypothesis import strategies as st

GSM7_CHARACTERS = "aZ 0@é\nΩ€[~\f"
UCS2_CHARACTERS = "aя€ …中😀𝄞\u200d"
ODD_CHARACTERS = "\x00\x1b\t`\ud83d\ude00\udfff\ufffe\uffff\U0010ffff\u0378"

gsm7_texts = st.text(st.sampled_from(GSM7_CHARACTERS), max_size=40)
ucs2_texts = st.text(st.sampled_from(UCS2_CHARACTERS), max_size=40)
any_texts = st.one_of(
    st.text(max_size=60),
    gsm7_texts,
    ucs2_texts,
    st.text(st.sampled_from(ODD_CHARACTERS + GSM7_CHARACTERS), max_size=20),
)


@st.composite
def long_texts(draw: st.DrawFn) -> str:
    """A text of up to some eight parts: runs of one character, with something of two units strewn in."""
    alphabet = draw(st.sampled_from([GSM7_CHARACTERS, UCS2_CHARACTERS, "ab€", "я😀"]))
    runs = draw(st.lists(st.tuples(st.sampled_from(alphabet), st.integers(1, 80)), max_size=8))
    return "".join(character * number for character, number in runs)
