"""The session: a state machine over its whole life, and real threads that meet its end together."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Self

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from devinotify.exceptions import (
    DevinotifyError,
    GatewayFailure,
    NotSent,
    OutcomeUnknown,
    Unauthorized,
    UnexpectedResponse,
    Verdict,
)
from devinotify.gateway.session import Session

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

MAX_AGE = 115 * 60
"""Seconds: the documented 120 minutes, less the five by which a session is renewed early."""
THREADS = 32

FAILURES: dict[str, Callable[[], DevinotifyError]] = {
    "wrong credentials": lambda: Unauthorized("Invalid user login or password", code=4, http_status=401),
    "not sent": lambda: NotSent("the connection was refused"),
    "5xx": lambda: GatewayFailure("Gateway error", code=8, http_status=500),
    "no session id": lambda: UnexpectedResponse("the body is no session id", http_status=200),
    "cut off": lambda: OutcomeUnknown("the connection was reset"),
}
PAUSING = [name for name in FAILURES if name != "not sent"]


class Gateway:
    """A gateway that grants or refuses logins as told, on a clock that only moves when told."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.next = "success"
        self.takes = 0.0
        self.logins: list[float] = []
        self.granted: dict[str, float] = {}

    def clock(self) -> float:
        """Return the time in seconds."""
        return self.now

    def login(self) -> str:
        """Grant a new session, or fail as told."""
        asked_at = self.now
        self.logins.append(asked_at)
        self.now += self.takes
        if self.next in FAILURES:
            raise FAILURES[self.next]()
        session_id = f"session-{len(self.logins)}"
        self.granted[session_id] = asked_at
        return session_id


class SessionLife(RuleBasedStateMachine):
    """A session used in any order of calls, while logins succeed and fail and time goes by."""

    def __init__(self) -> None:
        super().__init__()
        self.gateway = Gateway()
        self.session = Session(self.gateway.login, self.gateway.clock)
        self.refused: set[str] = set()
        self.good: str | None = None
        self.paused_until = 0.0
        self.pause = 1.0
        self.handed: list[str] = []

    @rule(outcome=st.sampled_from(["success", "success", *FAILURES]), takes=st.sampled_from([0.0, 0.0, 0.2, 30.0]))
    def decide(self, outcome: str, takes: float) -> None:
        """Decide what becomes of the logins from now on, and how many seconds each takes."""
        self.gateway.next, self.gateway.takes = outcome, takes

    @rule(seconds=st.one_of(st.sampled_from([0.5, 1.0, 2.0, 29.9, 30.0, 6899.0, 6900.0, 7200.0]), st.floats(0, 8000)))
    def wait(self, seconds: float) -> None:
        """Let time go by."""
        self.gateway.now += seconds

    @rule()
    def forget(self) -> None:
        """Close the client."""
        self.session.forget()
        self.good = None

    @rule()
    def use(self) -> None:
        """Ask for the current session."""
        self.check(self.session.current)

    @rule()
    def meet_the_end(self) -> None:
        """Have the session refused that was handed out last."""
        if self.handed:
            self.refuse(self.handed[-1])

    @rule(data=st.data())
    def meet_an_old_end(self, data: st.DataObject) -> None:
        """Have a request refused that had been under way since an earlier session."""
        if self.handed:
            self.refuse(data.draw(st.sampled_from(self.handed)))

    def refuse(self, session_id: str) -> None:
        """Ask for another session than the one that the gateway refused."""
        self.refused.add(session_id)
        if self.good == session_id:
            self.good = None
        self.check(lambda: self.session.renewed(session_id))

    def check(self, ask: Callable[[], str]) -> None:
        """Ask once and hold the answer against what may be known of it."""
        before, now, expected = len(self.gateway.logins), self.gateway.now, self.still_good()
        paused = now < self.paused_until
        try:
            answer: str | DevinotifyError = ask()
        except DevinotifyError as error:
            answer = error
        logins = len(self.gateway.logins) - before
        if expected is not None:
            assert (answer, logins) == (expected, 0), "a good session is kept"
        elif paused:
            assert isinstance(answer, DevinotifyError)
            assert logins == 0, "no login during the pause"
        else:
            assert logins == 1, "one login, neither more nor none"
            self.note(answer)
        if isinstance(answer, str):
            assert answer not in self.refused
            assert now < self.gateway.granted[answer] + MAX_AGE
            self.good = answer
            self.handed.append(answer)

    def still_good(self) -> str | None:
        """Return the session that must be handed out without a login, if there is one."""
        if self.good is None or self.gateway.now >= self.gateway.granted[self.good] + MAX_AGE:
            return None
        return self.good

    def note(self, answer: str | DevinotifyError) -> None:
        """Keep the pause that a login's end begins."""
        self.good = None
        if isinstance(answer, str):
            self.pause = 1.0
            self.paused_until = 0.0
        elif answer.verdict is not Verdict.NOT_SENT:
            self.paused_until = self.gateway.now + self.pause
            self.pause = min(self.pause * 2, 30.0)
        else:
            self.paused_until = 0.0

    @invariant()
    def nothing_is_shown(self) -> None:
        """The repr never shows a session id."""
        assert "session-" not in repr(self.session)


