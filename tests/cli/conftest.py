"""A real sandbox, and the command line run in process against it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from inspect import signature
from typing import Any

import pytest
from click.testing import CliRunner, Result

from devinotify.cli.app import cli
from devinotify.sandbox import Sandbox
from tests.cli.servers import PASSWORD, free_port

Run = Callable[..., Result]

# What stderr gets is told apart in any case: before 8.2, the lowest is 8.1.7, click had to be asked to.
_APART: dict[str, Any] = {"mix_stderr": False} if "mix_stderr" in signature(CliRunner).parameters else {}
RUNNER = CliRunner(**_APART)


@pytest.fixture(scope="session")
def started() -> Iterator[Sandbox]:
    """A sandbox for all the tests, with a password that must not show anywhere."""
    with Sandbox(password=PASSWORD) as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(started: Sandbox) -> Sandbox:
    """The sandbox, as new."""
    started.reset()
    return started


@pytest.fixture(autouse=True)
def _no_account(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep an account of this machine out of the tests."""
    monkeypatch.delenv("DEVINOTIFY_URL", raising=False)


@pytest.fixture
def run() -> Run:
    """Return what runs the command line in process, and fails where a secret shows."""

    def invoke(*arguments: str, stdin: str | bytes | None = None, url: str | None = None) -> Result:
        environment = {} if url is None else {"DEVINOTIFY_URL": url}
        result = RUNNER.invoke(cli, list(arguments), input=stdin, env=environment, prog_name="devinotify")
        assert PASSWORD not in result.output
        assert "Traceback" not in result.output
        return result

    return invoke


@pytest.fixture
def account(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> Sandbox:
    """The sandbox, with its URL in the environment."""
    monkeypatch.setenv("DEVINOTIFY_URL", sandbox.url)
    return sandbox


@pytest.fixture
def closed_url() -> str:
    """The URL of a gateway that nobody listens at."""
    return f"devino://demo:{PASSWORD}@DEVINO?gateway=http://127.0.0.1:{free_port()}/rest"


def document(result: Result) -> dict[str, Any]:
    """Return the one JSON document on stdout."""
    found: dict[str, Any] = json.loads(result.stdout)
    return found
