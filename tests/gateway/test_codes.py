"""The tables of the API, held against the published ones, which are typed here once more."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devinotify import exceptions
from devinotify.gateway import codes
from devinotify.gateway.codes import ERRORS, SMS_STATES, VIBER_STATES, VIBER_WORDS, sms_status, viber_status
from tests.tables import table

# code: (HTTP status, description of the primary source, class, verdict of a send, a read is retried, a new login helps)
PUBLISHED_ERRORS = {
    1: (400, "Argument cannot be null or empty", "ArgumentMissing", "rejected", False, False),
    2: (400, "Invalid argument", "InvalidArgument", "rejected", False, False),
    3: (400, "Invalid session id", "InvalidSession", "rejected", False, True),
    4: (401, "Unauthorized access", "Unauthorized", "rejected", False, True),
    5: (403, "Not enough credits", "NotEnoughCredits", "rejected", False, False),
    6: (400, "Invalid operation", "InvalidOperation", "rejected", False, False),
    7: (403, "Forbidden", "Forbidden", "rejected", False, False),
    8: (500, "Gateway error", "GatewayFailure", "unknown", True, False),
    9: (500, "Internal server error", "InternalServerError", "unknown", True, False),
}

# state: (description of the primary source, delivered, final)
PUBLISHED_SMS_STATES = {
    -1: ("Отправлено (передано в мобильную сеть)", False, False),
    -2: ("В очереди", False, False),
    47: ("Удалено", False, True),
    -98: ("Остановлено", False, True),
    0: ("Доставлено", True, True),
    10: ("Неверно введен адрес отправителя", False, True),
    11: ("Неверно введен адрес получателя", False, True),
    41: ("Недопустимый адрес получателя", False, True),
    42: ("Отклонено смс-центром", False, True),
    46: ("Просрочено (истек срок жизни сообщения)", False, True),
    48: ("Отклонено Платформой", False, True),
    69: ("Отклонено", False, True),
    99: ("Неизвестный", False, False),
    255: ("Неизвестный", False, False),
}

# state: (meaning, delivered, final)
PUBLISHED_VIBER_STATES = {
    0: ("sending", False, False),
    1: ("sent", False, False),
    2: ("delivered, not read", True, True),
    3: ("delivered, read", True, True),
    4: ("not delivered", False, True),
    5: ("error", False, True),
    6: ("unknown", False, False),
    7: ("expired", False, True),
    8: ("link visited", True, True),
}

STATUS_OF_SMS = {
    -1: "sent",
    -2: "queued",
    -98: "stopped",
    0: "delivered",
    46: "expired",
    47: "deleted",
    **dict.fromkeys((10, 11, 41, 42, 48, 69), "rejected"),
    **dict.fromkeys((99, 255), "unknown"),
}
STATUS_OF_VIBER = {
    0: "queued",
    1: "sent",
    2: "delivered",
    3: "read",
    4: "undelivered",
    5: "failed",
    6: "unknown",
    7: "expired",
    8: "read",
}

# word: verdict of a send
PUBLISHED_WORDS = {
    "error-address-format": "rejected",
    "error-address-not-specified": "rejected",
    "error-address-unknown": "rejected",
    "error-content-not-specified": "rejected",
    "error-subject-format": "rejected",
    "error-subject-not-specified": "rejected",
    "error-subject-unknown": "rejected",
    "error-system": "unknown",
    "error-validity-period-seconds-format": "rejected",
    # Words of the vendor's other Viber API.
    "not-permitted": "rejected",
    "error-account-locked": "rejected",
    "error-route-not-found": "rejected",
}


def test_the_error_table_is_the_published_one() -> None:
    """Each code has the documented status and meaning, and what the design makes of them."""
    actual = {
        code: (row.http_status, row.meaning, row.error.__name__, row.verdict, row.read_retryable, row.needs_login)
        for code, row in ERRORS.items()
    }
    assert PUBLISHED_ERRORS == actual


def test_every_gateway_error_has_a_code() -> None:
    """Each class below GatewayError belongs to a code, but for the one of the Viber words."""
    classes = {kind.__name__ for kind in exceptions.GatewayError.__subclasses__()} - {"ViberRejected"}
    assert classes == {row.error.__name__ for row in ERRORS.values()}


@table("code", PUBLISHED_ERRORS)
def test_a_code_and_its_class_agree_on_the_verdict(code: int) -> None:
    """The table and the class say the same about what became of a send."""
    assert ERRORS[code].verdict == ERRORS[code].error.default_verdict


def test_the_sms_states_are_the_published_ones() -> None:
    """Each SMS state has its documented words, and is delivered and final as documented."""
    actual = {code: (row.description, row.status.is_delivered, row.status.is_final) for code, row in SMS_STATES.items()}
    assert PUBLISHED_SMS_STATES == actual


def test_the_viber_states_are_the_published_ones() -> None:
    """Each Viber state has its documented meaning, and is delivered and final as documented."""
    actual = {code: (row.meaning, row.status.is_delivered, row.status.is_final) for code, row in VIBER_STATES.items()}
    assert PUBLISHED_VIBER_STATES == actual


@table("code", PUBLISHED_SMS_STATES)
def test_an_sms_state_has_its_status(code: int) -> None:
    """Each SMS state maps to one of our statuses."""
    assert STATUS_OF_SMS[code] == sms_status(code)


@table("code", PUBLISHED_VIBER_STATES)
def test_a_viber_state_has_its_status(code: int) -> None:
    """Each Viber state maps to one of our statuses."""
    assert STATUS_OF_VIBER[code] == viber_status(code)


def test_states_that_the_table_lacks_are_known() -> None:
    """The vendor's own client has one more, and the SOAP twin of the API four; one of the five is final."""
    expected = {-97: "deleted", -40: "queued", -30: "sent", -20: "sent", -10: "sent"}
    assert expected == {code: sms_status(code) for code in codes.UNLISTED_SMS_STATES}
    assert [-97] == [code for code in expected if sms_status(code).is_final]