TestSessionLife = pytest.mark.once(SessionLife.TestCase)
TestSessionLife.settings = settings(max_examples=80, stateful_step_count=40, deadline=None)


def fails(session: Session) -> DevinotifyError:
    """Return the error that asking for the session raises."""
    with pytest.raises(DevinotifyError) as caught:
        session.current()
    return caught.value


@pytest.fixture
def gateway() -> Gateway:
    """Return a gateway that grants every login."""
    return Gateway()


@pytest.fixture
def session(gateway: Gateway) -> Session:
    """Return a session with that gateway."""
    return Session(gateway.login, gateway.clock)


def test_nothing_is_asked_before_the_first_use(gateway: Gateway, session: Session) -> None:
    """A session costs nothing until it is used."""
    assert (gateway.logins, repr(session)) == ([], "<Session not open>")


def test_a_session_is_kept(gateway: Gateway, session: Session) -> None:
    """The first use logs in, further ones do not."""
    assert [session.current() for _ in range(3)] == ["session-1"] * 3


def test_an_open_session_says_so(session: Session) -> None:
    """The repr tells whether there is a session, and no more."""
    session.current()
    assert repr(session) == "<Session open>"


@pytest.mark.parametrize(("age", "expected"), [(6899.9, "session-1"), (6900.0, "session-2"), (7200.0, "session-2")])
def test_a_session_is_renewed_a_little_early(gateway: Gateway, session: Session, age: float, expected: str) -> None:
    """After 115 of its 120 minutes, a session is not begun with any more."""
    session.current()
    gateway.now += age
    assert expected == session.current()


def test_the_age_counts_from_before_the_login(gateway: Gateway, session: Session) -> None:
    """A login that took long does not make its session look younger than it is."""
    gateway.takes = 30.0
    session.current()
    gateway.now += 6900.0 - 30.0
    assert session.current() == "session-2"


def test_a_refused_session_is_renewed(session: Session) -> None:
    """A refused session is replaced, and stays replaced."""
    assert (session.renewed(session.current()), session.current()) == ("session-2", "session-2")


def test_a_session_refused_long_ago_renews_nothing(gateway: Gateway, session: Session) -> None:
    """A late refusal of an earlier session finds the new one, without another login."""
    first = session.current()
    session.renewed(first)
    assert (session.renewed(first), len(gateway.logins)) == ("session-2", 2)


def test_a_late_refusal_does_not_get_an_old_session(gateway: Gateway, session: Session) -> None:
    """The session that another thread got meanwhile is handed out only while it is young enough."""
    first = session.current()
    session.renewed(first)
    gateway.now += 7000.0
    assert session.renewed(first) == "session-3"


