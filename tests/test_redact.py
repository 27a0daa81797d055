"""What may be shown: masked numbers and ids, scrubbed texts, short excerpts."""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devinotify.cli import errors
from devinotify.redact import (
    EXCERPT_LENGTH,
    Secret,
    SecretBytes,
    Secrets,
    conceal,
    excerpt,
    hide,
    kind_of,
    mask_id,
    mask_number,
    scrub,
)
from tests.strategies import numbers, passwords, words
from tests.tables import table

if TYPE_CHECKING:
    from collections.abc import Callable

session_ids = st.from_regex(r"[A-Z0-9]{36}", fullmatch=True)
guids = st.uuids().map(str)
gaps = st.sampled_from(["", " ", "-", " (", ") ", ".", "\xa0"])


@table(
    "raw, shown",
    [
        ("+79161234567", "+7916***4567"),
        ("79161234567", "7916***4567"),
        ("8 (916) 123-45-67", "8916***4567"),
        (" +7 916 123 45 67", "+7916***4567"),
        ("９１６１２３４５６７", "9161***4567"),
        ("123456789", "12***89"),
        ("123456", "12***56"),
        ("+12345", "+***"),
        ("1", "***"),
        ("oncall", "on***"),
        ("ops", "***"),
        ("", "***"),
    ],
)
def test_a_number_is_masked(raw: str, shown: str) -> None:
    """A number shows its two ends, a short or odd one less."""
    assert shown == mask_number(raw)


@given(number=numbers)
def test_a_masked_number_cannot_be_dialled(number: str) -> None:
    """No mask holds the number, or as many digits as a national number has."""
    shown = mask_number("+" + number)
    assert (number in shown, len(re.sub(r"\D", "", shown)) <= 8) == (False, True)


@table(
    "message_id, shown",
    [
        ("579700854169272358", "5797***2358"),
        ("SAR-GW01+79160000000-5f3b1972-2-1", "SAR-***-2-1"),
        ("GW0261BBD6B3", "GW02***D6B3"),
        ("12345678", "***"),
        ("", "***"),
    ],
)
def test_an_id_is_masked(message_id: str, shown: str) -> None:
    """An id shows its two ends, since some hold the recipient's number."""
    assert shown == mask_id(message_id)


@given(
    number=numbers,
    gap=gaps,
    before=st.sampled_from(["", "to ", "tel:+", "x"]),
    after=st.sampled_from(["", " now", "!"]),
)
def test_a_number_is_scrubbed_however_it_is_written(number: str, gap: str, before: str, after: str) -> None:
    """A number within a text is masked, grouped or not."""
    written = gap.join((number[:3], number[3:6], number[6:]))
    shown = scrub(before + written + after)
    assert (written in shown, number in re.sub(r"[^\d*]", "", shown)) == (False, False)


@given(session_id=st.one_of(session_ids, guids), around=st.sampled_from(["{}", "id {} ends", '"{}"', "={}&"]))
def test_a_session_id_is_scrubbed(session_id: str, around: str) -> None:
    """Nothing of a session id is left, whatever digits or hyphens it holds."""
    assert scrub(around.format(session_id)) == around.format("***")


@pytest.mark.parametrize(
    "form",
    [
        "?login=me&password={}&x=1",
        "Password={}",
        '(Data="{}")',
        "(Data='{}')",
        '[{{"Data": "{}',
        r"{{\"Data\":\"{}\"}}",
        "Data=&quot;{}&quot;",
        'data = "say \\"{}\\" now"',
    ],
)
@given(secret=st.one_of(passwords, words))
def test_what_is_named_is_scrubbed(form: str, secret: str) -> None:
    """A password, session id or text that a page quotes by name is masked."""
    assert secret not in scrub(form.format(secret))


