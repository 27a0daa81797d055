"""What Airflow is told of this provider: hook, notifier, operator, and the form of its connections. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

CONNECTION_TYPE = "devino"
HOOK_NAME = "Devino Telecom (SMS, Viber)"
INTEGRATION = "Devino Telecom"


class Field(NamedTuple):
    """A field of the connection's form beside login, password and sender: a key of devinotify's URL."""

    label: str
    description: str
    choices: tuple[str, ...] = ()


FIELDS: Mapping[str, Field] = MappingProxyType(
    {
        "to": Field(
            "Recipients", "Phone numbers or aliases, with commas between; a callback without `to` sends to them"
        ),
        "channel": Field("Channel", "sms without one", ("sms", "viber", "sms-viber", "viber-sms", "null")),
        "region": Field("Region", "The country of numbers without one, two letters: RU without it"),
        "outbox": Field("Outbox", "A file, or postgresql://…: what was sent is remembered there, and not sent twice"),
        "gateway": Field("Gateway", "The base URL of another gateway, such as `devinotify sandbox`"),
    }
)
"""The form's own fields. Any other key of the URL may stand in the connection's extra as well."""

HIDDEN: tuple[str, ...] = ("schema", "port")
RELABELED: Mapping[str, str] = MappingProxyType({"host": "Sender"})
PLACEHOLDERS: Mapping[str, str] = MappingProxyType({"host": "SENDER", "to": "+79161234567, oncall"})


def get_provider_info() -> dict[str, Any]:
    """Return what the entry point ``apache_airflow_provider`` is asked for, by Airflow's schema."""
    return {
        "package-name": "devinotify-airflow",
        "name": INTEGRATION,
        "description": "SMS and Viber through the Devino Telecom HTTP API, by devinotify.",
        "integrations": [
            {
                "integration-name": INTEGRATION,
                "external-doc-url": "https://devinotele.com",
                "tags": ["service"],
            }
        ],
        "hooks": [{"integration-name": INTEGRATION, "python-modules": ["devinotify_airflow.hook"]}],
        "operators": [{"integration-name": INTEGRATION, "python-modules": ["devinotify_airflow.operators"]}],
        "notifications": ["devinotify_airflow.notifier.DevinoNotifier"],
        "connection-types": [
            {
                "connection-type": CONNECTION_TYPE,
                "hook-class-name": "devinotify_airflow.hook.DevinoHook",
                "hook-name": HOOK_NAME,
                "conn-fields": {name: _field(field) for name, field in FIELDS.items()},
                "ui-field-behaviour": {
                    "hidden-fields": list(HIDDEN),
                    "relabeling": dict(RELABELED),
                    "placeholders": dict(PLACEHOLDERS),
                },
            }
        ],
    }


def _field(field: Field) -> dict[str, Any]:
    schema: dict[str, Any] = {"type": ["string", "null"]}
    if field.choices:
        schema["enum"] = [*field.choices, None]
    return {"label": field.label, "description": field.description, "schema": schema}
