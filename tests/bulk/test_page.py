"""What the page of a report says, of campaigns of every kind."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from html import unescape

import pytest

from devinotify.bulk.page import render
from devinotify.bulk.summary import Heading, Summary
from devinotify.exceptions import InvalidInput
from devinotify.outbox import Row, RowState
from tests.bulk.sample import BEGUN, HEADING, NOW, sample
from tests.tables import table

MOSCOW = timezone(timedelta(hours=3))
ACCEPTED = Row(1, 1, "+79031234567", "sms", RowState.ACCEPTED)._replace(sent_at=BEGUN.timestamp() + 16, segments=2)


def facts(heading: Heading, *rows: Row, now: datetime = NOW) -> dict[str, str]:
    """Return what the first line tells of a campaign with these rows, without markup."""
    summary = Summary()
    for row in rows:
        summary.add([row], now.timestamp())
        summary.pay([row])
    found = re.findall(r"<dt>(.*?)</dt><dd>(.*?)</dd>", render(summary, heading, now))
    return {
        name: unescape(re.sub("<.*?>", "", words)).replace("\N{NO-BREAK SPACE}", " ").strip() for name, words in found
    }


def test_what_is_known_of_a_campaign() -> None:
    """In the time zone of the report."""
    assert {
        "Cost": "not told yet",
        "Recipients": "1",
        "Channel": "SMS",
        "Sender": "SHOP",
        "List": "customers.csv",
        "Begun": "26 January 2026, 13:04 UTC+3",
        "Sending took": "16 s",
        "Segments": "2",
    } == facts(HEADING, ACCEPTED, now=NOW.astimezone(MOSCOW))


def test_what_is_not_known_is_left_out() -> None:
    """Of a journal that was made before there were such notes."""
    assert {"Cost": "not told yet", "Recipients": "0", "Sending took": "nothing was sent yet"} == facts(Heading("c.db"))


@table(
    "at, expected",
    [
        (datetime(2026, 1, 28, 9, tzinfo=UTC), "28 January 2026, 12:00"),
        (datetime(2026, 1, 28, 9), "28 January 2026, 09:00, by each recipient's clock"),  # noqa: DTZ001 - a wall clock
    ],
)
def test_a_campaign_for_later(at: datetime, expected: str) -> None:
    """An instant, or each recipient's own wall clock."""
    told = facts(replace(HEADING, scheduled=at), ACCEPTED, now=NOW.astimezone(MOSCOW))
    assert expected == told["Scheduled for"]


def test_a_fallback_names_both_channels() -> None:
    """By the names that people know."""
    assert "Viber, then SMS" == facts(replace(HEADING, channel="viber-sms", steps=("viber", "sms")))["Channel"]


@table(
    "price, prices, expected",
    [
        (None, (), "not told yet"),
        ("2.10", (None, None), "8.40 estimated, by the price given"),
        ("2.10", ("5", None), "5.00 told for 1 of 2"),
        ("2.10", ("5", "5"), "10.00"),
    ],
)
def test_the_cost(price: str | None, prices: tuple[str | None, ...], expected: str) -> None:
    """What the gateway told, and for how many; else what the price that was given comes to."""
    heading = replace(HEADING, price=None if price is None else Decimal(price))
    rows = [ACCEPTED._replace(price=None if one is None else Decimal(one)) for one in prices]
    assert expected == facts(heading, *rows)["Cost"]


OPERATORS = {
    "7903": {"en": "Beeline", "ru": "Билайн"},
    "7999": {"en": "MegaFon", "ru": "МегаФон"},
    "7701": {"en": "Kcell/Activ"},
}
"""Whose ranges these are, whatever a later version of phonenumbers has."""


def plain(markup: str) -> str:
    """Return what is read of a piece of a page, its elements parted by a bar."""
    words = unescape(re.sub(r"(?:<[^>]+>\s*)+", "|", markup)).replace("\N{NO-BREAK SPACE}", " ")
    return words.strip("|")


