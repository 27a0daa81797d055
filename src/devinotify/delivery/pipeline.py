"""The way of one message through the hooks: prepared, screened, shaped, sent, and its outcomes recorded."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from devinotify.channels.batch import failed
from devinotify.channels.compose import shape
from devinotify.channels.protocol import broken, check_message, complete, send_on
from devinotify.delivery import daily_window
from devinotify.delivery.orders import window_under_way
from devinotify.delivery.outcomes import record
from devinotify.delivery.recipients import screen
from devinotify.delivery.schedule import all_timed
from devinotify.exceptions import DevinotifyError, PluginError
from devinotify.gateway.departure import require_departure
from devinotify.hookspecs import hookimpl

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Sequence

    from devinotify.channels.direct import Direct
    from devinotify.channels.protocol import Channel
    from devinotify.delivery.recipients import Recipients
    from devinotify.gateway.aio.resources import Ready
    from devinotify.gateway.client import Client
    from devinotify.models import Message, Outcome
    from devinotify.plugins import PluginManager
    from devinotify.url import DevinoURL

log: logging.Logger = logging.getLogger(__name__)


ON_THE_WAY: frozenset[tuple[str, bool]] = frozenset(
    {
        ("devinotify_resolve_recipient", False),
        ("devinotify_normalize_phone", True),
        ("devinotify_prepare_message", True),
        ("devinotify_screen_recipients", False),
        ("devinotify_estimate_segments", True),
        ("devinotify_send_message", True),
        ("devinotify_map_error", False),
        ("devinotify_outcome_recorded", False),
    }
)
"""The hooks that a send comes by, and whether the core has an answer of its own to each, which never blocks."""


class Sending:
    """The built-in answer to ``send_message``, asked last: it sends."""

    def __init__(self, client: Client) -> None:
        self._client = client

    @hookimpl(trylast=True)
    def devinotify_send_message(self, message: Message, channel: Channel) -> list[Outcome]:
        """Send on the channel; whatever it raises or answers, each recipient has an outcome."""
        return [*self.outcomes(message, channel)]

    def outcomes(self, message: Message, channel: Channel) -> Sequence[Outcome]:
        """Do the same, where no plugin is asked before: of an accepted bulk each is made when it is asked for."""
        return send_on(channel, message, self._client)


class Pipeline:
    """Takes messages through the hooks of one Notifier to its channels.

    ``channel`` returns a channel by name or raises InvalidURL, ``settings`` the URL's as they stand now; ``sending``
    is what sends where no plugin answers in its place.
    """

    def __init__(
        self,
        plugins: PluginManager,
        recipients: Recipients,
        channel: Callable[[str], Channel],
        settings: Callable[[], DevinoURL],
        sending: Sending,
    ) -> None:
        self._plugins = plugins
        self._recipients = recipients
        self._channel = channel
        self._settings = settings
        self._sending = sending

    def process(self, message: Message) -> Iterator[Sequence[Outcome]]:
        """Prepare, send and record; yield one Outcome per recipient of ``message``, and of those a plugin adds.

        They come as they are known, those of each request together.
        """
        refused: dict[str, DevinotifyError] = {}
        try:
            allowed = self._allowed(message, refused)
        except DevinotifyError as error:
            yield self.refuse(message, dict.fromkeys(message.recipients, error))
            return
        for one in allowed:
            yield self._send(one)
        if refused:
            yield self.refuse(message, refused)

    def rehearse(self, message: Message) -> tuple[list[Message], dict[str, DevinotifyError]]:
        """Return the messages that would be sent now, and whom nothing would be sent to and why; nothing is."""
        refused: dict[str, DevinotifyError] = {}
        ready: list[Message] = []
        try:
            allowed = self._allowed(message, refused)
        except DevinotifyError as error:
            return [], dict.fromkeys(message.recipients, error)
        for one in allowed:
            try:
                _, final = self._ready(one)
            except DevinotifyError as error:
                refused |= dict.fromkeys(one.recipients, error)
            else:
                ready.append(final)
        return ready, refused

    def _allowed(self, message: Message, refused: dict[str, DevinotifyError]) -> list[Message]:
        """Return the messages to send in place of this one, to those who may have them; add all others to ``refused``.

        Raises DevinotifyError where a hook fails, which is everybody's then.
        """
        prepared = self._prepare(message, refused)
        allowed = [self._screen(one, refused) for one in prepared]
        if len(prepared) != 1 or prepared[0].recipients != message.recipients:
            kept = {recipient for one in prepared for recipient in one.recipients}
            fault = PluginError("a plugin dropped the recipient", hook="devinotify_prepare_message")
            refused |= {recipient: fault for recipient in message.recipients if recipient not in kept}
        return [one for one in allowed if one.recipients]

    def _prepare(self, message: Message, refused: dict[str, DevinotifyError]) -> list[Message]:
        """Return the messages to send in place of this one, each recipient in one of them; add who is ``refused``.

        The daily window of what is sent from an outbox holds whatever plugins make of it.
        """
        prepared = self._made(message, refused)
        window = window_under_way()
        if window is None:
            return prepared
        return [part for one in prepared for part in daily_window.fit(self._plugins, one, window)]

    def _made(self, message: Message, refused: dict[str, DevinotifyError]) -> list[Message]:
        """Return what plugins make of a message."""
        if not self._plugins.listens("devinotify_prepare_message", outside=True):
            return [message]
        known = frozenset(message.recipients)
        prepared = [
            one if known.issuperset(one.recipients) else self._with_numbers(one, known, refused)
            for one in self._plugins.hook.devinotify_prepare_message(message=message)
        ]
        recipients = [recipient for one in prepared for recipient in one.recipients]
        if len(recipients) != len(set(recipients)):
            raise PluginError(
                "a plugin put one recipient into two messages: nothing is sent twice", hook="devinotify_prepare_message"
            )
        return prepared

    def _with_numbers(self, message: Message, known: Collection[str], refused: dict[str, DevinotifyError]) -> Message:
        """Return a message whose added recipients are written like all others, so that none is there twice."""
        recipients: list[str] = []
        for recipient in message.recipients:
            read = {recipient: None} if recipient in known else self._recipients.read([recipient])
            recipients += [number for number, error in read.items() if error is None]
            refused |= {number: error for number, error in read.items() if error is not None}
        return replace(message, recipients=tuple(recipients))

    def _screen(self, message: Message, refused: dict[str, DevinotifyError]) -> Message:
        """Return the message without those that a plugin lets not have it; add them to ``refused``."""
        found = screen(self._plugins, message)
        if not found:
            return message
        refused |= found
        return replace(message, recipients=tuple([each for each in message.recipients if each not in found]))

    def send(self, message: Message, channel: Channel | None = None) -> list[Outcome]:
        """Send a message that is prepared already, and record and return one Outcome per recipient, in order.

        Without ``channel`` it goes out on the one that the message names.
        """
        refused: dict[str, DevinotifyError] = {}
        try:
            allowed = self._screen(message, refused)
        except DevinotifyError as error:
            return self.refuse(message, dict.fromkeys(message.recipients, error))
        sent = [*self._send(allowed, channel)] if allowed.recipients else []
        if not refused:
            return sent
        found = {outcome.recipient: outcome for outcome in (*sent, *self.refuse(message, refused))}
        return [found[recipient] for recipient in message.recipients]

    def _send(self, message: Message, channel: Channel | None = None) -> Sequence[Outcome]:
        try:
            channel, message = self._ready(message, channel)
            if self._plugins.listens("devinotify_send_message", outside=True):
                require_departure()  # as for a plugin's channel: it may send by itself
                answer = self._plugins.hook.devinotify_send_message(message=message, channel=channel)
                answer = complete(message, answer, message.channel)
            else:
                answer = self._sending.outcomes(message, channel)
        except DevinotifyError as error:
            return self.refuse(message, dict.fromkeys(message.recipients, error))
        # Patience runs, and deliveries are looked at and reported, from the recipient's own hour on.
        return record(self._plugins, message, all_timed(answer, message))

    def _ready(self, message: Message, channel: Channel | None = None) -> tuple[Channel, Message]:
        """Return the channel and what it is to send; raise DevinotifyError where it cannot."""
        channel = self._channel(message.channel) if channel is None else channel
        final = self.shape(message, channel)
        check_message(channel, final)
        return channel, final

    @property
    def is_bare(self) -> bool:
        """Whether no plugin has anything to do with a send, so that nothing on its way may block."""
        return not self._plugins.listens_to_any(ON_THE_WAY)

    async def send_awaited(self, message: Message, channel: Direct, client: Ready) -> list[Outcome]:
        """Send to one recipient by the client of an event loop, and record and return the Outcome, as ``send`` does.

        It is for a pipeline that ``is_bare``: no plugin is asked to send.
        """
        try:
            _, message = self._ready(message, channel)
        except DevinotifyError as error:
            return self.refuse(message, dict.fromkeys(message.recipients, error))
        try:
            answer: Sequence[Outcome] = await channel.send_awaited(message, client)
        except Exception as error:  # noqa: BLE001 - a fault of our own, and it may have sent
            answer = broken(channel, message, f"raised {type(error).__name__}", error)
        return self.record(message, all_timed(answer, message))

    def shape(self, message: Message, channel: Channel) -> Message:
        """Return the message with the text that the channel is to send; raise InvalidText where it cannot be."""
        if not channel.segmented:
            return shape(message, warn=log.warning)
        return shape(
            message,
            transliterate=self._settings().transliterate,
            max_segments=self._settings().max_segments,
            estimate=self._plugins.segmentation,
            warn=log.warning,
        )

    def record(self, message: Message, outcomes: Sequence[Outcome]) -> list[Outcome]:
        """Return the outcomes of ``message`` with their errors mapped, once the observers have seen them."""
        return [*record(self._plugins, message, outcomes)]

    def refuse(self, message: Message, errors: Mapping[str, DevinotifyError]) -> list[Outcome]:
        """Record and return the outcomes of recipients of ``message`` that it is not sent to."""
        outcomes = [failed(message.channel, recipient, error) for recipient, error in errors.items()]
        return [*record(self._plugins, replace(message, recipients=tuple(errors)), outcomes)]
