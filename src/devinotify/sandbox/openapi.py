"""The description of both APIs as OpenAPI 3.1, made from the same tables that answer. Pure."""

from __future__ import annotations

import re
import types
from dataclasses import fields, is_dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Union, get_args, get_origin, get_type_hints

from devinotify.exceptions import Verdict
from devinotify.gateway.codes import ERRORS
from devinotify.models import DeliveryStatus
from devinotify.sandbox import control, views
from devinotify.sandbox.arguments import STEPS
from devinotify.sandbox.bodies import FORM, JSON, MULTIPART
from devinotify.sandbox.operations import LISTS, OPERATIONS, V2_OPERATIONS, Action

if TYPE_CHECKING:
    from collections.abc import Mapping

    from devinotify.sandbox.arguments import Argument
    from devinotify.sandbox.control import Route
    from devinotify.sandbox.operations import Operation

Schema = dict[str, Any]

_TEXT: Schema = {"type": "string"}
_WHOLE: Schema = {"type": "integer"}
_NUMBER: Schema = {"type": "number"}
_YES: Schema = {"type": "boolean"}
_DATE: Schema = {"type": ["string", "null"], "examples": ["/Date(1294045911213)/"]}
_MONEY: Schema = {"type": "string", "pattern": r"^-?\d+(\.\d+)?$"}
_COUNTS: Schema = {"type": "object", "additionalProperties": _WHOLE}


def _object(**properties: Schema) -> Schema:
    """Return the schema of an object that has these properties and no others."""
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def _list(items: Schema) -> Schema:
    return {"type": "array", "items": items}


def _ref(name: str) -> Schema:
    return {"$ref": f"#/components/schemas/{name}"}


def _schema_of(kind: Any) -> Schema:  # noqa: ANN401 - any type that a view's field may have
    """Return the schema of a view's field by its type."""
    plain = {str: _TEXT, int: _WHOLE, float: _NUMBER, bool: _YES, Decimal: _MONEY}
    if kind in plain:
        return plain[kind]
    if kind is DeliveryStatus:
        return {"type": "string", "enum": [str(status) for status in DeliveryStatus]}
    origin, inner = get_origin(kind), get_args(kind)
    if origin in (Union, types.UnionType):
        given = next(_schema_of(one) for one in inner if one is not type(None))
        return {**given, "type": [given["type"], "null"]}
    if origin is dict:
        return {"type": "object", "additionalProperties": _schema_of(inner[1])}
    if origin is tuple and inner[-1] is Ellipsis:
        return _list(_schema_of(inner[0]))
    if origin is tuple:
        prefix = [_schema_of(one) for one in inner]
        return {"type": "array", "prefixItems": prefix, "items": False, "minItems": len(inner)}
    raise TypeError(kind)


def _view(view: type) -> Schema:
    """Return the schema of a view, each of whose fields is always there."""
    if not is_dataclass(view):
        raise TypeError(view)
    # Names that are imported for type checkers only are looked up here.
    hints = get_type_hints(view, localns={"Decimal": Decimal, "DeliveryStatus": DeliveryStatus})
    return _object(**{field.name: _schema_of(hints[field.name]) for field in fields(view)})


_STATE = _object(
    State=_WHOLE,
    CreationDateUtc=_DATE,
    SubmittedDateUtc=_DATE,
    ReportedDateUtc=_DATE,
    TimeStampUtc=_DATE,
    StateDescription=_TEXT,
    Price={"type": ["number", "null"]},
)
_RESENT = {
    **_STATE,
    "properties": {**_STATE["properties"], "Id": _TEXT},
    "required": [*_STATE["required"], "Id"],
}

_REQUEST = _view(views.RequestView)
_STEP_LIST = {**STEPS.schema}

