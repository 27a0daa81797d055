"""loguru and structlog: the error is told, once, whatever became of it, and the rest is not."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.recipes.support import NUMBER, arrived, run, url_to

if TYPE_CHECKING:
    from devinotify.sandbox import Sandbox

RECIPES = {"loguru_alerts": "loguru", "structlog_alerts": "structlog"}


@pytest.mark.parametrize("lost", [False, True], ids=["accepted", "unknown"])
@pytest.mark.parametrize(("name", "host"), RECIPES.items(), ids=RECIPES)
def test_an_error_is_told_once(name: str, host: str, lost: bool, gateway: Sandbox) -> None:
    """One SMS with the error, also where the gateway's answer is lost; nothing of what is no error."""
    pytest.importorskip(host)
    pytest.importorskip("devinotify_logging")
    if lost:
        gateway.add_fault("drop", operation="Sms/Send")
    done = run(name, url_to(gateway))
    assert 0 == done.returncode, done.stderr
    assert "this calls nobody" in done.stderr
    ((recipient, text),) = arrived(gateway)
    assert NUMBER == recipient
    assert "the backup has failed" in text
