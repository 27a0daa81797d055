"""The README: what it shows is what happens."""

from __future__ import annotations

import asyncio
import json
import re
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from airflow.providers.common.compat.sdk import BaseNotifier
from devinotify import DevinoURL, Verdict

from devinotify_airflow import DevinoHook, event
from devinotify_airflow.wording import default_text
from tests import contexts
from tests.conftest import CONNECTION

if TYPE_CHECKING:
    from collections.abc import Callable

    from devinotify.sandbox import Sandbox

README = Path(__file__).parents[1].joinpath("README.md").read_text("utf-8")

airflow_3 = pytest.mark.skipif(not hasattr(BaseNotifier, "__await__"), reason="Airflow 2 has no airflow.sdk")


def block(language: str) -> str:
    """Return the one block of this language and name."""
    (found,) = re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL)
    return str(found)


def run(name: str) -> dict[str, Any]:
    """Run a block of Python, and return what it has made."""
    return execute(block(f"python {name}"))


def execute(source: str) -> dict[str, Any]:
    """Run Python, and return what it has made."""
    scope: dict[str, Any] = {}
    exec(source, scope)  # noqa: S102 - the README's own
    return scope


def older(source: str) -> str:
    """Return a block with the first line that the README has for Airflow 2.11, which later ones take as well."""
    found = re.search(r"there the first line is `(.*)`", README)
    assert found
    return f"{found[1]}\n{source.partition(chr(10))[2]}"


def test_the_uri(monkeypatch: pytest.MonkeyPatch) -> None:
    """The variable is the connection's, and its URI an account."""
    found = re.search(rf"export {CONNECTION}='(.*)'", README)
    assert found
    monkeypatch.setenv(CONNECTION, found[1])
    assert DevinoURL.parse("devino://login:password@SENDER/+79161234567") == DevinoHook().get_url()


def test_the_json(monkeypatch: pytest.MonkeyPatch) -> None:
    """The connection in JSON is an account."""
    monkeypatch.setenv(CONNECTION, json.dumps(json.loads(block("json"))))
    url = DevinoURL.parse("devino://login:password@SENDER/+79161234567/+79031234567")
    assert url == DevinoHook().get_url()


@pytest.mark.parametrize(
    "made", [pytest.param(str, marks=airflow_3, id="as it is"), pytest.param(older, id="for 2.11")]
)
def test_the_dag(gateway: Sandbox, made: Callable[[str], str]) -> None:
    """The DAG's and the task's callbacks send."""
    dag = execute(made(block("python dag")))["dag"]
    dag.on_failure_callback({**contexts.of_run(), "dag": dag})
    callbacks = dag.get_task("load").on_failure_callback
    for callback in callbacks if isinstance(callbacks, list) else [callbacks]:  # one by itself on 2.11
        callback({**contexts.of_task(), "dag": dag})
    texts = [message.text for message in gateway.messages()]
    assert [f"orders failed, run {contexts.RUN_ID}", True] == [texts[0], texts[1].startswith("failed orders.load ")]


@airflow_3
def test_the_deadline(gateway: Sandbox) -> None:
    """The deadline's callback is what the triggerer imports and awaits."""
    (alert,) = run("deadline")["dag"].deadline

    module, _, name = alert.callback.path.rpartition(".")

    async def miss() -> None:
        await getattr(import_module(module), name)(**alert.callback.kwargs, context=contexts.of_deadline())

    asyncio.run(miss())
    assert ["orders is late"] == [message.text for message in gateway.messages()]


def test_the_step(gateway: Sandbox) -> None:
    """The step sends; its text is rendered by Airflow, and not here."""
    run("step")["tell"].execute(contexts.of_task())
    assert ["+79161234567"] == [message.recipient for message in gateway.messages()]


def test_the_hook(gateway: Sandbox) -> None:
    """The hook does what the text says."""
    assert '`DevinoHook().send("text", "+79161234567")`' in README
    assert [Verdict.ACCEPTED] == [each.verdict for each in DevinoHook().send("text", "+79161234567")]


def test_verdicts_are_all_there() -> None:
    """The table names each verdict that is raised."""
    told = re.findall(r"^\| `(\w+)` \|", README, re.MULTILINE)
    assert set(Verdict) - {Verdict.ACCEPTED} == set(told)


def test_the_default_text() -> None:
    """What is said without a text is what is shown."""
    run_id = "manual__2026-11-28T06:00:00+00:00"
    link = f"http://localhost:8080/dags/orders/runs/{run_id}/tasks/load?try_number=1"
    context = contexts.of_task(run_id=run_id, log_url=link)
    raised = ValueError("no such table: orders")
    assert block("text").strip() == default_text(event.read({**context, "exception": raised}))