SCHEMAS: Mapping[str, Schema] = {
    "Message": _view(views.Arrived),
    "Entry": _view(views.Entry),
    "Request": _REQUEST,
    "Incoming": _view(views.IncomingMessage),
    "Fault": _view(views.FaultView),
    "NumberFate": _object(
        fate=_TEXT,
        number={"type": ["string", "null"]},
        meaning=_TEXT,
        sms=_STEP_LIST,
        viber=_STEP_LIST,
        refusal={"type": ["integer", "null"]},
        changed=_YES,
    ),
    "Segment": _object(start=_WHOLE, end=_WHOLE, units=_WHOLE),
    "Blocker": _object(position=_WHOLE, character=_TEXT, name=_TEXT, replacement=_TEXT),
    "Step": _object(at=_TEXT, seconds=_NUMBER, state=_WHOLE, status=_TEXT, meaning=_TEXT, reached=_YES),
    "Error": _object(error=_TEXT),
    "GatewayError": _object(Code={"type": "integer", "enum": sorted(ERRORS)}, Desc=_TEXT),
    "SmsState": _STATE,
    "ViberState": {
        **_STATE,
        "properties": {**_STATE["properties"], "ResentSms": _list(_RESENT)},
    },
}

_SET = {"type": "object", "additionalProperties": _TEXT}
_ANATOMY = _object(
    units=_WHOLE,
    capacity=_WHOLE,
    remaining=_WHOLE,
    savings=_WHOLE,
    segments=_list(_ref("Segment")),
    blockers=_list(_ref("Blocker")),
)
_NUMBERED_REQUEST = _object(id=_WHOLE, **_REQUEST["properties"])
_MAYBE_REQUEST = {"anyOf": [_ref("Request"), {"type": "null"}]}
_STATES = _list(_object(state=_WHOLE, status=_TEXT, meaning=_TEXT))
_FATES = _object(
    magic_prefix=_TEXT, fates=_list(_ref("NumberFate")), set=_SET, states=_object(sms=_STATES, viber=_STATES)
)
_FAULTS = _object(
    faults=_list(_ref("Fault")),
    kinds=_list(
        _object(
            kind=_TEXT,
            does=_TEXT,
            arguments={"type": "object", "additionalProperties": {"type": ["number", "null"]}},
            accepts={"type": ["boolean", "null"]},
        )
    ),
)
_CLOCK = _object(now=_TEXT, seconds=_NUMBER, advanced=_NUMBER, running=_YES)
_BALANCE = _object(balance=_MONEY)

ANSWERS: Mapping[tuple[str, str], Schema] = {
    ("GET", "/sandbox"): _object(
        gateway=_TEXT,
        gateway_v2=_TEXT,
        description=_TEXT,
        login=_TEXT,
        operations=_list(_object(methods=_list(_TEXT), path=_TEXT)),
        control=_list(_object(method=_TEXT, path=_TEXT, does=_TEXT, arguments=_list(_TEXT))),
    ),
    ("GET", "/sandbox/messages"): _object(total=_WHOLE, messages=_list(_ref("Message"))),
    ("POST", "/sandbox/messages"): _ref("Message"),
    ("DELETE", "/sandbox/messages"): _object(deleted=_WHOLE),
    ("GET", "/sandbox/message"): _object(
        message=_ref("Message"),
        anatomy=_ANATOMY,
        story=_list(_ref("Step")),
        request=_MAYBE_REQUEST,
    ),
    ("GET", "/sandbox/inbox"): _object(
        total=_WHOLE, all=_WHOLE, unread=_WHOLE, refused=_WHOLE, tags=_list(_TEXT), entries=_list(_ref("Entry"))
    ),
    ("POST", "/sandbox/inbox"): _object(marked=_WHOLE),
    ("DELETE", "/sandbox/inbox"): _object(deleted=_WHOLE),
    ("GET", "/sandbox/entry"): _object(
        entry=_ref("Entry"),
        message={"anyOf": [_ref("Message"), {"type": "null"}]},
        anatomy=_ANATOMY,
        story=_list(_ref("Step")),
        request=_MAYBE_REQUEST,
        releasable=_YES,
    ),
    ("GET", "/sandbox/export.json"): _object(entries=_list(_ref("Entry"))),
    ("GET", "/sandbox/export.csv"): _TEXT,
    ("GET", "/sandbox/curl"): _object(curl=_TEXT),
    ("POST", "/sandbox/release"): _object(
        number=_WHOLE,
        verdict={"type": "string", "enum": [str(verdict) for verdict in Verdict]},
        error={"type": ["string", "null"]},
        message_ids=_list(_TEXT),
    ),
    ("GET", "/sandbox/statistics"): _object(
        total=_WHOLE,
        status=_COUNTS,
        channel=_COUNTS,
        segments=_WHOLE,
        spent=_MONEY,
        balance=_MONEY,
        sessions=_WHOLE,
        incoming=_WHOLE,
        faults=_WHOLE,
        senders=_list(_TEXT),
        posted={"anyOf": [_object(posted=_WHOLE, lost=_WHOLE, waiting=_WHOLE), {"type": "null"}]},
        now=_TEXT,
    ),
    ("GET", "/sandbox/fates"): _FATES,
    ("POST", "/sandbox/fates"): _object(set={"type": "object", "additionalProperties": _TEXT}),
    ("POST", "/sandbox/timelines"): _FATES,
    ("POST", "/sandbox/zones"): _object(set={"type": "object", "additionalProperties": _TEXT}),
    ("GET", "/sandbox/answers"): _object(set=_SET),
    ("POST", "/sandbox/answers"): _object(set=_SET),
    ("GET", "/sandbox/faults"): _FAULTS,
    ("POST", "/sandbox/faults"): _ref("Fault"),
    ("DELETE", "/sandbox/faults"): _FAULTS,
    ("GET", "/sandbox/clock"): _CLOCK,
    ("POST", "/sandbox/clock"): _CLOCK,
    ("GET", "/sandbox/incoming"): _object(total=_WHOLE, incoming=_list(_ref("Incoming"))),
    ("POST", "/sandbox/incoming"): _ref("Incoming"),
    ("GET", "/sandbox/balance"): _BALANCE,
    ("POST", "/sandbox/balance"): _BALANCE,
    ("GET", "/sandbox/sessions"): _object(valid=_WHOLE),
    ("POST", "/sandbox/sessions"): _object(expired=_WHOLE),
    ("GET", "/sandbox/requests"): _object(total=_WHOLE, requests=_list(_NUMBERED_REQUEST)),
    ("POST", "/sandbox/reset"): _object(reset={"const": True}),
}
"""What each route of the control API answers."""