@table(
    "name, values",
    [
        ("SUCCESS_CODES", {0, 200}),
        ("OPEN_STATUSES", {408, 425, 444, 460, 499}),
        ("TEMPORARY_STATUSES", {408, 425, 429, 444, 460, 499}),
    ],
)
def test_the_rules_of_a_verdict_are_the_designs(name: str, values: set[int]) -> None:
    """What is no refusal, what leaves it open, and what passes."""
    assert values == getattr(codes, name)


def test_zero_means_two_things() -> None:
    """The trap of the API: 0 is delivered for SMS and sending for Viber."""
    assert (sms_status(0), viber_status(0)) == ("delivered", "queued")


@given(code=st.integers().filter(lambda code: code not in {*PUBLISHED_SMS_STATES, *codes.UNLISTED_SMS_STATES}))
def test_an_undocumented_sms_state_is_unknown(code: int) -> None:
    """A state outside the table raises nothing."""
    assert sms_status(code) == "unknown"


@given(code=st.integers().filter(lambda code: code not in PUBLISHED_VIBER_STATES))
def test_an_undocumented_viber_state_is_unknown(code: int) -> None:
    """A state outside the table raises nothing."""
    assert viber_status(code) == "unknown"


def test_the_viber_words_are_the_published_ones() -> None:
    """Each word is there with its verdict; ``ok`` is none of them, since it refuses nothing."""
    assert PUBLISHED_WORDS == {word: row.verdict for word, row in VIBER_WORDS.items()}


@table("table", [ERRORS, SMS_STATES, VIBER_STATES, VIBER_WORDS])
def test_a_table_is_keyed_by_its_rows(table: dict[object, object]) -> None:
    """Each row stands under its own code or word."""
    keys = [
        getattr(row, "code", None) if hasattr(row, "code") else getattr(row, "word", None) for row in table.values()
    ]
    assert list(table) == keys


@table("table", [ERRORS, SMS_STATES, VIBER_STATES, VIBER_WORDS])
def test_every_row_explains_itself(table: dict[object, object]) -> None:
    """Each row says in words what it means."""
    assert [row for row in table.values() if not getattr(row, "meaning", "")] == []


@table("table", [ERRORS, SMS_STATES, VIBER_STATES, VIBER_WORDS])
def test_a_table_cannot_be_changed(table: dict[object, object]) -> None:
    """The tables are the same for everybody."""
    with pytest.raises(TypeError):
        table[1] = None


@table(
    "name, value",
    [
        ("SESSION_LIFETIME", 7200),
        ("STATE_LIFETIME", 172800),
        ("SMS_MAX_LENGTH", 2000),
        ("SMS_MAX_VALIDITY", 10_080),
        ("VIBER_MAX_LENGTH", 1000),
        ("VIBER_MAX_VALIDITY", 1440),
        ("SENDER_MAX_LATIN", 11),
        ("SENDER_MAX_DIGITS", 15),
    ],
)
def test_a_limit_is_the_documented_one(name: str, value: int) -> None:
    """Each limit has the number that the API documents."""
    assert value == getattr(codes, name)
