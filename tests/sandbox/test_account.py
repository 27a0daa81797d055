"""Login, sessions and what is kept of secrets."""

from __future__ import annotations

import pickle
from decimal import Decimal

import pytest

from devinotify.sandbox.account import Account, SessionCheck


@pytest.fixture
def account() -> Account:
    """Give an account with a password of its own."""
    return Account("demo", "correct horse", Decimal(10))


def opened(account: Account, now: float = 0) -> str:
    """Return the id of a new session."""
    session = account.log_in("demo", "correct horse", now)
    assert session is not None
    return session


@pytest.mark.parametrize(
    ("login", "password"), [("demo", "wrong"), ("other", "correct horse"), ("", ""), ("\ud800", "x")]
)
def test_wrong_credentials_open_nothing(account: Account, login: str, password: str) -> None:
    """A wrong login or password gets no session."""
    assert account.log_in(login, password, 0) is None


def test_a_session_is_valid_for_120_minutes(account: Account) -> None:
    """A session is valid until just before 7200 seconds have passed, and expired from then on."""
    session = opened(account, 100)
    checks = [account.check(session, 100 + seconds) for seconds in (0, 7199, 7200, 10**9)]
    assert [SessionCheck.VALID, SessionCheck.VALID, SessionCheck.EXPIRED, SessionCheck.EXPIRED] == checks


def test_an_id_never_given_out_is_unknown(account: Account) -> None:
    """An id that nobody was given is unknown, not expired."""
    assert account.check("A" * 36, 0) is SessionCheck.UNKNOWN


def test_sessions_are_independent(account: Account) -> None:
    """A second login leaves the first session valid."""
    first, second = opened(account), opened(account)
    assert (True, 2) == (first != second, account.live_sessions(1))


def test_expire_sessions_ends_all(account: Account) -> None:
    """Ending the sessions counts the valid ones and makes each expired."""
    session = opened(account)
    assert (1, SessionCheck.EXPIRED, 0) == (
        account.expire_sessions(5),
        account.check(session, 5),
        account.live_sessions(5),
    )


def test_the_oldest_session_is_forgotten() -> None:
    """Past the cap the oldest session is unknown."""
    account = Account("demo", "correct horse", Decimal(1), most_sessions=2)
    sessions = [opened(account) for _ in range(3)]
    known = [account.check(session, 0) for session in sessions]
    assert [SessionCheck.UNKNOWN, SessionCheck.VALID, SessionCheck.VALID] == known


def test_no_secret_is_kept_in_clear(account: Account) -> None:
    """Neither the password nor a session id is found in what the account holds."""
    session = opened(account)
    held = pickle.dumps(vars(account))
    assert [False, False] == [secret.encode() in held for secret in ("correct horse", session)]


def test_reset(account: Account) -> None:
    """A reset account has its first balance and knows no session."""
    session = opened(account)
    account.balance = Decimal(1)
    account.reset()
    assert (Decimal(10), SessionCheck.UNKNOWN) == (account.balance, account.check(session, 0))