_COUNTERS = ("Sent", "Delivered", "Errors", "InProcess", "Expired", "Rejected", "Total", "TotalWithErrors")
_IDS = _list(_TEXT)
_RESULTS: Mapping[Action, Schema] = {
    Action.LOGIN: {"type": "string", "minLength": 36, "maxLength": 36},
    Action.BALANCE: _NUMBER,
    Action.SEND_SMS: {**_IDS, "description": "one id for each segment, recipient by recipient"},
    Action.SEND_VIBER: {**_IDS, "description": "one id for each recipient"},
    Action.SMS_STATE: _ref("SmsState"),
    Action.VIBER_STATE: _ref("ViberState"),
    Action.INCOMING: _list(
        _object(Data=_TEXT, SourceAddress=_TEXT, DestinationAddress=_TEXT, ID=_TEXT, CreateDateUtc=_DATE)
    ),
    Action.STATISTICS: _object(**dict.fromkeys(_COUNTERS, _WHOLE), DeliveryRatio=_NUMBER),
}
"""What each kind of operation answers."""


def _json(schema: Schema) -> Schema:
    return {"application/json": {"schema": schema}}


def _refusals(*statuses: int) -> Schema:
    reasons = {
        400: "an argument is unknown, missing or wrong",
        401: "the token is missing or wrong",
        403: "the request comes from elsewhere",
        404: "nothing has that number",
        413: "the body is too large",
    }
    return {str(status): {"description": reasons[status], "content": _json(_ref("Error"))} for status in statuses}


def _query(name: str, schema: Mapping[str, object], *, means: str = "", required: bool = False) -> Schema:
    return {
        "name": name,
        "in": "query",
        "required": required,
        "schema": schema,
        **({"description": means} if means else {}),
    }


def _in_query(argument: Argument) -> Schema:
    return _query(argument.name, argument.takes.schema, means=argument.means, required=argument.required)


def _in_body(arguments: tuple[Argument, ...]) -> Schema:
    properties = {
        argument.name: {**argument.takes.schema, **({"description": argument.means} if argument.means else {})}
        for argument in arguments
    }
    required = [argument.name for argument in arguments if argument.required]
    schema = {**_object(**properties), "required": required}
    return {"required": bool(required), "content": _json(schema)}


