"""A request's body as one mapping of names and values: JSON, a form, or the query. Pure."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NoReturn
from urllib.parse import parse_qsl

from devinotify_webhook.errors import NotUnderstood

if TYPE_CHECKING:
    from collections.abc import Mapping

FORM = "application/x-www-form-urlencoded"
MAX_FIELDS = 1000
"""Fields that a form or a query may have."""


def document(body: bytes) -> dict[str, Any]:
    """Return the JSON object that a body is; raise NotUnderstood for anything else."""
    try:
        found = json.loads(body, parse_constant=_no_number)
    except (ValueError, RecursionError):
        raise NotUnderstood("the body is not JSON") from None
    if not isinstance(found, dict):
        raise NotUnderstood("the body is not a JSON object")
    return found


def fields(content_type: str, body: bytes, query: bytes) -> dict[str, Any]:
    """Return the fields of a request by name, those of its body before those of its query.

    What begins with a brace is JSON, whatever its type says: many post it as a form unless they are told otherwise, and
    no form begins so, since a form has it encoded. A body whose type says nothing else is a form. A form's field that
    comes several times is a list. Raises NotUnderstood for what is not what its type announces.
    """
    kind = content_type.partition(";")[0].strip().lower()
    found = _form(query)
    if not body.strip():
        return found
    if kind.endswith("json") or body.lstrip().startswith(b"{"):
        return found | document(body)
    if kind in ("", FORM, "text/plain"):
        return found | _form(body)
    raise NotUnderstood("the body is neither JSON nor a form: set Content-Type to application/json")


def text_of(value: object) -> str:
    """Return a scalar of JSON as text, with halves of surrogate pairs replaced; nothing for any other value."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float):
        return _number(value)
    if not isinstance(value, str):
        return ""
    return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def texts_of(value: object) -> Mapping[str, str]:
    """Return the scalars of a JSON object as texts by name; of anything else nothing."""
    return {text_of(name): text_of(one) for name, one in value.items()} if isinstance(value, dict) else {}


def _number(value: float) -> str:
    try:
        return str(value)
    except ValueError:  # more digits than Python writes
        return ""


def _form(encoded: bytes) -> dict[str, Any]:
    try:
        pairs = parse_qsl(encoded.decode("utf-8"), keep_blank_values=True, errors="strict", max_num_fields=MAX_FIELDS)
    except UnicodeDecodeError:
        raise NotUnderstood("the form is not UTF-8") from None
    except ValueError:
        raise NotUnderstood(f"the form has more than {MAX_FIELDS} fields") from None
    found: dict[str, Any] = {}
    for name, value in pairs:
        if name in found:
            before = found[name]
            found[name] = [*before, value] if isinstance(before, list) else [before, value]
        else:
            found[name] = value
    return found


def _no_number(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")
