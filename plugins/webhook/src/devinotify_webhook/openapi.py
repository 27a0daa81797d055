"""The description of the app as OpenAPI 3.1. Pure."""

from __future__ import annotations

from importlib.metadata import version
from typing import Any

from devinotify_webhook import twilio

Schema = dict[str, Any]

_TEXT: Schema = {"type": "string"}
_TEXTS: Schema = {"type": "object", "additionalProperties": _TEXT}
_FLAG: Schema = {"type": "boolean"}
_ALERT: Schema = {
    "type": "object",
    "properties": {
        "status": {"type": "string", "enum": ["firing", "resolved"]},
        "labels": _TEXTS,
        "annotations": _TEXTS,
        "startsAt": {"type": "string", "format": "date-time"},
        "endsAt": {"type": "string", "format": "date-time"},
        "fingerprint": _TEXT,
    },
}
_ALERTS: Schema = {
    "type": "object",
    "properties": {
        "version": _TEXT,
        "groupKey": _TEXT,
        "status": _TEXT,
        "notification_reason": _TEXT,
        "truncatedAlerts": {"type": "integer", "minimum": 0},
        "alerts": {"type": "array", "items": _ALERT, "minItems": 1},
    },
    "required": ["alerts"],
}
_RECIPIENTS: Schema = {"oneOf": [_TEXT, {"type": "array", "items": _TEXT}]}
_SMS: Schema = {
    "type": "object",
    "properties": {"text": {"type": "string", "minLength": 1}, "to": _RECIPIENTS, "title": _TEXT, "key": _TEXT},
    "required": ["text"],
}
_STORED: Schema = {
    "type": "object",
    "properties": {
        "rows": {"type": "array", "items": {"type": "integer"}},
        "known": _FLAG,
        "refused": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {"recipient": _TEXT, "reason": _TEXT},
                "required": ["recipient", "reason"],
                "additionalProperties": False,
            },
        },
        "paused_until": {"type": "string", "format": "date-time"},
    },
    "required": ["rows", "known", "refused"],
    "additionalProperties": False,
}
_ERROR: Schema = {
    "type": "object",
    "properties": {"error": _TEXT},
    "required": ["error"],
    "additionalProperties": False,
}
_TWILIO_ERROR: Schema = {
    "type": "object",
    "properties": {"code": {"type": "integer"}, "message": _TEXT, "more_info": _TEXT, "status": {"type": "integer"}},
    "required": ["code", "message", "status"],
}
_TWILIO: Schema = {
    "type": "object",
    "properties": {"sid": _TEXT, "status": _TEXT, "account_sid": _TEXT},
    "required": ["sid", "status", "account_sid"],
}
_TWILIO_FORM: Schema = {
    "type": "object",
    "properties": {"To": _TEXT, "From": _TEXT, "Body": {"type": "string", "minLength": 1}},
    "required": ["Body"],
}
_WHY = {
    400: "The body cannot be understood: posting it again is no use",
    401: "The token is missing or wrong",
    404: "There is no such receiver",
    408: "The body did not arrive in time",
    413: "The body is too long",
    503: "Not all of it is safely stored: post it again, and what is stored is known",
}


def document() -> Schema:
    """Return the description."""
    return {
        "openapi": "3.1.0",
        "info": {"title": "devinotify-webhook", "version": version("devinotify-webhook")},
        "paths": {
            "/alertmanager/{receiver}": {"post": _posting("Alertmanager's webhook, version 4", _ALERTS)},
            "/grafana/{receiver}": {"post": _posting("Grafana's webhook", _ALERTS)},
            "/sms/{receiver}": {
                "post": _posting("A text by any program", _SMS, form=True),
                "get": {
                    "summary": "A text in the query",
                    "parameters": [_named("receiver"), *(_queried(name) for name in ("text", "to", "title", "key"))],
                    "responses": _responses(200, "What was stored", _STORED, _ERROR),
                },
            },
            twilio.MESSAGES: {
                "post": {
                    "summary": "A message in Twilio's words",
                    "parameters": [_named("sid")],
                    "requestBody": _body(_TWILIO_FORM, "application/x-www-form-urlencoded"),
                    "responses": _responses(201, "The message", _TWILIO, _TWILIO_ERROR),
                }
            },
            twilio.MESSAGE: {
                "get": {
                    "summary": "What became of it",
                    "parameters": [_named("sid"), _named("message")],
                    "responses": _responses(200, "The message", _TWILIO, _TWILIO_ERROR),
                }
            },
            "/healthz": {"get": _told("Whether it serves, and its worker does not hang", 200, 503)},
            "/-/healthy": {"get": _told("The same, by the name that Prometheus uses", 200, 503)},
            "/-/ready": {"get": _told("Whether the outbox and the worker are at work", 200, 503)},
            "/metrics": {"get": _told("What is counted, as Prometheus reads it", 200)},
        },
    }


def _posting(summary: str, schema: Schema, *, form: bool = False) -> Schema:
    kinds = ["application/json", *(["application/x-www-form-urlencoded"] if form else [])]
    return {
        "summary": summary,
        "parameters": [_named("receiver")],
        "requestBody": _body(schema, *kinds),
        "responses": _responses(200, "What was stored", _STORED, _ERROR),
    }


def _body(schema: Schema, *kinds: str) -> Schema:
    return {"required": True, "content": {kind: {"schema": schema} for kind in kinds}}


def _named(name: str) -> Schema:
    return {"name": name, "in": "path", "required": True, "schema": {"type": "string", "minLength": 1}}


def _queried(name: str) -> Schema:
    return {"name": name, "in": "query", "required": name == "text", "schema": _TEXT}


def _responses(status: int, description: str, schema: Schema, error: Schema) -> Schema:
    done = {str(status): _answer(description, schema)}
    return done | {str(code): _answer(why, error) for code, why in _WHY.items()}


def _answer(description: str, schema: Schema) -> Schema:
    return {"description": description, "content": {"application/json": {"schema": schema}}}


def _told(summary: str, *statuses: int) -> Schema:
    content = {"text/plain": {"schema": _TEXT}}
    return {
        "summary": summary,
        "responses": {str(status): {"description": summary, "content": content} for status in statuses},
    }
