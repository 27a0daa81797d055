"""What is said to the gateway, in which order, and how often: login, one renewal, repetitions, pauses. Pure.

A conversation is a generator that gives instructions and is told what came of them; it touches no socket and no clock,
so that threads, an event loop and a test can each lead it in their own way. Whoever leads it (``lead`` shows how)

- calls ``next`` once and then goes on with what it is yielded, until StopIteration, whose ``value`` is the result;
- for ``Exchange``: sends the request over the network once, repeats nothing, and answers with ``send(reply)`` for a
  whole Reply, or with ``throw(error)`` for a TransportError, which says whether the request had begun to leave;
- for ``Pause``: waits so many seconds, then ``send(None)``;
- for ``LogIn``: answers with ``send(session_id)``, or with ``throw(error)`` for a DevinotifyError. That there is
  one login at a time, however many callers ask for one, is the leader's to see to: it asks ``SessionState`` (below),
  and where that says so, leads the conversation of ``log_in`` itself;
- takes whatever comes out of ``next``, ``send`` and ``throw`` for the caller's: a DevinotifyError with its verdict.

The verdicts are ``wire``'s; the one rule here is what is repeated: a send only where it provably never left (up to 3
times) or was refused for its session (once); a read also after a fault that may pass (up to 2 times).
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

from devinotify.exceptions import DevinotifyError, GatewayError, NotSent, TransportError, Verdict, copied
from devinotify.gateway import calls, wire
from devinotify.gateway.codes import SESSION_LIFETIME
from devinotify.gateway.http1 import ReplyTooLarge
from devinotify.redact import Secret, hide
from devinotify.retry import Backoff

if TYPE_CHECKING:
    from devinotify.gateway.calls import Call
    from devinotify.gateway.http1 import Reply
    from devinotify.gateway.wire import Operation, Request
    from devinotify.url import DevinoURL

R = TypeVar("R")

NOT_SENT_AGAIN = Backoff(0.1, jitter=0.5, tries=3)
"""How a request that provably never left is tried again."""
READ_AGAIN = Backoff(0.1, jitter=0.5, tries=2)
"""How a read that failed for a passing reason is tried again."""
SEND_AGAIN = Backoff(0.0, tries=0)
"""How a send is tried again that may have left, or was refused: it is not."""
LONGEST_RETRY_AFTER = 5.0
"""Seconds that are waited at most when the gateway asks for a pause."""
LOGIN_AGAIN = Backoff(1.0, most=30.0)
"""Seconds after a login that the gateway did not grant during which no other is tried."""
RENEW_EARLY = 5 * 60
"""Seconds before its end at which a session is renewed, so that it does not end under way."""


# --- instructions ----------------------------------------------------------------------------------


@dataclass(slots=True)  # not frozen, as a wire.Request is not
class Exchange:
    """Send this request and answer its Reply, or throw the TransportError."""

    request: Request


@dataclass(frozen=True, slots=True)
class Pause:
    """Wait so many seconds and answer nothing."""

    seconds: float


@dataclass(frozen=True, slots=True, repr=False)
class LogIn:
    """Answer the id of a session, another than ``refused`` where there is one, or throw the login's error."""

    refused: str | None = None


_ANY_SESSION = LogIn()

Instruction: TypeAlias = Exchange | Pause | LogIn
Conversation: TypeAlias = Generator[Instruction, Any, R]
Chance: TypeAlias = Callable[[], float]
"""Returns a random number from 0 to 1."""


def lead(conversation: Conversation[R], take: Callable[[Instruction], Any]) -> R:
    """Lead a conversation to its end and return the result; ``take`` does as instructed and returns what came of it."""
    answer, result = conversation.send, None
    try:
        while True:
            instruction = answer(result)
            try:
                answer, result = conversation.send, take(instruction)
            except DevinotifyError as error:
                answer, result = conversation.throw, error
    except StopIteration as end:
        value: R = end.value
        return value


# --- conversations ---------------------------------------------------------------------------------


def repetition(failure: DevinotifyError, operation: Operation[Any]) -> Backoff:
    """Return how an operation is tried again after a failure that may pass."""
    if isinstance(failure, NotSent):
        return NOT_SENT_AGAIN
    return SEND_AGAIN if operation.is_send else READ_AGAIN


Repeats: TypeAlias = Callable[[DevinotifyError, Any], Backoff]
"""A rule such as ``repetition``, for who has other pauses."""


def log_in(settings: DevinoURL, chance: Chance, repeats: Repeats = repetition) -> Conversation[Secret]:
    """Log in and end with the session id; asks for no session itself."""
    login = calls.log_in(settings)
    return login.finish((yield from _ask(login, None, chance, repeats)))


def converse(call: Call[R], chance: Chance, repeats: Repeats = repetition) -> Conversation[R]:
    """Perform a call within a session, renewed once where the gateway asks for that, and end with its result.

    A read whose reply is too large is asked for in two halves, where it has any.
    """
    try:
        return call.finish((yield from _within_session(call, chance, repeats)))
    except TransportError as error:
        if call.halves is None or not is_too_large(error):
            raise
        halves = call.halves()
        if halves is None:
            error.args = (f"{error}; the shortest period holds more than one reply may bring: {call.advice}",)
            raise
    assert call.join is not None  # noqa: S101 - what has halves can be joined
    first = yield from converse(halves[0], chance, repeats)
    second = yield from converse(halves[1], chance, repeats)
    return call.join(first, second)