@pytest.mark.parametrize(
    ("lang", "expected"),
    [
        (
            "en",
            [
                "By operator",
                "Operator|Recipients|Delivered|Delivered, %",
                "Russia · Beeline|472|419|88.7",
                "Russia · MegaFon|443|403|90.9",
                "Russia · not told by the number|333|295|88.5",
                "Kazakhstan · Kcell/Activ|141|123|87.2",
                "By the range of the number: one that was taken along to another operator counts with its first.",
            ],
        ),
        (
            "ru",
            [
                "По операторам",
                "Оператор|Получатели|Доставлено|Доставлено, %",
                "Россия · Билайн|472|419|88,7",
                "Россия · МегаФон|443|403|90,9",
                "Россия · по номеру не определить|333|295|88,5",
                "Казахстан · Kcell/Activ|141|123|87,2",
                "По диапазону номера: перенесённый к другому оператору учтён у прежнего.",
            ],
        ),
    ],
)
def test_by_operator(lang: str, expected: list[str]) -> None:
    """Whose numbers were reached, the largest first, where the numbers tell; its recipients are all there are."""
    page = render(sample(operators=OPERATORS), HEADING, NOW, lang)
    (section,) = (each for each in re.findall(r"<section.*?</section>", page, re.DOTALL) if expected[0] in each)
    head, rows, note = (
        plain(re.findall(of, section)[0]) for of in ("<h2>.*?</h2>", "<thead>.*?</thead>", "<p .*?</p>")
    )
    told = [plain(row) for row in re.findall("<tr>.*?</tr>", section.partition("<tbody>")[2])]
    assert expected == [head, rows, *told, note]
    assert sample().recipients == sum(int(row.split("|")[1]) for row in told)


@table(
    "lang, expected",
    [
        (
            "en",
            [
                "46|Expired: the phone was off or out of coverage|Try Viber or another time.|Failed",
                "17|Asked to get no messages|Leave it so.|Not sent",
                "12|Refused by the operator's message centre|Ask the provider about it.|Failed",
                "9|The account may not send there|Ask the provider what the account may send, and where to.|Refused",
                "8|Too short: digits are missing|Correct the numbers in the list.|Invalid",
                "5|A land line|Ask these people for a mobile number.|Invalid",
                (
                    "4|The answer was lost: the connection broke, or the run was ended"
                    "|They may have got the message: ask some of them before you send it again with --resend-unknown."
                    "|Unknown"
                ),
            ],
        ),
        (
            "ru",
            [
                "46|Истёк срок: телефон был выключен или вне сети|Попробуйте Viber или другое время.|Не доставлено",
                "17|Получатель отказался от сообщений|Оставьте как есть.|Не отправлено",
                "12|Отклонено СМС-центром оператора|Спросите провайдера.|Не доставлено",
                "9|Отправка туда не разрешена|Спросите провайдера, что и куда разрешено отправлять.|Отклонено шлюзом",
                "8|Слишком короткий: не хватает цифр|Исправьте номера в списке.|Неверный номер",
                "5|Городской телефон|Попросите у этих людей мобильный номер.|Неверный номер",
                (
                    "4|Ответ потерян: оборвалась связь или была прервана отправка"
                    "|Сообщение могло дойти: спросите кого-нибудь, прежде чем отправлять снова с --resend-unknown."
                    "|Неизвестно"
                ),
            ],
        ),
    ],
)
def test_why_messages_did_not_arrive(lang: str, expected: list[str]) -> None:
    """How many, what happened in plain words, and what to do; neither a code nor the name of a class."""
    page = render(sample(), HEADING, NOW, lang)
    assert expected == [plain(line) for line in re.findall(r"<li><b class=.count.*?</li>", page)]


def test_what_a_name_holds_is_no_markup() -> None:
    """Nor does any of it end the script or the style."""
    bad = "</script><b>&amp;\"'"
    page = render(sample(), Heading(bad, channel=bad, sender=bad, list_name=bad), NOW)
    assert (0, 0, 3) == (page.count(bad), page.count('<b>&amp;"'), page.count("</script>"))


def test_a_list_without_anybody() -> None:
    """It is said, and there is no curve and no script."""
    page = render(Summary(), HEADING, NOW)
    assert (True, False, True) == ("There is nobody to send to" in page, "<script" in page, "script-src 'none'" in page)


def test_a_list_that_is_not_all_there() -> None:
    """The first that is seen."""
    assert 'class="warning"' in render(Summary(complete=False), HEADING, NOW)


def test_the_parts_of_the_bar_add_up() -> None:
    """Its legend, each of its parts and the number below it say the same; parts that nobody is in take no room."""
    page = render(sample(), HEADING, NOW)
    legend = [int(count.replace(",", "")) for count in re.findall(r"</span> <b>([\d,]+)</b></li>", page)]
    bar = [int(count) for count in re.findall(r'style="flex-grow:(\d+)"', page)]
    assert (sample().numbers, legend) == (sum(bar), bar)
    assert f"counts once, {sample().numbers:,} in all" in page
    assert [] == re.findall(r"flex-grow", render(Summary(), HEADING, NOW).partition("</style>")[2])


def test_a_report_in_another_language_is_refused() -> None:
    """Before anything is made."""
    with pytest.raises(InvalidInput, match="en or ru"):
        render(sample(), HEADING, NOW, "de")
