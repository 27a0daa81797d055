"""The control API held to its own description, and the gateway's API to the documented forms, by rubbish."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis import checks as of_schemathesis

from devinotify.gateway.codes import ERRORS
from devinotify.sandbox import Sandbox, service
from devinotify.sandbox.app import make_app
from devinotify.sandbox.operations import OPERATIONS, V2_OPERATIONS
from devinotify.sandbox.service import Received
from tests.sandbox.conftest import NUMBER, Api

if TYPE_CHECKING:
    from collections.abc import Iterator

    from devinotify.sandbox.operations import Operation

pytestmark = pytest.mark.once

# What the description cannot say, such as which numbers are assigned, is told by a 400; and a request that
# it forbids is not always refused: the gateway's clients are lenient, and so are queries, where all is text.
WANTED = ("not_a_server_error", "status_code_conformance", "content_type_conformance", "response_schema_conformance")

API = Api()
schema = schemathesis.openapi.from_asgi("/openapi.json", make_app(API.emulator), headers={"Host": "localhost"})
CONTROL = schema.include(path_regex="^/sandbox").exclude(path_regex="events$")


@CONTROL.parametrize()
@settings(
    max_examples=15,
    deadline=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
def test_the_control_api_keeps_its_word(case: schemathesis.Case[Any]) -> None:
    """Whatever is sent, there is no 5xx, and every answer is one that the description promises."""
    if not API.emulator.store:
        API.send("Viber/SendWithResend")
        API.send(Data="😀" * 60)
    checks: Any = [check for check in of_schemathesis.CHECKS.get_all() if check.__name__ in WANTED]
    assert len(WANTED) == len(checks)
    case.call_and_validate(checks=checks, headers={"Host": "localhost"})


NAMES = sorted({parameter.name for operation in OPERATIONS for parameter in operation.parameters})
VALUES = (
    st.text(max_size=30)
    | st.sampled_from([NUMBER, "79000000024", "DEVINO", "2026-01-28T12:00:00", "2026-01-28", "0", "-1", "86400"])
    | st.sampled_from(["9" * 400, "Привет", "1e9", "2026-13-01", "0001-01-01T00:00:00", "9999-12-31T23:59:59"])
)


@pytest.fixture(scope="module")
def wild() -> Api:
    """Give a gateway that meets rubbish, with a session open."""
    api = Api()
    api.log_in()
    return api


def is_documented(operation: str, status: int, document: Any) -> bool:  # noqa: ANN401 - any JSON document
    """Return whether an answer has one of the documented forms."""
    if status != 200:
        error = isinstance(document, dict) and set(document) == {"Code", "Desc"} and document["Code"] in ERRORS
        return error and isinstance(document["Desc"], str) and status in {400, 401, 403, 404, 405, 500}
    forms: dict[str, Any] = {
        "User/SessionID": lambda: re.fullmatch("[A-Z0-9]{36}", document),
        "User/Balance": lambda: isinstance(document, int | float),
        "Sms/In": lambda: all({"Data", "SourceAddress", "ID"} <= set(one) for one in document),
        "Sms/Statistics": lambda: {"Sent", "Total", "DeliveryRatio"} <= set(document),
        "Sms/State": lambda: {"State", "StateDescription", "Price"} <= set(document),
        "Viber/State": lambda: {"State", "StateDescription", "Price"} <= set(document),
    }
    return bool(forms.get(operation, lambda: all(isinstance(one, str) for one in document))())


BODIES = {
    "application/x-www-form-urlencoded": lambda pairs: urlencode(pairs, errors="surrogatepass").encode(),
    "application/json": lambda pairs: json.dumps(dict(pairs)).encode(),
    "multipart/form-data; boundary=b": lambda pairs: (
        "".join(f'--b\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n' for name, value in pairs)
        + "--b--"
    ).encode("utf-8", "surrogatepass"),
}


@settings(max_examples=300, deadline=None)
@given(
    st.sampled_from((*OPERATIONS, *V2_OPERATIONS)),
    st.sampled_from(["GET", "POST", "PUT", "DELETE"]),
    st.lists(st.tuples(st.sampled_from(NAMES) | st.text(max_size=8), VALUES), max_size=8),
    st.booleans(),
    st.sampled_from(sorted(BODIES)),
)
def test_the_gateway_answers_in_documented_forms(
    wild: Api, operation: Operation, method: str, pairs: list[tuple[str, str]], honest: bool, media: str
) -> None:
    """Whatever the parameters, and the body that brings them, the answer is one of the API's forms."""
    if honest:
        pairs = [("SessionID", wild.log_in()), ("Login", "demo"), ("Password", "demo"), *pairs]
    encoded = BODIES[media](pairs)
    received = Received(method, operation.path, b"", encoded, [(b"content-type", media.encode())])
    reply = service.answer(wild.emulator, received)
    assert is_documented(operation.name, reply.status, json.loads(reply.body))


@settings(max_examples=200, deadline=None)
@given(st.sampled_from(["GET", "POST", "x"]), st.text(max_size=30), st.binary(max_size=60), st.binary(max_size=60))
def test_bytes_of_any_kind(wild: Api, method: str, path: str, query: bytes, body: bytes) -> None:
    """Whatever the bytes, the answer is the API's error or one of its results."""
    operation = "Sms/State" if "state" in path.lower() else ""
    reply = service.answer(wild.emulator, Received(method, f"/{path}", query, body))
    assert is_documented(operation, reply.status, json.loads(reply.body))


@pytest.fixture(scope="module")
def published() -> Iterator[Sandbox]:
    """Give a sandbox to a published client."""
    with Sandbox() as sandbox:
        yield sandbox


def test_a_published_client_works(published: Sandbox) -> None:
    """The client that PyPI has as sw-python-sms-devino works with its base URL changed and nothing else."""
    from sms_devino.client import DevinoClient, DevinoException  # type: ignore[import-untyped]  # it has no types

    client = DevinoClient("demo", "demo", url=published.gateway)
    one = client.send_one("DEVINO", "89161234567", "я" * 71)
    bulk = client.send_bulk("DEVINO", ["79161234567", "79031234567"], "test")
    published.advance(5)
    state = client.get_state(one.sms_ids[0])
    assert (2, [1, 1], 0, 100000 - 10.0) == (
        len(one.sms_ids),
        [len(result.sms_ids) for result in bulk],
        state.code,
        client.get_balance(),
    )
    with pytest.raises(DevinoException) as refused:
        client.send_one("DEVINO", "not a number", "test")
    assert (400, 2) == (refused.value.http_status, refused.value.error.code)
