"""What a route makes of a request for a receiver: the orders that are to be stored. No socket, no store."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from devinotify import text as texts

from devinotify_webhook import alerts, bodies, keys
from devinotify_webhook.config import DEDUPE, MAX_SEGMENTS, MOST_SEGMENTS, REQUEST, ByLabel
from devinotify_webhook.errors import NotUnderstood
from devinotify_webhook.plain import Plain, plain
from devinotify_webhook.rendering import default_text, shortened
from devinotify_webhook.templates import Template

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from devinotify_webhook.alerts import Alert, Notification
    from devinotify_webhook.config import Config, Receiver
    from devinotify_webhook.metrics import Metrics


@dataclass(frozen=True, slots=True, repr=False)
class Order:
    """One message that is to be stored; ``counts`` is how many alerts, or texts, it tells of."""

    text: str
    to: tuple[str, ...]
    title: str | None = None
    key: keys.Key | None = None
    counts: int = 1
    is_alert: bool = True
    """Whether it tells of alerts: those that a pause holds back are told of by its announcement."""
    named: bool = False
    """Whether the request names the recipients: if none of them is one, it cannot be understood."""


@dataclass(frozen=True, slots=True, repr=False)
class Posted:
    """What came in a request: its body, the body's type, the query, and a key that a header names."""

    body: bytes = b""
    content_type: str = ""
    query: bytes = b""
    key: str | None = None


class Reader:
    """Makes orders of what is posted; raises ConfigError for a receiver whose template cannot be read."""

    def __init__(self, config: Config, metrics: Metrics) -> None:
        self._metrics = metrics
        self._usual_segments = config.url.max_segments or MAX_SEGMENTS
        self._templates = {
            name: Template(name, one.template) for name, one in config.receivers.items() if one.template is not None
        }

    def read(self, route: str, receiver: Receiver, name: str, posted: Posted) -> list[Order]:
        """Return what is to be stored of a request to ``route``, under the name that was posted to; nothing to send is
        an empty list. Raises NotUnderstood for a body that cannot be understood.
        """
        return _ROUTES[route](self, receiver, name, posted)

    def of_text(self, receiver: Receiver, name: str, found: Plain, key: str | None = None) -> Order:
        """Return the order of a text; the recipients are the receiver's own, or those that the request names."""
        named = receiver.to == REQUEST
        to = found.to if named else receiver.recipients
        if not to:
            raise NotUnderstood("there is nobody to send to: the request has to name the recipients, as to")
        if given := key or found.key:
            chosen: keys.Key | None = keys.given(name, given)
        else:
            chosen = keys.of_text(name, found.text, to, found.title, receiver.dedupe) if receiver.dedupe else None
        text = shortened(texts.sendable(found.text), receiver.max_segments or MOST_SEGMENTS)
        return Order(text, to, found.title, chosen, is_alert=False, named=named)

    def _sms(self, receiver: Receiver, name: str, posted: Posted) -> list[Order]:
        fields = bodies.fields(posted.content_type, posted.body, posted.query)
        return [self.of_text(receiver, name, plain(fields, receiver.fields), posted.key)]

    def _alerts(self, receiver: Receiver, name: str, posted: Posted) -> list[Order]:
        document = bodies.document(posted.body)
        if not alerts.has_alerts(document) and (text := _own_text(document, receiver)) is not None:
            # A payload of the administrator's own, which may be a text and nothing else.
            key = posted.key or text.key
            return [self._custom(receiver, name, document, text, key)]
        told = alerts.notification(document)
        for alert in told.alerts:
            self._metrics.count("alerts", receiver.name, alert.status)
        wanted = [alert for alert in told.alerts if receiver.send_resolved or alert.is_firing]
        if not wanted:
            return []
        return [
            order
            for to, some in _by_recipients(receiver, wanted).items()
            if (order := self._of_alerts(receiver, name, told, to, some, alone=len(some) == len(wanted))) is not None
        ]

    def _custom(
        self, receiver: Receiver, name: str, document: Mapping[str, Any], found: Plain, key: str | None
    ) -> Order:
        window = DEDUPE if receiver.dedupe is None else receiver.dedupe
        order = self.of_text(receiver, name, found, key)
        if order.key is None and window:
            chosen = keys.of_payload(name, document, window)
            order = Order(order.text, order.to, order.title, chosen, is_alert=False, named=order.named)
        return order

    def _of_alerts(
        self,
        receiver: Receiver,
        name: str,
        told: Notification,
        to: tuple[str, ...],
        some: Sequence[Alert],
        *,
        alone: bool,
    ) -> Order | None:
        part = alerts.Notification(
            tuple(some), told.group_key, told.reason, told.truncated if alone else 0, told.document
        )
        text = self._text(receiver, part)
        if not text:
            return None  # the template has nothing to say of these
        window = DEDUPE if receiver.dedupe is None else receiver.dedupe
        key = keys.of_alerts(name, part, part.alerts, window) if window else None
        return Order(text, to, key=key, counts=part.total)

    def _text(self, receiver: Receiver, notification: Notification) -> str:
        most = receiver.max_segments or self._usual_segments
        default = default_text(notification, most)
        template = self._templates.get(receiver.name)
        if template is None:
            return default
        text = template.render(notification, default)
        if text is None:
            self._metrics.count("template_errors", receiver.name)
            return default
        return shortened(texts.sendable(text).strip(), most)


def _own_text(document: Mapping[str, Any], receiver: Receiver) -> Plain | None:
    try:
        return plain(document, receiver.fields)
    except NotUnderstood:
        return None


def _by_recipients(receiver: Receiver, wanted: Sequence[Alert]) -> dict[tuple[str, ...], list[Alert]]:
    """Return the alerts for each set of recipients, in their order."""
    if receiver.to == REQUEST:
        raise NotUnderstood("this receiver's recipients are named by each request, and alerts name none")
    parts: dict[tuple[str, ...], list[Alert]] = {}
    for alert in wanted:
        to = (
            receiver.to.of(alert.labels.get(receiver.to.label))
            if isinstance(receiver.to, ByLabel)
            else receiver.recipients
        )
        parts.setdefault(to, []).append(alert)
    return parts


_ROUTES: Mapping[str, Callable[[Reader, Receiver, str, Posted], list[Order]]] = MappingProxyType(
    {
        "alertmanager": Reader._alerts,
        "grafana": Reader._alerts,
        "sms": Reader._sms,
    }
)
"""How each route is read."""