@table(
    "text",
    [
        "Invalid user login or password",
        "SessionID expired",
        "error-validity-period-seconds-format",
        "Нельзя указывать диапазон дат более 90 дней.",
        "MessageID can not be null or empty Parameter name: messageid",
        "The parameters dictionary contains a null entry for parameter 'maxDateUtc' of non-nullable type 'DateTime'",
        "Invalid source address",
        "User/SessionID: Unauthorized access (code 4, HTTP 401): Invalid user login or password",
    ],
)
def test_the_gateways_own_words_are_left(text: str) -> None:
    """No documented description is scrubbed of anything."""
    assert text == scrub(text)


@table(
    "body, shown",
    [
        (b"<html><body><h1>502 Bad\r\n\tGateway</h1></body></html>", "502 Bad Gateway"),
        ("тело", "тело"),
        ("тело".encode(), "тело"),
        (b"\xff\xfe!", "��!"),
        (b"a\x00b\x1b[31mc", "ab[31mc"),
        (b"", ""),
        ("x " * 60, ("x " * 60).strip()),
        ("y " * 61, ("y " * 61)[: EXCERPT_LENGTH - 1] + "…"),
    ],
)
def test_an_excerpt_is_one_plain_line(body: bytes | str, shown: str) -> None:
    """An excerpt has no markup, no control characters and no line breaks."""
    assert shown == excerpt(body)


@given(body=st.one_of(st.binary(max_size=400), st.text(max_size=400)), limit=st.integers(1, 200))
def test_an_excerpt_is_short_and_printable(body: bytes | str, limit: int) -> None:
    """Whatever the body, the excerpt keeps its limit and can be printed."""
    shown = excerpt(body, limit)
    assert (len(shown) <= limit, shown.isprintable()) == (True, True)


@given(number=numbers, session_id=session_ids, filling=st.text(max_size=30))
def test_an_excerpt_shows_no_secret(number: str, session_id: str, filling: str) -> None:
    """Numbers and session ids are masked in an excerpt, markup between their digits or not."""
    shown = excerpt(f"{filling} {number} <b>{number[:5]}</b>{number[5:]} {session_id}", 1000)
    assert (number in shown, session_id in shown, number in shown.replace(" ", "")) == (False, False, False)


@table("text", ["2026-01-31", "2026-01-31T09:00+03:00", "from 2026-01-31 to 2026-02-28"])
def test_a_date_is_no_number(text: str) -> None:
    """Dates in a message of ours stay readable."""
    assert text == scrub(text)


TEXT = "Код подтверждения 4821, никому не говорите"
NUMBER = "79161234567"
SESSION = "Z5CYSZEKDL1DPICU37WEHQVOYKP0T1GSLHX1"


@table(
    "reply, shown",
    [
        ("bad word near 'подтверждения'", "bad word near '***'"),
        ("bad word near 'тверждени'", "bad word near '***'"),
        ("bad sign at 4821,", "bad sign at ***,"),
        ("КОД is wrong", "*** is wrong"),
        ("to 8 (916) 123-45-67.", "to 8 (***."),
        ("to 8/916/123/45/67!", "to 8/***!"),
        ("to +7_916_123_45_67", "to +***"),
        ("to +7\u2011916\u2011123\u201145\u201167", "to +***"),
        ("to ７９１６１２３４５６７", "to ***"),
        ("to 79161 and 234567", "to 79161 and ***"),
        ("session Z5CYSZEKDL1DPICU37 and WEHQVOYKP0T1GSLHX1", "session *** and ***"),
        ("session Z5CY-SZEK-DL1D-PICU-37WE-HQVO-YKP0-T1GS-LHX1", "session ***"),
        ("Invalid source address", "Invalid source address"),
    ],
)
def test_a_part_of_a_secret_is_concealed_however_it_is_written(reply: str, shown: str) -> None:
    """A piece of a text, a number in another notation, an id that is cut in two."""
    assert shown == conceal(reply, [TEXT, SESSION], [NUMBER])


def test_words_that_everybody_says_stay() -> None:
    """A text that speaks of an address does not hide what the gateway says of one."""
    known = "Invalid source address"
    assert "Invalid source address" == conceal(
        "Invalid source address", ["Your source address is invalid"], known=known
    )


