"""Why messages did not arrive, in plain words with what to do, in English and Russian: a table. Pure."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

from devinotify.bulk.parts import Part
from devinotify.outbox import RowState

if TYPE_CHECKING:
    from collections.abc import Mapping

    from devinotify.outbox import Row


class Said(NamedTuple):
    """What happened, and what may be done about it, in one language."""

    what: str
    then: str


class Reason(NamedTuple):
    """The same in each language."""

    en: Said
    ru: Said


_ASK = ("Ask the provider about it.", "Спросите провайдера.")
_LOOK = (
    "They may have got the message: ask some of them before you send it again with --resend-unknown.",
    "Сообщение могло дойти: спросите кого-нибудь, прежде чем отправлять снова с --resend-unknown.",
)
_RETRY = (
    "Nobody got it: send it to them again with --retry not_sent.",
    "Сообщение никто не получил: отправьте ещё раз с --retry not_sent.",
)
_AGAIN = (
    "Set it right, then send it to them again with --retry rejected,not_sent.",
    "Исправьте это и отправьте ещё раз с --retry rejected,not_sent.",
)
_CORRECT = ("Correct the numbers in the list.", "Исправьте номера в списке.")
_MOBILE = ("Ask these people for a mobile number.", "Попросите у этих людей мобильный номер.")
_SENDER = (
    "Check that the sender's name is registered for the account.",
    "Проверьте, зарегистрировано ли имя отправителя.",
)
_ELSEWHERE = ("Try SMS, or the fallback viber-sms.", "Попробуйте SMS или цепочку viber-sms.")


def _row(what: str, was: str, todo: tuple[str, str]) -> Reason:
    """Return a row of the table: what happened in English and Russian, and what to do in both."""
    return Reason(Said(what, todo[0]), Said(was, todo[1]))


_DELIVERIES = {
    "sms 10": _row("The network did not take the sender's name", "Сеть не приняла имя отправителя", _SENDER),
    "sms 11": _row("The network does not know the number", "Сеть не знает такого номера", _CORRECT),
    "sms 41": _row(
        "The number may not be sent to",
        "На этот номер отправлять нельзя",
        ("Take it off the list, or ask the provider why.", "Уберите его из списка или спросите провайдера о причине."),
    ),
    "sms 42": _row("Refused by the operator's message centre", "Отклонено СМС-центром оператора", _ASK),
    "sms 46": _row(
        "Expired: the phone was off or out of coverage",
        "Истёк срок: телефон был выключен или вне сети",
        ("Try Viber or another time.", "Попробуйте Viber или другое время."),
    ),
    "sms 48": _row("Refused by the provider's platform", "Отклонено платформой провайдера", _ASK),
    "sms 69": _row("Refused on the way", "Отклонено по пути", _ASK),
    "viber 4": _row("Not delivered: probably no Viber on the phone", "Не доставлено: вероятно, нет Viber", _ELSEWHERE),
    "viber 5": _row("An error of the Viber service", "Ошибка сервиса Viber", _ELSEWHERE),
    "viber 7": _row("Expired: Viber was not online in time", "Истёк срок: Viber не был в сети вовремя", _ELSEWHERE),
    "status undelivered": _row(
        "Not delivered", "Не доставлено", ("Try another channel or time.", "Попробуйте другой канал или время.")
    ),
    "status expired": _row(
        "Expired: nobody could be reached in time",
        "Истёк срок: получатель не был доступен вовремя",
        ("Try another channel or time.", "Попробуйте другой канал или время."),
    ),
    "status rejected": _row("Refused on the way", "Отклонено по пути", _ASK),
    "status deleted": _row("Deleted before it was delivered", "Удалено до доставки", _ASK),
    "status stopped": _row("Stopped before it was delivered", "Остановлено до доставки", _ASK),
    "status failed": _row("Failed on the way", "Ошибка при доставке", _ASK),
}

_NUMBERS = {
    "InvalidPhoneNumber empty": _row("No number in the row", "В строке нет номера", _CORRECT),
    "InvalidPhoneNumber not_a_number": _row("Not a phone number", "Это не номер телефона", _CORRECT),
    "InvalidPhoneNumber several_numbers": _row(
        "Several numbers in one cell",
        "Несколько номеров в одной ячейке",
        ("Give each number a row of its own.", "Запишите каждый номер в отдельной строке."),
    ),
    "InvalidPhoneNumber extension": _row("A number with an extension", "Номер с добавочным", _MOBILE),
    "InvalidPhoneNumber private_number": _row(
        "A number of a private exchange", "Номер внутренней телефонной станции", _MOBILE
    ),
    "InvalidPhoneNumber too_short": _row(
        "Too short: digits are missing", "Слишком короткий: не хватает цифр", _CORRECT
    ),
    "InvalidPhoneNumber too_long": _row("Too long", "Слишком длинный", _CORRECT),
    "InvalidPhoneNumber unknown_country_code": _row(
        "No country has a code like that", "Нет страны с таким кодом", _CORRECT
    ),
    "InvalidPhoneNumber invalid": _row("No such number exists", "Такого номера не существует", _CORRECT),
    "InvalidPhoneNumber ambiguous": _row(
        "Can be read as two numbers",
        "Можно прочесть как два разных номера",
        ("Write them with + and the country code.", "Запишите их с + и кодом страны."),
    ),
    "InvalidPhoneNumber fixed_line": _row("A land line", "Городской телефон", _MOBILE),
    "InvalidPhoneNumber premium": _row("A premium-rate number", "Платный номер", _MOBILE),
    "InvalidPhoneNumber toll_free": _row("A toll-free number", "Бесплатный номер (8-800)", _MOBILE),
    "InvalidPhoneNumber not_mobile": _row("A service number", "Служебный номер", _MOBILE),
    "InvalidPhoneNumber": _row("No usable number in the row", "В строке нет пригодного номера", _CORRECT),
}

_OURS = {
    "Suppressed opted_out": _row(
        "Asked to get no messages",
        "Получатель отказался от сообщений",
        ("Leave it so.", "Оставьте как есть."),
    ),
    "Suppressed excluded": _row(
        "Left out by --exclude or --exclude-journal",
        "Исключён списком или другой рассылкой",
        ("Nothing: so you asked.", "Ничего: так было задано."),
    ),
    "Suppressed": _row(
        "A plugin refused to send to the recipient",
        "Плагин не пропустил сообщение получателю",
        ("See the CSV for why.", "Причина указана в CSV."),
    ),
    "LimitExceeded": _row(
        "Over a limit of segments, messages or money",
        "Превышен лимит сегментов, сообщений или денег",
        (
            "Run the campaign again when the limit has room: `devinotify outbox limits` tells when.",
            "Запустите рассылку ещё раз, когда лимит освободится: когда — покажет `devinotify outbox limits`.",
        ),
    ),
    "InvalidText": _row(
        "The text of this row cannot be sent",
        "Текст этой строки нельзя отправить",
        ("See the CSV for why, and correct the list.", "Причина указана в CSV; исправьте список."),
    ),
    "InvalidSender": _row("The sender's name is not valid", "Недопустимое имя отправителя", _SENDER),
    "InvalidSchedule": _row(
        "The time of sending was not possible",
        "В назначенное время отправить было нельзя",
        ("Send again at another time, with --retry not_sent.", "Отправьте в другое время с --retry not_sent."),
    ),
    "PluginError": _row(
        "A plugin failed before the message was sent",
        "Плагин дал сбой до отправки",
        ("See the CSV for which; send again with --retry not_sent.", "См. CSV; отправьте ещё раз с --retry not_sent."),
    ),
    "NotSent": _row("The gateway could not be reached", "Шлюз был недоступен", _RETRY),
    "waiting": _row(
        "Still to be sent",
        "Ещё не отправлено",
        ("Run the campaign again to go on.", "Запустите рассылку ещё раз, чтобы продолжить."),
    ),
    "state not_sent": _row("Not sent", "Не отправлено", _RETRY),
}

_LATER = {
    "window": _row(
        "Held until the recipient's daily window opens",
        "Ждёт, пока у получателя откроется дневное окно",
        ("Nothing: the gateway sends it then.", "Ничего: шлюз отправит сообщение сам."),
    ),
    "scheduled": _row(
        "Its time of sending is still to come",
        "Назначенное время отправки ещё не наступило",
        ("Nothing: the gateway sends it then.", "Ничего: шлюз отправит сообщение сам."),
    ),
}

_REFUSALS = {
    "ArgumentMissing": _row("The gateway found something missing", "Шлюзу чего-то не хватило", _AGAIN),
    "InvalidArgument": _row(
        "The gateway did not take the number or the text",
        "Шлюз не принял номер или текст",
        ("Check these numbers and the text.", "Проверьте эти номера и текст."),
    ),
    "InvalidSession": _row("The gateway had ended the login", "Шлюз завершил сеанс", _AGAIN),
    "Unauthorized": _row("The login or password was wrong", "Неверный логин или пароль", _AGAIN),
    "NotEnoughCredits": _row(
        "The balance did not cover it",
        "На балансе не хватило средств",
        (
            "Top up the account, then send again with --retry rejected,not_sent.",
            "Пополните счёт и отправьте ещё раз с --retry rejected,not_sent.",
        ),
    ),
    "InvalidOperation": _row("The gateway did not allow this sender", "Шлюз не допускает этого отправителя", _SENDER),
    "Forbidden": _row(
        "The account may not send there",
        "Отправка туда не разрешена",
        (
            "Ask the provider what the account may send, and where to.",
            "Спросите провайдера, что и куда разрешено отправлять.",
        ),
    ),
    "ViberRejected error-address-format": _row("Viber did not take the number", "Viber не принял номер", _CORRECT),
    "ViberRejected error-address-not-specified": _row("Viber got no number", "Viber не получил номера", _CORRECT),
    "ViberRejected error-address-unknown": _row(
        "The account may not send to these numbers on Viber", "Отправка на эти номера в Viber не разрешена", _ASK
    ),
    "ViberRejected error-content-not-specified": _row(
        "Viber got no text",
        "Viber не получил текста",
        ("Check the text.", "Проверьте текст."),
    ),
    "ViberRejected error-subject-format": _row("Viber did not take the sender", "Viber не принял отправителя", _SENDER),
    "ViberRejected error-subject-not-specified": _row("Viber got no sender", "Viber не получил отправителя", _SENDER),
    "ViberRejected error-subject-unknown": _row(
        "The sender is not allowed on Viber", "Отправитель не разрешён в Viber", _SENDER
    ),
    "ViberRejected error-validity-period-seconds-format": _row(
        "Viber did not take the validity",
        "Viber не принял срок жизни",
        ("Set another validity on the URL.", "Укажите другой срок жизни в URL."),
    ),
    "ViberRejected not-permitted": _row(
        "The account may not send on Viber", "Учётной записи не разрешён Viber", _ELSEWHERE
    ),
    "ViberRejected error-account-locked": _row("The account is locked", "Учётная запись заблокирована", _ASK),
    "ViberRejected error-route-not-found": _row(
        "The account has no route to Viber", "У учётной записи нет маршрута в Viber", _ELSEWHERE
    ),
    "state rejected": _row("Refused by the gateway", "Отклонено шлюзом", _ASK),
}

_UNKNOWNS = {
    "GatewayFailure": _row("The gateway failed while it took the message", "Сбой шлюза при приёме сообщения", _LOOK),
    "InternalServerError": _row("The gateway failed inside", "Внутренний сбой шлюза", _LOOK),
    "ViberRejected error-system": _row("The Viber service failed", "Сбой сервиса Viber", _LOOK),
    "UnexpectedResponse": _row("The gateway's answer could not be understood", "Ответ шлюза не удалось понять", _LOOK),
    "OutcomeUnknown": _row(
        "The answer was lost: the connection broke, or the run was ended",
        "Ответ потерян: оборвалась связь или была прервана отправка",
        _LOOK,
    ),
    "in flight": _row(
        "Being sent just now, or cut off by a run that was killed",
        "Отправляется прямо сейчас или прервано вместе с отправкой",
        ("Run `devinotify bulk status` to find out.", "Выполните `devinotify bulk status`, чтобы узнать."),
    ),
    "no report": _row(
        "Sent, and no delivery report came in time",
        "Отправлено, но отчёт о доставке не пришёл вовремя",
        (
            "The provider may still know: ask with some of the ids in the CSV.",
            "Провайдер может знать больше: спросите по идентификаторам из CSV.",
        ),
    ),
    "state unknown": _row("What became of it is not known", "Что стало с сообщением, неизвестно", _LOOK),
}

REASONS: Mapping[str, Reason] = MappingProxyType(
    {**_DELIVERIES, **_NUMBERS, **_OURS, **_LATER, **_REFUSALS, **_UNKNOWNS}
)
"""Reason -> its words. A reason is a channel with the gateway's state, a status, an error with what it tells, or a name
of our own; ``reason`` finds the most specific one."""

_OPEN: Mapping[RowState, str] = MappingProxyType(
    {RowState.QUEUED: "waiting", RowState.CLAIMED: "in flight", RowState.ACCEPTED: "no report"}
)


def reason(row: Row, part: Part, now: float, *, windowed: bool = False) -> str | None:
    """Return why a row has not arrived, a key of ``REASONS``; ``None`` where it has, or is on its way.

    ``now`` is in seconds since the epoch; ``windowed`` says that the campaign has a daily window.
    """
    if part is Part.UNDER_WAY and row.sent_at is not None and row.sent_at > now:
        return "window" if windowed else "scheduled"
    if part in (Part.DELIVERED, Part.UNDER_WAY):
        return None
    if row.state is RowState.FAILED:
        known = (f"{row.via or row.channel} {row.status_code}", f"status {row.status}")
        return next((key for key in known if key in REASONS), "status failed")
    if row.state in _OPEN:
        return _OPEN[row.state]
    known = (f"{row.error} {row.error_reason}", str(row.error))
    return next((key for key in known if key in REASONS), f"state {row.state}")
