"""The description of both APIs: valid, complete, and true."""

from __future__ import annotations

import typing
from typing import TYPE_CHECKING, Any

import pytest
from openapi_spec_validator import validate

from devinotify.sandbox import control, openapi, operations
from tests.tables import table

if TYPE_CHECKING:
    from collections.abc import Mapping

DOCUMENT = openapi.document("demo")


@pytest.mark.once
def test_it_is_valid() -> None:
    """The description is OpenAPI 3.1."""
    validate(DOCUMENT)
    assert "3.1.0" == DOCUMENT["openapi"]


def test_it_describes_every_route() -> None:
    """Every operation of the gateway and every route of the control API is there."""
    both = (*operations.OPERATIONS, *operations.V2_OPERATIONS)
    expected = {(op.path, method.lower()) for op in both for method in op.methods}
    expected |= {(route.path, route.method.lower()) for route in control.ROUTES}
    expected |= {("/sandbox/events", "get"), ("/sandbox/examples", "get")}
    assert expected == {(path, method) for path, methods in DOCUMENT["paths"].items() for method in methods}


def test_names_are_used_once() -> None:
    """No two operations share an id."""
    ids = [described["operationId"] for methods in DOCUMENT["paths"].values() for described in methods.values()]
    assert len(ids) == len(set(ids))


def arguments(described: Mapping[str, Any]) -> set[str]:
    """Return the names of a described operation's arguments, wherever they stand."""
    names = {parameter["name"] for parameter in described.get("parameters", ())}
    for content in described.get("requestBody", {}).get("content", {}).values():
        names |= set(content["schema"]["properties"])
    return names


@table("route", control.ROUTES)
def test_it_describes_every_argument(route: control.Route) -> None:
    """Each argument of a route is described, and no other."""
    described = DOCUMENT["paths"][route.path][route.method.lower()]
    assert {argument.name for argument in route.arguments} == arguments(described)


@table("kind", [complex, typing.List])  # noqa: UP006 - what has no schema
def test_a_type_without_a_schema_is_an_error(kind: Any) -> None:  # noqa: ANN401 - any type
    """A view whose field could not be described is noticed when the description is made."""
    with pytest.raises((TypeError, IndexError)):
        openapi._schema_of(kind)


def test_only_views_have_schemas_made_for_them() -> None:
    """A class that is not a view is a programmer's error."""
    with pytest.raises(TypeError):
        openapi._view(int)


def test_a_send_takes_three_kinds_of_bodies() -> None:
    """A form, JSON and multipart are described alike, the lists of a bulk as lists."""
    content = DOCUMENT["paths"]["/rest/v2/Viber/SendBulk"]["post"]["requestBody"]["content"]
    assert {"application/x-www-form-urlencoded", "application/json", "multipart/form-data"} == set(content)
    schemas = [described["schema"] for described in content.values()]
    assert [schemas[0]] * 3 == schemas
    lists = [name for name, schema in schemas[0]["properties"].items() if schema["type"] == "array"]
    assert ["DestinationAddresses", "Optionals", "Optional"] == lists