@pytest.mark.parametrize("name", PAUSING)
def test_the_pause_doubles_to_half_a_minute(gateway: Gateway, session: Session, name: str) -> None:
    """However long a login goes on failing, the gateway is asked at most twice a minute in the end."""
    gateway.next = name
    pauses = []
    for _ in range(8):
        fails(session)
        asked, began = len(gateway.logins), gateway.now
        while len(gateway.logins) == asked:
            gateway.now += 0.5
            fails(session)
        pauses.append(gateway.now - began)
        gateway.now += 100.0
    # Each round makes two logins: one that begins the measured pause, one that ends it.
    assert pauses == [1.0, 4.0, 16.0, 30.0, 30.0, 30.0, 30.0, 30.0]


def test_a_granted_login_ends_the_pauses(gateway: Gateway, session: Session) -> None:
    """After a success, the next failure begins with the shortest pause again."""
    for _ in range(3):
        gateway.next = "5xx"
        fails(session)
        gateway.now += 30.0
    gateway.next = "success"
    refused = session.current()
    gateway.next = "5xx"
    with pytest.raises(GatewayFailure):
        session.renewed(refused)
    gateway.now += 1.0
    gateway.next = "success"
    assert session.current() == "session-6"


@pytest.mark.parametrize("name", PAUSING)
def test_the_pause_repeats_the_error(gateway: Gateway, session: Session, name: str) -> None:
    """During the pause callers get an error that is equal to the first and another object."""
    gateway.next = name
    first, second = fails(session), fails(session)
    assert (type(first), first.args, vars(first)) == (type(second), second.args, vars(second))
    assert first is not second


def test_changing_one_error_leaves_the_next_alone(gateway: Gateway, session: Session) -> None:
    """What a caller notes on its error does not show up at another's."""
    gateway.next = "5xx"
    fails(session).operation = "Sms/Send"
    assert fails(session).operation is None


def test_a_login_that_never_left_may_be_tried_at_once(gateway: Gateway, session: Session) -> None:
    """What never reached the gateway costs it nothing."""
    gateway.next = "not sent"
    fails(session)
    gateway.next = "success"
    assert session.current() == "session-2"


def test_closing_does_not_end_the_pause(gateway: Gateway, session: Session) -> None:
    """A client that is closed and used again does not storm either."""
    gateway.next = "wrong credentials"
    fails(session)
    session.forget()
    fails(session)
    assert len(gateway.logins) == 1


def test_what_is_no_error_of_ours_is_passed_on() -> None:
    """An interrupted login leaves no failure behind; the next use tries again."""
    answers: Iterator[KeyboardInterrupt | str] = iter([KeyboardInterrupt(), "session"])

    def login() -> str:
        answer = next(answers)
        if isinstance(answer, KeyboardInterrupt):
            raise answer
        return answer

    session = Session(login)
    with pytest.raises(KeyboardInterrupt):
        session.current()
    assert session.current() == "session"


class Crowd:
    """A lock that counts who comes to it, so that a login can wait until everybody has."""

    def __init__(self, expected: int) -> None:
        self._lock = threading.Lock()
        self._counting = threading.Lock()
        self._missing = expected
        self.complete = threading.Event()

    def __enter__(self) -> Self:
        with self._counting:
            self._missing -= 1
            if not self._missing:
                self.complete.set()
        self._lock.acquire()
        return self

    def __exit__(self, *_: object) -> None:
        self._lock.release()


def met_by_a_crowd(
    monkeypatch: pytest.MonkeyPatch, gateway: Gateway, ask: Callable[[Session], str], session: Session
) -> list[str | DevinotifyError]:
    """Return what each of 32 threads gets that ask at once, while the one login waits for all to have come."""
    crowd, barrier = Crowd(THREADS), threading.Barrier(THREADS)
    monkeypatch.setattr(session, "_lock", crowd)
    grant = gateway.login

    def login() -> str:
        assert crowd.complete.wait(60)
        return grant()

    monkeypatch.setattr(session, "_login", login)

    def meet(_: int) -> str | DevinotifyError:
        barrier.wait(60)
        try:
            return ask(session)
        except DevinotifyError as error:
            return error

    with ThreadPoolExecutor(THREADS) as pool:
        return list(pool.map(meet, range(THREADS)))


