"""Airflow as a host of devinotify: the conformance suite, by the operator and by the notifier."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING

import pytest
from airflow.providers.common.compat.sdk import AirflowException, AirflowFailException
from devinotify import DevinoURL
from devinotify.testing import HostSuite, Told

from devinotify_airflow import DevinoNotifier, DevinoSmsOperator
from tests import contexts

if TYPE_CHECKING:
    from collections.abc import Sequence


def name_of(text: str) -> str:
    """Return a name that tells nothing of a text."""
    return hashlib.sha256(text.encode()).hexdigest()[:12]


class _Connections:
    """Connections by account, in the environment."""

    patch: pytest.MonkeyPatch

    @pytest.fixture(autouse=True)
    def _patched(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.patch = monkeypatch

    def connection(self, url: str) -> str:
        """Return the name of the connection of an account."""
        account = DevinoURL.parse(url)
        name = f"account_{name_of(url)}"
        given = {"login": account.login, "password": str(account.password), "host": account.sender}
        extra = {"gateway": account.gateway, "timeout": account.timeout}
        self.patch.setenv(f"AIRFLOW_CONN_{name.upper()}", json.dumps({"conn_type": "devino", **given, "extra": extra}))
        return name


class TestOperator(_Connections, HostSuite):
    """A step that sends; Airflow runs it again for what is no AirflowFailException."""

    def send(self, url: str, text: str, to: Sequence[str]) -> Told:
        """Run the step of a text; run again, it is the same task's retry."""
        task = name_of(text)
        step = DevinoSmsOperator(task_id=task, text=text, to=list(to), devinotify_conn_id=self.connection(url))
        try:
            step.execute(contexts.of_task(task_id=task))
        except AirflowFailException:
            return Told(sent=False)
        except AirflowException:
            return Told(sent=False, again=True)
        return Told(sent=True)


class TestNotifier(_Connections, HostSuite):
    """A callback; Airflow logs what it raises, and may call it again all the same."""

    def send(self, url: str, text: str, to: Sequence[str]) -> Told:
        """Call it twice for one event, as after a worker that was lost."""
        told = []
        for _ in range(2):
            try:
                notifier = DevinoNotifier(text, list(to), devinotify_conn_id=self.connection(url))
                notifier.notify(contexts.of_task(task_id=name_of(text)))
                told.append(True)
            except AirflowException:
                told.append(False)
        assert told[0] is told[1]
        return Told(sent=told[0])
