"""What people write: every notation that is read, and everything else refused for its reason."""

from __future__ import annotations

import re
from datetime import date

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from devinotify import phones
from devinotify.exceptions import InvalidPhoneNumber
from devinotify.phones import Reason, notation
from devinotify.phones.refusal import Refused
from tests.laws import both_ways
from tests.strategies import changed
from tests.tables import table

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
    "variation selectors": "7\ufe00\ufe0e9161234567\ufe0f\U000e0100",
    "Mongolian and Khmer fillers": "7\u180b9\u17b4161234567\uffa0",
    "tags": "+7\U000e00319161234567",
    "five dotted groups": "8.916.123.45.67",
    "three dotted groups": "916.123.4567",
}


@table("raw", WRITTEN.values(), ids=WRITTEN)
def test_written(raw: str) -> None:
    """Whatever way a Russian mobile is written, the same number comes out."""
    assert phones.normalize(raw).e164 == EXPECTED


REFUSED = {
    "": Reason.EMPTY,
    " \u00a0\u200b\ufeff ": Reason.EMPTY,
    "\"'": Reason.EMPTY,
    "tel:;+79161234567": Reason.EMPTY,
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
    "7916123456⑴": Reason.NOT_A_NUMBER,
    "791612345⒈6": Reason.NOT_A_NUMBER,
    "7916123456🄂": Reason.NOT_A_NUMBER,
    "8916Ь1234567": Reason.NOT_A_NUMBER,
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
    "доб. 1311": Reason.EXTENSION,
    "ext 12": Reason.EXTENSION,
    "8 (916) 123-45-67 (доб. 1311)": Reason.EXTENSION,
    "8 (916) 123-45-67 внутр. 12": Reason.EXTENSION,
    "8 (916) 123-45-67 доп. 12": Reason.EXTENSION,
    "79161234567,0": Reason.NOT_A_NUMBER,
    "79161234567,00": Reason.NOT_A_NUMBER,
    "https://wa.me/79161234567": Reason.NOT_A_NUMBER,
    "https://example-shop.example/catalogue-of-spring/7916123456700": Reason.NOT_A_NUMBER,
    "www.example-shop.example/some-long-path;and-another-one": Reason.NOT_A_NUMBER,
    "Иванов, 89161234567": Reason.NOT_A_NUMBER,
    "Иванов Пётр Ильич, 8 (916) 123-45-67": Reason.NOT_A_NUMBER,
    "Иванов Пётр Ильич; Петрова Анна Ивановна": Reason.NOT_A_NUMBER,
    "Иванов, 89161234567, 89161234568": Reason.SEVERAL,
    "79161234567 79161234568": Reason.SEVERAL,
    "+79161234567 +79161234568": Reason.SEVERAL,
    "8 916 123-45-67 8 916 123-45-68": Reason.SEVERAL,
    "89161234567\t89161234568": Reason.SEVERAL,
    "79161234567-79161234599": Reason.SEVERAL,
    "94.181.97.164": Reason.NOT_A_NUMBER,
    "94.18.97.16/24": Reason.NOT_A_NUMBER,
    "94.181.97.164:8080": Reason.NOT_A_NUMBER,
    "916.123.45.67": Reason.NOT_A_NUMBER,
    "+8 (495) 123-45-67": Reason.AMBIGUOUS,
    "+8 495 1234567": Reason.AMBIGUOUS,
    "(+8) 495-123-45-67": Reason.AMBIGUOUS,
    "+8-916-123-45-67": Reason.AMBIGUOUS,
    "9.10.2024 8.00": Reason.NOT_A_NUMBER,
}


@table("raw, reason", REFUSED.items(), ids=[ascii(raw) for raw in REFUSED])
def test_refused(raw: str, reason: Reason) -> None:
    """What is no single number is refused for what it is, never read for the digits in it."""
    with pytest.raises(InvalidPhoneNumber) as caught:
        phones.normalize(raw)
    assert caught.value.reason == reason


def test_a_vietnamese_mobile_is_no_russian_area_code() -> None:
    """+84 and what follows is Vietnam's where it is written as Vietnam's."""
    written = ["+84951234567", "+84 95 123 45 67", "+84-951234567"]
    assert {"+84951234567"} == {phones.normalize(raw).e164 for raw in written}


@table("written", ["+8 80 1712 345678", "+8 8 6 912 345 678", "+8 (6) 139 1099 8888", "+8-1-90-1234-5678"])
def test_a_code_that_begins_with_8_is_read_on(written: str) -> None:
    """Bangladesh's, Taiwan's, China's and Japan's: another length, or no Russian area code behind the 8."""
    assert phones.normalize(written).e164[1:] == "".join(filter(str.isdigit, written))