def test_a_crowd_at_the_start_logs_in_once(monkeypatch: pytest.MonkeyPatch, gateway: Gateway, session: Session) -> None:
    """32 threads that use a fresh session together cause one login."""
    answers = met_by_a_crowd(monkeypatch, gateway, Session.current, session)
    assert (answers, len(gateway.logins)) == (["session-1"] * THREADS, 1)


def test_a_crowd_that_meets_the_end_logs_in_once(
    monkeypatch: pytest.MonkeyPatch, gateway: Gateway, session: Session
) -> None:
    """32 threads that find the session too old together cause one login."""
    session.current()
    gateway.now += 7200
    answers = met_by_a_crowd(monkeypatch, gateway, Session.current, session)
    assert (answers, len(gateway.logins)) == (["session-2"] * THREADS, 2)


def test_a_crowd_that_is_refused_logs_in_once(
    monkeypatch: pytest.MonkeyPatch, gateway: Gateway, session: Session
) -> None:
    """32 threads whose requests are refused together cause one login."""
    first = session.current()
    answers = met_by_a_crowd(monkeypatch, gateway, lambda session: session.renewed(first), session)
    assert (answers, len(gateway.logins)) == (["session-2"] * THREADS, 2)


@pytest.mark.parametrize("name", FAILURES)
def test_a_crowd_shares_one_failure(
    monkeypatch: pytest.MonkeyPatch, gateway: Gateway, session: Session, name: str
) -> None:
    """32 threads that wait for a login that fails all get its error, each its own, and none tries again."""
    gateway.next = name
    answers = met_by_a_crowd(monkeypatch, gateway, Session.current, session)
    assert ({str(FAILURES[name]())}, THREADS, 1) == (
        set(map(str, answers)),
        len(set(map(id, answers))),
        len(gateway.logins),
    )


def test_who_comes_while_a_login_runs_has_waited_for_it(gateway: Gateway) -> None:
    """A thread that arrives in the middle of a login takes its failure, and makes no second attempt."""
    begun, crowd = threading.Event(), Crowd(2)

    def login() -> str:
        begun.set()
        assert crowd.complete.wait(60)
        return gateway.login()

    session = Session(login, gateway.clock)
    gateway.next = "not sent"
    session._lock = crowd  # type: ignore[assignment]  # the one place where the arrival at the lock can be seen
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(fails, session)
        assert begun.wait(60)
        second = pool.submit(fails, session)
        errors = [first.result(60), second.result(60)]
    assert (["NotSent", "NotSent"], 1) == ([type(error).__name__ for error in errors], len(gateway.logins))


def test_a_new_process_does_not_wait_for_its_parents_lock(monkeypatch: pytest.MonkeyPatch, session: Session) -> None:
    """Where the process is another one than before, the lock is a new one."""
    session._lock.acquire()
    pid = os.getpid()
    monkeypatch.setattr(os, "getpid", lambda: pid + 1)
    assert session.current() == "session-1"


FORKED = """
import os, sys, threading, warnings
from devinotify.gateway.session import Session
warnings.simplefilter("ignore", DeprecationWarning)  # forking with threads is what this is about
begun, parent = threading.Event(), os.getpid()
def login():
    if os.getpid() == parent:
        begun.set()
        threading.Event().wait()
    return "session of the child"
session = Session(login)
threading.Thread(target=session.current, daemon=True).start()
begun.wait()
child = os.fork()
if not child:
    os._exit(0 if session.current() == "session of the child" else 1)
os._exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="the system has no fork")
def test_a_fork_in_the_middle_of_a_login_can_log_in() -> None:
    """A child forked while a thread of its parent logs in does not hang."""
    assert subprocess.run([sys.executable, "-c", FORKED], timeout=60, check=False).returncode == 0
