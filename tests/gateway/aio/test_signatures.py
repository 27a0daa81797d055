"""The operations of the two clients are the same ones: names, arguments, words."""

from __future__ import annotations

import inspect
from typing import Any

from devinotify import AsyncClient, Client
from tests.tables import table

URL = "devino://demo:s3cret-pass@TEST?gateway=http://127.0.0.1:9/rest"
RESOURCES = ("user", "sms", "viber")


def operations(client: Any) -> dict[str, Any]:  # noqa: ANN401 - of either kind
    """Return the public methods of a client's resources by their names."""
    return {
        f"{resource}.{name}": getattr(getattr(client, resource), name)
        for resource in RESOURCES
        for name in dir(getattr(client, resource))
        if not name.startswith("_")
    }


BLOCKING, AWAITED = operations(Client(URL)), operations(AsyncClient(URL))


def test_the_operations_are_the_same() -> None:
    """Neither client has one that the other has not."""
    assert (13, set(BLOCKING)) == (len(AWAITED), set(AWAITED))


@table("name", BLOCKING)
def test_a_signature_is_the_same(name: str) -> None:
    """Arguments, their order, kinds, defaults and types, and the result that is awaited."""
    assert inspect.signature(BLOCKING[name]) == inspect.signature(AWAITED[name])


@table("name", BLOCKING)
def test_an_operation_is_a_coroutine_function_with_the_same_words(name: str) -> None:
    """Frameworks ask for the first, readers for the second."""
    assert (True, BLOCKING[name].__doc__) == (inspect.iscoroutinefunction(AWAITED[name]), AWAITED[name].__doc__)


def test_the_settings_are_those_of_the_blocking_client() -> None:
    """The constructor adds two of its own, with defaults."""
    blocking, awaited = (list(inspect.signature(kind).parameters.values()) for kind in (Client, AsyncClient))
    assert (blocking, ["max_connections", "on_abandoned"]) == (awaited[:-2], [each.name for each in awaited[-2:]])


def test_reprs_hide_the_password() -> None:
    """Neither the client nor its resources show the password."""
    client = AsyncClient(URL)
    assert "<AsyncSms of <AsyncClient devino://demo:***@TEST/…>>" == repr(client.sms)
