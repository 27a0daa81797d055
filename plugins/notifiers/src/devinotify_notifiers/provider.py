"""The provider: what ``notifiers`` and its command find under the name ``devino``.

Whoever asks ``notifiers`` for any provider has this module loaded: what takes longer waits for the first message.
"""

from __future__ import annotations

import logging
import re
from typing import TYPE_CHECKING, Any

from devinotify import DevinotifyError, DevinoURL, InvalidInput
from notifiers.core import Provider, Response
from notifiers.exceptions import BadArguments
from notifiers.models import OneOrMore, SchemaModel
from pydantic import Field

from devinotify_notifiers import verdicts
from devinotify_notifiers.hiding import hidden, shown

if TYPE_CHECKING:
    from collections.abc import Mapping

log: logging.Logger = logging.getLogger(__name__)

_BETWEEN = re.compile(r"[,;\n]")


class DevinoSchema(SchemaModel):
    """What a notification may be given."""

    message: str = Field(description="The text of the message")
    url: str = Field(description="devino://LOGIN:PASSWORD@SENDER, with recipients and options where they are wanted")
    to: OneOrMore[str] | None = Field(
        None, description="Numbers or aliases, with commas between them or several times; without any, those of the url"
    )
    title: str | None = Field(None, description="The first line of the message")
    channel: str | None = Field(
        None, description="sms, viber, sms-viber, viber-sms or a plugin's, in place of the url's"
    )
    tags: OneOrMore[str] | None = Field(None, description="Marks for plugins: urgent is not held back at night")


class Devino(Provider):
    """Send SMS and Viber messages through the Devino Telecom HTTP API"""

    name = "devino"
    base_url = "https://integrationapi.net/rest"
    site_url = "https://devinotele.com/"
    schema_model = DevinoSchema

    def _process_data(self, **data: Any) -> dict[str, Any]:  # noqa: ANN401 - whatever a caller gives
        # notifiers logs all that it is given, at DEBUG.
        found: dict[str, Any] = super()._process_data(**{name: hidden(value) for name, value in data.items()})
        return {name: shown(value) for name, value in found.items()}

    def _get_environs(self, prefix: str | None = None) -> dict[str, Any]:
        return {name: hidden(value) for name, value in super()._get_environs(prefix).items()}

    def _send_notification(self, data: Mapping[str, Any]) -> Response:
        """Return a Response whose ``response`` are the Outcomes; see the README for its ``status`` and ``errors``."""
        from devinotify_notifiers.pool import shared

        given = dict(data)
        try:
            url = DevinoURL.parse(given["url"])
            given["url"] = str(url)  # without the password, wherever the Response or an error is looked at
            outcomes = shared.get(url).notify(
                given["message"],
                _listed(given.get("to")),
                title=given.get("title"),
                channel=given.get("channel"),
                tags=_listed(given.get("tags")) or (),
            )
        except InvalidInput as error:
            given.pop("url", None)
            raise BadArguments(validation_error=str(error), provider=self.name, data=given) from None
        except DevinotifyError as error:
            outcomes, report = [], verdicts.report_of(error)
        else:
            report = verdicts.report(outcomes)
        for line in report.warnings:
            log.warning("%s", line)
        return Response(report.status, self.name, given, tuple(outcomes), list(report.errors) or None)


def _listed(given: str | list[str] | None) -> list[str] | None:
    """Return what was given as single texts, or ``None`` where there is none."""
    parts = [
        part.strip() for each in ([given] if isinstance(given, str) else given or ()) for part in _BETWEEN.split(each)
    ]
    return [part for part in parts if part] or None
