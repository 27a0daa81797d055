"""Texts: markup as a phone shows it, and parts that the API takes."""

from __future__ import annotations

import pytest
from apprise import NotifyFormat
from hypothesis import given
from hypothesis import strategies as st

from devinotify_apprise import texts


@pytest.mark.parametrize(
    ("markup", "expected"),
    [
        ("", ""),
        ("plain", "plain"),
        ("a<br>b<br/>c", "a\nb\nc"),
        ("<h1>Title</h1><p>one\n two</p><p>three</p>", "Title\none two\n\nthree"),
        ("<ul><li>one</li><li>two</li></ul>", "- one\n- two"),
        ("<a href='https://a.example/?b=1&amp;c=2'>page</a>.", "page (https://a.example/?b=1&c=2)."),
        ("<a href='https://a.example'>https://a.example</a>", "https://a.example"),
        ("<a href='https://a.example'></a>", "https://a.example"),
        ("<a href='#top'>up</a></a>", "up"),
        ("<a>nowhere</a>", "nowhere"),
        ("1 &lt; 2 &amp; &quot;3&quot; &#128293;", '1 < 2 & "3" 🔥'),
        ("<head><title>no</title></head><style>no</style>yes<script>no</script></script>", "yes"),
        ("<pre>a\n  b</pre>", "a\nb"),
        ("<img src='x' alt='logo'><img>", "logo"),
        ("<table><tr><th>a</th><td>b</td></tr><tr><td>c</td></tr></table>", "a b\n\nc"),
        ("<div><div><div>deep</div></div></div>after", "deep\n\nafter"),
    ],
)
def test_html(markup: str, expected: str) -> None:
    """Blocks and items are on lines of their own, links keep their addresses, what is unseen stays so."""
    assert expected == texts.readable(markup, NotifyFormat.HTML)


@pytest.mark.parametrize(
    ("markup", "expected"),
    [
        ("**bold** and *light* `code`", "bold and light code"),
        ("# Title\n\n1. one\n2. two", "Title\n- one\n- two"),
        ("[page](https://a.example)", "page (https://a.example)"),
        ("one\ntwo", "one\ntwo"),
    ],
)
def test_markdown(markup: str, expected: str) -> None:
    """The signs of Markdown are gone, its lines are not."""
    assert expected == texts.readable(markup, NotifyFormat.MARKDOWN)


def test_text_stays() -> None:
    """Text is text, with line breaks of one character."""
    assert "a < b\n*c*\nd" == texts.readable("a < b\r\n*c*\rd", NotifyFormat.TEXT)
    assert "a" == texts.readable("a", None)


@given(text=st.text(st.sampled_from("ab \n"), max_size=200), limit=st.integers(2, 40))
def test_parts(text: str, limit: int) -> None:
    """Every part fits, none is empty, and nothing is lost but spaces where it was cut."""
    parts = texts.parts(text, limit)
    assert all(0 < len(part) <= limit for part in parts)
    assert "".join(text.split()) == "".join("".join(parts).split())


def test_parts_break_between_lines_first() -> None:
    """A line end is a better place to cut than a space, a space better than a word."""
    assert ["one two", "three four"] == texts.parts("one two\nthree four", 12)
    assert ["one two", "three"] == texts.parts("one two three", 10)
    assert ["x" * 10, "x" * 5] == texts.parts("x" * 15, 10)
