"""The app held to its own description, by rubbish."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, settings
from schemathesis import checks as of_schemathesis

from devinotify_webhook import Webhook, load, openapi
from tests.support import NUMBER

if TYPE_CHECKING:
    from collections.abc import Iterator

# What the description cannot say, such as which texts are too long, is told by a 400.
WANTED = ("not_a_server_error", "status_code_conformance", "content_type_conformance", "response_schema_conformance")


FOLDER = TemporaryDirectory()
APP = Webhook(
    load(
        {
            "url": "devino://demo:demo@DEVINO?gateway=http://127.0.0.1:1/rest",
            "outbox": str(Path(FOLDER.name) / "a.db"),
            "receivers": {"*": {"to": NUMBER}, "named": {"to": "request"}},
        }
    ),
    worker=False,
)
schema = schemathesis.openapi.from_asgi("/openapi.json", APP)


@pytest.fixture(scope="session", autouse=True)  # not the module's: xdist may come back to it
def _closed() -> Iterator[None]:
    """Close the app, and remove its outbox."""
    yield
    APP.close()
    FOLDER.cleanup()


@schema.parametrize()
@settings(
    max_examples=25,
    deadline=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
def test_it_keeps_its_word(case: schemathesis.Case[Any]) -> None:
    """Whatever is posted, there is no 5xx, and every answer is one that the description promises."""
    checks: Any = [check for check in of_schemathesis.CHECKS.get_all() if check.__name__ in WANTED]
    assert len(WANTED) == len(checks)
    case.call_and_validate(checks=checks)


def test_every_route_is_described() -> None:
    """The description has the routes that take something, each with its refusals."""
    paths = openapi.document()["paths"]
    assert {"400", "401", "404", "413", "503"} <= set(paths["/alertmanager/{receiver}"]["post"]["responses"])
    assert 9 == len(paths)
