"""The facade for everybody who wants a message delivered: aliases, numbers, hooks, channels, outcomes.

``notify`` takes the first step and returns; ``wait`` watches what was accepted and takes the later steps of
a fallback. Neither raises for one recipient's failure: it is in that recipient's Outcome.
"""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import TYPE_CHECKING, Self

from devinotify import phones
from devinotify.channels.batch import failed
from devinotify.channels.compose import compose
from devinotify.exceptions import DevinotifyError, InvalidInput, InvalidURL, PluginError, Verdict
from devinotify.gateway.client import Client
from devinotify.hookspecs import hookimpl
from devinotify.models import Message, Outcome
from devinotify.plugins import BUILT_IN, make_plugin_manager

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from datetime import datetime
    from types import TracebackType

    from devinotify.models import Channel
    from devinotify.phones import PhoneNumber
    from devinotify.plugins import PluginManager
    from devinotify.text import Segmentation
    from devinotify.url import DevinoURL

log = logging.getLogger(__name__)

Recipients = "str | PhoneNumber | Iterable[str | PhoneNumber]"


class Notifier:
    """Sends a text to people, on a channel by name, through hooks; thread-safe, a context manager.

    Made from a ``devino://`` URL; its targets are the default recipients and its ``channel`` the default channel.
    ``patience`` and ``poll`` (seconds), ``on_unknown`` and ``outbox`` (a path) come before those on the URL.
    ``client`` and ``plugins`` (a manager from ``make_plugin_manager``) may be given ready-made. Raises InvalidURL
    for bad settings or an unknown channel.
    """

    def __init__(
        self,
        url: str | DevinoURL | None = None,
        *,
        client: Client | None = None,
        plugins: PluginManager | None = None,
        patience: float | None = None,
        poll: float | None = None,
        on_unknown: str | None = None,
        outbox: str | None = None,
    ) -> None:
        self._owns_client = client is None
        self.client = Client(url) if client is None else client
        given = {"patience": patience, "poll": poll, "on_unknown": on_unknown, "outbox": outbox}
        self.url = self.client.url.with_options(**{key: value for key, value in given.items() if value is not None})
        self.plugins = make_plugin_manager() if plugins is None else plugins
        self.plugins.register(_Sending(self.client), "send", BUILT_IN)
        self.channels = _channels(self.plugins)
        self.channel(self.url.channel)

    def __repr__(self) -> str:
        return f"<Notifier {self.url}>"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the client, where this notifier made it."""
        if self._owns_client:
            self.client.close()

    def channel(self, name: str) -> Channel:
        """Return the channel of this name; raise InvalidURL that lists the names there are."""
        try:
            return self.channels[name]
        except KeyError:
            raise InvalidURL(f"there is no channel {name!r}: the channels are {', '.join(self.channels)}") from None

    def notify(
        self,
        text: str,
        to: str | PhoneNumber | Iterable[str | PhoneNumber] | None = None,
        *,
        title: str | None = None,
        channel: str | None = None,
        tags: Iterable[str] = (),
        send_at: datetime | None = None,
    ) -> list[Outcome]:
        """Send ``text`` and return one Outcome per distinct recipient, in order of first appearance.

        ``to`` is a number, an alias, or several of them; without it the targets of the URL. ``send_at``: aware is an
        instant, naive the recipient's own wall clock. The tag ``urgent`` marks what must not be held back.
        Raises InvalidInput where there is nobody to send to and InvalidURL for an unknown channel; what goes wrong
        for a recipient is in the Outcome.
        """
        name = self.url.channel if channel is None else channel
        self.channel(name)
        outcomes: dict[str, Outcome | None] = dict(
            self._recipients(_listed(self.url.targets if to is None else to), name)
        )
        if not outcomes:
            raise InvalidInput("there is nobody to send to: give recipients, or targets on the URL")
        message = Message(
            text=text,
            recipients=tuple(recipient for recipient, refused in outcomes.items() if refused is None),
            title=title,
            sender=self.url.sender,
            channel=name,
            send_at=send_at,
            validity=self.url.validity,
            tags=frozenset((tags,) if isinstance(tags, str) else tags or ()),
        )
        if message.recipients:
            for outcome in self._process(message):
                outcomes[outcome.recipient] = outcome
        return [outcome for outcome in outcomes.values() if outcome is not None]

    # --- recipients

    def _recipients(self, given: Sequence[str | PhoneNumber], channel: str) -> Iterator[tuple[str, Outcome | None]]:
        """Yield each distinct recipient, with the Outcome of one that is refused here, or ``None``."""
        seen = set()
        for recipient in given:
            for number, refused in self._numbers(recipient, channel, ()):
                if number not in seen:
                    seen.add(number)
                    yield number, refused

    def _numbers(
        self, recipient: str | PhoneNumber, channel: str, path: tuple[str, ...]
    ) -> Iterator[tuple[str, Outcome | None]]:
        if isinstance(recipient, phones.PhoneNumber):
            yield recipient.e164, None
            return
        raw = str(recipient)
        try:
            members = None
            if raw not in path and self.plugins.listens("devinotify_resolve_recipient"):
                members = self.plugins.hook.devinotify_resolve_recipient(recipient=raw)
            if members is None:
                yield self._normalize(recipient).e164, None
                return
        except DevinotifyError as error:
            yield raw, failed(channel, raw, error)
            return
        if not members:
            yield raw, failed(channel, raw, InvalidInput("the alias stands for nobody"))
        for member in members:
            yield from self._numbers(member, channel, (*path, raw))

    def _normalize(self, raw: str) -> PhoneNumber:
        if self.plugins.has_outsiders("devinotify_normalize_phone"):
            number: PhoneNumber = self.plugins.hook.devinotify_normalize_phone(raw=raw, region=self.url.region)
            return number
        return phones.normalize(raw, region=self.url.region)

    def _estimate(self, text: str) -> Segmentation:
        segmentation: Segmentation = self.plugins.hook.devinotify_estimate_segments(text=text)
        return segmentation

    # --- messages

    def _process(self, message: Message) -> Iterator[Outcome]:
        """Prepare, send and record; yield one Outcome per recipient of ``message``, and of those a plugin adds."""
        try:
            prepared = self._prepare(message)
        except DevinotifyError as error:
            yield from self._recorded(message, _all_failed(message, error))
            return
        for one in prepared:
            yield from self.send(one)
        kept = {recipient for one in prepared for recipient in one.recipients}
        dropped = tuple(recipient for recipient in message.recipients if recipient not in kept)
        if dropped:
            left_out = replace(message, recipients=dropped)
            fault = PluginError("a plugin dropped the recipient", hook="devinotify_prepare_message")
            yield from self._recorded(left_out, _all_failed(left_out, fault))

    def _prepare(self, message: Message) -> list[Message]:
        prepared: list[Message] = self.plugins.hook.devinotify_prepare_message(message=message)
        recipients = [recipient for one in prepared for recipient in one.recipients]
        if len(recipients) != len(set(recipients)):
            raise PluginError(
                "a plugin put one recipient into two messages: nothing is sent twice", hook="devinotify_prepare_message"
            )
        return prepared

    def send(self, message: Message) -> list[Outcome]:
        """Send a message that is prepared already, and record and return one Outcome per recipient, in order."""
        try:
            channel = self.channel(message.channel)
            composed = self._compose(message, channel)
        except DevinotifyError as error:
            return self._recorded(message, _all_failed(message, error))
        try:
            outcomes = self.plugins.hook.devinotify_send_message(message=composed, channel=channel)
        except DevinotifyError as error:
            return self._recorded(composed, _all_failed(composed, error))
        return self._recorded(composed, _complete(composed, outcomes))

    def _compose(self, message: Message, channel: Channel) -> Message:
        if not getattr(channel, "segmented", True):
            return compose(message)
        return compose(
            message,
            transliterate=self.url.transliterate,
            max_segments=self.url.max_segments,
            estimate=self._estimate,
        )

    def _recorded(self, message: Message, outcomes: Sequence[Outcome]) -> list[Outcome]:
        if self.plugins.listens("devinotify_map_error"):
            outcomes = [self._mapped(outcome) for outcome in outcomes]
        if self.plugins.listens("devinotify_outcome_recorded"):
            for outcome in outcomes:
                self.plugins.observe("devinotify_outcome_recorded", message=message, outcome=outcome)
        return list(outcomes)

    def _mapped(self, outcome: Outcome) -> Outcome:
        error = outcome.error
        if error is None:
            return outcome
        try:
            mapped: DevinotifyError | None = self.plugins.hook.devinotify_map_error(error=error)
        except DevinotifyError as fault:
            log.error("%s; the error stays as it was", fault)
            return outcome
        if mapped is None or mapped is error:
            error.verdict = outcome.verdict
            return outcome
        mapped.verdict = outcome.verdict
        mapped.retryable = mapped.retryable and outcome.verdict is not Verdict.UNKNOWN
        mapped.operation = mapped.operation or error.operation
        mapped.__cause__ = mapped.__cause__ or error
        attempts = tuple(
            replace(attempt, error=mapped) if attempt.error is error else attempt for attempt in outcome.attempts
        )
        return replace(outcome, error=mapped, attempts=attempts)


class _Sending:
    """The built-in answer to ``send_message``, asked last: it sends."""

    def __init__(self, client: Client) -> None:
        self._client = client

    @hookimpl(trylast=True)
    def devinotify_send_message(self, message: Message, channel: Channel) -> list[Outcome]:
        """Send on the channel; whatever but a DevinotifyError it raises leaves the outcome unknown, never lost."""
        try:
            return channel.send(message, self._client)
        except DevinotifyError as error:
            return _all_failed(message, error)
        except Exception as error:  # noqa: BLE001 - a channel of a plugin's may raise anything, and may have sent
            log.error("the channel %s raised %s", channel.name, type(error).__name__)
            fault = PluginError(
                f"the channel {channel.name} raised {type(error).__name__} while it was sending",
                plugin=channel.name,
                hook="send",
                verdict=Verdict.UNKNOWN,
            )
            fault.__cause__ = error
            return _all_failed(message, fault)


def _channels(plugins: PluginManager) -> dict[str, Channel]:
    """Return the channels by name, the built-in ones first; raise PluginError where two have one name."""
    channels: dict[str, Channel] = {}
    # pluggy answers with the last registered first.
    for some in reversed(plugins.hook.devinotify_register_channels()):
        for channel in some:
            if channel.name in channels:
                raise PluginError(
                    f"there are two channels named {channel.name}",
                    plugin=channel.name,
                    hook="devinotify_register_channels",
                )
            channels[channel.name] = channel
    return channels


def _listed(to: str | PhoneNumber | Iterable[str | PhoneNumber]) -> list[str | PhoneNumber]:
    return [to] if isinstance(to, str | phones.PhoneNumber) else list(to)


def _all_failed(message: Message, error: DevinotifyError) -> list[Outcome]:
    return [failed(message.channel, recipient, error) for recipient in message.recipients]


def _complete(message: Message, outcomes: Sequence[Outcome]) -> list[Outcome]:
    """Return the outcomes in the order of the recipients; one that a plugin's answer left out is unknown."""
    found = {outcome.recipient: outcome for outcome in outcomes}
    error = PluginError(
        "no outcome was answered for the recipient", hook="devinotify_send_message", verdict=Verdict.UNKNOWN
    )
    return [
        found[recipient] if recipient in found else failed(message.channel, recipient, error)
        for recipient in message.recipients
    ]
