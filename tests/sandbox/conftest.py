"""A gateway without a server for the rules, and one real server for what the network shows."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from urllib.parse import quote_plus, urlencode

import pytest

from devinotify.gateway.codes import ERRORS, SESSION_LIFETIME
from devinotify.sandbox import Sandbox, service
from devinotify.sandbox.clock import Clock
from devinotify.sandbox.emulator import Emulator

if TYPE_CHECKING:
    from collections.abc import Iterator

    from devinotify.sandbox.replies import Reply

START = datetime(2026, 1, 28, 12, 0, 0, tzinfo=UTC)
NUMBER = "79161234567"
NUMBERS = ["79161234567", "79031234567"]
NOW = "2026-01-28T12:00:00"
MILLISECONDS = int(START.timestamp() * 1000)
NO_DATE = "/Date(-62135596800000)/"


def date(seconds: float) -> str:
    """Return a date of the API, so many seconds after the clock's start."""
    return f"/Date({MILLISECONDS + int(seconds * 1000)})/"


def error(code: int, description: str) -> tuple[int, dict[str, Any]]:
    """Return what a refusal looks like."""
    return ERRORS[code].http_status, {"Code": code, "Desc": description}


def dated(resource: str) -> dict[str, str]:
    """Return the SendDate that an operation requires, if it does."""
    return {"SendDate": NOW} if "TimeZone" in resource else {}


class Api:
    """The gateway's API called in process, by a client that shares no code with ours."""

    def __init__(self, **options: Any) -> None:  # noqa: ANN401 - the emulator's own
        options = {"login": "demo", "password": "demo", "balance": Decimal("1000.00"), **options}
        self.emulator = Emulator(clock=Clock(running=False, start=START), **options)
        self.session = ""

    def raw(self, method: str, path: str, query: str = "", body: str = "") -> Reply:
        """Return the reply to a request as it stands."""
        return service.answer(self.emulator, service.Received(method, path, query.encode(), body.encode()))

    def call(self, method: str, resource: str, **parameters: object) -> tuple[int, Any]:
        """Return status and document of an operation, with the session's id and a form body on POST."""
        if "SessionID" not in parameters and resource != "User/SessionID":
            parameters["SessionID"] = self.log_in()
        form = urlencode(parameters, doseq=True, quote_via=quote_plus)
        query, body = (form, "") if method == "GET" else ("", form)
        reply = self.raw(method, f"/rest/{resource}", query, body)
        return reply.status, json.loads(reply.body)

    def log_in(self) -> str:
        """Return the id of a session that is opened once."""
        if not self.session:
            _, self.session = self.call("GET", "User/SessionID", Login="demo", Password="demo")
        return self.session

    def send(self, resource: str = "Sms/Send", **parameters: object) -> tuple[int, Any]:
        """Return the reply to a send; what is not given is valid, and ``None`` leaves a parameter out."""
        recipients = "DestinationAddresses" if "Bulk" in resource or "ToAddresses" in resource else "DestinationAddress"
        defaults = {"SourceAddress": "DEVINO", recipients: NUMBER, "Data": "test", **parameters}
        given = {name: value for name, value in defaults.items() if value is not None}
        return self.call("POST", resource, **given)

    def state(self, message_id: str, channel: str = "Sms") -> dict[str, Any]:
        """Return the state of a message."""
        status, document = self.call("GET", f"{channel}/State", MessageID=message_id)
        assert 200 == status
        return dict(document)

    def advance(self, seconds: float) -> None:
        """Move the clock; where that ends the session, the next call opens another."""
        self.emulator.advance(seconds)
        if seconds >= SESSION_LIFETIME:
            self.session = ""

    @property
    def balance(self) -> Decimal:
        """The money left."""
        return self.emulator.account.balance


@pytest.fixture
def api() -> Api:
    """Give a fresh gateway whose clock stands at 2026-01-28 12:00 UTC, with a balance of 1000."""
    return Api()


@pytest.fixture(scope="session")
def server() -> Iterator[Sandbox]:
    """Give one running sandbox to the whole run."""
    with Sandbox(clock=Clock(running=False, start=START)) as running:
        yield running


@pytest.fixture
def sandbox(server: Sandbox) -> Sandbox:
    """Give the running sandbox as if it had just been started."""
    server.reset()
    return server