def _control(route: Route) -> Schema:
    in_body = route.method == "POST"
    name = re.sub("[/.]", "_", route.path.removeprefix("/sandbox"))
    media = "text/csv" if route.path.endswith(".csv") else "application/json"
    described: Schema = {
        "tags": ["control"],
        "operationId": f"{route.method.lower()}{name or '_index'}",
        "summary": route.does,
        "parameters": [] if in_body else [_in_query(argument) for argument in route.arguments],
        "responses": {
            "200": {"description": route.does, "content": {media: {"schema": ANSWERS[route.method, route.path]}}},
            **_refusals(400, 401, 403, 404, 413),
        },
    }
    if in_body:
        described["requestBody"] = _in_body(route.arguments)
    return described


def _gateway(operation: Operation, method: str) -> Schema:
    lists = LISTS if operation.bulk else ()
    schemas = {parameter.name: _list(_TEXT) if parameter.name in lists else _TEXT for parameter in operation.parameters}
    required = [parameter.name for parameter in operation.parameters if parameter.code is not None]
    statuses = sorted({error.http_status for error in ERRORS.values()})
    described: Schema = {
        "tags": ["gateway v2" if operation.v2 else "gateway"],
        "operationId": f"{method.lower()}_{'v2_' if operation.v2 else ''}{operation.name.replace('/', '_')}",
        "summary": f"{operation.name}; names are matched in any case",
        "security": [],
        "responses": {
            "200": {"description": "done", "content": _json(_RESULTS[operation.action])},
            **{str(status): {"description": "refused", "content": _json(_ref("GatewayError"))} for status in statuses},
        },
    }
    if method == "GET":
        described["parameters"] = [_query(name, schema, required=name in required) for name, schema in schemas.items()]
    else:
        form = {"type": "object", "properties": schemas, "required": required}
        described["requestBody"] = {
            "required": True,
            "content": {media: {"schema": form} for media in (FORM, JSON, MULTIPART)},
        }
    return described


def _other_paths() -> Schema:
    events = {
        "tags": ["control"],
        "operationId": "get_events",
        "summary": "one event whenever something has changed",
        "responses": {
            "200": {"description": "server-sent events", "content": {"text/event-stream": {"schema": _TEXT}}},
            **_refusals(401, 403),
        },
    }
    examples = {
        "tags": ["control"],
        "operationId": "get_examples",
        "summary": "the lines that send a first message",
        "responses": {
            "200": {
                "description": "for a shell and in Python",
                "content": _json(_object(base=_TEXT, url=_TEXT, curl=_TEXT, v2=_TEXT, python=_TEXT)),
            },
            **_refusals(401, 403),
        },
    }
    return {"/sandbox/events": {"get": events}, "/sandbox/examples": {"get": examples}}


def document(login: str, needs_token: bool = False) -> Schema:
    """Return the description as a JSON document; ``login`` is the account's, ``needs_token`` whether one is set."""
    paths: dict[str, Schema] = {}
    for operation in (*OPERATIONS, *V2_OPERATIONS):
        paths[operation.path] = {method.lower(): _gateway(operation, method) for method in operation.methods}
    for route in control.ROUTES:
        paths.setdefault(route.path, {})[route.method.lower()] = _control(route)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "devinotify sandbox",
            "version": "1",
            "summary": "A gateway to try everything on without an account, and how to control it",
            "description": f"The gateway's API stands under /rest, and with login and password on every call under "
            f"/rest/v2; its account is {login}. The control API stands under /sandbox.",
            "license": {"name": "MIT", "identifier": "MIT"},
        },
        "servers": [{"url": "/"}],
        "tags": [
            {"name": "gateway", "description": "The 14 operations of the gateway"},
            {"name": "gateway v2", "description": "The same with Login and Password on every call, without sessions"},
            {"name": "control", "description": "What arrived, what becomes of it, and what goes wrong"},
        ],
        "security": [{"token": []}] if needs_token else [],
        "paths": {**paths, **_other_paths()},
        "components": {
            "schemas": dict(SCHEMAS),
            **({"securitySchemes": {"token": {"type": "http", "scheme": "bearer"}}} if needs_token else {}),
        },
    }
