"""A sandbox as it looks after a morning's work, for pictures and for axe-core."""

from __future__ import annotations

import contextlib
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from devinotify import Client
from devinotify.exceptions import NotEnoughCredits

if TYPE_CHECKING:
    from devinotify.sandbox import Sandbox

SMS = (
    ("79035550101", "BANK", "Your code is 739201. Tell it to nobody."),
    ("79000000046", "CLINIC", "Запись на 9:00 завтра. Возьмите паспорт и полис."),
    ("79000000048", "ALERTS", "db-3: disk 91 % full"),
)
VIBER = (("79261112233", "SHOP", "Спасибо за покупку! 🎉\nОцените нас: https://example.com/r/4821"),)
RESENT = (("79000000024", "COURIER", "Доставка сегодня с 18 до 21. Ответьте 1, если время не подходит."),)
LAST = (
    ("79161234567", "SHOP", "Ваш заказ 4821 собран и ждёт вас на Ленинском, 42."),
    ("79164445566", "CRM", "<script>alert('hello')</script>"),
    (
        "79161234567",
        "CLINIC",
        (
            "Reminder — your appointment is tomorrow at 9:00. Please bring your passport and the policy. "
            "If you cannot come, reply NO and we will call you back…"
        ),
    ),
)
REFUSED = ("79000000005", "BANK", "Перевод 12 500 ₽ отправлен.")
SCHEDULED = ("79161234567", "SHOP", "Завтра привезём заказ 4821, с 10 до 14.")


def inhabit(sandbox: Sandbox) -> None:
    """Send messages of every kind, let them arrive, be refused or wait, and answer, read and tag some."""
    with Client(sandbox.url) as client:
        for to, sender, text in SMS:
            client.sms.send(to, text, sender=sender)
        for to, sender, text in VIBER:
            client.viber.send(to, text, sender=sender)
        for to, sender, text in RESENT:
            client.viber.send_with_resend(to, text, sender=sender)
        sandbox.advance(60)
        for to, sender, text in LAST:
            client.sms.send(to, text, sender=sender)
        with contextlib.suppress(NotEnoughCredits):
            client.sms.send(REFUSED[0], REFUSED[2], sender=REFUSED[1])
    sandbox.add_incoming("Спасибо, приду", "+79161234567")
    sandbox.advance(5)
    with Client(sandbox.url) as client:
        due = datetime.fromtimestamp(sandbox.now, UTC) + timedelta(hours=3)
        client.sms.send(SCHEDULED[0], SCHEDULED[2], sender=SCHEDULED[1], send_at=due)
    for search, given in (("status:delivered", {"read": True}), ("id:9", {"tags": ["reminders"]})):
        sandbox._ask("POST", "/inbox", search=search, **given)
