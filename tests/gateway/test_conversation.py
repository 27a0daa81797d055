"""The conversation with the gateway, led by hand: replies in, requests out, and no socket, no clock and no thread."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule

from devinotify.exceptions import (
    DevinotifyError,
    GatewayError,
    GatewayFailure,
    InternalServerError,
    InvalidInput,
    NotSent,
    OutcomeUnknown,
    Unauthorized,
    UnexpectedResponse,
    Verdict,
)
from devinotify.gateway import calls, wire
from devinotify.gateway.conversation import (
    Conversation,
    Exchange,
    Instruction,
    LogIn,
    Pause,
    SessionState,
    Ticket,
    converse,
    lead,
    log_in,
)
from devinotify.gateway.http1 import Reply, ReplyTooLarge
from devinotify.instants import iso
from devinotify.models import BulkReceipt, IncomingSms, Receipt, SmsState, SmsStatistics, ViberState
from devinotify.url import DevinoURL
from tests.tables import table

if TYPE_CHECKING:
    from devinotify.gateway.calls import Call

NOW = datetime(2026, 5, 4, 10, 0, 0, tzinfo=UTC)
AT = NOW + timedelta(hours=1)
LOCAL = AT.replace(tzinfo=None)
SETTINGS = DevinoURL("acme", "p4ss&w0rd", "Acme", validity=90)
ONE, MANY = "8 916 123-45-67", ["79161234567", "+79031234567", "89161234567"]
NUMBER, NUMBERS = "+79161234567", ("+79161234567", "+79031234567")
SESSION = "Z5CYSZEKDL1DPICU37WEHQVOYKP0T1GSLHX1"
RENEWED = "A5CYSZEKDL1DPICU37WEHQVOYKP0T1GSLHX2"
EXPIRED = Reply(401, b'{"Code": 4, "Desc": "SessionID expired"}')
FAILED = Reply(500, b'{"Code": 8, "Desc": "Gateway error"}')
IDS = Reply(200, b'["id-1", "id-2"]')

STATE = '{"State": 0, "TimeStampUtc": "/Date(0)/", "Price": 1.5}'
INCOMING = '[{"Data": "STOP", "SourceAddress": "7926", "DestinationAddress": "7916", "ID": "5", "CreateDateUtc": null}]'
STATISTICS = (
    '{"Sent":1,"Delivered":2,"Errors":3,"InProcess":4,"Expired":5,"Rejected":6,"Total":7,"TotalWithErrors":8,'
    '"DeliveryRatio":9.5}'
)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

# Each operation but the login: the call, its method, its form besides the session, the reply, and the result.
_SMS = [("SourceAddress", "Acme")]
_TAIL = [("Data", "hi"), ("Validity", "90")]
_TO = [("DestinationAddress", "79161234567")]
_TO_MANY = [("DestinationAddresses", "79161234567"), ("DestinationAddresses", "79031234567")]
_DATE = [("SendDate", "2026-05-04T11:00:00")]
_SENT = Receipt(NUMBER, ("id-1", "id-2"), 2, "sms", 1, AT)
_SENT_MANY = BulkReceipt(NUMBERS, ("id-1", "id-2"), "sms", 1, AT)
_LAST = AT + timedelta(hours=12)
_VIBER = {"channel": "viber", "sent_at": NOW}
OPERATIONS: dict[str, tuple[Callable[[], Call[Any]], str, list[tuple[str, str]], str, object]] = {
    "User/Balance": (calls.balance, "GET", [], "20015.3", Decimal("20015.3")),
    "Sms/Send": (
        lambda: calls.sms_send(SETTINGS, ONE, "hi", NOW, send_at=AT),
        "POST",
        [*_SMS, *_TO, *_TAIL, *_DATE],
        '["id-1", "id-2"]',
        _SENT,
    ),
    "Sms/SendByTimeZone": (
        lambda: calls.sms_send_by_time_zone(SETTINGS, ONE, "hi", LOCAL, NOW),
        "POST",
        [*_SMS, *_TO, *_TAIL, *_DATE],
        '["id-1", "id-2"]',
        Receipt(NUMBER, ("id-1", "id-2"), 2, "sms", 1, _LAST),
    ),
    "Sms/SendBulk": (
        lambda: calls.sms_send_bulk(SETTINGS, MANY, "hi", NOW, send_at=AT),
        "POST",
        [*_SMS, *_TO_MANY, *_TAIL, *_DATE],
        '["id-1", "id-2"]',
        _SENT_MANY,
    ),
    "Sms/SendByTimeZoneToAddresses": (
        lambda: calls.sms_send_by_time_zone_to_addresses(SETTINGS, MANY, "hi", LOCAL, NOW),
        "POST",
        [*_SMS, *_TO_MANY, *_TAIL, *_DATE],
        '["id-1", "id-2"]',
        BulkReceipt(NUMBERS, ("id-1", "id-2"), "sms", 1, _LAST),
    ),
    "Sms/State": (
        lambda: calls.sms_state("SAR-W+84333"),
        "GET",
        [("messageId", "SAR-W+84333")],
        STATE,
        SmsState("delivered", 0, "", "SAR-W+84333", updated_at=EPOCH, price=Decimal("1.5")),  # type: ignore[arg-type]  # a StrEnum
    ),
    "Sms/In": (
        lambda: calls.sms_incoming(NOW - timedelta(hours=1), NOW, NOW),
        "GET",
        [("minDateUTC", "2026-05-04T09:00:00"), ("maxDateUTC", "2026-05-04T10:00:00")],
        INCOMING,
        [IncomingSms("5", "STOP", "7926", "7916", None)],
    ),
    "Sms/Statistics": (
        lambda: calls.sms_statistics(NOW - timedelta(hours=1), NOW),
        "GET",
        [("startDateTime", "2026-05-04T09:00:00"), ("endDateTime", "2026-05-04T10:00:00")],
        STATISTICS,
        SmsStatistics(1, 2, 3, 4, 5, 6, 7, 8, Decimal("9.5")),
    ),
    "Viber/Send": (
        lambda: calls.viber_send(SETTINGS, ONE, "hi", NOW, optional="a"),
        "POST",
        [*_SMS, *_TO, *_TAIL, ("Optional", "a")],
        '["id-1"]',
        Receipt(NUMBER, ("id-1",), 1, **_VIBER),  # type: ignore[arg-type]  # of several types
    ),
    "Viber/SendBulk": (
        lambda: calls.viber_send_bulk(SETTINGS, MANY, "hi", NOW, optionals=["a", "b", "c"]),
        "POST",
        [*_SMS, *_TO_MANY, *_TAIL, ("Optionals", "a"), ("Optionals", "b")],
        '["id-1", "id-2"]',
        BulkReceipt(NUMBERS, ("id-1", "id-2"), **_VIBER),  # type: ignore[arg-type]  # as above
    ),
    "Viber/SendWithResend": (
        lambda: calls.viber_send(SETTINGS, ONE, "hi", NOW, resend=True),
        "POST",
        [*_SMS, *_TO, *_TAIL],
        '["id-1"]',
        Receipt(NUMBER, ("id-1",), 1, resends=True, **_VIBER),  # type: ignore[arg-type]  # as above
    ),
    "Viber/SendWithResendBulk": (
        lambda: calls.viber_send_bulk(SETTINGS, MANY, "hi", NOW, resend=True),
        "POST",
        [*_SMS, *_TO_MANY, *_TAIL],
        '["id-1", "id-2"]',
        BulkReceipt(NUMBERS, ("id-1", "id-2"), resends=True, **_VIBER),  # type: ignore[arg-type]  # as above
    ),
    "Viber/State": (
        lambda: calls.viber_state("GW02"),
        "GET",
        [("messageId", "GW02")],
        STATE,
        ViberState("queued", 0, "", "GW02", updated_at=EPOCH, price=Decimal("1.5")),  # type: ignore[arg-type]  # as above
    ),
}
SENDS = [name for name, row in OPERATIONS.items() if row[1] == "POST"]
READS = [name for name in OPERATIONS if name not in SENDS]


class Led:
    """A conversation led by a script of answers, one for each instruction; it keeps the instructions."""

    def __init__(self, *answers: object) -> None:
        self.answers: Iterator[object] = iter(answers)
        self.instructions: list[Instruction] = []

    def __call__(self, instruction: Instruction) -> object:
        """Answer an instruction as the script says: a value, or an error to throw."""
        self.instructions.append(instruction)
        if isinstance(instruction, Pause):
            return None
        answer = next(self.answers)
        if isinstance(answer, DevinotifyError):
            raise answer
        return answer

    @property
    def pauses(self) -> list[float]:
        """The seconds of each pause."""
        return [instruction.seconds for instruction in self.instructions if isinstance(instruction, Pause)]

    @property
    def requests(self) -> list[wire.Request]:
        """The requests that were asked for."""
        return [instruction.request for instruction in self.instructions if isinstance(instruction, Exchange)]

    @property
    def logins(self) -> list[str | None]:
        """For each login that was asked for, the session that was refused before it."""
        return [instruction.refused for instruction in self.instructions if isinstance(instruction, LogIn)]


def form(request: wire.Request) -> list[tuple[str, str]]:
    """Return the parameters of a request."""
    text = urlsplit(request.target).query if request.body is None else request.body.decode()
    return parse_qsl(text, keep_blank_values=True)


def longest() -> float:
    """Return the number that gives the longest pause."""
    return 1.0


def fails(conversation: Conversation[Any], led: Led) -> DevinotifyError:
    """Return the error that a conversation ends with."""
    with pytest.raises(DevinotifyError) as caught:
        lead(conversation, led)
    return caught.value


def send() -> Call[Receipt]:
    """Return the sending of one SMS."""
    return calls.sms_send(SETTINGS, ONE, "hi", NOW)


def test_all_operations_are_here() -> None:
    """Together with the login they are the 14 of the API."""
    expected = {
        *("User/SessionID", "User/Balance", "Sms/Send", "Sms/SendByTimeZone", "Sms/SendBulk"),
        *("Sms/SendByTimeZoneToAddresses", "Sms/State", "Sms/In", "Sms/Statistics", "Viber/Send", "Viber/SendBulk"),
        *("Viber/SendWithResend", "Viber/SendWithResendBulk", "Viber/State"),
    }
    assert expected == {*OPERATIONS, "User/SessionID"} == {operation.name for operation in wire.OPERATIONS}


@table("name", OPERATIONS)
def test_an_operation_is_a_session_a_request_and_a_result(name: str) -> None:
    """A call asks for a session, then for one exchange of its form, and makes its result of the reply."""
    make, method, expected, body, result = OPERATIONS[name]
    led = Led(SESSION, Reply(200, body.encode()))
    assert result == lead(converse(make(), longest), led)
    (request,) = led.requests
    assert (method, f"/{name}", [("SessionID", SESSION), *expected]) == (
        request.method,
        urlsplit(request.target).path,
        form(request),
    )
    assert [LogIn, Exchange] == [type(instruction) for instruction in led.instructions]


def test_the_login_is_a_request_without_a_session() -> None:
    """It asks with login and password, and ends with the session id."""
    led = Led(Reply(200, f'"{SESSION}"'.encode()))
    assert SESSION == lead(log_in(SETTINGS, longest), led)
    assert [("Login", "acme"), ("Password", "p4ss&w0rd")] == form(led.requests[0])


@table("name", OPERATIONS)
@table("refusal", [EXPIRED, Reply(400, b'{"Code": 3, "Desc": "Invalid session id"}')])
def test_a_refused_session_is_renewed_once(name: str, refusal: Reply) -> None:
    """The same is asked again with another session, a send too, since the refused one was not sent."""
    make, _, expected, body, result = OPERATIONS[name]
    led = Led(SESSION, refusal, RENEWED, Reply(200, body.encode()))
    assert result == lead(converse(make(), longest), led)
    assert [[("SessionID", SESSION), *expected], [("SessionID", RENEWED), *expected]] == list(map(form, led.requests))
    assert ([None, SESSION], []) == (led.logins, led.pauses)


@table("name", OPERATIONS)
def test_a_session_that_is_refused_twice_is_the_end(name: str) -> None:
    """There is no third session."""
    led = Led(SESSION, EXPIRED, RENEWED, EXPIRED)
    error = fails(converse(OPERATIONS[name][0](), longest), led)
    assert (Unauthorized, 2, 2) == (type(error), len(led.requests), len(led.logins))


@table("name", SENDS)
@table("answer", [OutcomeUnknown("cut"), FAILED, Reply(503, b"<html>"), Reply(200, b"[]")])
def test_a_send_that_left_is_asked_for_once(name: str, answer: object) -> None:
    """What may have gone out is unknown, and nothing but an error comes of it."""
    led = Led(SESSION, answer)
    error = fails(converse(OPERATIONS[name][0](), longest), led)
    assert (Verdict.UNKNOWN, name, 1, False) == (error.verdict, error.operation, len(led.requests), error.retryable)


@table("name", OPERATIONS)
def test_what_never_left_is_tried_three_times_more(name: str) -> None:
    """After pauses that double, with the same request and the same session."""
    led = Led(SESSION, *[NotSent("refused") for _ in range(4)])
    error = fails(converse(OPERATIONS[name][0](), longest), led)
    assert (NotSent, name, [0.1, 0.2, 0.4], 4, 1) == (
        type(error),
        error.operation,
        led.pauses,
        len(led.requests),
        len(set(led.requests)),
    )


@table("values, kind", [({"Nope": 1}, NotSent), ({"messageId": 5}, NotSent), ({"messageId": "\ud800"}, InvalidInput)])
def test_a_request_that_cannot_be_made_is_not_sent(values: dict[str, wire.Value], kind: type[DevinotifyError]) -> None:
    """A fault of our own, or of what was given: nothing left, and nothing is tried again."""
    led = Led(SESSION)
    error = fails(converse(calls.Call(wire.SMS_STATE, values, str), longest), led)
    assert (kind, Verdict.NOT_SENT, False, []) == (type(error), error.verdict, error.retryable, led.requests)


@table("name", OPERATIONS)
def test_what_cannot_be_reached_by_trying_is_not_tried_again(name: str) -> None:
    """A certificate that is not trusted stays so."""
    led = Led(SESSION, NotSent("not trusted", retryable=False))
    fails(converse(OPERATIONS[name][0](), longest), led)
    assert (1, []) == (len(led.requests), led.pauses)


@table("name", READS)
@table("answer", [OutcomeUnknown("cut"), FAILED, Reply(503, b"<html>"), Reply(200, b"?")])
def test_a_read_is_asked_for_twice_more(name: str, answer: object) -> None:
    """A fault that passes costs a read two short pauses; one that stays is told."""
    make, _, _, body, result = OPERATIONS[name]
    led = Led(SESSION, answer, answer, Reply(200, body.encode()))
    assert (result, [0.1, 0.2]) == (lead(converse(make(), longest), led), led.pauses)
    led = Led(SESSION, answer, answer, answer)
    error = fails(converse(make(), longest), led)
    assert (name, 3, True) == (error.operation, len(led.requests), error.retryable)


@table("asked, waited", [(0.0, 0.1), (0.05, 0.1), (3.0, 3.0), (3600.0, 5.0)])
def test_a_pause_that_the_gateway_asks_for_is_made(asked: float, waited: float) -> None:
    """No shorter than it asks for, and no longer than five seconds."""
    led = Led(SESSION, Reply(503, b"", retry_after=asked), Reply(200, b"1"))
    lead(converse(calls.balance(), longest), led)
    assert [waited] == led.pauses


@given(chance=st.floats(0, 1))
def test_chance_shortens_a_pause_to_its_half_at_most(chance: float) -> None:
    """Each pause is drawn anew."""
    led = Led(SESSION, FAILED, FAILED, FAILED)
    fails(converse(calls.balance(), lambda: chance), led)
    assert [0.05 * (1 + chance), 0.1 * (1 + chance)] == pytest.approx(led.pauses)


@table(
    "failure, verdict, kind",
    [
        (NotSent("refused"), "not_sent", NotSent),
        (OutcomeUnknown("cut"), "not_sent", NotSent),
        (GatewayFailure("failed", code=8), "not_sent", GatewayFailure),
        (UnexpectedResponse("a page"), "not_sent", UnexpectedResponse),
        (Unauthorized("wrong", code=4), "rejected", Unauthorized),
    ],
)
@table("renewal", [False, True])
def test_a_failed_login_is_the_operations_failure(
    failure: DevinotifyError, verdict: str, kind: type[DevinotifyError], renewal: bool
) -> None:
    """Nothing of any operation was sent, at the first login and at the renewal."""
    for name, (operation, *_) in OPERATIONS.items():
        led = Led(SESSION, EXPIRED, failure) if renewal else Led(failure)
        error = fails(converse(operation(), longest), led)
        assert (verdict, name, kind) == (error.verdict, error.operation, type(error))
        assert renewal == len(led.requests)


@table("body", [b'{"Code": 9, "Desc": "Login or Password incorrect"}', b'{"Code": 9, "Desc": ""}'])
@table("status", [400, 401, 500])
def test_a_login_that_is_answered_by_code_9_is_not_repeated(status: int, body: bytes) -> None:
    """Some hosts refuse wrong credentials so; the same password again changes nothing."""
    led = Led(Reply(status, body))
    error = fails(log_in(SETTINGS, longest), led)
    assert (InternalServerError, False, 1) == (type(error), error.retryable, len(led.requests))


def test_any_other_login_is_a_read() -> None:
    """A gateway that fails for a moment is asked again."""
    led = Led(FAILED, OutcomeUnknown("cut"), Reply(200, f'"{SESSION}"'.encode()))
    assert (SESSION, [0.1, 0.2]) == (lead(log_in(SETTINGS, longest), led), led.pauses)


# --- incoming messages in halves -------------------------------------------------------------------


def too_large() -> OutcomeUnknown:
    """Return what a transport makes of a reply that is too large."""
    error = OutcomeUnknown("the reply is too large")
    error.__cause__ = ReplyTooLarge("the reply is too large")
    return error


class Mailbox:
    """A gateway with messages, one each some seconds, and a limit to what a reply may bring."""

    def __init__(self, received: list[int], limit: int, *, closed: bool = True) -> None:
        self.received = received
        self.limit = limit
        self.closed = closed
        self.asked: list[tuple[int, int]] = []

    def __call__(self, instruction: Instruction) -> object:
        """Answer one period: its messages, both its ends included or neither; or that there are too many."""
        if isinstance(instruction, LogIn):
            return SESSION
        assert isinstance(instruction, Exchange), "a reply that is too large is not asked for again"
        asked = dict(form(instruction.request))
        start, end = (
            int((datetime.fromisoformat(asked[name]).replace(tzinfo=UTC) - EPOCH).total_seconds())
            for name in ("minDateUTC", "maxDateUTC")
        )
        self.asked.append((start, end))
        found = [at for at in self.received if (start <= at <= end if self.closed else start < at < end)]
        if len(found) > self.limit:
            raise too_large()
        rows = [
            {"Data": "x", "SourceAddress": "7926", "DestinationAddress": "7916", "ID": at, "CreateDateUtc": None}
            for at in found
        ]
        return Reply(200, json.dumps(rows).encode())


START = int((NOW - EPOCH).total_seconds()) - 3600


@given(
    received=st.lists(st.integers(START, START + 600), unique=True, max_size=40).map(sorted),
    limit=st.integers(4, 12),
    length=st.integers(1, 600),
)
def test_a_period_with_too_many_messages_is_halved_until_each_fits(
    received: list[int], limit: int, length: int
) -> None:
    """Every message of the period comes, once, in order, whether the ends of a period belong to it or not."""
    since = EPOCH + timedelta(seconds=START)
    call = calls.sms_incoming(since, since + timedelta(seconds=length), NOW)
    closed, open_ = Mailbox(received, limit), Mailbox(received, limit, closed=False)
    expected = [str(at) for at in received if at <= START + length]
    assert expected == [message.id for message in lead(converse(call, longest), closed)]
    inner = [str(at) for at in received if START < at < START + length]
    found = [message.id for message in lead(converse(call, longest), open_)]
    assert sorted(set(found)) == sorted(found)
    # Two seconds cannot share one: only there may an end be lost to a gateway that leaves both out.
    assert set(found) <= set(inner)
    if all(end - start > 1 for start, end in open_.asked):
        assert inner == found


def test_the_halves_of_a_period_are_one_answer() -> None:
    """Two that do not fit into one reply come from one half each, as if they had."""
    since = EPOCH + timedelta(seconds=START)
    call = calls.sms_incoming(since, since + timedelta(seconds=60), NOW)
    mailbox = Mailbox([START + 10, START + 50], 1)
    messages = lead(converse(call, longest), mailbox)
    assert ([str(START + 10), str(START + 50)], 3) == ([message.id for message in messages], len(mailbox.asked))


def test_a_second_with_too_many_messages_is_told() -> None:
    """There is no shorter period to ask for, and the error says so."""
    since = EPOCH + timedelta(seconds=START)
    call = calls.sms_incoming(since, since + timedelta(seconds=4), NOW)
    mailbox = Mailbox([START + 2], 0)
    with pytest.raises(OutcomeUnknown, match="shortest period holds more than one reply may bring") as caught:
        lead(converse(call, longest), mailbox)
    assert ("Sms/In", False) == (caught.value.operation, caught.value.retryable)
    start, end = mailbox.asked[-1]
    before, after = (iso(EPOCH + timedelta(seconds=at)) for at in (start, end))
    assert f"ask for what was received before {before} and after {after} apart, and Devino's support" in str(
        caught.value
    )


@table("name", [name for name in READS if name != "Sms/In"])
def test_another_reply_that_is_too_large_is_not_asked_for_again(name: str) -> None:
    """It would be as large again."""
    led = Led(SESSION, too_large())
    error = fails(converse(OPERATIONS[name][0](), longest), led)
    assert (OutcomeUnknown, False, 1) == (type(error), error.retryable, len(led.requests))


def test_messages_without_an_id_are_kept_apart_by_what_they_say() -> None:
    """Two that are equal in all are one message of both halves; two that differ are two."""
    call = calls.sms_incoming(NOW - timedelta(seconds=10), NOW, NOW)
    assert call.join is not None
    first, second = IncomingSms("", "a", "1", "2"), IncomingSms("", "b", "1", "2")
    assert [first, second] == call.join([first], [first, second])


def test_only_incoming_messages_have_halves() -> None:
    """What is sent is never asked for in two."""
    assert ["Sms/In"] == [name for name, row in OPERATIONS.items() if row[0]().halves is not None]


# --- what is shown ---------------------------------------------------------------------------------


@table("name", OPERATIONS)
def test_no_step_and_no_call_shows_what_it_holds(name: str) -> None:
    """Neither a session id nor a number nor a text stands in a repr."""
    make, _, _, body, _ = OPERATIONS[name]
    call, led = make(), Led(SESSION, EXPIRED, RENEWED, Reply(200, body.encode()))
    lead(converse(call, longest), led)
    shown = f"{call!r}{dict(call.values)!r}{led.instructions!r}{Reply(200, body.encode())!r}"
    leaked = [secret for secret in (SESSION, RENEWED, "9161234567", "'hi'", "SAR-W", "GW02", body) if secret in shown]
    assert leaked == []


# --- the session -----------------------------------------------------------------------------------


class SessionLife(RuleBasedStateMachine):
    """Sends led by hand through one session, while it ends, logins fail, and time goes by."""

    def __init__(self) -> None:
        super().__init__()
        self.state = SessionState()
        self.now = 0.0
        self.login: DevinotifyError | None = None
        self.logins: list[float] = []
        self.valid: dict[str, float] = {}
        self.paused_until = 0.0
        self.refusals = 0

    @rule(seconds=st.sampled_from([0.5, 1.0, 29.0, 6899.0, 7200.0]))
    def wait(self, seconds: float) -> None:
        """Let time go by."""
        self.now += seconds

    @rule(
        login=st.sampled_from(
            [
                None,
                None,
                lambda: NotSent("refused"),
                lambda: Unauthorized("wrong", code=4),
                lambda: UnexpectedResponse("a page"),
            ]
        )
    )
    def decide(self, login: Callable[[], DevinotifyError] | None) -> None:
        """Decide what becomes of logins from now on."""
        self.login = None if login is None else login()

    @rule()
    def end_sessions(self) -> None:
        """Let the gateway forget every session."""
        self.valid.clear()

    @rule()
    def forget(self) -> None:
        """Close the client."""
        self.state.forget()

    @rule()
    def send(self) -> None:
        """Send, and hold what came of it against what the gateway knows."""
        requests, before = [0], len(self.logins)

        def take(instruction: Instruction) -> object:
            if isinstance(instruction, LogIn):
                return self.session(instruction.refused)
            assert isinstance(instruction, Exchange)
            requests[0] += 1
            session = dict(form(instruction.request))["SessionID"]
            good = self.now - self.valid.get(session, -1e9) < 7200
            return IDS if good else EXPIRED

        paused = self.now < self.paused_until
        answer: object
        try:
            answer = lead(converse(send(), longest), take)
        except DevinotifyError as error:
            answer = error.verdict
        logins = len(self.logins) - before
        assert logins <= 1, "one login for one send at most, and none that was not needed"
        if isinstance(answer, Receipt):
            assert requests[0] == 1 + (requests[0] > 1 and logins)
        else:
            assert answer in (Verdict.NOT_SENT, Verdict.REJECTED), "nothing went out with a refused session"
            assert (requests[0] <= 1, paused or self.login is not None) == (True, True)
            assert not (paused and logins), "no login during the pause"

    def session(self, refused: str | None) -> str:
        """Lead the way to a session, as a leader does who is alone."""
        found = self.state.look(self.now, refused)
        if not isinstance(found, Ticket):
            assert found != refused
            return found
        known = self.state.turn(found, self.now)
        if known is not None:
            return known
        self.logins.append(self.now)
        try:
            if self.login is not None:
                raise self.login
            session = f"{len(self.logins):036d}"
            self.valid[session] = self.now
            self.state.granted(session, self.now)
            self.refusals = 0
        except DevinotifyError as error:
            self.state.failed(error, self.now)
            if error.verdict is not Verdict.NOT_SENT:
                self.refusals += 1
                self.paused_until = self.now + min(2.0 ** (self.refusals - 1), 30.0)
            raise
        finally:
            self.state.ended()
        return session


TestSessionLife = pytest.mark.once(SessionLife.TestCase)
TestSessionLife.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)


def test_a_good_session_needs_no_turn() -> None:
    """What was granted is handed out until five minutes before its end."""
    state = SessionState()
    assert isinstance(state.look(0.0), Ticket)
    state.granted(SESSION, 100.0)
    assert (SESSION, SESSION) == (state.look(100.0), state.look(100.0 + 6899.9))
    assert isinstance(state.look(100.0 + 6900.0), Ticket)
    assert isinstance(state.look(100.0, SESSION), Ticket)


def test_who_waited_for_a_failed_login_shares_its_failure() -> None:
    """Whoever had a ticket before the login ended takes its error; whoever comes later may try, when it never left."""
    state = SessionState()
    first, second = state.look(0.0), state.look(0.0)
    assert isinstance(first, Ticket)
    assert isinstance(second, Ticket)
    assert state.turn(first, 0.0) is None
    state.failed(NotSent("refused"), 0.0)
    state.ended()
    with pytest.raises(NotSent, match="refused"):
        state.turn(second, 0.0)
    third = state.look(0.0)
    assert isinstance(third, Ticket)
    assert state.turn(third, 0.0) is None


def test_who_waited_for_a_login_gets_its_session() -> None:
    """Whoever had a ticket before a login succeeded needs none of his own."""
    state = SessionState()
    first, second = state.look(0.0), state.look(0.0)
    assert isinstance(first, Ticket)
    assert isinstance(second, Ticket)
    assert (state.turn(first, 0.0), state.is_open) == (None, False)
    state.granted(SESSION, 0.0)
    state.ended()
    assert (state.turn(second, 0.0), state.is_open) == (SESSION, True)


@table(
    "recipients, words",
    [
        ("79161234567", "not one text"),
        ([], "empty"),
        (["no number"], "number"),
        ([f"7916{number:07d}" for number in range(1_000_000, 1_001_001)], "too many"),
    ],
    ids=["one text", "empty", "not a number", "too many"],
)
def test_a_list_that_is_refused_asks_for_nothing(recipients: list[str], words: str) -> None:
    """One text in place of a list, no recipient, a wrong one, and more than a reply can tell: 20 segments for 1,001."""
    with pytest.raises(InvalidInput, match=words):
        calls.sms_send_bulk(SETTINGS, recipients, "я" * 67 * 20, NOW)


def test_an_error_of_the_gateways_keeps_its_class_and_cause() -> None:
    """What the conversation raises is what was thrown into it, with its cause."""
    cause = ConnectionResetError()
    failure = GatewayError("no", code=77)
    failure.__cause__ = cause
    error = fails(converse(send(), longest), Led(failure))
    assert (error, cause) == (failure, error.__cause__)
