"""What people write: every notation that is read, and everything else refused for its reason."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devinotify import phones
from devinotify.exceptions import InvalidPhoneNumber
from devinotify.phones import Reason, notation
from devinotify.phones.refusal import Refused

EXPECTED = "+79161234567"

WRITTEN = {
    "protocol": "79161234567",
    "with plus": "+79161234567",
    "leading 8": "89161234567",
    "ten digits": "9161234567",
    "brackets and dashes": "8 (916) 123-45-67",
    "plus in brackets": "(+7) 916 123 45 67",
    "whole in brackets": "(+7 916) 123-45-67",
    "square brackets": "[7] 916 1234567",
    "dots": "7.916.123.45.67",
    "slash": "8/916/123-45-67",
    "trunk prefix in brackets": "+7 (8) 916 123-45-67",
    "surrounding space": "  \t+79161234567\r\n",
    "line break inside": "8 916\n123-45-67",
    "no-break space": "+7\u00a0916\u00a0123\u00a045\u00a067",
    "narrow no-break space": "+7\u202f916\u202f123\u202f45\u202f67",
    "ideographic space": "+7\u3000916\u30001234567",
    "line separator": "+7 916\u2028123 45 67",
    "full-width": "＋７（９１６）１２３－４５－６７",
    "small plus": "﹢79161234567",
    "Arabic-Indic": "٧٩١٦١٢٣٤٥٦٧",
    "Extended Arabic-Indic": "+۷۹۱۶۱۲۳۴۵۶۷",
    "Devanagari": "७९१६१२३४५६७",
    "mathematical bold": "𝟕𝟗𝟏𝟔𝟏𝟐𝟑𝟒𝟓𝟔𝟕",
    "mixed scripts": "8 (٩۱６) 123-45-67",
    "keycaps": "7\ufe0f\u20e39\ufe0f\u20e3161234567",
    "en dash": "8–916–123–45–67",
    "em dash": "8—916—123—45—67",
    "non-breaking hyphen": "8‑916‑123‑45‑67",
    "figure dash": "8‒916‒123‒45‒67",
    "minus sign": "8−916−123−45−67",
    "hyphen bullet": "8⁃916⁃1234567",
    "middle dot": "8·916·1234567",
    "byte order mark": "\ufeff+79161234567",
    "left-to-right mark": "\u200e+79161234567\u200e",
    "bidi isolates": "\u2066+7 916 123-45-67\u2069",
    "zero width spaces": "7\u200b9\u200c1\u200d6\u20601234567",
    "soft hyphens": "8\u00ad916\u00ad1234567",
    "Hangul filler": "\u31648 916 1234567",
    "tel URI": "tel:+79161234567",
    "tel URI, upper case": "TEL:+7-916-123-45-67",
    "tel URI with slashes": "tel://+79161234567",
    "tel URI, local": "tel:89161234567",
    "tel URI, escaped": "tel:%2B7%20916%201234567",
    "tel URI, global context": "tel:9161234567;phone-context=+7",
    "tel URI, context with area": "tel:123-45-67;phone-context=+7-916",
    "tel URI, context beside a global number": "tel:+79161234567;phone-context=example.com",
    "tel URI, other parameters": "tel:+79161234567;npdi;rn=+79160000000",
    "parameters without the scheme": "+79161234567;phone-context=+7",
    "in angle brackets": "<tel:+79161234567>",
    "in quotes": '"+79161234567"',
    "in guillemets": "«8 916 123-45-67»",
    "Excel's apostrophe": "'79161234567",
    "trailing comma": "79161234567,",
    "international prefix": "0079161234567",
    "international prefix, spaced": "00 7 916 123-45-67",
    "Russian international prefix": "8~10 7 916 123-45-67",
    "Russian international prefix, no tilde": "810 7 916 1234567",
    "doubled plus": "++79161234567",
}


@pytest.mark.parametrize("raw", WRITTEN.values(), ids=WRITTEN)
def test_written(raw: str) -> None:
    """Whatever way a Russian mobile is written, the same number comes out."""
    assert phones.normalize(raw).e164 == EXPECTED


REFUSED = {
    "": Reason.EMPTY,
    " \u00a0\u200b\ufeff ": Reason.EMPTY,
    "\"'": Reason.EMPTY,
    "+": Reason.NOT_A_NUMBER,
    "+7": Reason.TOO_SHORT,
    "()": Reason.NOT_A_NUMBER,
    "tel:": Reason.NOT_A_NUMBER,
    "hello": Reason.NOT_A_NUMBER,
    "user@example.com": Reason.NOT_A_NUMBER,
    "8 916 CALL NOW": Reason.NOT_A_NUMBER,
    "Иван 89161234567": Reason.NOT_A_NUMBER,
    "7+9161234567": Reason.NOT_A_NUMBER,
    "*79161234567": Reason.NOT_A_NUMBER,
    "7.91612E+10": Reason.NOT_A_NUMBER,
    "79161234567.0": Reason.NOT_A_NUMBER,
    "7916123456.0": Reason.NOT_A_NUMBER,
    "+7916123456.00": Reason.NOT_A_NUMBER,
    "7²9161234567": Reason.NOT_A_NUMBER,
    "7①9161234567": Reason.NOT_A_NUMBER,
    "7\u03019161234567": Reason.NOT_A_NUMBER,
    "7\x009161234567": Reason.NOT_A_NUMBER,
    "\ud8009161234567": Reason.NOT_A_NUMBER,
    "79161234567, 79161234568": Reason.SEVERAL,
    "79161234567/79161234568": Reason.SEVERAL,
    "79161234567;79161234568": Reason.SEVERAL,
    "79161234567\n79161234568": Reason.SEVERAL,
    "79161234567\u202979161234568": Reason.SEVERAL,
    "8 (916) 123-45-67 доб. 123": Reason.EXTENSION,
    "8 (916) 123-45-67 добавочный 123": Reason.EXTENSION,
    "8 (916) 123-45-67 вн. 12": Reason.EXTENSION,
    "+79161234567 ext. 12": Reason.EXTENSION,
    "+79161234567 EXTENSION 12": Reason.EXTENSION,
    "+79161234567ｅｘｔ１２": Reason.EXTENSION,
    "+79161234567x12": Reason.EXTENSION,
    "+79161234567 х 12": Reason.EXTENSION,
    "+79161234567#12": Reason.EXTENSION,
    "+79161234567,12": Reason.EXTENSION,
    "+79161234567;12#": Reason.EXTENSION,
    "+79161234567;ext=12": Reason.EXTENSION,
    "+79161234567p12": Reason.EXTENSION,
    "tel:+79161234567;ext=12": Reason.EXTENSION,
    "tel:+79161234567; EXT = 12": Reason.EXTENSION,
    "tel:+79161234567;isub=12": Reason.EXTENSION,
    "tel:+79161234567;postd=pp22": Reason.EXTENSION,
    "tel:1234567;phone-context=example.com": Reason.PRIVATE,
    "tel:1234567;phone-context=": Reason.PRIVATE,
}


@pytest.mark.parametrize(("raw", "reason"), REFUSED.items(), ids=[ascii(raw) for raw in REFUSED])
def test_refused(raw: str, reason: Reason) -> None:
    """What is no single number is refused for what it is, never read for the digits in it."""
    with pytest.raises(InvalidPhoneNumber) as caught:
        phones.normalize(raw)
    assert caught.value.reason == reason


def _outcome(raw: str) -> str | Reason:
    try:
        return notation.read(raw)
    except Refused as refused:
        return refused.reason


def test_ascii_is_its_own_fold() -> None:
    """Text in ASCII is not looked at character by character."""
    raw = "8 (916) 123-45-67"
    assert notation.fold(raw) is raw


@given(st.text(max_size=40))
def test_folding_is_idempotent(raw: str) -> None:
    """What has been folded stays as it is."""
    once = notation.fold(raw)
    assert notation.fold(once) == once


@given(st.text(alphabet=st.characters() | st.sampled_from("+0123456789 ()-;,.tel:ext=#"), max_size=60))
def test_reading_gives_plus_and_digits_or_a_reason(raw: str) -> None:
    """Any text at all is read as plus and ASCII digits, or refused; nothing else comes out."""
    number = _outcome(raw)
    if not isinstance(number, Reason):
        assert re.fullmatch(r"\+?[0-9]+", number)


@given(st.text(alphabet="0123456789 ()-./+~\u00a0\u200b–", max_size=40))
def test_reading_keeps_the_digits(raw: str) -> None:
    """No digit is dropped, added or moved: a number read wrongly is a message to a stranger."""
    number = _outcome(raw)
    if not isinstance(number, Reason):
        assert number.removeprefix("+") == "".join(filter(str.isdigit, raw))
