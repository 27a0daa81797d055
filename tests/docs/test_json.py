"""The documents of the command line are as the reference describes them: each is printed, and its keys compared."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner

from devinotify.cli.app import cli
from devinotify.sandbox import Sandbox
from tests.docs.pages import ROOT
from tests.tables import table

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.once

_ROW = re.compile(r"^\| ((?:`[\w ]+`(?:, )?)+) \| (.*) \|$", re.MULTILINE)
_KEY_ALONE = re.compile(r'("\w+")(?=\s*[,}])')


def _shapes() -> dict[str, Any]:
    """Return the document that the reference has for each command; keys without values have null."""
    text = (ROOT / "docs" / "reference" / "json.md").read_text("utf-8")
    found = {}
    for names, described in _ROW.findall(text):
        documents = re.findall(r"`(\{.*?\})`", described)
        commands = re.findall(r"`([\w ]+)`", names)
        for number, command in enumerate(commands):
            # One for all of them, or one each.
            document = documents[number] if len(documents) == len(commands) else (documents or [""])[0]
            if document:
                found[command] = json.loads(_KEY_ALONE.sub(r"\1: null", document.replace("…", '"_more"')))
    return found


SHAPES = _shapes()
COMMANDS: dict[str, list[str]] = {
    "send": ["send", "Hello", "+79161234567"],
    "viber": ["viber", "Hello", "+79161234567"],
    "state": ["state", "ID"],
    "balance": ["balance"],
    "worker": ["worker", "--once", "--outbox", "alerts.db"],
    "outbox list": ["outbox", "list", "--outbox", "alerts.db"],
    "outbox show": ["outbox", "show", "1", "--outbox", "alerts.db"],
    "outbox retry": ["outbox", "retry", "--state", "rejected", "--outbox", "alerts.db"],
    "outbox forget": ["outbox", "forget", "1", "--outbox", "alerts.db"],
    "outbox adopt": ["outbox", "adopt", "--from", "old@integrationapi.net/rest", "--outbox", "alerts.db"],
    "outbox workers": ["outbox", "workers", "--outbox", "alerts.db"],
    "outbox limits": ["outbox", "limits", "--outbox", "alerts.db", "--url", "devino://a:b@ME?limit=9/day"],
    "outbox pace": ["outbox", "pace", "--outbox", "alerts.db"],
    "outbox migrate": ["outbox", "migrate", "--outbox", "alerts.db"],
    "incoming": ["incoming", "--since", "1d"],
    "stats": ["stats"],
    "plugins": ["plugins"],
    "segments": ["segments", "Hello"],
    "phone": ["phone", "+79161234567"],
    "completion": ["completion", "bash"],
}


@pytest.fixture(scope="module")
def gateway() -> Iterator[Sandbox]:
    """Run the gateway that the commands ask, with a message to ask for."""
    with Sandbox() as sandbox:
        yield sandbox


@pytest.fixture
def printed(gateway: Sandbox, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Any:  # noqa: ANN401 - a function
    """Return what gives the document that a command prints."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DEVINOTIFY_URL", f"{gateway.url}&outbox=alerts.db")
    invoke = CliRunner().invoke
    sent = json.loads(invoke(cli, ["send", "Hello", "+79161234567", "--channel", "sms-viber", "--json"]).stdout)
    (message_id,) = sent["results"][0]["message_ids"]

    def run(arguments: list[str]) -> dict[str, Any]:
        given = [message_id if each == "ID" else each for each in arguments]
        document: dict[str, Any] = json.loads(invoke(cli, [*given, "--json"]).stdout)
        return document

    return run


def _differences(shape: dict[str, Any], document: dict[str, Any], where: str) -> Iterator[str]:
    """Yield what the reference has and the document has not, and the other way where the reference names all."""
    open_ended = "_more" in shape
    named = {key for key in shape if key != "_more"}
    yield from (f"{where}.{key} is not printed" for key in sorted(named - document.keys()))
    if not open_ended:
        yield from (f"{where}.{key} is not described" for key in sorted(document.keys() - named))
    for key in sorted(named & document.keys()):
        inner, value = shape[key], document[key]
        if isinstance(inner, list) and isinstance(value, list) and value:
            yield from _differences(inner[0], value[0], f"{where}.{key}")


@table("command", COMMANDS)
def test_document(command: str, printed: Any) -> None:  # noqa: ANN401 - a function
    """Its keys are those that are described, no more where none is left out by ``…``."""
    shape = SHAPES[command]
    document = printed(COMMANDS[command])
    assert "error" not in document, document
    assert [] == list(_differences(shape, document, command))