COLUMNS = {
    "IP addresses": [
        "94.181.97.164",
        "91.60.12.34",
        "8.8.8.8",
        "192.168.10.101",
        "79.16.12.34",
        "9.16.123.45",
    ],
    "IP networks": ["94.18.97.16/24", "10.0.0.0/8", "91.60.12.0/22"],
    "dates": [
        "01.02.1990",
        "1/2/1990",
        "9.10.2024",
        "09-10-2024",
        "31.12.2024",
        "2024-01-02",
        "2024/1/2",
        "1990.05.12",
    ],
    "dates and times": [
        "9.10.2024 8.00",
        "9.12.1985 4.30",
        "2024-01-02 10:20",
        "2024-01-02T10:20:30",
        "01.02.1990 10-20",
    ],
    "INNs of people": ["500100732259", "770708389312", "910212345678", "890512345678"],
    "INNs of companies": ["7707083893", "7736207543", "5024002119", "7830002293", "0278081806"],
    "card numbers": ["4276123456789010", "4276 1234 5678 9010", "2200-7001-2345-6789", "9112 3456 7890 1234"],
    "accounts": ["40702810900000012345", "30101810400000000225"],
    "ranges of letters": ["A-Z", "а-я", "А–В", "A1:B10", "C79161234567:C79161234569", "А…Я", "a..z"],
    "ranges of numbers": ["916-926", "900–999", "79161234567-79161234599", "1-10"],
    "plates and articles": ["А123ВС77", "К916УС777", "ART-9161234567", "9161234567X"],
    "sums": ["9161234567.00", "9161234567,0", "1 000 000,00", "9 161 234,56"],
}
"""Columns of tables that are none of numbers, though some of their digits would do. A company's INN that begins with 9
is not among them: its ten digits are those of a mobile, and only its column tells them apart."""


@table("raw", [pytest.param(raw, id=f"{name}: {raw}") for name, raws in COLUMNS.items() for raw in raws])
def test_other_columns_hold_no_number(raw: str) -> None:
    """Whatever a table has beside the numbers, nobody is called by it."""
    with pytest.raises(InvalidPhoneNumber):
        phones.normalize(raw)


@given(st.tuples(*[st.integers(0, 255)] * 4), st.sampled_from(["RU", "KZ", "US", "IN", "VN"]))
def test_no_ip_address_is_a_number(octets: tuple[int, ...], region: str) -> None:
    """In no country."""
    with pytest.raises(InvalidPhoneNumber):
        phones.normalize(".".join(map(str, octets)), region)


@given(
    st.dates(min_value=date(1900, 1, 1), max_value=date(2099, 12, 31)),
    st.sampled_from(["%d.%m.%Y", "%d/%m/%Y", "%d-%m-%Y", "%Y-%m-%d", "%d.%m.%Y 8.30", "%Y-%m-%d 08.30"]),
    st.sampled_from(["RU", "DK", "SG", "US"]),
)
def test_no_date_is_a_number(day: date, form: str, region: str) -> None:
    """Nor with a time behind it, whatever separates its parts, also where numbers have eight digits."""
    written = day.strftime(form)
    for raw in (written, written.removeprefix("0")):
        with pytest.raises(InvalidPhoneNumber) as caught:
            phones.normalize(raw, region)
        assert Reason.NOT_A_NUMBER == caught.value.reason


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
@example("⁻")  # its twin is a minus that is not ASCII's
@example("㍍")  # its twin is four letters, one of which is written like a dash
@example("Ŀ")
def test_folding_is_idempotent(raw: str) -> None:
    """What has been folded stays as it is."""
    once = notation.fold(raw)
    assert notation.fold(once) == once


@both_ways(
    given(
        st.sampled_from([*WRITTEN.values()]).flatmap(
            lambda whole: changed(whole, ["", " ", "-", "\u200b", "+", ";", "ж", "5", "٣"])
        )
        | st.text(alphabet=st.characters() | st.sampled_from("+0123456789 ()-;,.tel:ext=#"), max_size=60)
    )
)
def test_reading_gives_plus_and_digits_or_a_reason(raw: str) -> bool:
    """Any text at all is read as plus and ASCII digits, or refused; nothing else comes out."""
    number = _outcome(raw)
    assert isinstance(number, Reason) or re.fullmatch(r"\+?[0-9]+", number)
    return not isinstance(number, Reason)


@given(st.text(alphabet="0123456789 ()-./+~\u00a0\u200b–", max_size=40))
def test_reading_keeps_the_digits(raw: str) -> None:
    """No digit is dropped, added or moved: a number read wrongly is a message to a stranger."""
    number = _outcome(raw)
    if not isinstance(number, Reason):
        assert number.removeprefix("+") == "".join(filter(str.isdigit, raw))
