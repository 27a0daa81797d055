"""The README: what it shows is what happens."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from celery import Celery, shared_task  # noqa: F401 - the README's own tasks are made anew for each app
from celery.backends.base import DisabledBackend
from devinotify import RowState

import devinotify_celery
from devinotify_celery import drain, notify, send_sms, watch

if TYPE_CHECKING:
    import pytest
    from devinotify import Outbox
    from devinotify.sandbox import Sandbox

README = Path(__file__).parents[1].joinpath("README.md").read_text("utf-8")


def blocks(language: str) -> list[str]:
    """Return the blocks of code in this language."""
    return re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL)


def test_the_app_has_all_tasks() -> None:
    """The settings are those that are read, and the tasks are there by ``include``."""
    scope: dict[str, Any] = {}
    exec(blocks("python app")[0], scope)  # noqa: S102 - the README's own
    made = scope["app"]
    url, outbox = devinotify_celery.settings.account(made)
    assert ("login", "/var/lib/shop/sms.db") == (url.login, outbox)
    assert not isinstance(made.backend, DisabledBackend)  # which `result.get()` would end at
    schemes = {made.conf.broker_url.partition(":")[0], made.backend.as_uri().partition(":")[0]}
    assert {"redis"} == schemes
    assert "'celery[redis]'" in blocks("sh")[0]  # else there is no client of it
    made.loader.import_default_modules()
    assert {task.name for task in (notify, send_sms, drain, watch)} <= set(made.tasks)
    made.close()


def test_examples_run(app: Any, gateway: Sandbox, outbox: Outbox, capsys: pytest.CaptureFixture[str]) -> None:
    """The examples send what they say, and the result looks as it is shown, but for the gateway's id."""
    for example in blocks("python"):
        exec(example, {"__name__": "shop"})  # noqa: S102 - the README's own
    texts = ["Shop\nYour parcel is here", "Thank you", "Thank you", "Order 1001 is ready", "Order 1001: customer told"]
    assert [*texts, "Thank you for your order"] == [each.text for each in gateway.messages()]
    shown = re.compile(r"'ids': \[.*?\]")
    assert shown.sub("", blocks("text")[0]) == shown.sub("", capsys.readouterr().out)


def test_verdicts_are_all_there() -> None:
    """The table names each verdict."""
    told = re.findall(r"^\| `(\w+)` \|", README, re.MULTILINE)
    assert {str(state.verdict) for state in RowState if state.verdict is not None} == set(told)


def test_public_names() -> None:
    """The package's names are what they are."""
    assert sorted(devinotify_celery.__all__) == devinotify_celery.__all__
    assert [] == [name for name in devinotify_celery.__all__ if not hasattr(devinotify_celery, name)]


def test_names_of_tasks_are_theirs() -> None:
    """The text names tasks that there are."""
    named = set(re.findall(r"`(devinotify\.\w+)`", README))
    assert named <= {task.name for task in (notify, send_sms, drain, watch)}
