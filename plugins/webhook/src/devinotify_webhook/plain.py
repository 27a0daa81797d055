"""A message that any program posts: a text, and whom it is for, under the names that programs use. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from devinotify_webhook.bodies import text_of
from devinotify_webhook.errors import NotUnderstood

if TYPE_CHECKING:
    from collections.abc import Mapping

FIELDS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "text": ("text", "message", "msg", "body", "content"),
        "to": ("to", "recipients", "recipient", "numbers", "number", "phone", "mobile", "target"),
        "title": ("title", "subject"),
        "key": ("key", "idempotency_key"),
    }
)
"""The names of fields that are looked for, the first that is there counts; capital letters or not."""


@dataclass(frozen=True, slots=True, repr=False)
class Plain:
    """A text that was posted; ``to`` is empty where nobody is named, ``key`` is what makes it one message."""

    text: str
    to: tuple[str, ...] = ()
    title: str | None = None
    key: str | None = None


def plain(fields: Mapping[str, Any], names: Mapping[str, str]) -> Plain:
    """Return the message in these fields; raise NotUnderstood where there is no text.

    ``names`` are the receiver's own names of fields, by what they hold; FIELDS are the names otherwise.
    """
    lower = {name.lower(): value for name, value in reversed(list(fields.items()))}  # of two spellings the first counts
    found = {
        what: [lower[name] for name in ((names[what].lower(),) if what in names else usual) if name in lower]
        for what, usual in FIELDS.items()
    }
    text = _first(found["text"])
    if not text:
        wanted = names.get("text") or " or ".join(FIELDS["text"])
        raise NotUnderstood(f"there is no text: send it as {wanted}")
    to = next((some for some in map(_recipients, found["to"]) if some), ())
    return Plain(text, to, _first(found["title"]) or None, _first(found["key"]) or None)


def _first(values: list[Any]) -> str:
    return next((text for text in (text_of(value).strip() for value in values) if text), "")


def _recipients(value: object) -> tuple[str, ...]:
    """Return the recipients in a text, where commas or semicolons separate them, or in a list."""
    texts = [text_of(one) for one in value] if isinstance(value, list) else [text_of(value)]
    parts = (part.strip() for text in texts for part in text.replace(";", ",").split(","))
    return tuple(dict.fromkeys(filter(None, parts)))