@given(secret=words, before=st.text(max_size=20), after=st.text(max_size=20), start=st.integers(0, 3))
def test_no_piece_of_a_secret_is_left(secret: str, before: str, after: str, start: int) -> None:
    """Any seven characters of a secret in a row are gone, whatever stands around them."""
    piece = secret[start : start + 7]
    assert piece not in conceal(f"{before}{piece}{after}", [secret])


@table("secret", ["", "a", "ab"])
def test_what_is_too_short_is_no_secret(secret: str) -> None:
    """Hiding it would leave nothing to recognise."""
    assert "a bad gateway" == conceal("a bad gateway", [secret], [secret])


@table("value", [Secret("p4ssword"), Secret("p4ssword" * 30)[:80], hide("p4ssword"), hide(b"p4ssword")])
def test_a_secret_is_used_and_not_shown(value: object) -> None:
    """It is a text or bytes as any other, whose repr, and that of what holds it, shows nothing."""
    shown = f"{value!r} {[value]!r} { {'a': value}!r}"
    assert ("p4ss" in shown, isinstance(value, str | bytes)) == (False, True)


def test_a_secret_is_equal_to_its_text() -> None:
    """What it is compared with, written into or encoded as is its content."""
    assert ("p4ss", "p4ss", b"p4ss", hash("p4ss")) == (
        Secret("p4ss"),
        f"{Secret('p4ss')}",
        Secret("p4ss").encode(),
        hash(Secret("p4ss")),
    )
    assert (112, b"p4", str) == (SecretBytes(b"p4ss")[0], SecretBytes(b"p4ss")[:2], type(str(Secret("p4ss"))))


def test_several_secrets_are_counted_and_not_shown() -> None:
    """They can be gone through as often as one likes."""
    found = hide(number for number in ("1", "2"))
    assert isinstance(found, Secrets)
    assert (["1", "2"], ["1", "2"], 2, "<2 values that are not shown>") == (
        list(found),
        list(found),
        len(found),
        repr(found),
    )
    assert (found, None, 5) == (hide(found), hide(None), hide(5))


LONG = [
    "-",
    "a",
    "1",
    "a-",
    "a1",
    "1 ",
    "+7-",
    "data",
    "data ",
    "data=\\",
    "data=&quot;",
    'data="',
    "<",
    "(",
    "a:",
    "a:a@",
    "@",
]
"""What long texts may be made of, each a trap for a pattern that looks back or ahead from every place."""


def seconds(mask: Callable[[str], object], text: str) -> float:
    """Return the least time of the processor that it took, of three tries."""
    took = []
    for _ in range(3):
        start = time.process_time()
        mask(text)
        took.append(time.process_time() - start)
    return min(took)


@pytest.mark.untraced
@table("part", LONG)
@table("mask", [scrub, excerpt, errors.hide], ids=["scrub", "excerpt", "hide"])
def test_masking_takes_time_by_the_length(mask: Callable[[str], object], part: str) -> None:
    """Eight times the text takes some eight times as long: by the square of its length it would be 64 times."""
    count = 2_000 // len(part)
    assert seconds(mask, part * (8 * count)) < 24 * seconds(mask, part * count) + 0.002


@table(
    "text, expected",
    [
        ("--------------------------------", "--------------------------------"),
        ("a-long-word-that-is-joined-by-hyphens", "a-long-word-that-is-joined-by-hyphens"),
        ("of-" + "x" * 24, "of-***"),
        ("0f8fad5b-d9cb-469f-a165-70867728950e", "***"),
        ("-" * 24 + "7", "***"),
    ],
)
def test_a_run_is_a_token_by_what_it_holds(text: str, expected: str) -> None:
    """Hyphens and words alone stay, one digit or 24 letters in a row make it a session id."""
    assert expected == scrub(text)


def test_hidden_values_keep_the_name_of_their_type() -> None:
    """An error names the type that a caller gave, not ours."""
    assert ["list", "bytes", "int"] == [kind_of(Secrets(["a"])), kind_of(SecretBytes(b"a")), kind_of(1)]