def is_too_large(error: DevinotifyError) -> bool:
    """Whether the reply was whole and more than a reply may be, so that asking for it again changes nothing."""
    return isinstance(error.__cause__, ReplyTooLarge)


def _within_session(call: Call[Any], chance: Chance, repeats: Repeats) -> Conversation[Any]:
    session_id = yield from _session(_ANY_SESSION, call.operation)
    try:
        return (yield from _ask(call, session_id, chance, repeats))
    except GatewayError as refusal:
        if not wire.needs_login(refusal):
            raise
    session_id = yield from _session(LogIn(session_id), call.operation)
    return (yield from _ask(call, session_id, chance, repeats))


def _session(instruction: LogIn, operation: Operation[Any]) -> Conversation[Secret]:
    try:
        session_id: Secret = hide((yield instruction))
        return session_id
    except DevinotifyError as error:
        failure, cause = wire.login_failure(error, operation), error.__cause__
    raise failure from cause


def _ask(call: Call[Any], session_id: Secret | None, chance: Chance, repeats: Repeats) -> Conversation[Any]:
    operation, values = call.operation, call.values
    if session_id is not None:
        values = {**values, "SessionID": session_id}
    try:
        request = wire.build(operation, values)
    except DevinotifyError:
        raise
    except Exception as error:  # a fault of our own: whichever it is, nothing has left
        raise NotSent(
            f"{operation.name}: the request could not be made: {type(error).__name__}",
            operation=operation.name,
            retryable=False,
        ) from error
    attempts = 0
    while True:
        try:
            reply: Reply = yield Exchange(request)
            return wire.interpret(operation, reply, recipients=call.recipients, sent=values)
        except TransportError as error:
            error.operation = operation.name
            if not operation.is_send and not isinstance(error, NotSent):
                # A read may be repeated whether or not it was processed.
                error.retryable = not is_too_large(error)
            failure: DevinotifyError = error
        except DevinotifyError as error:
            failure = error
        attempts += 1
        again = repeats(failure, operation)
        if not failure.retryable or not again.allows(attempts):
            raise failure
        pause = again.pause(attempts, chance())
        yield Pause(max(pause, min(failure.retry_after or 0.0, LONGEST_RETRY_AFTER)))


# --- the session -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, repr=False)
class _Granted:
    """A session id and the clock's time until which it is used."""

    id: Secret
    until: float


@dataclass(frozen=True, slots=True, repr=False)
class Ticket:
    """What somebody who wants a login had seen before waiting for his turn: the session, and the logins made."""

    granted: _Granted | None
    logins: int


class SessionState:
    """What is known of the session, by a clock that is told: which id is good, and when a login may be tried.

    A login whose request reached the gateway and failed is not repeated for a pause that doubles from 1 to 30 seconds;
    callers get the same error meanwhile. One that never reached it (refused, no DNS) costs the gateway nothing and may
    be tried again at once. It is used so: ``look``; where that gives a Ticket, wait for the turn, then ``turn``; where
    that gives nothing, log in, and say ``granted`` or ``failed``, and ``ended`` in any case. All but ``look`` belong
    within the turn. Threads and an event loop may share what is known and have a turn each: at worst both log in.
    """

    def __init__(self) -> None:
        self._granted: _Granted | None = None
        self._failure: DevinotifyError | None = None
        self._paused_until = 0.0
        self._refusals = 0
        self._logins = 0

    @property
    def is_open(self) -> bool:
        """Whether there is a session, as far as is known."""
        return self._granted is not None

    def look(self, now: float, refused: str | None = None) -> Secret | Ticket:
        """Return the id of a session that is good and other than ``refused``, or the Ticket to a login."""
        granted = self._granted
        if granted is not None and granted.id != refused and now < granted.until:
            return granted.id
        return Ticket(granted, self._logins)

    def turn(self, ticket: Ticket, now: float) -> Secret | None:
        """Return the id that somebody else got meanwhile, or ``None`` where a login is due; raise what holds."""
        granted, failure = self._granted, self._failure
        if granted is not ticket.granted and granted is not None:
            return granted.id
        if failure is not None and (ticket.logins != self._logins or now < self._paused_until):
            # Another login failed while this one waited for its turn, or failed just now.
            raise copied(failure)
        self._granted = None
        return None

    def granted(self, session_id: str, asked_at: float) -> None:
        """Keep the session of a login that was begun at ``asked_at``: the gateway counts from some time after that."""
        self._granted = _Granted(Secret(session_id), asked_at + (SESSION_LIFETIME - RENEW_EARLY))
        self._failure = None
        self._refusals = 0

    def failed(self, error: DevinotifyError, now: float) -> None:
        """Keep the failure of a login, and the pause that it begins."""
        self._failure = copied(error)
        self._paused_until = now
        if error.verdict is not Verdict.NOT_SENT:
            self._refusals += 1
            self._paused_until += LOGIN_AGAIN.pause(self._refusals)

    def ended(self) -> None:
        """Count a login, however it ended: whoever came while it ran sees that it waited for it."""
        self._logins += 1

    def forget(self) -> None:
        """Drop the session; the next use logs in."""
        self._granted = None
