"""The block: what Prefect's automations notify by, and flows by calling it."""

from __future__ import annotations

import asyncio
import re
from functools import cache
from typing import TYPE_CHECKING, Any, ClassVar, Self

from devinotify import DevinoURL, InvalidInput, InvalidURL, make_plugin_manager, mask_number

# Where Prefect's own integrations have it from: it tells by Prefect's contexts, and not by the loop alone, whether the
# caller awaits.
from prefect._internal.compatibility.async_dispatch import async_dispatch
from prefect.blocks.abstract import NotificationBlock, NotificationError
from prefect.blocks.notifications import CustomWebhookNotificationBlock
from pydantic import ConfigDict, Field, HttpUrl, ModelWrapValidatorHandler, SecretStr, model_validator

from devinotify_prefect.report import Report, report_of, report_on

if TYPE_CHECKING:
    from collections.abc import Mapping

    from devinotify import AsyncNotifier, Channel, Pool

_PREFECTS_OWN = frozenset({"block_type_slug", "_block_document_id", "_block_document_name", "_is_anonymous"})
"""What Prefect writes into a block beside its fields."""
_BETWEEN = re.compile(r"[,;\n]")


class DevinoNotification(NotificationBlock):
    """Sends SMS and Viber messages through the Devino Telecom HTTP API.

    What is wrong with a field is told when the block is made: by InvalidURL or InvalidInput, which are ValueErrors, and
    where Prefect reads a saved block by pydantic's ValidationError. None of them shows the URL.

    Examples:
        Load a saved block and notify by it:
        ```python
        from devinotify_prefect import DevinoNotification

        on_call = DevinoNotification.load("BLOCK_NAME")
        on_call.notify("The nightly import failed")
        ```
    """

    model_config: ClassVar[ConfigDict] = ConfigDict(hide_input_in_errors=True)

    _block_type_name: ClassVar[str | None] = "Devino Notification"
    _block_type_slug: ClassVar[str | None] = "devino-notification"
    _description: ClassVar[str | None] = "Sends SMS and Viber messages through the Devino Telecom HTTP API."
    _documentation_url: ClassVar[HttpUrl | None] = HttpUrl("https://pypi.org/project/devinotify-prefect/")
    # Prefect's picture for what posts a notification somewhere.
    _logo_url: ClassVar[HttpUrl | None] = CustomWebhookNotificationBlock._logo_url

    url: SecretStr = Field(
        title="URL",
        description="devino://LOGIN:PASSWORD@SENDER, with recipients and options where they are wanted.",
        examples=["devino://login:password@SENDER/79161234567?channel=sms-viber"],
    )
    to: list[str] | str | None = Field(
        default=None,
        title="Recipients",
        description="Numbers or aliases: a list, or a text with commas between them. Without any, those of the URL.",
    )
    channel: str | None = Field(
        default=None,
        title="Channel",
        description="The way to send: sms, viber, sms-viber, viber-sms or a plugin's. Without one, that of the URL.",
    )

    @model_validator(mode="wrap")
    @classmethod
    def _hide_url(cls, values: Any, handler: ModelWrapValidatorHandler[Self]) -> Self:  # noqa: ANN401 - whatever is validated
        """Have the URL a secret before anything is checked: pydantic's errors keep what they are about."""
        if isinstance(values, dict) and isinstance(values.get("url"), str):
            values = {**values, "url": SecretStr(values["url"])}
        return handler(values)

    def block_initialization(self) -> None:
        """Raise InvalidURL or InvalidInput for what nothing could be sent by: better now than at night."""
        for name in self.model_extra or ():
            if name not in _PREFECTS_OWN:
                raise DevinoURL.unknown_key(name, tuple(type(self).model_fields))
        settings = self._settings()
        name = self.channel or settings.channel
        if name not in _channels():
            raise InvalidURL(f"there is no channel {name!r}: the channels are {', '.join(_channels())}")
        _channels()[name].check_sender(settings.sender)
        if not (self._recipients() or settings.targets):
            raise InvalidInput("there is nobody to send to: give recipients in ``to``, or targets on the URL")

    def __repr_args__(self) -> list[tuple[str | None, Any]]:
        shown = dict(super().__repr_args__())
        if self.to is not None:
            shown["to"] = [mask_number(each) for each in self._recipients() or ()]
        return list(shown.items())

    def _notifiers(self) -> Pool[DevinoURL, AsyncNotifier]:
        # On first use: whatever Prefect starts loads this module, and a client takes longer than all else here.
        from devinotify_prefect.notifiers import shared

        return shared

    def _settings(self) -> DevinoURL:
        return DevinoURL.parse(self.url.get_secret_value())

    def _recipients(self) -> list[str] | None:
        """Return the recipients that the block names, or ``None`` where it leaves them to the URL."""
        named = _BETWEEN.split(self.to) if isinstance(self.to, str) else self.to or ()
        return [each.strip() for each in named if each.strip()] or None

    def _options(self, subject: str | None) -> Mapping[str, Any]:
        return {"to": self._recipients(), "title": subject or None, "channel": self.channel or None}

    async def anotify(self, body: str, subject: str | None = None) -> None:
        """Send ``body``, with ``subject`` as its first line, without blocking the event loop.

        Raises NotificationError, whose ``log`` has the verdicts, where it was not accepted for everybody: always for
        ``raise_on_failure``, as automations do it, else only where nobody can have got it. See the README.
        """
        try:
            settings, notifiers = self._settings(), self._notifiers()
            notifier = notifiers.known(settings)
            if notifier is None:  # whose outbox may have to be waited for
                notifier = await asyncio.to_thread(notifiers.get, settings)
            report = report_on(await notifier.notify(body, **self._options(subject)))
        except Exception as error:  # noqa: BLE001 - an automation repeats whatever ends by another error than its own
            report = report_of(error)
        self._tell(report)

    # An abstract method that is awaited cannot be one that may be, for type checkers; Prefect's own blocks do the same.
    @async_dispatch(anotify)
    def notify(self, body: str, subject: str | None = None) -> None:  # type: ignore[override]
        """Send ``body``, with ``subject`` as its first line; to be awaited where there is an event loop.

        Raises NotificationError as ``anotify`` does.
        """
        try:
            report = report_on(self._notifiers().get(self._settings()).notifier.notify(body, **self._options(subject)))
        except Exception as error:  # noqa: BLE001 - as above
            report = report_of(error)
        self._tell(report)

    def _tell(self, report: Report) -> None:
        if report.accepted:
            self.logger.info("%s", report.text)
            return
        self.logger.warning("%s", report.text)
        if self._raise_on_failure or report.repeatable:
            raise NotificationError(report.text)


@cache
def _channels() -> Mapping[str, Channel]:
    """Return the channels that there are in this process, by name: no account and no outbox are opened for it."""
    return make_plugin_manager().channels()
