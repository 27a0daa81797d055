"""A receiver's own template: Jinja in its sandbox, with what was posted as its names.

What is posted comes from anybody who can raise an alert, so it is only ever a value. A template that breaks on it costs
nobody an alert: the default text goes out in its place.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from jinja2 import ChainableUndefined, TemplateSyntaxError
from jinja2.sandbox import ImmutableSandboxedEnvironment

from devinotify_webhook.errors import ConfigError

if TYPE_CHECKING:
    from devinotify_webhook.alerts import Notification

log: logging.Logger = logging.getLogger(__name__)

_ENVIRONMENT = ImmutableSandboxedEnvironment(
    autoescape=False,
    undefined=ChainableUndefined,  # an annotation that is missing is an empty text
    trim_blocks=True,
    lstrip_blocks=True,
)


class Template:
    """A template that was read once; raises ConfigError, naming the line, where it cannot be."""

    def __init__(self, receiver: str, source: str) -> None:
        self._receiver = receiver
        try:
            self._template = _ENVIRONMENT.from_string(source)
        except TemplateSyntaxError as error:
            raise ConfigError(f"receivers.{receiver}.template: line {error.lineno}: {error.message}") from None

    def render(self, notification: Notification, default: str) -> str | None:
        """Return the text of a notification, stripped; ``None`` where the template breaks on it, which is logged.

        The names are those of the posted document; ``alerts`` in order, ``firing`` and ``resolved`` among them, and
        ``default``, the text that would be sent without a template.
        """
        names = {
            **(notification.document or {}),
            "alerts": [alert.raw for alert in notification.alerts],
            "firing": [alert.raw for alert in notification.alerts if alert.is_firing],
            "resolved": [alert.raw for alert in notification.alerts if not alert.is_firing],
            "default": default,
        }
        try:
            return self._template.render(names).strip()
        except Exception as error:  # noqa: BLE001 - a template may raise anything, and an alert must not be lost for it
            # Its words may quote an alert.
            name = type(error).__name__
            log.warning("receivers.%s.template: %s; the default text is sent", self._receiver, name)
            return None
