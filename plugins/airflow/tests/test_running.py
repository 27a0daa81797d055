"""Airflow's own processes, scheduler and triggerer among them: what fails, and what is late, reaches the gateway."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING

import pytest
from airflow.providers.common.compat.sdk import BaseNotifier
from devinotify import Outbox, RowState
from devinotify.sandbox import Sandbox

from tests import airflows
from tests.conftest import CONNECTION, NUMBER, PASSWORD, connection

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.skipif(
    not hasattr(BaseNotifier, "__await__"), reason="Airflow 3.1 is the first that has deadlines"
)

LATE = "+79031234567"
REFUSED = "+79051234567"
HELD = 120.0
"""Seconds, far more than the client waits for: the gateway is let go before."""


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    """Give a gateway to all of the module's tests, which look for texts of their own."""
    with Sandbox(password=PASSWORD) as running:
        yield running


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give Airflow's home."""
    return tmp_path_factory.mktemp("running")


@pytest.fixture(scope="module")
def airflow(sandbox: Sandbox, home: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[airflows.Running]:
    """Give an Airflow that runs, with a connection to the gateway."""
    environment = airflows.migrated(tmp_path_factory.getbasetemp(), home)
    environment |= {CONNECTION: connection(sandbox, to=NUMBER)}
    with airflows.Running(home, environment) as running:
        yield running


def texts(sandbox: Sandbox, part: str = "") -> list[str]:
    """Return the texts that arrived and have this in them."""
    return [message.text for message in sandbox.messages() if part in message.text]


def test_the_form(airflow: airflows.Running, sandbox: Sandbox) -> None:
    """The UI has the form's fields, stores what is typed there, tests it, and shows the password to nobody."""
    (form,) = [each for each in airflow.ask("GET", "/ui/connections/hook_meta") if each["connection_type"] == "devino"]
    assert {"to", "channel", "region", "outbox", "gateway"} == set(form["extra_fields"])
    standard = form["standard_fields"]
    assert ("Sender", True, True) == (
        standard["host"]["title"],
        standard["port"]["hidden"],
        standard["url_schema"]["hidden"],
    )
    typed = {
        "connection_id": "by_form",
        "conn_type": "devino",
        "host": "SENDER",
        "login": "demo",
        "password": PASSWORD,
        "extra": f'{{"to": "{NUMBER}", "gateway": "{sandbox.gateway}", "channel": null}}',
    }
    airflow.ask("POST", "/api/v2/connections", typed)
    assert PASSWORD not in str(airflow.ask("GET", "/api/v2/connections"))
    told = airflow.ask("POST", "/api/v2/connections/test", typed)
    assert (True, f"The balance is {sandbox.balance}") == (told["status"], told["message"])


def test_a_form_with_a_database(airflow: airflows.Running, sandbox: Sandbox) -> None:
    """Tested, the form keeps the outbox as it was typed: what is masked in logs would be stored so the next time."""
    extra = {"gateway": sandbox.gateway, "outbox": "postgresql://sms:outbox-pass-w0rd@127.0.0.1:9/sms"}
    typed = {
        "connection_id": "by_form_with_a_database",
        "conn_type": "devino",
        "host": "SENDER",
        "login": "demo",
        "password": PASSWORD,
        "extra": json.dumps(extra),
    }
    airflow.ask("POST", "/api/v2/connections", typed)
    assert airflow.ask("POST", "/api/v2/connections/test", typed)["status"]
    assert extra == json.loads(airflow.ask("GET", "/api/v2/connections/by_form_with_a_database")["extra"])


def test_a_message_by_the_form(airflow: airflows.Running, sandbox: Sandbox) -> None:
    """A task sends through the connection that was typed, as its sender, to its recipients."""
    airflow.trigger("by_form")
    airflow.until(lambda: texts(sandbox, "by form") != [], "the message arrived")
    assert [("SENDER", NUMBER, "by form")] == [
        (message.sender, message.recipient, message.text) for message in sandbox.messages(text="by form")
    ]


def test_a_callback_that_is_refused(airflow: airflows.Running, sandbox: Sandbox) -> None:
    """The gateway refuses the failure's message: Airflow logs the verdict, and asks nothing more."""
    sandbox.add_fault("error", number=REFUSED, code=2)
    airflow.trigger("refused")
    airflow.until(lambda: state_of(airflow, "refused") == "failed", "the run has failed")
    airflow.until(lambda: "rejected: +7905***4567" in airflow.logged(), "it is told")
    sent = [request for request in sandbox.requests() if REFUSED[1:] in request.raw]
    assert [("POST", "error")] == [(request.method, request.fault) for request in sent]
    assert REFUSED[1:] not in airflow.logged()


def state_of(airflow: airflows.Running, dag: str) -> str:
    """Return the state of a DAG's one run."""
    (run,) = airflow.ask("GET", f"/api/v2/dags/{dag}/dagRuns")["dag_runs"]
    return str(run["state"])


def test_a_task_that_fails(airflow: airflows.Running, sandbox: Sandbox) -> None:
    """By the scheduler: the retry, the failure and the run are each told once, and the link leads to this Airflow."""
    before = len(texts(sandbox))
    airflow.trigger("retried")
    airflow.until(lambda: len(texts(sandbox)) >= before + 3, "three messages arrived")
    by_task = [text for text in texts(sandbox) if text.startswith("failed retried.load manual__")]
    assert (["again"], ["retried failed"], 1, before + 3) == (
        texts(sandbox, "again"),
        texts(sandbox, "retried failed"),
        len(by_task),
        len(sandbox.messages()),
    )
    assert " try 2: ValueError: no such table: orders http" in by_task[0]


def test_the_password_is_masked(airflow: airflows.Running) -> None:
    """A task that logs the connection's password has it masked in its log."""
    airflow.trigger("shown")
    airflow.until(lambda: "the password is <" in airflow.logged(), "the task has logged it")
    assert ("the password is <***>" in airflow.logged(), PASSWORD in airflow.logged()) == (True, False)


def beats(home: Path) -> list[float]:
    """Return when the heart has beaten."""
    path = home / "beats"
    return [float(line) for line in path.read_text().split("\n")[:-1]] if path.exists() else []


def test_a_deadline(airflow: airflows.Running, sandbox: Sandbox, home: Path) -> None:
    """By the triggerer: the gateway answers once its loop has beaten on, and would not if it were held up."""
    airflow.trigger("beating")
    airflow.until(lambda: len(beats(home)) > 2, "the heart beats")
    sandbox.add_fault("latency", number=LATE, seconds=HELD, times=1)
    airflow.trigger("late")
    airflow.until(lambda: sandbox.faults()[-1].hits > 0, "the gateway has the request")
    since = time.monotonic()
    airflow.until(lambda: len([each for each in beats(home) if each > since]) > 5, "the heart beats on")
    with Outbox(str(home / "sms.db")) as outbox:
        assert [RowState.CLAIMED] == [row.state for row in outbox.latest(limit=1)]
    sandbox.remove_fault()
    airflow.until(lambda: texts(sandbox, "late is late") != [], "the message arrived")
    (home / "enough").touch()
    assert 1 == len(texts(sandbox, "late is late"))


def test_a_triggerer_that_dies(airflow: airflows.Running, sandbox: Sandbox, home: Path) -> None:
    """Killed amid the send, it is told as unknown by the next one, which sends nothing again."""
    before = len(texts(sandbox, "late is late"))
    sandbox.add_fault("latency", number=LATE, seconds=HELD, times=1)
    airflow.trigger("late")
    with Outbox(str(home / "sms.db")) as outbox:

        def states() -> list[RowState]:
            return [row.state for row in outbox.latest(limit=1)]

        # What the gateway has read arrives, once it goes on, whatever becomes of who sent it.
        airflow.until(lambda: sandbox.faults()[-1].hits > 0, "the gateway has the request")
        assert [RowState.CLAIMED] == states()
        airflow.kill("triggerer")
        airflow.start("triggerer")
        airflow.until(lambda: RowState.UNKNOWN in states(), "the next triggerer has found it")
    airflow.until(lambda: "unknown: +7903***4567" in airflow.said("triggerer") + airflow.logged(), "it is told")
    sandbox.remove_fault()
    airflow.until(lambda: len(texts(sandbox, "late is late")) > before, "the message arrived")
    assert before + 1 == len(texts(sandbox, "late is late"))
